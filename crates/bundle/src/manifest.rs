//! `manifest.json`: what a bundle holds, in the order in which it holds it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::ReadError;
use crate::limits::{MOST_FILE_BYTES, MOST_FILES, MOST_SOURCE_DATE, MOST_UNPACKED_BYTES};
use crate::path::{Collision, Names, is_bundle_name, printable, refused};
use crate::{MANIFEST_PATH, SUMS_PATH};

/// Version of the format.
const SCHEMA: u32 = 1;

/// The list of a bundle's files. Written in one spelling only: indented JSON, fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: 1.
    pub schema: u32,
    /// The bundle's name: its folder, and its archive without `.tar.gz`.
    pub name: String,
    /// The release that the bundle belongs to.
    pub release: ReleaseName,
    /// The time of every file, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub source_date: u64,
    /// Every file but this one and `SHA256SUMS`, sorted by the bytes of its path.
    pub files: Vec<Entry>,
}

/// A release, as a bundle names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseName {
    /// Such as `2025.09.2-airgap`.
    pub version: String,
    /// Such as `airgap`.
    pub channel: String,
    /// sha256 of its canonical manifest, 64 hexadecimal digits.
    pub sha256: String,
}

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Below the bundle's folder.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    pub mode: Mode,
}

/// Who may do what with a file: everybody may read; scripts can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[serde(rename = "0644")]
    Plain,
    #[serde(rename = "0755")]
    Executable,
}

impl Mode {
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
        }
    }

    /// As in the manifest: `0644`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "0644",
            Self::Executable => "0755",
        }
    }
}

impl Manifest {
    pub(crate) fn new(name: &str, release: &ReleaseName, source_date: u64, files: Vec<Entry>) -> Self {
        Self { schema: SCHEMA, name: name.to_owned(), release: release.clone(), source_date, files }
    }

    /// Its one spelling.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings and numbers always serialise.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The archive's file name.
    #[must_use]
    pub fn archive_name(&self) -> String {
        format!("{}.tar.gz", self.name)
    }

    /// What `SHA256SUMS` holds: every file but itself, sorted by path.
    #[must_use]
    pub fn sums(&self) -> String {
        let own = sha256(self.to_json().as_bytes());
        let mut lines: Vec<(&str, &str)> = vec![(MANIFEST_PATH, own.as_str())];
        lines.extend(self.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())));
        lines.sort_unstable();
        lines.iter().fold(String::new(), |mut text, (path, sha256)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{sha256}  {path}");
            text
        })
    }

    /// Reads the manifest of an archive whose folder is `top`, and refuses every one that we would not have written.
    pub(crate) fn parse(bytes: &[u8], top: &str) -> Result<Self, ReadError> {
        let bad = |reason: String| ReadError::Manifest(reason);
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| bad(format!("cannot be read: line {}, column {}", error.line(), error.column())))?;
        if manifest.schema != SCHEMA {
            return Err(bad(format!("has schema {}; this program knows {SCHEMA}", manifest.schema)));
        }
        if manifest.to_json().as_bytes() != bytes {
            return Err(bad("is not spelled as it is written".to_owned()));
        }
        if manifest.name != top || !is_bundle_name(&manifest.name) {
            return Err(bad(format!("is of `{}`, but lies in `{top}`", printable(manifest.name.as_bytes()))));
        }
        if manifest.source_date > MOST_SOURCE_DATE {
            return Err(bad("has a time that no tar can hold".to_owned()));
        }
        if !is_sha256(&manifest.release.sha256) {
            return Err(bad("has a release whose sha256 is none".to_owned()));
        }
        manifest.check_files()?;
        Ok(manifest)
    }

    fn check_files(&self) -> Result<(), ReadError> {
        let bad = |reason: String| Err(ReadError::Manifest(reason));
        if self.files.len() > MOST_FILES {
            return bad(format!("lists {} files; at most {MOST_FILES} are read", self.files.len()));
        }
        let total = self.files.iter().fold(0_u64, |total, file| total.saturating_add(file.size));
        if total > MOST_UNPACKED_BYTES {
            return bad(format!("lists {total} bytes; at most {MOST_UNPACKED_BYTES} are read"));
        }
        let mut names = Names::default();
        let mut previous = "";
        for file in &self.files {
            let shown = || printable(file.path.as_bytes());
            if let Some(reason) = refused(&file.path, self.name.len()) {
                return bad(format!("lists `{}`, which {reason}", shown()));
            }
            if file.path == MANIFEST_PATH || file.path == SUMS_PATH {
                return bad(format!("lists `{}`, which every bundle has", shown()));
            }
            match names.take(&file.path) {
                Ok(()) => {}
                Err(Collision::Same) => return Err(ReadError::Duplicate { path: shown() }),
                Err(Collision::Case(other)) => return Err(ReadError::CaseDuplicate { path: shown(), other }),
                Err(Collision::Folder { file, below }) => {
                    return bad(format!("lists `{file}` as a file and as the folder of `{below}`"));
                }
            }
            if file.path.as_str() <= previous {
                return bad(format!("is not sorted: `{}` comes after `{previous}`", shown()));
            }
            if file.size > MOST_FILE_BYTES {
                return bad(format!(
                    "says that `{}` has {} bytes; at most {MOST_FILE_BYTES} are read",
                    shown(),
                    file.size
                ));
            }
            if !is_sha256(&file.sha256) {
                return bad(format!("says of `{}` what is no sha256", shown()));
            }
            previous = &file.path;
        }
        Ok(())
    }
}

/// The sha256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
