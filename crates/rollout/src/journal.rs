//! A change of several files that is made whole or not at all, wherever it is interrupted.
//!
//! The whole change is written to one file first, the journal, and renamed into place: that is the moment from which on it counts.
//! Whoever comes next finds either no journal, and nothing has happened, or the journal, and finishes what it says. Nothing
//! is ever taken back half-way, so there is only one way to recover, and doing it twice does no harm.

mod bounded;

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{Hash, Moment};

/// The only version of the format so far.
const SCHEMA: u32 = 1;

/// A change of a few dozen profiles and manifests has some megabytes. One journal is in memory twice, as it is and as it is read.
pub const MOST_JOURNAL_BYTES: usize = 64 * 1024 * 1024;

/// Files of one change: two hundred profiles of thirty files each are fewer.
const MOST_CHANGES: usize = 10_000;

/// Where files are, as a journal needs it. Paths are relative to the workspace.
pub trait Storage {
    /// The content of a file; `None` where there is none.
    ///
    /// # Errors
    /// Anything but its absence.
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>>;

    /// Gives every file its new content: each is old or new at any time, and none is new while another cannot be prepared, or is no
    /// longer what the new content was made from.
    ///
    /// # Errors
    /// A file that cannot be written, or was changed. Some may be new already.
    fn replace_all(&self, files: &[Write<'_>]) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// A file that is there and cannot be removed.
    fn remove(&self, path: &Utf8Path) -> io::Result<()>;

    /// Removes what killed runs left beside a file while they prepared it, and says how many files these were.
    ///
    /// # Errors
    /// A file that cannot be removed.
    fn remove_leftovers(&self, path: &Utf8Path) -> io::Result<usize>;
}

/// One file and what it shall hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write<'a> {
    pub path: &'a Utf8Path,
    pub content: &'a [u8],
    /// What it must hold until then. An editor asks for no lock, so this is looked at last, when all else is prepared.
    pub old: Before<'a>,
}

/// What a file holds before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before<'a> {
    Whatever,
    /// It is not there.
    Nothing,
    Content(&'a Hash),
}

impl Before<'_> {
    /// Whether this is what is there now.
    #[must_use]
    pub fn is(self, now: Option<&[u8]>) -> bool {
        match self {
            Self::Whatever => true,
            Self::Nothing => now.is_none(),
            Self::Content(hash) => now.is_some_and(|content| Hash::of(content) == *hash),
        }
    }
}

/// One file of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub path: Utf8PathBuf,
    /// The hash of what it held when the change was planned; `None`: it was not there.
    pub old: Option<Hash>,
    /// What it shall hold.
    pub new: Content,
}

/// What a file shall hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    /// Such as a signature.
    Bytes(Vec<u8>),
    /// There shall be no such file.
    Nothing,
}

impl Content {
    /// The bytes; `None` where the file shall go.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            Self::Nothing => None,
        }
    }
}

/// A change, with what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    schema: u32,
    /// For people: `rollback stable`.
    pub command: String,
    pub by: String,
    pub at: Moment,
    #[serde(deserialize_with = "bounded::changes")]
    pub changes: Vec<Change>,
}

/// Why a change was not made, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody wrote to a file since the change was planned. Nothing was changed.
    #[error("`{0}` was changed meanwhile")]
    Changed(Utf8PathBuf),
    /// Nothing was changed.
    #[error(transparent)]
    Unchanged(io::Error),
    /// The journal stands; the next run finishes.
    #[error(transparent)]
    Unfinished(io::Error),
}

/// Why a journal that was found cannot be finished.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Storage(#[from] io::Error),
    #[error("it is no journal of this program: {0}")]
    Damaged(String),
    #[error("it names `{0}`, which no change of ours touches")]
    Outside(Utf8PathBuf),
    /// A file holds neither what it held before nor what it shall hold.
    #[error("`{0}` was changed since by somebody else")]
    Conflict(Utf8PathBuf),
}

/// What a recovery did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub journal: Journal,
    /// How many files still had to be written.
    pub written: usize,
    /// How many files of killed runs lay beside those of the change.
    pub removed: usize,
}

impl Journal {
    #[must_use]
    pub fn new(command: String, by: String, at: Moment, changes: Vec<Change>) -> Self {
        Self { schema: SCHEMA, command, by, at, changes }
    }

    fn parse(bytes: &[u8], at: &Utf8Path) -> Result<Self, JournalError> {
        let journal: Self = serde_json::from_slice(bytes).map_err(|error| JournalError::Damaged(error.to_string()))?;
        if journal.schema != SCHEMA {
            return Err(JournalError::Damaged(format!("its schema is {}, not {SCHEMA}", journal.schema)));
        }
        if let Some(change) = journal.changes.iter().find(|change| !is_ours(change, at)) {
            return Err(JournalError::Outside(change.path.clone()));
        }
        let mut paths = BTreeSet::new();
        match journal.changes.iter().find(|change| !paths.insert(&change.path)) {
            Some(change) => Err(JournalError::Damaged(format!("it names `{}` twice", change.path))),
            None => Ok(journal),
        }
    }

    fn to_json(&self) -> String {
        // Texts only: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// What a file that a change of ours removes is called: the signature of what is there no longer.
const REMOVED: [&str; 2] = ["sig", "minisig"];

/// Where version control keeps what it runs and trusts: the one part of a checkout that did not come with the repository.
const VERSION_CONTROL: [&str; 6] = [".git", ".hg", ".svn", ".jj", ".bzr", "_darcs"];

/// Whether a change of ours could be this one: below the workspace, and of what is hidden only files that are there, such as `.env`. New
/// files are made beside the journal only, where archive and ledger are; elsewhere a file that nobody expects could be run or trusted. Only
/// signatures are removed, there.
fn is_ours(change: &Change, at: &Utf8Path) -> bool {
    let path = &change.path;
    let plain = |component: Utf8Component<'_>| match component {
        Utf8Component::Normal(name) => {
            !VERSION_CONTROL.iter().any(|kept| name.eq_ignore_ascii_case(kept)) && !name.starts_with(".collimate-")
        }
        _ => false,
    };
    let visible = |component: Utf8Component<'_>| !component.as_str().starts_with('.');
    let is_beside = || {
        let below = at.parent().and_then(|folder| path.strip_prefix(folder).ok());
        below.is_some_and(|below| below.components().all(visible))
    };
    let is_signature = path.extension().is_some_and(|extension| REMOVED.contains(&extension));
    let may_be = match (&change.old, &change.new) {
        (_, Content::Nothing) => is_signature && is_beside(),
        (Some(_), _) => true,
        (None, _) => is_beside(),
    };
    path.file_name().is_some() && path.components().all(plain) && may_be
}

/// Makes a change. `at` is where its journal stands meanwhile.
///
/// # Errors
/// [`CommitError`] says whether something was changed.
pub fn commit(storage: &dyn Storage, at: &Utf8Path, journal: &Journal) -> Result<(), CommitError> {
    for change in &journal.changes {
        let now = storage.read(&change.path).map_err(CommitError::Unchanged)?;
        if now.map(|content| Hash::of(&content)) != change.old {
            return Err(CommitError::Changed(change.path.clone()));
        }
    }
    if let Some(change) = journal.changes.iter().find(|change| !is_ours(change, at)) {
        // Nobody could finish it.
        let reason = format!("`{}` lies where no change is made", change.path);
        return Err(CommitError::Unchanged(io::Error::new(io::ErrorKind::InvalidInput, reason)));
    }
    let text = journal.to_json();
    if journal.changes.len() > MOST_CHANGES || text.len() > MOST_JOURNAL_BYTES {
        let (files, bytes) = (journal.changes.len(), text.len());
        let reason = format!(
            "it is a change of {files} files and {bytes} bytes; one has at most {MOST_CHANGES} and {MOST_JOURNAL_BYTES}"
        );
        return Err(CommitError::Unchanged(io::Error::new(io::ErrorKind::FileTooLarge, reason)));
    }
    let own = Write { path: at, content: text.as_bytes(), old: Before::Nothing };
    storage.replace_all(&[own]).map_err(CommitError::Unchanged)?;
    if let Err(error) = make(storage, &journal.changes) {
        // A full disk, a read-only folder or an edit made meanwhile shows before the first rename; then the change can still be called off.
        let now = |change: &Change| storage.read(&change.path);
        let is_untouched = |change: &Change| now(change).is_ok_and(|now| now.as_deref() != change.new.bytes());
        if journal.changes.iter().all(is_untouched) && storage.remove(at).is_ok() {
            let is_old = |change: &Change| now(change).is_ok_and(|now| before(change).is(now.as_deref()));
            return Err(match journal.changes.iter().find(|change| !is_old(change)) {
                Some(edited) => CommitError::Changed(edited.path.clone()),
                None => CommitError::Unchanged(error),
            });
        }
        return Err(CommitError::Unfinished(error));
    }
    storage.remove(at).map_err(CommitError::Unfinished)
}

/// Finishes the change whose journal stands at `at`; `None` where none does.
///
/// # Errors
/// Nothing is written where a file was changed by somebody else, or the journal is not one.
pub fn recover(storage: &dyn Storage, at: &Utf8Path) -> Result<Option<Recovered>, JournalError> {
    let Some(bytes) = storage.read(at)? else { return Ok(None) };
    let journal = Journal::parse(&bytes, at)?;
    let mut open = Vec::new();
    for change in &journal.changes {
        let now = storage.read(&change.path)?.map(|content| Hash::of(&content));
        if now == change.new.bytes().map(Hash::of) {
            continue;
        }
        if now != change.old {
            return Err(JournalError::Conflict(change.path.clone()));
        }
        open.push(change.clone());
    }
    make(storage, &open)?;
    // Once the journal has gone, nothing tells any more beside which files to look.
    let mut removed = 0;
    for change in &journal.changes {
        removed += storage.remove_leftovers(&change.path)?;
    }
    storage.remove(at)?;
    Ok(Some(Recovered { written: open.len(), removed, journal }))
}

fn before(change: &Change) -> Before<'_> {
    change.old.as_ref().map_or(Before::Nothing, Before::Content)
}

/// Writes what shall be there, then removes what shall not.
fn make(storage: &dyn Storage, changes: &[Change]) -> io::Result<()> {
    let mut writes = Vec::new();
    for change in changes {
        let Some(content) = change.new.bytes() else { continue };
        writes.push(Write { path: &change.path, content, old: before(change) });
    }
    storage.replace_all(&writes)?;
    changes.iter().filter(|change| change.new == Content::Nothing).try_for_each(|change| storage.remove(&change.path))
}

#[cfg(test)]
mod tests;
