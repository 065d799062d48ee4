//! Signatures that are made together with a change: of its entries, and of the manifest that it brings.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{Content, NewEntry, Recorded};
use signing::PrivateKey;
use source::{FileError, Files as _};

use super::{HISTORY, Records};
use crate::exit::{Failure, Result};
use crate::session::Session;
use crate::signature::{self, Signatures};

/// Who signs what.
pub(crate) struct Seal<'a> {
    pub(crate) key: &'a PrivateKey,
    /// The manifest that the change brings, and the comment of its signature.
    pub(crate) manifest: Option<(&'a str, String)>,
}

/// Where the signature of an entry lies: 64 raw bytes over the bytes of its file.
fn signature_of(entry: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{entry}.sig"))
}

impl Records {
    /// The signature of an entry; `None` where nobody signed it.
    pub(crate) fn signature(&self, recorded: &Recorded) -> Result<Option<Vec<u8>>> {
        let path = signature_of(&self.path_of(recorded));
        match self.session.files.read(&path) {
            Ok((_, bytes)) => Ok(Some(bytes.to_vec())),
            Err(FileError::NotFound(_)) => Ok(None),
            Err(error) => Err(Failure::input("cannot read the signature of an entry").because(error)),
        }
    }

    /// The bytes of an entry, as they are written and signed.
    pub(crate) fn bytes(&self, recorded: &Recorded) -> Result<Vec<u8>> {
        let read = self.session.files.read(&self.path_of(recorded));
        read.map(|(_, bytes)| bytes.to_vec()).map_err(|error| Failure::input("cannot read an entry").because(error))
    }

    fn path_of(&self, recorded: &Recorded) -> Utf8PathBuf {
        self.folder.join(HISTORY).join(&recorded.name)
    }
}

impl Seal<'_> {
    /// Beside every file that will hold the manifest.
    pub(super) fn manifests(
        &self,
        session: &Session,
        texts: &BTreeMap<Utf8PathBuf, String>,
        files: &mut BTreeMap<Utf8PathBuf, Content>,
    ) {
        let Some((text, comment)) = &self.manifest else { return };
        let signatures = Signatures::sign(text.as_bytes(), comment, self.key);
        let new = texts.iter().filter(|(_, own)| own == text).map(|(path, _)| path);
        let copies = session
            .releases
            .iter()
            .map(|input| &input.path)
            .filter(|path| !texts.contains_key(*path) && signature::same_bytes(session, path, text.as_bytes()));
        for manifest in new.chain(copies) {
            for (path, bytes) in signature::paths(manifest).into_iter().zip(signatures.files()) {
                files.insert(path, Content::Bytes(bytes.cloned().unwrap_or_default()));
            }
        }
    }

    pub(super) fn entries(
        &self,
        entries: &[NewEntry],
        paths: &[Utf8PathBuf],
        files: &mut BTreeMap<Utf8PathBuf, Content>,
    ) {
        for (entry, path) in entries.iter().zip(paths) {
            let signature = self.key.sign(entry.text.as_bytes());
            files.insert(signature_of(path), Content::Bytes(signature.0.to_vec()));
        }
    }
}
