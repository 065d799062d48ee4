//! `release new` killed before every call that writes, in a channel whose manifest is signed: everything is as before or as after.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::made::{NEW, built};
use crate::rollout::fixture::{Fixture, profile, release};
use crate::rollout::killed::{CALLS, start, traced};

type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

fn files(fixture: &Fixture) -> Files {
    let read = |path: &Utf8PathBuf| std::fs::read(fixture.sandbox.path(path)).unwrap();
    fixture.sandbox.files().into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn before() -> Fixture {
    let fixture = Fixture::new();
    fixture.sandbox.write("built.txt", built([3, 1]));
    fixture.run(&["key", "new", "key"], 0);
    fixture.run(&["release", "sign", "edge", "--key", "key"], 0);
    fixture
}

/// Lets the next command recover, and proves that the change was made whole or not at all; whether it was made.
#[track_caller]
fn is_new(fixture: &Fixture, old: &Files) -> bool {
    fixture.run(&["hold", "lift", "stable"], 0);
    let now = files(fixture);
    fixture.is_sound();
    if now == *old {
        return false;
    }
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), profile("edge", &release("1.2.0-edge", [3, 1]), 0));
    assert_eq!(fixture.entries().len(), 1);
    for suffix in ["", ".sig", ".minisig"] {
        let path = Utf8PathBuf::from(format!("releases/edge.yaml{suffix}"));
        let archived = Utf8PathBuf::from(format!("releases/archive/1.1.0-edge.yaml{suffix}"));
        assert_eq!(now[&archived], old[&path], "{archived}");
        assert_eq!(now.contains_key(&path), suffix.is_empty(), "{path}");
    }
    assert!(fixture.run(&NEW, 0).stdout.contains("already"));
    assert_eq!(files(fixture), now);
    true
}

#[test]
fn old_or_new_at_every_call_that_writes() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = before();
    let old = files(&prepared);
    let (mut kills, mut new) = (0, 0);
    for call in CALLS {
        for nth in 1.. {
            let fixture = prepared.copy();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
            let arguments = traced("/dev/null", &trace, &inject, &NEW);
            let came_through = start(&fixture, strace.as_str(), &arguments).0.wait().unwrap().success();
            let is_new = is_new(&fixture, &old);
            if came_through {
                assert!(is_new, "it came through");
                break;
            }
            kills += 1;
            new += usize::from(is_new);
        }
    }
    assert!(kills >= 40 && new >= 10 && kills - new >= 5, "{kills} kills, {new} of them left the new state");
}
