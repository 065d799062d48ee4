//! Public keys, as OpenSSL writes them: a PEM block with a SubjectPublicKeyInfo.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey as EdKey;
use p256::ecdsa::VerifyingKey as EcKey;
use p256::ecdsa::signature::MultipartVerifier as _;
use sha2::{Digest as _, Sha256};

use super::Algorithm;

/// A key with which signatures are verified. It decides the algorithm.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Key,
    /// SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal digits.
    fingerprint: String,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Es256(Box<EcKey>),
    EdDsa(Box<EdKey>),
}

/// Why a text is no key that can be used. Nothing of the text is in it: it may be a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("it has no PEM block `PUBLIC KEY`")]
    NotPem,
    #[error("it holds a private key; give the public one, which `openssl pkey -in KEY -pubout` writes")]
    Private,
    #[error("it holds a certificate; give its key, which `openssl x509 -in CERT -noout -pubkey` writes")]
    Certificate,
    #[error("it holds more than one key")]
    Several,
    #[error("its PEM block is damaged")]
    Damaged,
    #[error("it is a key of another kind; ECDSA over P-256 and Ed25519 are known")]
    OtherKind,
    #[error("it is no point of its curve, or one for which everybody can sign")]
    Weak,
}

/// What stands before an uncompressed point of P-256 (RFC 5480), and before a key of Ed25519 (RFC 8410). With DER there is one spelling.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PublicKey {
    /// Reads a PEM text. What stands before and after the block is overlooked, as OpenSSL does.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
        const END: &str = "-----END PUBLIC KEY-----";
        let Some((_, rest)) = text.split_once(BEGIN) else {
            return Err(match text {
                text if text.contains("PRIVATE KEY-----") => KeyError::Private,
                text if text.contains("CERTIFICATE-----") => KeyError::Certificate,
                _ => KeyError::NotPem,
            });
        };
        if rest.contains(BEGIN) {
            return Err(KeyError::Several);
        }
        let (body, _) = rest.split_once(END).ok_or(KeyError::Damaged)?;
        let body: String = body.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        Self::from_der(&STANDARD.decode(body).map_err(|_| KeyError::Damaged)?)
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = if let Some(point) = der.strip_prefix(P256) {
            if point.len() != 65 || point.first() != Some(&4) {
                return Err(KeyError::Damaged);
            }
            Key::Es256(Box::new(EcKey::from_sec1_bytes(point).map_err(|_| KeyError::Weak)?))
        } else if let Some(key) = der.strip_prefix(ED25519) {
            let key = EdKey::from_bytes(key.try_into().map_err(|_| KeyError::Damaged)?).map_err(|_| KeyError::Weak)?;
            if key.is_weak() {
                return Err(KeyError::Weak);
            }
            Key::EdDsa(Box::new(key))
        } else {
            return Err(KeyError::OtherKind);
        };
        let fingerprint = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { key, fingerprint })
    }

    /// The only algorithm whose signatures it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Es256(_) => Algorithm::Es256,
            Key::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// SHA-256 of the key as DER: what `openssl pkey -pubin -outform DER | sha256sum` prints.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn is_signed(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        match &self.key {
            Key::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.multipart_verify(message, &signature).is_ok()),
            // Strict: a signature has one form, and one key.
            Key::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(&message.concat(), &signature).is_ok()),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm().as_str(), self.fingerprint)
    }
}
