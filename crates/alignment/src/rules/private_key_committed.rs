//! A tracked file holds a private key.

use std::cell::RefCell;
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

/// How files end that people read.
const DOCUMENTS: [&str; 4] = ["adoc", "html", "md", "rst"];

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
        let searched = Searched::of(survey);
        for key in survey.inputs.facts.private_keys(&|path| searched.has(path)) {
            let place = key.span.map_or_else(|| Place::file(key.path.clone()), Place::source);
            let path = &key.path;
            let has_more = || survey.inputs.facts.text(path).is_ok_and(|(_, text)| holds_more_than_keys(&text));
            let (severity, help) = if searched.is_of_tests(path) {
                let help = "make it when the tests run; as long as it is here, see to it that nothing but tests trusts it";
                (Severity::Warning, help.to_owned())
            } else {
                // A file of which the key is a part cannot just go; nor can one of a chart, which may read it.
                let way = match (searched.is_of_chart(path), has_more()) {
                    (true, true) => format!("take it out of `{path}`, let the chart name a Secret that is made elsewhere"),
                    (true, false) => format!("remove `{path}`, let the chart name a Secret that is made elsewhere"),
                    (false, true) => format!("take it out of `{path}`, keep it in a file or a Secret that is not committed"),
                    (false, false) => format!("run `git rm --cached {path}`, add it to `.gitignore`"),
                };
                (Severity::Error, format!("{way}, and replace the key: whoever has the history has it"))
            };
            let message = format!("`{path}` holds {} {}", article(&key.what), key.what);
            out.push(Finding::new(self.id(), severity, place, message).help(help));
        }
    }
}

/// Which tracked files are searched: a repository may hold much else, and a check must stay fast.
struct Searched<'s> {
    /// The first folders of paths that the workspace names.
    tops: BTreeSet<&'s str>,
    charts: BTreeSet<Utf8PathBuf>,
    /// What profiles bring into containers: charts, and what Compose mounts or takes as `configs` and `secrets`. Texts, for every tracked file is
    /// looked up, and paths are compared part by part.
    deployed: BTreeSet<String>,
    /// The folder that was asked about last, and how long the path is that a profile takes it from: the files of a folder come one after the other.
    last: RefCell<(String, Option<usize>)>,
}

impl<'s> Searched<'s> {
    fn of(survey: &'s Survey<'_>) -> Self {
        let charts = charts(survey);
        let mut deployed = BTreeSet::new();
        for profile in &survey.profiles {
            for compose in profile.profile.variants.iter().filter_map(|variant| variant.compose()) {
                for service in services(&compose.all) {
                    deployed.extend(mounts(&service).iter().filter_map(|mount| inside(survey.inputs.root, mount.source)));
                }
                for group in ["configs", "secrets"] {
                    let files = entries(compose.all.root.get(group)).filter_map(|(_, node)| string(node, "file"));
                    deployed.extend(files.filter_map(|file| inside(survey.inputs.root, file)));
                }
            }
        }
        let deployed: BTreeSet<String> = charts.iter().cloned().chain(deployed).map(Utf8PathBuf::into_string).collect();
        let tops = named(survey).filter_map(|path| Some(path.as_str().split_once('/')?.0));
        let tops = tops.filter(|top| *top != ".").collect();
        let last = RefCell::new((String::new(), deployed.contains("").then_some(0)));
        Self { tops, charts, deployed, last }
    }

    /// The longest path that a profile takes the file from.
    fn deployed<'p>(&self, path: &'p Utf8Path) -> Option<&'p Utf8Path> {
        if self.deployed.contains(path.as_str()) {
            return Some(path);
        }
        let above = |path: &&'p str| memchr::memrchr(b'/', path.as_bytes()).map(|end| &path[..end]);
        let folder = above(&path.as_str()).unwrap_or_default();
        let mut last = self.last.borrow_mut();
        if last.0 != folder {
            let mut folders = std::iter::successors(Some(folder), above).chain([""]);
            *last = (folder.to_owned(), folders.find(|folder| self.deployed.contains(*folder)).map(str::len));
        }
        last.1.map(|length| Utf8Path::new(&path.as_str()[..length]))
    }

    /// Whatever lies at the top, below a top folder that the workspace names, or where a profile takes it from (but for documents, which show
    /// what a key looks like). Elsewhere a name must promise a key, and those of tests are nobody's business.
    fn has(&self, path: &Utf8Path) -> bool {
        let Some((top, _)) = path.as_str().split_once('/') else { return true };
        self.tops.contains(top)
            || self.deployed(path).is_some() && !path.extension().is_some_and(|ending| DOCUMENTS.contains(&ending))
            || is_named_as_key(path) && !has_folder_of_tests(path)
    }

    /// Whether only tests use it: not what a chart contains or a service mounts. The library within a mounted folder has tests of its own.
    fn is_of_tests(&self, path: &Utf8Path) -> bool {
        let within = match self.deployed(path) {
            Some(deployed) if self.is_of_chart(deployed) => return false,
            Some(deployed) => path.strip_prefix(deployed).unwrap_or(path),
            None => path,
        };
        has_folder_of_tests(within)
    }

    fn is_of_chart(&self, path: &Utf8Path) -> bool {
        self.charts.iter().any(|chart| path.starts_with(chart))
    }
}

/// Every path that the workspace names.
fn named<'s>(survey: &'s Survey<'_>) -> impl Iterator<Item = &'s Utf8Path> {
    let profiles = survey.inputs.workspace.profiles.iter().flat_map(|profile| match &profile.source {
        ProfileSource::Compose(source) => source.files.iter().chain(&source.env).collect::<Vec<_>>(),
        ProfileSource::Helm(source) => std::iter::once(&source.chart).chain(&source.values).collect(),
        ProfileSource::Manifests(paths) => paths.iter().collect(),
    });
    let releases = survey.inputs.releases.iter().map(|release| release.path.as_path());
    releases.chain(profiles.map(|path| path.value.as_path()))
}

/// The folders of charts, as beginnings of paths: that of a chart at the top is empty.
fn charts(survey: &Survey<'_>) -> BTreeSet<Utf8PathBuf> {
    let sources = survey.profiles.iter().map(|profile| &profile.profile.declared.source);
    let charts = sources.filter_map(|source| match source {
        ProfileSource::Helm(source) => Some(source.chart.value.as_path()),
        ProfileSource::Compose(_) | ProfileSource::Manifests(_) => None,
    });
    charts.map(|chart| if chart == "." { Utf8PathBuf::new() } else { chart.to_owned() }).collect()
}

/// How files with keys end, whatever tool wrote them; certificates have their key beside them now and then.
const KEY_ENDINGS: [&str; 12] =
    ["age", "asc", "cer", "cert", "crt", "gpg", "key", "ovpn", "p8", "pem", "pgp", "ppk"];

/// Words of a name without an ending, or with one that says nothing: `id_ed25519`, `server-key.txt`, `ca.key.bak`.
const KEY_WORDS: [&str; 5] = ["id", "identity", "key", "keys", "privkey"];
const PLAIN_ENDINGS: [&str; 5] = ["bak", "old", "orig", "save", "txt"];

/// Whether the name of a file promises a key.
fn is_named_as_key(path: &Utf8Path) -> bool {
    let name = path.as_str().rsplit_once('/').map_or(path.as_str(), |(_, name)| name).to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    KEY_ENDINGS.contains(&ending)
        || (ending.is_empty() || PLAIN_ENDINGS.contains(&ending))
            && stem.split(['.', '-', '_']).any(|word| KEY_WORDS.contains(&word))
}

fn has_folder_of_tests(path: &Utf8Path) -> bool {
    path.parent().is_some_and(|folder| folder.components().any(|part| OF_TESTS.contains(&part.as_str())))
}

/// Whether a file has anything beside keys, certificates and what tools write around them: a values file, a manifest, a script.
fn holds_more_than_keys(text: &str) -> bool {
    let mut in_block = false;
    // `openssl pkcs12` writes whose key it is.
    let has_attributes = text.contains("Bag Attributes");
    !has_attributes
        && text.lines().any(|line| {
            let (begins, ends) = (line.starts_with("-----BEGIN "), line.starts_with("-----END "));
            let is_of_key = in_block || begins || ends || line.starts_with('#') || line.starts_with("AGE-SECRET-KEY-1");
            in_block = (in_block || begins) && !ends;
            !is_of_key && !line.trim().is_empty()
        })
}

/// As it is spoken: an RSA key, an OPENSSH key, a PGP key.
fn article(what: &str) -> &'static str {
    let is_spoken_with_a_vowel = what.starts_with(['O', 'E', 'R', 'a']);
    if is_spoken_with_a_vowel { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    #[test]
    fn names_promise_keys() {
        for (path, expected) in [
            ("certs/server.key", true),
            ("certs/SERVER.PEM", true),
            ("ssh/id_ed25519", true),
            ("ssh/deploy-key", true),
            ("ssh/ca.key.bak", true),
            ("age/keys.txt", true),
            ("src/key.rs", false),
            ("src/keyboard", false),
            ("docs/keys.md", false),
            ("LICENSE", false),
        ] {
            assert_eq!(super::is_named_as_key(Utf8Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn files_of_keys_are_told_from_files_with_a_key() {
        let block = |kind: &str| format!("-----BEGIN {kind}-----\nMC4C\n-----END {kind}-----\n");
        let key = block("PRIVATE KEY");
        for (text, expected) in [
            (key.clone(), false),
            (format!("# of the gateway\n\n{key}{}", block("CERTIFICATE")), false),
            (format!("Bag Attributes\n    friendlyName: x\n{key}"), false),
            ("# created: 2026-11-27\nAGE-SECRET-KEY-1QQ\n".to_owned(), false),
            (format!("tls:\n  key: |\n{}", key.replace("-----BEGIN", "    -----BEGIN")), true),
            (format!("#!/bin/sh\ncat <<END\n{key}END\n"), true),
        ] {
            assert_eq!(super::holds_more_than_keys(&text), expected, "{text}");
        }
    }

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
