//! What `history` shows and what it finds, on disk.

use super::fixture::Fixture;

/// A ledger of four entries.
fn recorded() -> Fixture {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.run(&["hold", "set", "stable", "--reason", "a freeze"], 0);
    fixture.run(&["hold", "lift", "stable"], 0);
    fixture
}

fn json(fixture: &Fixture, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&fixture.run(arguments, 0).stdout).unwrap()
}

#[test]
fn entries_are_shown_oldest_first_with_who_and_what() {
    let fixture = recorded();
    let shown = fixture.run(&["history"], 0).stdout;
    let kinds: Vec<&str> = shown.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(kinds, ["mark-good", "promotion", "hold", "hold-lift"]);
    assert!(shown.lines().all(|line| line.contains("by alice")), "{shown}");
    assert!(shown.contains("1.0.0 → 1.1.0 (edge 1.1.0-edge)"), "{shown}");
    let only = fixture.run(&["history", "stable/prod"], 0).stdout;
    assert!(!only.contains("promotion") && only.contains("a freeze"), "{only}");

    let value = json(&fixture, &["history", "--format", "json"]);
    assert_eq!((value["schema"].as_u64(), value["entries"].as_array().map(Vec::len)), (Some(1), Some(4)));
    assert_eq!(value["entries"][1]["gates"][0]["gate"], "source-green");
    assert_eq!(value["heads"][0], value["entries"][3]["hash"]);
}

#[test]
fn a_head_noted_elsewhere_tells_complete_from_consistent() {
    let fixture = recorded();
    let verified = fixture.run(&["history", "--verify"], 0);
    assert!(verified.stdout.ends_with("\nconsistent: 4 entries\n"), "{verified}");
    assert!(verified.stderr.starts_with("note: whether the newest entries were removed"), "{verified}");
    let head = verified.stdout.lines().next().unwrap().strip_prefix("head ").unwrap().to_owned();
    let complete = fixture.run(&["history", "--verify", "--head", &head], 0);
    assert!(complete.stdout.ends_with("complete: 4 entries\n"), "{complete}");
    fixture.run(&["hold", "set", "edge", "--reason", "later"], 0);
    let newer = fixture.run(&["history", "--verify", "--head", &head], 0);
    assert!(newer.stdout.contains("complete up to the head that you named: 5 entries, 1 of them newer\n"), "{newer}");
    // The newest one is removed, and the one that was noted: what is left hangs together.
    let entries = json(&fixture, &["history", "--format", "json"]);
    for index in [4, 3] {
        fixture.sandbox.remove(format!("releases/history/{}", entries["entries"][index]["file"].as_str().unwrap()));
    }
    fixture.run(&["history", "--verify"], 0);
    let missing = fixture.run(&["history", "--verify", "--head", &head], 1);
    assert!(missing.stdout.contains(&format!("no entry has the hash `{head}`: entries were removed")), "{missing}");
    let value = serde_json::from_str::<serde_json::Value>(
        &fixture.run(&["history", "--verify", "--head", &head, "--format", "json"], 1).stdout,
    );
    assert_eq!(value.unwrap()["consistent"], false);
}

#[test]
fn a_ledger_that_was_touched_is_not_built_upon() {
    let fixture = recorded();
    let entries = fixture.entries();
    let text = fixture.sandbox.read(&entries[0]);
    fixture.sandbox.write(&entries[0], text.replace("alice", "mallory"));
    let verified = fixture.run(&["history", "--verify"], 1);
    assert!(verified.stdout.contains("it was changed: its hash starts with"), "{verified}");
    assert!(verified.stdout.ends_with("NOT consistent: 3 entries, 1 fault\n"), "{verified}");
    assert!(fixture.run(&["history"], 1).stderr.contains("the ledger is not what was written"));
    let before = fixture.snapshot();
    for arguments in [
        &["promote", "edge", "stable"][..],
        &["rollback", "stable", "--reason", "x"],
        &["mark-good", "edge", "--evidence", "smoke.json"],
        &["hold", "set", "edge", "--reason", "x"],
        &["hold", "list"],
    ] {
        let refused = fixture.run(arguments, 5);
        assert!(refused.stderr.contains("is not what was written"), "{refused}");
    }
    assert_eq!(fixture.snapshot(), before);
    // Of many faults a few are told there, and all where one looks for them.
    for number in 0..9 {
        fixture.sandbox.write(format!("releases/history/2026-01-0{number}.json"), "{}");
    }
    let refused = fixture.run(&["promote", "edge", "stable"], 5);
    assert_eq!(refused.stderr.matches("caused by: ").count(), 5, "{refused}");
    let verified = fixture.run(&["history", "--verify"], 1);
    assert!(verified.stdout.ends_with("10 faults\n"), "{verified}");
    for number in 0..9 {
        fixture.sandbox.remove(format!("releases/history/2026-01-0{number}.json"));
    }
    fixture.sandbox.write(&entries[0], text);
    // Not the last one: names of one second are in the order of their hashes, and nobody follows the last.
    let first = json(&fixture, &["history", "--format", "json"])["entries"][0]["file"].as_str().unwrap().to_owned();
    fixture.sandbox.remove(format!("releases/history/{first}"));
    let verified = fixture.run(&["history", "--verify"], 1);
    assert!(verified.stdout.contains("is missing"), "{verified}");
}

#[test]
fn two_heads_after_a_merge_are_shown_and_joined() {
    let ours = recorded();
    let theirs = ours.copy();
    ours.run(&["hold", "set", "stable", "--reason", "ours"], 0);
    theirs.run(&["hold", "set", "stable", "--reason", "theirs"], 0);
    for path in theirs.entries() {
        ours.sandbox.write(&path, theirs.sandbox.read(&path));
    }
    let shown = ours.run(&["history"], 0);
    assert!(shown.stdout.ends_with("2 heads: branches were merged; the next entry joins them\n"), "{shown}");
    assert_eq!(ours.run(&["hold", "list"], 0).stdout.lines().count(), 2);
    ours.run(&["hold", "lift", "stable"], 0);
    ours.program(&["hold", "list"]).stdout("nothing is held\n").run();
    assert_eq!(json(&ours, &["history", "--format", "json"])["heads"].as_array().map(Vec::len), Some(1));
    ours.is_sound();
}

#[test]
fn an_auditor_asks_for_a_day() {
    let fixture = recorded();
    fixture
        .program(&["history", "--at", "2020-03-03"])
        .stdout(
            "held at 2020-03-03T23:59:59Z; not known to have run\n\
             edge          not known: nothing is recorded about it\n\
             stable/stage  1.0.0                                    [ID]  from before the first entry  not marked good\n\
             stable/prod   not known: nothing is recorded about it\n",
        )
        .replace(identity(&fixture), "[ID]")
        .run();
    let now = json(&fixture, &["history", "stable", "--at", "2999-01-01T00:00:00Z", "--format", "json"]);
    assert_eq!(now["places"][0]["release"]["version"], "1.1.0");
    assert_eq!(now["places"][0]["brought_by"]["by"], "alice");
    assert!(now["places"][0]["good_by"].is_null());
    assert_eq!(now["places"][1]["release"]["version"], "1.0.0");
    assert_eq!(now["places"][1]["good_by"]["evidence"][0]["verdict"], "passed");
}

/// The short identity of release 1.0.0.
fn identity(fixture: &Fixture) -> String {
    let value = json(fixture, &["history", "--format", "json"]);
    value["entries"][0]["to"]["sha256"].as_str().unwrap()[..12].to_owned()
}
