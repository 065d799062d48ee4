//! Finding what a folder deploys: Compose files and charts, made into profiles that load.
//!
//! Start with [`look`], which walks, and [`Discovery::of`], which tries what was found. The folder is anybody's: the walk is
//! bounded ([`DEEPEST`], [`MOST_ENTRIES`]), follows no linked folders, and the engines that try a file have limits of their own.

mod charts;
mod committed;
mod components;
mod compose;
mod document;
mod names;

use std::collections::{BTreeSet, VecDeque};

use alignment::{GENERATED, Undeclared};
use camino::{Utf8Path, Utf8PathBuf};
use source::{EntryKind, FileError, Files as _};

use committed::Committed;

use crate::disk::DiskFiles;
use crate::masking;

pub(crate) use committed::{Part, Uncommitted};
pub(crate) use components::Components;
pub(crate) use document::{CHANNEL, RELEASE_FILE, release_text, workspace_text};

/// Folders below the one that is looked at. Deployment files lie 2 to 5 deep; below 8 there are caches and build output.
pub(crate) const DEEPEST: usize = 8;

/// Names that are looked at in all: about a second's work, and more than any repository's own files outside `node_modules`.
const MOST_ENTRIES: usize = 200_000;

/// Folders that hold what others wrote, what a build made, or what is input of a test by Go's custom, beside hidden ones.
const SKIPPED: [&str; 4] = ["node_modules", "target", "testdata", "vendor"];

/// Folders of a chart whose files belong to it: its subcharts (rendered with it) and its templates.
const OF_A_CHART: [&str; 2] = ["charts", "templates"];

/// The file that makes a folder a chart.
const CHART_FILE: &str = "Chart.yaml";

/// What the walk came across, sorted by path.
#[derive(Default)]
pub(crate) struct Found {
    /// Files that are named as Compose files are.
    compose: Vec<Utf8PathBuf>,
    /// Folders with a `Chart.yaml`; the empty path is the folder itself.
    charts: Vec<Utf8PathBuf>,
    /// What was not looked at.
    pub(crate) left_out: Vec<LeftOut>,
}

impl Found {
    pub(crate) fn is_empty(&self) -> bool {
        self.compose.is_empty() && self.charts.is_empty()
    }
}

/// Something that is there but is in no profile.
pub(crate) struct LeftOut {
    pub(crate) path: Utf8PathBuf,
    /// A fragment; the engine's words where one refused it.
    pub(crate) reason: String,
    pub(crate) help: Option<String>,
}

impl LeftOut {
    fn new(path: impl Into<Utf8PathBuf>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), help: None }
    }
}

/// A profile that loads, as it is written into the workspace.
pub(crate) struct Draft {
    /// Such as `compose/prod`; no other draft has it.
    pub(crate) name: String,
    pub(crate) source: DraftSource,
}

/// What a draft is rendered from. Paths are relative to the folder that is looked at.
pub(crate) enum DraftSource {
    Compose {
        files: Vec<Utf8PathBuf>,
        env: Vec<Utf8PathBuf>,
        /// All env files that are read: those, or `.env` where none is named, and the services' own that must be there.
        read_env: Vec<(Utf8PathBuf, Part)>,
        /// What the project calls external, and what it needs of others: the key under `external`, and names.
        external: Vec<(&'static str, Vec<String>)>,
        /// Path patterns of what is mounted and is not there.
        generated: Vec<String>,
    },
    Helm {
        chart: Utf8PathBuf,
        values: Vec<Utf8PathBuf>,
        release_name: Option<String>,
        /// What it needs and does not render: as above.
        external: Vec<(&'static str, Vec<String>)>,
    },
}

impl DraftSource {
    /// A path of it that cannot be written into a workspace. What it declares and cannot be written either is taken out: a check finds it.
    fn unprintable(&mut self) -> Option<Utf8PathBuf> {
        let (paths, external) = match self {
            Self::Compose { files, env, external, generated, .. } => {
                generated.retain(|pattern| is_printable(pattern));
                (files.iter().chain(env.iter()).collect::<Vec<_>>(), external)
            }
            Self::Helm { chart, values, external, .. } => {
                (std::iter::once(&*chart).chain(values.iter()).collect(), external)
            }
        };
        external.iter_mut().for_each(|(_, names)| names.retain(|name| is_printable(name)));
        external.retain(|(_, names)| !names.is_empty());
        paths.into_iter().find(|path| !is_printable(path.as_str())).cloned()
    }
}

fn is_printable(text: &str) -> bool {
    source::printable(text) == text
}

/// What becomes of everything that was found.
pub(crate) struct Discovery {
    /// Compose profiles, then Helm profiles, each by path.
    pub(crate) profiles: Vec<Draft>,
    pub(crate) left_out: Vec<LeftOut>,
    /// What profiles are made from and no clone has.
    pub(crate) uncommitted: Vec<Uncommitted>,
    /// The `appVersion` that all charts have, where they agree on one.
    pub(crate) version: Option<String>,
}

impl Discovery {
    /// Loads and renders everything that was found, each in the ways that people run it. `folder` is how the caller names
    /// the folder: for commands to run.
    pub(crate) fn of(found: Found, files: &DiskFiles, folder: &Utf8Path) -> Self {
        let committed = Committed::of(files.root(), &found);
        let mut left_out = found.left_out;
        let mut candidates = compose::candidates(&found.compose, files, &committed, &mut left_out);
        let (of_charts, version) = charts::candidates(&found.charts, files, folder, &mut left_out);
        candidates.extend(of_charts);
        candidates.retain_mut(|candidate| match candidate.source.unprintable() {
            Some(path) => {
                let help = Some("rename it".to_owned());
                let reason = "its path holds a character that must not be printed, so that no workspace can name it";
                left_out.push(LeftOut { help, ..LeftOut::new(path, reason) });
                false
            }
            None => true,
        });
        let names = names::unique(candidates.iter().map(|candidate| candidate.names.as_slice()));
        let sources = candidates.into_iter().map(|candidate| candidate.source);
        let profiles: Vec<Draft> =
            names.into_iter().zip(sources).map(|(name, source)| Draft { name, source }).collect();
        left_out.sort_by(|one, other| one.path.cmp(&other.path));
        let uncommitted = committed::uncommitted(&profiles, &committed);
        Self { profiles, left_out, uncommitted, version }
    }

    /// Says of all this that it is made elsewhere. It comes sorted.
    pub(crate) fn declare(&mut self, undeclared: &BTreeSet<Undeclared>) {
        for Undeclared { profile, key, name } in undeclared.iter().filter(|undeclared| is_printable(&undeclared.name)) {
            let Some(draft) = self.profiles.iter_mut().find(|draft| draft.name == *profile) else { continue };
            let external = match &mut draft.source {
                DraftSource::Compose { generated, .. } if *key == GENERATED => {
                    generated.push(name.clone());
                    continue;
                }
                DraftSource::Compose { external, .. } | DraftSource::Helm { external, .. } => external,
            };
            match external.iter_mut().find(|(known, _)| known == key) {
                Some((_, names)) => names.push(name.clone()),
                None => external.push((key, vec![name.clone()])),
            }
        }
    }
}

/// A profile that loads and has no name yet.
struct Candidate {
    /// Names from short to certain.
    names: Vec<String>,
    source: DraftSource,
}

/// The parts of a path for a name: `deploy/api` gives `["api", "deploy-api"]`.
fn folder_names(folder: &Utf8Path) -> Vec<String> {
    let parts: Vec<String> = folder.components().map(|part| names::slug(part.as_str())).collect();
    (0..parts.len()).rev().map(|start| parts[start..].join("-")).collect()
}

/// An engine's words, without the place of this folder on this machine.
fn words(error: &dyn std::fmt::Display, files: &DiskFiles) -> String {
    masking::words(error).replace(&format!("{}/", files.root()), "")
}

/// Looks through the folder that `files` has for its root.
pub(crate) fn look(files: &DiskFiles) -> Found {
    look_at_most(MOST_ENTRIES, files)
}

fn look_at_most(most: usize, files: &DiskFiles) -> Found {
    let mut found = Found::default();
    let mut entries_seen = 0_usize;
    // Breadth first: where the bound is reached, what lies near the top has been seen.
    let mut folders = VecDeque::from([(Utf8PathBuf::new(), 0_usize)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let entries = match files.list(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                // It is named beside.
                let reason = match error {
                    FileError::Io { reason, .. } => format!("cannot be read: {reason}"),
                    error => error.to_string(),
                };
                found.left_out.push(LeftOut::new(folder, reason));
                continue;
            }
        };
        entries_seen += entries.len();
        if entries_seen > most {
            let reason = format!("the search ends after {most} files and folders");
            let help = Some("run `collimate init` in the folder that holds the deployment".to_owned());
            found.left_out.push(LeftOut { path: folder, reason, help });
            break;
        }
        let has = |name: &str| entries.iter().any(|entry| entry.kind == EntryKind::File && entry.name == name);
        if depth > 0 && has(release::WORKSPACE_FILE) {
            found.left_out.push(LeftOut::new(folder, "a workspace of its own"));
            continue;
        }
        let is_chart = has(CHART_FILE);
        if is_chart {
            found.charts.push(folder.clone());
        }
        for entry in entries {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File if compose::Role::of(&entry.name).is_some() => found.compose.push(path),
                EntryKind::File | EntryKind::BrokenLink | EntryKind::Irregular => {}
                EntryKind::Directory => {
                    let skipped = entry.name.starts_with('.')
                        || SKIPPED.contains(&entry.name.as_str())
                        || (is_chart && OF_A_CHART.contains(&entry.name.as_str()))
                        // What a link leads to is seen under its own name, or lies outside.
                        || files.absolute(&path).is_symlink();
                    if !skipped && depth < DEEPEST {
                        folders.push_back((path, depth + 1));
                    }
                }
            }
        }
    }
    found.compose.sort();
    found.charts.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_goes_so_deep() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        std::fs::create_dir_all(root.join("d/".repeat(9))).unwrap();
        for levels in [8, 9] {
            std::fs::write(root.join("d/".repeat(levels)).join("compose.yaml"), "").unwrap();
        }
        let found = look(&DiskFiles::new(root)).compose;
        assert_eq!(found, [format!("{}compose.yaml", "d/".repeat(8))]);
    }

    #[test]
    fn the_search_ends_after_so_many_names_and_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        for path in ["a/b/compose.yaml", "a/compose.yaml", "z/1", "z/2", "z/compose.yaml", "compose.yaml"] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), "").unwrap();
        }
        let look = |most| {
            let found = look_at_most(most, &DiskFiles::new(root.clone()));
            let left_out = found.left_out.iter().map(|left| format!("{}: {}", left.path, left.reason));
            (found.compose.iter().map(ToString::to_string).collect::<Vec<_>>(), left_out.collect::<Vec<_>>())
        };
        let all = ["a/b/compose.yaml", "a/compose.yaml", "compose.yaml", "z/compose.yaml"].map(str::to_owned);
        // Three names at the top, two in `a`, three in `z`, one in `a/b`.
        assert_eq!(look(9), (all.to_vec(), vec![]));
        let ended = |path: &str, most| vec![format!("{path}: the search ends after {most} files and folders")];
        assert_eq!(look(8), (all[1..].to_vec(), ended("a/b", 8)));
        assert_eq!(look(7), (all[1..3].to_vec(), ended("z", 7)));
        assert_eq!(look(2), (vec![], ended("", 2)));
    }
}
