//! An htpasswd file on disk: read, locked, and replaced whole.
//!
//! Threats, and the answer to each:
//! - *A link that was put where the file belongs*: it is followed only to a file of the same folder (as in a folder that Kubernetes
//!   made, where every name is a link into `..data`); one that leads elsewhere is refused, for reading and for writing.
//! - *Hashes that others can read*: the new file has the owner and group of the old one, and a mode no wider than 0640, before the
//!   first byte is written. A new file gets the group of its folder.
//! - *Half a file, or two editors at once*: the new content is written and synced beside the file and renamed over it, under a lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};

use camino::{Utf8Path, Utf8PathBuf};
use mirror::htpasswd::MOST_FILE_BYTES;
use source::system;

use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::records::lock::{Lock, Owner};
use crate::write;

/// The verifier, which runs as another user, reads it by its group.
const MODE: u32 = 0o640;

/// Beside the file, hidden from what looks for `*.htpasswd`.
const LOCK: &str = ".collimate-lock";

/// Where a domain's tenants are kept.
pub(super) struct Store {
    /// As it is shown, and as it was named.
    shown: Utf8PathBuf,
    /// What is read and replaced: behind the link, if it is one.
    target: Utf8PathBuf,
    folder: Utf8PathBuf,
}

impl Store {
    /// The file at `path`, which need not be there yet; its folder must be. `shown` is how messages name it.
    pub(super) fn open(path: &Utf8Path, shown: Utf8PathBuf) -> Result<Self> {
        let unusable = |cause: &str| Failure::input(format!("cannot use `{shown}`")).because(cause);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(unusable("it has no file name"));
        };
        let folder = folder.canonicalize_utf8().map_err(|error| {
            let shown_folder =
                shown.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
            let failure = Failure::input(format!("cannot use `{shown}`"));
            match error.kind() {
                io::ErrorKind::NotFound => failure
                    .because(format!("its folder `{shown_folder}` does not exist"))
                    .hint("make the folder that the verifier mounts, or name another file with `--file`"),
                _ => failure.because(system::reason(&error)),
            }
        })?;
        let there = folder.join(name);
        let Ok(kind) = there.symlink_metadata() else {
            return Ok(Self { target: there, folder, shown });
        };
        let target = if kind.is_symlink() {
            let target = there.canonicalize_utf8().map_err(|_| unusable("it is a link that leads nowhere"))?;
            if !target.starts_with(&folder) {
                return Err(unusable("it is a link that leads out of its folder").hint(
                    "name the file that is meant with `--file`; the verifier mounts the folder, and would not see it",
                ));
            }
            target
        } else {
            there
        };
        if !target.is_file() {
            return Err(unusable("it is not a regular file"));
        }
        Ok(Self { target, folder, shown })
    }

    pub(super) fn shown(&self) -> &Utf8Path {
        &self.shown
    }

    /// Keeps every other run of this program from changing files of this folder, for as long as the lock lives.
    pub(super) fn lock(&self, command: &str, ctx: &Ctx) -> Result<Lock> {
        let owner = Owner {
            process: std::process::id(),
            command: command.to_owned(),
            by: ctx.environment().get("USER").cloned().unwrap_or_else(|| "somebody".to_owned()),
            since: ctx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        let (lock, stale) = Lock::take(&self.folder.join(LOCK), &owner)?;
        if stale.is_some() {
            // Only who holds the lock writes: what lies there is of the run that was killed.
            write::remove_leftovers(&self.target).map_err(|error| {
                Failure::outside("cannot remove what a killed run left").because(system::reason(&error))
            })?;
        }
        Ok(lock)
    }

    /// What the file holds, if it is there.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>> {
        let failed =
            |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{}`", self.shown)).because(cause);
        let file = match File::open(&self.target) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&system::reason(&error))),
        };
        let mut bytes = Vec::new();
        file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(&system::reason(&error)))?;
        if bytes.len() as u64 > MOST_FILE_BYTES {
            return Err(failed(&format!("it has more than {} MiB", MOST_FILE_BYTES >> 20)));
        }
        Ok(Some(bytes))
    }

    /// Replaces the file. What the operator should know of it comes back as warnings.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<Vec<String>> {
        if bytes.len() as u64 > MOST_FILE_BYTES {
            // Nobody of the domain would be let in any more.
            return Err(Failure::input(format!("cannot write `{}`", self.shown)).because(format!(
                "it would have more than {} MiB, which the verifier does not read",
                MOST_FILE_BYTES >> 20
            )));
        }
        self.try_replace(bytes)
            .map_err(|error| Failure::outside(format!("cannot write `{}`", self.shown)).because(system::reason(&error)))
    }

    fn try_replace(&self, bytes: &[u8]) -> io::Result<Vec<String>> {
        let mut warnings = Vec::new();
        // Behind a link the folder is another one: the rename must stay within it.
        let folder = self.target.parent().unwrap_or(&self.folder);
        let name = self.target.file_name().unwrap_or("htpasswd");
        let temporary = folder.join(format!(".collimate-{name}-{}", std::process::id()));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let written = (|| {
            self.give(&file, folder, &mut warnings)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &self.target)
        })();
        written.inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
        // So that a power cut cannot bring back a tenant that was removed. Some file systems cannot do this for a folder.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(warnings)
    }

    /// Owner, group and mode, before anything is in it.
    fn give(&self, file: &File, folder: &Utf8Path, warnings: &mut Vec<String>) -> io::Result<()> {
        let own = file.metadata()?;
        let (uid, gid, mode) = match self.target.metadata() {
            Ok(old) => {
                let mode = old.permissions().mode() & 0o7777;
                if mode & !MODE != 0 {
                    warnings.push(format!(
                        "`{}` had mode {mode:04o} and has {:04o} now: hashes are for its owner and group",
                        self.shown,
                        mode & MODE
                    ));
                }
                (old.uid(), old.gid(), mode & MODE)
            }
            Err(_) => (own.uid(), folder.metadata()?.gid(), MODE),
        };
        let changed = |own: u32, wanted: u32| (own != wanted).then_some(wanted);
        if let Some(uid) = changed(own.uid(), uid)
            && fchown(file, Some(uid), None).is_err()
        {
            warnings.push(format!("`{}` belonged to user {uid} and belongs to user {} now", self.shown, own.uid()));
        }
        if let Some(gid) = changed(own.gid(), gid)
            && fchown(file, None, Some(gid)).is_err()
        {
            warnings.push(format!(
                "`{}` should have group {gid} and has group {}: check that the verifier can read it",
                self.shown,
                own.gid()
            ));
        }
        file.set_permissions(fs::Permissions::from_mode(mode))
    }
}
