//! Inputs that are refused: each with its exit code and its words, and with nothing written.

use super::fixture::{Fixture, GREEN};

type Prepare = fn(&Fixture);

fn nothing(_: &Fixture) {}

fn broken(fixture: &Fixture, profile: &str) {
    let path = format!("compose/{profile}.yaml");
    let text = fixture.sandbox.read(&path);
    fixture.sandbox.write(&path, format!("{text}services: {{}}\n"));
}

/// Name, preparation, command line, exit code, what stderr or stdout says.
const CASES: &[(&str, Prepare, &[&str], i32, &str)] = &[
    ("unknown channel", nothing, &["promote", "edge", "stabel"], 2, "did you mean `stable`?"),
    ("unknown source", nothing, &["promote", "none", "stable"], 2, "there is no channel or ring `none`"),
    ("to itself", nothing, &["promote", "edge", "edge"], 2, "`edge` cannot be promoted to itself"),
    ("the wrong way", nothing, &["promote", "stable", "edge"], 2, "`edge` is not promoted from any channel"),
    ("a ring", nothing, &["promote", "edge", "stable/prod"], 2, "`stable/prod` is a ring; a channel is meant here"),
    ("a version with a path", nothing, &["promote", "edge", "stable", "--as", "../x"], 2, "`../x` cannot be a version"),
    (
        "the version it has",
        nothing,
        &["promote", "edge", "stable", "--as", "1.0.0"],
        2,
        "holds another release `1.0.0` now",
    ),
    (
        "an archived version",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml").replace("1.1.0-edge", "1.1.0");
            fixture.sandbox.write("releases/archive/1.1.0.yaml", text);
        },
        &["promote", "edge", "stable"],
        1,
        "`releases/archive/1.1.0.yaml` holds another release `1.1.0`",
    ),
    (
        "sample digests",
        |fixture| {
            fixture.sandbox.replace("releases/edge.yaml", "digests: resolved", "digests: sample");
        },
        &["promote", "edge", "stable"],
        1,
        "the digests of `1.1.0-edge` are stand-ins",
    ),
    (
        "digests that are not known",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml").replace("digests: resolved", "digests: sample");
            let start = text.find("digest: ").unwrap() + "digest: ".len();
            let end = start + text[start..].find('\n').unwrap();
            fixture.sandbox.write("releases/edge.yaml", [&text[..start], "unresolved", &text[end..]].concat());
        },
        &["promote", "edge", "stable"],
        1,
        "`1.1.0-edge` does not know 1 digest yet",
    ),
    (
        "a source that is not green",
        |fixture| {
            fixture.sandbox.replace("compose/dev.yaml", "web:1.2@", "web:1.1@");
        },
        &["promote", "edge", "stable"],
        1,
        "`edge` is not green",
    ),
    (
        "held",
        |fixture| {
            fixture.run(&["hold", "set", "stable", "--reason", "audit week"], 0);
        },
        &["promote", "edge", "stable"],
        1,
        "`stable` is held: audit week (by alice since ",
    ),
    (
        "no manifest",
        |fixture| {
            fixture.sandbox.remove("releases/edge.yaml");
        },
        &["promote", "edge", "stable"],
        1,
        "the release manifest `releases/edge.yaml` cannot be used",
    ),
    (
        "a damaged manifest",
        |fixture| {
            fixture.sandbox.replace("releases/edge.yaml", "channel: edge", "chanel: edge");
        },
        &["promote", "edge", "stable"],
        1,
        "unknown key `chanel`",
    ),
    (
        "a profile that cannot be pinned",
        |fixture| {
            let text = fixture.sandbox.read("compose/stage.yaml");
            let (before, after) = text.split_once("web:1.1@sha256:").unwrap();
            let (first, rest) = after.split_at(32);
            fixture.sandbox.write("compose/stage.yaml", format!("{before}web:1.1@sha256:${{HALF:-{first}}}{rest}"));
        },
        &["promote", "edge", "stable"],
        1,
        "cannot write `web` for profile `stage`",
    ),
    (
        "a promotion into a profile that does not render",
        |fixture| broken(fixture, "stage"),
        &["promote", "edge", "stable"],
        1,
        "profile `stage` does not render",
    ),
    (
        "the way back of a profile that does not render",
        |fixture| {
            fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
            fixture.run(&["promote", "edge", "stable"], 0);
            broken(fixture, "stage");
        },
        &["rollback", "stable/stage", "--reason", "x"],
        1,
        "profile `stage` does not render",
    ),
    (
        "an advance into a profile that does not render",
        |fixture| {
            fixture.run(&["promote", "edge", "stable"], 0);
            fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
            broken(fixture, "prod");
        },
        &["advance", "stable", "prod"],
        1,
        "profile `prod` does not render",
    ),
    (
        "a new release for a profile that does not render",
        |fixture| broken(fixture, "dev"),
        &["release", "new", "1.2.0-edge", "--channel", "edge"],
        1,
        "profile `dev` does not render",
    ),
    (
        "a component that the other release lacks",
        |fixture| {
            fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
            let extra = "\n  late:\n    image: registry.example.org/late\n    tag: \"1.1\"\n    digest: sha256:";
            let digest = "5".repeat(64);
            let edge = fixture.sandbox.read("releases/edge.yaml");
            fixture.sandbox.write("releases/edge.yaml", format!("{}{extra}{digest}\n", edge.trim_end()));
            let service = format!("  late: {{image: \"registry.example.org/late:1.1@sha256:{digest}\"}}\n");
            let dev = fixture.sandbox.read("compose/dev.yaml");
            fixture.sandbox.write("compose/dev.yaml", format!("{dev}{service}"));
            fixture.run(&["promote", "edge", "stable"], 0);
            let stage = fixture.sandbox.read("compose/stage.yaml");
            fixture.sandbox.write("compose/stage.yaml", format!("{stage}{service}"));
        },
        &["rollback", "stable", "--reason", "x"],
        1,
        "this would cause 1 new error",
    ),
    (
        "nothing is good",
        nothing,
        &["rollback", "stable", "--reason", "x"],
        1,
        "no release is known good that `stable` could go back to",
    ),
    (
        "only the present one is good",
        |fixture| {
            fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
        },
        &["rollback", "stable", "--reason", "x"],
        1,
        "only `1.0.0` is, which it holds now",
    ),
    (
        "the good one is lost",
        |fixture| {
            fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
            fixture.run(&["promote", "edge", "stable"], 0);
            // Prod ran it; it goes on without.
            fixture.sandbox.replace("collimate.yaml", "{name: prod, release: releases/archive/1.0.0.yaml}", "prod");
            fixture.sandbox.remove("releases/archive/1.0.0.yaml");
        },
        &["rollback", "stable/stage", "--reason", "x"],
        1,
        "release `1.0.0` is not in the archive",
    ),
    (
        "to what is not archived",
        nothing,
        &["rollback", "stable", "--to", "0.9", "--reason", "x"],
        2,
        "the archive holds none",
    ),
    (
        "to another channel's release",
        |fixture| {
            fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0);
        },
        &["rollback", "stable", "--to", "1.1.0-edge", "--reason", "x"],
        2,
        "there is no release of `stable` in `releases/archive` called `1.1.0-edge`",
    ),
    ("no reason", nothing, &["rollback", "stable"], 2, "--reason <TEXT>"),
    (
        "an empty reason",
        nothing,
        &["hold", "set", "stable", "--reason", " "],
        2,
        "`reason` must be one line of 1 to 2000 bytes without control characters",
    ),
    (
        "a reason of two lines",
        nothing,
        &["hold", "set", "stable", "--reason", "a\nb"],
        2,
        "this cannot be recorded in the ledger",
    ),
    ("a hold on a ring", nothing, &["hold", "set", "stable/prod", "--reason", "x"], 2, "name the channel: `stable`"),
    (
        "a nameless author",
        nothing,
        &["hold", "set", "stable", "--reason", "x", "--by", ""],
        2,
        "nobody is named who does this",
    ),
    ("no evidence", nothing, &["mark-good", "stable"], 2, "--evidence <FILE>..."),
    (
        "evidence that is not there",
        nothing,
        &["mark-good", "stable", "--evidence", "none.json"],
        3,
        "cannot read `none.json`",
    ),
    ("a folder as evidence", nothing, &["mark-good", "stable", "--evidence", "releases"], 3, "cannot read `releases`"),
    (
        "a red report",
        |fixture| {
            fixture.sandbox.write("smoke.json", GREEN.replace("passed", "wrong"));
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        1,
        "its verdict is `wrong`",
    ),
    (
        "a report in which nothing was tried",
        |fixture| {
            fixture.sandbox.write("smoke.json", GREEN.replace("passed", "not-tried"));
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        1,
        "its verdict is `not-tried`",
    ),
    (
        "a report of later times",
        |fixture| {
            fixture.sandbox.write("smoke.json", GREEN.replace("\"schema\": 1", "\"schema\": 9"));
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        3,
        "it is a report with another schema than 1",
    ),
    (
        "a report about another release",
        |fixture| {
            fixture.sandbox.write("smoke.json", GREEN.replace("{}", "{\"release\": \"0.9.0\"}"));
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        1,
        "it looked at `0.9.0`; the manifest says `1.0.0`",
    ),
    (
        "manifests in two folders",
        |fixture| {
            fixture.sandbox.replace("collimate.yaml", "releases/edge.yaml", "other/edge.yaml");
        },
        &["history"],
        2,
        "the channels' manifests lie in several folders",
    ),
    (
        "a report that is cut off",
        |fixture| {
            fixture.sandbox.write("smoke.json", &GREEN[..GREEN.len() - 1]);
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        3,
        "it begins as JSON and is cut off",
    ),
    (
        "evidence of a probe that did not start",
        |fixture| {
            fixture.sandbox.write("smoke.json", "");
        },
        &["mark-good", "stable", "--evidence", "smoke.json"],
        3,
        "it is empty",
    ),
    ("an unset variable for a head", nothing, &["history", "--verify", "--head", ""], 2, "`--head ` is no hash"),
    ("a head that is too short", nothing, &["history", "--verify", "--head", "abcde"], 2, "at least the first 6"),
    ("no day", nothing, &["history", "--at", "yesterday"], 2, "`--at yesterday` is no day and no moment"),
    (
        "a ledger that is a file",
        |fixture| {
            fixture.sandbox.write("releases/history", "");
        },
        &["history"],
        3,
        "cannot read the ledger `releases/history`",
    ),
    (
        "a planted journal",
        |fixture| {
            let journal = r#"{"schema": 1, "command": "x", "by": "x", "at": "2026-01-01T00:00:00Z", "changes": [{"path": ".git/hooks/pre-commit", "old": null, "new": "x"}]}"#;
            fixture.sandbox.write("releases/.collimate-journal", journal);
        },
        &["history"],
        4,
        "it names `.git/hooks/pre-commit`, which no change of ours touches",
    ),
    (
        "a dry run after an interruption",
        |fixture| {
            fixture.sandbox.write("releases/.collimate-journal", "{}");
        },
        &["promote", "edge", "stable", "--dry-run"],
        1,
        "a change that was interrupted waits to be finished",
    ),
];

#[test]
fn every_bad_input_is_refused_with_its_words_and_changes_nothing() {
    for (name, prepare, arguments, exit, said) in CASES {
        let fixture = Fixture::new();
        prepare(&fixture);
        let before = fixture.snapshot();
        let output = fixture.program(arguments).output();
        assert_eq!(output.exit, *exit, "{name}: {output}");
        assert!(output.stderr.contains(said) || output.stdout.contains(said), "{name}: {output}");
        assert_eq!(fixture.snapshot(), before, "{name}");
    }
}

#[test]
fn without_a_name_nothing_is_recorded() {
    let fixture = Fixture::new();
    let refused = fixture.program(&["hold", "set", "edge", "--reason", "x"]).env("COLLIMATE_BY", "");
    refused
        .clone()
        .stderr(
            "error: nobody is named who does this\n\
             hint: name somebody with `--by NAME` or the variable COLLIMATE_BY: the ledger records it\n",
        )
        .exit(2)
        .run();
    refused.env("USER", "bob").any_stdout().run();
    assert!(fixture.sandbox.read(&fixture.entries()[0]).contains("\"by\": \"bob\""));
}

#[test]
fn a_folder_that_cannot_be_made_leaves_everything_as_it_was() {
    let fixture = Fixture::new();
    fixture.sandbox.write("releases/archive", "in the way");
    let before = fixture.snapshot();
    let output = fixture.run(&["promote", "edge", "stable"], 4);
    assert!(
        output
            .stderr
            .contains("`releases/archive/1.0.0.yaml`: a part of its path is no folder\nhint: nothing was changed"),
        "{output}"
    );
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn a_planted_journal_leads_nowhere_through_a_link() {
    let (fixture, outside) = (Fixture::new(), testkit::Sandbox::new());
    std::os::unix::fs::symlink(outside.root(), fixture.sandbox.path("releases/out")).unwrap();
    let journal = r#"{"schema": 1, "command": "x", "by": "x", "at": "2026-01-01T00:00:00Z", "changes": [{"path": "releases/out/new", "old": null, "new": "x"}]}"#;
    fixture.sandbox.write("releases/.collimate-journal", journal);
    let output = fixture.run(&["history"], 4);
    assert!(output.stderr.contains("`releases/out/new` leads out of the workspace"), "{output}");
    assert!(outside.files().is_empty());
}
