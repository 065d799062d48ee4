//! A profile uses an image that its release does not list and that the workspace does not allow.

use findings::{Finding, Severity};
use release::{ImageRef, ImageRefError};

use crate::image::{Image, meant};
use crate::place::Place;
use crate::rules::Rule;
use crate::rules::env_undefined::{undefined_in, way_out};
use crate::survey::{ProfileSurvey, Standing, Survey};

pub(super) struct ImageUnlisted;

impl Rule for ImageUnlisted {
    fn id(&self) -> &'static str {
        "image-unlisted"
    }

    fn summary(&self) -> &'static str {
        "a profile uses an image that neither its release nor `unmanaged` lists"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let name = profile.name();
            for used in &profile.images {
                let image = &used.image;
                if let Err(error) = &image.reference {
                    out.push(damaged(self, profile, image, error));
                    continue;
                }
                // What a manifest with a problem means to list is not known: nothing is held against it.
                let Some(held) = profile.release.filter(|held| held.input.sound().is_some()) else { continue };
                let version = &held.release.version.value;
                let path = &held.input.path;
                match (used.standing, &image.reference) {
                    (Standing::Unlisted, Ok(reference)) => {
                        let listed = reference.name();
                        let components = held.release.components.iter().map(|component| &component.image.value);
                        let allowed = survey.inputs.workspace.unmanaged.iter().map(|allowed| &allowed.image.value);
                        let meant = meant(reference, components.chain(allowed));
                        let near = meant.map(ImageRef::name).filter(|name| *name != listed);
                        let help = match near {
                            Some(near) => format!(
                                "did you mean `{near}`? If not, list `{listed}` in `{path}`, or allow it under `unmanaged` in `collimate.yaml`"
                            ),
                            None => format!(
                                "list `{listed}` in `{path}`, or allow it under `unmanaged` in `collimate.yaml` with a reason"
                            ),
                        };
                        let place =
                            meant.map_or_else(|| image.repository_place(), |meant| image.differing_place(meant));
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Error,
                                profile.at(place),
                                format!(
                                    "profile `{name}` uses image `{listed}`, which release `{version}` does not list"
                                ),
                            )
                            .label(format!("used by {}", image.user))
                            .help(help),
                        );
                    }
                    (Standing::Ambiguous(first), Ok(reference)) => {
                        let listed = reference.name();
                        let others = held.release.components_of(&first.image);
                        let tags: Vec<String> = others.map(|other| format!("`{}`", other.tag.value)).collect();
                        let tag = reference.tag().map_or_else(|| "this".to_owned(), |tag| format!("tag `{tag}`"));
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Error,
                                profile.at(image.tag_place()),
                                format!(
                                    "profile `{name}` uses image `{listed}`, which release `{version}` lists with other tags: {}",
                                    tags.join(", ")
                                ),
                            )
                            .label(format!("used by {}", image.user))
                            .related(Place::source(first.tag.span), format!("the first of them, of `{}`", first.name.value))
                            .help(format!("use one of these tags, or list {tag} in `{path}`")),
                        );
                    }
                    (Standing::OtherTag(unmanaged), Ok(reference)) => {
                        let listed = reference.name();
                        let tag = match reference.tag() {
                            Some(tag) => format!("tag `{tag}`"),
                            None => "no tag".to_owned(),
                        };
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Error,
                                profile.at(image.tag_place()),
                                format!(
                                    "profile `{name}` uses unmanaged image `{listed}` with {tag}, which is not allowed"
                                ),
                            )
                            .label(format!("used by {}", image.user))
                            .related(Place::source(unmanaged.span), "allowed here, with other tags")
                            .help("use a tag that `unmanaged` allows, or add this one to `tags` there"),
                        );
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A text that is no image reference.
fn damaged(rule: &ImageUnlisted, profile: &ProfileSurvey<'_>, image: &Image, error: &ImageRefError) -> Finding<Place> {
    // Not what is left of it without the variable's value, but that it has none, is what is wrong.
    if let Some(finding) = without_value(rule, profile, image) {
        return finding;
    }
    let message = format!("`{}` in profile `{}` is no image reference: {error}", image.text, profile.name());
    Finding::new(rule.id(), Severity::Error, profile.at(image.damaged_place()), message)
        .label(format!("used by {}", image.user))
        .help("write `registry/repository:tag@digest`")
}

/// An image that is none because a variable in it has no value.
fn without_value(rule: &ImageUnlisted, profile: &ProfileSurvey<'_>, image: &Image) -> Option<Finding<Place>> {
    let variable = undefined_in(profile, image).into_iter().next()?;
    let (name, wanted) = (profile.name(), &variable.name);
    let default = format!("write a default: `${{{wanted}:-…}}`");
    let help = way_out(profile, wanted, [&default, &default])?;
    let message = format!("profile `{name}` uses an image that variable `{wanted}` is part of, and nothing sets `{wanted}`");
    let finding = Finding::new(rule.id(), Severity::Error, Place::source(variable.span?).of(name), message);
    Some(finding.label(format!("becomes `{}`, used by {}", image.text, image.user)).help(help))
}
