//! A rendered object is labelled with another release or channel than its profile has.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use source::redact;

use crate::labels::{LabelMeaning, differing_labels};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseLabelDiffers;

impl Rule for ReleaseLabelDiffers {
    fn id(&self) -> &'static str {
        "release-label-differs"
    }

    fn summary(&self) -> &'static str {
        "a label names another release or channel than the profile has"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(held) = profile.release else { continue };
            let name = profile.name();
            let mut wrong = differing_labels(profile);
            // Charts print one value in both labels: what is wrong with it is said once.
            let versions = wrong.iter().filter(|label| label.meaning == LabelMeaning::Version);
            let said: BTreeSet<String> = versions.map(|label| label.value.clone()).collect();
            wrong.retain(|label| label.meaning != LabelMeaning::Application || !said.contains(&label.value));
            for label in wrong {
                let (at, why) = if label.meaning == LabelMeaning::Channel {
                    (profile.profile.declared.channel.span, format!("profile `{name}` follows this channel"))
                } else {
                    (held.release.version.span, format!("profile `{name}` is held to this release"))
                };
                let severity =
                    if label.meaning == LabelMeaning::Application { Severity::Warning } else { Severity::Error };
                let expected = &label.expected;
                out.push(
                    Finding::new(
                        self.id(),
                        severity,
                        profile.at(label.place),
                        format!(
                            "label `{}` of profile `{name}` says `{}`, not `{expected}`",
                            label.key,
                            redact(&label.value)
                        ),
                    )
                    .label("says this")
                    .related(Place::source(at), why)
                    .help(format!("run {}, or write `{expected}`", profile.pin_command())),
                );
            }
        }
    }
}
