//! What profiles are rendered from: the configuration that goes with a release.
//!
//! A move records, for each profile that moves, one hash over these files as they were *before* it: that is the configuration which ran with the
//! release that is left. Whoever comes back to that release can see whether it is still the same. Manifests are not read by a render, and the
//! references that a move writes are taken back by its rollback, so they do not count as a change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use release::ProfileSource;
use rollout::Hash;
use source::{Entry, FileError, FileId, FileKind, Files, normalize};

use crate::disk::DiskFiles;
use crate::rendering;
use crate::session::Session;
use crate::tracked::tracked_files;

/// The files of one profile.
pub(crate) struct Inputs {
    pub(crate) profile: String,
    /// By their names as bytes, which is the order of `LC_ALL=C sort`.
    files: BTreeMap<String, Hash>,
    /// The folder of its chart: named in place of the files in it.
    chart: Option<Utf8PathBuf>,
    /// Values files of other profiles.
    foreign: BTreeSet<Utf8PathBuf>,
}

impl Inputs {
    /// One hash over names and contents: that of what `sha256sum` prints for the files in the order of their names.
    pub(crate) fn sha256(&self) -> Hash {
        let mut lines = String::new();
        for (path, hash) in &self.files {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{hash}  {path}");
        }
        Hash::of(lines.as_bytes())
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Utf8Path> {
        self.files.keys().map(Utf8Path::new)
    }

    /// The files as arguments of a command, a chart as its folder, or what lies in it where it holds files of other profiles too.
    pub(crate) fn arguments(&self) -> BTreeSet<Utf8PathBuf> {
        let is_own = |folder: &Utf8Path| !self.foreign.iter().any(|path| path.starts_with(folder));
        let whole = |path: &Utf8Path| {
            let below = self.chart.as_ref().and_then(|chart| Some((chart, path.strip_prefix(chart).ok()?)));
            let Some((chart, below)) = below else { return path.to_owned() };
            let part = below.components().next().map(|part| chart.join(part));
            [Some(chart.clone()), part]
                .into_iter()
                .flatten()
                .find(|folder| is_own(folder))
                .unwrap_or_else(|| path.to_owned())
        };
        self.paths().map(whole).collect()
    }
}

/// The files of these profiles, as the session has them.
pub(crate) fn of(session: &Session, profiles: &BTreeSet<String>) -> Vec<Inputs> {
    if profiles.is_empty() {
        return Vec::new();
    }
    let tracked = tracked_files(session.files.root());
    let declared = session.workspace.profiles.iter().filter(|profile| profiles.contains(&profile.name.value));
    declared.map(|profile| of_profile(session, profile, tracked.as_deref())).collect()
}

/// As the ledger records them.
pub(crate) fn recorded(session: &Session, profiles: &BTreeSet<String>) -> Vec<rollout::Inputs> {
    let record = |inputs: Inputs| rollout::Inputs { sha256: inputs.sha256(), profile: inputs.profile };
    of(session, profiles).into_iter().map(record).collect()
}

fn of_profile(session: &Session, profile: &release::Profile, tracked: Option<&[Utf8PathBuf]>) -> Inputs {
    let recording = Recording { files: &session.files, read: Mutex::default() };
    for mounted in rendering::read_through(session, profile, &recording) {
        match tracked {
            // A folder may hold what runs there has written; what git has is what somebody decided.
            Some(tracked) => {
                for path in tracked.iter().filter(|path| path.starts_with(&mounted)) {
                    let _ = recording.read(path);
                }
            }
            None if recording.kind(&mounted) == Some(FileKind::File) => {
                let _ = recording.read(&mounted);
            }
            None => {}
        }
    }
    let chart = match &profile.source {
        ProfileSource::Helm(source) => Some(normalize(&source.chart)),
        ProfileSource::Compose(_) | ProfileSource::Manifests(_) => None,
    };
    let mut files = recording.read.into_inner().unwrap_or_else(PoisonError::into_inner);
    let foreign = foreign_values(session, profile);
    // They lie in the chart, and are read with it; what another profile is given is not this one's configuration.
    files.retain(|path, _| !foreign.contains(Utf8Path::new(path)));
    Inputs { profile: profile.name.value.clone(), files, chart, foreign }
}

/// Values files that other profiles name, and this one does not.
fn foreign_values(session: &Session, profile: &release::Profile) -> BTreeSet<Utf8PathBuf> {
    let values = |profile: &release::Profile| -> BTreeSet<Utf8PathBuf> {
        match &profile.source {
            ProfileSource::Helm(source) => source.values.iter().map(|path| normalize(path)).collect(),
            ProfileSource::Compose(_) | ProfileSource::Manifests(_) => BTreeSet::new(),
        }
    };
    let own = values(profile);
    session.workspace.profiles.iter().flat_map(values).filter(|path| !own.contains(path)).collect()
}

/// Files that remember what was read of them. What could not be read is no input.
struct Recording<'f> {
    files: &'f DiskFiles,
    read: Mutex<BTreeMap<String, Hash>>,
}

impl Recording<'_> {
    fn note(&self, path: &Utf8Path, bytes: &[u8]) {
        let path = normalize(path);
        // Absolute where an engine made it so; the ledger must not know where a checkout lies.
        let name = path.strip_prefix(self.files.root()).unwrap_or(&path).to_string();
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Hash::of(bytes));
    }
}

impl Files for Recording<'_> {
    fn read(&self, path: &Utf8Path) -> Result<(FileId, Arc<[u8]>), FileError> {
        let (id, bytes) = self.files.read(path)?;
        self.note(path, &bytes);
        Ok((id, bytes))
    }

    fn read_text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        let (id, text) = self.files.read_text(path)?;
        self.note(path, text.as_bytes());
        Ok((id, text))
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        self.files.list(path)
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        self.files.kind(path)
    }
}
