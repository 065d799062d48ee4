use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::component::Component;
use crate::error::{Error, ErrorKind};
use crate::slot::Slot;

/// The folder of all certificates, held by this run until it is dropped.
///
/// ```text
/// authority/{ca.crt,ca.key}              never given to a container
/// authority/next/{ca.crt,ca.key}         the coming authority, during a rotation
/// collector/{tls.crt,tls.key,ca.crt}     and so for each component; `ca.crt` is whom it trusts
/// ```
#[derive(Debug)]
pub struct Folder {
    root: Utf8PathBuf,
    _lock: Flock<File>,
}

pub(crate) const CA_CERTIFICATE: &str = "ca.crt";
pub(crate) const CA_KEY: &str = "ca.key";
pub(crate) const CERTIFICATE: &str = "tls.crt";
pub(crate) const KEY: &str = "tls.key";

/// The folder of the authority.
pub(crate) const AUTHORITY: &str = "authority";

const IGNORE_FILE: &str = ".gitignore";
const IGNORE_ALL: &str = "# Keys never belong into version control, wherever this folder lies.\n*\n";

impl Folder {
    /// Takes hold of a folder, which is made if it is not there, and removes what runs that were killed left in it.
    ///
    /// # Errors
    /// If another run holds it, or it cannot be written.
    pub fn open(root: &Utf8Path) -> Result<Self, Error> {
        if root.metadata().is_ok_and(|there| !there.is_dir()) {
            return Err(Error::new(ErrorKind::NoFolder { path: root.to_owned() }));
        }
        make(root).map_err(|error| Error::files("create", root, &error))?;
        let lock = File::open(root).map_err(|error| Error::files("read", root, &error))?;
        // Not waited for: who comes second would do the same work again, or undo it.
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(file, errno)| match errno {
            Errno::EWOULDBLOCK => Error::new(ErrorKind::Locked { folder: root.to_owned(), process: holder(&file) }),
            errno => Error::files("lock", root, &errno.into()),
        })?;
        let folder = Self { root: root.to_owned(), _lock: lock };
        folder.ignore_in_git()?;
        folder.authority().clean()?;
        folder.next_authority().clean()?;
        Component::ALL.into_iter().try_for_each(|component| folder.component(component).clean())?;
        Ok(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(crate) fn authority(&self) -> Slot {
        Slot::private(self.root.join(AUTHORITY))
    }

    pub(crate) fn next_authority(&self) -> Slot {
        Slot::private(self.root.join(AUTHORITY).join("next"))
    }

    pub(crate) fn component(&self, component: Component) -> Slot {
        Slot::shared(self.root.join(component.folder()))
    }

    fn ignore_in_git(&self) -> Result<(), Error> {
        let path = self.root.join(IGNORE_FILE);
        match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(IGNORE_ALL.as_bytes()).map_err(|error| Error::files("write", &path, &error)),
            // Whatever somebody has written there stays.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(Error::files("create", &path, &error)),
        }
    }
}

/// Makes a folder that users of containers can get through, whatever the umask. One that is there stays as it is.
fn make(root: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = root.parent().filter(|parent| *parent != "") {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o755).create(root) {
        Ok(()) => fs::set_permissions(root, fs::Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && root.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The process that holds the lock of a folder, where the kernel says so.
///
/// Asked of the kernel rather than written into a file: a file would name a process that was killed long ago.
fn holder(folder: &File) -> Option<u32> {
    let inode = folder.metadata().ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    holder_in(&locks, &inode)
}

/// `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`: process 1234, inode 5678.
fn holder_in(locks: &str, inode: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (kind, _, _, process, place) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
        let is_it = kind == "FLOCK" && place.rsplit(':').next() == Some(inode);
        // A process outside of this container has no number in it.
        is_it.then(|| process.parse().ok().filter(|process| *process != 0)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_holds_the_folder() {
        let sandbox = testkit::Sandbox::new();
        let root = sandbox.path("a/b");
        let first = Folder::open(&root).unwrap();
        assert_eq!(sandbox.read("a/b/.gitignore").lines().last(), Some("*"));
        let error = Folder::open(&root).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Locked { .. }), "{error}");
        if cfg!(target_os = "linux") {
            assert_eq!(
                error.to_string(),
                format!("another run (process {}) is at work in `{root}`", std::process::id())
            );
        }
        drop(first);
        Folder::open(&root).unwrap();
    }

    #[test]
    fn the_kernels_table_is_read() {
        let locks = "1: POSIX  ADVISORY  READ  11 00:2b:99 0 EOF\n2: FLOCK  ADVISORY  WRITE 22 00:2b:99 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 33 00:2b:99 0 EOF\n3: FLOCK  ADVISORY  WRITE 0 00:2b:98 0 EOF\n";
        assert_eq!(holder_in(locks, "99"), Some(22));
        assert_eq!(holder_in(locks, "98"), None);
        assert_eq!(holder_in("nonsense\n\n", "99"), None);
    }
}
