//! The workspace's folder as a journal sees it.
//!
//! A journal may come with a repository: no path of it leads out of the workspace, through whatever link.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{Storage, Write};

use crate::write::{self, NewFile};

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
            _ => Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("`{path}` leads out of the workspace"))),
        }
    }
}

impl Storage for DiskStorage<'_> {
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.inside(path)?) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(path, &error)),
        }
    }

    fn replace_all(&self, files: &[Write<'_>]) -> io::Result<()> {
        let mut new = Vec::new();
        for file in files {
            let path = self.inside(file.path)?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| named(file.path, &error))?;
            }
            new.push(NewFile { path, content: file.content.to_vec() });
        }
        write::try_replace_all(&new)
            .map_err(|(path, error)| named(path.strip_prefix(self.root).unwrap_or(&path), &error))
    }

    fn remove(&self, path: &Utf8Path) -> io::Result<()> {
        match fs::remove_file(self.inside(path)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(path, &error)),
            _ => Ok(()),
        }
    }
}

fn named(path: &Utf8Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{path}`: {}", error.kind()))
}
