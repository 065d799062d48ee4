//! Docker Compose would refuse a profile.

use findings::{Finding, Severity};
use release::ProfileSource;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ComposeInvalid;

impl Rule for ComposeInvalid {
    fn id(&self) -> &'static str {
        "compose-invalid"
    }

    fn summary(&self) -> &'static str {
        "Docker Compose would refuse a profile"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let declared = &profile.profile.declared;
            let ProfileSource::Compose(source) = &declared.source else { continue };
            let mut said: Vec<&str> = Vec::new();
            for variant in &profile.profile.variants {
                let Err(failure) = &variant.rendering else { continue };
                // What is wrong in the base is wrong under every overlay.
                if said.contains(&failure.message.as_str()) {
                    continue;
                }
                said.push(&failure.message);
                let fallback = source.files.first().map_or(declared.name.span, |file| file.span);
                let name = profile.name();
                let with = match variant.overlays.as_slice() {
                    [] => String::new(),
                    overlays => format!(" with overlay `{}`", overlays.join("`, `")),
                };
                let finding = Finding::new(
                    self.id(),
                    Severity::Error,
                    Place::source(failure.span.unwrap_or(fallback)).of(name),
                    format!("profile `{name}`{with} does not load: {}", failure.message),
                );
                let finding = match failure.earlier {
                    Some(earlier) => finding.related(Place::source(earlier), "already defined here"),
                    None => finding,
                };
                out.push(finding.help(failure.help.clone().unwrap_or_else(|| {
                    format!("correct the file; `collimate render {name}` loads this profile alone")
                })));
            }
        }
    }
}
