//! Signatures in the format of minisign (`ED`: over a BLAKE2b hash of the file).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest as _};

use crate::error::{FormatError, VerifyError};
use crate::key::{KeyId, PrivateKey, PublicKey, Signature};

/// "Prehashed": the signature is over the hash, so that a verifier reads a large file once. minisign's own default.
const ALGORITHM: [u8; 2] = *b"ED";

const TRUSTED: &str = "trusted comment: ";

/// A `.minisig` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minisig {
    id: KeyId,
    signature: Signature,
    /// Signed with the file; minisign shows it when it has verified.
    comment: String,
    /// Over signature and comment.
    global: Signature,
}

impl Minisig {
    /// Signs `message`. The comment must have no line break: one is replaced by a space.
    #[must_use]
    pub fn sign(message: &[u8], comment: &str, key: &PrivateKey) -> Self {
        let signature = key.sign(&Blake2b512::digest(message));
        let comment = comment.replace(['\n', '\r'], " ");
        let global = key.sign(&covered(&signature, &comment));
        Self { id: key.public().id(), signature, comment, global }
    }

    /// The key that the signature says it was made with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The comment, to be believed once [`Self::verify`] was content.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Verifies message and comment.
    ///
    /// # Errors
    /// Any [`VerifyError`].
    pub fn verify(&self, message: &[u8], key: &PublicKey) -> Result<(), VerifyError> {
        if self.id != key.id() {
            return Err(VerifyError::OtherKey { trusted: key.id(), found: self.id });
        }
        key.verify(&Blake2b512::digest(message), &self.signature)?;
        key.verify(&covered(&self.signature, &self.comment), &self.global).map_err(|_| VerifyError::Comment)
    }
}

fn covered(signature: &Signature, comment: &str) -> Vec<u8> {
    [&signature.0, comment.as_bytes()].concat()
}

/// The file's text.
impl fmt::Display for Minisig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = ALGORITHM.to_vec();
        bytes.extend(self.id.to_minisign());
        bytes.extend(self.signature.0);
        // The first line is covered by no signature; it is fixed, so that a changed one is seen.
        writeln!(f, "untrusted comment: signature by collimate key {}", self.id)?;
        writeln!(f, "{}", STANDARD.encode(bytes))?;
        writeln!(f, "{TRUSTED}{}", self.comment)?;
        writeln!(f, "{}", STANDARD.encode(self.global.0))
    }
}

/// Reads what [`fmt::Display`] writes, and no other spelling of it.
impl FromStr for Minisig {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let lines: Vec<&str> = text.lines().collect();
        let [_, body, comment, global] = lines[..] else {
            return Err(FormatError::Lines { expected: 4, found: lines.len() });
        };
        let damaged = |part| FormatError::Damaged { part };
        let body = STANDARD.decode(body).map_err(|_| damaged("signature"))?;
        let (Some(algorithm), Some(id), Some(signature)) = (body.get(..2), body.get(2..10), body.get(10..)) else {
            return Err(damaged("signature"));
        };
        if algorithm != ALGORITHM {
            return Err(damaged("algorithm"));
        }
        let global = STANDARD.decode(global).map_err(|_| damaged("signature of the comment"))?;
        let read = Self {
            id: KeyId::from_minisign(id).ok_or(damaged("key id"))?,
            signature: Signature::from_slice(signature).ok_or(damaged("signature"))?,
            comment: comment.strip_prefix(TRUSTED).ok_or(damaged("trusted comment"))?.to_owned(),
            global: Signature::from_slice(&global).ok_or(damaged("signature of the comment"))?,
        };
        if read.to_string() == text { Ok(read) } else { Err(FormatError::Spelling) }
    }
}
