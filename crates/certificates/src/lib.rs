//! Development certificates: made, renewed, rotated and judged.
//!
//! A [`Folder`] holds one certificate authority and the certificates of every [`Component`] of the telemetry overlays. [`generate()`]
//! fills and renews it, [`rotate()`] replaces its authority in phases without an outage, [`examine()`] judges any folder or file of
//! certificates, made here or not. [`Authority`] is the part without a disk: it issues what it is asked for, also certificates that
//! are expired or have the wrong name, which is what tests of verifiers need.
//!
//! The clock comes in as a value; randomness comes from the operating system. This crate does not know the terminal, the
//! arguments or exit codes.
//!
//! Threats, and the answer to each:
//! - A private key that others can read, be it for a moment: key files are created with mode 0600 and only ever widened on purpose,
//!   after their owner is set; the authority's folder is 0700; a `.gitignore` keeps all of it out of version control.
//! - A key in a log or an error: [`PrivateKey`] cannot be displayed, and errors carry paths and reasons, never content.
//! - A run that is killed, or two at once: what a component reads is switched by one rename, under a lock.
//! - A hostile folder given to [`examine()`]: sizes, numbers and depths are bounded, links are followed once, and only regular files
//!   are opened.

mod access;
mod algorithm;
mod authority;
mod certificate;
mod component;
mod der;
mod error;
mod examine;
mod folder;
mod generate;
mod key;
mod pem;
mod rotate;
mod san;
mod server;
mod slot;
mod state;
mod validity;

pub use access::Owner;
pub use algorithm::Algorithm;
pub use authority::{Authority, Issued, Leaf, Usage};
pub use component::Component;
pub use error::{Error, ErrorKind};
pub use examine::{Chain, Examination, ExaminedCertificate, ExaminedKey, Finding, KeyMatch, Question, examine};
pub use folder::Folder;
pub use generate::{AuthorityReport, CA_DAYS, ComponentReport, DAYS, Done, Report, Request, generate};
pub use key::PrivateKey;
pub use rotate::{Phase, Rotated, Rotation, rotate};
pub use san::San;
pub use server::{Server, ServerReport, ServersReport, generate_servers};
pub use validity::Validity;
