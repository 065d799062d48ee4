//! Key pairs and their spellings.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::spki::{DecodePublicKey as _, EncodePublicKey as _};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::{KeyError, VerifyError};

/// What minisign calls the algorithm of a key.
const MINISIGN_ALGORITHM: [u8; 2] = *b"Ed";

const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// The first line of a minisign key file; what follows the colon is for people.
const MINISIGN_COMMENT: &str = "untrusted comment:";

/// A private key. It can sign and be written to its file; it cannot be shown.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

/// A public key, known to be a point that only the holder of the private key can sign for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A short name of a key: the start of the sha256 of its DER, as 16 hexadecimal digits. minisign shows the same digits.
///
/// For people and for choosing among keys; trust is never decided by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

/// An Ed25519 signature as RFC 8032 writes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; Self::LENGTH]);

impl PrivateKey {
    /// A new key from the machine's randomness.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of these 32 bytes, RFC 8032's private key. For tests and for those who bring their own randomness.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads unencrypted PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` and [`Self::to_pem`] write it.
    ///
    /// # Errors
    /// Any [`KeyError`] but `OtherId` and `NoRandomness`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        match label(text) {
            Some(PRIVATE_LABEL) => {}
            Some("ENCRYPTED PRIVATE KEY") => return Err(KeyError::Encrypted),
            Some(found) => {
                return Err(KeyError::OtherLabel { expected: PRIVATE_LABEL, found: found.to_owned() });
            }
            None if text.contains("minisign encrypted secret key") => return Err(KeyError::Encrypted),
            None => return Err(KeyError::Unknown),
        }
        SigningKey::from_pkcs8_pem(text.trim()).map(Self).map_err(|_| KeyError::NotEd25519)
    }

    /// PKCS#8 PEM, version 1: OpenSSL 3 does not read version 2, which carries the public key too.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        // Encoding 32 bytes into a fixed frame cannot fail.
        pair.to_pkcs8_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The other half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs. The same key and message always give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.public().id())
    }
}

impl PublicKey {
    /// SPKI PEM: what `openssl pkey -pubin` reads.
    #[must_use]
    pub fn to_pem(&self) -> String {
        // Encoding 32 bytes into a fixed frame cannot fail.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The line that `minisign -P` takes.
    #[must_use]
    pub fn to_minisign(&self) -> String {
        let mut bytes = MINISIGN_ALGORITHM.to_vec();
        bytes.extend(self.id().to_minisign());
        bytes.extend(self.0.as_bytes());
        STANDARD.encode(bytes)
    }

    /// The key's name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let der = self.0.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default();
        let mut id = [0; 8];
        id.copy_from_slice(&Sha256::digest(der)[..8]);
        KeyId(id)
    }

    /// Verifies, strictly.
    ///
    /// # Errors
    /// [`VerifyError::Mismatch`]: the message, the signature or the key is another one; which, mathematics cannot tell.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), VerifyError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| VerifyError::Mismatch)
    }

    fn checked(key: VerifyingKey) -> Result<Self, KeyError> {
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(Self(key)) }
    }

    fn from_minisign(line: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(line).map_err(|_| KeyError::Unknown)?;
        let (Some(algorithm), Some(id), Some(point)) = (bytes.get(..2), bytes.get(2..10), bytes.get(10..)) else {
            return Err(KeyError::Unknown);
        };
        if algorithm != MINISIGN_ALGORITHM {
            return Err(KeyError::Unknown);
        }
        let point = point.try_into().map_err(|_| KeyError::NotEd25519)?;
        let key = Self::checked(VerifyingKey::from_bytes(point).map_err(|_| KeyError::NotEd25519)?)?;
        let found = KeyId::from_minisign(id).ok_or(KeyError::Unknown)?;
        if found != key.id() {
            return Err(KeyError::OtherId { expected: key.id(), found });
        }
        Ok(key)
    }
}

/// SPKI PEM, a minisign key file (two lines) or its second line alone.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match label(text) {
            Some(PUBLIC_LABEL) => {
                let key = VerifyingKey::from_public_key_pem(text.trim()).map_err(|_| KeyError::NotEd25519)?;
                Self::checked(key)
            }
            Some(found) => Err(KeyError::OtherLabel { expected: PUBLIC_LABEL, found: found.to_owned() }),
            None => {
                let mut lines = text.trim().lines();
                let line = match (lines.next(), lines.next(), lines.next()) {
                    (Some(line), None, None) => line,
                    (Some(comment), Some(line), None) if comment.starts_with(MINISIGN_COMMENT) => line,
                    _ => return Err(KeyError::Unknown),
                };
                Self::from_minisign(line.trim())
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl KeyId {
    /// minisign keeps the id as a little-endian number.
    pub(crate) fn to_minisign(self) -> [u8; 8] {
        let mut bytes = self.0;
        bytes.reverse();
        bytes
    }

    pub(crate) fn from_minisign(bytes: &[u8]) -> Option<Self> {
        let mut bytes: [u8; 8] = bytes.try_into().ok()?;
        bytes.reverse();
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// 16 upper-case hexadecimal digits.
impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let upper = text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
        if text.len() != 16 || !upper {
            return Err(KeyError::Unknown);
        }
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| KeyError::Unknown)
    }
}

impl Signature {
    /// Bytes of a signature.
    pub const LENGTH: usize = 64;

    /// The signature, if there are exactly as many bytes as one has.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", STANDARD.encode(self.0))
    }
}

/// What the first PEM block of a text calls itself.
fn label(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim_end).find(|line| line.starts_with("-----BEGIN "))?;
    let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    // It is repeated in errors: only what a label may be made of.
    let plain = label.len() <= 40
        && label.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    plain.then_some(label)
}
