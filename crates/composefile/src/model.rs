//! The typed project: which attributes there are, in which order they are printed, and what their values become.
//!
//! compose-go decodes its tree into Go structs and prints those. Here a table describes the structs, and decoding makes
//! a tree that has what would be printed, in that order.

pub(crate) mod decode;
pub(crate) mod extensions;
pub(crate) mod shape;
