//! The ledger on disk, and the one way in which commands change releases: locked, journaled, recorded.
//!
//! Beside the channels' manifests lie `history/` (the ledger), and, while a command is at work, a lock file and a journal. Whoever opens
//! the records first finishes what a killed run began, and says so.

mod disk;
pub(crate) mod lock;
mod seal;
mod turn;

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use camino::{Utf8Path, Utf8PathBuf};
use release::Workspace;
use rollout::{Content, Draft, Fault, Ledger, Moment, NewEntry, Recorded, is_entry_name};
use source::{EntryKind, FileError, Files as _};

pub(crate) use self::seal::Seal;
use self::turn::Writer;
pub(crate) use self::turn::{Turn, moment};
use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::session::Session;
use crate::{parallel, signature};

/// The ledger's folder, beside the manifests.
const HISTORY: &str = "history";
/// What gates' commands printed, below the ledger's folder.
const OUTPUT: &str = "output";
/// Hidden, as the journal is, so that nothing takes them for manifests.
const LOCK: &str = ".collimate-lock";
const JOURNAL: &str = ".collimate-journal";

/// How many faults of a ledger are named where a command cannot go on; `history --verify` names all.
const MOST_FAULTS: usize = 5;

/// What a command is about to do with the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Look, and finish what a killed run began.
    Read,
    /// Look and write nothing at all.
    DryRun,
    /// Look, and change it.
    Change,
}

/// The opened records of a workspace. Years of releases are not taken apart at the end: the process ends with them.
pub(crate) struct Records {
    pub(crate) session: ManuallyDrop<Session>,
    pub(crate) ledger: ManuallyDrop<Ledger>,
    /// What is wrong with the ledger; empty unless it was opened to be read.
    pub(crate) faults: Vec<Fault>,
    pub(crate) now: Moment,
    /// The folder of manifests and ledger, from the workspace's root.
    folder: Utf8PathBuf,
    writer: Writer,
}

impl Records {
    /// Opens the workspace of the current folder with its ledger. `command` and `by` are for others who find the lock or the journal.
    pub(crate) fn open(ctx: &Ctx, purpose: Purpose, command: &str, by: &str) -> Result<Self> {
        let Turn { session, now, writer } = Turn::take(ctx, purpose, command, by)?;
        let folder = folder_of(&session)?;
        let (ledger, faults) = read_ledger(&session, &folder)?;
        if purpose != Purpose::Read && !faults.is_empty() {
            let failure = Failure::untrusted(format!("the ledger `{}` is not what was written", folder.join(HISTORY)))
                .hint("`collimate history --verify` shows everything; put back the files that version control holds");
            let shown = faults.iter().take(MOST_FAULTS).map(|fault| format!("`{}`: {}", fault.name, fault.message));
            return Err(shown.fold(failure, Failure::because));
        }
        let (session, ledger) = (ManuallyDrop::new(session), ManuallyDrop::new(ledger));
        Ok(Self { session, ledger, faults, now, folder, writer })
    }

    /// The ledger of a session, for who only looks; what is wrong with it is not told. `None` where there is none.
    pub(crate) fn glance(session: &Session) -> Option<Ledger> {
        let folder = folder_of(session).ok()?;
        read_ledger(session, &folder).ok().map(|(ledger, _)| ledger).filter(|ledger| !ledger.entries().is_empty())
    }

    /// The ledger of a session, if it is whole: for who believes what it says.
    pub(crate) fn sound(session: &Session) -> Option<Ledger> {
        let folder = folder_of(session).ok()?;
        read_ledger(session, &folder).ok().filter(|(_, faults)| faults.is_empty()).map(|(ledger, _)| ledger)
    }

    /// Who changes something here.
    pub(crate) fn by(&self) -> &str {
        self.writer.by()
    }

    /// The name under which the ledger keeps a text, and the file that shall hold it.
    pub(crate) fn output(&self, text: &str) -> (rollout::Hash, Utf8PathBuf) {
        let hash = rollout::Hash::of(text.as_bytes());
        let path = self.folder.join(HISTORY).join(OUTPUT).join(format!("{hash}.txt"));
        (hash, path)
    }

    /// As [`Self::commit_sealed`], signed by nobody.
    pub(crate) fn commit(&self, texts: BTreeMap<Utf8PathBuf, String>, drafts: Vec<Draft>) -> Result<Vec<Utf8PathBuf>> {
        self.commit_sealed(texts, drafts, None)
    }

    /// Writes new texts and ledger entries together, or nothing; signatures go with the manifests that they belong to. Gives the files of
    /// entries and signatures that were written.
    pub(crate) fn commit_sealed(
        &self,
        mut texts: BTreeMap<Utf8PathBuf, String>,
        drafts: Vec<Draft>,
        seal: Option<&Seal<'_>>,
    ) -> Result<Vec<Utf8PathBuf>> {
        let entries: Vec<NewEntry> = self
            .ledger
            .append(drafts, &self.now)
            .map_err(|error| Failure::usage("this cannot be recorded in the ledger").because(error))?;
        let mut paths: Vec<Utf8PathBuf> =
            entries.iter().map(|entry| self.folder.join(HISTORY).join(&entry.name)).collect();
        let mut signatures = signature::carried(&self.session, &self.folder, &texts)?;
        if let Some(seal) = seal {
            seal.manifests(&self.session, &texts, &mut signatures);
            seal.entries(&entries, &paths, &mut signatures);
        }
        let is_kept = |(_, content): &(&Utf8PathBuf, &Content)| content.bytes().is_some();
        let kept: Vec<Utf8PathBuf> = signatures.iter().filter(is_kept).map(|(path, _)| path.clone()).collect();
        texts.extend(paths.iter().cloned().zip(entries.into_iter().map(|entry| entry.text)));
        paths.extend(kept);
        let texts = texts.into_iter().map(|(path, text)| (path, Content::Text(text)));
        self.writer.commit(&self.session, &self.now, texts.chain(signatures))?;
        Ok(paths)
    }
}

/// The folder that holds every channel's manifest: with manifests in several, there would be no one place for the history.
fn folder_of(session: &Session) -> Result<Utf8PathBuf> {
    match folders(&session.workspace).as_slice() {
        [folder] => Ok((*folder).to_owned()),
        [] => Err(no_channel()),
        several => {
            let several: Vec<String> = several.iter().map(|folder| format!("`{folder}`")).collect();
            Err(Failure::usage("the channels' manifests lie in several folders")
                .because(several.join(", "))
                .hint("put them into one: their history is kept beside them"))
        }
    }
}

/// The folders of the channels' manifests, sorted.
fn folders(workspace: &Workspace) -> Vec<&Utf8Path> {
    let channels = workspace.channels.iter();
    let mut folders: Vec<&Utf8Path> =
        channels.map(|channel| channel.release.value.parent().unwrap_or(Utf8Path::new(""))).collect();
    folders.sort();
    folders.dedup();
    folders
}

fn no_channel() -> Failure {
    Failure::usage("the workspace has no channel")
}

fn read_ledger(session: &Session, folder: &Utf8Path) -> Result<(Ledger, Vec<Fault>)> {
    let history = folder.join(HISTORY);
    let unreadable = |error: FileError| Failure::input(format!("cannot read the ledger `{history}`")).because(error);
    let listed = match session.files.list(&history) {
        Ok(listed) => listed,
        Err(FileError::NotFound(_)) => Vec::new(),
        Err(error) => return Err(unreadable(error)),
    };
    let entries: Vec<&source::Entry> =
        listed.iter().filter(|entry| entry.kind == EntryKind::File && is_entry_name(&entry.name)).collect();
    // Years of entries are thousands of files.
    let read = parallel::map(&entries, |entry| {
        Ok(Recorded::read(&entry.name, &session.files.read_once(&history.join(&entry.name))?))
    });
    let mut entries = Vec::with_capacity(read.len());
    for read in read {
        entries.push(read.map_err(|error: FileError| {
            unreadable(error).hint("put back the files that version control holds; nothing was changed")
        })?);
    }
    let (ledger, mut faults) = Ledger::of(entries);
    faults.extend(
        others(&session.files.absolute(&history))
            .into_iter()
            .map(|name| Fault { name, message: "it is no regular file, as every entry is".to_owned() }),
    );
    faults.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((ledger, faults))
}

/// What has the name of an entry and is no file, so that nobody can read it: a hold must not vanish behind a folder or a pipe.
fn others(history: &Utf8Path) -> Vec<String> {
    let Ok(entries) = history.read_dir_utf8() else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| is_entry_name(entry.file_name()))
        // Thousands are plain files, which the folder itself says of them.
        .filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| !entry.path().metadata().is_ok_and(|metadata| metadata.is_file()))
        .map(|entry| entry.file_name().to_owned())
        .collect()
}
