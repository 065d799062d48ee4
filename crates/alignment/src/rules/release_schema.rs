//! A release manifest that cannot be read, or holds what the format does not know.

use findings::{Finding, Severity};
use source::{FileError, octets};

use crate::inputs::Role;
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseSchema;

impl Rule for ReleaseSchema {
    fn id(&self) -> &'static str {
        "release-schema"
    }

    fn summary(&self) -> &'static str {
        "a release manifest is missing or malformed"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for input in survey.inputs.releases {
            let path = &input.path;
            if let Some(reason) = &input.unreadable {
                // The line that names the manifest is where the way out is.
                let workspace = survey.inputs.workspace;
                let named = match &input.role {
                    Role::Current { channel } => workspace.channel(channel).map(|channel| channel.release.span),
                    Role::Ring { channel, ring } => workspace
                        .channel(channel)
                        .and_then(|channel| channel.ring(ring))
                        .and_then(|ring| ring.release.as_ref())
                        .map(|release| release.span),
                    Role::Archive | Role::Named => None,
                };
                let (place, help) = match reason {
                    FileError::NotUtf8 { span, .. } => (Some(*span), octets::WAY_OUT),
                    FileError::NotFound(_) => (named, "create the manifest, or correct the path"),
                    _ => (named, "put a manifest there that can be read, or correct the path"),
                };
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        place.map_or_else(|| Place::file(path.clone()), Place::source),
                        format!("cannot read release manifest `{path}`: {reason}"),
                    )
                    .help(help),
                );
            }
            for problem in input.problems() {
                let place = problem.span.map_or_else(|| Place::file(path.clone()), Place::source);
                let mut finding = Finding::new(self.id(), Severity::Error, place, problem.message.clone());
                finding.help = Some(problem.help.clone().unwrap_or_else(|| {
                    "correct the manifest; `collimate schema release` prints what it may hold".to_owned()
                }));
                out.push(finding);
            }
        }
    }
}
