//! Findings: what is wrong with what a workspace describes, and how to say so.
//!
//! A [`Finding`] has a rule, a severity, a message, a place, related places and a way out. Rules make findings with
//! symbolic places; the program resolves those to a [`Location`], then [`sort`]s and writes them: [`text`] for people,
//! [`json`] for programs, [`sarif`] for code scanners, [`junit`] for build servers, [`github`] for workflow logs, [`markdown`] for comments.
//!
//! This crate does not know what the rules are. Threat: messages and source lines may hold secrets, terminal escapes or
//! text that a log viewer takes for a command. Writers take source lines only through `SourceMap::excerpt` and every
//! other text through `source::redact`; each escapes for its own format.

mod disarm;
mod finding;
mod fingerprint;
mod github;
mod json;
mod junit;
mod location;
mod markdown;
mod order;
mod sarif;
mod summary;
mod text;

pub use disarm::{disarmed, disarmed_json};
pub use finding::{Finding, Related, Severity, shortened};
pub use fingerprint::fingerprint;
pub use github::github;
pub use json::{JSON_SCHEMA, ProfileVerdict, Verdict, json};
pub use junit::junit;
pub use location::{Location, Range};
pub use markdown::markdown;
pub use order::sort;
pub use sarif::{RuleInfo, Tool, sarif};
pub use summary::{Counts, plural};
pub use text::{TextOptions, text};

#[cfg(test)]
mod tests;
