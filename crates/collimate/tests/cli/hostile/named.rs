//! Files that a command line names, each larger than its limit: evidence, archives, keys, plans, lists and manifests of others.

use std::fs::File;

use super::watch::{Mode, Watched, watched};
use crate::tree::{RELEASE, Tree};

const MIB: u64 = 1 << 20;

fn tree() -> Tree {
    Tree::of(&[
        (
            "collimate.yaml",
            "schema: 1\nchannels: {edge: {release: releases/edge.yaml}}\nprofiles:\n  p: {channel: edge, compose: [compose.yaml]}\n",
        ),
        ("releases/edge.yaml", RELEASE),
        ("compose.yaml", "services: {a: {image: docker.io/library/nginx:1.27}}\n"),
    ])
}

/// A file of so many zeros, which takes no room on the disk.
fn zeros(tree: &Tree, path: &str, length: u64) {
    File::create(tree.path(path)).unwrap().set_len(length).unwrap();
}

/// What a command says that may write, within time and memory.
fn run(tree: &Tree, arguments: &[&str]) -> Option<Watched> {
    let watched = watched(tree, arguments, Mode::Open, |cli| cli)?;
    let Watched { megabytes, milliseconds, stderr, .. } = &watched;
    assert!(*megabytes <= 200 && *milliseconds <= 30_000, "{megabytes} MB, {milliseconds} ms: {stderr}");
    Some(watched)
}

/// The command is refused in these words, whatever it does with a smaller file.
#[track_caller]
fn refuses(tree: &Tree, arguments: &[&str], exit: i32, part: &str) {
    let Some(watched) = run(tree, arguments) else { return };
    assert_eq!(watched.exit, exit, "{}{}", watched.stdout, watched.stderr);
    assert!(watched.stderr.contains(part), "{}{}", watched.stdout, watched.stderr);
}

#[test]
fn evidence() {
    let tree = tree();
    let mark_good = ["mark-good", "edge", "--evidence", "evidence", "--by", "a"];
    zeros(&tree, "evidence", 64 * MIB + 1);
    refuses(&tree, &mark_good, 3, "it is larger than 64 MiB");
    // JSON of which two bytes are a value: its hash is recorded, and it says nothing.
    let lists = format!("{{\"more\": [{}0]}}", "0,".repeat(15 << 20));
    tree.write("evidence", &lists);
    if let Some(watched) = run(&tree, &mark_good) {
        assert_eq!(watched.exit, 0, "{}", watched.stderr);
    }
    let record = ["record", "deploy", "p", "--site", "s", "--evidence", "evidence", "--by", "a"];
    let limit = format!("it has {} bytes; of what runs somewhere, at most 8388608 are read", lists.len());
    refuses(&tree, &record, 3, &limit);
    tree.write("evidence", &format!("[{}0]", "0,".repeat(4_000_000)));
    refuses(&tree, &record, 3, "it is none of the forms that are understood");
}

#[test]
fn bundles_and_keys() {
    let tree = tree();
    zeros(&tree, "b.tar.gz", 64 * MIB + 1);
    zeros(&tree, "key.pub", 64 * 1024 + 1);
    refuses(&tree, &["bundle", "inspect", "b.tar.gz"], 3, "it is larger than 64 MiB");
    refuses(&tree, &["bundle", "verify", "b.tar.gz", "--unverified"], 3, "it is larger than 64 MiB");
    zeros(&tree, "b.tar.gz", 10);
    for beside in ["sig", "sha256", "minisig", "intoto.jsonl"] {
        let file = format!("b.tar.gz.{beside}");
        zeros(&tree, &file, 8 * MIB + 1);
        let expected = format!("cannot read `{file}`\ncaused by: it is larger than 8 MiB");
        refuses(&tree, &["bundle", "verify", "b.tar.gz", "--unverified"], 3, &expected);
        std::fs::remove_file(tree.path(&file)).unwrap();
    }
    let key = "cannot read `key.pub`\ncaused by: it is larger than 64 KiB";
    refuses(&tree, &["bundle", "verify", "b.tar.gz", "--key", "key.pub"], 3, key);
}

#[test]
fn manifests_and_lists() {
    let tree = tree();
    zeros(&tree, "other.yaml", 4 * MIB + 1);
    let large = "cannot read `other.yaml`\ncaused by: it is larger than 4 MiB";
    refuses(&tree, &["release", "diff", "edge", "other.yaml"], 3, large);
    refuses(&tree, &["release", "new", "2.0.0", "--from", "edge", "--from-file", "other.yaml"], 3, large);
    let digest = "0".repeat(64);
    let list: String = (0..10_001).map(|number| format!("r.example.org/a{number}:1@sha256:{digest}\n")).collect();
    tree.write("other.yaml", &list);
    let many = "it names more than 10000 images";
    refuses(&tree, &["release", "new", "2.0.0", "--from", "edge", "--from-file", "other.yaml"], 3, many);
    // What is there already may be anything.
    zeros(&tree, "out.yaml", 4 * MIB + 1);
    let there = ["release", "new", "2.0.0", "--from", "edge", "--output", "out.yaml"];
    refuses(&tree, &there, 3, "it is larger than 4 MiB");
}

#[test]
fn plans_and_baselines() {
    let tree = tree();
    zeros(&tree, "approval", 64 * MIB);
    let new = ["release", "new", "2.0.0", "--channel", "edge", "--approval", "approval", "--by", "a"];
    refuses(&tree, &new, 3, "it is larger than 4 MiB");
    tree.write("approval", &"x".repeat(16 * 1024 + 1));
    refuses(&tree, &new, 3, "it has 16385 bytes; one has at most 16384");
    let entry = |count: &str| {
        format!(
            "schema: 1\nfindings:\n  - {{id: 0123456789abcdef, rule: image-not-pinned, file: compose.yaml, message: m, count: {count}}}\n"
        )
    };
    tree.write("baseline.yaml", &entry("1000001"));
    refuses(&tree, &["check", "--baseline", "baseline.yaml"], 3, "`findings[0].count`");
}

/// All files of a workspace together.
#[test]
fn files_in_all() {
    let tree = tree();
    let paths: Vec<String> = (0..5).map(|number| format!("c{number}.yaml")).collect();
    for path in &paths {
        let comment = format!("#{}\n", "x".repeat(30 << 20));
        tree.write(path, &(comment + "services: {a: {image: docker.io/library/nginx:1.27}}\n"));
    }
    tree.replace("collimate.yaml", "[compose.yaml]", &format!("[{}]", paths.join(", ")));
    let Some(watched) = watched(&tree, &["check"], Mode::Sealed, |cli| cli) else { return };
    let expected = "with it, more than the 117440512 bytes that are kept would have been read";
    assert!(watched.stdout.contains(expected), "{}{}", watched.stdout, watched.stderr);
}
