//! A template calls a function whose result differs from run to run.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::ProfileSource;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct NondeterministicTemplate;

impl Rule for NondeterministicTemplate {
    fn id(&self) -> &'static str {
        "nondeterministic-template"
    }

    fn summary(&self) -> &'static str {
        "a template calls a function whose result differs from run to run"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        // One call is one finding, however many profiles reach it.
        let mut said = BTreeSet::new();
        for profile in &survey.profiles {
            let declared = &profile.profile.declared;
            for variant in &profile.profile.variants {
                let Some(kubernetes) = variant.kubernetes() else { continue };
                for (function, span) in &kubernetes.nondeterministic {
                    let fallback = match &declared.source {
                        ProfileSource::Helm(source) => source.chart.span,
                        _ => declared.name.span,
                    };
                    let span = span.unwrap_or(fallback);
                    if !said.insert((span, function)) {
                        continue;
                    }
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Warning,
                            Place::source(span).of(profile.name()),
                            format!("`{function}` gives another result on every run"),
                        )
                        .label("cannot be reproduced")
                        .help("take the value from `values` or from a Secret that is made elsewhere"),
                    );
                }
            }
        }
    }
}
