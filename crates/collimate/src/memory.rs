//! Results, kept with all that was asked of files to come to them.
//!
//! What an engine makes depends on what it is asked for and on the answers of [`source::Files`]: it has no other door. So a kept result is as good
//! as a new one while the same questions have the same answers, and nobody needs to know which files an engine reads, which it looks for in vain
//! or which folders it lists. The questions are asked again in their order and only up to the first other answer: whoever made the result
//! anew would ask just these, so that a memory reads nothing that a look without one would not read.
//!
//! Answers name a file by its id, which stands for its text (see [`source::SourceMap`]): no text is compared, and it is all the same whether
//! it changed on disk or lies over it in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use source::{Entry, FileError, FileId, FileKind, Files};

use crate::disk::{Age, DiskFiles};

/// Results by name. Of each name the last one is kept: `R` is what was asked for under it.
pub(crate) struct Memory<K, R, V>(Mutex<Slots<K, R, V>>);

type Slots<K, R, V> = BTreeMap<K, Arc<Mutex<Slot<R, V>>>>;

struct Slot<R, V> {
    kept: Option<Kept<R, V>>,
    /// Whether anybody asked for it since [`Memory::forget_unused`].
    is_used: bool,
}

struct Kept<R, V> {
    request: R,
    asked: Vec<Asked>,
    value: V,
    /// When all that was asked was last seen to have the same answers.
    verified: Age,
}

impl<K, R, V> Default for Memory<K, R, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord, R, V: Clone> Memory<K, R, V> {
    /// What `make` makes of `request`, which may depend on that and on the files that it is given, and on nothing else. `is_same` says of an earlier
    /// request and this one whether the same is asked for. Who asks for the same name meanwhile waits.
    pub(crate) fn recall(
        &self,
        name: K,
        request: R,
        is_same: impl FnOnce(&R, &R) -> bool,
        files: &DiskFiles,
        make: impl FnOnce(&R, &dyn Files) -> V,
    ) -> V {
        let slot = Arc::clone(lock(&self.0).entry(name).or_default());
        let mut slot = lock(&slot);
        slot.is_used = true;
        let age = files.age();
        if let Some(kept) = slot.kept.as_mut().filter(|kept| is_same(&kept.request, &request))
            && (kept.verified == age || kept.asked.iter().all(|asked| asked.holds(files)))
        {
            kept.verified = age;
            return kept.value.clone();
        }
        let listening = Listening::new(files);
        let value = make(&request, &listening);
        slot.kept = Some(Kept { request, asked: listening.heard(), value: value.clone(), verified: age });
        value
    }

    /// Forgets what nobody has asked for since the last time, unless `is_kept` says otherwise, which is given the names that somebody asked for.
    pub(crate) fn forget_unused(&self, is_kept: impl Fn(&K, &BTreeSet<K>) -> bool)
    where
        K: Clone,
    {
        let mut slots = lock(&self.0);
        let used =
            slots.iter().filter(|(_, slot)| std::mem::take(&mut lock(slot).is_used)).map(|(name, _)| name.clone());
        let used: BTreeSet<K> = used.collect();
        slots.retain(|name, _| used.contains(name) || is_kept(name, &used));
    }
}

impl<R, V> Default for Slot<R, V> {
    fn default() -> Self {
        Self { kept: None, is_used: false }
    }
}

/// A panic while something was made is reported where it happened; what is kept is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A question to [`Files`], and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Bytes(Utf8PathBuf, Result<FileId, FileError>),
    Text(Utf8PathBuf, Result<FileId, FileError>),
    List(Utf8PathBuf, Result<Vec<Entry>, FileError>),
    Kind(Utf8PathBuf, Option<FileKind>),
}

impl Asked {
    /// Whether the answer is still the same.
    fn holds(&self, files: &DiskFiles) -> bool {
        match self {
            Self::Bytes(path, answer) => files.read(path).map(|(id, _)| id) == *answer,
            Self::Text(path, answer) => files.read_text(path).map(|(id, _)| id) == *answer,
            Self::List(path, answer) => files.list(path) == *answer,
            Self::Kind(path, answer) => files.kind(path) == *answer,
        }
    }
}

/// Files that remember what they were asked and what they answered, in this order.
pub(crate) struct Listening<'f> {
    files: &'f DiskFiles,
    heard: Mutex<Vec<Asked>>,
}

impl<'f> Listening<'f> {
    pub(crate) fn new(files: &'f DiskFiles) -> Self {
        Self { files, heard: Mutex::default() }
    }

    pub(crate) fn heard(self) -> Vec<Asked> {
        self.heard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, asked: Asked) {
        lock(&self.heard).push(asked);
    }
}

impl Files for Listening<'_> {
    fn read(&self, path: &Utf8Path) -> Result<(FileId, Arc<[u8]>), FileError> {
        let answer = self.files.read(path);
        self.note(Asked::Bytes(path.to_owned(), answer.as_ref().map(|(id, _)| *id).map_err(Clone::clone)));
        answer
    }

    fn read_text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        let answer = self.files.read_text(path);
        self.note(Asked::Text(path.to_owned(), answer.as_ref().map(|(id, _)| *id).map_err(Clone::clone)));
        answer
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        let answer = self.files.list(path);
        self.note(Asked::List(path.to_owned(), answer.clone()));
        answer
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        let answer = self.files.kind(path);
        self.note(Asked::Kind(path.to_owned(), answer));
        answer
    }
}
