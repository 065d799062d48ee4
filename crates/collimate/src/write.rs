//! Writing files so that each is old or new, whatever happens in between.
//!
//! All new contents are written and synced beside their targets first; only then are they renamed into place, one by one.
//! A run that is killed leaves at most temporary files named `.collimate-…`; the next run of the same command does the rest. Where
//! several files must change together, a journal (see [`crate::records`]) finishes what was begun.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

use crate::exit::{Failure, Result};

/// One file to write.
pub(crate) struct NewFile {
    /// Where, on disk.
    pub(crate) path: Utf8PathBuf,
    pub(crate) content: Vec<u8>,
}

/// Replaces all files, or none if one of them cannot be prepared. Permissions of existing files stay, and their owners where the system
/// lets us; other hard links to them keep what they have.
pub(crate) fn replace_all(files: &[NewFile]) -> Result<()> {
    try_replace_all(files, &|| Ok(())).map_err(|(path, error)| failed(&path, &error))
}

/// The file that could not be written, and why.
pub(crate) type Unwritten = (Utf8PathBuf, io::Error);

/// As [`replace_all`]. `still` is asked when all is prepared, right before the first file changes.
pub(crate) fn try_replace_all(
    files: &[NewFile],
    still: &dyn Fn() -> std::result::Result<(), Unwritten>,
) -> std::result::Result<(), Unwritten> {
    let mut prepared: Vec<(Utf8PathBuf, &Utf8Path)> = Vec::new();
    let result = files.iter().try_for_each(|file| {
        // A link is written through: what it points at is replaced, the link stays.
        let temporary = prepare(file).map_err(|error| (file.path.clone(), error))?;
        prepared.push((temporary, &file.path));
        Ok(())
    });
    let result = result.and_then(|()| still()).and_then(|()| {
        prepared.iter().try_for_each(|(temporary, path)| {
            let target = target(path);
            fs::rename(temporary, &target).map_err(|error| ((*path).to_owned(), error))
        })
    });
    if result.is_err() {
        for (temporary, _) in &prepared {
            // Those that were renamed are gone already.
            let _ = fs::remove_file(temporary);
        }
    }
    let folders: BTreeSet<&Utf8Path> = prepared.iter().filter_map(|(temporary, _)| temporary.parent()).collect();
    for folder in folders {
        // So that a power cut cannot bring back the old name. Some file systems cannot do this for a folder, and need not.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    result
}

/// Whether this is the name of a temporary file whose run is still at work.
pub(crate) fn is_being_written(name: &str) -> bool {
    let process = name.strip_prefix(".collimate-").and_then(|rest| rest.rsplit_once('-')).map_or("", |(_, last)| last);
    process.parse::<u32>().is_ok() && Utf8Path::new("/proc").join(process).exists()
}

/// Removes what runs left beside `path` that were killed while they wrote it. Only for who knows that none is at work.
pub(crate) fn remove_leftovers(path: &Utf8Path) -> io::Result<usize> {
    let path = target(path);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(0) };
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let prefix = format!(".collimate-{name}-");
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let process = entry.file_name().strip_prefix(&prefix);
        if process.is_some_and(|process| !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The file that a path leads to: what is prepared lies beside it, not beside a link.
fn target(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}

fn prepare(file: &NewFile) -> io::Result<Utf8PathBuf> {
    let target = target(&file.path);
    if target.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        // Renaming over `/dev/null` would make a plain file of it, for every program of this machine.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a device or a pipe"));
    }
    let folder = target.parent().unwrap_or(Utf8Path::new("."));
    let name = target.file_name().unwrap_or("file");
    let temporary = folder.join(format!(".collimate-{name}-{}", std::process::id()));
    let write = || -> io::Result<()> {
        // Of a killed run with our number, or planted: as a link it would lead the new content elsewhere.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut handle = match target.metadata() {
            Ok(there) => {
                // Whoever may not read the old content may not read the new one at any time.
                let handle = options.mode(0o600).open(&temporary)?;
                keep_owner(&handle, &there);
                handle.set_permissions(there.permissions())?;
                handle
            }
            Err(_) => options.open(&temporary)?,
        };
        handle.write_all(&file.content)?;
        handle.sync_all()
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    Ok(temporary)
}

/// Gives a new file the owner and group of the one that it replaces. Where only an administrator may, the group alone; where neither, it
/// belongs to who runs this, as after any editor.
fn keep_owner(new: &File, there: &fs::Metadata) {
    let same = new.metadata().is_ok_and(|own| (own.uid(), own.gid()) == (there.uid(), there.gid()));
    if !same && fchown(new, Some(there.uid()), Some(there.gid())).is_err() {
        let _ = fchown(new, None, Some(there.gid()));
    }
}

/// A file that cannot be written, as it is shown.
pub(crate) fn failed(path: &Utf8Path, error: &io::Error) -> Failure {
    let failure = Failure::outside(format!("cannot write `{path}`"));
    match error.kind() {
        io::ErrorKind::InvalidInput => {
            failure.because(system::reason(error)).hint("name a file, or leave the flag out to print to stdout")
        }
        _ => failure.because(system::reason_unwritten(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("a"), "old").unwrap();
        let new = |name: &str| NewFile { path: root.join(name), content: b"new".to_vec() };
        assert!(replace_all(&[new("a"), new("no/such/folder")]).is_err());
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(root).unwrap().count(), 1, "nothing is left behind");
        replace_all(&[new("a"), new("b")]).unwrap();
        assert_eq!(fs::read_to_string(root.join("b")).unwrap(), "new");
    }

    #[test]
    fn a_device_stays_one_and_a_planted_temporary_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::os::unix::fs::symlink("/dev/null", root.join("null")).unwrap();
        let refused = replace_all(&[NewFile { path: root.join("null"), content: b"x".to_vec() }]).unwrap_err();
        assert!(refused.to_text().contains("it is a device or a pipe"), "{}", refused.to_text());
        assert!(!fs::metadata("/dev/null").unwrap().is_file());

        fs::write(root.join("precious"), "old").unwrap();
        std::os::unix::fs::symlink("precious", root.join(format!(".collimate-a-{}", std::process::id()))).unwrap();
        replace_all(&[NewFile { path: root.join("a"), content: b"new".to_vec() }]).unwrap();
        assert_eq!(fs::read_to_string(root.join("precious")).unwrap(), "old");
        assert!(root.join("a").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "new");
    }

    #[test]
    fn only_leftovers_of_the_file_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for name in [".collimate-a-12", ".collimate-a-b-12", ".collimate-a-", "a", "a-12"] {
            fs::write(root.join(name), "").unwrap();
        }
        assert_eq!(remove_leftovers(&root.join("a")).unwrap(), 1);
        assert!(!root.join(".collimate-a-12").exists());
        assert_eq!(remove_leftovers(&root.join("none/a")).unwrap(), 0);
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        fs::write(root.join(".collimate-a-13"), "").unwrap();
        assert_eq!(remove_leftovers(&root.join("link")).unwrap(), 1, "they lie beside what a link leads to");
    }
}
