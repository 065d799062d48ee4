//! Manifests: the formats that are asked for, and what an index says of its platforms.

use release::Digest;
use serde::Deserialize;
use sha2::Digest as _;

use crate::fault::{Fault, Kind, shown};

/// Formats of an index of several platforms, then of one image: OCI's and Docker's.
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// What `Accept` says.
pub(crate) fn accepted() -> String {
    [INDEXES, IMAGES].concat().join(", ")
}

/// What a tag points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An index of images, one for each platform.
    Index,
    /// One image.
    Image,
}

impl Shape {
    /// By its format; parameters such as a character set do not count.
    pub(crate) fn of(media_type: &str) -> Option<Self> {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if INDEXES.contains(&media_type) {
            Some(Self::Index)
        } else {
            IMAGES.contains(&media_type).then_some(Self::Image)
        }
    }
}

/// A manifest whose bytes have the digest that they were asked by, or that was promised.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) shape: Shape,
    pub(crate) digest: Digest,
    /// Of an index: platform and digest, in its order.
    pub(crate) platforms: Vec<(String, Digest)>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Default, Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// Reads the bytes of an answer. `promised` is the digest that they were asked by, or that the registry's header says.
pub(crate) fn read(bytes: &[u8], media_type: Option<&str>, promised: Option<&Digest>) -> Result<Manifest, Fault> {
    let digest = match promised {
        Some(promised) => verified(bytes, promised)?,
        None => Digest::sha256(bytes),
    };
    let Some(shape) = media_type.and_then(Shape::of) else {
        let said = media_type.map_or_else(|| "nothing at all".to_owned(), |said| format!("`{}`", shown(said)));
        let message = format!("the answer's media type is {said}; an image's index or manifest was asked for");
        return Err(Fault::new(Kind::WrongMediaType, message));
    };
    let malformed = |why: &str| Fault::new(Kind::MalformedManifest, format!("the manifest is malformed: {why}"));
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // A list would be read as the fields in their order.
        return Err(malformed("it is no JSON object"));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        let why = if error.is_data() { "it has not the fields of one" } else { "it is no JSON" };
        malformed(why)
    })?;
    if document.schema_version != Some(2) {
        return Err(malformed("its `schemaVersion` is not 2"));
    }
    // Two readers that go by the one and by the other would see two different images.
    if let Some(own) = document.media_type.as_deref()
        && Shape::of(own) != Some(shape)
    {
        let message = format!("the manifest says that it is `{}`, the registry says something else", shown(own));
        return Err(Fault::new(Kind::WrongMediaType, message));
    }
    let platforms = match (shape, document.manifests, document.config) {
        (Shape::Index, Some(manifests), None) => manifests
            .into_iter()
            .map(|descriptor| {
                let digest = descriptor.digest.parse().map_err(|_| malformed("one of its digests is none"))?;
                Ok((named(&descriptor.platform.unwrap_or_default()), digest))
            })
            .collect::<Result<_, Fault>>()?,
        (Shape::Image, None, Some(_)) => Vec::new(),
        _ => return Err(malformed("it has not the fields of its media type")),
    };
    Ok(Manifest { shape, digest, platforms })
}

/// The promised digest, where the bytes have it.
fn verified(bytes: &[u8], promised: &Digest) -> Result<Digest, Fault> {
    let hex = match promised.algorithm() {
        "sha384" => hex(&sha2::Sha384::digest(bytes)),
        "sha512" => hex(&sha2::Sha512::digest(bytes)),
        _ => Digest::sha256(bytes).hex().to_owned(),
    };
    if hex == promised.hex() {
        return Ok(promised.clone());
    }
    let message = format!("the manifest's bytes have another digest than the registry says, `{}`", promised.short());
    Err(Fault::new(Kind::WrongDigest, message))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `linux/arm64/v8`.
fn named(platform: &Platform) -> String {
    let parts = [&platform.os, &platform.architecture, &platform.variant];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| shown(part)).collect();
    if parts.is_empty() { "a platform without a name".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = INDEXES[0];

    fn kind(bytes: &str, media_type: &str) -> Kind {
        read(bytes.as_bytes(), Some(media_type), None).unwrap_err().kind
    }

    #[test]
    fn an_index_names_its_platforms() {
        let digest = Digest::sha256(b"amd64");
        let bytes = format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"digest":"{digest}","platform":{{"os":"linux","architecture":"arm64","variant":"v8"}}}},{{"digest":"{digest}"}}]}}"#
        );
        let index = read(bytes.as_bytes(), Some(&format!("{INDEX}; charset=utf-8")), None).unwrap();
        assert_eq!(index.shape, Shape::Index);
        assert_eq!(index.digest, Digest::sha256(bytes.as_bytes()));
        let names: Vec<&str> = index.platforms.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["linux/arm64/v8", "a platform without a name"]);
    }

    #[test]
    fn bytes_are_held_against_what_was_promised() {
        let bytes = format!(r#"{{"schemaVersion":2,"config":{{}},"layers":[],"mediaType":"{}"}}"#, IMAGES[1]);
        let promised = |algorithm: &str, hex: String| format!("{algorithm}:{hex}").parse::<Digest>().unwrap();
        let right = [
            promised("sha256", hex(&sha2::Sha256::digest(&bytes))),
            promised("sha384", hex(&sha2::Sha384::digest(&bytes))),
            promised("sha512", hex(&sha2::Sha512::digest(&bytes))),
        ];
        for right in right {
            let read = read(bytes.as_bytes(), Some(IMAGES[1]), Some(&right)).unwrap();
            assert_eq!((read.digest, read.shape), (right, Shape::Image));
        }
        for algorithm in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let wrong = promised(algorithm.0, "0".repeat(algorithm.1));
            assert_eq!(read(bytes.as_bytes(), Some(IMAGES[1]), Some(&wrong)).unwrap_err().kind, Kind::WrongDigest);
        }
    }

    #[test]
    fn what_is_no_manifest_is_said_to_be_none() {
        assert_eq!(kind("{}", "text/html"), Kind::WrongMediaType);
        assert_eq!(kind("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"), Kind::WrongMediaType);
        let lying = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#, IMAGES[0]);
        assert_eq!(kind(&lying, INDEX), Kind::WrongMediaType);
        for (bytes, media_type) in [
            ("<html>", INDEX),
            ("[2, null, []]", INDEX),
            ("{}", INDEX),
            (r#"{"schemaVersion":1}"#, IMAGES[0]),
            (r#"{"schemaVersion":2,"config":{}}"#, INDEX),
            (r#"{"schemaVersion":2,"manifests":[],"config":{}}"#, INDEX),
            (r#"{"schemaVersion":2,"manifests":[]}"#, IMAGES[0]),
            (r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:1"}]}"#, INDEX),
            (r#"{"schemaVersion":2,"manifests":"x"}"#, INDEX),
        ] {
            assert_eq!(kind(bytes, media_type), Kind::MalformedManifest, "{bytes}");
        }
    }
}
