//! What lies in place of a file: a pipe, a socket, a device, links in circles and out of the workspace, folders without end.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::watch::{Mode, SERVICE, watched};
use crate::tree::{RELEASE, Tree};

/// A workspace whose `compose.yaml` is made by `make`; what `check` says first.
#[track_caller]
fn said(make: impl FnOnce(&Tree)) -> Option<String> {
    let tree = Tree::of(&[
        (
            "w/collimate.yaml",
            "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n  p: {channel: edge, compose: [compose.yaml]}\n",
        ),
        ("w/edge.yaml", RELEASE),
        ("elsewhere.yaml", SERVICE),
    ]);
    make(&tree);
    let watched = watched(&tree, &["check", "--workspace", "w/collimate.yaml"], Mode::Sealed, |cli| cli)?;
    assert!(watched.megabytes <= 200 && watched.milliseconds <= 30_000, "{} MB", watched.megabytes);
    assert!(matches!(watched.exit, 1 | 3), "exit {}: {}{}", watched.exit, watched.stdout, watched.stderr);
    Some(watched.stdout)
}

#[track_caller]
fn says(part: &str, make: impl FnOnce(&Tree)) {
    let Some(said) = said(make) else { return };
    assert!(said.contains(part), "{said}");
}

#[test]
fn what_is_no_file_is_not_opened() {
    says("not a regular file", |tree| {
        let path = tree.path("w/compose.yaml");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
    });
    says("not a regular file", |tree| drop(UnixListener::bind(tree.path("w/compose.yaml")).unwrap()));
    says("is a directory", |tree| std::fs::create_dir(tree.path("w/compose.yaml")).unwrap());
}

#[test]
fn links_do_not_lead_out() {
    for target in ["../elsewhere.yaml", "/etc/passwd", "/dev/zero", "/proc/self/environ"] {
        says("leads out of the workspace", |tree| symlink(target, tree.path("w/compose.yaml")).unwrap());
    }
    // Nor does a folder on the way.
    says("leads out of the workspace", |tree| {
        symlink("..", tree.path("w/up")).unwrap();
        tree.write("w/compose.yaml", "include: [up/elsewhere.yaml]\n");
    });
    says("compose.yaml", |tree| symlink("compose.yaml", tree.path("w/compose.yaml")).unwrap());
}

/// It is there, so the reason is not that it is missing.
#[test]
fn files_of_services_are_refused_for_what_they_are() {
    for key in ["env_file", "label_file"] {
        for (path, reason) in [
            ("../elsewhere.yaml", "leads out of the workspace"),
            ("/proc/self/environ", "leads out of the workspace"),
            ("link", "leads out of the workspace"),
            ("pipe", "not a regular file"),
            ("nowhere", "no such file or directory"),
        ] {
            says(reason, |tree| {
                symlink("/dev/zero", tree.path("w/link")).unwrap();
                assert!(std::process::Command::new("mkfifo").arg(tree.path("w/pipe")).status().unwrap().success());
                let service = format!("services: {{a: {{image: \"example.org/a:1\", {key}: {path}}}}}\n");
                tree.write("w/compose.yaml", &service);
            });
        }
    }
}

/// `init` walks a folder that somebody else made.
#[test]
fn a_walk_ends() {
    let tree = Tree::of(&[("a/compose.yaml", SERVICE)]);
    symlink("..", tree.path("a/up")).unwrap();
    symlink("/", tree.path("a/root")).unwrap();
    tree.write(&format!("{}compose.yaml", "d/".repeat(200)), SERVICE);
    let Some(watched) = watched(&tree, &["init"], Mode::Open, |cli| cli) else { return };
    assert!(matches!(watched.exit, 0 | 1), "{}{}", watched.stdout, watched.stderr);
    assert!(watched.megabytes <= 200);
    assert!(tree.read("collimate.yaml").contains("a/compose.yaml") && !tree.read("collimate.yaml").contains("up/"));
}

#[test]
fn folders_without_end() {
    let tree = Tree::of(&[
        (
            "collimate.yaml",
            "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n  p: {channel: edge, chart: c}\n",
        ),
        ("edge.yaml", RELEASE),
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("c/files/f", "x"),
    ]);
    for number in 0..50_000 {
        // A name, and no file of its own.
        std::fs::hard_link(tree.path("c/files/f"), tree.path(&format!("c/files/{number}"))).unwrap();
    }
    let Some(watched) = watched(&tree, &["check"], Mode::Sealed, |cli| cli) else { return };
    assert!(watched.stdout.contains("it has more than the 50000 entries that are listed"), "{}", watched.stdout);
    assert!(watched.megabytes <= 200);
}
