//! Which files of the workspace an operator behind an air gap needs to run telemetry.
//!
//! [`RULES`] is the one list. Paths in a bundle are those of the workspace, so that every command and relative path in the files
//! works in an unpacked bundle as it does here. Only regular files are taken, and no link is followed, not even one that stays
//! inside: a bundle has none, and a file must not come in under two names.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

use crate::exit::{Failure, Result};

/// What is done with files whose path matches a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Taken; an error if there is none.
    Need(&'static str),
    /// Taken if there are any.
    Take(&'static str),
    /// Left out.
    Leave(&'static str),
}

use Rule::{Leave, Need, Take};

/// The last rule that matches a path decides. `*` matches within a name, `**` any number of names.
const RULES: &[Rule] = &[
    // The collector's and the stores' configuration. Each site makes certificates of its own; tests are for this repository.
    Take("deploy/telemetry/**"),
    Need("deploy/telemetry/otel-collector-config.yaml"),
    Need("deploy/telemetry/otel-collector-config.airgap.yaml"),
    Need("deploy/telemetry/storage/prometheus.yaml"),
    Need("deploy/telemetry/storage/tempo.yaml"),
    Need("deploy/telemetry/storage/loki.yaml"),
    Need("deploy/telemetry/storage/rules/*.yaml"),
    Leave("deploy/telemetry/certs/**"),
    Leave("deploy/telemetry/**/tests/**"),
    // The overlays, and the one profile under which they are laid behind an air gap.
    Take("deploy/compose/docker-compose.telemetry*.yaml"),
    Need("deploy/compose/docker-compose.telemetry.yaml"),
    Need("deploy/compose/docker-compose.telemetry-storage.yaml"),
    Need("deploy/compose/docker-compose.airgap.yaml"),
    Need("deploy/compose/env/airgap.env.example"),
    Take("deploy/compose/env/telemetry*.env.example"),
    // The whole chart, since nothing less can be installed, with the values of no other channel and nothing of the mirror, which
    // serves the connected side.
    Take("deploy/helm/stellaops/**"),
    Need("deploy/helm/stellaops/Chart.yaml"),
    Need("deploy/helm/stellaops/values.yaml"),
    Leave("deploy/helm/stellaops/values-*.yaml"),
    Need("deploy/helm/stellaops/values-airgap.yaml"),
    Leave("deploy/helm/stellaops/files/mirror-*/**"),
    // Instructions, and the scripts that they name.
    Need("docs/telemetry.md"),
    Need("deploy/tools/collimate.sh"),
    Need("ops/devops/telemetry/generate_dev_tls.sh"),
    Need("ops/devops/telemetry/smoke_otel_collector.py"),
    Take("LICENSE"),
    // What editors, systems and interrupted programs leave behind.
    Leave("**/*~"),
    Leave("**/*.swp"),
    Leave("**/*.orig"),
    Leave("**/*.bak"),
    Leave("**/.DS_Store"),
    Leave("**/.git/**"),
    Leave("**/.collimate-*"),
    Leave("**/__pycache__/**"),
];

/// Names that a walk comes across; a chart and a configuration folder have a hundred.
const MOST_ENTRIES: usize = 20_000;

/// Folders within folders.
const DEEPEST: usize = 16;

/// A file of the workspace, read.
pub(super) struct Asset {
    /// Relative to the workspace's root.
    pub(super) path: Utf8PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// All assets, sorted by path; `release` is the manifest of the channel, which the workspace names.
pub(super) fn collect(root: &Utf8Path, release: &Utf8Path) -> Result<Vec<Asset>> {
    let mut walk = Walk { root, paths: Vec::new(), entries: 0, links: Vec::new() };
    for pattern in RULES.iter().filter_map(|rule| rule.taken()) {
        walk.pattern(pattern)?;
    }
    walk.file(release);
    walk.paths.sort();
    walk.paths.dedup();
    let mut missing: Vec<String> = RULES
        .iter()
        .filter_map(|rule| match rule {
            Need(pattern) if !walk.paths.iter().any(|path| matches(pattern, path.as_str())) => {
                Some((*pattern).to_owned())
            }
            _ => None,
        })
        .collect();
    if !walk.paths.iter().any(|path| path == release) {
        missing.push(release.to_string());
    }
    if !walk.links.is_empty() {
        walk.links.sort();
        walk.links.dedup();
        let failure =
            Failure::input("a bundle holds regular files only").hint("replace each by a copy of what it leads to");
        return Err(walk.links.iter().fold(failure, |failure, link| failure.because(link)));
    }
    if !missing.is_empty() {
        let failure = Failure::input("the workspace does not have everything that the bundle needs");
        return Err(missing.iter().fold(failure, |failure, path| failure.because(format!("`{path}` is missing"))));
    }
    walk.paths.iter().map(|path| read(root, path)).collect()
}

impl Rule {
    fn pattern(self) -> &'static str {
        match self {
            Need(pattern) | Take(pattern) | Leave(pattern) => pattern,
        }
    }

    fn taken(&self) -> Option<&'static str> {
        match self {
            Need(pattern) | Take(pattern) => Some(pattern),
            Leave(_) => None,
        }
    }
}

/// What the list says of a path.
fn is_taken(path: &str) -> bool {
    let last = RULES.iter().rev().find(|rule| matches(rule.pattern(), path));
    matches!(last, Some(Need(_) | Take(_)))
}

struct Walk<'a> {
    root: &'a Utf8Path,
    paths: Vec<Utf8PathBuf>,
    entries: usize,
    /// Complaints about what is no regular file.
    links: Vec<String>,
}

impl Walk<'_> {
    fn pattern(&mut self, pattern: &str) -> Result<()> {
        if !pattern.contains('*') {
            if is_taken(pattern) {
                self.file(Utf8Path::new(pattern));
            }
            return Ok(());
        }
        let folder =
            pattern.split('*').next().and_then(|start| start.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let folder = Utf8Path::new(folder);
        if self.has_plain_folders(folder) && self.root.join(folder).is_dir() {
            self.folder(folder, pattern, 0)
        } else {
            Ok(())
        }
    }

    /// A file by its name, if it is there.
    fn file(&mut self, path: &Utf8Path) {
        let folder = path.parent().unwrap_or(Utf8Path::new(""));
        if !self.has_plain_folders(folder) {
            return;
        }
        if let Ok(metadata) = self.root.join(path).symlink_metadata() {
            self.entry(path, &metadata.file_type());
        }
    }

    /// Whether a folder is reached without links; one in the way is noted.
    fn has_plain_folders(&mut self, folder: &Utf8Path) -> bool {
        let folders: Vec<&Utf8Path> = folder.ancestors().filter(|folder| !folder.as_str().is_empty()).collect();
        for folder in folders.into_iter().rev() {
            if self.root.join(folder).is_symlink() {
                self.links.push(format!("`{folder}` is a link"));
                return false;
            }
        }
        true
    }

    fn folder(&mut self, folder: &Utf8Path, pattern: &str, depth: usize) -> Result<()> {
        let unreadable = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::InvalidData => {
                Failure::input(format!("cannot read `{folder}`")).because("a name in it is not UTF-8")
            }
            _ => Failure::input(format!("cannot read `{folder}`")).because(system::reason(error)),
        };
        for entry in self.root.join(folder).read_dir_utf8().map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            self.entries += 1;
            if self.entries > MOST_ENTRIES || depth > DEEPEST {
                return Err(Failure::input(format!("`{folder}` holds too much for a bundle"))
                    .because(format!("at most {MOST_ENTRIES} names are looked at, {DEEPEST} folders deep")));
            }
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(|error| unreadable(&error))?;
            if kind.is_dir() {
                // A folder of which every file is left out is not entered: it may be private, as that of the certificates is.
                if is_taken(path.join("any").as_str()) || !pattern.ends_with("**") {
                    self.folder(&path, pattern, depth + 1)?;
                }
            } else if matches(pattern, path.as_str()) && is_taken(path.as_str()) {
                self.entry(&path, &kind);
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Utf8Path, kind: &std::fs::FileType) {
        if kind.is_file() {
            self.paths.push(path.to_owned());
        } else if kind.is_symlink() {
            self.links.push(format!("`{path}` is a link"));
        } else {
            self.links.push(format!("`{path}` is no file"));
        }
    }
}

fn read(root: &Utf8Path, path: &Utf8Path) -> Result<Asset> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{path}`")).because(cause);
    let file = std::fs::File::open(root.join(path)).map_err(|error| unreadable(&system::reason(&error)))?;
    let mut bytes = Vec::new();
    file.take(bundle::MOST_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&system::reason(&error)))?;
    Ok(Asset { path: path.to_owned(), bytes })
}

/// Whether a pattern matches a whole path.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    matches_names(&pattern, &path)
}

fn matches_names(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            // At the end it means a file below; elsewhere it may also mean no folder at all.
            (0..=path.len()).any(|skip| (skip > 0 || !rest.is_empty()) && matches_names(rest, &path[skip..]))
        }
        (Some((first, pattern)), Some((name, path))) => matches_name(first, name) && matches_names(pattern, path),
        _ => false,
    }
}

fn matches_name(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| matches_name(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("a/**", "a/b", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**", "ab/c", false),
            ("**/*~", "x~", true),
            ("**/*~", "a/b/x~", true),
            ("a/**/tests/**", "a/tests/x", true),
            ("a/**/tests/**", "a/b/c/tests/x/y", true),
            ("a/**/tests/**", "a/tests", false),
            ("a/v-*.yaml", "a/v-x.yaml", true),
            ("a/v-*.yaml", "a/v-x/y.yaml", false),
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_rule_decides() {
        for (path, expected) in [
            ("deploy/telemetry/otel-collector-config.yaml", true),
            ("deploy/telemetry/storage/rules/telemetry.yaml", true),
            ("deploy/telemetry/storage/rules/tests/telemetry.yaml", false),
            ("deploy/telemetry/certs/collector/tls.key", false),
            ("deploy/telemetry/certs/authority/ca.key", false),
            ("deploy/helm/stellaops/values-airgap.yaml", true),
            ("deploy/helm/stellaops/values-prod.yaml", false),
            ("deploy/helm/stellaops/templates/_pod.tpl", true),
            ("deploy/helm/stellaops/templates/_pod.tpl~", false),
            ("deploy/helm/stellaops/files/mirror-env/concelier.env", false),
            ("deploy/helm/stellaops/files/other.conf", true),
            ("deploy/compose/env/airgap.env.example", true),
            ("deploy/compose/env/airgap.env", false),
            ("deploy/compose/docker-compose.prod.yaml", false),
            ("collimate.yaml", false),
        ] {
            assert_eq!(is_taken(path), expected, "{path}");
        }
    }
}
