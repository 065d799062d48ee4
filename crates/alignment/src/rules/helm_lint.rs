//! `helm lint` has something to say about a profile.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::ProfileSource;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct HelmLint;

impl Rule for HelmLint {
    fn id(&self) -> &'static str {
        "helm-lint"
    }

    fn summary(&self) -> &'static str {
        "`helm lint` would report something"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Note..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let declared = &profile.profile.declared;
            let ProfileSource::Helm(source) = &declared.source else { continue };
            for message in survey.inputs.facts.lint(profile.profile).iter() {
                let name = profile.name();
                let place = match message.span {
                    Some(span) => Place::source(span),
                    // The chart as a whole: the line that names it.
                    None if message.path.is_empty() || source.chart.value == message.path => {
                        Place::source(source.chart.span)
                    }
                    None => Place::file(source.chart.join(&message.path)),
                };
                out.push(
                    Finding::new(
                        self.id(),
                        message.severity,
                        place.of(name),
                        // Without the profile: what is wrong with the chart is said once.
                        format!("`helm lint` says: {}", message.text),
                    )
                    .label(format!("with the values of profile `{name}`"))
                    .help("correct the chart; `helm lint` accepts it then too"),
                );
            }
        }
    }
}
