//! A profile uses an image without a digest.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::ListedDigest;

use crate::compose::{built_way_out, is_built};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{Standing, Survey};

pub(super) struct ImageUnpinned;

impl Rule for ImageUnpinned {
    fn id(&self) -> &'static str {
        "image-unpinned"
    }

    fn summary(&self) -> &'static str {
        "an image carries no digest where one is needed"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let name = profile.name();
            for used in &profile.images {
                let Ok(reference) = &used.image.reference else { continue };
                if reference.digest().is_some() {
                    continue;
                }
                let place = profile.at(used.image.place(None));
                match used.standing {
                    Standing::Component(component) => {
                        let (Some(held), Some(_)) = (profile.release, component.digest.get()) else { continue };
                        let version = &held.release.version.value;
                        let component_name = &component.name.value;
                        let wanted = profile.profile.declared.profile_spelling(&component.image);
                        let wanted = format!(
                            "{}:{}@{}",
                            wanted.name(),
                            component.tag.value,
                            component.digest.get().map_or("", |digest| digest.as_str())
                        );
                        let help = if is_built(profile.profile, &used.image) {
                            format!("a service builds it, so that it can have none: {}", built_way_out(component, &held.input.path))
                        } else {
                            format!("run {}, or write `{wanted}`", profile.pin_command())
                        };
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Error,
                                place,
                                format!("profile `{name}` uses `{component_name}` without a digest"),
                            )
                            .label(format!("used by {}", used.image.user))
                            .related(Place::source(component.digest.span), format!("release `{version}` lists this"))
                            .help(help),
                        );
                    }
                    Standing::Unmanaged(unmanaged) if profile.is_airgap() => out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            place,
                            format!("profile `{name}` uses unmanaged image `{}` without a digest across an air gap", reference.name()),
                        )
                        .label(format!("used by {}", used.image.user))
                        .related(Place::source(unmanaged.span), "allowed here")
                        .help("add `@sha256:…` of the image that the site's registry holds"),
                    ),
                    _ => {}
                }
            }
        }
        for input in survey.inputs.releases {
            let Some(release) = input.release() else { continue };
            for component in &release.components {
                if component.digest.value == ListedDigest::Unresolved {
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Warning,
                            Place::source(component.digest.span),
                            format!(
                                "release `{}` does not know the digest of `{}` yet",
                                release.version.value, component.name.value
                            ),
                        )
                        .help(format!(
                            "write the digest of the index of `{}:{}` here",
                            component.image.name(),
                            component.tag.value
                        )),
                    );
                }
            }
        }
    }
}
