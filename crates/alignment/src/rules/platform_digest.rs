//! A profile pins the digest of one platform where the release lists the index of all.

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct PlatformDigest;

impl Rule for PlatformDigest {
    fn id(&self) -> &'static str {
        "platform-digest"
    }

    fn summary(&self) -> &'static str {
        "a profile pins the digest of one platform instead of the index"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(held) = profile.release else { continue };
            let version = &held.release.version.value;
            let name = profile.name();
            for (used, component) in profile.components() {
                let Some(pinned) = used.image.reference.as_ref().ok().and_then(|reference| reference.digest()) else {
                    continue;
                };
                let Some((platform, listed)) = component.platforms.iter().find(|(_, digest)| digest.value == *pinned)
                else {
                    continue;
                };
                if component.digest.get() == Some(pinned) {
                    continue;
                }
                let component_name = &component.name.value;
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        profile.at(used.image.digest_place()),
                        format!(
                            "profile `{name}` pins the digest of `{component_name}` for `{}` only",
                            platform.value
                        ),
                    )
                    .label(format!("profile `{name}` pins this"))
                    .related(Place::source(listed.span), format!("the digest for `{}`", platform.value))
                    .related(
                        Place::source(component.digest.span),
                        format!("release `{version}` lists this index of all platforms"),
                    )
                    .help(format!("run {} to write the digest of the index", profile.pin_command())),
                );
            }
        }
        for release in survey.inputs.releases.iter().filter_map(|input| input.release()) {
            for component in &release.components {
                let Some(digest) = component.digest.get() else { continue };
                let Some((platform, listed)) = component.platforms.iter().find(|(_, listed)| listed.value == *digest)
                else {
                    continue;
                };
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        Place::source(component.digest.span),
                        format!(
                            "release `{}` lists the digest of `{}` for `{}` as its index",
                            release.version.value, component.name.value, platform.value
                        ),
                    )
                    .related(Place::source(listed.span), format!("the digest for `{}`", platform.value))
                    .help("list the digest of the multi-platform index"),
                );
            }
        }
    }
}
