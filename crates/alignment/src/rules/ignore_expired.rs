//! An `ignore` entry is past its last day.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct IgnoreExpired;

impl Rule for IgnoreExpired {
    fn id(&self) -> &'static str {
        "ignore-expired"
    }

    fn summary(&self) -> &'static str {
        "an `ignore` entry is past its last day"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    /// What was ignored is known once all findings have their places: see [`accept`](crate::accept).
    fn check(&self, _survey: &Survey<'_>, _out: &mut Vec<Finding<Place>>) {}
}
