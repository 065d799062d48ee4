//! One change at a time: a lock file that names its owner.
//!
//! The lock itself is the operating system's, on the open file: it ends with the process, however that ends. So a lock file that can
//! be locked and still names an owner is what a killed run left; no process number is guessed at.
//!
//! A lock file may come with a repository: nothing but a regular file is opened, since a link would lead the owner's name into whatever
//! file it points at, and what it names is printed masked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use source::system;

use crate::exit::{Failure, Result};

/// An owner's name, command and time fit into this many times over; what is longer is not ours.
const MOST_BYTES: u64 = 64 * 1024;

/// How often the file may vanish between being opened and locked, because its owner ended: each time somebody else has gone through.
const MOST_TRIES: usize = 100;

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) process: u32,
    /// For people: `rollback stable`.
    pub(crate) command: String,
    pub(crate) by: String,
    pub(crate) since: String,
}

/// The lock, for as long as this lives.
pub(crate) struct Lock {
    path: Utf8PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock. With it comes the owner that a killed run left in the file.
    pub(crate) fn take(path: &Utf8Path, owner: &Owner) -> Result<(Self, Option<Owner>)> {
        let failed =
            |error: &io::Error| Failure::outside(format!("cannot lock `{path}`")).because(system::reason(error));
        for _ in 0..MOST_TRIES {
            if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
                return Err(Failure::outside(format!("cannot lock `{path}`"))
                    .because("it is no regular file")
                    .hint(format!("this program did not make `{path}`; remove it. Nothing was changed")));
            }
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let mut file = open.map_err(|error| failed(&error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(taken(&mut file)),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
            // The owner removes its file when it ends; a lock on a file that is gone locks out nobody.
            if !is_at(&file, path) {
                continue;
            }
            let stale = read_owner(&mut file);
            // From here on the file goes with it, also where nothing more can be written.
            let lock = Self { path: path.to_owned(), file };
            write_owner(&lock.file, owner).map_err(|error| failed(&error))?;
            return Ok((lock, stale));
        }
        Err(Failure::outside(format!("cannot lock `{path}`")).because("others keep taking it"))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked, so that it is ours that is removed. What stays behind is recognised as stale.
        let _ = fs::remove_file(&self.path);
    }
}

fn taken(file: &mut File) -> Failure {
    let owner =
        read_owner(file).map_or_else(|| "its owner has not written its name yet".to_owned(), |owner| owner.to_string());
    Failure::outside("another change is under way")
        .because(owner)
        .hint("wait for it to end, then run the command again; nothing was changed by this one")
}

fn is_at(file: &File, path: &Utf8Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(own), Ok(there)) => own.dev() == there.dev() && own.ino() == there.ino(),
        _ => false,
    }
}

fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_owner(mut file: &File, owner: &Owner) -> io::Result<()> {
    let text = serde_json::to_string(owner).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(0))?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

/// What a file says, as it may be printed: on one line, secrets and control characters masked.
pub(super) fn told(text: &str) -> String {
    source::redact(&text.replace('\n', " "))
}

impl std::fmt::Display for Owner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process, command, by, since } = self;
        write!(formatter, "`{}` by {}, process {process}, since {}", told(command), told(by), told(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(command: &str) -> Owner {
        Owner { process: 7, command: command.to_owned(), by: "me".to_owned(), since: "now".to_owned() }
    }

    #[test]
    fn one_wins_and_the_other_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("lock");
        let (first, stale) = Lock::take(&path, &owner("first")).unwrap();
        assert_eq!(stale, None);
        let refused = Lock::take(&path, &owner("second")).err().unwrap();
        assert!(refused.to_text().contains("`first` by me, process 7, since now"), "{}", refused.to_text());
        drop(first);
        assert!(!path.exists());
        Lock::take(&path, &owner("second")).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("lock");
        fs::write(&path, serde_json::to_string(&owner("killed")).unwrap()).unwrap();
        assert_eq!(Lock::take(&path, &owner("next")).unwrap().1, Some(owner("killed")));
        fs::write(&path, "not ours").unwrap();
        assert_eq!(Lock::take(&path, &owner("next")).unwrap().1, None);
    }

    #[test]
    fn a_planted_link_or_folder_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("precious"), "old").unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        for target in ["precious", "none", "folder"] {
            let path = root.join("lock");
            std::os::unix::fs::symlink(target, &path).unwrap();
            let refused = Lock::take(&path, &owner("next")).err().unwrap().to_text();
            assert!(refused.contains("it is no regular file") && refused.contains("remove it"), "{refused}");
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read_to_string(root.join("precious")).unwrap(), "old");
        assert!(!root.join("none").exists());
    }

    #[test]
    fn what_a_planted_lock_names_is_printed_masked_on_one_line() {
        let planted = Owner { by: "m\nerror: \u{1b}[31mred".to_owned(), ..owner("password=hunter2") }.to_string();
        assert!(!planted.contains(['\n', '\u{1b}']) && !planted.contains("hunter2"), "{planted}");
    }
}
