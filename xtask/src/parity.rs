//! `cargo xtask parity`: our output against the real tools', on charts and Compose files of any project.
//!
//! The charts and files are not ours and may be hostile: peers run with an empty environment and proxies that point nowhere, every
//! run has a time limit, and nothing is written beside them.

mod case;
mod compare;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;
use serde_json::json;

use crate::arguments::Arguments;
use crate::parity::case::{Case, Kind, Tools};
use crate::parity::compare::{Class, Verdict};
use crate::terminal::{print, say};
use crate::{process, repository, results};

/// The slowest public chart takes Helm 20 s on a busy machine.
const TIMEOUT_SECONDS: usize = 60;

/// As many at once as the smallest machines have cores.
const JOBS: usize = 2;

/// `cargo xtask parity --charts DIR… --compose DIR… [--helm 3|4] [--format json|yaml] [--filter TEXT] [--jobs N] [--timeout SECONDS]
/// [--program FILE] [--json FILE] [--write] [--quiet]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let charts = arguments.list("--charts");
    let compose = arguments.list("--compose");
    let helm = arguments.option("--helm")?.unwrap_or_else(|| "3".to_owned());
    let format = arguments.option("--format")?.unwrap_or_else(|| "json".to_owned());
    let filter = arguments.option("--filter")?;
    let jobs = arguments.number("--jobs")?.unwrap_or(JOBS).max(1);
    let limit = Duration::from_secs(arguments.number("--timeout")?.unwrap_or(TIMEOUT_SECONDS) as u64);
    let program = arguments.option("--program")?;
    let json = arguments.option("--json")?;
    let write = arguments.switch("--write");
    let quiet = arguments.switch("--quiet");
    arguments.done()?;
    if charts.is_empty() && compose.is_empty() {
        bail!("name folders with `--charts DIR…` or `--compose DIR…`");
    }
    if !matches!(helm.as_str(), "3" | "4") || !matches!(format.as_str(), "json" | "yaml") {
        bail!("`--helm` is 3 or 4, `--format` is json or yaml");
    }

    let tools = Tools {
        collimate: self::program(program)?,
        helm: peer(&format!("helm{helm}"), !charts.is_empty())?,
        compose: peer("compose", !compose.is_empty())?,
        helm_major: helm,
        compose_format: format,
        limit,
        home: tempfile::tempdir().context("cannot create a temporary folder")?,
    };
    let mut cases = Vec::new();
    for folder in &charts {
        case::charts(&absolute(folder)?, &mut cases)?;
    }
    for folder in &compose {
        case::compose_files(&absolute(folder)?, &mut cases)?;
    }
    cases.retain(|case| filter.as_ref().is_none_or(|filter| case.name.contains(filter.as_str())));
    say(&format!("{} cases", cases.len()));

    let verdicts = judge_all(&tools, &cases, jobs, quiet);
    let report = table(&cases, &verdicts);
    print(&report);
    if let Some(path) = json {
        std::fs::write(&path, as_json(&cases, &verdicts)).with_context(|| format!("cannot write `{path}`"))?;
    }
    if write {
        results::replace("parity", &format!("{}\n{report}", results::machine()?))?;
    }
    Ok(if verdicts.iter().all(|verdict| verdict.class.is_equal()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn absolute(path: &str) -> Result<Utf8PathBuf> {
    Utf8PathBuf::from(path).canonicalize_utf8().with_context(|| format!("cannot find `{path}`"))
}

/// The program that was named on the command line, or else one as people install it.
pub(crate) fn program(named: Option<String>) -> Result<Utf8PathBuf> {
    named.map_or_else(build, |path| absolute(&path))
}

/// Builds the program as people install it.
pub(crate) fn build() -> Result<Utf8PathBuf> {
    build_as("release")
}

/// Builds the program optimised, crate by crate: a tenth slower than what people install, and there in a third of the time.
pub(crate) fn build_for_the_gate() -> Result<Utf8PathBuf> {
    build_as("gate")
}

fn build_as(profile: &str) -> Result<Utf8PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--profile", profile, "--locked", "--quiet", "--package", "collimate"]);
    if !process::watch(command.current_dir(repository::root()?), |_| {})? {
        bail!("`collimate` does not build");
    }
    Ok(repository::target()?.join(profile).join("collimate"))
}

fn peer(name: &str, needed: bool) -> Result<Utf8PathBuf> {
    let program = repository::peers()?.join(name);
    if needed && !program.is_file() {
        bail!("the peer `{name}` is not built; run `cargo xtask peers {name}`");
    }
    Ok(program)
}

/// Judges all cases, a few at once; verdicts are in the order of the cases.
fn judge_all(tools: &Tools, cases: &[Case], jobs: usize, quiet: bool) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    let verdict = case.judge(tools);
                    if !quiet && !verdict.class.is_equal() {
                        say(&format!("{}: {}: {}", verdict.class.name(), case.name, verdict.detail));
                    }
                    verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(at, verdict);
                }
            });
        }
    });
    verdicts.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Counts per corpus, as Markdown.
fn table(cases: &[Case], verdicts: &[Verdict]) -> String {
    let mut rows: BTreeMap<(&str, &str), Vec<&Verdict>> = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        rows.entry((case.kind.name(), &case.corpus)).or_default().push(verdict);
        rows.entry((case.kind.name(), "~ all")).or_default().push(verdict);
    }
    let mut text = "\
| corpus | cases | equal output (random in part) | both refuse (in the same words) | different | same verdict | real tool | collimate |
|---|---|---|---|---|---|---|---|
"
    .to_owned();
    for ((kind, corpus), verdicts) in rows {
        let count = |matches: &dyn Fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| matches(verdict)).count();
        let equal = count(&|verdict| matches!(verdict.class, Class::Equal | Class::EqualButRandom));
        let random = count(&|verdict| verdict.class == Class::EqualButRandom);
        let refused = count(&|verdict| verdict.class == Class::BothRefuse);
        let same_words = count(&|verdict| verdict.class == Class::BothRefuse && verdict.same_words);
        let same_verdict = count(&|verdict| verdict.class.is_equal() || verdict.class == Class::OutputDiffers);
        let seconds = |pick: fn(&Verdict) -> Duration| {
            verdicts.iter().map(|verdict| pick(verdict)).sum::<Duration>().as_secs_f64()
        };
        text.push_str(&format!(
            "| {kind}: {} | {} | {equal} ({random}) | {refused} ({same_words}) | {} | {same_verdict} | {:.1} s | {:.1} s |\n",
            corpus.trim_start_matches("~ "),
            verdicts.len(),
            verdicts.len() - equal - refused,
            seconds(|verdict| verdict.theirs),
            seconds(|verdict| verdict.ours),
        ));
    }
    text
}

fn as_json(cases: &[Case], verdicts: &[Verdict]) -> String {
    let rows: Vec<_> = cases
        .iter()
        .zip(verdicts)
        .map(|(case, verdict)| {
            json!({
                "case": case.name,
                "kind": case.kind.name(),
                "class": verdict.class.name(),
                "same_words": verdict.same_words,
                "detail": verdict.detail,
                "theirs_ms": verdict.theirs.as_millis() as u64,
                "ours_ms": verdict.ours.as_millis() as u64,
                "command": case.shown(),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "schema": 1, "cases": rows }))
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Chart { .. } => "chart",
            Self::Compose { .. } => "compose",
        }
    }
}
