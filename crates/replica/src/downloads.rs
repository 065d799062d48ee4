//! What has arrived and is not part of a generation yet: files, each with a state beside it that outlives a killed run.
//!
//! The state is written before the first byte and says of which version the bytes are; so a part is only ever continued with the same
//! version (`If-Range`). What is whole is still measured again before it is used.

use std::fs::{self, File, OpenOptions};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::disk::{self, PRIVATE_FILE, PRIVATE_FOLDER};
use crate::error::{Result, disk as failed};
use crate::limits::MOST_STATE_BYTES;
use crate::record::{FileRecord, Validators, is_sha256};

const SCHEMA: u32 = 1;

/// The folder of downloads.
#[derive(Debug)]
pub(crate) struct Downloads {
    folder: Utf8PathBuf,
}

/// What is known of a file that is on its way, or whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    schema: u32,
    /// Where it will be in a generation.
    path: String,
    /// Where it comes from: another mirror's bytes are no continuation.
    origin: String,
    pub(crate) validators: Validators,
    /// How many bytes the mirror says it has.
    pub(crate) length: Option<u64>,
    /// Of the whole file; absent while it is on its way.
    sha256: Option<String>,
}

/// A file that is on its way.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) state: State,
    /// How much has arrived.
    pub(crate) size: u64,
}

impl Downloads {
    /// Opens the folder, and removes what belongs to nothing.
    pub(crate) fn open(folder: Utf8PathBuf) -> Result<Self> {
        disk::need_folder(&folder, PRIVATE_FOLDER).map_err(|error| failed("make", &folder, &error))?;
        let downloads = Self { folder };
        downloads.sweep().map_err(|error| failed("clean", &downloads.folder, &error))?;
        Ok(downloads)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let kept = name.split_once('.').is_some_and(|(stem, ending)| {
                let state = self.read_state(&self.folder.join(format!("{stem}.json")));
                matches!(ending, "json" | "part") && state.is_some_and(|state| stem == self::stem(&state.path))
            });
            if !kept {
                disk::remove_all(&self.folder.join(name))?;
            }
        }
        Ok(())
    }

    fn read_state(&self, path: &Utf8Path) -> Option<State> {
        let bytes = disk::read(path, MOST_STATE_BYTES).ok()?;
        let state: State = serde_json::from_slice(&bytes).ok()?;
        (state.schema == SCHEMA && state.sha256.as_deref().is_none_or(is_sha256)).then_some(state)
    }

    fn data(&self, path: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}.part", stem(path)))
    }

    fn state_file(&self, path: &str) -> Utf8PathBuf {
        self.folder.join(format!("{}.json", stem(path)))
    }

    fn state(&self, path: &str) -> Option<State> {
        self.read_state(&self.state_file(path)).filter(|state| state.path == path)
    }

    /// The file of that path that is on its way from `origin`.
    pub(crate) fn partial(&self, path: &str, origin: &str) -> Option<Partial> {
        let state = self.state(path).filter(|state| state.sha256.is_none() && state.origin == origin)?;
        let there = self.data(path).symlink_metadata().ok()?;
        let fits = there.is_file() && state.length.is_none_or(|length| there.len() <= length);
        fits.then_some(Partial { state, size: there.len() })
    }

    /// The file of that path from `origin` that is whole, where it lies and what it is; measured anew.
    pub(crate) fn whole(&self, path: &str, origin: &str) -> Option<(Utf8PathBuf, FileRecord)> {
        let state = self.state(path).filter(|state| state.origin == origin)?;
        let expected = state.sha256?;
        let data = self.data(path);
        let (size, sha256) = disk::measure(&data).ok()?;
        let record = FileRecord { path: path.to_owned(), size, sha256, validators: state.validators };
        (record.sha256 == expected).then_some((data, record))
    }

    /// Begins a file: what was there of it before is gone.
    pub(crate) fn begin(
        &self,
        path: &str,
        origin: &str,
        validators: Validators,
        length: Option<u64>,
    ) -> Result<(File, State)> {
        let state = State {
            schema: SCHEMA,
            path: path.to_owned(),
            origin: origin.to_owned(),
            validators,
            length,
            sha256: None,
        };
        let data = self.data(path);
        // In this order, bytes never lie beside the state of another version.
        let begun =
            disk::remove(&data).and_then(|()| self.write(&state)).and_then(|()| disk::new_file(&data, PRIVATE_FILE));
        Ok((begun.map_err(|error| failed("write", &data, &error))?, state))
    }

    /// Goes on with a file.
    pub(crate) fn resume(&self, path: &str) -> Result<File> {
        let data = self.data(path);
        OpenOptions::new().append(true).open(&data).map_err(|error| failed("write", &data, &error))
    }

    /// Says that a file is whole.
    pub(crate) fn finish(&self, state: State) -> Result<(Utf8PathBuf, FileRecord)> {
        let data = self.data(&state.path);
        let (size, sha256) = disk::measure(&data).map_err(|error| failed("read", &data, &error))?;
        let state = State { sha256: Some(sha256.clone()), ..state };
        self.write(&state).map_err(|error| failed("write", &data, &error))?;
        Ok((data, FileRecord { path: state.path, size, sha256, validators: state.validators }))
    }

    /// Forgets a file.
    pub(crate) fn discard(&self, path: &str) -> Result<()> {
        let data = self.data(path);
        let removed = disk::remove(&data).and_then(|()| disk::remove(&self.state_file(path)));
        removed.map_err(|error| failed("remove", &data, &error))
    }

    /// Forgets all.
    pub(crate) fn clear(&self) -> Result<()> {
        disk::remove_all(&self.folder).map_err(|error| failed("remove", &self.folder, &error))
    }

    /// How a file is called in messages about the disk.
    pub(crate) fn shown(&self, path: &str) -> Utf8PathBuf {
        self.data(path)
    }

    fn write(&self, state: &State) -> io::Result<()> {
        // Strings and numbers always serialise.
        let text = serde_json::to_string(state).unwrap_or_default();
        // After a power cut it may be gone or stale; what is whole is measured, and held against what is announced, in any case.
        disk::replace_unsynced(&self.state_file(&state.path), text.as_bytes(), PRIVATE_FILE)
    }
}

/// A file's name: of fixed length, and without the path's own characters.
fn stem(path: &str) -> String {
    let digest = disk::hex(&Sha256::digest(path));
    digest.get(..32).unwrap_or(&digest).to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn validators(etag: &str) -> Validators {
        Validators { etag: Some(etag.to_owned()), last_modified: None }
    }

    #[test]
    fn a_part_goes_on_and_becomes_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("downloads");
        let open = || Downloads::open(root.clone()).unwrap();
        let (mut file, _) = open().begin("mirror/index.json", "o", validators("\"a\""), Some(4)).unwrap();
        file.write_all(b"ab").unwrap();
        let downloads = open();
        assert!(downloads.whole("mirror/index.json", "o").is_none());
        assert!(downloads.partial("mirror/index.json", "elsewhere").is_none());
        let partial = downloads.partial("mirror/index.json", "o").unwrap();
        assert_eq!((partial.size, partial.state.validators.strong()), (2, Some("\"a\"")));
        downloads.resume("mirror/index.json").unwrap().write_all(b"cd").unwrap();
        let (data, record) = downloads.finish(partial.state).unwrap();
        assert_eq!((record.size, fs::read(&data).unwrap().as_slice()), (4, b"abcd".as_slice()));
        assert_eq!(open().whole("mirror/index.json", "o").unwrap().1, record);
        fs::write(&data, "abcx").unwrap();
        assert!(open().whole("mirror/index.json", "o").is_none(), "what was changed is not whole");
    }

    #[test]
    fn what_belongs_to_nothing_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("downloads");
        let downloads = Downloads::open(root.clone()).unwrap();
        downloads.begin("mirror/a", "o", Validators::default(), None).unwrap();
        for name in ["x", "x.part", "x.json", "x.json.new"] {
            fs::write(root.join(name), "{}").unwrap();
        }
        Downloads::open(root.clone()).unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
    }

    #[test]
    fn a_state_that_is_too_large_to_be_ours_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("downloads");
        let downloads = Downloads::open(root.clone()).unwrap();
        downloads.begin("mirror/a", "o", Validators::default(), None).unwrap();
        let state = downloads.state_file("mirror/a");
        let mut bytes = fs::read(&state).unwrap();
        let mut is_known = |length: usize| {
            bytes.resize(length, b' ');
            fs::write(&state, &bytes).unwrap();
            downloads.partial("mirror/a", "o").is_some()
        };
        assert!(is_known(64 * 1024));
        assert!(!is_known(64 * 1024 + 1));
        Downloads::open(root.clone()).unwrap();
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "and what it was of is swept");
    }
}
