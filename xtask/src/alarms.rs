//! `cargo xtask alarms`: what `collimate init` and the first `check` say of projects that never heard of us.
//!
//! The projects are not ours and may be hostile: each is copied first, every run has a time limit and an empty environment, and nothing of
//! theirs is run. Whether an error is a false alarm only a reader can say: `--errors` lists all of them, with their places.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::terminal::{print, say};
use crate::{parity, process};

/// The largest project of the published table takes a second; a busy machine is ten times slower.
const TIMEOUT_SECONDS: usize = 60;

/// Exit codes that say that `init` did its work or said why not: fine, findings, nothing there that can be rendered.
const ANSWERS: [i32; 3] = [0, 1, 3];

/// Of a clone's `.git` the index says what is tracked; the objects are most of its bytes and nobody reads them.
const LEFT_BEHIND: &str = ".git/objects";

/// `cargo xtask alarms DIR… [--errors] [--timeout SECONDS] [--program FILE] [--json FILE]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let errors = arguments.switch("--errors");
    let limit = Duration::from_secs(arguments.number("--timeout")?.unwrap_or(TIMEOUT_SECONDS) as u64);
    let program = arguments.option("--program")?;
    let json = arguments.option("--json")?;
    let folders = arguments.names()?;
    if folders.is_empty() {
        bail!("name the folders of the projects");
    }
    let program = parity::program(program)?;
    let mut projects = Vec::new();
    for folder in &folders {
        let folder = absolute(folder)?;
        let project = Project::of(&folder, &program, limit).with_context(|| format!("`{folder}`"))?;
        if errors {
            project.errors().for_each(|line| say(&line));
        }
        projects.push(project);
    }
    print(&table(&projects));
    if let Some(path) = json {
        let all: serde_json::Map<String, Value> =
            projects.iter().map(|project| (project.name.clone(), project.report.clone())).collect();
        let text = format!("{:#}\n", serde_json::json!({"schema": 1, "projects": all}));
        fs::write(&path, text).with_context(|| format!("cannot write `{path}`"))?;
    }
    Ok(if projects.iter().all(|project| project.failure.is_none()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was said of one project.
struct Project {
    name: String,
    /// The report of `check`; null where there is no workspace.
    report: Value,
    /// What `init` left out or could not render.
    left_out: usize,
    elapsed: Duration,
    /// Why this is no answer: a crash, a hang.
    failure: Option<String>,
}

impl Project {
    fn of(folder: &Utf8Path, program: &Utf8Path, limit: Duration) -> Result<Self> {
        let copy = tempfile::tempdir().context("cannot create a temporary folder")?;
        let root = copy.path().join("project");
        copy_tree(folder.as_std_path(), &root, folder.as_std_path())?;
        let run = |words: &[&str]| {
            let mut command = Command::new(program);
            command.args(words).current_dir(&root).env_clear();
            process::capture(&mut command, limit)
        };
        let init = run(&["init"])?;
        let said = String::from_utf8_lossy(&init.stdout).into_owned() + &String::from_utf8_lossy(&init.stderr);
        let failure = match init.code {
            _ if init.timed_out => Some("no answer in time".to_owned()),
            Some(code) if ANSWERS.contains(&code) => None,
            Some(code) => Some(format!("exit code {code}: {}", said.lines().next().unwrap_or_default())),
            None => Some("ended by a signal".to_owned()),
        };
        let check = run(&["check", "--format", "json"])?;
        let report = serde_json::from_slice(&check.stdout).unwrap_or(Value::Null);
        let name = folder.file_name().unwrap_or(folder.as_str()).to_owned();
        Ok(Self { name, report, left_out: left_out(&said), elapsed: init.elapsed, failure })
    }

    /// Findings by severity and rule.
    fn counts(&self) -> BTreeMap<(&str, &str), usize> {
        let mut counts = BTreeMap::new();
        for finding in self.findings() {
            *counts.entry((text(finding, "severity"), text(finding, "rule"))).or_default() += 1;
        }
        counts
    }

    fn findings(&self) -> impl Iterator<Item = &Value> {
        self.report["findings"].as_array().into_iter().flatten()
    }

    /// One line for each error: what has to be read.
    fn errors(&self) -> impl Iterator<Item = String> {
        let errors = self.findings().filter(|finding| text(finding, "severity") == "error");
        errors.map(|finding| {
            let place = &finding["place"];
            let (file, line) = (text(place, "file"), place["line"].as_u64().unwrap_or_default());
            format!("{}: {file}:{line}: [{}] {}", self.name, text(finding, "rule"), text(finding, "message"))
        })
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The entries below `in no profile:`, or the causes where nothing could be rendered.
fn left_out(said: &str) -> usize {
    let listed = said.split_once("\nin no profile:\n").map_or("", |(_, rest)| rest);
    let listed = listed.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  `")).count();
    listed + said.lines().filter(|line| line.starts_with("caused by: `")).count()
}

fn table(projects: &[Project]) -> String {
    let mut table =
        "| project | profiles | left out | seconds | errors | warnings | notes |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for project in projects {
        let counts = project.counts();
        let cell = |severity: &str| {
            let of_rules = counts.iter().filter(|((of, _), _)| *of == severity);
            let named: Vec<String> = of_rules.map(|((_, rule), count)| format!("{count} {rule}")).collect();
            if named.is_empty() { "–".to_owned() } else { named.join(", ") }
        };
        let profiles = project.report["profiles"].as_array().map_or(0, Vec::len);
        let errors = project.failure.clone().unwrap_or_else(|| cell("error"));
        table.push_str(&format!(
            "| {} | {profiles} | {} | {:.1} | {errors} | {} | {} |\n",
            project.name,
            project.left_out,
            project.elapsed.as_secs_f64(),
            cell("warning"),
            cell("note"),
        ));
    }
    table
}

fn absolute(path: &str) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from(path).canonicalize_utf8().with_context(|| format!("cannot find `{path}`"))
}

/// Copies a folder; links stay links, wherever they lead.
fn copy_tree(from: &Path, to: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make `{}`", to.display()))?;
    if from == root.join(LEFT_BEHIND) {
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot list `{}`", from.display()))? {
        let entry = entry?;
        let (kind, path, target) = (entry.file_type()?, entry.path(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&path, &target, root)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path)?, &target)?;
        } else if kind.is_file() {
            fs::copy(&path, &target).with_context(|| format!("cannot copy `{}`", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_left_out_is_counted() {
        let said = "x\n\nin no profile:\n  `a`: one\n    more\n  `b`: two\n\nnext:\n  `c` is to do\n";
        assert_eq!(left_out(said), 2);
        assert_eq!(left_out("error: x\ncaused by: `a`: one\ncaused by: `b`: two\nhint: y\n"), 2);
        assert_eq!(left_out("current  a  1 image  aligned\n"), 0);
    }
}
