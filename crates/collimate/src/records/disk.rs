//! The workspace's folder as a journal sees it.
//!
//! A journal may come with a repository: no path of it leads out of the workspace, through whatever link, and only regular files of a
//! size that we write are read (a pipe would never end).

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{MOST_JOURNAL_BYTES, Storage, Write};
use source::system;

use crate::write::{self, NewFile};

/// No file that a journal names has more than the journal itself may have.
const MOST_BYTES: u64 = MOST_JOURNAL_BYTES as u64;

pub(super) struct DiskStorage<'a> {
    /// Absolute and resolved.
    root: &'a Utf8Path,
}

impl<'a> DiskStorage<'a> {
    pub(super) fn new(root: &'a Utf8Path) -> Self {
        Self { root }
    }

    fn inside(&self, path: &Utf8Path) -> io::Result<Utf8PathBuf> {
        let absolute = self.root.join(path);
        // What is not there yet is judged by the nearest folder that is.
        let real = absolute.ancestors().find_map(|ancestor| match ancestor.symlink_metadata() {
            Ok(_) => Some(ancestor.canonicalize_utf8()),
            Err(_) => None,
        });
        match real {
            Some(Ok(real)) if real.starts_with(self.root) => Ok(absolute),
            Some(Err(error)) => Err(error),
            _ => Err(invalid(path, "leads out of the workspace")),
        }
    }
}

impl Storage for DiskStorage<'_> {
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
        let absolute = self.inside(path).map_err(|error| match error.kind() {
            // A link that leads nowhere.
            io::ErrorKind::NotFound => invalid(path, "is a link to nothing"),
            _ => error,
        })?;
        let metadata = match absolute.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(named(path, &error)),
        };
        if metadata.is_dir() {
            return Err(named(path, &io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            return Err(invalid(path, "is no regular file"));
        }
        if metadata.len() > MOST_BYTES {
            return Err(invalid(path, "is larger than 64 MiB"));
        }
        fs::read(&absolute).map(Some).map_err(|error| named(path, &error))
    }

    fn replace_all(&self, files: &[Write<'_>]) -> io::Result<()> {
        let mut new = Vec::new();
        let still = || {
            let changed = files.iter().find(|file| !self.read(file.path).is_ok_and(|now| file.old.is(now.as_deref())));
            match changed {
                Some(file) => Err((self.root.join(file.path), io::Error::other("it was changed meanwhile"))),
                None => Ok(()),
            }
        };
        for file in files {
            let path = self.inside(file.path)?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| named(file.path, &error))?;
            }
            new.push(NewFile { path, content: file.content.to_vec() });
        }
        write::try_replace_all(&new, &still)
            .map_err(|(path, error)| named(path.strip_prefix(self.root).unwrap_or(&path), &error))
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        match fs::remove_file(self.inside(path)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, &error)),
            _ => Ok(()),
        }
    }

    fn remove_leftovers(&self, path: &Utf8Path) -> io::Result<usize> {
        write::remove_leftovers(&self.inside(path)?).map_err(|error| {
            let message = format!("what an interrupted run left beside `{path}`: {}", system::reason(&error));
            io::Error::new(error.kind(), message)
        })
    }
}

fn invalid(path: &Utf8Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` {why}"))
}

fn named(path: &Utf8Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{path}`: {}", system::reason(error)))
}
