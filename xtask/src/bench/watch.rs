//! `cargo xtask bench watch`: how long after a change of a file `check --watch` shows its result.
//!
//! A copy of this tree is watched, and every file of it that a profile, a chart, a release or the workspace may be made of is changed in turn, as an editor would: a
//! line more, which changes no result, and the line taken out again. Where a file holds digests, one digit of one is changed too, which is a finding, and
//! changed back. Timed is from the first byte written to the last line of the result read, with all pauses that the watch makes on purpose. The
//! time of the processor is that of all threads of the watch, and next to independent of what else the machine does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::median;
use crate::arguments::Arguments;
use crate::terminal::{print, say};
use crate::{process, repository, results};

/// The most that the median change may take, in milliseconds.
const MOST_MS: f64 = 50.0;

/// Nothing takes as long, on whatever machine: what is not shown by then will not be.
const LIMIT: Duration = Duration::from_secs(30);

/// A result is the last one if no other begins for so long.
const PAUSE: Duration = Duration::from_millis(60);

const WORKSPACE: &str = "collimate.yaml";

/// `cargo xtask bench watch [--program FILE] [--write]`
pub(super) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let write = arguments.switch("--write");
    let program = arguments.option("--program")?;
    arguments.done()?;
    let program = crate::parity::program(program)?;
    let (_scratch, folder) = super::scratch()?;
    let files = copy(&repository::root()?, &folder)?;
    let watching = Watching::start(&program, &folder)?;
    let mut changes = BTreeMap::new();
    for (number, path) in files.iter().filter(|path| kind(path).is_some()).enumerate() {
        let text = fs::read_to_string(folder.join(path)).with_context(|| format!("cannot read `{path}`"))?;
        let kind = kind(path).unwrap_or_default();
        let edits = [
            Some((format!("{text}\n"), kind.to_owned())),
            wrong(&text).map(|text| (text, format!("{kind}, a wrong digest"))),
        ];
        for (edited, kind) in edits.into_iter().flatten() {
            for text in [&edited, &text] {
                // Every other file is replaced, as many editors do it.
                let taken = watching.change(path, text, number % 2 == 0)?;
                changes.entry(kind.clone()).or_insert_with(Vec::new).push(taken);
            }
        }
        say(&format!("{path}"));
    }
    let (report, passed) = report(&changes)?;
    print(&report);
    if write {
        results::replace("watch", &report)?;
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All files that version control holds, copied into a repository of their own.
fn copy(root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let git = |folder: &Utf8Path, arguments: &[&str]| -> Result<String> {
        let captured = process::capture(Command::new("git").args(arguments).current_dir(folder), LIMIT)?;
        if captured.code != Some(0) {
            bail!("`git {}` failed", arguments.join(" "));
        }
        Ok(String::from_utf8(captured.stdout)?)
    };
    let files: Vec<Utf8PathBuf> =
        git(root, &["ls-files", "-z"])?.split_terminator('\0').map(Utf8PathBuf::from).collect();
    for path in files.iter().filter(|path| root.join(path).is_file()) {
        let to = folder.join(path);
        to.parent().map(fs::create_dir_all).transpose()?;
        fs::copy(root.join(path), to)?;
    }
    git(folder, &["init", "--quiet"])?;
    git(folder, &["add", "--all"])?;
    Ok(files)
}

/// What a file is to the workspace; `None` where nothing is made of it.
fn kind(path: &Utf8Path) -> Option<&'static str> {
    let (folder, name) = (path.parent()?.as_str(), path.file_name()?);
    let is = |extension: &str| path.extension() == Some(extension);
    match folder {
        "" => (name == WORKSPACE).then_some("the workspace's file"),
        "docs" => (name == "install-guide.md").then_some("a document"),
        "deploy/compose" => is("yaml").then_some("a Compose file"),
        "deploy/compose/env" => Some("an env file"),
        "deploy/helm/stellaops" if name == "values.yaml" => Some("the chart's own values"),
        "deploy/helm/stellaops" if name.starts_with("values-") => Some("a values file"),
        "deploy/helm/stellaops" => is("json").then_some("the schema of values"),
        "deploy/releases" => Some("a release manifest"),
        _ if folder.starts_with("deploy/helm/stellaops/templates") => {
            Some(if is("tpl") { "a template that others include" } else { "a template" })
        }
        _ if folder.starts_with("deploy/helm/stellaops/files") => Some("a file that templates print"),
        _ => folder.starts_with("deploy/compose/mirror-gateway/conf").then_some("a file that services mount"),
    }
}

/// The same with another digest in it, if there is one.
fn wrong(text: &str) -> Option<String> {
    let mut digits = text.match_indices("sha256:").map(|(at, before)| at + before.len());
    let at = digits.find(|at| text[*at..].starts_with(|digit: char| digit.is_ascii_hexdigit()))?;
    let digit = if text[at..].starts_with('0') { "1" } else { "0" };
    let mut text = text.to_owned();
    text.replace_range(at..at + 1, digit);
    Some(text)
}

/// How long a change took, in milliseconds.
struct Taken {
    time: f64,
    /// Of the processor, all threads together.
    work: f64,
}

struct Watching {
    child: Child,
    folder: Utf8PathBuf,
    lines: Receiver<Line>,
}

/// A line that the watch has written, and when it was read.
struct Line {
    text: String,
    is_report: bool,
    at: Instant,
}

impl Watching {
    fn start(program: &Utf8Path, folder: &Utf8Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["check", "--watch"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run `{program}`"))?;
        let (sender, lines) = channel();
        if let Some((stdout, stderr)) = child.stdout.take().zip(child.stderr.take()) {
            pass_on(stdout, true, sender.clone());
            pass_on(stderr, false, sender);
        }
        let watching = Self { child, folder: folder.to_owned(), lines };
        watching.until(LIMIT, Line::ends_report)?.context("the watch shows no report")?;
        // What is watched only after the first look is looked at once more; that is over when a change is seen.
        watching.change(Utf8Path::new(WORKSPACE), &fs::read_to_string(folder.join(WORKSPACE))?, false)?;
        Ok(watching)
    }

    /// Writes a file and waits for the result.
    fn change(&self, path: &Utf8Path, text: &str, is_replaced: bool) -> Result<Taken> {
        let (work, start) = (self.work()?, Instant::now());
        let to = self.folder.join(path);
        if is_replaced {
            let copy = Utf8PathBuf::from(format!("{to}~"));
            fs::write(&copy, text)?;
            fs::rename(copy, &to)?;
        } else {
            fs::write(&to, text)?;
        }
        let mut at = self.result(LIMIT)?.context("the watch shows no result")?;
        // Whoever shows a result before the change was over shows another one.
        while let Some(later) = self.result(PAUSE)? {
            at = later;
        }
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        Ok(Taken { time: millis(at.saturating_duration_since(start)), work: millis(self.work()?.saturating_sub(work)) })
    }

    /// When the last line of the next result was read; `None` if none begins for so long.
    fn result(&self, most: Duration) -> Result<Option<Instant>> {
        // Two pipes: what was written first may be read last.
        let Some(first) = self.until(most, |line| line.says_change() || line.ends_report())? else { return Ok(None) };
        if first.is_whole_result() {
            return Ok(Some(first.at));
        }
        let second = self.until(LIMIT, |line| if first.is_report { line.says_change() } else { line.ends_report() })?;
        Ok(second.map(|second| second.at.max(first.at)))
    }

    fn until(&self, most: Duration, is_it: impl Fn(&Line) -> bool) -> Result<Option<Line>> {
        let deadline = Instant::now() + most;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if is_it(&line) => return Ok(Some(line)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("the watch has ended"),
            }
        }
    }

    /// Time that the processor has worked for it up to now.
    fn work(&self) -> Result<Duration> {
        let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(self.child.id())?))?;
        Ok(Duration::from(clock_gettime(clock)?))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Where it has ended by itself, an error says so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Line {
    fn says_change(&self) -> bool {
        !self.is_report && self.text.starts_with("changed: ")
    }

    /// Whether no report follows.
    fn is_whole_result(&self) -> bool {
        self.text.ends_with("; the report is the same")
    }

    /// Whether it is the last one of a report: `10 profiles: no findings`.
    fn ends_report(&self) -> bool {
        self.is_report
            && self.text.starts_with(|first: char| first.is_ascii_digit())
            && self.text.contains(" profiles: ")
    }
}

fn pass_on(pipe: impl Read + Send + 'static, is_report: bool, to: Sender<Line>) {
    std::thread::spawn(move || {
        for text in BufReader::new(pipe).lines().map_while(std::io::Result::ok) {
            if to.send(Line { text, is_report, at: Instant::now() }).is_err() {
                return;
            }
        }
    });
}

fn report(changes: &BTreeMap<String, Vec<Taken>>) -> Result<(String, bool)> {
    let mut text = format!(
        "{}\n| change of | changes | median | slowest | processor time, median |\n|---|---|---|---|---|\n",
        results::machine()?
    );
    let mut row = |name: &str, taken: &[&Taken]| {
        let times: Vec<f64> = taken.iter().map(|taken| taken.time).collect();
        let work: Vec<f64> = taken.iter().map(|taken| taken.work).collect();
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let median = median(&times);
        text.push_str(&format!(
            "| {name} | {} | {median:.1} ms | {slowest:.1} ms | {:.1} ms |\n",
            taken.len(),
            super::median(&work)
        ));
        median
    };
    for (kind, taken) in changes {
        row(kind, &taken.iter().collect::<Vec<_>>());
    }
    let all: Vec<&Taken> = changes.values().flatten().collect();
    let median = row("**all**", &all);
    text.push_str(&format!("\nThe median is **{median:.1} ms** (at most {MOST_MS:.0} are meant).\n"));
    if median > MOST_MS {
        say(&format!("error: a change is shown after {median:.1} ms; at most {MOST_MS:.0} are meant"));
    }
    Ok((text, median <= MOST_MS))
}
