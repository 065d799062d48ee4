//! The files of an export tree: readers that know what must be there, and overlook what they do not know.
//!
//! Concelier's three, `index.json`, `manifest.json` and `bundle.json`, and Excititor's lists. Only part of their form is documented; what
//! is ours, such as sizes and digests beside a name, is optional everywhere. Start from [`index`].
//!
//! Threats: the files come from the network. Each has a limit for its size, its nesting and its lists ([`limits`]), a member that is
//! there twice is refused, and ids and keys, which become paths, are checked when they are read. Values that do not matter are passed
//! over without being kept, so that a bundle of any content costs no more memory than its bytes. Another schema version is refused
//! before anything else is read: what is in it may mean something else.

mod digest;
mod documents;
mod error;
mod json;
pub mod limits;
mod place;
#[cfg(test)]
mod tests;

pub use digest::Digest;
pub use documents::{
    Bundle, Index, Listed, Manifest, Reference, VexDomain, VexExport, VexIndex, bundle, index, manifest, vex_domain,
    vex_domains, vex_index,
};
pub use error::{Error, Problem};

/// The version of Concelier's files that is read here.
pub const SCHEMA: u64 = 1;

/// Whether a text is the id of a domain. It is a part of paths and of file names: lower-case letters, digits, `-` and `_`, no dot.
#[must_use]
pub fn is_domain_id(text: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    text.len() <= limits::LONGEST_ID
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && text.as_bytes().iter().all(is_inner)
}

/// Whether a text is the key of an export. It is one part of a path and a file's name, and never hidden or above its folder.
#[must_use]
pub fn is_export_key(text: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b':' | b'@');
    text.len() <= limits::LONGEST_KEY
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.as_bytes().iter().all(is_inner)
}
