//! What is compared: a chart with its defaults, a chart with one of its own test values, a Compose file.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::parity::compare::{self, Run, Verdict};
use crate::process;

/// The programs and how they are run.
pub(crate) struct Tools {
    pub(crate) collimate: Utf8PathBuf,
    pub(crate) helm: Utf8PathBuf,
    pub(crate) helm_major: String,
    pub(crate) compose: Utf8PathBuf,
    pub(crate) compose_format: String,
    pub(crate) limit: Duration,
    /// An empty folder.
    pub(crate) home: TempDir,
}

pub(crate) struct Case {
    /// `<corpus>/<path>`, with the values file where there is one.
    pub(crate) name: String,
    pub(crate) corpus: String,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Chart { folder: Utf8PathBuf, values: Option<Utf8PathBuf> },
    Compose { root: Utf8PathBuf, file: Utf8PathBuf },
}

/// All charts below `root` that are not part of another chart, each with its defaults and with every file of its `ci` folder.
pub(crate) fn charts(root: &Utf8Path, into: &mut Vec<Case>) -> Result<()> {
    let corpus = root.file_name().unwrap_or("charts").to_owned();
    let mut folders = Vec::new();
    find_charts(root, &mut folders)?;
    folders.sort();
    for folder in folders {
        let name = format!("{corpus}/{}", folder.strip_prefix(root).unwrap_or(&folder));
        let name = name.trim_end_matches('/');
        let mut values: Vec<Utf8PathBuf> = files(&folder.join("ci"), is_yaml)?;
        values.sort();
        for values in std::iter::once(None).chain(values.into_iter().map(Some)) {
            let suffix = values.as_ref().and_then(|values| values.file_name()).map(|name| format!(" + ci/{name}"));
            into.push(Case {
                name: format!("{name}{}", suffix.unwrap_or_default()),
                corpus: corpus.clone(),
                kind: Kind::Chart { folder: folder.clone(), values },
            });
        }
    }
    Ok(())
}

fn find_charts(folder: &Utf8Path, into: &mut Vec<Utf8PathBuf>) -> Result<()> {
    if folder.join("Chart.yaml").is_file() {
        into.push(folder.to_owned());
        return Ok(());
    }
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name() != ".git" {
            find_charts(entry.path(), into)?;
        }
    }
    Ok(())
}

/// All files below `root` that are named like Compose files.
pub(crate) fn compose_files(root: &Utf8Path, into: &mut Vec<Case>) -> Result<()> {
    let corpus = root.file_name().unwrap_or("compose").to_owned();
    let mut found = Vec::new();
    find_compose(root, &mut found)?;
    found.sort();
    for path in found {
        let file = path.strip_prefix(root).unwrap_or(&path).to_owned();
        into.push(Case {
            name: format!("{corpus}/{file}"),
            corpus: corpus.clone(),
            kind: Kind::Compose { root: root.to_owned(), file },
        });
    }
    Ok(())
}

fn find_compose(folder: &Utf8Path, into: &mut Vec<Utf8PathBuf>) -> Result<()> {
    into.extend(files(folder, |name| is_yaml(name) && name.contains("compose"))?);
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name() != ".git" {
            find_compose(entry.path(), into)?;
        }
    }
    Ok(())
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// Regular files directly in a folder; none if the folder is not there.
fn files(folder: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() && wanted(entry.file_name()) {
                found.push(entry.path().to_owned());
            }
        }
    }
    Ok(found)
}

impl Case {
    /// Runs both and compares.
    pub(crate) fn judge(&self, tools: &Tools) -> Verdict {
        let theirs = run(self.theirs(tools), tools);
        let ours = run(self.ours(tools), tools);
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => match &self.kind {
                Kind::Chart { .. } => compare::texts(&theirs, &ours, || run(self.theirs(tools), tools).ok()),
                Kind::Compose { .. } if tools.compose_format == "json" => compare::trees(&theirs, &ours),
                Kind::Compose { .. } => compare::texts(&theirs, &ours, || None),
            },
            (Err(error), _) | (_, Err(error)) => Verdict::not_run(&format!("{error:#}")),
        }
    }

    /// How to see the case by hand.
    pub(crate) fn shown(&self) -> String {
        match &self.kind {
            Kind::Chart { folder, values } => {
                let values = values.as_ref().map(|values| format!(" --values {values}")).unwrap_or_default();
                format!("collimate render --reveal --chart {folder} --release-name r --namespace ns{values}")
            }
            Kind::Compose { root, file } => format!("cd {root} && collimate render --reveal --compose {file}"),
        }
    }

    fn theirs(&self, tools: &Tools) -> Command {
        match &self.kind {
            Kind::Chart { folder, values } => {
                let mut command = Command::new(&tools.helm);
                command.args(["template", "r", folder.as_str(), "--namespace", "ns"]);
                command.args(values.iter().flat_map(|values| ["--values", values.as_str()]));
                command.current_dir(tools.home.path());
                command
            }
            Kind::Compose { root, file } => {
                let mut command = Command::new(&tools.compose);
                command.args(["--file", file.as_str(), "config", "--format", &tools.compose_format]);
                command.current_dir(root);
                command
            }
        }
    }

    fn ours(&self, tools: &Tools) -> Command {
        let mut command = Command::new(&tools.collimate);
        command.args(["render", "--reveal"]);
        match &self.kind {
            Kind::Chart { folder, values } => {
                command.args(["--chart", folder.as_str(), "--release-name", "r", "--namespace", "ns"]);
                command.args(["--helm", &tools.helm_major]);
                command.args(values.iter().flat_map(|values| ["--values", values.as_str()]));
                command.current_dir(tools.home.path());
            }
            Kind::Compose { root, file } => {
                command.args(["--compose", file.as_str(), "--format", &tools.compose_format]);
                command.current_dir(root);
            }
        }
        command
    }
}

fn run(mut command: Command, tools: &Tools) -> Result<Run> {
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", tools.home.path());
    // Remote includes and repositories: a port that refuses at once.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, "http://127.0.0.1:1");
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    let captured = process::capture(&mut command, tools.limit)?;
    Ok(Run {
        accepted: captured.code == Some(0),
        // A signal, our own "this is a bug", or a Rust panic.
        crashed: !captured.timed_out && matches!(captured.code, None | Some(70 | 101)),
        timed_out: captured.timed_out,
        stdout: String::from_utf8_lossy(&captured.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&captured.stderr).into_owned(),
        elapsed: captured.elapsed,
    })
}
