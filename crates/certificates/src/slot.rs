//! A folder whose files change together, as Kubernetes does it with a mounted Secret.
//!
//! ```text
//! collector/..data        -> ..4f1c2b…          what is read; replaced by one rename
//! collector/..4f1c2b…/tls.crt, tls.key, ca.crt
//! collector/tls.crt       -> ..data/tls.crt     never changes
//! ```
//!
//! Who reads sees all old files or all new ones, and none at all before the first switch. The folder of the old files is removed
//! after the switch: the collector, which watches the file that its CA is in, learns of the change by that.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};

use crate::access::Access;
use crate::authority::random;
use crate::error::{Error, ErrorKind};

/// One such folder.
pub(crate) struct Slot {
    path: Utf8PathBuf,
    /// 0700 where nobody else has a reason to look in, else 0755: a container's user must get through to its files.
    folder_mode: u32,
}

/// One file to be in it.
pub(crate) struct NewFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a str,
    pub(crate) secret: bool,
}

const DATA: &str = "..data";
const DATA_NEW: &str = "..data_tmp";

/// Random bytes in the name of a folder of files; as hex in it.
const NAME_BYTES: usize = 8;

/// No file of ours comes near this; a larger one is not read.
const LARGEST_FILE: u64 = 1024 * 1024;

impl Slot {
    pub(crate) fn shared(path: Utf8PathBuf) -> Self {
        Self { path, folder_mode: 0o755 }
    }

    pub(crate) fn private(path: Utf8PathBuf) -> Self {
        Self { path, folder_mode: 0o700 }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A file of it, if it is there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let path = self.path.join(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::files("read", &path, &error)),
        };
        if !metadata.is_file() || metadata.len() > LARGEST_FILE {
            return Err(Error::new(ErrorKind::Foreign { path }));
        }
        // What is not UTF-8 is no PEM text; the caller finds that it cannot be read.
        let bytes = fs::read(&path).map_err(|error| Error::files("read", &path, &error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// What the system says of a file of it.
    pub(crate) fn metadata(&self, name: &str) -> Option<fs::Metadata> {
        fs::metadata(self.path.join(name)).ok()
    }

    /// The names of all files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.path.join(DATA).read_dir_utf8().into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
        names.sort();
        names
    }

    /// Replaces all files at once.
    pub(crate) fn publish(&self, files: &[NewFile<'_>], access: Access) -> Result<(), Error> {
        self.refuse_foreign(files)?;
        self.make_folder(&self.path, self.folder_mode)?;
        let mut name = [0; NAME_BYTES];
        random(&mut name)?;
        let name = format!("..{:016x}", u64::from_be_bytes(name));
        let folder = self.path.join(&name);
        self.fill(&folder, files, access).and_then(|()| self.switch_to(&name, files)).inspect_err(|_| {
            // Left behind, it would be removed by the next run.
            let _ = fs::remove_dir_all(&folder);
        })?;
        sync_folder(&self.path)?;
        self.clean()
    }

    /// Removes what runs that were killed left behind.
    pub(crate) fn clean(&self) -> Result<(), Error> {
        let current = fs::read_link(self.path.join(DATA)).ok();
        let entries = match self.path.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => return Err(Error::files("list", &self.path, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| Error::files("list", &self.path, &error))?;
            let name = entry.file_name();
            let is_current = current.as_deref().is_some_and(|current| current == std::path::Path::new(name));
            let removed = if name == DATA_NEW {
                fs::remove_file(entry.path())
            } else if is_data_folder(name) && !is_current {
                fs::remove_dir_all(entry.path())
            } else {
                continue;
            };
            removed.map_err(|error| Error::files("remove", entry.path(), &error))?;
        }
        Ok(())
    }

    /// Removes it. From the first step on nothing can be read in it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        let data = self.path.join(DATA);
        match fs::remove_file(&data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::files("remove", &data, &error)),
            _ => {}
        }
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::files("remove", &self.path, &error)),
            _ => Ok(()),
        }
    }

    /// A file that lies where a link belongs was put there by somebody who may still need it.
    fn refuse_foreign(&self, files: &[NewFile<'_>]) -> Result<(), Error> {
        let names = files.iter().map(|file| file.name);
        let foreign = names
            .map(|name| self.path.join(name))
            .chain([self.path.join(DATA)])
            .find(|path| path.symlink_metadata().is_ok_and(|metadata| !metadata.file_type().is_symlink()));
        foreign.map_or(Ok(()), |path| Err(Error::new(ErrorKind::Foreign { path })))
    }

    /// Makes a folder with exactly this mode, whatever the umask. One that is there stays as it is.
    fn make_folder(&self, path: &Utf8Path, mode: u32) -> Result<(), Error> {
        let made = DirBuilder::new().mode(mode).create(path);
        match made {
            Ok(()) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| Error::files("create", path, &error))
    }

    fn fill(&self, folder: &Utf8Path, files: &[NewFile<'_>], access: Access) -> Result<(), Error> {
        self.make_folder(folder, self.folder_mode)?;
        for file in files {
            let path = folder.join(file.name);
            let failed = |error: io::Error| Error::files("write", &path, &error);
            // From its first byte on only its owner can read it; wider only when it belongs to whom it should.
            let mut handle = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
            access.give(&handle, &path)?;
            handle.set_permissions(fs::Permissions::from_mode(access.mode(file.secret))).map_err(failed)?;
            handle.write_all(file.content.as_bytes()).map_err(failed)?;
            // Else a power cut after the rename could leave empty files behind the new link.
            handle.sync_all().map_err(failed)?;
        }
        sync_folder(folder)
    }

    fn switch_to(&self, name: &str, files: &[NewFile<'_>]) -> Result<(), Error> {
        for file in files {
            let link = self.path.join(file.name);
            let target = format!("{DATA}/{}", file.name);
            if fs::read_link(&link).is_ok_and(|present| present.as_os_str() == target.as_str()) {
                continue;
            }
            // A link to elsewhere is replaced; a file was refused before.
            let _ = fs::remove_file(&link);
            symlink(&target, &link).map_err(|error| Error::files("create", &link, &error))?;
        }
        let new = self.path.join(DATA_NEW);
        let _ = fs::remove_file(&new);
        symlink(name, &new).map_err(|error| Error::files("create", &new, &error))?;
        let data = self.path.join(DATA);
        // The switch. Nothing of this function may fail after it: the caller would remove what is now being read.
        fs::rename(&new, &data).map_err(|error| Error::files("replace", &data, &error))
    }
}

fn sync_folder(path: &Utf8Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::files("write", path, &error))
}

/// Names that [`Slot::publish`] makes; nothing else is ever removed.
fn is_data_folder(name: &str) -> bool {
    name.strip_prefix("..").is_some_and(|hex| {
        hex.len() == 2 * NAME_BYTES && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "tls.key";

    fn slot(sandbox: &testkit::Sandbox) -> Slot {
        Slot::shared(sandbox.path("slot"))
    }

    fn publish(slot: &Slot, content: &str) -> Result<(), Error> {
        slot.publish(&[NewFile { name: FILE, content, secret: true }], Access::default())
    }

    #[test]
    fn a_switch_leaves_one_folder_of_files() {
        let sandbox = testkit::Sandbox::new();
        let slot = slot(&sandbox);
        assert_eq!(slot.read(FILE).unwrap(), None);
        for content in ["one", "two", "three"] {
            publish(&slot, content).unwrap();
            assert_eq!(slot.read(FILE).unwrap().as_deref(), Some(content));
            let count = fs::read_dir(slot.path()).unwrap().count();
            assert_eq!(count, 3, "the folder, `..data` and the link");
        }
    }

    #[test]
    fn leftovers_go_and_foreign_files_stay() {
        let sandbox = testkit::Sandbox::new();
        let slot = slot(&sandbox);
        publish(&slot, "one").unwrap();
        sandbox
            .write("slot/..0123456789abcdef/tls.key", "half")
            .write("slot/notes.txt", "mine")
            .write("slot/..mine/a", "");
        symlink("..0123456789abcdef", slot.path().join(DATA_NEW)).unwrap();
        slot.clean().unwrap();
        assert_eq!(slot.read(FILE).unwrap().as_deref(), Some("one"));
        assert!(
            !slot.path().join("..0123456789abcdef").exists() && slot.path().join(DATA_NEW).symlink_metadata().is_err()
        );
        assert!(slot.path().join("notes.txt").exists() && slot.path().join("..mine/a").exists());
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let sandbox = testkit::Sandbox::new();
        sandbox.write("slot/tls.key", "theirs");
        let error = publish(&slot(&sandbox), "ours").unwrap_err();
        let path = sandbox.path("slot/tls.key");
        assert_eq!(error.to_string(), format!("`{path}` was not made by this program"));
        assert_eq!(sandbox.read("slot/tls.key"), "theirs");
    }

    #[test]
    fn a_removed_slot_has_nothing_to_read() {
        let sandbox = testkit::Sandbox::new();
        let slot = slot(&sandbox);
        publish(&slot, "one").unwrap();
        slot.remove().unwrap();
        slot.remove().unwrap();
        assert!(!slot.path().exists());
    }
}
