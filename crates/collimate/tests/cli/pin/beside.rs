//! Others at work at the same time: `promote`, another `pin`, and people with editors.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::Sandbox;

use super::killed::before;
use super::world::{files, program};
use crate::rollout::fixture::{Fixture, profile, release};
use crate::rollout::killed::{Run, traced};

/// Longer than any run takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// `pin`, stopped after the nth call of a kind.
struct Stopped {
    run: Run,
    process: String,
    _log: Sandbox,
}

impl Stopped {
    /// `path`: only calls that name this file count.
    fn at(fixture: &Fixture, strace: &str, call: &str, nth: usize, path: Option<&str>) -> Self {
        let logs = Sandbox::new();
        let log = logs.path("log");
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=STOP:when={nth}"));
        let mut command = Command::new(strace);
        if let Some(path) = path {
            command.args(["-P", fixture.sandbox.path(path).as_str()]);
        }
        command.args(traced(log.as_str(), &trace, &inject, &["pin"])).current_dir(fixture.sandbox.root()).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let run = Run(command.spawn().unwrap());
        let started = Instant::now();
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = text.lines().find(|line| line.contains("stopped by SIGSTOP")) {
                let process = line.split_whitespace().next().unwrap().to_owned();
                return Self { run, process, _log: logs };
            }
            assert!(started.elapsed() < PATIENCE, "it was never stopped:\n{text}");
            std::thread::yield_now();
        }
    }

    /// Lets it go on, and gives its exit code and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        assert!(Command::new("/bin/kill").args(["-CONT", &self.process]).status().unwrap().success());
        let status = self.run.0.wait().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.run.0.stderr.take().unwrap(), &mut said).unwrap();
        (status.code(), said)
    }
}

#[test]
fn while_another_change_is_under_way_nothing_is_pinned() {
    let fixture = before();
    let old = files(&fixture.sandbox);
    let path = "releases/.collimate-lock";
    let owner = r#"{"process":7,"command":"promote edge stable","by":"bob","since":"2026-01-01T00:00:00Z"}"#;
    fixture.sandbox.write(path, owner);
    let lock = std::fs::OpenOptions::new().read(true).write(true).open(fixture.sandbox.path(path)).unwrap();
    lock.lock().unwrap();
    let refused = program(&fixture.sandbox, &["pin"])
        .stderr(
            "error: another change is under way\n\
             caused by: `promote edge stable` by bob, process 7, since 2026-01-01T00:00:00Z\n\
             hint: wait for it to end, then run the command again; nothing was changed by this one\n",
        )
        .exit(4);
    refused.run();
    // Nothing is written, so nobody is in the way.
    program(&fixture.sandbox, &["pin", "--dry-run"]).any_stdout().run();
    drop(lock);
    fixture.sandbox.remove(path);
    assert_eq!(files(&fixture.sandbox), old);
}

/// The manifest that was read before the lock was had is not what counts.
#[test]
fn a_promotion_between_the_first_look_and_the_lock_is_not_undone() {
    let Some(strace) = testkit::tool("strace") else { return };
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    let stopped = Stopped::at(&fixture, strace.as_str(), "openat", 1, Some("releases/.collimate-lock"));
    fixture.run(&["promote", "edge", "stable"], 0);
    let promoted = fixture.snapshot();
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.1.0", [2, 1]), 0));
    assert_eq!(stopped.end(), (Some(0), String::new()));
    assert_eq!(fixture.snapshot(), promoted);
    fixture.is_sound();
}

#[test]
fn an_edit_made_meanwhile_is_not_overwritten() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = before();
    let count = files(&prepared.sandbox).len();
    // The journal, its folder, then each of the three files: an edit may come at any of them.
    for nth in 1..=5 {
        let fixture = prepared.copy();
        let stopped = Stopped::at(&fixture, strace.as_str(), "fsync", nth, None);
        let edited = format!("# by hand\n{}", fixture.sandbox.read("compose/stage.yaml"));
        fixture.sandbox.write("compose/stage.yaml", &edited);
        let mut expected = files(&prepared.sandbox);
        expected.insert("compose/stage.yaml".to_owned(), edited);
        let (code, said) = stopped.end();
        assert_eq!(code, Some(4), "at {nth}: {said}");
        assert_eq!(
            said,
            "error: cannot write the change\ncaused by: `compose/stage.yaml` was changed meanwhile\n\
             hint: nothing was changed by this run; run the command again\n",
            "at {nth}"
        );
        let left = files(&fixture.sandbox);
        assert_eq!(left, expected, "at {nth}");
        assert_eq!(left.len(), count);
        // The next run takes the edit along.
        program(&fixture.sandbox, &["pin"]).any_stdout().run();
        assert!(fixture.sandbox.read("compose/stage.yaml").starts_with("# by hand\n# by hand\n"));
        program(&fixture.sandbox, &["check"]).any_stdout().run();
    }
}

#[test]
fn of_several_at_once_none_undoes_another() {
    let prepared = Fixture::new();
    prepared.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    for _ in 0..4 {
        let fixture = prepared.copy();
        let commands: [&[&str]; 4] = [&["pin"], &["promote", "edge", "stable"], &["pin", "stable"], &["pin"]];
        let outputs: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> =
                commands.iter().map(|arguments| scope.spawn(|| fixture.program(arguments).output())).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for output in &outputs {
            assert!(output.exit == 0 || output.stderr.contains("another change is under way"), "{output}");
        }
        let held = if outputs[1].exit == 0 { release("1.1.0", [2, 1]) } else { release("1.0.0", [1, 1]) };
        assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &held, 0), "{outputs:?}");
        fixture.is_sound();
    }
}
