//! Bundles from both sides: what is packed is always the same, and what is not as it was packed is never accepted.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "other tools are given files")]

mod fixture;
mod flips;
mod forging;
mod hostile;
mod others;
mod packing;
mod script;
mod secrets;
mod trust;
