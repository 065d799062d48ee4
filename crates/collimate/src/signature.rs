//! Signatures beside release manifests: what they say of them, and how they travel with them.
//!
//! Signed are the bytes of the file, not its canonical form: OpenSSL and minisign then verify it as it lies there, and a comment that says what to
//! deploy cannot be changed unseen. Commands that move a manifest move its bytes unchanged, so its signatures go along; one that
//! replaces it takes the old signatures away, which would belong to nothing.
//!
//! Threats, and the answer to each: a signature file that is not one (refused by its size and spelling), one of two that was taken
//! from elsewhere (all that are there must verify), a signed manifest of another channel (the caller compares the channel).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{Content, Hash};
use signing::{FormatError, Minisig, PrivateKey, PublicKey, Signature, VerifyError};
use source::{FileError, Files as _};

use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::given;
use crate::session::Session;

/// 64 raw bytes, as `openssl pkeyutl` takes them.
const RAW: &str = "sig";
/// A file of minisign, which names its key too.
const MINISIG: &str = "minisig";

/// Far above both kinds.
const MOST_BYTES: u64 = 4096;

/// What to do about a file that is none of both.
const WAY_OUT: &str = "copy the manifest and both of its signatures again";

/// The signatures that lie beside a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signatures {
    raw: Option<Vec<u8>>,
    minisig: Option<Vec<u8>>,
}

/// Why a manifest is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unsigned,
    Damaged {
        file: &'static str,
        why: String,
    },
    OtherKey(VerifyError),
    Changed,
    /// 64 bytes name no key.
    ChangedOrOtherKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => formatter.write_str("it is not signed"),
            Self::Damaged { file, why } => write!(formatter, "its signature `.{file}` is damaged: {why}"),
            Self::OtherKey(error) => write!(formatter, "its signature is another one's: {error}"),
            Self::Changed => formatter.write_str("it was changed since it was signed"),
            Self::ChangedOrOtherKey => {
                formatter.write_str("it was changed since it was signed, or signed with another key")
            }
        }
    }
}

/// What minisign shows of a signed release.
pub(crate) fn comment(version: &str, channel: &str, identity: &Hash) -> String {
    format!("release {version} of channel {channel}, manifest sha256 {identity}")
}

/// Where the signatures of a manifest lie.
pub(crate) fn paths(manifest: &Utf8Path) -> [Utf8PathBuf; 2] {
    [RAW, MINISIG].map(|suffix| Utf8PathBuf::from(format!("{manifest}.{suffix}")))
}

impl Signatures {
    /// Signs the bytes of a manifest. The same key and bytes always give the same files.
    pub(crate) fn sign(bytes: &[u8], comment: &str, key: &PrivateKey) -> Self {
        let raw = key.sign(bytes).0.to_vec();
        Self { raw: Some(raw), minisig: Some(Minisig::sign(bytes, comment, key).to_string().into_bytes()) }
    }

    /// Reads what lies beside a manifest.
    pub(crate) fn beside(session: &Session, manifest: &Utf8Path) -> Result<Self> {
        let [raw, minisig] = paths(manifest).map(|path| read(session, &path));
        Ok(Self { raw: raw?, minisig: minisig? })
    }

    /// As [`Self::beside`], of a file that the command line names, by its path on disk.
    pub(crate) fn of_file(manifest: &Utf8Path, ctx: &Ctx) -> Result<Self> {
        let [raw, minisig] = paths(manifest).map(|path| read_disk(&path, ctx));
        Ok(Self { raw: raw?, minisig: minisig? })
    }

    /// In the order of [`paths`].
    pub(crate) fn files(&self) -> [Option<&Vec<u8>>; 2] {
        [self.raw.as_ref(), self.minisig.as_ref()]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.raw.is_none() && self.minisig.is_none()
    }

    /// The key that one of them names itself, if it can be read.
    pub(crate) fn key_id(&self) -> Option<signing::KeyId> {
        Some(minisig(self.minisig.as_ref()?).ok()?.key_id())
    }

    /// Whether the holder of the key signed these bytes. Everything that is there must say so.
    pub(crate) fn verify(&self, bytes: &[u8], key: &PublicKey) -> std::result::Result<(), Refusal> {
        if self.is_empty() {
            return Err(Refusal::Unsigned);
        }
        let damaged = |file: &'static str| move |why: String| Refusal::Damaged { file, why };
        let raw = self.raw.as_ref().map(|raw| signature(raw)).transpose().map_err(damaged(RAW))?;
        let minisig = self.minisig.as_ref().map(|text| minisig(text)).transpose().map_err(damaged(MINISIG))?;
        let raw = raw.map(|raw| key.verify(bytes, &raw));
        match (minisig.map(|minisig| minisig.verify(bytes, key)), raw) {
            (Some(Err(error @ VerifyError::OtherKey { .. })), _) => Err(Refusal::OtherKey(error)),
            (Some(Err(VerifyError::Comment)), _) => Err(damaged(MINISIG)(VerifyError::Comment.to_string())),
            (Some(Ok(())) | None, None | Some(Ok(()))) => Ok(()),
            // The bytes are right, as the other one proves.
            (Some(Ok(())), Some(Err(error))) => Err(damaged(RAW)(error.to_string())),
            (Some(Err(error)), Some(Ok(()))) => Err(damaged(MINISIG)(error.to_string())),
            (Some(Err(_)), None | Some(Err(_))) => Err(Refusal::Changed),
            (None, Some(Err(_))) => Err(Refusal::ChangedOrOtherKey),
        }
    }
}

fn signature(bytes: &[u8]) -> std::result::Result<Signature, String> {
    let length = Signature::LENGTH;
    Signature::from_slice(bytes).ok_or_else(|| format!("it has {} bytes instead of {length}", bytes.len()))
}

fn minisig(bytes: &[u8]) -> std::result::Result<Minisig, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    text.parse().map_err(|error: FormatError| error.to_string())
}

fn read(session: &Session, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
    let unreadable = |why: &dyn fmt::Display| Failure::input(format!("cannot read `{path}`")).because(why);
    match session.files.read(path) {
        Ok((_, bytes)) if bytes.len() as u64 > MOST_BYTES => {
            Err(unreadable(&format!("it is larger than {} KiB", MOST_BYTES >> 10)).hint(WAY_OUT))
        }
        Ok((_, bytes)) => Ok(Some(bytes.to_vec())),
        Err(FileError::NotFound(_)) => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

fn read_disk(path: &Utf8Path, ctx: &Ctx) -> Result<Option<Vec<u8>>> {
    let bytes = given::read_optional(path, MOST_BYTES, ctx).map_err(|failure| failure.hint(WAY_OUT))?;
    Ok(bytes.map(|bytes| bytes.to_vec()))
}

/// Whether a manifest of the workspace holds these very bytes.
pub(crate) fn same_bytes(session: &Session, manifest: &Utf8Path, bytes: &[u8]) -> bool {
    session.files.read(manifest).is_ok_and(|(_, own)| *own == *bytes)
}

/// The signature files as they shall be once these manifests are written: beside each lie those of its bytes, if there are any. `folder` is that of
/// the channels' manifests: what is made there for a channel to take may be signed already.
pub(crate) fn carried(
    session: &Session,
    folder: &Utf8Path,
    texts: &BTreeMap<Utf8PathBuf, String>,
) -> Result<BTreeMap<Utf8PathBuf, Content>> {
    let beside = session.files.list(folder).unwrap_or_default().into_iter().map(|entry| folder.join(entry.name));
    let mut manifests: Vec<Utf8PathBuf> = session.releases.iter().map(|input| input.path.clone()).collect();
    manifests.extend(beside.filter(|path| matches!(path.extension(), Some("yaml" | "yml"))));
    let known: Vec<(&Utf8Path, Arc<[u8]>)> =
        manifests.iter().filter_map(|path| Some((path.as_path(), session.files.read(path).ok()?.1))).collect();
    let same = |bytes: &[u8]| -> Vec<&Utf8Path> {
        known.iter().filter(|(_, own)| **own == *bytes).map(|(path, _)| *path).collect()
    };
    let mut files = BTreeMap::new();
    let mut put = |manifest: &Utf8Path, now: &Signatures, wanted: &Signatures| {
        for ((path, now), wanted) in paths(manifest).into_iter().zip(now.files()).zip(wanted.files()) {
            match (now, wanted) {
                (_, Some(bytes)) => files.insert(path, Content::Bytes(bytes.clone())),
                (Some(_), None) => files.insert(path, Content::Nothing),
                (None, None) => None,
            };
        }
    };
    for (path, text) in texts {
        let old = session.files.read(path).ok().map(|(_, bytes)| bytes.to_vec());
        let is_manifest = known.iter().any(|(known, _)| known == path) || !same(text.as_bytes()).is_empty();
        if !is_manifest || old.as_deref() == Some(text.as_bytes()) {
            continue;
        }
        let now = Signatures::beside(session, path)?;
        let mut wanted = Signatures::default();
        for manifest in same(text.as_bytes()) {
            if wanted.is_empty() {
                wanted = Signatures::beside(session, manifest)?;
            }
        }
        put(path, &now, &wanted);
        // What is taken away here is kept beside the copies of what it belongs to.
        for copy in same(&old.unwrap_or_default()) {
            if copy == path || texts.contains_key(copy) {
                continue;
            }
            let own = Signatures::beside(session, copy)?;
            if own.is_empty() {
                put(copy, &own, &now);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"schema: 1\n";

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32])
    }

    fn signed() -> Signatures {
        Signatures::sign(BYTES, "release 1", &key(1))
    }

    #[test]
    fn every_way_to_be_wrong_has_a_name() {
        let (good, public) = (signed(), key(1).public());
        assert_eq!(good.verify(BYTES, &public), Ok(()));
        let only = |raw: bool| Signatures {
            raw: good.raw.clone().filter(|_| raw),
            minisig: good.minisig.clone().filter(|_| !raw),
        };
        assert_eq!(only(true).verify(BYTES, &public), Ok(()));
        assert_eq!(only(false).verify(BYTES, &public), Ok(()));
        assert_eq!(Signatures::default().verify(BYTES, &public), Err(Refusal::Unsigned));
        assert_eq!(good.verify(b"schema: 2\n", &public), Err(Refusal::Changed));
        assert_eq!(only(false).verify(b"schema: 2\n", &public), Err(Refusal::Changed));
        assert_eq!(only(true).verify(b"schema: 2\n", &public), Err(Refusal::ChangedOrOtherKey));
        let other = key(2).public();
        assert!(matches!(good.verify(BYTES, &other), Err(Refusal::OtherKey(_))));
        assert_eq!(only(true).verify(BYTES, &other), Err(Refusal::ChangedOrOtherKey));
        let mixed = Signatures { raw: Signatures::sign(BYTES, "", &key(2)).raw, ..signed() };
        assert!(matches!(mixed.verify(BYTES, &public), Err(Refusal::Damaged { file: "sig", .. })));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_a_signature_is_refused() {
        let (good, public) = (signed(), key(1).public());
        let refuse = |signatures: &Signatures, what: &str| {
            assert!(signatures.verify(BYTES, &public).is_err(), "{what}");
        };
        for (which, bytes) in [(0, good.raw.clone().unwrap()), (1, good.minisig.clone().unwrap())] {
            let with = |bytes: Vec<u8>| match which {
                0 => Signatures { raw: Some(bytes), ..good.clone() },
                _ => Signatures { minisig: Some(bytes), ..good.clone() },
            };
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                refuse(&with(flipped), &format!("byte {at} of {which}"));
                refuse(&with(bytes[..at].to_vec()), &format!("{at} bytes of {which}"));
            }
            refuse(&with([bytes, vec![0]].concat()), "a byte more");
        }
    }
}
