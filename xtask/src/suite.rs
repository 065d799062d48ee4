//! `cargo xtask test`: everything that must hold before a change lands, as one command.
//!
//! The real tools are built in the background while cargo compiles. Clippy, the tests and the documentation share one target folder;
//! the workspace is compiled once for checking and once for running. A step that fails does not hide the next one. What cannot be done
//! here is skipped aloud; with `--require-peers`, or where `CI` is set, it is a failure.

use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::arguments::Arguments;
use crate::peers::{self, Built, Wanted};
use crate::terminal::say;
use crate::{bench, dist, generated, hostile, parity, process, repository, tools};

/// The version of `cargo-deny` that CI checks with; another may judge otherwise.
const CARGO_DENY: &str = "0.20.2";

/// Judges that come with the system: what they judge (certificates, signatures, permissions, TLS) is standard, and any version will do.
const SYSTEM_TOOLS: &[&str] = &[
    "cc",
    "openssl",
    "minisign",
    "setpriv",
    "strace",
    "curl",
    "mkcert",
    "minica",
    "redis-server",
    "redis-cli",
    "python3",
    "git",
    "gzip",
    "nginx",
    "wrk",
    "docker-registry",
    "xmllint",
    "mandoc",
    "pre-commit",
];

struct Suite {
    root: Utf8PathBuf,
    counts: Counts,
    failed: Vec<String>,
    skipped: Vec<String>,
    /// Whether something that is absent is a failure.
    strict: bool,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// `cargo xtask test [--all] [--no-peers] [--require-peers]`
pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode> {
    let all = arguments.switch("--all");
    let no_peers = arguments.switch("--no-peers");
    let in_ci = std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    let strict = arguments.switch("--require-peers") || (in_ci && !no_peers);
    arguments.done()?;

    let start = Instant::now();
    let mut suite =
        Suite { root: repository::root()?, counts: Counts::default(), failed: vec![], skipped: vec![], strict };
    let wanted = if all { Wanted::All } else { Wanted::Usual };
    let building = (!no_peers).then(|| {
        let wanted = wanted.clone();
        std::thread::spawn(move || peers::build(&wanted))
    });

    fetch(&suite.root);
    suite.cargo("formatting", &["fmt", "--all", "--check"], &[]);
    suite.cargo(
        "clippy",
        &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"],
        &[],
    );
    suite.cargo("build", &["test", "--workspace", "--locked", "--no-run", "--quiet"], &[]);
    suite.cargo(
        "documentation",
        &["doc", "--workspace", "--no-deps", "--locked", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    );
    suite.static_program();
    suite.licences();
    // Not quiet about what it finds: this repository is its own first user.
    suite.cargo(
        "this tree",
        &["run", "--locked", "--quiet", "--package", "collimate", "--", "check", "--deny", "warnings"],
        &[],
    );
    suite.step("generated files", |_| generated::check());
    let peers = suite.peers(building);
    suite.tests(peers, &wanted)?;
    suite.optimised(all, !no_peers);
    Ok(suite.report(start))
}

impl Suite {
    /// One step; an error is a failure of this step only.
    fn step(&mut self, name: &str, step: impl FnOnce(&Self) -> Result<bool>) {
        say(&format!("\n== {name}"));
        let start = Instant::now();
        let passed = step(self).unwrap_or_else(|error| {
            say(&format!("error: {error:#}"));
            false
        });
        say(&format!(
            "== {name}: {} ({:.0} s)",
            if passed { "passed" } else { "FAILED" },
            start.elapsed().as_secs_f64()
        ));
        if passed {
            self.counts.passed += 1;
        } else {
            self.fail(name);
        }
    }

    fn cargo(&mut self, name: &str, arguments: &[&str], environment: &[(&str, &str)]) {
        self.step(name, |suite| {
            let mut command = Command::new("cargo");
            command.args(arguments).current_dir(&suite.root).envs(environment.iter().copied());
            process::watch(&mut command, |_| {})
        });
    }

    fn fail(&mut self, name: &str) {
        self.counts.failed += 1;
        self.failed.push(name.to_owned());
    }

    /// The programs that are handed out compile: their C library has not every call that this machine's has.
    fn static_program(&mut self) {
        let name = "static programs";
        match dist::compiles_here() {
            Ok(target) => {
                self.cargo(name, &["check", "--package", "collimate", "--locked", "--quiet", "--target", target], &[]);
            }
            // Nowhere required: `rustup` has what is missing, which is not everywhere.
            Err(error) => {
                say(&format!("\nSKIPPED: {name}: {error:#}"));
                self.counts.skipped += 1;
                self.skipped.push(format!("{name}: {error:#}"));
            }
        }
    }

    /// Something that cannot be done here.
    fn skip(&mut self, name: &str, reason: &str) {
        if self.strict {
            say(&format!("\nerror: {name}: {reason}; here it is required"));
            self.fail(name);
        } else {
            say(&format!("\nSKIPPED: {name}: {reason}"));
            self.counts.skipped += 1;
            self.skipped.push(format!("{name}: {reason}"));
        }
    }

    /// Licences, banned crates and sources, by `cargo-deny`, without network.
    fn licences(&mut self) {
        let name = "licences and sources";
        match tools::installed("cargo-deny", CARGO_DENY) {
            Ok(program) => self.step(name, |suite| {
                let mut command = Command::new(program);
                // Called as cargo calls it. Advisories need a database from the network; they are not part of this.
                command.args(["--offline", "--log-level", "error", "check", "licenses", "bans", "sources"]);
                process::watch(command.current_dir(&suite.root), |_| {})
            }),
            Err(error) => self.skip(name, &format!("`cargo-deny` cannot be installed: {error:#}")),
        }
    }

    /// What only an optimised program can be held to: its time for hostile input, and its speed against the real tools.
    fn optimised(&mut self, as_installed: bool, has_peers: bool) {
        let mut program = Utf8PathBuf::new();
        self.step("optimised program", |_| {
            program = if as_installed { parity::build()? } else { parity::build_for_the_gate()? };
            Ok(true)
        });
        if program.as_str().is_empty() {
            return;
        }
        let (milliseconds, times) = match as_installed {
            true => (hostile::SECOND, bench::REQUIRED),
            false => (hostile::AT_THE_GATE, bench::AT_THE_GATE),
        };
        self.step("hostile input", |_| hostile::is_withstood_by(&program, milliseconds));
        if has_peers {
            self.step("speed", |_| bench::is_held_by(&program, times));
        }
    }

    /// Waits for the peers. Gives back their folder if the tests may use it.
    fn peers(&mut self, building: Option<JoinHandle<Result<Built>>>) -> Option<Utf8PathBuf> {
        let name = "comparison with the real tools";
        let Some(building) = building else {
            self.counts.skipped += 1;
            self.skipped.push(format!("{name}: `--no-peers`"));
            return None;
        };
        if !building.is_finished() {
            say("\nwaiting for the peers");
        }
        let built = building.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the build of the peers panicked")));
        match built {
            Ok(built) if built.failed == 0 => {
                self.counts.passed += 1;
                repository::peers().ok()
            }
            Ok(built) => {
                self.skip(name, &format!("{} of the peers could not be built, see above", built.failed));
                // Those that were built are used.
                repository::peers().ok()
            }
            Err(error) => {
                self.skip(name, &format!("{error:#}"));
                None
            }
        }
    }

    /// The tests of the workspace; each counts.
    fn tests(&mut self, peers: Option<Utf8PathBuf>, wanted: &Wanted) -> Result<()> {
        let nowhere = repository::target()?.join("peers/none");
        let counts = Arc::new(Mutex::new(Counts::default()));
        let watched = Arc::clone(&counts);
        let mut required = Vec::new();
        if self.strict {
            required = peers::names(wanted)?;
            required.extend(SYSTEM_TOOLS.iter().map(|tool| (*tool).to_owned()));
        }
        let mut ran = false;
        self.step("tests", |suite| {
            let mut command = Command::new("cargo");
            command.args(["test", "--workspace", "--locked", "--no-fail-fast"]).current_dir(&suite.root);
            command.env("COLLIMATE_PEERS", peers.unwrap_or(nowhere));
            command.env("COLLIMATE_REQUIRE", required.join(","));
            ran = true;
            process::watch(&mut command, move |line| {
                watched.lock().unwrap_or_else(PoisonError::into_inner).add(line);
            })
        });
        let counts = *counts.lock().unwrap_or_else(PoisonError::into_inner);
        if ran && counts.passed + counts.failed == 0 {
            say("error: not one test ran");
        }
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
        Ok(())
    }

    fn report(&self, start: Instant) -> ExitCode {
        say("");
        for skipped in &self.skipped {
            say(&format!("skipped: {skipped}"));
        }
        for failed in &self.failed {
            say(&format!("failed: {failed}"));
        }
        let Counts { passed, failed, skipped } = self.counts;
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        // The last line, for people and for whoever counts.
        crate::terminal::print(&format!("{passed} passed, {failed} failed, {skipped} skipped in {minutes:.1} min\n"));
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl Counts {
    /// Takes a line of `cargo test` into account: `test result: ok. 12 passed; 0 failed; 1 ignored; …`, or what a test says that
    /// cannot run without its peer.
    fn add(&mut self, line: &str) {
        if line.starts_with("skipped: ") {
            self.skipped += 1;
            // The harness counts a test that returns early as passed.
            self.passed = self.passed.saturating_sub(1);
            return;
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let words: Vec<&str> = result.split_whitespace().collect();
        for pair in words.windows(2) {
            if let [number, what] = pair
                && let Ok(number) = number.parse::<usize>()
            {
                match *what {
                    "passed;" => self.passed += number,
                    "failed;" => self.failed += number,
                    "ignored;" => self.skipped += number,
                    _ => {}
                }
            }
        }
    }
}

/// Fetches all crates, those of other platforms too: everything after this works without network.
fn fetch(root: &Utf8PathBuf) {
    let mut command = Command::new("cargo");
    command.args(["fetch", "--locked", "--quiet"]).current_dir(root);
    if !process::watch(&mut command, |_| {}).unwrap_or(false) {
        say("note: `cargo fetch` failed; what is not here already will be missed below");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s");
        counts.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.11s");
        counts.add("skipped: helm::renders: the peer `helm3` is not at `x`; `cargo xtask peers helm3` builds it");
        counts.add("test a ... ok");
        assert_eq!((counts.passed, counts.failed, counts.skipped), (13, 3, 2));
    }
}
