//! A release lists a component that no profile of its channel uses.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::{Component, Only, nearest};

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

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for input in survey.inputs.releases {
            let (Some(release), Role::Current { channel }) = (input.release(), &input.role) else { continue };
            for component in &release.components {
                self.unknown_profiles(survey, component, out);
            }
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
                // One release serves channels with different profiles: where none of those that `only_in` names follows
                // the channel, nobody is there to use it.
                let is_for = |profile: &release::Profile| component.is_for(profile.kind(), &profile.name.value);
                let profiles = &survey.inputs.workspace.profiles;
                if !profiles.iter().any(|profile| of_channel(profile) && is_for(profile)) {
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

impl ComponentUnused {
    /// A misspelt name in `only_in` would silence the rule, so it is said here.
    fn unknown_profiles(&self, survey: &Survey<'_>, component: &Component, out: &mut Vec<Finding<Place>>) {
        let profiles = &survey.inputs.workspace.profiles;
        for only in &component.only_in {
            let Only::Profile(name) = &only.value else { continue };
            if profiles.iter().any(|profile| profile.name.value == *name) {
                continue;
            }
            let kinds = ["compose", "helm", "manifests"];
            let known = profiles.iter().map(|profile| profile.name.value.as_str()).chain(kinds);
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a profile of the workspace, or a kind: `compose`, `helm`, `manifests`".to_owned(),
            };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Warning,
                    Place::source(only.span),
                    format!("`{}` is only for `{name}`, and there is no such profile", component.name.value),
                )
                .help(help),
            );
        }
    }
}
