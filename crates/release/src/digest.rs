//! The digest of a manifest, as registries write it: `sha256:` and 64 lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

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
        let mut text = String::with_capacity("sha256:".len() + 64);
        text.push_str("sha256:");
        let digits = sha2::Sha256::digest(bytes).into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
        Self(text)
    }

    /// The documented stand-in for a digest that is not public: the sha256 of the reference text `<image>:<tag>`.
    #[must_use]
    pub fn sample(image: &str, tag: &str) -> Self {
        Self::sha256(format!("{image}:{tag}").as_bytes())
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

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::NoAlgorithm)?;
        let Some((algorithm, expected)) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm).copied() else {
            return Err(DigestError::Algorithm(algorithm.to_owned()));
        };
        if let Some(wrong) = hex.chars().find(|digit| !matches!(digit, '0'..='9' | 'a'..='f')) {
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
