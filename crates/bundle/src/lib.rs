//! Offline bundles: the same bytes from the same files, and proof that they still are.
//!
//! A bundle is a value first and an archive second. [`Contents`] are collected, [`Contents::screened`] refuses what must not
//! leave the house, [`Screened::pack`] makes the one archive that these files have, [`Archive::sign`] the files beside it.
//! The way back is [`verify()`] (a key is needed), [`check_unverified`] (for those who say so) and [`read()`], which walks an archive
//! without unpacking it. How hostile archives are met stands at the top of the `read` module.
//!
//! An archive is `<name>.tar.gz` with one folder `<name>/`: `manifest.json`, `SHA256SUMS`, then every other file sorted by
//! path. Nothing in it is left to chance, so a reader does not interpret headers, it compares them: there is exactly one tar
//! for a manifest.
//!
//! This crate opens no file and knows no clock: bytes in, bytes out.

mod der;
mod error;
mod gzip;
mod limits;
mod manifest;
mod pack;
mod path;
mod read;
mod screen;
mod seal;
mod statement;
mod tar;
mod verify;

pub use error::{ContentsError, ReadError, Refusal};
pub use limits::{MOST_ARCHIVE_BYTES, MOST_BESIDE_BYTES, MOST_FILE_BYTES, MOST_SOURCE_DATE};
pub use manifest::{Entry, Manifest, Mode, ReleaseName};
pub use pack::{About, Archive, Contents, File, Screened};
pub use read::{Contained, read};
pub use screen::{Leak, secret_in};
pub use seal::{Beside, BesideFile, checksum};
pub use verify::{Verified, check_unverified, verify};

/// Looks at every bundle with nothing but a shell, coreutils, tar, gzip and OpenSSL. Part of each bundle.
pub const VERIFY_SCRIPT: &str = include_str!("verify.sh");

/// Where [`VERIFY_SCRIPT`] lies in a bundle.
pub const VERIFY_SCRIPT_PATH: &str = "verify.sh";

/// The list of all other files, the first file of every bundle.
pub const MANIFEST_PATH: &str = "manifest.json";

/// Checksums for `sha256sum -c`, the second file of every bundle.
pub const SUMS_PATH: &str = "SHA256SUMS";
