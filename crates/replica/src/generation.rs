//! A generation: one moment of a domain, named by that moment and by its content.

use std::fmt;
use std::fs::File;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use jiff::tz::Offset;
use sha2::{Digest as _, Sha256};
use source::system;

use crate::disk;
use crate::error::{Error, Result};
use crate::record::{FileRecord, RECORD, Record};

/// Hexadecimal digits of the content in a name: enough that no two contents of one second meet by chance.
const DIGITS: usize = 16;

/// `20251001T060000Z-0123456789abcdef`: names sort by moment, and the same content always has the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name of these files, made at this moment.
    pub(crate) fn of(created: Timestamp, files: &[FileRecord]) -> Self {
        let mut sha256 = Sha256::new();
        for FileRecord { path, size, sha256: digest, validators: _ } in files {
            // Paths have no blanks or line ends, so that no two lists have one text.
            sha256.update(format!("{digest} {size} {path}\n"));
        }
        let digest = disk::hex(&sha256.finalize());
        let moment = Offset::UTC.to_datetime(created).strftime("%Y%m%dT%H%M%SZ").to_string();
        Self(format!("{moment}-{}", digest.get(..DIGITS).unwrap_or(&digest)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        const BAD: &str = "a generation is named like `20251001T060000Z-0123456789abcdef`";
        let (moment, digest) = text.split_once('-').ok_or(BAD)?;
        let pattern = b"00000000T000000Z";
        let is_moment = moment.len() == pattern.len()
            && moment.bytes().zip(pattern).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                letter => byte == *letter,
            });
        let is_digest =
            digest.len() == DIGITS && digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if is_moment && is_digest { Ok(Self(text.to_owned())) } else { Err(BAD) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A generation on disk.
#[derive(Clone, Debug)]
pub struct Generation {
    pub name: Name,
    pub path: Utf8PathBuf,
    pub record: Record,
}

impl Generation {
    pub(crate) fn read(root: &Utf8Path, name: &Name) -> std::result::Result<Self, String> {
        let path = root.join(name.as_str());
        match path.symlink_metadata() {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Err("it is no folder".to_owned()),
            Err(error) => return Err(system::reason(&error)),
        }
        let record = Record::read(&path).map_err(|why| format!("its `{RECORD}`: {why}"))?;
        let generation = Self { name: name.clone(), path, record };
        if Name::of(generation.created().map_err(|error| error.to_string())?, &generation.record.files) != *name {
            return Err(format!("its `{RECORD}` is that of another generation"));
        }
        Ok(generation)
    }

    /// When the mirror made it.
    pub(crate) fn created(&self) -> Result<Timestamp> {
        self.record.created.parse().map_err(|_| {
            Error::input(format!("the generation `{}` cannot be used", self.name))
                .because(format!("its `{RECORD}` has a `created` that is no moment"))
        })
    }

    /// A file of it.
    pub(crate) fn file(&self, path: &str) -> std::io::Result<Utf8PathBuf> {
        disk::below(&self.path, path)
    }

    /// Whether a file of it is still what the record says.
    pub(crate) fn is_intact(&self, file: &FileRecord) -> bool {
        let measured = self.file(&file.path).and_then(|path| disk::measure(&path));
        measured.is_ok_and(|(size, sha256)| size == file.size && sha256 == file.sha256)
    }

    /// The first file that is no longer what the record says.
    pub(crate) fn damaged(&self) -> Option<&FileRecord> {
        self.record.files.iter().find(|file| !self.is_intact(file))
    }

    /// Keeps it from being pruned for as long as what is returned lives.
    pub(crate) fn hold(&self) -> std::io::Result<File> {
        let file = disk::open(&self.path.join(RECORD))?;
        file.lock_shared()?;
        Ok(file)
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(&self) -> bool {
        disk::open(&self.path.join(RECORD)).is_ok_and(|file| file.try_lock().is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Validators;

    #[test]
    fn a_name_follows_from_moment_and_content_alone() {
        let file = |etag: Option<&str>| FileRecord {
            path: "mirror/index.json".to_owned(),
            size: 2,
            sha256: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".to_owned(),
            validators: Validators { etag: etag.map(str::to_owned), last_modified: None },
        };
        let name = Name::of("2025-10-01T08:00:00.9+02:00".parse().unwrap(), &[file(None)]);
        assert_eq!(name.as_str(), "20251001T060000Z-3709b5453eb1f239");
        assert_eq!(name, Name::of("2025-10-01T06:00:00Z".parse().unwrap(), &[file(Some("x"))]));
        assert_eq!(name.as_str().parse(), Ok(name));
    }

    #[test]
    fn nothing_else_is_a_name() {
        for bad in [
            "",
            "latest",
            "..",
            "20251001T060000Z",
            "20251001T060000Z-",
            "20251001T060000Z-0123456789ABCDEF",
            "20251001T060000Z-0123456789abcdef0",
            "2025x001T060000Z-0123456789abcdef",
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
