//! Which of the files that are found a clone has: what git ignores is on this machine alone.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::{CHART_FILE, Draft, DraftSource, Found};
use crate::tracked::tracked_files;

/// The files that git has below the folder that is looked at.
pub(super) struct Committed {
    root: Utf8PathBuf,
    /// `None` where nothing can be told: there is no repository, or git has none of what is deployed, because all of it is new.
    paths: Option<BTreeSet<Utf8PathBuf>>,
}

impl Committed {
    pub(super) fn of(root: &Utf8Path, found: &Found) -> Self {
        let paths: Option<BTreeSet<Utf8PathBuf>> = tracked_files(root).map(|paths| paths.into_iter().collect());
        let paths = paths.filter(|paths| {
            let charts = found.charts.iter().map(|chart| chart.join(CHART_FILE));
            found.compose.iter().cloned().chain(charts).any(|path| paths.contains(&path))
        });
        Self { root: root.to_owned(), paths }
    }

    /// Whether a clone has it, as far as can be told: what lies in a repository of its own, such as a submodule, is in the index of that one.
    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        let is_elsewhere = || {
            let mut folders = path.ancestors().skip(1).filter(|folder| !folder.as_str().is_empty());
            folders.any(|folder| self.root.join(folder).join(".git").exists())
        };
        self.paths.as_ref().is_none_or(|paths| paths.contains(path) || is_elsewhere())
    }
}

/// A file that profiles are made from and no clone has.
pub(crate) struct Uncommitted {
    pub(crate) path: Utf8PathBuf,
    pub(crate) part: Part,
    /// Names of the profiles, in their order.
    pub(crate) profiles: Vec<String>,
}

/// What a file is to a profile.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// The profile names it: a Compose file or values.
    Named,
    /// Its values stand in for variables; those of an example may too.
    Variables,
    /// A service is given it, and Compose asks for it by this name.
    OfService,
}

/// All of them, each once, by path.
pub(super) fn uncommitted(profiles: &[Draft], committed: &Committed) -> Vec<Uncommitted> {
    let mut found: BTreeMap<&Utf8Path, Uncommitted> = BTreeMap::new();
    for draft in profiles {
        let (named, read): (_, &[(Utf8PathBuf, Part)]) = match &draft.source {
            DraftSource::Compose { files, read_env, .. } => (files, read_env),
            DraftSource::Helm { values, .. } => (values, &[]),
        };
        // A service's file comes first: its name cannot be another.
        let named = named.iter().map(|path| (path, Part::Named));
        let paths = read.iter().map(|(path, part)| (path, *part)).chain(named);
        for (path, part) in paths.filter(|(path, _)| !committed.has(path)) {
            let entry = Uncommitted { path: path.clone(), part, profiles: Vec::new() };
            let profiles = &mut found.entry(path).or_insert(entry).profiles;
            if profiles.last() != Some(&draft.name) {
                profiles.push(draft.name.clone());
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_submodule_has_files_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let write = |path: &str| {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), "").unwrap();
        };
        write("compose.yaml");
        for arguments in [&["init", "-q"][..], &["add", "."]] {
            assert!(Command::new("git").args(arguments).current_dir(root).output().unwrap().status.success());
        }
        ["a/compose.yaml", "sub/.git", "sub/a/.env"].into_iter().for_each(write);
        let found = |path: &str| Found { compose: vec![path.into()], ..Found::default() };
        let has = |found: &Found, path: &str| Committed::of(root, found).has(Utf8Path::new(path));
        let paths = ["compose.yaml", "a/compose.yaml", "sub/a/.env"];
        assert_eq!(paths.map(|path| has(&found("compose.yaml"), path)), [true, false, true]);
        // Nothing of what is deployed is there yet: all of it is new.
        assert!(has(&found("a/compose.yaml"), "a/compose.yaml"));
    }
}
