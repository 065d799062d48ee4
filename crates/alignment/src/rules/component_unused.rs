//! A release lists a component that no profile of its channel uses.

use std::collections::BTreeSet;

use findings::{Finding, Severity};

use crate::inputs::Role;
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ComponentUnused;

impl Rule for ComponentUnused {
    fn id(&self) -> &'static str {
        "component-unused"
    }

    fn summary(&self) -> &'static str {
        "a release lists a component that no profile of its channel uses"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for input in survey.inputs.releases {
            let (Some(release), Role::Current { channel }) = (&input.release, &input.role) else { continue };
            let of_channel = |declared: &release::Profile| declared.channel.value == *channel;
            let any = survey.inputs.workspace.profiles.iter().any(of_channel);
            if !any || !survey.is_complete(of_channel) {
                continue;
            }
            // By name: a ring that lags uses the component of its own release. Or by image: one that is listed twice has a
            // finding of its own.
            let used: BTreeSet<String> = survey
                .profiles
                .iter()
                .filter(|profile| profile.channel() == channel)
                .flat_map(|profile| profile.components().flat_map(|(_, used)| [used.name.value.clone(), used.image.name()]))
                .collect();
            for component in &release.components {
                let name = &component.name.value;
                if used.contains(name) || used.contains(&component.image.name()) {
                    continue;
                }
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Warning,
                        Place::source(component.name.span),
                        format!("no profile of channel `{channel}` uses `{name}` of release `{}`", release.version.value),
                    )
                    .help(format!("use it in a profile of `{channel}`, or take it out of `{}`", input.path)),
                );
            }
        }
    }
}
