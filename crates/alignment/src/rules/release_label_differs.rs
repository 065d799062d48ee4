//! A rendered object is labelled with another release or channel than its profile has.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use source::redact;

use crate::labels::{LabelMeaning, ReleaseLabel, differing_labels};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct ReleaseLabelDiffers;

pub(crate) const ID: &str = "release-label-differs";

impl Rule for ReleaseLabelDiffers {
    fn id(&self) -> &'static str {
        ID
    }

    fn summary(&self) -> &'static str {
        "a label names another release or channel than the profile has"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let mut wrong = differing_labels(profile);
            // Charts print one value in both labels: what is wrong with it is said once.
            let versions = wrong.iter().filter(|label| label.meaning == LabelMeaning::Version);
            let said: BTreeSet<String> = versions.map(|label| label.value.clone()).collect();
            wrong.retain(|label| label.meaning != LabelMeaning::Application || !said.contains(&label.value));
            out.extend(wrong.iter().filter_map(|label| finding(profile, label)));
        }
    }
}

/// What is wrong with a label that differs.
pub(crate) fn finding(profile: &ProfileSurvey<'_>, label: &ReleaseLabel) -> Option<Finding<Place>> {
    let held = profile.release?;
    let name = profile.name();
    let (at, why) = if label.meaning == LabelMeaning::Channel {
        (profile.profile.declared.channel.span, format!("profile `{name}` follows this channel"))
    } else {
        (held.release.version.span, format!("profile `{name}` is held to this release"))
    };
    let severity = if label.meaning == LabelMeaning::Application { Severity::Warning } else { Severity::Error };
    let (key, value, expected) = (&label.key, redact(&label.value), &label.expected);
    let message = format!("label `{key}` of profile `{name}` says `{value}`, not `{expected}`");
    let finding = Finding::new(ID, severity, profile.at(label.place.clone()), message)
        .label("says this")
        .related(Place::source(at), why)
        .help(format!("run {}, or write `{expected}`", profile.pin_command()));
    Some(finding)
}
