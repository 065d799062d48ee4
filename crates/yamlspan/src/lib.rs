//! YAML text to a tree with exact byte spans, as go-yaml reads it.
//!
//! Start with [`parse_first`] and [`NodeRef`] for a tree with places, [`decode`] for plain values as Helm sees them,
//! [`emit`] for the bytes go-yaml writes, [`edit`] for changing scalars in place, and [`strict`] for files of our own.
//!
//! This crate accepts and refuses what go-yaml does, with its wording; a [`Dialect`] names the version. It knows nothing
//! of charts, Compose files or releases, and reads no file.
//!
//! Threats and answers. Input is untrusted text: nesting is limited (go-yaml's own 10,000 and a limit for decoding), aliases
//! expand only as far as go-yaml's ratio rule allows, a text has limits of size and of nodes ([`MOST_BYTES`], [`MOST_NODES`]), and nothing
//! recurses deeper than a named limit.

pub mod base64;
mod data;
pub mod decode;
mod dialect;
mod document;
pub mod edit;
pub mod emit;
mod error;
mod events;
mod lines;
mod node;
mod number;
mod resolve;
mod reworded;
mod scalar;
mod scan;
pub mod strict;

pub use data::Data;
pub use dialect::Dialect;
pub use document::{Document, parse, parse_first};
pub use error::{Error, Limit};
pub use node::{Entries, Items, Kind, NodeRef, Style};
pub use reworded::Reworded;
pub use scalar::{Scalar, Timestamp};

/// The largest text that is parsed: what one template may print. Far above any values file; below 4 GiB, so that offsets fit in 32 bits.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The most nodes that one text may have. Two bytes can be a node, which takes a hundred in memory and more once it is decoded; the
/// largest public bundles of custom resource definitions have some 200,000.
pub const MOST_NODES: usize = 500_000;
