//! From files to the one archive that they have.

use std::collections::BTreeMap;

use crate::error::ContentsError;
use crate::limits::{
    FREE_OF_RATIO_BYTES, MOST_FILE_BYTES, MOST_FILES, MOST_RATIO, MOST_SOURCE_DATE, MOST_UNPACKED_BYTES,
};
use crate::manifest::{Entry, Manifest, Mode, ReleaseName, sha256};
use crate::path::{Collision, Names, is_bundle_name, printable, refused};
use crate::screen::{Leak, secret_in};
use crate::tar::{BLOCK, END, Header, padding};
use crate::{MANIFEST_PATH, SUMS_PATH, VERIFY_SCRIPT, VERIFY_SCRIPT_PATH, gzip};

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub bytes: Vec<u8>,
    pub mode: Mode,
}

/// What is said of the bundle as a whole.
#[derive(Clone, Debug)]
pub struct About {
    pub release: ReleaseName,
    /// The time of every file, in seconds since 1970; at most [`MOST_SOURCE_DATE`].
    pub source_date: u64,
}

/// Files on their way into a bundle, sorted by path.
pub struct Contents {
    name: String,
    files: BTreeMap<String, File>,
    names: Names,
    total: u64,
}

/// Files in which no secret was found. Nothing else can be packed.
#[derive(Debug)]
pub struct Screened {
    name: String,
    files: BTreeMap<String, File>,
}

/// A packed bundle, not signed yet.
#[derive(Clone, Debug)]
pub struct Archive {
    pub manifest: Manifest,
    /// The `.tar.gz`.
    pub bytes: Vec<u8>,
    /// sha256 of the `.tar.gz`.
    pub sha256: String,
    /// sha256 of the tar within.
    pub tar_sha256: String,
}

impl Contents {
    /// No files but `verify.sh`, which every bundle has.
    ///
    /// # Errors
    /// [`ContentsError::Name`].
    pub fn new(name: &str) -> Result<Self, ContentsError> {
        if !is_bundle_name(name) {
            return Err(ContentsError::Name(printable(name.as_bytes())));
        }
        let mut contents = Self { name: name.to_owned(), files: BTreeMap::new(), names: Names::default(), total: 0 };
        contents.add(VERIFY_SCRIPT_PATH, File { bytes: VERIFY_SCRIPT.into(), mode: Mode::Executable })?;
        Ok(contents)
    }

    /// Adds a file at `path` below the bundle's folder.
    ///
    /// # Errors
    /// Any [`ContentsError`] but `Name`.
    pub fn add(&mut self, path: &str, file: File) -> Result<(), ContentsError> {
        let shown = || printable(path.as_bytes());
        if let Some(reason) = refused(path, self.name.len()) {
            return Err(ContentsError::Path { path: shown(), reason });
        }
        if path == MANIFEST_PATH || path == SUMS_PATH {
            return Err(ContentsError::Reserved { path: shown() });
        }
        let size = file.bytes.len() as u64;
        if size > MOST_FILE_BYTES {
            return Err(ContentsError::TooLarge { path: shown(), size, limit: MOST_FILE_BYTES });
        }
        self.total += size + 2 * BLOCK as u64;
        // Half of what a reader takes leaves room for manifest and checksums.
        if self.total > MOST_UNPACKED_BYTES / 2 {
            return Err(ContentsError::TooMuch { what: "bytes", found: self.total, limit: MOST_UNPACKED_BYTES / 2 });
        }
        if self.files.len() >= MOST_FILES {
            let found = self.files.len() as u64 + 1;
            return Err(ContentsError::TooMuch { what: "files", found, limit: MOST_FILES as u64 });
        }
        self.names.take(path).map_err(|collision| match collision {
            Collision::Same => ContentsError::Duplicate { path: shown() },
            Collision::Case(other) => ContentsError::CaseDuplicate { path: shown(), other },
            Collision::Folder { file, below } => ContentsError::FileAndFolder { path: file, below },
        })?;
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    /// Looks into every file for what must not leave the house: [`secret_in`], then `also`, which says what it found.
    ///
    /// # Errors
    /// Everything that was found, by path.
    pub fn screened(self, also: impl Fn(&str, &[u8]) -> Option<String>) -> Result<Screened, Vec<Leak>> {
        let leak = |(path, file): (&String, &File)| {
            let what = secret_in(&file.bytes).or_else(|| also(path, &file.bytes))?;
            Some(Leak { path: path.clone(), what })
        };
        let leaks: Vec<Leak> = self.files.iter().filter_map(leak).collect();
        if leaks.is_empty() { Ok(Screened { name: self.name, files: self.files }) } else { Err(leaks) }
    }
}

impl Screened {
    /// Packs. The same files and the same `about` give the same bytes, on every machine.
    ///
    /// # Errors
    /// [`ContentsError::TooMuch`], for a time that no tar can hold; [`ContentsError::Bomb`].
    pub fn pack(self, about: &About) -> Result<Archive, ContentsError> {
        if about.source_date > MOST_SOURCE_DATE {
            let (found, limit) = (about.source_date, MOST_SOURCE_DATE);
            return Err(ContentsError::TooMuch { what: "seconds since 1970", found, limit });
        }
        let entry = |(path, file): (&String, &File)| Entry {
            path: path.clone(),
            size: file.bytes.len() as u64,
            sha256: sha256(&file.bytes),
            mode: file.mode,
        };
        let entries = self.files.iter().map(entry).collect();
        let manifest = Manifest::new(&self.name, &about.release, about.source_date, entries);
        let mut tar = Vec::new();
        let mut write = |path: &str, bytes: &[u8], mode: Mode| {
            let header =
                Header { top: &self.name, path, size: bytes.len() as u64, mode, time: about.source_date }.encode();
            tar.extend_from_slice(&header);
            tar.extend_from_slice(bytes);
            tar.resize(tar.len() + padding(bytes.len() as u64), 0);
        };
        write(MANIFEST_PATH, manifest.to_json().as_bytes(), Mode::Plain);
        write(SUMS_PATH, manifest.sums().as_bytes(), Mode::Plain);
        for (path, file) in &self.files {
            write(path, &file.bytes, file.mode);
        }
        tar.resize(tar.len() + END, 0);
        let bytes = gzip::pack(&tar);
        if tar.len() as u64 > (bytes.len() as u64).saturating_mul(MOST_RATIO) + FREE_OF_RATIO_BYTES {
            return Err(ContentsError::Bomb { ratio: MOST_RATIO });
        }
        Ok(Archive { manifest, sha256: sha256(&bytes), tar_sha256: sha256(&tar), bytes })
    }
}
