//! A variable that the shell exports would change an image: Compose takes it before any env file.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use composefile::{Project, VariableSource};
use findings::{Finding, Severity};
use source::Span;

use crate::place::{Object, Place};
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ImageFromEnvironment;

impl Rule for ImageFromEnvironment {
    fn id(&self) -> &'static str {
        "image-from-environment"
    }

    fn summary(&self) -> &'static str {
        "a variable that the shell exports would change an image"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let exported = survey.inputs.facts.exported();
        for profile in &survey.profiles {
            let name = profile.name();
            let touched = profile.profile.variants.iter().filter_map(|variant| variant.compose()).any(|compose| {
                compose.all.variables.iter().any(|variable| exported.contains(&variable.name))
            });
            if !touched {
                continue;
            }
            for used in profile.images.iter().filter(|used| used.image.object == Object::Compose) {
                let variant = profile.profile.variants.get(used.image.variant);
                let Some(compose) = variant.and_then(|variant| variant.compose()) else { continue };
                let path: Vec<String> = used
                    .image
                    .path
                    .0
                    .iter()
                    .map(|step| match step {
                        crate::place::Step::Key(key) | crate::place::Step::Name(key) => key.to_string(),
                        crate::place::Step::Index(index) => index.to_string(),
                    })
                    .collect();
                let node = compose.all.root.at_path(path.iter().map(String::as_str));
                let Some(span) = node.and_then(|node| node.span) else { continue };
                for (variable, at) in variables_behind(&compose.all, span) {
                    if !exported.contains(variable) {
                        continue;
                    }
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Warning,
                            Place::source(at).of(name),
                            format!("the shell exports `{variable}`, which would change an image of profile `{name}`"),
                        )
                        .label(format!("the image of {}", used.image.user))
                        .help(format!("run `unset {variable}` before `docker compose`, which prefers the shell to env files")),
                    );
                }
            }
        }
    }
}

/// The variables that a value was made from: those in its scalar, and those in the env entries that these were read from.
fn variables_behind(project: &Project, scalar: Span) -> Vec<(&str, Span)> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    let mut open = vec![scalar];
    while let Some(place) = open.pop() {
        if !seen.insert(place) {
            continue;
        }
        for variable in &project.variables {
            let Some(span) = variable.span else { continue };
            if !(place.contains(span) || span.contains(place)) {
                continue;
            }
            out.push((variable.name.as_str(), span));
            if let VariableSource::EnvFile(value) = variable.from {
                open.push(value);
            }
        }
    }
    out
}
