//! The folder of a copy: generations, the link `latest`, and a hidden folder of our own for what is under way.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::disk::{self, FOLDER, PRIVATE_FOLDER};
use crate::error::{Error, Result, disk as failed};
use crate::generation::{Generation, Name};
use crate::lock::Lock;

/// Ours: lock, downloads, what is being built and what is being removed. Hidden, so that no server takes it for an export.
const STATE: &str = ".collimate-replica";
const LOCK: &str = "lock";
const DOWNLOADS: &str = "downloads";
const STAGING: &str = "staging";
const TRASH: &str = "trash";

/// The link that names the generation that counts. Concelier looks for exactly this name.
const LATEST: &str = "latest";

/// A folder that is a copy of one domain.
#[derive(Clone, Debug)]
pub struct Folder {
    root: Utf8PathBuf,
    /// As it was named, for messages.
    shown: Utf8PathBuf,
}

/// What was removed, and what would have been but for a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    pub removed: Vec<Name>,
    pub in_use: Vec<Name>,
}

/// The generations of a folder.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// Oldest first.
    pub(crate) readable: Vec<Generation>,
    /// What is named like one, and why it is none.
    pub(crate) others: Vec<(Name, String)>,
}

impl Folder {
    /// Opens a copy that is there.
    ///
    /// # Errors
    /// Where there is none, or where something else is.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::input(format!("there is no copy at `{path}`"))
                    .because("the folder does not exist")
                    .hint("`collimate mirror pull` or `collimate mirror import` makes one"));
            }
            Err(error) => return Err(failed("look at", path, &error)),
            Ok(_) => {}
        }
        let folder = Self::resolved(path)?;
        if !folder.is_ours()? {
            return Err(Error::input(format!("`{path}` is no copy of a mirror"))
                .because(format!("there is no `{STATE}` in it"))
                .hint("name the folder that `collimate mirror pull` or `collimate mirror import` made"));
        }
        Ok(folder)
    }

    /// Opens a copy, or makes an empty folder one.
    pub(crate) fn open_or_make(path: &Utf8Path) -> Result<Self> {
        match disk::new_folder(path, FOLDER) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(failed("make the folder", path, &error).hint("make the folder above it first"));
            }
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("make the folder", path, &error));
            }
            _ => {}
        }
        let folder = Self::resolved(path)?;
        if !folder.is_ours()? {
            if let Some(name) = folder.anything()? {
                return Err(Error::usage(format!("`{path}` is not empty, and is no copy of a mirror"))
                    .because(format!("`{name}` is in it"))
                    .hint("name a folder of its own; what is in this one was not touched"));
            }
            let state = folder.state();
            disk::need_folder(&state, PRIVATE_FOLDER).map_err(|error| failed("make", &state, &error))?;
        }
        Ok(folder)
    }

    fn resolved(path: &Utf8Path) -> Result<Self> {
        // A link to the folder itself is the operator's choice; below it there is none but `latest`.
        let root = path.canonicalize_utf8().map_err(|error| failed("look at", path, &error))?;
        if !root.is_dir() {
            return Err(Error::usage(format!("`{path}` is no folder")).hint("name a folder of its own for the copy"));
        }
        Ok(Self { root, shown: path.to_owned() })
    }

    fn is_ours(&self) -> Result<bool> {
        let state = self.state();
        match state.symlink_metadata() {
            Ok(there) if there.is_dir() => Ok(true),
            Ok(_) => Err(Error::input(format!("`{}` cannot be used", self.shown))
                .because(format!("its `{STATE}` is a link or a file; this program makes a folder"))
                .hint("remove it, and look who put it there")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("look at", &state, &error)),
        }
    }

    /// The first name in it that is not of another run of ours, which began at the same time.
    fn anything(&self) -> Result<Option<String>> {
        let names = self.names()?;
        if names.iter().any(|name| name == STATE) { Ok(None) } else { Ok(names.into_iter().next()) }
    }

    fn names(&self) -> Result<Vec<String>> {
        let list = || -> std::io::Result<Vec<String>> {
            let entries = fs::read_dir(&self.root)?;
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        };
        let mut names = list().map_err(|error| failed("list", &self.shown, &error))?;
        names.sort();
        Ok(names)
    }

    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// As it was named.
    #[must_use]
    pub fn shown(&self) -> &Utf8Path {
        &self.shown
    }

    fn state(&self) -> Utf8PathBuf {
        self.root.join(STATE)
    }

    pub(crate) fn downloads(&self) -> Utf8PathBuf {
        self.state().join(DOWNLOADS)
    }

    /// Keeps other runs away, and removes what killed ones left.
    pub(crate) fn lock(
        &self,
        command: &str,
        now: Timestamp,
        patience: Duration,
        say: &mut dyn FnMut(&str),
    ) -> Result<Lock> {
        let lock = Lock::take(&self.state().join(LOCK), command, now, patience, say)?;
        for name in [STAGING, TRASH] {
            let path = self.state().join(name);
            disk::remove_all(&path).map_err(|error| failed("remove", &path, &error))?;
        }
        Ok(lock)
    }

    /// The folder of a git repository that it lies in.
    #[must_use]
    pub fn git(&self) -> Option<&Utf8Path> {
        self.root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok())
    }

    /// An empty folder to build a generation in. Only under the lock, and one at a time.
    pub(crate) fn staging(&self) -> Result<Utf8PathBuf> {
        let path = self.state().join(STAGING);
        disk::new_folder(&path, FOLDER).map_err(|error| failed("make", &path, &error))?;
        Ok(path)
    }

    /// Removes what was built and not used.
    pub(crate) fn clear_staging(&self) {
        // What stays is removed by the next run.
        let _ = disk::remove_all(&self.state().join(STAGING));
    }

    pub(crate) fn generations(&self) -> Result<Generations> {
        let mut generations = Generations::default();
        for name in self.names()?.iter().filter_map(|name| name.parse::<Name>().ok()) {
            match Generation::read(&self.root, &name) {
                Ok(generation) => generations.readable.push(generation),
                Err(why) => generations.others.push((name, why)),
            }
        }
        Ok(generations)
    }

    /// What `latest` names.
    pub(crate) fn latest(&self) -> Result<Option<Name>> {
        let path = self.root.join(LATEST);
        let shown = self.shown.join(LATEST);
        let refused = |why: String| {
            Error::input(format!("`{shown}` cannot be used"))
                .because(why)
                .hint("this program did not make it; remove it, and look who put it there")
        };
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("look at", &shown, &error)),
            Ok(there) if !there.is_symlink() => return Err(refused("it is no link".to_owned())),
            Ok(_) => {}
        }
        let target = fs::read_link(&path).map_err(|error| failed("look at", &shown, &error))?;
        let target = target.to_string_lossy();
        match target.parse::<Name>() {
            Ok(name) => Ok(Some(name)),
            Err(_) => {
                Err(refused(format!("it leads to `{}`, which is no generation", crate::error::printable(&target))))
            }
        }
    }

    /// A generation that was asked for by name, or what `latest` names.
    ///
    /// # Errors
    /// Where there is none, or where it cannot be read.
    pub fn generation(&self, name: Option<&Name>) -> Result<Generation> {
        let name = match name {
            Some(name) => name.clone(),
            None => self.latest()?.ok_or_else(|| {
                Error::input(format!("`{}` has no generation yet", self.shown))
                    .hint("`collimate mirror pull` or `collimate mirror import` brings the first")
            })?,
        };
        Generation::read(&self.root, &name).map_err(|why| {
            Error::input(format!("the generation `{name}` of `{}` cannot be used", self.shown)).because(why)
        })
    }

    /// What counts now: what `latest` names, or the newest where somebody removed the link.
    pub(crate) fn current(&self) -> Result<Option<Generation>> {
        match self.latest()? {
            // A link that leads nowhere is one whose generation somebody removed.
            Some(name) if self.root.join(name.as_str()).symlink_metadata().is_err() => {
                Ok(self.generations()?.readable.pop())
            }
            Some(name) => match Generation::read(&self.root, &name) {
                Ok(generation) => Ok(Some(generation)),
                Err(why) => Err(Error::input(format!("the generation `{name}` of `{}` cannot be used", self.shown))
                    .because(why)
                    .hint(format!("point `{LATEST}` at another generation, or remove the link; then run this again"))),
            },
            None => Ok(self.generations()?.readable.pop()),
        }
    }

    /// Gives a built generation its name.
    pub(crate) fn place(&self, staging: &Utf8Path, name: &Name) -> Result<()> {
        let path = self.root.join(name.as_str());
        let placed = match path.symlink_metadata() {
            // Of the same name, and damaged, or it would have been used. `latest` may name it, so that they change places in one step; what
            // was there is removed with the rest of the staging.
            Ok(_) => disk::exchange(staging, &path),
            Err(_) => fs::rename(staging, &path),
        };
        placed.map_err(|error| failed("make", &path, &error))?;
        disk::sync_folder(&self.root).map_err(|error| failed("sync", &self.shown, &error))
    }

    /// Makes `latest` name this generation: the moment that readers see.
    pub(crate) fn switch(&self, name: &Name) -> Result<()> {
        let path = self.root.join(LATEST);
        let temporary = self.state().join(LATEST);
        let renamed = disk::remove(&temporary)
            .and_then(|()| std::os::unix::fs::symlink(name.as_str(), &temporary))
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| disk::sync_folder(&self.root));
        renamed.map_err(|error| failed("switch", &self.shown.join(LATEST), &error))
    }

    /// Removes the oldest generations, so that `keep` are left. What `latest` or another link names stays, and so does what is being read.
    pub(crate) fn prune(&self, keep: usize) -> Result<Pruned> {
        let mut generations = self.generations()?.readable;
        let linked = self.linked()?;
        let mut pruned = Pruned::default();
        let surplus = generations.len().saturating_sub(keep);
        generations.truncate(surplus);
        for generation in generations {
            let name = generation.name.clone();
            if self.latest()?.as_ref() == Some(&name) {
                continue;
            }
            if linked.contains(name.as_str()) || generation.is_held() {
                pruned.in_use.push(name);
                continue;
            }
            self.discard(&name)?;
            pruned.removed.push(name);
        }
        Ok(pruned)
    }

    /// Takes a generation out of sight in one step, and then apart.
    fn discard(&self, name: &Name) -> Result<()> {
        let path = self.root.join(name.as_str());
        let trash = self.state().join(TRASH);
        let removed =
            disk::remove_all(&trash).and_then(|()| fs::rename(&path, &trash)).and_then(|()| disk::remove_all(&trash));
        removed.map_err(|error| failed("remove", &self.shown.join(name.as_str()), &error))
    }

    /// What links of the folder lead to: an operator who pins a generation does it so.
    fn linked(&self) -> Result<BTreeSet<String>> {
        let target = |name: &String| {
            let target = fs::read_link(self.root.join(name)).ok()?;
            let target = target.to_string_lossy();
            let target = target.trim_end_matches('/');
            Some(target.rsplit('/').next().unwrap_or(target).to_owned())
        };
        Ok(self.names()?.iter().filter_map(target).collect())
    }
}

/// Says what is odd about a folder without being wrong.
pub(crate) fn oddities(folder: &Folder) -> Result<Vec<String>> {
    let mut odd = Vec::new();
    if let Some(git) = folder.git() {
        odd.push(format!("`{}` lies in the git repository `{git}`; keep it out of commits", folder.shown));
    }
    for (name, why) in folder.generations()?.others {
        odd.push(format!("`{}` is left alone: {why}", folder.shown.join(name.as_str())));
    }
    Ok(odd)
}

impl std::fmt::Display for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_gone_with_the_next_lock() {
        let room = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_make(&Utf8Path::from_path(room.path()).unwrap().join("copy")).unwrap();
        for name in [STAGING, TRASH] {
            fs::create_dir_all(folder.state().join(name).join("mirror")).unwrap();
        }
        let _lock = folder.lock("pull", Timestamp::UNIX_EPOCH, Duration::ZERO, &mut |_| {}).unwrap();
        assert_eq!(fs::read_dir(folder.state()).unwrap().count(), 1, "the lock alone");
    }

    #[test]
    fn first_runs_that_begin_together_open_the_same_copy() {
        let room = tempfile::tempdir().unwrap();
        let room = Utf8Path::from_path(room.path()).unwrap();
        for round in 0..200 {
            let path = room.join(format!("{round}"));
            let gate = std::sync::Barrier::new(4);
            let opened = std::thread::scope(|scope| {
                let open = || {
                    gate.wait();
                    Folder::open_or_make(&path).map(drop)
                };
                let runs: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
                runs.into_iter().map(|run| run.join().unwrap()).collect::<Result<Vec<()>>>()
            });
            assert!(opened.is_ok(), "{opened:?}");
        }
        std::fs::write(room.join("file"), "").unwrap();
        assert!(Folder::open_or_make(room).is_err(), "it is of somebody else");
    }
}
