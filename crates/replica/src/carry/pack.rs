//! From a generation to its one file.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek as _, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, GzBuilder};
use nix::fcntl::OFlag;
use sha2::{Digest as _, Sha256};
use signing::{KeyId, PrivateKey};

use super::statement::{Archive, sign};
use super::tar::{END, header, padding};
use super::{ARCHIVE, STATEMENT};
use crate::disk;
use crate::error::{Error, Result, disk as failed};
use crate::generation::{Generation, Name};

/// The bytes of deflate depend on it; part of the format.
const LEVEL: u32 = 6;

/// "Unknown", so that it does not depend on the system.
const GZIP_SYSTEM: u8 = 255;

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub name: Name,
    pub domain: String,
    pub created: String,
    pub files: usize,
    /// Of the one file, in bytes.
    pub size: u64,
    pub sha256: String,
    pub key: KeyId,
    /// Whether the file was not there before, byte for byte.
    pub is_new: bool,
}

pub(super) fn write(generation: &Generation, target: &Utf8Path, key: &PrivateKey) -> Result<Exported> {
    let exists = |what: &str| {
        Err(Error::usage(format!("`{target}` exists already")).because(what).hint("name another file, or remove it"))
    };
    match target.symlink_metadata() {
        Ok(there) if !there.is_file() => return exists("it is no regular file"),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("write", target, &error)),
        _ => {}
    }
    let temporary = Temporary::beside(target)?;
    let written = temporary.fill(generation, key).map_err(|error| failed("write", target, &error));
    let (size, sha256) = written?;
    let is_new = match disk::measure(target) {
        Ok(there) if there == (size, sha256.clone()) => false,
        Ok(_) => return exists("it is something else than this generation, signed with this key"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            temporary.publish(target).map_err(|error| failed("write", target, &error))?;
            true
        }
        Err(error) => return Err(failed("read", target, &error)),
    };
    Ok(Exported {
        name: generation.name.clone(),
        domain: generation.record.domain.clone(),
        created: generation.record.created.clone(),
        files: generation.record.files.len(),
        size,
        sha256,
        key: key.public().id(),
        is_new,
    })
}

/// The file under construction, beside its target. A killed run leaves it; the next run for the same target takes it over, since it is
/// the lock that says whether it is in use.
struct Temporary {
    path: Utf8PathBuf,
    file: File,
}

impl Temporary {
    fn beside(target: &Utf8Path) -> Result<Self> {
        let name = target.file_name().ok_or_else(|| Error::usage(format!("`{target}` names no file")))?;
        let path = target.with_file_name(format!(".collimate-{name}.new"));
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(disk::PRIVATE_FILE).custom_flags(flags.bits());
        let file = options.open(&path).map_err(|error| failed("write", &path, &error))?;
        // What another run published between our opening and locking it is no longer ours to write into.
        if file.try_lock().is_err() || !is_at(&file, &path) {
            return Err(Error::outside(format!("another run is writing `{target}`")).hint("wait for it to end"));
        }
        Ok(Self { path, file })
    }

    /// Writes all of it; size and sha256.
    fn fill(&self, generation: &Generation, key: &PrivateKey) -> io::Result<(u64, String)> {
        let mut archive = self.unnamed()?;
        pack(generation, &archive)?;
        archive.rewind()?;
        let (size, sha256) = disk::measure_open(&mut archive)?;
        archive.rewind()?;
        let statement = sign(generation, Archive { size, sha256 }, key);
        self.file.set_len(0)?;
        let mut out = Counted { file: BufWriter::new(&self.file), sha256: Sha256::new(), size: 0 };
        entry(&mut out, STATEMENT, statement.len() as u64, 0, &mut statement.as_bytes())?;
        entry(&mut out, ARCHIVE, size, 0, &mut archive)?;
        out.write_all(&[0; END])?;
        out.flush()?;
        Ok((out.size, disk::hex(&out.sha256.finalize())))
    }

    /// A file that no name leads to.
    fn unnamed(&self) -> io::Result<File> {
        let path = Utf8PathBuf::from(format!("{}.archive", self.path));
        disk::remove(&path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(disk::PRIVATE_FILE).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }

    fn publish(&self, target: &Utf8Path) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(disk::FILE))?;
        self.file.sync_all()?;
        fs::rename(&self.path, target)?;
        match target.parent() {
            Some(folder) if !folder.as_str().is_empty() => disk::sync_folder(folder),
            _ => Ok(()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Where it was published, another run may have its own there.
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a name leads to this file.
fn is_at(file: &File, path: &Utf8Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let own = file.metadata().map(identity).ok();
    own.is_some() && own == path.symlink_metadata().map(identity).ok()
}

/// The generation's files, sorted, as `.tar.gz`.
fn pack(generation: &Generation, archive: &File) -> io::Result<()> {
    let time = generation.created().map(|created| created.as_second()).unwrap_or(0);
    let time = u64::try_from(time).unwrap_or(0);
    let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_SYSTEM);
    let mut tar = gzip.write(BufWriter::new(archive), Compression::new(LEVEL));
    for file in &generation.record.files {
        let mut source = disk::open(&generation.file(&file.path)?)?;
        entry(&mut tar, &file.path, file.size, time, &mut source)?;
    }
    tar.write_all(&[0; END])?;
    tar.finish()?.flush()
}

/// One entry of a tar. What is read has the size that was measured, or nothing is written to the end.
fn entry(out: &mut impl Write, path: &str, size: u64, time: u64, source: &mut impl io::Read) -> io::Result<()> {
    out.write_all(&header(path, size, time))?;
    // In steps that do not depend on how the source hands out its bytes: deflate could tell.
    let mut buffer = vec![0; 64 * 1024];
    let mut left = size;
    while left > 0 {
        let step = usize::try_from(left).unwrap_or(buffer.len()).min(buffer.len());
        source.read_exact(&mut buffer[..step])?;
        out.write_all(&buffer[..step])?;
        left -= step as u64;
    }
    if source.read(&mut buffer[..1])? > 0 {
        return Err(io::Error::other(format!("`{path}` changes while it is read")));
    }
    out.write_all(&vec![0; padding(size)])
}

/// Counts and hashes what passes.
struct Counted<W> {
    file: W,
    sha256: Sha256,
    size: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_published_leaves_the_next_run_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = Utf8Path::from_path(folder.path()).unwrap().join("a.mirror");
        let first = Temporary::beside(&target).unwrap();
        assert!(Temporary::beside(&target).is_err(), "it is being written");
        assert!(first.path.is_file(), "and stays, though another run was refused");
        first.publish(&target).unwrap();
        let second = Temporary::beside(&target).unwrap();
        drop(first);
        assert!(second.path.is_file(), "it is the second run's");
        assert!(!is_at(&second.file, &target) && is_at(&second.file, &second.path));
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
