//! A checkout that somebody prepared: links, pipes and texts where the program keeps lock, journal, ledger and archive.

use std::os::unix::fs::symlink;
use std::process::Command;

use testkit::Sandbox;

use super::fixture::Fixture;

const LOCK: &str = "releases/.collimate-lock";
const JOURNAL: &str = "releases/.collimate-journal";
const HOLD: &[&str] = &["hold", "set", "stable", "--reason", "x"];

type Prepare = fn(&Fixture);

fn pipe(fixture: &Fixture, path: &str) {
    assert!(Command::new("/usr/bin/mkfifo").arg(fixture.sandbox.path(path)).status().unwrap().success());
}

#[test]
fn a_lock_that_is_a_link_overwrites_nothing() {
    let outside = Sandbox::new();
    outside.write("precious", "old");
    for target in ["precious", "new"] {
        let fixture = Fixture::new();
        symlink(outside.path(target), fixture.sandbox.path(LOCK)).unwrap();
        let refused = fixture.run(HOLD, 4);
        assert!(refused.stderr.contains("it is no regular file\nhint: this program did not make"), "{refused}");
        assert!(fixture.entries().is_empty());
    }
    assert_eq!(outside.read("precious"), "old");
    assert!(!outside.path("new").exists());
}

#[test]
fn what_lock_and_journal_say_is_printed_masked_on_one_line() {
    let text = r#""command": "x\u001b[31m", "by": "m\nerror: all is fine", "since": "password=hunter2""#;
    let fixture = Fixture::new();
    fixture.sandbox.write(LOCK, format!("{{\"process\": 1, {text}}}"));
    let said = fixture.run(HOLD, 0).stderr;
    let journal = r#"{"schema": 1, "command": "x\u001b[31m", "by": "m\nerror: all is fine", "at": "2026-01-01T00:00:00Z", "changes": []}"#;
    fixture.sandbox.write(JOURNAL, journal);
    for said in [said, fixture.run(&["history"], 0).stderr] {
        assert!(said.contains("was interrupted") && said.contains("m error: all is fine"), "{said}");
        assert!(!said.contains('\u{1b}') && !said.contains("hunter2") && !said.contains("\nerror"), "{said}");
    }
}

/// A runner takes `##[NAME]` for a command wherever it stands, and a line that begins with `::NAME::`.
#[test]
fn what_lock_ledger_and_files_say_is_no_command() {
    let fixture = Fixture::new();
    fixture.sandbox.write(LOCK, r###"{"process": 1, "command": "x", "by": "##[error]m", "since": "::error::x"}"###);
    let hold = ["hold", "set", "stable", "--reason", "##[error]x"];
    let mut said = vec![fixture.run(&hold, 0)];
    assert!(said[0].stderr.contains("was interrupted"), "{}", said[0]);
    said.push(fixture.run(&["history"], 0));
    said.push(fixture.run(&["history", "--format", "json"], 0));
    said.push(fixture.run(&["hold", "list"], 0));
    said.push(fixture.run(&["promote", "edge", "stable"], 1));
    said.push(fixture.run(&["hold", "lift", "stable"], 0));
    for said in &said {
        assert!(!said.stdout.contains("##[") && !said.stderr.contains("##["), "{said}");
    }
    assert!(said[1].stdout.contains("## [error]x"), "{}", said[1]);
    assert!(said[2].stdout.contains(r"#\u0023[error]x"), "{}", said[2]);
}

#[test]
fn a_journal_that_is_no_file_is_refused_at_once_and_names_the_way_out() {
    let prepares: [(Prepare, &str); 4] = [
        (|fixture| pipe(fixture, JOURNAL), "is no regular file"),
        (|fixture| symlink("none", fixture.sandbox.path(JOURNAL)).unwrap(), "is a link to nothing"),
        (|fixture| symlink("/etc/hostname", fixture.sandbox.path(JOURNAL)).unwrap(), "leads out of the workspace"),
        (|fixture| std::fs::create_dir(fixture.sandbox.path(JOURNAL)).unwrap(), "it is a folder"),
    ];
    for (prepare, why) in prepares {
        let fixture = Fixture::new();
        prepare(&fixture);
        for arguments in [HOLD, &["history"]] {
            let refused = fixture.run(arguments, 4);
            assert!(refused.stderr.contains(why) && refused.stderr.contains("or remove `"), "{refused}");
        }
        assert!(fixture.entries().is_empty());
    }
}

#[test]
fn a_journal_names_no_pipe_and_no_file_twice() {
    let journal = |changes: &str| {
        format!(r#"{{"schema": 1, "command": "x", "by": "x", "at": "2026-01-01T00:00:00Z", "changes": [{changes}]}}"#)
    };
    let fixture = Fixture::new();
    pipe(&fixture, "releases/pipe");
    fixture.sandbox.write(JOURNAL, journal(r#"{"path": "releases/pipe", "old": null, "new": "x"}"#));
    assert!(fixture.run(&["history"], 4).stderr.contains("`releases/pipe` is no regular file"));
    let twice =
        r#"{"path": "releases/new", "old": null, "new": "x"}, {"path": "releases/new", "old": null, "new": "y"}"#;
    fixture.sandbox.write(JOURNAL, journal(twice));
    assert!(fixture.run(&["history"], 4).stderr.contains("it names `releases/new` twice"));
    assert!(!fixture.sandbox.path("releases/new").exists());
}

#[test]
fn a_hold_does_not_vanish_behind_something_that_cannot_be_read() {
    let prepares: [fn(&Fixture, &str); 3] = [
        pipe,
        |fixture, path| std::fs::create_dir(fixture.sandbox.path(path)).unwrap(),
        |fixture, path| symlink("none", fixture.sandbox.path(path)).unwrap(),
    ];
    for prepare in prepares {
        let fixture = Fixture::new();
        fixture.run(HOLD, 0);
        let entry = fixture.entries().remove(0);
        fixture.sandbox.remove(&entry);
        prepare(&fixture, entry.as_str());
        let verified = fixture.run(&["history", "--verify"], 1);
        assert!(verified.stdout.contains("it is no regular file, as every entry is"), "{verified}");
        fixture.run(&["hold", "list"], 5);
        fixture.run(&["promote", "edge", "stable"], 5);
    }
}

#[test]
fn a_pipe_is_no_evidence() {
    let fixture = Fixture::new();
    pipe(&fixture, "pipe");
    let refused = fixture.run(&["mark-good", "stable", "--evidence", "pipe"], 3);
    assert!(refused.stderr.contains("cannot read `pipe`\ncaused by: it is not a regular file"), "{refused}");
}

#[test]
fn an_archived_release_that_is_not_the_recorded_one_is_not_gone_back_to() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    let archived = "releases/archive/1.0.0.yaml";
    fixture.sandbox.write(archived, fixture.sandbox.read(archived).replacen("tag: \"1.1\"", "tag: \"1.7\"", 1));
    let before = fixture.snapshot();
    for to in [&[][..], &["--to", "1.0.0"]] {
        let refused = fixture.run(&[&["rollback", "stable", "--reason", "x"], to].concat(), 5);
        assert!(
            refused.stderr.contains("release `1.0.0` in the archive is not the one that the ledger recorded"),
            "{refused}"
        );
    }
    assert_eq!(fixture.snapshot(), before);
}
