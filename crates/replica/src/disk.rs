//! Files and folders with fixed permissions, whatever the umask, synced before they count; and nothing opened through a link.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::OFlag;
use sha2::{Digest as _, Sha256};

/// Folders of a generation: a server of another user reads them.
pub(crate) const FOLDER: u32 = 0o755;
/// Files of a generation.
pub(crate) const FILE: u32 = 0o644;
/// What is ours alone.
pub(crate) const PRIVATE_FOLDER: u32 = 0o700;
pub(crate) const PRIVATE_FILE: u32 = 0o600;

/// How much is read at a time.
const STEP: usize = 128 * 1024;

/// Makes a folder that must not exist yet.
pub(crate) fn new_folder(path: &Utf8Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(PRIVATE_FOLDER).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Makes a folder where there is none; a link to one is none.
pub(crate) fn need_folder(path: &Utf8Path, mode: u32) -> io::Result<()> {
    match new_folder(path, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match path.symlink_metadata()?.is_dir() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::NotADirectory, "something else than a folder is in its place")),
        },
        result => result,
    }
}

/// A new file, which nothing may stand in the place of.
pub(crate) fn new_file(path: &Utf8Path, mode: u32) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// Opens a regular file to read it; neither a link nor a pipe.
pub(crate) fn open(path: &Utf8Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(|error| {
        if path.symlink_metadata().is_ok_and(|there| there.is_symlink()) { not_plain("it is a link") } else { error }
    })?;
    if !file.metadata()?.is_file() {
        return Err(not_plain("it is not a regular file"));
    }
    Ok(file)
}

fn not_plain(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// The path of `relative` below `root`, if no folder on the way is a link.
pub(crate) fn below(root: &Utf8Path, relative: &str) -> io::Result<Utf8PathBuf> {
    let mut path = root.to_owned();
    let mut parts = relative.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        if parts.peek().is_some() && !path.symlink_metadata()?.is_dir() {
            return Err(not_plain("a folder above it is a link or no folder"));
        }
    }
    Ok(path)
}

/// A whole small file.
pub(crate) fn read(path: &Utf8Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(not_plain(&format!("it has more than the {most} bytes that are read")));
    }
    Ok(bytes)
}

/// Replaces a small file: it is old or new, whatever happens.
pub(crate) fn replace(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    swap(path, bytes, mode, true)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// The same for what may be lost when the power fails: it is whole, or useless, for whoever ends by a signal alone.
pub(crate) fn replace_unsynced(path: &Utf8Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    swap(path, bytes, mode, false)
}

fn swap(path: &Utf8Path, bytes: &[u8], mode: u32, is_synced: bool) -> io::Result<()> {
    let temporary = Utf8PathBuf::from(format!("{path}.new"));
    remove(&temporary)?;
    let mut file = new_file(&temporary, mode)?;
    file.write_all(bytes)?;
    if is_synced {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)
}

/// Size and sha256 of a file.
pub(crate) fn measure(path: &Utf8Path) -> io::Result<(u64, String)> {
    measure_open(&mut open(path)?)
}

/// The same of what is left of an open one.
pub(crate) fn measure_open(file: &mut impl io::Read) -> io::Result<(u64, String)> {
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; STEP];
    let mut size = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((size, hex(&sha256.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha256.update(&buffer[..read]);
        size += read as u64;
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A second name for a file, or a copy where the file system has no second names.
pub(crate) fn link_or_copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let mut source = open(from)?;
    let mut target = new_file(to, PRIVATE_FILE)?;
    io::copy(&mut source, &mut target).map(drop)
}

/// Gives a file its final permissions and syncs it.
pub(crate) fn settle_file(path: &Utf8Path) -> io::Result<()> {
    let file = open(path)?;
    file.set_permissions(Permissions::from_mode(FILE))?;
    file.sync_all()
}

/// Syncs the names in a folder. Some file systems cannot do this for a folder, and need not.
pub(crate) fn sync_folder(path: &Utf8Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// Two folders change places in one step.
pub(crate) fn exchange(one: &Utf8Path, other: &Utf8Path) -> io::Result<()> {
    // The C library of the static programs has no `renameat2`; this one asks the kernel itself.
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(rustix::fs::CWD, one.as_std_path(), rustix::fs::CWD, other.as_std_path(), flags)
        .map_err(io::Error::from)
}

/// Removes a file, or a link itself, if it is there.
pub(crate) fn remove(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes whatever is there.
pub(crate) fn remove_all(path: &Utf8Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
