//! Labels that name the release or the channel of what carries them.

use std::collections::BTreeSet;

use composefile::Node;
use findings::{Location, Severity};
use release::ProfileSource;
use source::SourceMap;
use yamlspan::{Kind, NodeRef};

use crate::accept::{Acceptance, Reported};
use crate::compose::{entries, services};
use crate::inputs::Profile;
use crate::kubernetes::{KubeObject, objects, scalar};
use crate::place::{Object, Path, Rendered};
use crate::resolve::reported;
use crate::rules::release_label_differs;
use crate::survey::{HeldTo, ProfileSurvey};

/// A rendered label that names a release or a channel.
#[derive(Clone, Debug)]
pub struct ReleaseLabel {
    pub key: String,
    pub value: String,
    /// What it must say: the version of the release, or the channel.
    pub expected: String,
    pub meaning: LabelMeaning,
    pub place: Rendered,
}

/// What a label says, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelMeaning {
    /// The version of the release (`….release.version`).
    Version,
    /// The channel (`….release.channel`).
    Channel,
    /// The version of the application (`app.kubernetes.io/version`): that of the release, or the tag of an image.
    Application,
}

fn meaning(key: &str) -> Option<LabelMeaning> {
    if key.ends_with("release.version") {
        Some(LabelMeaning::Version)
    } else if key.ends_with("release.channel") {
        Some(LabelMeaning::Channel)
    } else if key == "app.kubernetes.io/version" {
        Some(LabelMeaning::Application)
    } else {
        None
    }
}

/// Whether a label says something else with every release: what names its version, or that of the chart.
pub(crate) fn changes_with_releases(key: &str) -> bool {
    key == "helm.sh/chart" || matches!(meaning(key), Some(LabelMeaning::Version | LabelMeaning::Application))
}

/// Every such label of a profile that is traced, in rendered order, but those that say something else than they should and may.
#[must_use]
pub fn release_labels(profile: &ProfileSurvey<'_>, acceptance: Acceptance<'_>) -> Vec<ReleaseLabel> {
    let mut labels = collect(profile, false);
    let mut kept: BTreeSet<String> = BTreeSet::new();
    labels.retain(|label| {
        if label.value == label.expected {
            return true;
        }
        let may = match release_label_differs::finding(profile, label) {
            Some(finding) => {
                let traced = |name: &str| Some(profile.profile).filter(|_| name == profile.name());
                let stands = reported(vec![finding], &traced, acceptance.sources);
                stands.iter().all(|finding| acceptance.accepts(finding))
            }
            None => true,
        };
        if may && label.meaning == LabelMeaning::Version {
            kept.insert(label.value.clone());
        }
        !may
    });
    // The rule says of two labels with one value what is wrong with it once.
    labels.retain(|label| label.meaning != LabelMeaning::Application || !kept.contains(&label.value));
    labels
}

/// Whether a finding says of a label that it differs which has a version that a chart says of itself or its application, and none of a
/// release: in its `Chart.yaml`, or in an archive.
pub(crate) fn is_of_chart<'a>(
    reported: &Reported,
    traced: &dyn Fn(&str) -> Option<&'a Profile>,
    sources: &SourceMap,
) -> bool {
    // Only such a label of an application is no more than a warning.
    if reported.symbolic.rule != release_label_differs::ID || reported.symbolic.severity != Severity::Warning {
        return false;
    }
    let profile = reported.symbolic.place.profile.as_deref().and_then(traced);
    let is_chart = profile.is_some_and(|profile| matches!(profile.declared.source, ProfileSource::Helm(_)));
    is_chart
        && match reported.resolved.place {
            Location::Span(span) => sources.path(span.file).file_name() == Some("Chart.yaml"),
            Location::File(_) | Location::Nowhere => true,
        }
}

/// Those that say something else than they should: mostly none.
pub(crate) fn differing_labels(profile: &ProfileSurvey<'_>) -> Vec<ReleaseLabel> {
    collect(profile, true)
}

fn collect(profile: &ProfileSurvey<'_>, only_differing: bool) -> Vec<ReleaseLabel> {
    let Some(held) = profile.release else { return Vec::new() };
    let listed = held.release.components.iter().map(|component| component.tag.value.as_str());
    let used = profile.images.iter().filter_map(|used| used.image.reference.as_ref().ok()?.tag());
    let tags: BTreeSet<&str> = listed.chain(used).collect();
    let mut found = Collector { profile, held, tags, only_differing, labels: Vec::new() };
    for (variant, rendered) in profile.profile.variants.iter().enumerate() {
        if let Some(compose) = rendered.compose() {
            for service in services(&compose.all) {
                found.compose(variant, service.node.get("labels"), &service.path.key("labels"));
            }
            for group in ["networks", "volumes"] {
                for (name, node) in entries(compose.all.root.get(group)) {
                    found.compose(variant, node.get("labels"), &Path::keys(&[group, name, "labels"]));
                }
            }
        }
        if let Some(kubernetes) = rendered.kubernetes() {
            for object in objects(kubernetes) {
                found.object(variant, &object);
            }
        }
    }
    found.labels
}

struct Collector<'p, 'a> {
    profile: &'p ProfileSurvey<'a>,
    held: HeldTo<'a>,
    /// Every tag that an image of the release or the profile has.
    tags: BTreeSet<&'p str>,
    only_differing: bool,
    labels: Vec<ReleaseLabel>,
}

impl Collector<'_, '_> {
    fn compose(&mut self, variant: usize, labels: Option<&Node>, path: &Path) {
        for (key, value) in entries(labels) {
            if let Some(value) = value.as_str() {
                let place = || Rendered { variant, object: Object::Compose, path: path.key(key), range: None };
                self.label(key, value, place);
            }
        }
    }

    fn object(&mut self, variant: usize, object: &KubeObject<'_>) {
        let mut all: Vec<(NodeRef<'_>, Path)> = Vec::new();
        if let Some(metadata) = object.node.target().get("metadata") {
            all.push((metadata, object.path_of(&["metadata"])));
        }
        if let Some(pod) = object.pod()
            && let Some(metadata) = pod.metadata
            && let Some((_, template)) = pod.spec_path.0.split_last()
        {
            all.push((metadata, Path(template.to_vec()).key("metadata")));
        }
        for (metadata, path) in all {
            for group in ["labels", "annotations"] {
                let Some(labels) = metadata.target().get(group) else { continue };
                for (key, value) in labels.target().entries() {
                    // What a template prints as nothing is null: a label that says nothing.
                    if value.target().kind() == Kind::Scalar {
                        let value = scalar(value).unwrap_or_default();
                        let path = || path.key(group).key(key.raw());
                        let place = || Rendered { variant, object: object.object, path: path(), range: None };
                        self.label(key.raw(), value, place);
                    }
                }
            }
        }
    }

    /// Most labels are not of a release: their places are not worked out.
    fn label(&mut self, key: &str, value: &str, place: impl FnOnce() -> Rendered) {
        let Some(meaning) = meaning(key) else { return };
        let version = &self.held.release.version.value;
        let expected = match meaning {
            LabelMeaning::Channel => self.profile.channel(),
            LabelMeaning::Version => version,
            // An image's own version is as good: a store is not versioned with the services around it.
            LabelMeaning::Application if self.tags.iter().any(|tag| is_tag_of(tag, value)) => value,
            // A release that nobody named yet, such as `current`, is no version that an application could have.
            LabelMeaning::Application if !version.contains(|character: char| character.is_ascii_digit()) => value,
            LabelMeaning::Application => version,
        };
        // A manifest without a version has a finding of its own.
        if expected.is_empty() || (self.only_differing && expected == value) {
            return;
        }
        let (key, value, expected) = (key.to_owned(), value.to_owned(), expected.to_owned());
        self.labels.push(ReleaseLabel { key, value, expected, meaning, place: place() });
    }
}

/// Whether a tag is that version, or a build of it: `14.4.0-debian-11`, `v14.4.0`.
fn is_tag_of(tag: &str, version: &str) -> bool {
    let rest = tag.strip_prefix(version).or_else(|| tag.strip_prefix('v')?.strip_prefix(version));
    !version.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '+', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_carries_its_version() {
        for (tag, version, expected) in [
            ("1.4.0", "1.4.0", true),
            ("v1.4.0", "1.4.0", true),
            ("v1.4.0", "v1.4.0", true),
            ("14.4.0-debian-11-r23", "14.4.0", true),
            ("1.4.0", "1.4", false),
            ("1.4.01", "1.4.0", false),
            ("1.4.0", "1.4.0-rc1", false),
            ("-x", "", false),
        ] {
            assert_eq!(is_tag_of(tag, version), expected, "{tag} {version}");
        }
    }
}
