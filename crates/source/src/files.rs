//! The one door to files. Engines ask for paths; whoever runs them answers from disk or memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::octets::{self, Stray};
use crate::{FileId, SourceMap, Span};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
}

/// What a name in a directory leads to, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Directory,
    /// A link that leads nowhere, or in a circle.
    BrokenLink,
    /// A pipe, socket or device.
    Irregular,
}

impl From<FileKind> for EntryKind {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::File => Self::File,
            FileKind::Directory => Self::Directory,
        }
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub kind: EntryKind,
}

/// Why a path could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("`{0}` does not exist")]
    NotFound(Utf8PathBuf),
    #[error("`{0}` is a directory")]
    IsDirectory(Utf8PathBuf),
    #[error("`{0}` is not a directory")]
    NotDirectory(Utf8PathBuf),
    #[error("`{path}` leads out of {border}")]
    Outside { path: Utf8PathBuf, border: &'static str },
    #[error("`{path}` has {size} bytes; at most {limit} are read")]
    TooLarge { path: Utf8PathBuf, size: u64, limit: u64 },
    /// With the place in the source map of the byte that shows it.
    #[error("{}", .stray.told(.path))]
    NotUtf8 { path: Utf8PathBuf, stray: Stray, span: Span },
    #[error("cannot read `{path}`: {reason}")]
    Io { path: Utf8PathBuf, reason: String },
}

/// The text of a file that was read.
///
/// # Errors
/// [`FileError::NotUtf8`].
pub fn text_of<'b>(path: &Utf8Path, file: FileId, bytes: &'b [u8]) -> Result<&'b str, FileError> {
    octets::text(bytes).map_err(|stray| {
        let at = |end: usize| if octets::is_utf_16(bytes) { 0 } else { octets::marked(&bytes[..end]).len() };
        let span = Span::new(file, at(stray.offset)..at(stray.offset + 1));
        FileError::NotUtf8 { path: path.to_owned(), stray, span }
    })
}

/// Access to files by path. Paths are relative to the workspace, or absolute where the operator named one.
///
/// Implementations memoise: the same path gives the same [`FileId`] and bytes for the life of the implementation.
/// `Sync`, because profiles are rendered in parallel.
pub trait Files: Sync {
    /// The file's bytes and its place in the source map.
    ///
    /// # Errors
    /// Any [`FileError`] except `NotUtf8`.
    fn read(&self, path: &Utf8Path) -> Result<(FileId, Arc<[u8]>), FileError>;

    /// The names in a directory, sorted by bytes.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `Outside`, `Io`.
    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError>;

    /// What stands at a path, links followed within the policy; `None` if nothing does or it may not be looked at.
    fn kind(&self, path: &Utf8Path) -> Option<FileKind>;

    /// The file as text.
    ///
    /// # Errors
    /// Any [`FileError`].
    fn read_text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        let (id, bytes) = self.read(path)?;
        text_of(path, id, &bytes).map(|text| (id, Arc::from(text)))
    }

    /// The file as go-yaml reads it, which knows UTF-16, and refuses other bytes that are no UTF-8 only where it meets them: they are marked (see
    /// [`octets`]).
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_decoded(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        match self.read_text(path) {
            Err(FileError::NotUtf8 { .. }) => {}
            known => return known,
        }
        let (id, bytes) = self.read(path)?;
        Ok((id, octets::decoded(&bytes).into()))
    }
}

/// `path` without `.` components and with `..` resolved by name. A leading `..` stays: it leads out.
#[must_use]
pub fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => match out.components().next_back() {
                Some(Utf8Component::Normal(_)) => {
                    out.pop();
                }
                Some(Utf8Component::RootDir) => {}
                _ => out.push(".."),
            },
            other => out.push(other.as_str()),
        }
    }
    if out.as_str().is_empty() { Utf8PathBuf::from(".") } else { out }
}

/// Files held in memory, for tests and for trees that are not on disk (such as the result of an edit).
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<Utf8PathBuf, (FileId, Arc<[u8]>)>,
    sources: SourceMap,
}

impl MemoryFiles {
    /// The files with these paths and contents.
    pub fn new<P: Into<Utf8PathBuf>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        let mut all = Self::default();
        for (path, bytes) in files {
            all.insert(path.into(), bytes.into());
        }
        all
    }

    /// Adds a file, or replaces it (under a new [`FileId`]).
    pub fn insert(&mut self, path: Utf8PathBuf, bytes: Vec<u8>) {
        let path = normalize(&path);
        let id = match std::str::from_utf8(&bytes) {
            Ok(text) => self.sources.add(path.clone(), text),
            Err(_) => self.sources.add_bytes(path.clone(), &bytes),
        };
        self.files.insert(path, (id, Arc::from(bytes)));
    }

    /// The source map that the ids refer to.
    #[must_use]
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Utf8Path) -> Result<(FileId, Arc<[u8]>), FileError> {
        let path = normalize(path);
        if let Some((id, bytes)) = self.files.get(&path) {
            return Ok((*id, Arc::clone(bytes)));
        }
        match self.kind(&path) {
            Some(FileKind::Directory) => Err(FileError::IsDirectory(path)),
            _ => Err(FileError::NotFound(path)),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        let path = normalize(path);
        match self.kind(&path) {
            None => return Err(FileError::NotFound(path)),
            Some(FileKind::File) => return Err(FileError::NotDirectory(path)),
            Some(FileKind::Directory) => {}
        }
        let mut names: BTreeMap<&str, EntryKind> = BTreeMap::new();
        for file in self.files.keys() {
            let below = if path.as_str() == "." { Ok(file.as_path()) } else { file.strip_prefix(&path) };
            let Ok(below) = below else { continue };
            let mut components = below.components();
            let Some(first) = components.next() else { continue };
            let kind = if components.next().is_some() { EntryKind::Directory } else { EntryKind::File };
            names.insert(first.as_str(), kind);
        }
        Ok(names.into_iter().map(|(name, kind)| Entry { name: name.to_owned(), kind }).collect())
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        let path = normalize(path);
        if self.files.contains_key(&path) {
            return Some(FileKind::File);
        }
        let is_directory = path.as_str() == "." || self.files.keys().any(|file| file.starts_with(&path));
        is_directory.then_some(FileKind::Directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalize_resolves_by_name() {
        for (path, expected) in [
            ("a/./b/../c", "a/c"),
            ("./", "."),
            ("../x", "../x"),
            ("/../x", "/x"),
            ("a/..", "."),
            ("a/../../b", "../b"),
        ] {
            assert_eq!(normalize(Utf8Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn memory_lists_like_a_disk() {
        let files = MemoryFiles::new([("a/b.yaml", "1"), ("a/c/d.yaml", "2"), ("e", "3")]);
        let names: Vec<String> = files.list(Utf8Path::new("a")).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["b.yaml", "c"]);
        assert_eq!(files.kind(Utf8Path::new("a/c")), Some(FileKind::Directory));
        assert_eq!(files.list(Utf8Path::new("e")), Err(FileError::NotDirectory("e".into())));
    }
}
