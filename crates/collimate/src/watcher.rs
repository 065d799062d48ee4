//! Waiting for changes of files, and for the signals that end the wait.
//!
//! A folder is watched, never a file: editors replace files, and what is not there yet can only be seen to appear in its folder. What the
//! kernel could not keep track of (its queue overflowed, a folder was moved) counts as a change of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd as _;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::exit::{Failure, Result};

/// A change of a few files is over when nothing has happened for so long: whoever replaces a file writes, closes and renames at once.
const QUIET_MILLISECONDS: u8 = 3;
/// A change of more files, or of one that is still being written, is over when nothing has happened for so long: a checkout has pauses.
const LONG_QUIET_MILLISECONDS: u8 = 20;
/// Changes of more paths than this come from a program that is at work, and not from an editor, which touches a file, its copy and a file of its own.
const FEW: usize = 4;
/// Whoever writes without a pause is not waited for longer than about this.
const MOST_MILLISECONDS: u128 = 250;

/// What may change a file, or what a name stands for.
const MASK: AddWatchFlags = AddWatchFlags::IN_MODIFY
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_ATTRIB)
    .union(AddWatchFlags::IN_CREATE)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_MOVED_TO)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ONLYDIR);

/// Watched folders.
pub(crate) struct Watcher {
    inotify: Inotify,
    signals: SignalFd,
    /// A folder may be reached by several names; a change is one of all of them.
    names: BTreeMap<WatchDescriptor, BTreeSet<Utf8PathBuf>>,
    watched: BTreeSet<Utf8PathBuf>,
}

/// What has changed since it was asked last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Absolute paths of files and folders: what lies below them may be another one too.
    pub(crate) paths: BTreeSet<Utf8PathBuf>,
    /// Nobody knows what.
    pub(crate) everything: bool,
    /// Files that somebody has begun to write, as far as is known.
    unfinished: BTreeSet<Utf8PathBuf>,
}

/// The signals that end a wait.
fn ending() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals
}

/// From here on the signals that end a wait are kept for a [`Watcher`], in this thread and those it starts: to be called before there
/// are others.
pub(crate) fn hold_signals() {
    // Where that fails the signals end the process, as they do anyway.
    let _ = ending().thread_block();
}

impl Watcher {
    pub(crate) fn new() -> Result<Self> {
        let failed = |error: Errno| Failure::outside("cannot watch files").because(error.desc());
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(|error| match error {
            Errno::EMFILE => failed(error).hint("raise `fs.inotify.max_user_instances`: `sysctl` shows and sets it"),
            _ => failed(error),
        })?;
        let signals =
            SignalFd::with_flags(&ending(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(failed)?;
        Ok(Self { inotify, signals, names: BTreeMap::new(), watched: BTreeSet::new() })
    }

    /// Watches folders beside those that are watched already, and gives back which are new: what happened in them before was not seen.
    /// Absolute paths. One that is not there is passed over; the one above it must be among them, and tells when it appears.
    pub(crate) fn watch(&mut self, folders: &BTreeSet<Utf8PathBuf>) -> Result<BTreeSet<Utf8PathBuf>> {
        let mut fresh = BTreeSet::new();
        // In this order a folder comes before those in it.
        for folder in folders.difference(&self.watched) {
            match self.inotify.add_watch(folder.as_std_path(), MASK) {
                Ok(descriptor) => {
                    self.names.entry(descriptor).or_default().insert(folder.clone());
                    fresh.insert(folder.clone());
                }
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP) => {}
                Err(error) => {
                    let failure = Failure::outside(format!("cannot watch `{folder}`")).because(error.desc());
                    return Err(match error {
                        Errno::ENOSPC => {
                            failure.hint("raise `fs.inotify.max_user_watches`: `sysctl` shows and sets it")
                        }
                        _ => failure,
                    });
                }
            }
        }
        self.watched.extend(fresh.iter().cloned());
        Ok(fresh)
    }

    /// Waits until something has changed and the change is over. `None`: a signal says to end.
    pub(crate) fn wait(&mut self) -> Result<Option<Changes>> {
        let mut changes = Changes::default();
        let mut began = None;
        loop {
            let timeout = if changes.is_empty() { PollTimeout::NONE } else { PollTimeout::from(changes.quiet()) };
            let mut asked = [
                PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            let ready = match poll(&mut asked, timeout) {
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(Failure::outside("cannot wait for changes").because(error.desc())),
                Ok(ready) => ready,
            };
            if asked[1].any().unwrap_or(false) {
                return Ok(None);
            }
            if ready > 0 {
                self.read(&mut changes)?;
            }
            if changes.is_empty() {
                continue;
            }
            let began: &mut std::time::Instant = began.get_or_insert_with(std::time::Instant::now);
            if ready == 0 || began.elapsed().as_millis() > MOST_MILLISECONDS {
                self.leave(&changes);
                return Ok(Some(changes));
            }
        }
    }

    fn read(&mut self, changes: &mut Changes) -> Result<()> {
        loop {
            let events = match self.inotify.read_events() {
                Ok(events) => events,
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(Failure::outside("cannot wait for changes").because(error.desc())),
            };
            for event in events {
                let gone = AddWatchFlags::IN_IGNORED | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_UNMOUNT;
                if event.mask.intersects(gone) {
                    self.forget(event.wd, event.mask, changes);
                } else if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                    changes.everything = true;
                } else if let Some(folders) = self.names.get(&event.wd) {
                    let name = event.name.as_deref().map(|name| name.to_string_lossy());
                    for folder in folders {
                        let path = name.as_deref().map_or_else(|| folder.clone(), |name| folder.join(name));
                        changes.add(path, event.mask);
                    }
                }
            }
        }
    }

    /// Leaves the folders that may not be what stands at their names any more: of a link that leads elsewhere now, the folder it led to is still there.
    fn leave(&mut self, changes: &Changes) {
        let left: BTreeSet<Utf8PathBuf> = self.watched.iter().filter(|folder| changes.touch(folder)).cloned().collect();
        if left.is_empty() {
            return;
        }
        self.watched.retain(|folder| !left.contains(folder));
        let Self { inotify, names, .. } = self;
        names.retain(|descriptor, names| {
            names.retain(|folder| !left.contains(folder));
            if names.is_empty() {
                // Gone already if the folder is.
                let _ = inotify.rm_watch(*descriptor);
            }
            !names.is_empty()
        });
    }

    /// A folder that is gone, or has another name now.
    fn forget(&mut self, descriptor: WatchDescriptor, mask: AddWatchFlags, changes: &mut Changes) {
        if mask.contains(AddWatchFlags::IN_MOVE_SELF) {
            // Gone already if it was removed as well.
            let _ = self.inotify.rm_watch(descriptor);
        }
        for folder in self.names.remove(&descriptor).unwrap_or_default() {
            self.watched.remove(&folder);
            changes.paths.insert(folder);
        }
    }
}

impl Changes {
    /// Everything in these folders.
    pub(crate) fn below(folders: BTreeSet<Utf8PathBuf>) -> Self {
        Self { paths: folders, ..Self::default() }
    }

    fn add(&mut self, path: Utf8PathBuf, mask: AddWatchFlags) {
        if mask.intersects(AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE)
            && !mask.contains(AddWatchFlags::IN_ISDIR)
        {
            self.unfinished.insert(path.clone());
        } else if !mask.contains(AddWatchFlags::IN_ATTRIB) {
            self.unfinished.remove(&path);
        }
        self.paths.insert(path);
    }

    /// For how many milliseconds nothing must happen until they are over.
    fn quiet(&self) -> u8 {
        let is_small = self.paths.len() <= FEW && self.unfinished.is_empty() && !self.everything;
        if is_small { QUIET_MILLISECONDS } else { LONG_QUIET_MILLISECONDS }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.everything
    }

    /// Whether what stands at this absolute path may be another than before.
    pub(crate) fn touch(&self, path: &Utf8Path) -> bool {
        self.everything || path.ancestors().any(|above| self.paths.contains(above))
    }
}
