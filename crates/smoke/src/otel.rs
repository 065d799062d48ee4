//! `smoke otel`: sends traces, metrics and logs to a collector and proves that they arrived.
//!
//! A collector that says yes has proved little: it may count the data and drop it, export nothing, or let anybody in. So the probe
//! sends a known number under one run id over both transports, then reads back: the collector's own counters, the backends where they
//! are named, health, and that strangers are refused. Start from [`Request`] and [`run`].

mod account;
mod backends;
mod call;
mod counters;
mod exports;
mod exposition;
mod grpc;
mod http;
mod load;
mod memory;
mod payload;
mod probe;
mod readback;
mod request;
mod signal;
mod strangers;

pub use load::LoadRequest;
pub use probe::run;
pub use request::{FileTarget, Ports, Request};
pub use signal::{Signal, Transport};
