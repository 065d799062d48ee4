//! Templates against results of Go.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::use_debug,
    reason = "tests fail loudly and say what they skip"
)]

mod functions;
mod language;
mod limits;
mod oracle;
mod trace;
