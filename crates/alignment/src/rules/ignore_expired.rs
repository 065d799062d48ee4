//! An `ignore` entry is past its last day.

use findings::Finding;

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

    /// What was ignored is known once all findings have their places: see [`accept`](crate::accept).
    fn check(&self, _survey: &Survey<'_>, _out: &mut Vec<Finding<Place>>) {}
}
