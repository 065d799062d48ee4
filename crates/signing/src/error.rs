//! What can be wrong with keys and signatures. No variant carries a byte of what was read.

use crate::key::KeyId;

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("it is neither a PEM block nor a minisign key")]
    Unknown,
    #[error("it is encrypted, and only unencrypted PKCS#8 is read")]
    Encrypted,
    #[error("it holds a `{found}`, not a `{expected}`")]
    OtherLabel { expected: &'static str, found: String },
    #[error("it is damaged, or not an Ed25519 key")]
    NotEd25519,
    #[error("it is a weak key: everybody can sign for it")]
    Weak,
    #[error(
        "its minisign key id {found} is not made from the key, which has {expected}: the line is damaged, or of another program"
    )]
    OtherId { expected: KeyId, found: KeyId },
    #[error("this machine gives no random bytes")]
    NoRandomness,
}

/// Why a text is no signature file of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    #[error("it has {found} lines instead of {expected}")]
    Lines { expected: usize, found: usize },
    #[error("its {part} is damaged")]
    Damaged { part: &'static str },
    #[error("it is not spelled as it is written: a byte was changed that no signature covers")]
    Spelling,
    #[error("it is no JSON of an envelope")]
    NotEnvelope,
    #[error("it has {0} signatures instead of one")]
    Signatures(usize),
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    #[error("it was made with key {found}, not with the trusted key {trusted}")]
    OtherKey { trusted: KeyId, found: KeyId },
    #[error("it does not belong to these bytes")]
    Mismatch,
    #[error("it belongs to these bytes, but its comment was changed")]
    Comment,
}
