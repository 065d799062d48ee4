//! The pipeline: its workflows before a real linter, and every `run:` step of it executed in order, with a real Redis, a stand-in for
//! Notify, real git, and stand-ins for what a test cannot have (a host to log in to, Docker, a cluster, the build).

mod by_hand;
mod document;
mod expression;
mod failing;
mod kubernetes;
mod lint;
mod running;
mod staging;
mod whole;
