//! The program as people run it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bundle;
mod faults;
mod init;
mod mutations;
mod peers;
mod requirements;
mod rollout;
mod smoke_notify;
mod smoke_otel;
mod telemetry;
mod tls;
mod tree;
mod workflow;
