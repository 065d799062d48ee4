//! The program as people run it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod action;
mod adopting;
mod baseline;
mod bundle;
mod deployments;
mod documents;
mod env_file;
mod faults;
mod generated_mutations;
mod hostile;
mod init;
mod man;
mod mirror_auth;
mod mirror_carry;
mod mirror_deploy;
mod mirror_gateway;
mod mirror_load;
mod mirror_pull;
mod mirror_tenant;
mod mirror_usage;
mod mutations;
mod odd_charts;
mod odd_compose;
mod peers;
mod pin;
mod policy_from;
mod precommit;
mod registry;
mod release;
mod reports;
mod requirements;
mod rollout;
mod runbook;
mod set_flags;
mod smoke_mirror;
mod smoke_notify;
mod smoke_otel;
mod telemetry;
mod tls;
mod tree;
mod trust;
mod typed;
mod watch;
mod workflow;
