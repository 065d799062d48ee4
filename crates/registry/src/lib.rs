//! A client for OCI registries: which digest a tag has.
//!
//! Start with [`Client`], which is made from a [`Config`]. Asynchronous inside, synchronous outside. It opens connections, reads the files
//! that it is told of and runs the credential helpers that they name; it reads no environment, writes nothing and prints nothing.
//!
//! From outside in: [`Client`] (questions, several at once) → `registry` (what is asked about one image: mirrors, HEAD, GET) → `access`
//! (being let in) → `transport` (one request: redirects, second tries, sizes, times). Whatever else is asked of registries goes the same way.
//!
//! Threats, and the answer to each: a registry, mirror or something between that delivers other bytes than it promises (every digest that
//! was not believed before is computed over the bytes), that never ends or never answers (sizes and times are bounded), that sends our
//! password elsewhere (see `access` and `transport`), that lets us print what it wants (its words are shortened, their control characters
//! replaced); secrets in messages (they have a type that cannot be displayed, and every message passes a sieve).

mod access;
mod challenge;
mod client;
mod config;
mod credentials;
mod endpoint;
mod fault;
mod files;
mod limits;
mod manifest;
mod refusal;
mod registry;
mod secret;
mod tls_fault;
mod token;
mod transport;
mod trust;
mod wire_fault;

pub use client::Client;
pub use config::{ClientFiles, Config, CredentialFile, Credentials, Mirror, MirrorError, Mirrors, Proxies, Trust};
pub use fault::{Class, Fault, Kind};
pub use limits::Limits;
pub use manifest::Shape;
pub use registry::Resolved;
pub use secret::Secret;
