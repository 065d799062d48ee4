//! A turn at changing the workspace: nobody else changes it meanwhile, and what a killed run began is finished first.

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;
use release::Workspace;
use rollout::{Change, CommitError, Content, Journal, JournalError, Moment, Storage as _};
use source::{FileError, Files as _};

use super::disk::DiskStorage;
use super::lock::{Lock, Owner, told};
use super::{JOURNAL, LOCK, Purpose};
use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::session::Session;

/// The opened workspace, locked if it shall be changed.
pub(crate) struct Turn {
    pub(crate) session: Session,
    pub(crate) now: Moment,
    pub(crate) writer: Writer,
}

/// The one way in which files of the workspace change together. It holds the lock.
pub(crate) struct Writer {
    /// Where lock and journal stand, from the workspace's root.
    folder: Utf8PathBuf,
    command: String,
    by: String,
    _lock: Option<Lock>,
}

impl Turn {
    /// Opens the workspace of the current folder. `command` and `by` are for others who find the lock or the journal.
    pub(crate) fn take(ctx: &Ctx, purpose: Purpose, command: &str, by: &str) -> Result<Self> {
        // Only where lock and journal stand: what is read before the lock is taken may be another one's half-way state.
        let (files, name) = Session::door(ctx)?;
        let folder = folder_of(&Session::workspace(ctx, &files, &name)?)?;
        let now = moment(ctx)?;
        // Whatever stands there: a planted link is no journal, and must not wait unseen for the next change.
        let is_interrupted = files.absolute(&folder.join(JOURNAL)).symlink_metadata().is_ok();
        if is_interrupted && purpose == Purpose::DryRun {
            return Err(Failure::new(Exit::Findings, "a change that was interrupted waits to be finished")
                .hint("`collimate history` finishes it; `--dry-run` writes nothing"));
        }
        let mut held = None;
        if is_interrupted || purpose == Purpose::Change {
            let owner = Owner {
                process: std::process::id(),
                command: command.to_owned(),
                by: by.to_owned(),
                since: now.to_string(),
            };
            let (lock, stale) = Lock::take(&files.absolute(&folder.join(LOCK)), &owner)?;
            recover(ctx, &files, &folder.join(JOURNAL), stale.as_ref())?;
            held = Some(lock);
        }
        let session = Session::open(ctx)?;
        if folder_of(&session.workspace)? != folder {
            return Err(Failure::outside(format!("`{name}` was changed meanwhile")).hint("run the command again"));
        }
        let writer = Writer { folder, command: command.to_owned(), by: by.to_owned(), _lock: held };
        Ok(Self { session, now, writer })
    }
}

impl Writer {
    /// Who changes something here.
    pub(crate) fn by(&self) -> &str {
        &self.by
    }

    /// Gives files of the workspace new contents, each in the place of what `session` read: all or none.
    pub(crate) fn commit(
        &self,
        session: &Session,
        now: &Moment,
        contents: impl IntoIterator<Item = (Utf8PathBuf, Content)>,
    ) -> Result<()> {
        let mut changes = Vec::new();
        for (path, new) in contents {
            let old = match session.files.read(&path) {
                Ok((_, content)) if Some(&*content) == new.bytes() => continue,
                Ok((_, content)) => Some(rollout::Hash::of(&content)),
                Err(FileError::NotFound(_)) => None,
                Err(error) => return Err(Failure::outside("cannot change a file").because(error)),
            };
            changes.push(Change { path, old, new });
        }
        let journal = Journal::new(self.command.clone(), self.by.clone(), now.clone(), changes);
        let storage = DiskStorage::new(session.files.root());
        rollout::commit(&storage, &self.folder.join(JOURNAL), &journal).map_err(|error| {
            let failure = Failure::outside("cannot write the change").because(&error);
            match error {
                CommitError::Changed(_) => failure.hint("nothing was changed by this run; run the command again"),
                CommitError::Unchanged(_) => failure.hint("nothing was changed"),
                CommitError::Unfinished(_) => {
                    failure.hint("a part of it is written; once files can be written, `collimate history` finishes it")
                }
            }
        })
    }
}

/// The folder that lock and journal stand in: that of the channels' manifests, of several the first, so that all agree.
fn folder_of(workspace: &Workspace) -> Result<Utf8PathBuf> {
    super::folders(workspace).into_iter().next().map(Utf8Path::to_owned).ok_or_else(super::no_channel)
}

/// This second.
pub(crate) fn moment(ctx: &Ctx) -> Result<Moment> {
    let now = ctx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    now.parse().map_err(|_| Failure::outside(format!("the clock says `{now}`, which no ledger can hold")))
}

/// Finishes or undoes what a killed run began.
fn recover(ctx: &Ctx, files: &DiskFiles, journal: &Utf8Path, stale: Option<&Owner>) -> Result<()> {
    let storage = DiskStorage::new(files.root());
    let found = rollout::recover(&storage, journal).map_err(|error| unfinished(journal, &error))?;
    let of_journal = storage.remove_leftovers(journal).map_err(|error| unfinished(journal, &error.into()))?;
    let Some(recovered) = found else {
        if let Some(owner) = stale {
            ctx.say(&format!("note: {owner}, was interrupted before it changed anything\n"));
        }
        return Ok(());
    };
    let Journal { command, by, at, changes, .. } = &recovered.journal;
    let (command, by) = (told(command), told(by));
    let total = plural(changes.len(), "file");
    let rest = match recovered.written {
        0 => "all were written already".to_owned(),
        written => format!("{written} of them just now"),
    };
    let leftovers = match recovered.removed + of_journal {
        0 => String::new(),
        removed => format!("; removed {}", plural(removed, "leftover file")),
    };
    ctx.say(&format!(
        "note: finished `{command}` by {by} of {at}, which was interrupted: {total}, {rest}{leftovers}\n"
    ));
    Ok(())
}

/// Whether waiting would not help: no run of ours leaves such a thing where it wrote a file.
fn is_planted(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::IsADirectory | ErrorKind::NotADirectory)
}

fn unfinished(journal: &Utf8Path, error: &JournalError) -> Failure {
    let failure = Failure::outside("cannot finish a change that was interrupted").because(told(&error.to_string()));
    match error {
        JournalError::Storage(error) if is_planted(error) => failure.hint(format!(
            "put right what the line above names; or remove `{journal}` to leave everything as it is now"
        )),
        JournalError::Storage(_) => failure.hint("once files can be written, any run finishes it"),
        JournalError::Conflict(_) => failure.hint(format!(
            "put the file back as it was before or as `{journal}` says; or remove `{journal}` to leave everything as it is now"
        )),
        JournalError::Damaged(_) | JournalError::Outside(_) => {
            failure.hint(format!("this program did not write `{journal}`; remove it"))
        }
    }
}
