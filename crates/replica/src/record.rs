//! `replica.json`: what a generation of a copy holds. It lies in the generation, so that both appear and vanish in one rename.

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use source::system;

use crate::disk;
use crate::limits::{MOST_EXPORTS, MOST_GENERATION_BYTES, MOST_RECORD_BYTES};
use crate::parts::is_plain_path;

/// Version of the format.
const SCHEMA: u32 = 1;

/// Exports, and the files that every generation has.
const MOST_FILES: usize = MOST_EXPORTS + 16;

/// The record's name in a generation.
pub(crate) const RECORD: &str = "replica.json";

/// What a generation holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format: 1.
    pub schema: u32,
    pub domain: String,
    /// The manifest's `created`, in RFC 3339 and UTC.
    pub created: String,
    /// The mirror that the validators are of; none in a generation that was carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Every file but this record, sorted by path.
    pub files: Vec<FileRecord>,
}

/// A file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Below the generation.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// What the mirror calls this version of it: asked with the next time, so that nothing is transferred that is here.
    #[serde(default, skip_serializing_if = "Validators::are_none")]
    pub validators: Validators,
}

/// How HTTP tells one version of a file from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// The tag that may stand in `If-Range`: a weak one says "means the same", and halves of two such files do not fit together.
    pub(crate) fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.starts_with("W/"))
    }
}

impl Record {
    pub(crate) fn new(domain: &str, created: Timestamp, origin: Option<&str>, mut files: Vec<FileRecord>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let (domain, created, origin) = (domain.to_owned(), created.to_string(), origin.map(str::to_owned));
        Self { schema: SCHEMA, domain, created, origin, files }
    }

    pub(crate) fn to_json(&self) -> String {
        // Strings and numbers always serialise.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the record of the generation in `folder`; the reason why there is none that can be used.
    pub(crate) fn read(folder: &Utf8Path) -> Result<Self, String> {
        let bytes = disk::read(&folder.join(RECORD), MOST_RECORD_BYTES).map_err(|error| system::reason(&error))?;
        let record: Self = serde_json::from_slice(&bytes)
            .map_err(|error| format!("it cannot be read: line {}, column {}", error.line(), error.column()))?;
        match record.problem() {
            Some(why) => Err(why),
            None => Ok(record),
        }
    }

    /// What no record of ours has.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.schema != SCHEMA {
            return Some(format!("it has schema {}; this program knows {SCHEMA}", self.schema));
        }
        files_problem(&self.files)
    }

    pub(crate) fn file(&self, path: &str) -> Option<&FileRecord> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// What no list of files of ours has: paths that are not plain, not sorted or there twice; digests that are none; too much of anything.
pub(crate) fn files_problem(files: &[FileRecord]) -> Option<String> {
    if files.len() > MOST_FILES {
        return Some(format!("it lists {} files; at most {MOST_FILES} are taken", files.len()));
    }
    let total = files.iter().fold(0_u64, |total, file| total.saturating_add(file.size));
    if total > MOST_GENERATION_BYTES {
        return Some(format!("it lists {total} bytes; at most {MOST_GENERATION_BYTES} are taken"));
    }
    let mut previous = "";
    for file in files {
        let shown = crate::error::printable(&file.path);
        if !is_plain_path(&file.path) {
            return Some(format!("it lists `{shown}`, which is no path of an export tree"));
        }
        if file.path.as_str() <= previous {
            return Some(format!("it lists `{shown}` twice or out of order"));
        }
        // Not always the one before: `a`, `a-b`, `a/b`.
        let mut folders = file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at));
        if let Some(folder) =
            folders.find(|folder| files.binary_search_by(|file| file.path.as_str().cmp(folder)).is_ok())
        {
            return Some(format!("it lists `{folder}` as a file and as a folder"));
        }
        if !is_sha256(&file.sha256) {
            return Some(format!("it says of `{shown}` what is no sha256"));
        }
        previous = &file.path;
    }
    None
}

pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest record that a pull can make is read back.
    #[test]
    fn files_and_their_bytes_are_counted() {
        let long = "\"".repeat(crate::limits::MOST_VALIDATOR_BYTES);
        let file = |number: usize| FileRecord {
            path: format!("excititor/mirror/domains/{}/exports/{number:0>100}", "d".repeat(63)),
            size: 1,
            sha256: "0".repeat(64),
            validators: Validators { etag: Some(long.clone()), last_modified: Some(long.clone()) },
        };
        let mut record = Record::new("d", Timestamp::UNIX_EPOCH, Some("o"), (0..MOST_FILES).map(file).collect());
        assert_eq!(record.problem(), None);
        assert!((record.to_json().len() as u64) < MOST_RECORD_BYTES);
        record.files.push(file(MOST_FILES));
        assert_eq!(record.problem().as_deref(), Some("it lists 10017 files; at most 10016 are taken"));
        record.files.truncate(2);
        record.files[0].size = MOST_GENERATION_BYTES;
        let expected = "it lists 4294967297 bytes; at most 4294967296 are taken";
        assert_eq!(record.problem().as_deref(), Some(expected));
        record.files.truncate(1);
        assert_eq!(record.problem(), None);

        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::File::create(folder.join(RECORD)).unwrap().set_len(MOST_RECORD_BYTES + 1).unwrap();
        let error = Record::read(folder).unwrap_err();
        assert_eq!(error, "it has more than the 16777216 bytes that are read");
    }

    #[test]
    fn nothing_is_a_file_and_a_folder() {
        let files = |paths: &[&str]| {
            let file = |path: &&str| FileRecord {
                path: (*path).to_owned(),
                size: 1,
                sha256: "0".repeat(64),
                validators: Validators::default(),
            };
            files_problem(&paths.iter().map(file).collect::<Vec<_>>())
        };
        assert_eq!(files(&["mirror/a-b", "mirror/a/b", "mirror/ab"]), None);
        for bad in [&["mirror/a", "mirror/a/b"][..], &["mirror/a", "mirror/a-b", "mirror/a.b", "mirror/a/b/c"]] {
            assert_eq!(files(bad).as_deref(), Some("it lists `mirror/a` as a file and as a folder"));
        }
        assert!(files(&["mirror/b", "mirror/a"]).is_some_and(|why| why.contains("out of order")));
    }
}
