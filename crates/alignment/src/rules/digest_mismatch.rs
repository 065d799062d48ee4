//! A profile pins a digest that its release does not list.

use findings::{Finding, Severity};
use release::{Component, Digest, Release};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct DigestMismatch;

impl Rule for DigestMismatch {
    fn id(&self) -> &'static str {
        "digest-mismatch"
    }

    fn summary(&self) -> &'static str {
        "a profile pins a digest that its release does not list"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(held) = profile.release else { continue };
            let version = &held.release.version.value;
            for (used, component) in profile.components() {
                let (Some(listed), Ok(reference)) = (component.digest.get(), &used.image.reference) else { continue };
                let Some(pinned) = reference.digest() else { continue };
                if pinned == listed || is_platform_digest(component, pinned) {
                    continue;
                }
                let name = profile.name();
                let component_name = &component.name.value;
                let owner = owner_of(survey, held.release, component, pinned);
                let label = match owner {
                    Some(owner) => format!("profile `{name}` pins this, which is the digest of {owner}"),
                    None => format!("profile `{name}` pins this"),
                };
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        profile.at(used.image.digest_place()),
                        format!(
                            "profile `{name}` pins a digest of `{component_name}` that release `{version}` does not list"
                        ),
                    )
                    .label(label)
                    .related(Place::source(component.digest.span), format!("release `{version}` lists this"))
                    .help(format!("run {} to write the release's digest into the profile", profile.pin_command())),
                );
            }
        }
    }
}

/// Whether a digest is that of one platform of a component; `platform-digest` reports those.
pub(super) fn is_platform_digest(component: &Component, digest: &Digest) -> bool {
    component.platforms.iter().any(|(_, platform)| platform.value == *digest)
}

/// Which other component, or which other release, has this digest: what was probably mixed up.
fn owner_of(survey: &Survey<'_>, held: &Release, component: &Component, digest: &Digest) -> Option<String> {
    let has = |candidate: &&Component| candidate.digest.get() == Some(digest);
    if let Some(other) = held.components.iter().find(has) {
        return Some(format!("`{}`", other.name.value));
    }
    let releases = survey.inputs.releases.iter().filter_map(|input| input.release());
    for release in releases {
        if let Some(other) = release.components.iter().find(has) {
            let version = &release.version.value;
            let same = other.name.value == component.name.value;
            return Some(if same {
                format!("release `{version}`")
            } else {
                format!("`{}` in release `{version}`", other.name.value)
            });
        }
    }
    None
}
