//! Finding and reading files, within bounds.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

use crate::error::{Error, ErrorKind};

/// A file that holds something to examine, or should.
pub(crate) struct Found {
    pub(crate) path: Utf8PathBuf,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Its content, or why there is none.
    pub(crate) content: Result<Vec<u8>, String>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Found>,
    looked_at: usize,
    bytes_read: u64,
    bytes_kept: u64,
    /// Where it stopped, if it did.
    pub(crate) stopped: Option<(Utf8PathBuf, &'static str)>,
    named: BTreeSet<Utf8PathBuf>,
}

/// The bundle of all public authorities has a quarter of this.
const LARGEST_FILE: u64 = 1024 * 1024;
/// Files that are opened. A folder of certificates has dozens; this is for somebody who names `/`.
const MOST_FILES: usize = 20_000;
/// Bytes that are read, three times what `/etc` has: one must look into a file to tell that it holds no certificate.
const MOST_READ: u64 = 64 * 1024 * 1024;
/// Bytes of files that hold certificates and keys, some thousands of them; each is taken apart and held.
const MOST_KEPT: u64 = 4 * 1024 * 1024;
/// Folders within folders.
const DEEPEST: usize = 16;

impl Walk {
    /// Looks at a file, or at all files of a folder in the order of their names.
    pub(crate) fn add(&mut self, path: &Utf8Path) -> Result<(), Error> {
        let unreadable = |reason: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Unreadable { path: path.to_owned(), reason: reason.to_string() })
        };
        let metadata = path.metadata().map_err(|error| unreadable(&system::reason(&error)))?;
        if metadata.is_dir() {
            self.folder(path, 0);
        } else if metadata.is_file() {
            self.file(path, true);
        } else {
            return Err(unreadable(&"it is neither a file nor a folder"));
        }
        Ok(())
    }

    fn folder(&mut self, folder: &Utf8Path, depth: usize) {
        if depth > DEEPEST {
            self.stopped.get_or_insert((folder.to_owned(), "it lies too deep"));
            return;
        }
        let entries = folder.read_dir_utf8().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let Ok(mut entries) = entries else {
            self.stopped.get_or_insert((folder.to_owned(), "it cannot be listed"));
            return;
        };
        entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
        for entry in entries {
            // `..data` and what it points at are seen through the links beside them, as programs see them.
            if entry.file_name().starts_with("..") {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(entry.path(), depth + 1),
                // Links to folders are not followed: they may lead out, or round in circles.
                Ok(kind) if kind.is_symlink() && entry.path().is_dir() => {}
                Ok(kind) if kind.is_file() || kind.is_symlink() => self.file(entry.path(), false),
                _ => {}
            }
        }
    }

    /// Why nothing more is looked at.
    fn full(&self) -> Option<&'static str> {
        if self.looked_at >= MOST_FILES {
            return Some("20000 files come before it");
        }
        if self.bytes_kept >= MOST_KEPT {
            return Some("4 MiB of certificates and keys come before it");
        }
        (self.bytes_read >= MOST_READ).then_some("64 MiB of files come before it")
    }

    /// Reads a file. One that was not named, and neither holds certificates nor is called like one that does, is passed over.
    fn file(&mut self, path: &Utf8Path, is_named: bool) {
        if let Some(reason) = self.full() {
            self.stopped.get_or_insert((path.to_owned(), reason));
            return;
        }
        // What lies in `.` is shown without it.
        let path = path.strip_prefix(".").unwrap_or(path);
        if !self.named.insert(path.to_owned()) {
            return;
        }
        self.looked_at += 1;
        let is_meant = is_named || matches!(path.extension(), Some("crt" | "cer" | "pem" | "key" | "der"));
        let read = read(path);
        self.bytes_read += read.as_ref().map_or(0, |(content, _)| content.len() as u64);
        match read {
            Ok((content, mode)) if is_meant || holds_pem(&content) => {
                self.bytes_kept += content.len() as u64;
                self.files.push(Found { path: path.to_owned(), mode, content: Ok(content) });
            }
            Err(reason) if is_meant => {
                self.files.push(Found { path: path.to_owned(), mode: 0, content: Err(reason) });
            }
            _ => {}
        }
    }
}

fn read(path: &Utf8Path) -> Result<(Vec<u8>, u32), String> {
    let metadata = path.metadata().map_err(|error| system::reason(&error))?;
    if !metadata.is_file() {
        // Opening a pipe would wait for whoever writes into it.
        return Err("it is not a file".to_owned());
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| system::reason(&error))?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut content).map_err(|error| system::reason(&error))?;
    if content.len() as u64 > LARGEST_FILE {
        return Err("it is larger than 1 MiB".to_owned());
    }
    Ok((content, metadata.mode() & 0o7777))
}

fn holds_pem(content: &[u8]) -> bool {
    String::from_utf8_lossy(content).contains("-----BEGIN ")
}
