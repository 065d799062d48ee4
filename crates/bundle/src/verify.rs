//! Whether a bundle is what the holder of a key signed.
//!
//! The raw signature is looked at before a single byte is unpacked: what is not signed is not parsed. All files beside the archive
//! must be there and must agree, down to the byte: then there is no second opinion to be played off against the first.

use signing::{Envelope, KeyId, Minisig, PublicKey, Signature};

use crate::error::Refusal;
use crate::manifest::sha256;
use crate::read::{Contained, read};
use crate::seal::{Beside, BesideFile, checksum, comment};
use crate::statement::{PAYLOAD_TYPE, claimed_size, difference, statement};

/// A bundle whose every byte the holder of a key vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub contained: Contained,
    /// sha256 of the archive.
    pub sha256: String,
    pub key: KeyId,
}

/// Verifies an archive and everything beside it.
///
/// # Errors
/// The first reason not to trust it, in words that tell an unsigned bundle, another key, a cut and a changed file apart.
pub fn verify(archive: &[u8], beside: &Beside, key: &PublicKey) -> Result<Verified, Refusal> {
    signed(archive, beside, key)?;
    let digest = sha256(archive);
    let minisig: Minisig = parsed(beside, BesideFile::Minisig)?;
    let trusted = |file: BesideFile| move |source| Refusal::Signature { file: file.suffix(), source };
    minisig.verify(archive, key).map_err(trusted(BesideFile::Minisig))?;
    let envelope: Envelope = parsed(beside, BesideFile::Statement)?;
    envelope.verify(key).map_err(trusted(BesideFile::Statement))?;
    let contained = read(archive)?;
    checksum_fits(beside, &digest, &contained)?;
    if minisig.comment() != comment(&contained.manifest) {
        return Err(Refusal::Comment);
    }
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(Refusal::Statement("its type is another one".to_owned()));
    }
    let expected = statement(&digest, archive.len() as u64, &contained);
    if envelope.payload() != expected {
        return Err(Refusal::Statement(difference(envelope.payload(), &expected)));
    }
    Ok(Verified { contained, sha256: digest, key: key.id() })
}

/// Checks what can be checked without a key: that the archive is whole, is as it would be written, and fits the checksum beside it.
/// Whoever can change the archive can make all of that fit again.
///
/// # Errors
/// [`Refusal::Missing`], [`Refusal::Checksum`], [`Refusal::Contents`].
pub fn check_unverified(archive: &[u8], beside: &Beside) -> Result<(Contained, String), Refusal> {
    let contained = read(archive)?;
    let digest = sha256(archive);
    checksum_fits(beside, &digest, &contained)?;
    Ok((contained, digest))
}

/// The raw signature; where it does not fit, the reason that the other files suggest. They are not trusted for more than words.
fn signed(archive: &[u8], beside: &Beside, key: &PublicKey) -> Result<(), Refusal> {
    let others = [BesideFile::Minisig, BesideFile::Statement];
    let Some(signature) = &beside.signature else {
        let none = others.iter().all(|file| beside.get(*file).is_none());
        return Err(if none { Refusal::Unsigned } else { Refusal::Missing(BesideFile::Signature.suffix()) });
    };
    let signature = Signature::from_slice(signature).ok_or(Refusal::SignatureLength(signature.len()))?;
    if key.verify(archive, &signature).is_ok() {
        return Ok(());
    }
    let minisig: Option<Minisig> = parsed(beside, BesideFile::Minisig).ok();
    if minisig.as_ref().is_some_and(|minisig| minisig.verify(archive, key).is_ok()) {
        return Err(Refusal::SignatureChanged);
    }
    let envelope: Option<Envelope> = parsed(beside, BesideFile::Statement).ok();
    let named = envelope.as_ref().map(Envelope::key_id).or(minisig.map(|minisig| minisig.key_id()));
    if let Some(found) = named.filter(|found| *found != key.id()) {
        return Err(Refusal::OtherKey { trusted: key.id(), found });
    }
    let found = archive.len() as u64;
    Err(match envelope.and_then(|envelope| claimed_size(envelope.payload())) {
        Some(signed) if found < signed => Refusal::Cut { found, signed },
        Some(signed) if found > signed => Refusal::Appended { found, signed },
        _ => Refusal::Changed,
    })
}

fn parsed<T: std::str::FromStr<Err = signing::FormatError>>(beside: &Beside, file: BesideFile) -> Result<T, Refusal> {
    let bytes = beside.get(file).ok_or(Refusal::Missing(file.suffix()))?;
    let format = |source| Refusal::Format { file: file.suffix(), source };
    let text = std::str::from_utf8(bytes).map_err(|_| format(signing::FormatError::Damaged { part: "text" }))?;
    text.parse().map_err(format)
}

fn checksum_fits(beside: &Beside, digest: &str, contained: &Contained) -> Result<(), Refusal> {
    let file = BesideFile::Checksum;
    let found = beside.get(file).ok_or(Refusal::Missing(file.suffix()))?;
    let name = contained.manifest.archive_name();
    if found == checksum(digest, &name).as_bytes() {
        return Ok(());
    }
    let same_digest = found.starts_with(digest.as_bytes());
    Err(Refusal::Checksum(if same_digest {
        "the digest fits, the rest of the line does not"
    } else {
        "another digest"
    }))
}
