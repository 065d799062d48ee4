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
        let (charts, deployed) = (charts(survey), deployed(survey));
        for key in survey.inputs.facts.private_keys() {
            let place = key.span.map_or_else(|| Place::file(key.path.clone()), Place::source);
            let is_deployed = key.path.ancestors().any(|path| deployed.contains(path));
            let (severity, help) = if is_of_tests(&key.path) && !is_deployed {
                let help = "make it when the tests run; as long as it is here, see to it that nothing but tests trusts it";
                (Severity::Warning, help.to_owned())
            } else if charts.iter().any(|chart| key.path.starts_with(chart)) {
                // The file is part of the chart, and a chart may read it: it cannot just go.
                let help = format!(
                    "take it out of `{}`, let the chart name a Secret that is made elsewhere, and replace the key: whoever has the history has it",
                    key.path
                );
                (Severity::Error, help)
            } else {
                let help = format!(
                    "run `git rm --cached {}`, add it to `.gitignore`, and replace the key: whoever has the history has it",
                    key.path
                );
                (Severity::Error, help)
            };
            let message = format!("`{}` holds {} {}", key.path, article(&key.what), key.what);
            out.push(Finding::new(self.id(), severity, place, message).help(help));
        }
    }
}

fn is_of_tests(path: &Utf8Path) -> bool {
    path.parent().is_some_and(|folder| folder.components().any(|part| OF_TESTS.contains(&part.as_str())))
}

/// As it is spoken: an RSA key, an OPENSSH key, a PGP key.
fn article(what: &str) -> &'static str {
    let is_spoken_with_a_vowel = what.starts_with(['O', 'E', 'R', 'a']);
    if is_spoken_with_a_vowel { "an" } else { "a" }
}

fn charts<'s>(survey: &'s Survey<'_>) -> BTreeSet<&'s Utf8Path> {
    let sources = survey.profiles.iter().map(|profile| &profile.profile.declared.source);
    let charts = sources.filter_map(|source| match source {
        ProfileSource::Helm(source) => Some(source.chart.value.as_path()),
        ProfileSource::Compose(_) | ProfileSource::Manifests(_) => None,
    });
    charts.collect()
}

/// What profiles bring into containers: charts, and what Compose mounts or takes as `configs` and `secrets`.
fn deployed(survey: &Survey<'_>) -> BTreeSet<Utf8PathBuf> {
    let mut paths = BTreeSet::new();
    paths.extend(charts(survey).into_iter().map(Utf8Path::to_owned));
    for profile in &survey.profiles {
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

#[cfg(test)]
mod tests {
    #[test]
    fn keys_have_their_article() {
        for (what, expected) in [
            ("private key", "a"),
            ("RSA private key", "an"),
            ("EC private key", "an"),
            ("OPENSSH private key", "an"),
            ("ENCRYPTED private key", "an"),
            ("DSA private key", "a"),
            ("PGP private key", "a"),
            ("age private key", "an"),
        ] {
            assert_eq!(super::article(what), expected, "{what}");
        }
    }
}
