//! Somebody's consent to a plan, signed.
//!
//! Signed are the bytes of the statement: the file without its last field, `signature`, as canonical JSON. It names its kind, which no other
//! file of ours has, so that a signature under an entry or a manifest is none under an approval.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use signing::{PrivateKey, PublicKey, Signature};

use crate::canonical::{self, CanonicalError};
use crate::entry::Approval;
use crate::{Hash, Moment};

/// The only version of the format so far.
const SCHEMA: u32 = 1;

const KIND: &str = "approval";

/// An approval has less than a kilobyte.
const MOST_BYTES: usize = 16 * 1024;

/// What is signed. The order of fields is the order in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    schema: u32,
    kind: String,
    /// The hash of the plan.
    pub plan: Hash,
    /// The release that the target held when it was signed.
    pub base: Hash,
    /// The name under which the key is trusted.
    pub by: String,
    /// In what capacity.
    pub role: String,
    /// After this it does not count.
    pub until: Moment,
}

/// The file: a statement and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    kind: String,
    plan: Hash,
    base: Hash,
    by: String,
    role: String,
    until: Moment,
    signature: String,
}

impl Statement {
    #[must_use]
    pub fn new(plan: Hash, base: Hash, by: &str, role: &str, until: Moment) -> Self {
        Self { schema: SCHEMA, kind: KIND.to_owned(), plan, base, by: by.to_owned(), role: role.to_owned(), until }
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn to_json(&self) -> String {
        canonical::write(self)
    }

    /// Consents.
    #[must_use]
    pub fn sign(self, key: &PrivateKey) -> Approval {
        let signature = STANDARD.encode(key.sign(self.to_json().as_bytes()).0);
        let Self { plan, base, by, role, until, .. } = self;
        Approval { by, role, plan, base, until, signature }
    }
}

impl Approval {
    /// What was signed.
    #[must_use]
    pub fn statement(&self) -> Statement {
        Statement::new(self.plan.clone(), self.base.clone(), &self.by, &self.role, self.until.clone())
    }

    /// Whether the holder of this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let bytes = STANDARD.decode(&self.signature).ok();
        // One spelling of 64 bytes, so that a changed text is a changed signature.
        let signature = bytes.filter(|bytes| STANDARD.encode(bytes) == self.signature);
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes));
        signature.is_some_and(|signature| key.verify(self.statement().to_json().as_bytes(), &signature).is_ok())
    }

    /// The file, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { by, role, plan, base, until, signature } = self.clone();
        canonical::write(&File { schema: SCHEMA, kind: KIND.to_owned(), plan, base, by, role, until, signature })
    }
}

/// Reads what [`Approval::to_json`] writes, and no other spelling of it.
impl FromStr for Approval {
    type Err = CanonicalError;

    fn from_str(text: &str) -> Result<Self, CanonicalError> {
        let file: File = canonical::read(text.as_bytes(), SCHEMA, MOST_BYTES)?;
        if file.kind != KIND {
            return Err(CanonicalError::Malformed(format!("its kind is not `{KIND}`")));
        }
        let File { plan, base, by, role, until, signature, .. } = file;
        canonical::printable([("by", by.as_str()), ("role", &role), ("signature", &signature)])?;
        Ok(Self { by, role, plan, base, until, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from_seed(&[seed; 32])
    }

    fn approval() -> Approval {
        let until = "2026-03-03T10:00:00Z".parse().unwrap();
        Statement::new(Hash::of(b"plan"), Hash::of(b"base"), "alice", "lead", until).sign(&key(1))
    }

    #[test]
    fn it_is_read_back_and_belongs_to_its_key_alone() {
        let approval = approval();
        let read: Approval = approval.to_json().parse().unwrap();
        assert_eq!(read, approval);
        assert!(read.is_signed_by(&key(1).public()));
        assert!(!read.is_signed_by(&key(2).public()));
    }

    #[test]
    fn no_field_can_be_changed() {
        let good = approval();
        let public = key(1).public();
        let later = "2027-03-03T10:00:00Z".parse().unwrap();
        for changed in [
            Approval { by: "bob".to_owned(), ..good.clone() },
            Approval { role: "security".to_owned(), ..good.clone() },
            Approval { plan: Hash::of(b"other"), ..good.clone() },
            Approval { base: Hash::of(b"other"), ..good.clone() },
            Approval { until: later, ..good.clone() },
            Approval { signature: format!(" {}", good.signature), ..good.clone() },
        ] {
            assert!(!changed.is_signed_by(&public), "{changed:?}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let text = approval().to_json();
        let public = key(1).public();
        let is_good = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).ok();
            text.and_then(|text| text.parse::<Approval>().ok()).is_some_and(|read| read.is_signed_by(&public))
        };
        assert!(is_good(text.as_bytes()));
        for at in 0..text.len() {
            for bit in [1, 2, 16, 32] {
                let mut flipped = text.clone().into_bytes();
                flipped[at] ^= bit;
                assert!(!is_good(&flipped), "byte {at} bit {bit}");
            }
            assert!(!is_good(&text.as_bytes()[..at]), "{at} bytes");
        }
        let error = " ".repeat(16 * 1024 + 1).parse::<Approval>().unwrap_err().to_string();
        assert_eq!(error, "it has 16385 bytes; one has at most 16384");
    }
}
