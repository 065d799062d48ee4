//! Two releases list the same image and tag with different digests.

use std::collections::{BTreeMap, BTreeSet};

use findings::{Finding, Severity};
use release::{Component, DigestKind, Release, Tagged};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseTagMoved;

impl Rule for ReleaseTagMoved {
    fn id(&self) -> &'static str {
        "release-tag-moved"
    }

    fn summary(&self) -> &'static str {
        "two releases list the same image and tag with different digests"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let mut first_listed: BTreeMap<Tagged<'_>, (&Release, &Component)> = BTreeMap::new();
        let mut first_of_version: BTreeMap<&str, &Release> = BTreeMap::new();
        // Two roles may share one file: a release does not contradict itself.
        let mut seen = BTreeSet::new();
        for input in survey.inputs.releases {
            let Some(release) = input.release() else { continue };
            if input.file.is_some_and(|file| !seen.insert(file)) {
                continue;
            }
            match first_of_version.get(release.version.value.as_str()) {
                Some(other) => self.same_version(other, release, out),
                None => drop(first_of_version.insert(&release.version.value, release)),
            }
            for component in &release.components {
                let Some(digest) = component.digest.get() else { continue };
                let (other_release, other) = *first_listed.entry(component.tagged()).or_insert((release, component));
                if other.digest.get() == Some(digest) || is_resolved((release, component), (other_release, other)) {
                    continue;
                }
                let (version, other_version) = (&release.version.value, &other_release.version.value);
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        Place::source(component.digest.span),
                        format!(
                            "releases `{other_version}` and `{version}` list `{}:{}` with different digests",
                            component.image.name(),
                            component.tag.value
                        ),
                    )
                    .label(format!("release `{version}` lists this"))
                    .related(Place::source(other.digest.span), format!("release `{other_version}` lists this"))
                    .help("find out which digest the tag has; if the tag was moved, list the new image under a tag of its own"),
                );
            }
        }
    }
}

impl ReleaseTagMoved {
    /// Two manifests of one version, such as the current one and its copy in the archive, list the same images and tags, and the
    /// same platforms. Digests are held against each other by their tags.
    fn same_version(&self, first: &Release, second: &Release, out: &mut Vec<Finding<Place>>) {
        let version = &second.version.value;
        let (of_first, of_second) = (by_name(first), by_name(second));
        for component in &second.components {
            let Some(other) = of_first.get(component.name.value.as_str()) else { continue };
            let name = &component.name.value;
            let places = if other.image.name() != component.image.name() {
                Some((component.image.span, other.image.span, "images"))
            } else if other.tag.value != component.tag.value {
                Some((component.tag.span, other.tag.span, "tags"))
            } else {
                None
            };
            let Some((place, other_place, what)) = places else { continue };
            let message = format!("two manifests of release `{version}` list different {what} of `{name}`");
            out.push(
                Finding::new(self.id(), Severity::Error, Place::source(place), message)
                    .label("one manifest lists this")
                    .related(Place::source(other_place), "the other one lists this")
                    .help("a release does not change; give one of them another version, or restore it"),
            );
        }
        for (one, other, of_other) in [(first, second, &of_second), (second, first, &of_first)] {
            for component in &one.components {
                let name = &component.name.value;
                if of_other.contains_key(name.as_str()) {
                    continue;
                }
                let message = format!("two manifests of release `{version}`: only one lists `{name}`");
                out.push(
                    Finding::new(self.id(), Severity::Error, Place::source(component.name.span), message)
                        .related(Place::source(other.version.span), "this one does not")
                        .help("a release does not change; give one of them another version, or restore it"),
                );
            }
        }
    }
}

/// The components of a release; of those that stand twice, the first.
fn by_name(release: &Release) -> BTreeMap<&str, &Component> {
    let mut named = BTreeMap::new();
    for component in &release.components {
        named.entry(component.name.value.as_str()).or_insert(component);
    }
    named
}

/// Whether one of them lists a stand-in, and the other one what the registry has: the digest that takes its place moves no tag.
fn is_resolved(a: (&Release, &Component), b: (&Release, &Component)) -> bool {
    let took = |(release, component): (&Release, &Component), other: &Component| {
        release.digests.value == DigestKind::Resolved && !component.is_sample() && other.is_sample()
    };
    took(a, b.1) || took(b, a.1)
}
