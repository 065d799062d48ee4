//! A release whose digests are stand-ins: it can be checked and rendered, but not pulled.

use std::ops::RangeInclusive;

use findings::{Finding, Severity, plural};
use release::{Component, DigestKind};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseSampleDigests;

impl Rule for ReleaseSampleDigests {
    fn id(&self) -> &'static str {
        "release-sample-digests"
    }

    fn summary(&self) -> &'static str {
        "a release carries sample digests, which cannot be pulled"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Note..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for release in survey.inputs.releases.iter().filter_map(|input| input.release()) {
            let version = &release.version.value;
            let samples: Vec<_> = release.components.iter().filter(|component| component.is_sample()).collect();
            let count = plural(samples.len(), "sample digest");
            match release.digests.value {
                // What is not known yet has a finding of its own, of each.
                DigestKind::Sample if samples.is_empty() && release.components.iter().any(is_open) => {}
                DigestKind::Sample if samples.is_empty() => out.push(
                    Finding::new(
                        self.id(),
                        Severity::Note,
                        Place::source(release.digests.span),
                        format!("release `{version}` says that some of its digests are samples, and none is"),
                    )
                    .help("write `digests: resolved`"),
                ),
                DigestKind::Sample => out.push(
                    Finding::new(
                        self.id(),
                        Severity::Note,
                        Place::source(release.digests.span),
                        format!("release `{version}` carries {count}: its images can be checked and rendered, not pulled"),
                    )
                    .help("before a real deployment, replace them by the digests of your registry and write `digests: resolved`"),
                ),
                DigestKind::Resolved => {
                    let Some(first) = samples.first() else { continue };
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            Place::source(first.digest.span),
                            format!("release `{version}` says that its digests are resolved, but carries {count}"),
                        )
                        .label(format!("the sha256 of the text `{}:{}`", first.image.name(), first.tag.value))
                        .related(Place::source(release.digests.span), "said here")
                        .help("replace it by the digest of your registry, or write `digests: sample`"),
                    );
                }
            }
        }
    }
}

/// Whether its digest is still to be written.
fn is_open(component: &Component) -> bool {
    component.digest.get().is_none()
}
