//! The program as people run it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod init;
mod mutations;
mod peers;
mod requirements;
mod tree;
