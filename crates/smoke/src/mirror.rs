//! `smoke mirror`: reads a mirror as a tenant would, and proves that it serves what it should, and nothing to those who should get nothing.
//!
//! A gateway that answers 200 has proved little: it may serve everybody, another domain's content, a bundle that is not the one its
//! manifest announces, or everything without its cache. So the probe comes as a stranger, with a wrong password and as the tenant; it
//! walks index, manifest, bundle and signature and holds them against each other, and looks at caching, ranges, methods and paths.
//! Start from [`Request::check`] and [`run`].
//!
//! It is frugal: a tenant has a budget of downloads, of which one run needs about a dozen. Where the gateway says that the budget is
//! used up (429), it waits as it is told to, within a limit.

mod caching;
mod checks;
mod domain;
mod fault;
mod judge;
mod manners;
mod probe;
mod reader;
mod request;
mod strangers;
mod vex;

pub use probe::run;
pub use request::{Credentials, HostAndPort, Problem, Request, Settings, Trust};
