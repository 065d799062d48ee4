//! The digest of a manifest, as registries write it: `sha256:` and 64 lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::ImageRef;

/// A valid digest. Nothing downstream checks it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    #[error("a digest is written `sha256:` and 64 hexadecimal digits; this has no `:`")]
    NoAlgorithm,
    #[error("`{0}` is no digest algorithm of image registries; use `sha256`")]
    Algorithm(String),
    #[error("a {algorithm} digest has {expected} hexadecimal digits; this has {found}")]
    Length { algorithm: &'static str, expected: usize, found: usize },
    #[error("`{0}` is no lower-case hexadecimal digit")]
    Digit(char),
}

/// The algorithms that the OCI image specification registers, with the number of their hexadecimal digits.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Hexadecimal digits that tell digests apart when people read them.
const SHORT_DIGITS: usize = 12;

impl Digest {
    /// The sha256 digest of `bytes`.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::of(&sha2::Sha256::digest(bytes))
    }

    fn of(hash: &[u8]) -> Self {
        let mut text = String::with_capacity("sha256:".len() + 2 * hash.len());
        text.push_str("sha256:");
        for byte in hash {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 0xf));
        }
        Self(text)
    }

    /// The documented stand-in for a digest that is not public: the sha256 of the reference text `<image>:<tag>`.
    #[must_use]
    pub fn sample(image: &str, tag: &str) -> Self {
        Self::sha256(format!("{image}:{tag}").as_bytes())
    }

    /// Whether it is the [`Self::sample`] of an image and its tag. Asked of every image of every release there was, so it makes no text.
    pub(crate) fn is_sample_of(&self, image: &ImageRef, tag: &str) -> bool {
        let mut hash = sha2::Sha256::new();
        if !image.registry().is_empty() {
            hash.update(image.registry());
            hash.update("/");
        }
        for part in [image.repository(), ":", tag] {
            hash.update(part);
        }
        let digits = hash.finalize().into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
        self.algorithm() == "sha256" && digits.eq(self.hex().chars())
    }

    /// The whole digest, such as `sha256:5bd0…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm, such as `sha256`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The digest as messages show it: its first digits and an ellipsis.
    #[must_use]
    pub fn short(&self) -> String {
        let hex = self.hex();
        format!("{}:{}…", self.algorithm(), hex.get(..SHORT_DIGITS).unwrap_or(hex))
    }
}

/// The hexadecimal digit of a number below 16.
fn digit(number: u8) -> char {
    char::from(if number < 10 { b'0' + number } else { b'a' - 10 + number })
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::NoAlgorithm)?;
        let Some((algorithm, expected)) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm).copied() else {
            return Err(DigestError::Algorithm(algorithm.to_owned()));
        };
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if let Some(wrong) = hex.bytes().position(|byte| !is_digit(&byte)).and_then(|at| hex.get(at..)?.chars().next())
        {
            return Err(DigestError::Digit(wrong));
        }
        if hex.len() != expected {
            return Err(DigestError::Length { algorithm, expected, found: hex.len() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
