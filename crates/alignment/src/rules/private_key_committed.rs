//! A tracked file holds a private key.

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct PrivateKeyCommitted;

impl Rule for PrivateKeyCommitted {
    fn id(&self) -> &'static str {
        "private-key-committed"
    }

    fn summary(&self) -> &'static str {
        "a tracked file holds a private key"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for key in survey.inputs.facts.private_keys() {
            let place = key.span.map_or_else(|| Place::file(key.path.clone()), Place::source);
            out.push(
                Finding::new(self.id(), Severity::Error, place, format!("`{}` holds a {}", key.path, key.what)).help(
                    format!(
                        "run `git rm --cached {}`, add it to `.gitignore`, and replace the key: whoever has the history has it",
                        key.path
                    ),
                ),
            );
        }
    }
}
