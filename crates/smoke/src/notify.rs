//! `smoke notify`: proves that events become deliveries.
//!
//! A publisher (a scanner) puts an event on a Redis stream, Notify's worker reads it, a rule matches, a channel delivers. The probe reads
//! the stream over a window, asks Notify for its deliveries, matches the two, and says where the chain is broken. Start from
//! [`Settings`], [`Request::check`] and [`run`].
//!
//! Threats, and the answer to each:
//! - A secret in an output: token, password and connection string have a type that cannot be displayed; of what others say, everything
//!   passes a sieve that takes them out before the report leaves this module.
//! - A server that sends without end: entries, pages, bodies, texts and the time for all of it have limits with names.
//! - A verdict that rolls back what is fine: see `fault`. What could not be seen is never called broken.

mod clock;
mod conclusion;
mod deliveries;
mod delivery;
mod dsn;
mod emit;
mod envelope;
mod fault;
mod matching;
mod probe;
mod redis;
mod request;
mod resp;
mod stream;
mod token;
mod variable;
mod verdict;

pub use probe::{clock, run, switched_off};
pub use request::{Options, Problem, Request, Settings};
pub use variable::{
    BASE_URL, ENABLED, EXPECT_KINDS, FIELD, LOOKBACK, NOTIFY_CA, Need, REDIS_CA, REDIS_CERT, REDIS_DSN, REDIS_KEY,
    REDIS_SERVER_NAME, STREAM, TENANT, TENANT_HEADER, TOKEN, VARIABLES, Variable,
};
