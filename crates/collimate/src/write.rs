//! Writing files so that each is old or new, whatever happens in between.
//!
//! All new contents are written and synced beside their targets first; only then are they renamed into place, one by one.
//! A run that is killed leaves at most temporary files named `.collimate-…`; the next run of the same command does the rest.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::exit::{Failure, Result};

/// One file to write.
pub(crate) struct NewFile {
    /// Where, on disk.
    pub(crate) path: Utf8PathBuf,
    pub(crate) content: String,
}

/// Replaces all files, or none if one of them cannot be prepared. Permissions of existing files stay.
pub(crate) fn replace_all(files: &[NewFile]) -> Result<()> {
    let mut prepared: Vec<(Utf8PathBuf, &Utf8Path)> = Vec::new();
    let result = files.iter().try_for_each(|file| {
        // A link is written through: what it points at is replaced, the link stays.
        let temporary = prepare(file).map_err(|error| failed(&file.path, &error))?;
        prepared.push((temporary, &file.path));
        Ok(())
    });
    let result = result.and_then(|()| {
        prepared.iter().try_for_each(|(temporary, path)| {
            let target = path.canonicalize_utf8().unwrap_or_else(|_| (*path).to_owned());
            fs::rename(temporary, &target).map_err(|error| failed(path, &error))
        })
    });
    if result.is_err() {
        for (temporary, _) in &prepared {
            // Those that were renamed are gone already.
            let _ = fs::remove_file(temporary);
        }
    }
    result
}

fn prepare(file: &NewFile) -> io::Result<Utf8PathBuf> {
    let target = file.path.canonicalize_utf8().unwrap_or_else(|_| file.path.clone());
    let folder = target.parent().unwrap_or(Utf8Path::new("."));
    let name = target.file_name().unwrap_or("file");
    let temporary = folder.join(format!(".collimate-{name}-{}", std::process::id()));
    let write = || -> io::Result<()> {
        let mut handle = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
        handle.write_all(file.content.as_bytes())?;
        if let Ok(metadata) = target.metadata() {
            handle.set_permissions(metadata.permissions())?;
        }
        handle.sync_all()
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    Ok(temporary)
}

fn failed(path: &Utf8Path, error: &io::Error) -> Failure {
    Failure::outside(format!("cannot write `{path}`")).because(error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("a"), "old").unwrap();
        let new = |name: &str| NewFile { path: root.join(name), content: "new".to_owned() };
        assert!(replace_all(&[new("a"), new("no/such/folder")]).is_err());
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(root).unwrap().count(), 1, "nothing is left behind");
        replace_all(&[new("a"), new("b")]).unwrap();
        assert_eq!(fs::read_to_string(root.join("b")).unwrap(), "new");
    }
}
