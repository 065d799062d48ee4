//! What holds for every workspace. More of them: `COLLIMATE_PIN_WORLDS=5000 cargo test -p collimate --test cli pin::laws`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::world::{World, files, program};

/// What `pin` sets out to mend.
const MENDED: [&str; 6] = [
    "digest-mismatch",
    "tag-digest-conflict",
    "image-unpinned",
    "platform-digest",
    "release-label-differs",
    "shared-pin-conflict",
];

/// Generated workspaces of each kind in every run.
const WORLDS: u64 = 48;

fn worlds() -> u64 {
    std::env::var("COLLIMATE_PIN_WORLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(WORLDS)
}

/// The findings of a check: rule and message, each with how often.
fn findings(sandbox: &testkit::Sandbox) -> BTreeMap<(String, String), usize> {
    let output = program(sandbox, &["check", "--format", "json"]).output();
    let report: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    let mut found = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let text = |key: &str| finding[key].as_str().unwrap().to_owned();
        *found.entry((text("rule"), text("message"))).or_default() += 1;
    }
    found
}

/// Runs `law` over worlds on all cores; gives how many there were.
fn all(is_refused: bool, law: impl Fn(&World) + Sync) {
    let next = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= worlds() {
                        break;
                    }
                    law(&World::new(seed, is_refused));
                }
            });
        }
    });
}

#[track_caller]
fn same(world: &World, what: &str, actual: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, said: &str) {
    if actual == expected {
        return;
    }
    let mut differing = String::new();
    for path in actual.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (actual, expected) = (actual.get(path), expected.get(path));
        if actual != expected {
            differing.push_str(&format!("{path}:\n{actual:#?}\nexpected:\n{expected:#?}\n"));
        }
    }
    panic!("seed {}, {:?}: {what}\n{differing}{said}", world.seed, world.pin());
}

#[test]
fn only_references_and_labels_change_and_the_findings_are_gone() {
    let changed = AtomicU64::new(0);
    all(false, |world| {
        let sandbox = world.on_disk();
        let before = findings(&sandbox);
        let pinned = program(&sandbox, &world.pin()).output();
        let said = pinned.to_string();
        same(world, "after `pin`", &files(&sandbox), &world.expected(), &said);
        assert_eq!((pinned.exit, pinned.stderr.as_str()), (0, ""), "seed {}: {said}", world.seed);
        let after = findings(&sandbox);
        for ((rule, message), count) in &after {
            assert!(!MENDED.contains(&rule.as_str()), "seed {}: {rule}: {message} is still there\n{said}", world.seed);
            let old = before.get(&(rule.clone(), message.clone())).copied().unwrap_or_default();
            assert!(*count <= old, "seed {}: {rule}: {message} is new\n{said}", world.seed);
        }
        let again = program(&sandbox, &world.pin()).output();
        assert_eq!((again.exit, again.stdout.as_str()), (0, "0 places written\n"), "seed {}: {again}", world.seed);
        same(world, "after `pin` again", &files(&sandbox), &world.expected(), &again.to_string());
        changed.fetch_add(u64::from(world.changes()), Ordering::Relaxed);
    });
    assert!(changed.into_inner() * 10 >= worlds() * 8, "too few of them have something to write");
}

#[test]
fn what_cannot_be_written_is_refused_whole_and_named() {
    let refused = AtomicU64::new(0);
    all(true, |world| {
        let sandbox = world.on_disk();
        let pinned = program(&sandbox, &world.pin()).output();
        same(world, "after `pin`", &files(&sandbox), &world.expected(), &pinned.to_string());
        if world.refused.is_empty() {
            assert_eq!(pinned.exit, 0, "seed {}: {pinned}", world.seed);
            return;
        }
        refused.fetch_add(1, Ordering::Relaxed);
        assert_eq!(pinned.exit, 1, "seed {}: {pinned}", world.seed);
        assert!(pinned.stderr.contains("hint: nothing was written"), "seed {}: {pinned}", world.seed);
        let refusals = pinned.stdout.matches("error[pin-refused]").count();
        assert!(refusals >= world.refused.len(), "seed {}: {refusals} refusals\n{pinned}", world.seed);
        for reference in &world.refused {
            assert!(
                pinned.stdout.contains(reference.as_str()),
                "seed {}: {reference} is not named\n{pinned}",
                world.seed
            );
        }
    });
    assert!(refused.into_inner() * 10 >= worlds() * 6, "too few of them are refused");
}
