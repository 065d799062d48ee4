//! The workspace file asks for less than the one of a protected revision.

use findings::Finding;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct PolicyWeakened;

impl Rule for PolicyWeakened {
    fn id(&self) -> &'static str {
        "policy-weakened"
    }

    fn summary(&self) -> &'static str {
        "the workspace file asks for less than that of `--policy-from`"
    }

    /// The other file comes from outside: see [`weakened`](crate::weakened).
    fn check(&self, _survey: &Survey<'_>, _out: &mut Vec<Finding<Place>>) {}
}
