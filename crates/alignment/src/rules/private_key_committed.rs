//! A tracked file holds a private key.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Severity};
use release::ProfileSource;

use crate::compose::{entries, services, string};
use crate::mounts::{inside, mounts};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct PrivateKeyCommitted;

/// Folders whose files are there to be tested with.
const OF_TESTS: [&str; 7] = ["e2e", "fixtures", "test", "testdata", "test-data", "testing", "tests"];

impl Rule for PrivateKeyCommitted {
    fn id(&self) -> &'static str {
        "private-key-committed"
    }

    fn summary(&self) -> &'static str {
        "a tracked file holds a private key"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        if survey.inputs.facts.private_keys().is_empty() {
            return;
        }
        let deployed = deployed(survey);
        for key in survey.inputs.facts.private_keys() {
            let place = key.span.map_or_else(|| Place::file(key.path.clone()), Place::source);
            let is_deployed = key.path.ancestors().any(|path| deployed.contains(path));
            let (severity, help) = if is_of_tests(&key.path) && !is_deployed {
                let help = "make it when the tests run; as long as it is here, see to it that nothing but tests trusts it";
                (Severity::Warning, help.to_owned())
            } else {
                let help = format!(
                    "run `git rm --cached {}`, add it to `.gitignore`, and replace the key: whoever has the history has it",
                    key.path
                );
                (Severity::Error, help)
            };
            out.push(
                Finding::new(self.id(), severity, place, format!("`{}` holds a {}", key.path, key.what)).help(help),
            );
        }
    }
}

fn is_of_tests(path: &Utf8Path) -> bool {
    path.parent().is_some_and(|folder| folder.components().any(|part| OF_TESTS.contains(&part.as_str())))
}

/// What profiles bring into containers: charts, and what Compose mounts or takes as `configs` and `secrets`.
fn deployed(survey: &Survey<'_>) -> BTreeSet<Utf8PathBuf> {
    let mut paths = BTreeSet::new();
    for profile in &survey.profiles {
        if let ProfileSource::Helm(source) = &profile.profile.declared.source {
            paths.insert(source.chart.value.clone());
        }
        for compose in profile.profile.variants.iter().filter_map(|variant| variant.compose()) {
            for service in services(&compose.all) {
                paths.extend(mounts(&service).iter().filter_map(|mount| inside(survey.inputs.root, mount.source)));
            }
            for group in ["configs", "secrets"] {
                let files = entries(compose.all.root.get(group)).filter_map(|(_, node)| string(node, "file"));
                paths.extend(files.filter_map(|file| inside(survey.inputs.root, file)));
            }
        }
    }
    paths
}
