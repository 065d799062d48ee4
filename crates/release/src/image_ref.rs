//! Image references, in every spelling of the distribution grammar.
//!
//! Source of the rules: the reference grammar of the `distribution` project and Docker's normalisation of short names.
//! References come from files that others wrote: parsing is linear, allocates at most the text once more, and every
//! range that it gives lies within the text.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::digest::{Digest, DigestError};

/// Registry of names that name none.
const DOCKER_HUB: &str = "docker.io";
/// Its former name; both mean the same.
const LEGACY_DOCKER_HUB: &str = "index.docker.io";
/// Where Docker Hub keeps the official images: `nats` is `docker.io/library/nats`.
const OFFICIAL: &str = "library/";
/// Longest repository that registries take.
const LONGEST_REPOSITORY: usize = 255;
/// Longest tag that registries take.
const LONGEST_TAG: usize = 128;
/// A bare name of 64 hexadecimal digits is an image id, not a repository.
const IMAGE_ID_DIGITS: usize = 64;

/// A valid image reference, normalised, with the places of its parts in the text that was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
    ranges: Ranges,
}

/// Byte ranges in the text that was parsed, as it was spelled there (`nats` for the repository `library/nats`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    /// The registry with its port, where one was written.
    pub registry: Option<Range<usize>>,
    pub repository: Range<usize>,
    /// The tag, without its `:`.
    pub tag: Option<Range<usize>>,
    /// The digest with its algorithm, without its `@`.
    pub digest: Option<Range<usize>>,
    /// The whole reference.
    pub whole: Range<usize>,
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefError {
    #[error("an image reference must not be empty")]
    Empty,
    #[error("`{0}` is an image id; give the repository that holds the image")]
    ImageId(String),
    #[error("repository `{0}` must be lower-case")]
    Uppercase(String),
    #[error(
        "`{0}` is no repository name; it is lower-case letters and digits, joined by `.`, `_`, `__` or `-`, in parts separated by `/`"
    )]
    Repository(String),
    #[error("repository `{name}` has {length} characters; registries take at most {LONGEST_REPOSITORY}")]
    TooLong { name: String, length: usize },
    #[error(
        "`{0}` is no tag; it is up to {LONGEST_TAG} letters, digits, `_`, `.` and `-`, not starting with `.` or `-`"
    )]
    Tag(String),
    #[error("{0}")]
    Digest(#[from] DigestError),
}

impl ImageRef {
    /// The registry with its port, such as `docker.io` or `localhost:5000`. Empty in the rare case of a host part
    /// that is no host name (`my_host.example/app`), as the grammar has it.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry, such as `library/nats`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Registry and repository: what a release manifest lists as `image`.
    #[must_use]
    pub fn name(&self) -> String {
        if self.registry.is_empty() {
            self.repository.clone()
        } else {
            format!("{}/{}", self.registry, self.repository)
        }
    }

    /// The last part of the repository, such as `nats`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }

    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Where the parts stand in the text that was parsed.
    #[must_use]
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// Whether both name the same repository of the same registry.
    #[must_use]
    pub fn same_name(&self, other: &Self) -> bool {
        self.registry == other.registry && self.repository == other.repository
    }

    /// The same image under another registry. Ranges stay those of the text that was parsed.
    #[must_use]
    pub fn with_registry(&self, registry: &str) -> Self {
        Self { registry: registry.to_owned(), ..self.clone() }
    }
}

impl FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        if text.is_empty() {
            return Err(ImageRefError::Empty);
        }
        if text.len() == IMAGE_ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ImageRefError::ImageId(text.to_owned()));
        }
        let (named, digest) = match text.find('@') {
            Some(at) => (&text[..at], Some(at + 1..text.len())),
            None => (text, None),
        };
        let last_part = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named[last_part..].find(':') {
            Some(colon) => (&named[..last_part + colon], Some(last_part + colon + 1..named.len())),
            None => (named, None),
        };
        let place = place_name(name);
        let repository = [place.prefix, &name[place.repository.clone()]].concat();
        check_name(place.registry, &repository, text)?;
        let tag_text = tag.clone().map(|range| &text[range]);
        if let Some(tag) = tag_text
            && !is_tag(tag)
        {
            return Err(ImageRefError::Tag(tag.to_owned()));
        }
        let digest_value = digest.clone().map(|range| text[range].parse()).transpose()?;
        // A host part that is no host name is the first part of the repository.
        let (registry, repository) = if is_host(place.registry) {
            (place.registry.to_owned(), repository)
        } else {
            (String::new(), format!("{}/{repository}", place.registry))
        };
        let ranges =
            Ranges { registry: place.spelled, repository: place.repository, tag, digest, whole: 0..text.len() };
        Ok(Self { registry, repository, tag: tag_text.map(str::to_owned), digest: digest_value, ranges })
    }
}

/// What Docker's normalisation makes of a name.
struct Placed<'a> {
    registry: &'a str,
    /// What the short spelling left out of the repository.
    prefix: &'static str,
    repository: Range<usize>,
    spelled: Option<Range<usize>>,
}

fn place_name(name: &str) -> Placed<'_> {
    let hub = |prefix| Placed { registry: DOCKER_HUB, prefix, repository: 0..name.len(), spelled: None };
    let Some((first, rest)) = name.split_once('/') else { return hub(OFFICIAL) };
    let is_registry = first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase);
    if !is_registry {
        return hub("");
    }
    let registry = if first == LEGACY_DOCKER_HUB { DOCKER_HUB } else { first };
    let prefix = if registry == DOCKER_HUB && !rest.contains('/') { OFFICIAL } else { "" };
    Placed { registry, prefix, repository: first.len() + 1..name.len(), spelled: Some(0..first.len()) }
}

fn check_name(registry: &str, repository: &str, text: &str) -> Result<(), ImageRefError> {
    if repository.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
        && repository.chars().any(char::is_uppercase)
    {
        return Err(ImageRefError::Uppercase(repository.to_owned()));
    }
    if !repository.split('/').all(is_path_part) {
        return Err(ImageRefError::Repository(text.to_owned()));
    }
    let length = if is_host(registry) {
        repository.len()
    } else if is_path_part(registry) {
        registry.len() + 1 + repository.len()
    } else {
        return Err(ImageRefError::Repository(text.to_owned()));
    };
    if length > LONGEST_REPOSITORY {
        return Err(ImageRefError::TooLong { name: repository.to_owned(), length });
    }
    Ok(())
}

/// `[a-z0-9]+` joined by one `.`, one or two `_`, or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let bytes = part.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !is_word(first) || !is_word(last) {
        return false;
    }
    bytes
        .split(is_word)
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-'))
}

/// A host name, an IPv4 address or an IPv6 address in brackets; with or without a port.
fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        let Some((address, port)) = inner.split_once(']') else { return false };
        let digits = !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        return digits && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    port.is_none_or(is_port) && host.as_bytes().split(|byte| *byte == b'.').all(is_host_part)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host_part(part: &[u8]) -> bool {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return false };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether a text can be a tag.
#[must_use]
pub fn is_tag(tag: &str) -> bool {
    let starts_well = tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    starts_well
        && tag.len() <= LONGEST_TAG
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// The full normalised spelling: `docker.io/library/nats:2.10@sha256:…`.
impl fmt::Display for ImageRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.registry.is_empty() {
            write!(formatter, "{}/", self.registry)?;
        }
        formatter.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
