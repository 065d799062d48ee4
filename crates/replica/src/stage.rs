//! From files to a generation that readers see: the last checks, the disk, the link.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::disk::{self, FILE, FOLDER};
use crate::error::{Error, Result, disk as failed};
use crate::folder::Folder;
use crate::generation::{Generation, Name};
use crate::record::{FileRecord, RECORD, Record};

/// How far two clocks may be apart.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// What is taken although something speaks against it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Acceptance {
    /// A generation older than the one that counts.
    pub older: bool,
    /// A generation from the future.
    pub future: bool,
    /// A bundle that nothing vouches for.
    pub unverified: bool,
}

/// Whether a generation may take the place of the one that counts.
pub(crate) fn admit(
    folder: &Folder,
    current: Option<&Generation>,
    domain: &str,
    created: Timestamp,
    now: Timestamp,
    acceptance: Acceptance,
) -> Result<()> {
    if let Some(current) = current {
        if current.record.domain != domain {
            return Err(Error::usage(format!(
                "`{folder}` is a copy of the domain `{}`, not of `{domain}`",
                current.record.domain
            ))
            .hint("each domain has a folder of its own"));
        }
        let held = current.created()?;
        if created < held && !acceptance.older {
            return Err(Error::untrusted("this generation is older than the one that is here")
                .because(format!("it was created at {created}, the one here at {held}"))
                .hint("somebody may replay what was valid once, or the mirror went back; if you know why, take it with `--accept-older`"));
        }
    }
    let skew = i64::try_from(SKEW.as_secs()).unwrap_or(0);
    if created.as_second() > now.as_second().saturating_add(skew) && !acceptance.future {
        return Err(Error::untrusted("this generation is from the future")
            .because(format!("it was created at {created}; by this machine's clock it is {now}"))
            .hint("compare the clocks of both machines; once taken, every honest generation would be an older one: if you know why, take it with `--allow-future`"));
    }
    Ok(())
}

/// A generation being built. What is not [published](Self::publish) is removed.
pub(crate) struct Stage<'a> {
    folder: &'a Folder,
    path: Utf8PathBuf,
}

impl<'a> Stage<'a> {
    /// An empty one. Only under the folder's lock.
    pub(crate) fn new(folder: &'a Folder) -> Result<Self> {
        Ok(Self { folder, path: folder.staging()? })
    }

    /// Where a file of it belongs; the folders above are made.
    pub(crate) fn place(&self, path: &str) -> Result<Utf8PathBuf> {
        let mut folder = self.path.clone();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return Ok(folder.join(part));
            }
            folder.push(part);
            disk::need_folder(&folder, FOLDER).map_err(|error| failed("make", &folder, &error))?;
        }
        Ok(folder)
    }

    /// Where it is built.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Measures every file once more where it lies now, brings all to the disk, gives the generation its name and switches to it.
    pub(crate) fn publish(&self, record: &Record, name: &Name) -> Result<()> {
        let mut folders: BTreeSet<&str> = BTreeSet::new();
        for file in &record.files {
            self.settle(file)?;
            folders.extend(file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at)));
        }
        let path = self.path.join(RECORD);
        disk::replace(&path, record.to_json().as_bytes(), FILE).map_err(|error| failed("write", &path, &error))?;
        // The innermost first: a folder is on the disk when what it names is.
        for folder in folders.iter().rev().map(|folder| self.path.join(folder)).chain([self.path.clone()]) {
            disk::sync_folder(&folder).map_err(|error| failed("sync", &folder, &error))?;
        }
        self.folder.place(&self.path, name)?;
        self.folder.switch(name)
    }

    fn settle(&self, file: &FileRecord) -> Result<()> {
        let path = disk::below(&self.path, &file.path).map_err(|error| failed("read", &self.path, &error))?;
        let (size, sha256) = disk::measure(&path).map_err(|error| failed("read", &path, &error))?;
        if size != file.size || sha256 != file.sha256 {
            return Err(Error::outside(format!("`{}` changed while it lay on this disk", file.path))
                .because("its sha256 is another one than a moment ago")
                .hint("look into the system's log: the disk or the memory may be failing; nothing was switched"));
        }
        disk::settle_file(&path).map_err(|error| failed("sync", &path, &error))
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.folder.clear_staging();
    }
}

/// Makes what is here already count: nothing if it does, the link alone if only that is missing. `None` where the generation is not here, or
/// not whole.
pub(crate) fn reuse(folder: &Folder, name: &Name) -> Result<Option<bool>> {
    let Ok(generation) = folder.generation(Some(name)) else { return Ok(None) };
    if generation.damaged().is_some() {
        return Ok(None);
    }
    if folder.latest()?.as_ref() == Some(name) {
        return Ok(Some(false));
    }
    folder.switch(name)?;
    Ok(Some(true))
}
