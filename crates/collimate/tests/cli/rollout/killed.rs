//! Killed at any moment, with SIGKILL: everything is as before or as after, and the next command says what it did.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::fixture::{Fixture, profile, release};

/// The system calls by which a change reaches the disk.
pub(crate) const CALLS: [&str; 7] = ["write", "fsync", "rename", "unlink", "fchmod", "ftruncate", "mkdir"];

/// A run that is ended when the test fails.
pub(crate) struct Run(pub(crate) Child);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn start(fixture: &Fixture, program: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(fixture.sandbox.root()).env_clear().env("COLLIMATE_BY", "alice");
    Run(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

const PROMOTE: [&str; 3] = ["promote", "edge", "stable"];
/// With an edit of the profile that was made since, which stays.
const ROLLBACK: [&str; 5] = ["rollback", "stable", "--reason", "it broke", "--keep-config"];

/// Before a promotion, or, with it, before a rollback.
fn before(arguments: &[&str]) -> Fixture {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    if arguments == ROLLBACK {
        fixture.run(&PROMOTE, 0);
        fixture.sandbox.write("compose/stage.yaml", profile("stable", &release("1.1.0", [2, 1]), 7));
    }
    fixture
}

/// Lets the next command recover, and proves that the change was made whole or not at all; whether it was made.
#[track_caller]
fn is_old_or_new(
    fixture: &Fixture,
    arguments: &[&str],
    old: &std::collections::BTreeMap<camino::Utf8PathBuf, String>,
) -> bool {
    // A lock that a killed run left is only taken over by who wants to change something; this finds nothing to change.
    fixture.run(&["hold", "lift", "edge"], 0);
    let now = fixture.snapshot();
    fixture.is_sound();
    if now == *old {
        return false;
    }
    let (limit, held, entries) =
        if arguments == ROLLBACK { (7, release("1.0.0", [1, 1]), 4) } else { (0, release("1.1.0", [2, 1]), 2) };
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &held, limit));
    assert_eq!(fixture.version_in("prod"), "1.0.0");
    assert_eq!(fixture.entries().len(), entries);
    assert_eq!(
        fixture.sandbox.read("releases/stable.yaml"),
        fixture.sandbox.read(format!("releases/archive/{}.yaml", held.version))
    );
    // As if it had come through: a second time there is nothing to do.
    let files = fixture.snapshot();
    assert!(fixture.run(arguments, 0).stdout.contains("already"));
    assert_eq!(fixture.snapshot(), files);
    true
}

/// The command line of `strace` that does something to the nth call of a command, and writes into `log` whether it came to that.
pub(crate) fn traced<'a>(log: &'a str, call: &'a str, inject: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let strace = ["-f", "-o", log, "-e", call, "-e", inject, env!("CARGO_BIN_EXE_collimate")];
    strace.into_iter().chain(arguments.iter().copied()).collect()
}

/// Kills a command before each of its system calls that write. Gives the number of kills, and how many left the new state.
fn at_every_call(strace: &str, arguments: &[&str]) -> (usize, usize) {
    let (mut kills, mut new) = (0, 0);
    let prepared = before(arguments);
    let old = prepared.snapshot();
    for call in CALLS {
        for nth in 1.. {
            let fixture = prepared.copy();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
            let status = start(&fixture, strace, &traced("/dev/null", &trace, &inject, arguments)).0.wait().unwrap();
            let is_new = is_old_or_new(&fixture, arguments, &old);
            if let Some(code) = status.code() {
                assert_eq!(code, 0, "nobody killed {arguments:?}, and it refused");
                assert!(is_new, "it came through");
                break;
            }
            kills += 1;
            new += usize::from(is_new);
        }
    }
    (kills, new)
}

#[test]
fn a_promotion_and_a_rollback_killed_before_every_call_that_writes() {
    let Some(strace) = testkit::tool("strace") else { return };
    let commands = [&PROMOTE[..], &ROLLBACK];
    std::thread::scope(|scope| {
        let runs = commands.map(|arguments| {
            let strace = strace.as_str();
            scope.spawn(move || (arguments, at_every_call(strace, arguments)))
        });
        for run in runs {
            let (arguments, (kills, new)) = run.join().unwrap();
            assert!(
                kills >= 30 && new >= 10 && kills - new >= 5,
                "{arguments:?}: {kills} kills, {new} of them left the new state"
            );
        }
    });
}

#[test]
fn a_disk_that_fails_at_any_call_leaves_old_or_new_and_says_which() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = before(&PROMOTE);
    let old = prepared.snapshot();
    let logs = testkit::Sandbox::new();
    let log = logs.path("log");
    let (mut failures, mut unchanged, mut unfinished) = (0, 0, 0);
    for (call, error) in [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "EROFS"), ("unlink", "EROFS")] {
        for nth in 1.. {
            let fixture = prepared.copy();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}:when={nth}"));
            let output = testkit::Cli::new(&strace)
                .folder(fixture.sandbox.root())
                .env("COLLIMATE_BY", "alice")
                .args(traced(log.as_str(), &trace, &inject, &PROMOTE))
                .output();
            if output.stderr.contains("hint: nothing was changed") {
                unchanged += 1;
                assert_eq!(fixture.entries(), prepared.entries(), "{output}");
                assert_eq!(
                    fixture.sandbox.read("compose/stage.yaml"),
                    old[camino::Utf8Path::new("compose/stage.yaml")]
                );
            }
            unfinished += usize::from(output.stderr.contains("`collimate history` finishes it"));
            let is_new = is_old_or_new(&fixture, &PROMOTE, &old);
            if output.exit == 0 {
                // A folder that cannot be synced, and a lock file that cannot be removed, are no failure.
                assert!(is_new, "{output}");
            } else {
                assert_eq!(output.exit, 4, "{output}");
                failures += 1;
            }
            if !logs.read("log").contains("(INJECTED)") {
                break;
            }
        }
    }
    assert!(failures >= 15 && unchanged >= 5 && unfinished >= 2, "{failures} failures, {unchanged}, {unfinished}");
}

#[test]
fn a_promotion_killed_at_any_time() {
    let prepared = before(&PROMOTE);
    let old = prepared.snapshot();
    let measured = prepared.copy();
    let started = Instant::now();
    assert!(start(&measured, env!("CARGO_BIN_EXE_collimate"), &PROMOTE).0.wait().unwrap().success());
    let takes = started.elapsed();
    let (mut killed, mut outcomes) = (0, [0, 0]);
    // Multiples of the golden ratio fill the time evenly in whatever number they are taken; mostly its end, where the writing is.
    for index in 1..=60 {
        let part = (f64::from(index) * 0.618_033_988_749_895).fract().sqrt();
        let fixture = prepared.copy();
        let started = Instant::now();
        let mut run = start(&fixture, env!("CARGO_BIN_EXE_collimate"), &PROMOTE);
        while started.elapsed() < takes.mul_f64(part) {
            std::hint::spin_loop();
        }
        run.0.kill().unwrap();
        killed += usize::from(!run.0.wait().unwrap().success());
        outcomes[usize::from(is_old_or_new(&fixture, &PROMOTE, &old))] += 1;
    }
    assert!(killed > 20 && outcomes[0] > 0, "{killed} killed, {outcomes:?}");
}

#[test]
fn the_next_command_says_what_it_finished() {
    let fixture = before(&PROMOTE);
    let Some(strace) = testkit::tool("strace") else { return };
    let arguments = traced("/dev/null", "trace=rename", "inject=rename:signal=KILL:when=3", &PROMOTE);
    assert!(!start(&fixture, strace.as_str(), &arguments).0.wait().unwrap().success());
    fixture.run(&["promote", "edge", "stable", "--dry-run"], 1);
    let next = fixture.run(&["history"], 0);
    assert!(next.stderr.starts_with("note: finished `promote edge stable` by alice of "), "{next}");
    // Manifest, archive, profile, workspace and entry; the first rename was the journal's, the second that of one of them.
    assert!(
        next.stderr.contains(", which was interrupted: 5 files, 4 of them just now; removed 4 leftover files\n"),
        "{next}"
    );
    fixture.is_sound();
}

#[test]
fn of_several_at_once_one_wins_and_the_others_say_so() {
    let fixture = before(&PROMOTE);
    let deadline = Instant::now() + Duration::from_secs(60);
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| fixture.program(&PROMOTE).output())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(Instant::now() < deadline);
    let won = outputs.iter().filter(|output| output.exit == 0 && output.stdout.contains("gate hold")).count();
    assert_eq!(won, 1, "{outputs:?}");
    for output in &outputs {
        let lost = output.exit == 4 && output.stderr.contains("another change is under way");
        let late = output.exit == 0 && output.stdout.contains("already");
        assert!(lost || late || output.stdout.contains("gate hold"), "{output}");
    }
    assert_eq!(fixture.entries().len(), 2);
    fixture.is_sound();
}

#[test]
fn a_lock_that_a_killed_run_left_is_taken_over_and_said() {
    let fixture = Fixture::new();
    let owner = r#"{"process":4194305,"command":"promote edge stable","by":"bob","since":"2026-01-01T00:00:00Z"}"#;
    fixture
        .sandbox
        .write("releases/.collimate-lock", owner)
        .write("releases/.collimate-.collimate-journal-4194305", "{");
    fixture
        .program(&["hold", "lift", "stable"])
        .stdout("`stable` is not held; nothing to do\n")
        .stderr(
            "note: `promote edge stable` by bob, process 4194305, since 2026-01-01T00:00:00Z, \
             was interrupted before it changed anything\n",
        )
        .run();
    fixture.is_sound();
}

#[test]
fn what_somebody_edited_after_an_interruption_is_not_overwritten() {
    let Some(strace) = testkit::tool("strace") else { return };
    let fixture = before(&PROMOTE);
    let arguments = traced("/dev/null", "trace=rename", "inject=rename:signal=KILL:when=3", &PROMOTE);
    assert!(!start(&fixture, strace.as_str(), &arguments).0.wait().unwrap().success());
    let edited = profile("stable", &release("1.0.0", [1, 1]), 99);
    fixture.sandbox.write("compose/stage.yaml", &edited);
    let before = fixture.snapshot();
    let refused = fixture.run(&["history"], 4);
    assert!(refused.stderr.contains("`compose/stage.yaml` was changed since by somebody else"), "{refused}");
    assert!(
        refused.stderr.contains("or remove `releases/.collimate-journal` to leave everything as it is now"),
        "{refused}"
    );
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), edited);
    let kept = |files: &std::collections::BTreeMap<camino::Utf8PathBuf, String>| {
        files.iter().filter(|(path, _)| !path.as_str().contains("/.")).map(|(_, text)| text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kept(&fixture.snapshot()), kept(&before));
}
