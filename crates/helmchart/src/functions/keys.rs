//! Private keys: made, read from PEM, written, signing.

use crypto_bigint::BoxedUint;
use ed25519_dalek::Signer as _;
use gotemplate::FunctionError;
use num_bigint::BigUint;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use sha2::{Digest as _, Sha256};

use super::der::{self, Pem, Reader};
use super::primes;
use super::random::Random;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const NULL: &[u8] = &[0x05, 0x00];

/// The public exponent of new RSA keys, as Go's `rsa.GenerateKey` has it.
const EXPONENT: u64 = 65_537;

/// Largest RSA key that is read. Larger ones take minutes to sign with.
const LARGEST_RSA: usize = 8_192;

/// A private key.
pub(crate) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    Ecdsa(Box<p256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// Written and read, but nothing signs with it; its PKCS-like sequence of numbers.
    Dsa(Vec<u8>),
}

impl PrivateKey {
    /// A new RSA key of this many bits, a multiple of 16.
    pub(crate) fn new_rsa(random: &Random, bits: usize) -> Result<Self, FunctionError> {
        let prime = || Self::prime_of_rsa(random, bits);
        Self::of_primes([prime()?, prime()?])
    }

    /// One of the two primes of such a key.
    pub(crate) fn prime_of_rsa(random: &Random, bits: usize) -> Result<BoxedUint, FunctionError> {
        primes::of_rsa(random, bits / 16, EXPONENT)
    }

    /// The RSA key of two primes.
    pub(crate) fn of_primes(primes: [BoxedUint; 2]) -> Result<Self, FunctionError> {
        let key = rsa::PrivateKey::from_primes(primes.to_vec(), EXPONENT.into())
            .map_err(|error| FunctionError::new(format!("error generating rsa key: {error}")))?;
        Ok(Self::Rsa(Box::new(key)))
    }

    /// A new key on the curve P-256.
    pub(crate) fn new_ecdsa(random: &Random) -> Result<Self, FunctionError> {
        loop {
            // A number beyond the curve's order is not a key; that hardly ever happens.
            let bytes: [u8; 32] = random.array()?;
            if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&bytes) {
                return Ok(Self::Ecdsa(Box::new(key)));
            }
        }
    }

    /// A new Ed25519 key.
    pub(crate) fn new_ed25519(random: &Random) -> Result<Self, FunctionError> {
        Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&random.array()?))))
    }

    /// A new DSA key with 2048 and 256 bits.
    pub(crate) fn new_dsa(random: &Random) -> Result<Self, FunctionError> {
        let one = BigUint::from(1_u32);
        let (q, p) = primes::of_dsa(random)?;
        let power = (&p - &one) / &q;
        let g = (2_u32..).map(|base| BigUint::from(base).modpow(&power, &p)).find(|g| *g != one).unwrap_or(one.clone());
        let x = BigUint::from_bytes_be(&random.array::<40>()?) % (&q - &one) + &one;
        let y = g.modpow(&x, &p);
        let numbers: Vec<Vec<u8>> =
            [BigUint::ZERO, p, q, g, y, x].iter().map(|number| der::unsigned(&number.to_bytes_be())).collect();
        Ok(Self::Dsa(der::element(der::SEQUENCE, &numbers.concat())))
    }

    /// sprig's `parsePrivateKeyPEM`.
    pub(crate) fn parse(pem: &str) -> Result<Self, String> {
        let Some(block) = Pem::first(pem) else { return Err("no PEM data in input".to_owned()) };
        let label = block.label.as_str();
        if label == "PRIVATE KEY" {
            return Self::parse_pkcs8(&block.bytes).map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        let Some(kind) = label.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {label}"));
        };
        match kind {
            "RSA" => parse_rsa(&block.bytes).map_err(|error| format!("parsing RSA private key from PEM: {error}")),
            "EC" => parse_ec(&block.bytes).map_err(|error| format!("parsing EC private key from PEM: {error}")),
            "DSA" => {
                let numbers = Reader::new(&block.bytes)
                    .sequence()
                    .map(|mut numbers| (0..6).all(|_| numbers.unsigned().is_some()));
                match numbers {
                    Some(true) => Ok(Self::Dsa(block.bytes)),
                    _ => Err("parsing DSA private key from PEM: asn1: structure error".to_owned()),
                }
            }
            _ => Err(format!("invalid private key type {kind}")),
        }
    }

    fn parse_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        let malformed = || "asn1: structure error: malformed private key".to_owned();
        let mut body = Reader::new(bytes).sequence().ok_or_else(malformed)?;
        body.unsigned().ok_or_else(malformed)?;
        let mut algorithm = body.sequence().ok_or_else(malformed)?;
        let id = algorithm.expect(der::OBJECT_ID).ok_or_else(malformed)?;
        let key = body.expect(der::OCTET_STRING).ok_or_else(malformed)?;
        match id {
            RSA => parse_rsa(key)
                .map_err(|error| format!("x509: failed to parse RSA private key embedded in PKCS#8: {error}")),
            EC => parse_ec(key)
                .map_err(|error| format!("x509: failed to parse EC private key embedded in PKCS#8: {error}")),
            ED25519 => {
                let seed = Reader::new(key).expect(der::OCTET_STRING).ok_or_else(malformed)?;
                let seed = <[u8; 32]>::try_from(seed)
                    .map_err(|_| format!("x509: invalid Ed25519 private key length: {}", seed.len()))?;
                Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed))))
            }
            _ => Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".to_owned()),
        }
    }

    /// sprig's `pemBlockForKey`.
    pub(crate) fn pem(&self) -> Result<String, FunctionError> {
        Ok(match self {
            Self::Rsa(key) => {
                let document = key.to_pkcs1_der().map_err(|error| FunctionError::new(error.to_string()))?;
                Pem::write("RSA PRIVATE KEY", document.as_bytes())
            }
            Self::Ecdsa(key) => {
                let curve = der::element(der::context(0), &der::element(der::OBJECT_ID, P256));
                let public = der::element(der::context(1), &der::bit_string(&self.public_bytes()?));
                let secret = der::element(der::OCTET_STRING, &key.to_bytes());
                Pem::write("EC PRIVATE KEY", &der::sequence(&[&der::unsigned(&[1]), &secret, &curve, &public]))
            }
            Self::Ed25519(key) => {
                let seed = der::element(der::OCTET_STRING, &der::element(der::OCTET_STRING, &key.to_bytes()));
                Pem::write("PRIVATE KEY", &der::sequence(&[&der::unsigned(&[0]), &self.algorithm(), &seed]))
            }
            Self::Dsa(numbers) => Pem::write("DSA PRIVATE KEY", numbers),
        })
    }

    /// The key's algorithm, as a certificate names it.
    pub(crate) fn algorithm(&self) -> Vec<u8> {
        let id = |id| der::element(der::OBJECT_ID, id);
        match self {
            Self::Rsa(_) => der::sequence(&[&id(RSA), NULL]),
            Self::Ecdsa(_) => der::sequence(&[&id(EC), &id(P256)]),
            Self::Ed25519(_) | Self::Dsa(_) => der::sequence(&[&id(ED25519)]),
        }
    }

    /// The signature's algorithm, as a certificate names it.
    pub(crate) fn signature_algorithm(&self) -> Vec<u8> {
        let id = |id| der::element(der::OBJECT_ID, id);
        match self {
            Self::Rsa(_) => der::sequence(&[&id(RSA_SHA256), NULL]),
            Self::Ecdsa(_) => der::sequence(&[&id(ECDSA_SHA256)]),
            Self::Ed25519(_) | Self::Dsa(_) => der::sequence(&[&id(ED25519)]),
        }
    }

    /// The public key, as it stands in a certificate's bit string.
    pub(crate) fn public_bytes(&self) -> Result<Vec<u8>, FunctionError> {
        Ok(match self {
            Self::Rsa(key) => {
                let document = key.to_public_key().to_pkcs1_der();
                document.map_err(|error| FunctionError::new(error.to_string()))?.as_bytes().to_vec()
            }
            Self::Ecdsa(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Self::Dsa(_) => {
                return Err("error creating certificate: x509: unsupported public key type: *dsa.PublicKey".into());
            }
        })
    }

    /// A signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, FunctionError> {
        let failed = |error: &dyn std::fmt::Display| FunctionError::new(format!("error creating certificate: {error}"));
        match self {
            Self::Rsa(key) => {
                key.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)).map_err(|error| failed(&error))
            }
            Self::Ecdsa(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).map_err(|error| failed(&error))?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) => Err(failed(&"x509: certificate private key does not implement crypto.Signer")),
        }
    }
}

fn parse_rsa(bytes: &[u8]) -> Result<PrivateKey, String> {
    let modulus = Reader::new(bytes).sequence().and_then(|mut numbers| {
        numbers.unsigned()?;
        numbers.unsigned()
    });
    let Some(modulus) = modulus else { return Err("asn1: structure error: malformed RSA key".to_owned()) };
    if modulus.len() * 8 > LARGEST_RSA {
        return Err(format!("crypto/rsa: {}-bit keys are too large", modulus.len() * 8));
    }
    let key = rsa::PrivateKey::from_pkcs1_der(bytes).map_err(|error| error.to_string())?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

fn parse_ec(bytes: &[u8]) -> Result<PrivateKey, String> {
    let malformed = || "x509: failed to parse EC private key: asn1: structure error".to_owned();
    let mut body = Reader::new(bytes).sequence().ok_or_else(malformed)?;
    if body.unsigned().ok_or_else(malformed)? != [1] {
        return Err("x509: unknown EC private key version".to_owned());
    }
    let secret = body.expect(der::OCTET_STRING).ok_or_else(malformed)?;
    if let Some(curve) = body.expect(der::context(0))
        && Reader::new(curve).expect(der::OBJECT_ID) != Some(P256)
    {
        return Err("x509: only the curve P-256 is supported here".to_owned());
    }
    let skip = secret.iter().take_while(|byte| **byte == 0).count().min(secret.len().saturating_sub(32));
    let mut padded = [0; 32];
    let secret = &secret[skip..];
    let start = padded.len().checked_sub(secret.len()).ok_or("x509: invalid private key length")?;
    padded[start..].copy_from_slice(secret);
    let key =
        p256::ecdsa::SigningKey::from_slice(&padded).map_err(|_| "x509: invalid elliptic curve private key value")?;
    Ok(PrivateKey::Ecdsa(Box::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_takes_the_keys_for_keys() {
        let Some(openssl) = testkit::tool("openssl") else { return };
        let random = Random::seeded([7; 32]);
        let keys = [
            PrivateKey::new_rsa(&random, 2_048),
            PrivateKey::new_dsa(&random),
            PrivateKey::new_ecdsa(&random),
            PrivateKey::new_ed25519(&random),
        ];
        for key in keys {
            let pem = key.and_then(|key| key.pem()).unwrap();
            let check = testkit::Cli::new(&openssl).args(["pkey", "-check", "-noout"]).stdin(pem);
            check.stdout("Key is valid\n").run();
        }
    }
}
