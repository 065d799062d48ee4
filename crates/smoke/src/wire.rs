//! Connections to systems under test, and what went wrong with them in words that name the fault.
//!
//! Every connection is opened here by hand (address, TCP, TLS, then HTTP on top): libraries that open connections themselves fold a
//! refused certificate, a wrong name and a dead port into one "error sending request". [`Fault`] keeps them apart.

mod dial;
mod expired;
mod fault;
mod http1;
mod identity;
mod sender;
mod tls_fault;
mod trust;
mod url;

pub(crate) use dial::{Dialer, Protocol, Target, Watch, Watched};
pub(crate) use expired::{expired, foreign};
pub(crate) use fault::{Fault, Kind};
pub(crate) use http1::{Http1, Reply, get};
pub(crate) use identity::Identity;
pub use identity::{IdentityFiles, LeafFiles};
pub(crate) use sender::Sender;
pub(crate) use url::{Url, encoded};
