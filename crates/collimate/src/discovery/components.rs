//! From the images that profiles use to the components of a first release.
//!
//! All of them become `components`: which of them are *infrastructure*, made by others, only the owner of the folder knows,
//! and moving an entry to `infrastructure` changes nothing else.

use std::collections::{BTreeMap, BTreeSet};

use release::{Digest, DigestKind, ImageRef, Listed};

use super::names;

/// The tag that every tool takes where none is written.
const DEFAULT_TAG: &str = "latest";

/// What stands in place of a digest that nothing pins.
const UNRESOLVED: &str = "unresolved";

/// Hexadecimal digits of a digest that make two of them differ in practice.
const SHORT_DIGITS: usize = 12;

/// Where Docker Hub keeps the official images.
const OFFICIAL: &str = "docker.io/library/";

/// The components of a first release.
pub(crate) struct Components {
    pub(crate) listed: BTreeMap<String, Listed>,
    /// Images that are used with more than one tag.
    pub(crate) divided: Vec<String>,
    /// Images that are used with more than one digest under one tag.
    pub(crate) moved: Vec<String>,
    pub(crate) digests: DigestKind,
}

impl Components {
    /// One component for each image, tag and digest in use.
    pub(crate) fn of(images: &[ImageRef]) -> Self {
        let mut by_name: BTreeMap<String, (&ImageRef, BTreeSet<Version>)> = BTreeMap::new();
        for image in images {
            let (_, versions) = by_name.entry(image.name()).or_insert_with(|| (image, BTreeSet::new()));
            versions.insert(Version { tag: image.tag().map(str::to_owned), digest: image.digest().cloned() });
        }
        let mut wanted: Vec<Vec<String>> = Vec::new();
        let mut entries: Vec<Listed> = Vec::new();
        let (mut divided, mut moved) = (Vec::new(), Vec::new());
        for (name, (image, versions)) in by_name {
            let versions = distinct(versions);
            let tags: BTreeSet<Option<&str>> = versions.iter().map(|version| version.tag.as_deref()).collect();
            if tags.len() > 1 {
                divided.push(name.clone());
            }
            if tags.len() < versions.len() {
                moved.push(name.clone());
            }
            for version in &versions {
                wanted.push(component_names(image, (versions.len() > 1).then_some(version)));
                entries.push(version.listed(&name));
            }
        }
        let is_resolved = entries.iter().all(Listed::is_resolved);
        let digests = if is_resolved { DigestKind::Resolved } else { DigestKind::Sample };
        let listed = names::unique(wanted.iter().map(Vec::as_slice)).into_iter().zip(entries).collect();
        Self { listed, divided, moved, digests }
    }

    /// How many components have no digest.
    pub(crate) fn unresolved(&self) -> usize {
        self.listed.values().filter(|listed| listed.digest == UNRESOLVED).count()
    }
}

/// One way in which an image is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Version {
    fn listed(&self, image: &str) -> Listed {
        let (tag, reason) = match (&self.tag, &self.digest) {
            (Some(tag), _) => (tag.clone(), None),
            (None, None) => (DEFAULT_TAG.to_owned(), None),
            (None, Some(digest)) => {
                let reason = "used by digest alone; this tag only repeats it".to_owned();
                (format!("{}-{}", digest.algorithm(), short(digest)), Some(reason))
            }
        };
        Listed {
            image: image.to_owned(),
            tag,
            digest: self.digest.as_ref().map_or_else(|| UNRESOLVED.to_owned(), ToString::to_string),
            only_in: Vec::new(),
            platforms: BTreeMap::new(),
            availability: None,
            reason,
        }
    }
}

/// The versions without those that say less of another one: a tag without the digest that it has elsewhere, a digest
/// without the tag that it has elsewhere.
fn distinct(versions: BTreeSet<Version>) -> Vec<Version> {
    let says_less = |one: &Version| match one {
        Version { tag: Some(_), digest: Some(_) } => false,
        Version { tag: None, digest: Some(_) } => {
            versions.iter().any(|other| other.tag.is_some() && other.digest == one.digest)
        }
        Version { tag, digest: None } => {
            let tag = tag.as_deref().unwrap_or(DEFAULT_TAG);
            versions.iter().any(|other| {
                let same = other.tag.as_deref() == Some(tag);
                // `nginx` and `nginx:latest` are one; the one that is written out stays.
                same && (other.digest.is_some() || one.tag.is_none())
            })
        }
    };
    versions.iter().filter(|version| !says_less(version)).cloned().collect()
}

/// Names for a component, from short to certain: `redis`, `bitnami-redis`, `registry.example.org-bitnami-redis`; with tag, then
/// digest, where the image has several.
fn component_names(image: &ImageRef, version: Option<&Version>) -> Vec<String> {
    let mut bases = vec![names::slug(image.short_name())];
    // The official image keeps the short name: that is what people call it.
    if image.name() != format!("{OFFICIAL}{}", image.short_name()) {
        bases.extend([names::slug(image.repository()), names::slug(&image.name())]);
    }
    bases.dedup();
    let Some(version) = version else { return bases };
    let mut endings: Vec<String> = Vec::new();
    let tag = version.tag.as_deref().or(version.digest.is_none().then_some(DEFAULT_TAG));
    endings.extend(tag.map(names::slug));
    if let Some(digest) = &version.digest {
        endings.push(
            tag.map_or_else(|| short(digest).to_owned(), |tag| format!("{}-{}", names::slug(tag), short(digest))),
        );
    }
    bases.iter().flat_map(|base| endings.iter().map(move |ending| format!("{base}-{ending}"))).collect()
}

fn short(digest: &Digest) -> &str {
    digest.hex().get(..SHORT_DIGITS).unwrap_or(digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";
    const OTHER: &str = "sha256:3d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";

    /// `name = image:tag@digest` for each component; digests by their first digit.
    #[track_caller]
    fn check(images: &[&str], expected: &[&str]) {
        let images =
            images.iter().map(|image| image.replace("@A", &format!("@{DIGEST}")).replace("@B", &format!("@{OTHER}")));
        let images: Vec<ImageRef> = images.map(|image| image.parse().unwrap()).collect();
        let found: Vec<String> = Components::of(&images)
            .listed
            .iter()
            .map(|(name, listed)| {
                let digest = match listed.digest.as_str() {
                    DIGEST => "@A",
                    OTHER => "@B",
                    _ => "",
                };
                format!("{name} = {}:{}{digest}", listed.image, listed.tag)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_image_is_listed_once_for_each_version() {
        check(&["nginx:1", "docker.io/library/nginx:1"], &["nginx = docker.io/library/nginx:1"]);
        check(&["nginx", "nginx:latest"], &["nginx = docker.io/library/nginx:latest"]);
        check(&["nginx:1", "nginx:1@A", "nginx@A"], &["nginx = docker.io/library/nginx:1@A"]);
        check(&["r.io/app@A"], &["app = r.io/app:sha256-2d715950d830@A"]);
        check(&["nginx:1", "nginx:2"], &["nginx-1 = docker.io/library/nginx:1", "nginx-2 = docker.io/library/nginx:2"]);
        check(
            &["nginx:1@A", "nginx:1@B"],
            &[
                "nginx-1-2d715950d830 = docker.io/library/nginx:1@A",
                "nginx-1-3d715950d830 = docker.io/library/nginx:1@B",
            ],
        );
    }

    #[test]
    fn names_that_clash_get_longer() {
        check(
            &["redis:1", "bitnami/redis:2", "quay.io/redis/redis:3"],
            &[
                "bitnami-redis = docker.io/bitnami/redis:2",
                "redis = docker.io/library/redis:1",
                "redis-redis = quay.io/redis/redis:3",
            ],
        );
    }

    #[test]
    fn only_digests_of_a_registry_are_resolved() {
        let sample = Digest::sample("registry.example.org/app", "1");
        let kind = |image: &str| Components::of(&[image.parse().unwrap()]).digests;
        assert_eq!(kind(&format!("registry.example.org/app:1@{sample}")), DigestKind::Sample);
        assert_eq!(kind("registry.example.org/app:1"), DigestKind::Sample);
        assert_eq!(kind(&format!("registry.example.org/app:1@{DIGEST}")), DigestKind::Resolved);
    }
}
