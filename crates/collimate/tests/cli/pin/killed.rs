//! Killed at any moment, with SIGKILL: every file is old or new, and the second run ends where an undisturbed one would have.

use std::collections::BTreeMap;
use std::time::Instant;

use testkit::Sandbox;

use super::world::{files, program};
use crate::rollout::fixture::{Fixture, profile, release};
use crate::rollout::killed::{CALLS, Run, start, traced};

const PIN: [&str; 1] = ["pin"];

/// Kills at any time: with those before every call that writes, more than two hundred.
const KILLS: u32 = 170;

/// Three profiles that hold other tags and digests than their releases list.
pub(super) fn before() -> Fixture {
    let fixture = Fixture::new();
    for (path, channel) in [("dev", "edge"), ("stage", "stable"), ("prod", "stable")] {
        fixture.sandbox.write(format!("compose/{path}.yaml"), profile(channel, &release("0.9.0", [7, 8]), 3));
    }
    fixture
}

type Files = BTreeMap<String, String>;

/// Looks at what a killed run left, lets the second one finish, and looks again; how many files were new.
#[track_caller]
fn finishes(sandbox: &Sandbox, old: &Files, new: &Files) -> usize {
    let left = files(sandbox);
    let mut renewed = 0;
    for (path, text) in old {
        let is_new = left[path] == new[path] && new[path] != *text;
        assert!(is_new || left[path] == *text, "{path} is neither old nor new:\n{}", left[path]);
        renewed += usize::from(is_new);
    }
    let second = program(sandbox, &PIN).output();
    assert_eq!(second.exit, 0, "{second}");
    let end = files(sandbox);
    assert_eq!(end, *new, "{second}");
    renewed
}

fn undisturbed(prepared: &Fixture) -> Files {
    let sandbox = Sandbox::of(prepared.sandbox.root());
    program(&sandbox, &PIN).any_stdout().run();
    files(&sandbox)
}

#[test]
fn before_every_call_that_writes() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = before();
    let (old, new) = (files(&prepared.sandbox), undisturbed(&prepared));
    assert_eq!(old.iter().filter(|(path, text)| new[*path] != **text).count(), 3, "three files change");
    let (mut kills, mut partly) = (0, 0);
    for call in CALLS {
        for nth in 1.. {
            let fixture = prepared.copy();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
            let status =
                start(&fixture, strace.as_str(), &traced("/dev/null", &trace, &inject, &PIN)).0.wait().unwrap();
            let renewed = finishes(&fixture.sandbox, &old, &new);
            if let Some(code) = status.code() {
                assert_eq!((code, renewed), (0, 3), "nobody killed it");
                break;
            }
            kills += 1;
            partly += usize::from(renewed == 1 || renewed == 2);
        }
    }
    assert!(kills >= 30 && partly >= 2, "{kills} kills, {partly} of them between two files");
}

#[test]
fn at_any_time() {
    let prepared = before();
    let (old, new) = (files(&prepared.sandbox), undisturbed(&prepared));
    let measured = prepared.copy();
    let started = Instant::now();
    assert!(start(&measured, env!("CARGO_BIN_EXE_collimate"), &PIN).0.wait().unwrap().success());
    let mut takes = started.elapsed();
    let (mut killed, mut untouched) = (0, 0);
    // Multiples of the golden ratio fill the time evenly in whatever number they are taken; mostly its end, where the writing is.
    for index in 1..=4 * KILLS {
        let part = (f64::from(index) * 0.618_033_988_749_895).fract().powf(0.3);
        let fixture = prepared.copy();
        let started = Instant::now();
        let mut run: Run = start(&fixture, env!("CARGO_BIN_EXE_collimate"), &PIN);
        while started.elapsed() < takes.mul_f64(part) {
            std::thread::yield_now();
        }
        run.0.kill().unwrap();
        if run.0.wait().unwrap().success() {
            // It was quicker than the one that was measured.
            takes = takes.mul_f64(0.98);
        } else {
            killed += 1;
        }
        untouched += usize::from(finishes(&fixture.sandbox, &old, &new) == 0);
        if killed == KILLS {
            break;
        }
    }
    assert!(killed == KILLS && untouched > 0, "{killed} killed, {untouched} before anything was written");
}

#[test]
fn a_disk_that_fails_at_any_call_leaves_old_or_new_and_says_so() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = before();
    let (old, new) = (files(&prepared.sandbox), undisturbed(&prepared));
    let logs = Sandbox::new();
    let log = logs.path("log");
    let (mut unchanged, mut unfinished) = (0, 0);
    for (call, error) in [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "EROFS"), ("fchmod", "EPERM")] {
        for nth in 1.. {
            let fixture = prepared.copy();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}:when={nth}"));
            let output = testkit::Cli::new(&strace)
                .folder(fixture.sandbox.root())
                .args(traced(log.as_str(), &trace, &inject, &PIN))
                .output();
            let left = files(&fixture.sandbox);
            if output.stderr.contains("hint: nothing was changed") {
                assert_eq!(left, old, "{output}");
                unchanged += 1;
            }
            unfinished += usize::from(output.stderr.contains("`collimate history` finishes it"));
            finishes(&fixture.sandbox, &old, &new);
            assert!(output.exit == 0 || (output.exit == 4 && output.stderr.contains("error: cannot ")), "{output}");
            if !logs.read("log").contains("(INJECTED)") {
                break;
            }
        }
    }
    assert!(unchanged >= 8 && unfinished >= 2, "{unchanged} unchanged, {unfinished} unfinished");
}
