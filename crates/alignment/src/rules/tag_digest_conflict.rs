//! An image carries the release's digest, but another tag.

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct TagDigestConflict;

impl Rule for TagDigestConflict {
    fn id(&self) -> &'static str {
        "tag-digest-conflict"
    }

    fn summary(&self) -> &'static str {
        "an image carries a tag that the release lists with another digest"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(held) = profile.release else { continue };
            let version = &held.release.version.value;
            let name = profile.name();
            for (used, component) in profile.components() {
                let Ok(reference) = &used.image.reference else { continue };
                let Some(tag) = reference.tag().filter(|tag| *tag != component.tag.value) else { continue };
                // A digest that differs has a rule of its own; then the tag is not the point.
                // Nor is it where the digest is missing: writing it writes the tag too.
                if reference.digest() != component.digest.get() {
                    continue;
                }
                let component_name = &component.name.value;
                // `pin` writes tag and digest together, or neither.
                let help = match component.digest.get() {
                    Some(_) => format!("run {} to write tag and digest together", profile.pin_command()),
                    None => format!(
                        "write `{}`, or list tag `{tag}` in `{}`; {} writes tag and digest once the release knows the digest",
                        component.tag.value,
                        held.input.path,
                        profile.pin_command()
                    ),
                };
                let carried = if reference.digest().is_some() { "with the digest of tag" } else { "instead of tag" };
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        profile.at(used.image.tag_place()),
                        format!(
                            "profile `{name}` names tag `{tag}` of `{component_name}` {carried} `{}`",
                            component.tag.value
                        ),
                    )
                    .label(format!("profile `{name}` names this"))
                    .related(Place::source(component.tag.span), format!("release `{version}` lists this"))
                    .help(help),
                );
            }
        }
    }
}
