//! One run at a time: a lock file that names its owner.
//!
//! The lock itself is the operating system's, on the open file: it ends with the process, however that ends. The file stays; what it
//! says counts only while it is locked.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use jiff::Timestamp;
use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use crate::disk::PRIVATE_FILE;
use crate::error::{Error, Result, disk, printable};
use crate::limits::MOST_STATE_BYTES;

/// How often a taken lock is asked for again.
const POLL: Duration = Duration::from_millis(50);

#[derive(Serialize, Deserialize)]
struct Owner {
    process: u32,
    /// For people: `pull`.
    command: String,
    since: String,
}

/// The lock, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing it is what ends the lock")] File);

impl Lock {
    /// Takes the lock, waiting up to `patience` for another run, and saying so.
    pub(crate) fn take(
        path: &Utf8Path,
        command: &str,
        now: Timestamp,
        patience: Duration,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let mut file =
            options.custom_flags(flags.bits()).open(path).map_err(|error| disk("open the lock", path, &error))?;
        let start = Instant::now();
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(disk("lock", path, &error)),
            }
            let owner = owner(&mut file);
            if start.elapsed() >= patience {
                return Err(Error::outside("another run is at work on this folder")
                    .because(owner)
                    .hint("wait for it to end, or wait longer with `--wait`; nothing was changed by this one"));
            }
            if !said {
                say(&format!("waiting for another run: {owner}"));
                said = true;
            }
            std::thread::sleep(POLL);
        }
        let owner = Owner { process: std::process::id(), command: command.to_owned(), since: now.to_string() };
        let text = serde_json::to_string(&owner).unwrap_or_default();
        let written =
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).and_then(|_| file.write_all(text.as_bytes()));
        written.map_err(|error| disk("write the lock", path, &error))?;
        Ok(Self(file))
    }
}

/// Who holds it, in words.
fn owner(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(MOST_STATE_BYTES).read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Owner>(&text).ok()) {
        Some(Owner { process, command, since }) => {
            format!("`{}`, process {process}, since {}", printable(&command), printable(&since))
        }
        None => "its owner has not written its name yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file may be anybody's: of what it says, so much is read.
    #[test]
    fn an_owner_has_a_short_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("lock");
        let text = r#"{"process":7,"command":"pull","since":"2025-10-01T06:00:00Z"}"#;
        let refused = |length: usize| {
            std::fs::write(&path, " ".repeat(length - text.len()) + text).unwrap();
            let holder = File::open(&path).unwrap();
            holder.lock().unwrap();
            let error =
                Lock::take(&path, "import", Timestamp::UNIX_EPOCH, Duration::ZERO, &mut |_| panic!()).unwrap_err();
            assert_eq!(error.message(), "another run is at work on this folder");
            error.causes().to_vec()
        };
        assert_eq!(refused(64 * 1024), ["`pull`, process 7, since 2025-10-01T06:00:00Z"]);
        assert_eq!(refused(64 * 1024 + 1), ["its owner has not written its name yet"]);
    }
}
