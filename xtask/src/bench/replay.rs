//! `cargo xtask bench replay`: years of releases, one command after the other. Every step must stay fast however long the history is, and the
//! ledger must hang together as one line.
//!
//! A month is four releases of edge, a promotion to stable, its proof in the first ring and its advance to the second. Spread over all
//! months are hotfixes of stable and rollbacks.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::median;
use crate::arguments::Arguments;
use crate::terminal::{print, say};
use crate::{process, results};

/// What the issue of this bench asks for.
const MONTHS: usize = 200;
const HOTFIXES: usize = 12;
const ROLLBACKS: usize = 9;
/// The most that the median step may take, in milliseconds.
const MOST_MS: f64 = 50.0;
const SERVICES: usize = 20;
const LIMIT: Duration = Duration::from_secs(60);

/// `cargo xtask bench replay [--months N] [--program FILE] [--write]`
pub(super) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let months = arguments.number("--months")?.unwrap_or(MONTHS).max(1);
    let write = arguments.switch("--write");
    let program = arguments.option("--program")?;
    arguments.done()?;
    let program = crate::parity::program(program)?;
    let (_scratch, folder) = super::scratch()?;
    let mut replay = Replay { program, folder, steps: Vec::new(), build: 0 };
    replay.prepare()?;
    say(&format!("{months} months"));
    for month in 0..months {
        replay.month(month, is_one_of(month, months, HOTFIXES), is_one_of(month, months, ROLLBACKS))?;
    }
    let history = replay.collimate(&["history", "--verify"])?;
    let heads = history.lines().filter(|line| line.starts_with("head ")).count();
    if heads != 1 {
        bail!("the ledger has {heads} heads:\n{history}");
    }
    replay.collimate(&["check", "--deny", "warnings"])?;
    let (report, passed) = replay.report(months)?;
    print(&report);
    if write {
        results::replace("replay", &report)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a month is one of `count` that are spread evenly.
fn is_one_of(month: usize, months: usize, count: usize) -> bool {
    (month + 1) * count / months > month * count / months
}

struct Replay {
    program: Utf8PathBuf,
    folder: Utf8PathBuf,
    /// Kind of step and how long it took, in milliseconds.
    steps: Vec<(&'static str, f64)>,
    /// Number of the last build.
    build: usize,
}

impl Replay {
    fn prepare(&mut self) -> Result<()> {
        fs::create_dir_all(self.folder.join("releases"))?;
        self.write(
            "collimate.yaml",
            "schema: 1\nchannels:\n  edge: {release: releases/edge.yaml}\n  stable:\n    release: releases/stable.yaml\n    \
             promote_from: edge\n    rings: [stage, prod]\nprofiles:\n  dev: {channel: edge, compose: [dev.yaml]}\n  \
             stage: {channel: stable, ring: stage, compose: [stage.yaml]}\n  prod: {channel: stable, ring: prod, compose: [prod.yaml]}\n",
        )?;
        self.write("smoke.json", r#"{"schema": 1, "probe": "otel", "verdict": "passed", "facts": {}}"#)?;
        for (channel, version, profiles) in
            [("edge", "0.0.1-edge", &["dev"][..]), ("stable", "0.0.0", &["stage", "prod"])]
        {
            let mut manifest =
                format!("schema: 1\nversion: {version}\nchannel: {channel}\ndigests: resolved\ncomponents:\n");
            let mut profile = "services:\n".to_owned();
            for service in 0..SERVICES {
                let (image, tag, digest) = image(service, 0);
                writeln!(manifest, "  s{service}:\n    image: {image}\n    tag: \"{tag}\"\n    digest: {digest}")?;
                writeln!(profile, "  s{service}:\n    image: {image}:{tag}@{digest}")?;
            }
            self.write(&format!("releases/{channel}.yaml"), &manifest)?;
            for name in profiles {
                self.write(&format!("{name}.yaml"), &profile)?;
            }
        }
        Ok(())
    }

    fn month(&mut self, month: usize, has_hotfix: bool, has_rollback: bool) -> Result<()> {
        for week in 0..4 {
            self.build += 1;
            let build = self.build;
            let lines: Vec<String> = (0..SERVICES).map(|service| reference(service, build)).collect();
            self.write("build.txt", &(lines.join("\n") + "\n"))?;
            let version = format!("{}.{week}.0-edge", month + 1);
            self.step("release new", &["release", "new", &version, "--channel", "edge", "--from-file", "build.txt"])?;
        }
        let good = ["mark-good", "stable/stage", "--evidence", "smoke.json"];
        self.promote()?;
        if has_rollback && month > 0 {
            self.step("rollback", &["rollback", "stable/stage", "--reason", "it broke"])?;
            self.step("hold lift", &["hold", "lift", "stable"])?;
            self.promote()?;
        }
        self.step("mark-good", &good)?;
        if has_hotfix {
            let version = format!("{}.3.1", month + 1);
            let file = format!("releases/{version}.yaml");
            // As build 0 numbers nothing else: an image of its own.
            let service = format!("s0={}", reference(0, 1_000_000 + month));
            self.step("release new", &["release", "new", &version, "--from", "stable"])?;
            self.step("release set", &["release", "set", "--release", &file, &service])?;
            self.step("promote", &["promote", "--release", &file, "stable"])?;
            self.step("mark-good", &good)?;
        }
        self.step("advance", &["advance", "stable", "prod"])?;
        self.step("mark-good", &["mark-good", "stable/prod", "--evidence", "smoke.json"])?;
        Ok(())
    }

    /// Takes edge's release. The hotfix of a month before is in it by now, which has to be said.
    fn promote(&mut self) -> Result<()> {
        let plain = self.step("promote", &["promote", "edge", "stable"]);
        plain.or_else(|_| self.step("promote", &["promote", "edge", "stable", "--take", "s0"]))
    }

    fn step(&mut self, kind: &'static str, arguments: &[&str]) -> Result<()> {
        let start = std::time::Instant::now();
        self.collimate(arguments)?;
        self.steps.push((kind, start.elapsed().as_secs_f64() * 1000.0));
        Ok(())
    }

    fn collimate(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).env_clear().env("COLLIMATE_BY", "bench");
        let captured = process::capture(&mut command, LIMIT)?;
        if captured.code != Some(0) {
            bail!(
                "`collimate {}` ended with {:?}:\n{}{}",
                arguments.join(" "),
                captured.code,
                text(&captured.stdout),
                text(&captured.stderr)
            );
        }
        Ok(text(&captured.stdout))
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(path), text).with_context(|| format!("cannot write `{path}`"))
    }

    fn report(&self, months: usize) -> Result<(String, bool)> {
        let entries = count(&self.folder.join("releases/history"))?;
        let archived = count(&self.folder.join("releases/archive"))?;
        let mut text = format!(
            "{}\n{months} months: {} steps, {entries} entries in one line, {archived} archived releases of {SERVICES} services.\n\n\
             | step | times | median | slowest | first tenth | last tenth |\n|---|---|---|---|---|---|\n",
            results::machine()?,
            self.steps.len()
        );
        let mut kinds: Vec<&str> = self.steps.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut passed = true;
        for kind in kinds {
            let times: Vec<f64> = self.steps.iter().filter(|(own, _)| *own == kind).map(|(_, time)| *time).collect();
            let tenth = times.len().div_ceil(10);
            let slowest = times.iter().copied().fold(0.0, f64::max);
            let last = median(&times[times.len() - tenth..]);
            passed &= last <= MOST_MS;
            writeln!(
                text,
                "| `{kind}` | {} | {:.1} ms | {slowest:.1} ms | {:.1} ms | {last:.1} ms |",
                times.len(),
                median(&times),
                median(&times[..tenth])
            )?;
        }
        if !passed {
            say(&format!("error: a step takes more than {MOST_MS:.0} ms at the end of the history"));
        }
        Ok((text, passed))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn count(folder: &Utf8Path) -> Result<usize> {
    let entries = folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))?;
    Ok(entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_file())).count())
}

fn image(service: usize, build: usize) -> (String, String, String) {
    let digest: String =
        Sha256::digest(format!("{service} {build}")).iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("registry.example.org/s{service}"), format!("1.{build}"), format!("sha256:{digest}"))
}

fn reference(service: usize, build: usize) -> String {
    let (image, tag, digest) = image(service, build);
    format!("{image}:{tag}@{digest}")
}
