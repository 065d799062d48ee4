//! The files beside an archive.

use signing::{Envelope, Minisig, PrivateKey};

use crate::pack::Archive;
use crate::read::Contained;
use crate::statement::{PAYLOAD_TYPE, statement};

/// A file that lies beside an archive; its name is the archive's and this ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BesideFile {
    /// For `sha256sum -c`.
    Checksum,
    /// 64 raw bytes, for `openssl pkeyutl -verify -rawin`.
    Signature,
    /// For `minisign -V`.
    Minisig,
    /// An in-toto statement in a DSSE envelope.
    Statement,
}

impl BesideFile {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [Self::Signature, Self::Checksum, Self::Minisig, Self::Statement];

    /// What the file's name ends in, after the archive's whole name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Checksum => ".sha256",
            Self::Signature => ".sig",
            Self::Minisig => ".minisig",
            Self::Statement => ".intoto.jsonl",
        }
    }
}

/// What lies beside an archive; `None` where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub checksum: Option<Vec<u8>>,
    pub signature: Option<Vec<u8>>,
    pub minisig: Option<Vec<u8>>,
    pub statement: Option<Vec<u8>>,
}

impl Beside {
    #[must_use]
    pub fn get(&self, file: BesideFile) -> Option<&[u8]> {
        match file {
            BesideFile::Checksum => self.checksum.as_deref(),
            BesideFile::Signature => self.signature.as_deref(),
            BesideFile::Minisig => self.minisig.as_deref(),
            BesideFile::Statement => self.statement.as_deref(),
        }
    }

    pub fn set(&mut self, file: BesideFile, bytes: Option<Vec<u8>>) {
        let place = match file {
            BesideFile::Checksum => &mut self.checksum,
            BesideFile::Signature => &mut self.signature,
            BesideFile::Minisig => &mut self.minisig,
            BesideFile::Statement => &mut self.statement,
        };
        *place = bytes;
    }
}

/// The one line of a `.sha256` file.
#[must_use]
pub fn checksum(sha256: &str, archive_name: &str) -> String {
    format!("{sha256}  {archive_name}\n")
}

/// What minisign shows when it has verified: fixed by the archive, not by the clock.
pub(crate) fn comment(contained: &crate::Manifest) -> String {
    format!("timestamp:{}\tfile:{}\thashed", contained.source_date, contained.archive_name())
}

impl Archive {
    /// The checksum alone: what an unsigned bundle has.
    #[must_use]
    pub fn unsigned(&self) -> Beside {
        let checksum = checksum(&self.sha256, &self.manifest.archive_name());
        Beside { checksum: Some(checksum.into_bytes()), ..Beside::default() }
    }

    /// Signs. The same archive and key always give the same files.
    #[must_use]
    pub fn sign(&self, key: &PrivateKey) -> Beside {
        let contained = Contained { manifest: self.manifest.clone(), tar_sha256: self.tar_sha256.clone(), unpacked: 0 };
        let statement = statement(&self.sha256, self.bytes.len() as u64, &contained);
        let minisig = Minisig::sign(&self.bytes, &comment(&self.manifest), key);
        Beside {
            signature: Some(key.sign(&self.bytes).0.to_vec()),
            minisig: Some(minisig.to_string().into_bytes()),
            statement: Some(Envelope::sign(PAYLOAD_TYPE, statement, key).to_string().into_bytes()),
            ..self.unsigned()
        }
    }
}
