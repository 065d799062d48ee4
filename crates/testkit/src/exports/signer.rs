use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::Signature;

/// What stands before a key's bytes in its SubjectPublicKeyInfo: RFC 5480 for a point of P-256, RFC 8410 for Ed25519.
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
const ED25519: &str = "302a300506032b6570032100";

/// Two keys, one of each kind, of one stand-in alone.
pub(super) struct Signer {
    es256: EcdsaKeyPair,
    eddsa: Ed25519KeyPair,
    random: SystemRandom,
}

impl Signer {
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let es256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        let eddsa = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref());
        Self { es256: es256.expect("a key that was just made"), eddsa: eddsa.expect("so is this"), random }
    }

    /// The SPKI PEM of one of the keys.
    pub(super) fn public_key(&self, eddsa: bool) -> String {
        let (prefix, key) = match eddsa {
            true => (ED25519, self.eddsa.public_key().as_ref()),
            false => (P256, self.es256.public_key().as_ref()),
        };
        let mut der: Vec<u8> = (0..prefix.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&prefix[at..at + 2], 16).expect("a constant of hex digits"))
            .collect();
        der.extend_from_slice(key);
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// A compact JWS over `bytes`, without a line end, where the form is one.
    pub(super) fn sign(&self, form: &Signature, bytes: &[u8]) -> Option<Vec<u8>> {
        let (eddsa, b64, attached) = match form {
            Signature::Absent => return None,
            Signature::Attached { eddsa } => (*eddsa, true, true),
            Signature::Detached { eddsa, b64 } => (*eddsa, *b64, false),
        };
        let algorithm = if eddsa { "EdDSA" } else { "ES256" };
        let header = match b64 {
            true => format!(r#"{{"alg":"{algorithm}","kid":"mirror-test"}}"#),
            false => format!(r#"{{"alg":"{algorithm}","kid":"mirror-test","b64":false,"crit":["b64"]}}"#),
        };
        let mut input = URL_SAFE_NO_PAD.encode(header).into_bytes();
        let header = input.len();
        input.push(b'.');
        match b64 {
            true => input.extend_from_slice(URL_SAFE_NO_PAD.encode(bytes).as_bytes()),
            false => input.extend_from_slice(bytes),
        }
        let signature = match eddsa {
            true => URL_SAFE_NO_PAD.encode(self.eddsa.sign(&input)),
            false => URL_SAFE_NO_PAD.encode(self.es256.sign(&self.random, &input).expect("ECDSA signs")),
        };
        if !attached {
            input.truncate(header + 1);
        }
        input.push(b'.');
        input.extend_from_slice(signature.as_bytes());
        Some(input)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}
