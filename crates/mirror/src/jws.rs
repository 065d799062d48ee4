//! `bundle.json.jws`: a signature in the compact form of RFC 7515, by a key that is known beforehand.
//!
//! Three shapes are understood: the bundle inside, or an empty middle part with the bundle beside it, signed as base64url text or, by
//! RFC 7797, as it is (`"b64": false`). Start from [`PublicKey::from_pem`] and [`Jws::parse`].
//!
//! Threats, and the answer to each:
//! - `none`, HMAC with a public key as its secret, and other confusions: the key decides which algorithm there may be, the header has
//!   to agree, and only two are known;
//! - a key or an address of one in the header (`jwk`, `x5c`, `jku`): never looked at, `kid` neither; it is information;
//! - what must be understood and is not: any `crit` but `b64` is refused, and `b64` without its `crit`;
//! - several spellings of one signature: base64url must be canonical, a member of the header is there once, nothing follows but one line end;
//! - a good signature over something else: an inner bundle must be the bundle byte for byte.

mod encoding;
mod key;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use key::{KeyError, PublicKey};

use crate::exports::limits::LARGEST_JWS;
use encoding::decoded;

/// A header says an algorithm and little else; certificates in it, which are not used, may be some kilobytes.
const LONGEST_HEADER: usize = 64 * 1024;

/// How long an id of a key is shown.
const LONGEST_KEY_ID: usize = 100;

/// A signature that has been read, but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws<'a> {
    header: &'a str,
    /// Nothing where it is detached.
    payload: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    shape: Shape,
    key_id: Option<String>,
}

/// What the header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// Where the bundle is, and how it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Attached,
    Detached,
    /// By RFC 7797.
    DetachedUnencoded,
}

/// Why a text is no signature that can be verified, or why it is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("it has {0} bytes, and at most {LARGEST_JWS} are read")]
    TooLarge(usize),
    #[error("it is no compact JWS: it has {0} parts instead of 3")]
    Parts(usize),
    #[error("its {0} is not canonical base64url")]
    Encoding(&'static str),
    #[error("its header has {0} bytes, and at most {LONGEST_HEADER} are read")]
    LongHeader(usize),
    #[error("its header is not a JSON object with each member once")]
    Header,
    #[error("the member `{0}` of its header is of another type than it must be")]
    Member(&'static str),
    #[error("its header names no algorithm")]
    NoAlgorithm,
    #[error("its header asks for the algorithm `{0}`; only `ES256` and `EdDSA` are known")]
    UnknownAlgorithm(String),
    #[error("its header asks that `{0}` is understood, and it is not")]
    UnknownCritical(String),
    #[error("its header has `b64` without naming it in `crit`")]
    NotCritical,
    #[error("its `crit` names members that are not there, are there twice, or none at all")]
    Critical,
    #[error("it has an unencoded bundle inside, which only works beside it")]
    UnencodedInside,
    #[error("its signature has {0} bytes instead of 64")]
    Length(usize),
    #[error("it was made with {found}, and the key is one for {expected}")]
    OtherAlgorithm { expected: &'static str, found: &'static str },
    #[error("the bundle inside is not the one beside it")]
    OtherPayload,
    #[error("the signature does not belong to these bytes and this key")]
    Mismatch,
}

impl Algorithm {
    /// As a header names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl Shape {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attached => "attached",
            Self::Detached => "detached",
            Self::DetachedUnencoded => "detached, unencoded",
        }
    }
}

impl<'a> Jws<'a> {
    /// Reads a signature. What it says is checked; that it is true is not.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.len() > LARGEST_JWS {
            return Err(Error::TooLarge(bytes.len()));
        }
        // An editor or a shell may have ended the line; it means nothing.
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Encoding("text"))?;
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Parts(text.split('.').count()));
        };
        if header.len() > LONGEST_HEADER {
            return Err(Error::LongHeader(header.len()));
        }
        let members = members(&decoded(header, "header")?)?;
        let algorithm = algorithm(&members)?;
        let shape = match (is_encoded(&members)?, payload) {
            (true, "") => Shape::Detached,
            (true, _) => Shape::Attached,
            (false, "") => Shape::DetachedUnencoded,
            (false, _) => return Err(Error::UnencodedInside),
        };
        let signature = decoded(signature, "signature")?;
        if signature.len() != 64 {
            return Err(Error::Length(signature.len()));
        }
        let key_id = text_member(&members, "kid")?.map(|id| id.chars().take(LONGEST_KEY_ID).collect());
        Ok(Self { header, payload, signature, algorithm, shape, key_id })
    }

    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What the header says of the key: a text of the other side, and no proof of anything.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether what is inside, if anything is, is this bundle. It needs no key and proves nothing but that they belong together.
    pub fn is_of(&self, bundle: &[u8]) -> Result<(), Error> {
        match self.shape {
            Shape::Attached if decoded(self.payload, "middle part")? != bundle => Err(Error::OtherPayload),
            _ => Ok(()),
        }
    }

    /// Whether it is a signature of this bundle by this key.
    pub fn verify(&self, bundle: &[u8], key: &PublicKey) -> Result<(), Error> {
        if key.algorithm() != self.algorithm {
            let (expected, found) = (key.algorithm().as_str(), self.algorithm.as_str());
            return Err(Error::OtherAlgorithm { expected, found });
        }
        self.is_of(bundle)?;
        let encoded;
        let payload = match self.shape {
            Shape::Attached => self.payload.as_bytes(),
            Shape::Detached => {
                encoded = encoding::encoded(bundle);
                encoded.as_bytes()
            }
            Shape::DetachedUnencoded => bundle,
        };
        if key.is_signed(&[self.header.as_bytes(), b".", payload], &self.signature) {
            Ok(())
        } else {
            Err(Error::Mismatch)
        }
    }
}

type Members = std::collections::BTreeMap<String, Value>;

/// The header's members, each there once. Parsers disagree on which of two counts.
fn members(bytes: &[u8]) -> Result<Members, Error> {
    struct Once;

    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = Members;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
            let mut members = Members::new();
            while let Some((name, value)) = object.next_entry()? {
                if members.insert(name, value).is_some() {
                    return Err(serde::de::Error::custom("twice"));
                }
            }
            Ok(members)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let members = serde::Deserializer::deserialize_map(&mut reader, Once);
    members.and_then(|members| reader.end().map(|()| members)).map_err(|_| Error::Header)
}

fn text_member<'a>(members: &'a Members, name: &'static str) -> Result<Option<&'a str>, Error> {
    members.get(name).map(|value| value.as_str().ok_or(Error::Member(name))).transpose()
}

fn algorithm(members: &Members) -> Result<Algorithm, Error> {
    match text_member(members, "alg")?.ok_or(Error::NoAlgorithm)? {
        "ES256" => Ok(Algorithm::Es256),
        // The second is the name that says which curve (RFC 9864).
        "EdDSA" | "Ed25519" => Ok(Algorithm::EdDsa),
        other => Err(Error::UnknownAlgorithm(plain(other))),
    }
}

/// Whether the bundle is signed as base64url, which is so unless the header says otherwise and insists on it.
fn is_encoded(members: &Members) -> Result<bool, Error> {
    let encoded = members.get("b64").map(|value| value.as_bool().ok_or(Error::Member("b64"))).transpose()?;
    let critical = match members.get("crit") {
        None => Vec::new(),
        Some(Value::Array(names)) if names.is_empty() => return Err(Error::Critical),
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().ok_or(Error::Member("crit")));
            names.collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(Error::Member("crit")),
    };
    if let Some(unknown) = critical.iter().find(|name| **name != "b64") {
        return Err(Error::UnknownCritical(plain(unknown)));
    }
    match (critical.len(), encoded) {
        (0, None) => Ok(true),
        (0, Some(_)) => Err(Error::NotCritical),
        (1, Some(encoded)) => Ok(encoded),
        _ => Err(Error::Critical),
    }
}

/// A word of the other side, safe to show.
fn plain(text: &str) -> String {
    text.chars().take(40).map(|char| if char.is_ascii_graphic() { char } else { '?' }).collect()
}
