//! `yamlspan` against go-yaml: recorded answers, and the real thing where it is installed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test tells what it found and stops where it cannot go on"
)]

mod canonical;
mod limits;
mod live;
mod mutations;
mod recorded;
mod seeds;
mod spans;
