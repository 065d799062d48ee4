use std::fmt;
use std::str::FromStr;

use rcgen::{KeyPair, SignatureAlgorithm};
use rsa::pkcs8::EncodePrivateKey as _;
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// What kind of key a certificate has. Its issuer's kind decides how it is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on the curve P-256: understood everywhere, and a key takes well below a millisecond.
    #[default]
    P256,
    /// Ed25519. Go, rustls and OpenSSL take it; browsers do not.
    Ed25519,
    /// RSA with 3072 bits, which NIST rates as strong as P-256 (SP 800-57). A key takes around a second.
    Rsa,
}

/// Bits of an RSA key.
const RSA_BITS: usize = 3072;

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 version 1 (RFC 8410, section 7).
///
/// Written here because `ring` makes version 2, which OpenSSL 3.0 does not read.
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl Algorithm {
    /// All, in the order of the help.
    pub const ALL: [Self; 3] = [Self::P256, Self::Ed25519, Self::Rsa];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }

    fn signature(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::Ed25519 => &rcgen::PKCS_ED25519,
            Self::Rsa => &rcgen::PKCS_RSA_SHA256,
        }
    }

    /// The kind of a key that this program can sign with.
    pub(crate) fn of(key: &KeyPair) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| key.is_compatible(algorithm.signature()))
    }

    /// A new key.
    pub(crate) fn new_key(self) -> Result<KeyPair, Error> {
        let failed = |reason: String| Error::new(ErrorKind::Crypto { what: "make a key", reason });
        match self {
            Self::P256 => KeyPair::generate_for(self.signature()).map_err(|error| failed(error.to_string())),
            Self::Ed25519 => {
                let mut pkcs8 = Zeroizing::new([0; 48]);
                pkcs8[..16].copy_from_slice(&ED25519_PKCS8);
                getrandom::fill(&mut pkcs8[16..]).map_err(|error| failed(error.to_string()))?;
                self.read(&pkcs8[..]).map_err(failed)
            }
            Self::Rsa => {
                let key = rsa::PrivateKey::new(&mut getrandom::SysRng, RSA_BITS)
                    .map_err(|error| failed(error.to_string()))?;
                let pkcs8 = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
                self.read(pkcs8.as_bytes()).map_err(failed)
            }
        }
    }

    fn read(self, pkcs8: &[u8]) -> Result<KeyPair, String> {
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), self.signature())
            .map_err(|error| error.to_string())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| "the algorithms are p256, ed25519 and rsa".to_owned())
    }
}
