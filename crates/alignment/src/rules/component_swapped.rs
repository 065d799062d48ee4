//! A service or container that is named after one component runs another one.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{Standing, Survey};

pub(super) struct ComponentSwapped;

impl Rule for ComponentSwapped {
    fn id(&self) -> &'static str {
        "component-swapped"
    }

    fn summary(&self) -> &'static str {
        "a service that is named after one component runs another one"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(held) = profile.release else { continue };
            for used in &profile.images {
                let Standing::Component(component) = used.standing else { continue };
                let meant = held.release.components.iter().find(|known| known.name.value == used.image.runs_as);
                let Some(meant) = meant.filter(|meant| meant.image.name() != component.image.name()) else { continue };
                let (name, running) = (&meant.name.value, &component.name.value);
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Warning,
                        profile.at(used.image.repository_place()),
                        format!("{} of profile `{}` runs `{running}`, not `{name}`", used.image.user, profile.name()),
                    )
                    .label(format!("the image of `{running}`"))
                    .related(Place::source(meant.image.span), format!("the image of `{name}`"))
                    .help("use the image that it is named after, or give it another name"),
                );
            }
        }
    }
}
