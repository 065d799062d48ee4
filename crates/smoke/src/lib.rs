//! Probes of running systems: do what a user would do, then look whether it had the effect.
//!
//! Start from [`otel::run`], [`notify::run`] or [`mirror::run`]. A probe takes a checked request, talks to the outside and returns a [`report::Report`]; it prints nothing
//! and knows no exit code. Everything asynchronous stays inside; what is public is synchronous. The clock and the network are used
//! here and nowhere below.
//!
//! Threats: the other side may be anything. Every answer has a size limit and every wait a bound; texts of the other side reach a report
//! only through [`report::shown`]. Keys are read, given to the TLS library and never shown.

pub mod mirror;
pub mod notify;
pub mod otel;
pub mod report;
mod secret;
mod wire;

pub use secret::Secret;
pub use wire::{IdentityFiles, LeafFiles};
