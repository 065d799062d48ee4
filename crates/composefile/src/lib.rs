//! Compose files: load, interpolate, merge, normalise as Docker Compose does
//!
//! Start with [`load`]: it asks [`source::Files`] for what it needs and gives a [`Project`], which prints what
//! `docker compose config` prints and knows where every value was written. The behaviour is that of Docker Compose
//! 5.6.0 (compose-go 2.16.1). This crate knows nothing of Helm, releases or terminals.

mod absolute;
mod aliases;
mod budget;
mod bytes;
mod canonical;
mod consistency;
mod defaults;
mod document;
mod dotenv;
mod duration;
mod environment;
mod error;
mod extends;
mod go;
mod include;
mod interpolate;
mod layers;
mod loader;
mod merge;
mod model;
mod naming;
mod node;
mod normalize;
mod open;
mod options;
mod output;
mod pass_through;
mod path;
mod ports;
mod project;
mod record;
mod reset;
mod schema;
mod selection;
mod service_files;
mod shellwords;
mod unicity;
mod volume;

pub use error::{Error, ErrorKind};
pub use node::{Entry, Map, Node, Value};
pub use open::{load, load_layers};
pub use options::{Limits, Options, Profiles};
pub use project::Project;
pub use record::{EnvEntry, EnvFile, ServiceFile, VariableSource, VariableUse, Warning};
