//! `cargo xtask bench`: our speed against the chain of tools that people run today, both in one run on one machine.
//!
//! The documented chain is `docker compose config` for every Compose profile and `helm lint` and `helm template` for every Helm profile; ours
//! is one `collimate check`. Whole processes from start to exit, page cache warm, both sides in turn, medians. The real tools run without
//! the Docker CLI in front of Compose, which is in their favour.

mod generator;
mod mirror;
mod replay;
mod watch;

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::terminal::{print, say};
use crate::{process, repository, results};

/// `check` must be at least this many times as fast as the chain.
pub(crate) const REQUIRED: f64 = 50.0;

/// What every gate holds a program of [`crate::parity::build_for_the_gate`] to: it is optimised in parts only, and its machine has other work.
pub(crate) const AT_THE_GATE: f64 = 35.0;

/// More than our tree may use.
const MOST_MEMORY_MB: f64 = 50.0;

/// Odd, so that the median is a measurement.
const REPEAT: usize = 11;

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// `cargo xtask bench [--repeat N] [--program FILE] [--write]`, or `cargo xtask bench mirror …`, `cargo xtask bench replay …`, `cargo xtask bench watch …`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    if arguments.switch("mirror") {
        return mirror::run(arguments);
    }
    if arguments.switch("replay") {
        return replay::run(arguments);
    }
    if arguments.switch("watch") {
        return watch::run(arguments);
    }
    let repeat = arguments.number("--repeat")?.unwrap_or(REPEAT).max(1);
    let write = arguments.switch("--write");
    let program = arguments.option("--program")?;
    arguments.done()?;
    let collimate = crate::parity::program(program)?;
    let (report, passed) = measure(&collimate, repeat, REQUIRED)?;
    print(&report);
    if write {
        results::replace("bench", &report)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a program is so many times as fast as the chain.
pub(crate) fn is_held_by(program: &Utf8Path, required: f64) -> Result<bool> {
    let (report, passed) = measure(program, REPEAT, required)?;
    print(&report);
    Ok(passed)
}

/// `cargo xtask peak PROGRAM ARGUMENT…`: runs a program and prints the most memory it had, in KiB. A task of its own, because the system
/// keeps only the largest of all programs that a process has waited for.
pub(crate) fn peak(arguments: Arguments) -> Result<ExitCode> {
    use nix::sys::resource::{UsageWho, getrusage};
    let words = arguments.all();
    let (program, arguments) = words.split_first().context("name a program")?;
    let captured = process::capture(Command::new(program).args(arguments), LIMIT)?;
    if captured.timed_out {
        bail!("`{program}` ran too long");
    }
    print(&format!("{}\n", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss()));
    Ok(ExitCode::SUCCESS)
}

/// One command of the chain.
struct Link {
    program: Utf8PathBuf,
    arguments: Vec<String>,
    shown: String,
}

fn measure(collimate: &Utf8Path, repeat: usize, required: f64) -> Result<(String, bool)> {
    let root = repository::root()?;
    // As people have it: unpacked or copied. What a linker has just written lies in the page cache in the smallest pieces, and runs a tenth slower
    // until it has been read from the disk once.
    let (_scratch, folder) = scratch()?;
    let installed = folder.join("collimate");
    std::fs::copy(collimate, &installed).with_context(|| format!("cannot copy `{collimate}`"))?;
    let collimate = &*installed;
    let chain = chain(&root)?;
    if chain.is_empty() {
        bail!("the tree has no profiles to measure");
    }
    let check = Link {
        program: collimate.to_owned(),
        arguments: vec!["check".to_owned()],
        shown: "collimate check".to_owned(),
    };

    say(&format!("{} commands against `collimate check`, {repeat} times each", chain.len()));
    // The first round only warms the page cache.
    let mut theirs = vec![Vec::new(); chain.len()];
    let mut ours = Vec::new();
    for round in 0..=repeat {
        for (link, times) in chain.iter().zip(&mut theirs) {
            let time = link.time(&root, &[0])?;
            if round > 0 {
                times.push(time);
            }
        }
        // Findings are an answer too: the work was done.
        let time = check.time(&root, &[0, 1])?;
        if round > 0 {
            ours.push(time);
        }
    }
    let totals: Vec<f64> = (0..repeat).map(|round| theirs.iter().map(|times| times[round]).sum()).collect();
    let (total, our) = (median(&totals), median(&ours));
    let ratio = total / our;
    let memory = check.peak(&root)?;

    let mut text = format!("{}\n| command | median |\n|---|---|\n", results::machine()?);
    for (link, times) in chain.iter().zip(&theirs) {
        text.push_str(&format!("| `{}` | {:.1} ms |\n", link.shown, median(times)));
    }
    text.push_str(&format!("| **the documented chain, {} processes** | **{total:.1} ms** |\n", chain.len()));
    text.push_str(&format!("| **`collimate check`** | **{our:.1} ms** |\n\n"));
    let fastest = ours.iter().copied().fold(f64::INFINITY, f64::min);
    text.push_str(&format!(
        "`collimate check` is **{ratio:.0} times** as fast (at least {required:.0} are required); fastest of {repeat} runs {fastest:.1} ms, peak \
         memory {memory:.1} MB (at most {MOST_MEMORY_MB:.0}).\n\n"
    ));
    text.push_str(&growth(collimate, repeat.min(5))?);
    let passed = ratio >= required && memory <= MOST_MEMORY_MB;
    if !passed {
        say(&format!(
            "error: {ratio:.0} times as fast with {memory:.1} MB; required are {required:.0} and {MOST_MEMORY_MB:.0} MB"
        ));
    }
    Ok((text, passed))
}

/// A folder that lasts as long as the first of the two, and its path.
fn scratch() -> Result<(TempDir, Utf8PathBuf)> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let path = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?)
        .map_err(|path| anyhow::anyhow!("`{}` is not UTF-8", path.display()))?;
    Ok((folder, path))
}

/// Time and memory on generated input of growing size.
fn growth(collimate: &Utf8Path, repeat: usize) -> Result<String> {
    let (_scratch, folder) = scratch()?;
    let mut text = "\
| generated input | median | peak memory | each |
|---|---|---|---|
"
    .to_owned();
    for profiles in [50, 100, 200] {
        let workspace = folder.join(format!("workspace-{profiles}"));
        generator::workspace(&workspace, profiles, 60)?;
        let check = Link { program: collimate.to_owned(), arguments: vec!["check".to_owned()], shown: String::new() };
        let (time, memory) = check.times(&workspace, repeat)?;
        text.push_str(&format!(
            "| `check`, {profiles} profiles (half Compose, half Helm) of 60 services | {time:.1} ms | {memory:.1} MB | {:.0} µs a service |\n",
            time * 1000.0 / (profiles * 60) as f64
        ));
    }
    for services in [250, 500, 1000] {
        let project = folder.join(format!("compose-{services}"));
        generator::compose_project(&project, services)?;
        let arguments = ["render", "--compose", "compose.yaml"].map(str::to_owned).to_vec();
        let render = Link { program: collimate.to_owned(), arguments, shown: String::new() };
        let (time, memory) = render.times(&project, repeat)?;
        text.push_str(&format!(
            "| `render`, a Compose file of {services} services | {time:.1} ms | {memory:.1} MB | {:.0} µs a service |\n",
            time * 1000.0 / services as f64
        ));
    }
    Ok(text)
}

/// The documented chain over this tree: a Compose profile is a Compose file with an env example of its name, a Helm profile is a values
/// file of its name.
fn chain(root: &Utf8Path) -> Result<Vec<Link>> {
    let peers = repository::peers()?;
    let peer = |name: &str| -> Result<Utf8PathBuf> {
        let program = peers.join(name);
        if !program.is_file() {
            bail!("the peer `{name}` is not built; run `cargo xtask peers {name}`");
        }
        Ok(program)
    };
    let mut links = Vec::new();
    let compose = root.join("deploy/compose");
    for profile in named(&compose, "docker-compose.", ".yaml")? {
        let file = format!("deploy/compose/docker-compose.{profile}.yaml");
        let environment = format!("deploy/compose/env/{profile}.env.example");
        // An overlay has no environment of its own and is no profile.
        if root.join(&environment).is_file() {
            let arguments = ["--env-file", &environment, "--file", &file, "config"].map(str::to_owned).to_vec();
            links.push(Link {
                program: peer("compose")?,
                arguments,
                shown: format!("docker compose config, {profile}"),
            });
        }
    }
    let chart = "deploy/helm/stellaops";
    for profile in named(&root.join(chart), "values-", ".yaml")? {
        let values = format!("{chart}/values-{profile}.yaml");
        for (shown, arguments) in [
            ("lint", vec!["lint", chart, "--values", &values]),
            ("template", vec!["template", "stellaops", chart, "--namespace", "stellaops", "--values", &values]),
        ] {
            let arguments = arguments.into_iter().map(str::to_owned).collect();
            links.push(Link { program: peer("helm3")?, arguments, shown: format!("helm {shown}, {profile}") });
        }
    }
    Ok(links)
}

/// The `X` of all files `<before>X<after>`, sorted.
fn named(folder: &Utf8Path, before: &str, after: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list `{folder}`"))? {
        let entry = entry?;
        names.extend(
            entry.file_name().strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

impl Link {
    fn command(&self, folder: &Utf8Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        self.scrub(&mut command, folder);
        command
    }

    fn scrub(&self, command: &mut Command, folder: &Utf8Path) {
        command.current_dir(folder).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nonexistent");
    }

    /// One run, in milliseconds.
    fn time(&self, folder: &Utf8Path, codes: &[i32]) -> Result<f64> {
        let captured = process::capture(&mut self.command(folder), LIMIT)?;
        if !captured.code.is_some_and(|code| codes.contains(&code)) {
            bail!(
                "`{} {}` failed:\n{}",
                self.program.file_name().unwrap_or_default(),
                self.arguments.join(" "),
                String::from_utf8_lossy(&captured.stderr).trim_end()
            );
        }
        Ok(captured.elapsed.as_secs_f64() * 1000.0)
    }

    /// The median of some runs after a first one, in milliseconds, and the peak of memory in MB.
    fn times(&self, folder: &Utf8Path, repeat: usize) -> Result<(f64, f64)> {
        self.time(folder, &[0, 1])?;
        let times = (0..repeat).map(|_| self.time(folder, &[0, 1])).collect::<Result<Vec<_>>>()?;
        Ok((median(&times), self.peak(folder)?))
    }

    fn peak(&self, folder: &Utf8Path) -> Result<f64> {
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        command.args(["peak", self.program.as_str()]).args(&self.arguments);
        self.scrub(&mut command, folder);
        let captured = process::capture(&mut command, LIMIT)?;
        let text = String::from_utf8_lossy(&captured.stdout);
        let kib: f64 = text.trim().parse().with_context(|| format!("`xtask peak` says `{}`", text.trim()))?;
        Ok(kib / 1024.0)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_one_of_them() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
