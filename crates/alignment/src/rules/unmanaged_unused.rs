//! `unmanaged` allows an image that no profile uses.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{Standing, Survey};

pub(super) struct UnmanagedUnused;

impl Rule for UnmanagedUnused {
    fn id(&self) -> &'static str {
        "unmanaged-unused"
    }

    fn summary(&self) -> &'static str {
        "`unmanaged` allows an image that no profile uses"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        if !survey.is_complete(|_| true) {
            return;
        }
        for unmanaged in &survey.inputs.workspace.unmanaged {
            let used = survey.profiles.iter().flat_map(|profile| &profile.images).any(|used| match used.standing {
                // An image with a tag that is not allowed has a finding of its own: the entry is not idle.
                Standing::Unmanaged(entry) | Standing::OtherTag(entry) => entry.span == unmanaged.span,
                _ => false,
            });
            if !used {
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Warning,
                        Place::source(unmanaged.span),
                        format!("no profile uses unmanaged image `{}`", unmanaged.image.name()),
                    )
                    .help("remove the entry from `unmanaged`"),
                );
            }
        }
    }
}
