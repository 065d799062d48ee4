//! What promotions and rollbacks write.

use super::fixture::{Fixture, profile, release};

#[test]
fn a_promotion_moves_the_first_ring_and_a_rollback_brings_it_back() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    let before = fixture.snapshot();
    let promoted = fixture.run(&["promote", "edge", "stable"], 0);
    assert!(
        promoted.stdout.starts_with(
            "`stable/stage`: `1.0.0` → `1.1.0` (`1.1.0-edge` of `edge`)\n\
             gate source-green      passed\ngate resolved-digests  passed\n\
             gate hotfixes          passed\ngate hold              passed\n"
        ),
        "{promoted}"
    );
    let new = release("1.1.0", [2, 1]);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &new, 0));
    assert_eq!(fixture.sandbox.read("compose/prod.yaml"), before["compose/prod.yaml".as_ref() as &camino::Utf8Path]);
    assert!(
        fixture
            .sandbox
            .read("collimate.yaml")
            .contains("rings: [stage, {name: prod, release: releases/archive/1.0.0.yaml}] # stage first\n")
    );
    assert_eq!(
        fixture.sandbox.read("releases/archive/1.0.0.yaml"),
        before[camino::Utf8Path::new("releases/stable.yaml")]
    );
    assert_eq!(fixture.sandbox.read("releases/archive/1.1.0.yaml"), fixture.sandbox.read("releases/stable.yaml"));
    fixture.is_sound();

    let back = fixture.run(&["rollback", "stable", "--reason", "it broke"], 0);
    assert!(back.stdout.contains("`stable`: `1.1.0` → `1.0.0`, known good since "), "{back}");
    assert!(back.stdout.contains("smoke.json: otel passed"), "{back}");
    for path in ["compose/stage.yaml", "compose/prod.yaml", "compose/dev.yaml", "releases/stable.yaml"] {
        assert_eq!(fixture.sandbox.read(path), before[camino::Utf8Path::new(path)], "{path}");
    }
    fixture.is_sound();
    let again = fixture.run(&["rollback", "stable", "--reason", "it broke"], 0);
    assert!(again.stdout.contains("went back to `1.0.0` already"), "{again}");
    assert_eq!(fixture.entries().len(), 4, "mark-good, promotion, rollback, hold");
}

#[test]
fn what_was_edited_by_hand_since_stays() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.write("compose/stage.yaml", profile("stable", &release("1.1.0", [2, 1]), 512));
    fixture.run(&["rollback", "stable/stage", "--reason", "slow", "--keep-config"], 0);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.0.0", [1, 1]), 512));
    fixture.is_sound();
}

#[test]
fn the_last_known_good_is_not_merely_the_previous_one() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.replace("releases/edge.yaml", "version: 1.1.0-edge", "version: 1.2.0-edge");
    fixture.run(&["pin", "edge"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    assert_eq!(fixture.version_in("stage"), "1.2.0");
    fixture.run(&["rollback", "stable/stage", "--reason", "both broke"], 0);
    assert_eq!(fixture.version_in("stage"), "1.0.0");
    // Named, the one in between can be had; it is said that nobody knows it to be good.
    let named = fixture.run(&["rollback", "stable/stage", "--to", "1.1.0", "--reason", "asked for"], 0);
    assert!(named.stdout.contains("`1.0.0` → `1.1.0`, NOT known to be good"), "{named}");
    fixture.is_sound();
}

#[test]
fn what_was_named_and_is_not_known_good_is_not_taken_for_gone_back() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.run(&["rollback", "stable/prod", "--to", "1.1.0", "--reason", "forward"], 0);
    let refused = fixture.run(&["rollback", "stable/prod", "--reason", "bad"], 1);
    assert!(refused.stderr.contains("no release is known good that `stable/prod` could go back to"), "{refused}");
}

#[test]
fn a_ring_goes_back_alone() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    fixture.run(&["advance", "stable", "prod"], 0);
    assert_eq!((fixture.version_in("stage"), fixture.version_in("prod")), ("1.1.0".to_owned(), "1.1.0".to_owned()));
    fixture.run(&["rollback", "stable/prod", "--reason", "only there"], 0);
    assert_eq!((fixture.version_in("stage"), fixture.version_in("prod")), ("1.1.0".to_owned(), "1.0.0".to_owned()));
    fixture.is_sound();
    let held = fixture.run(&["history", "--at", "2999-01-01"], 0);
    assert!(held.stdout.contains("stable/stage  1.1.0"), "{held}");
    assert!(held.stdout.contains("stable/prod   1.0.0"), "{held}");
}

#[test]
fn a_rollback_of_the_first_ring_leaves_the_ones_that_follow() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.replace("collimate.yaml", "{name: prod, release: releases/archive/1.0.0.yaml}", "prod");
    fixture.run(&["pin", "stable"], 0);
    fixture.run(&["rollback", "stable/stage", "--reason", "only there"], 0);
    assert_eq!((fixture.version_in("stage"), fixture.version_in("prod")), ("1.0.0".to_owned(), "1.1.0".to_owned()));
    assert!(fixture.sandbox.read("collimate.yaml").contains("{name: prod, release: releases/archive/1.1.0.yaml}"));
    fixture.is_sound();
}

#[test]
fn a_hold_stops_promotions_until_it_is_lifted_and_the_same_release_may_come_again() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    let first = fixture.sandbox.read("releases/stable.yaml");
    fixture.run(&["rollback", "stable", "--reason", "it broke"], 0);
    let refused = fixture.run(&["promote", "edge", "stable"], 1);
    assert!(refused.stderr.contains("`stable` is held: it broke (by alice since "), "{refused}");
    assert!(fixture.run(&["hold", "list"], 0).stdout.starts_with("stable  it broke (by alice"));
    fixture.run(&["hold", "lift", "stable", "--reason", "mended"], 0);
    fixture.program(&["hold", "list"]).stdout("nothing is held\n").run();
    fixture.program(&["hold", "lift", "stable"]).stdout("`stable` is not held; nothing to do\n").run();
    fixture.run(&["promote", "edge", "stable"], 0);
    assert_eq!(fixture.sandbox.read("releases/stable.yaml"), first, "one version is one release, its date included");
    fixture.is_sound();
    let again = fixture.run(&["promote", "edge", "stable"], 0);
    assert_eq!(again.stdout, "`stable` has release `1.1.0-edge` of `edge` already, as `1.1.0`; nothing to do\n");
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    let before = fixture.snapshot();
    let plan = fixture.run(&["promote", "edge", "stable", "--dry-run"], 0);
    for expected in [
        "+++ b/collimate.yaml\n",
        "+++ b/compose/stage.yaml\n",
        "-      org.example.release.version: \"1.0.0\"\n",
        "+      org.example.release.version: \"1.1.0\"\n",
        "+++ b/releases/archive/1.1.0.yaml\n",
        "+promoted_from:\n",
    ] {
        assert!(plan.stdout.contains(expected), "{expected}\n{plan}");
    }
    assert_eq!(fixture.snapshot(), before);
    fixture.run(&["promote", "edge", "stable"], 0);
    let before = fixture.snapshot();
    let plan = fixture.run(&["rollback", "stable", "--reason", "x", "--dry-run"], 0);
    assert!(plan.stdout.contains("+      org.example.release.version: \"1.0.0\"\n"), "{plan}");
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn marking_good_twice_is_once_and_more_evidence_is_more() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0);
    assert_eq!(fixture.sandbox.read("releases/archive/1.1.0-edge.yaml"), fixture.sandbox.read("releases/edge.yaml"));
    fixture
        .program(&["mark-good", "edge", "--evidence", "smoke.json"])
        .stdout("`edge`: release `1.1.0-edge` is marked good already, with this evidence\n")
        .run();
    fixture.sandbox.write("log.txt", "all fine\n");
    fixture.run(&["mark-good", "edge", "--evidence", "smoke.json", "log.txt"], 0);
    assert_eq!(fixture.entries().len(), 2);
    let shown = fixture.run(&["history", "edge"], 0);
    assert!(shown.stdout.contains("1.1.0-edge (smoke.json: otel passed, log.txt)"), "{shown}");
    fixture.is_sound();
}

#[test]
fn a_hotfix_is_not_lost_unseen() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    // Somebody mends stable by hand: a new worker, a version of its own.
    let mended = release("1.1.1", [2, 7]);
    let origin = fixture.sandbox.read("releases/stable.yaml");
    let origin = origin.split_once("promoted_from:").unwrap().1.split_once("digests:").unwrap().0.to_owned();
    let text = super::fixture::manifest("stable", &mended);
    fixture.sandbox.write("releases/stable.yaml", text.replace("digests:", &format!("promoted_from:{origin}digests:")));
    fixture.run(&["pin", "stable"], 0);
    let again = fixture.run(&["promote", "edge", "stable"], 0);
    assert!(again.stdout.contains("already, as `1.1.1`; nothing to do"), "{again}");

    let next = release("1.2.0-edge", [3, 1]);
    fixture.sandbox.write("releases/edge.yaml", super::fixture::manifest("edge", &next));
    fixture.run(&["pin", "edge"], 0);
    let refused = fixture.run(&["promote", "edge", "stable"], 1);
    assert!(refused.stderr.contains("`stable` got components by itself: worker"), "{refused}");
    fixture.run(&["promote", "edge", "stable", "--keep", "web"], 2);
    fixture.run(&["promote", "edge", "stable", "--keep", "worker"], 0);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.2.0", [3, 7]), 0));
    let shown = fixture.run(&["history", "--format", "json"], 0);
    assert!(shown.stdout.contains("\"result\": \"decided: kept worker\""), "{shown}");
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.is_sound();
}

/// Stable was promoted, and a hotfix of its worker waits beside the manifests.
fn with_hotfix() -> Fixture {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    let (old, new) = (super::fixture::manifest("stable", &release("1.1.0", [2, 1])), release("1.1.1", [2, 7]));
    let new = super::fixture::manifest("stable", &new);
    let part = |text: &str| text[text.find("  worker:").unwrap()..].to_owned();
    let stable = fixture.sandbox.read("releases/stable.yaml");
    assert!(stable.contains(&part(&old)), "{stable}");
    let hotfix = stable.replace(&part(&old), &part(&new)).replace("version: 1.1.0\n", "version: 1.1.1\n");
    fixture.sandbox.write("releases/1.1.1.yaml", hotfix);
    fixture
}

#[test]
fn a_hotfix_goes_through_the_same_gates_and_is_not_lost_by_the_next_release() {
    let fixture = with_hotfix();
    let hotfix = fixture.sandbox.read("releases/1.1.1.yaml");
    fixture.run(&["hold", "set", "stable", "--reason", "audit"], 0);
    let held = fixture.run(&["promote", "--release", "releases/1.1.1.yaml", "stable"], 1);
    assert!(held.stderr.contains("`stable` is held: audit"), "{held}");
    fixture.run(&["hold", "lift", "stable"], 0);
    let taken = fixture.run(&["promote", "--release", "releases/1.1.1.yaml", "stable"], 0);
    assert!(
        taken.stdout.starts_with("`stable/stage`: `1.1.0` → `1.1.1` (`1.1.1` of `releases/1.1.1.yaml`)\n"),
        "{taken}"
    );
    assert_eq!(fixture.sandbox.read("releases/stable.yaml"), hotfix, "byte for byte");
    assert_eq!(fixture.sandbox.read("releases/archive/1.1.1.yaml"), hotfix);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.1.1", [2, 7]), 0));
    fixture.is_sound();
    let again = fixture.run(&["promote", "--release", "releases/1.1.1.yaml", "stable"], 0);
    assert!(again.stdout.contains("already, as `1.1.1`; nothing to do"), "{again}");
    let same = fixture.run(&["promote", "edge", "stable"], 0);
    assert!(same.stdout.contains("already, as `1.1.1`; nothing to do"), "{same}");

    fixture.sandbox.write("releases/edge.yaml", super::fixture::manifest("edge", &release("1.2.0-edge", [3, 1])));
    fixture.run(&["pin", "edge"], 0);
    let refused = fixture.run(&["promote", "edge", "stable"], 1);
    assert!(refused.stderr.contains("`stable` got components by itself: worker"), "{refused}");
    fixture.run(&["promote", "edge", "stable", "--keep", "worker"], 0);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.2.0", [3, 7]), 0));

    // Another hotfix of the release before would lose what came since.
    let late = fixture.run(&["promote", "--release", "releases/1.1.1.yaml", "stable"], 0);
    assert!(late.stdout.contains("`1.2.0` → `1.1.1`"), "{late}");
}

#[test]
fn a_hotfix_that_is_none_of_the_channel_is_refused() {
    let fixture = with_hotfix();
    let refused = |arguments: &[&str], exit: i32, expected: &str| {
        let output = fixture.run(arguments, exit);
        assert!(output.stderr.contains(expected), "{expected}\n{output}");
    };
    let before = fixture.snapshot();
    refused(&["promote", "--release", "edge", "stable"], 2, "`edge` is a release of `edge`, not of `stable`");
    refused(&["promote", "--release", "releases/none.yaml", "stable"], 3, "cannot read `releases/none.yaml`");
    refused(
        &["promote", "--release", "releases/1.1.1.yaml", "edge", "stable"],
        2,
        "only the channel is named that takes it",
    );
    refused(&["promote", "--release", "releases/1.1.1.yaml", "--keep", "web", "stable"], 2, "cannot be used with");
    refused(&["promote", "stable"], 2, "two channels are needed");
    refused(&["promote", "--release", "releases/1.1.1.yaml", "stable/prod"], 2, "is a ring; a channel is meant here");
    fixture.sandbox.replace("releases/1.1.1.yaml", "version: 1.1.1\n", "version: 1.1.0\n");
    refused(
        &["promote", "--release", "releases/1.1.1.yaml", "stable"],
        2,
        "`stable` holds another release `1.1.0` now",
    );
    fixture.sandbox.replace("releases/1.1.1.yaml", "version: 1.1.0\n", "version: 1.1.1\n");
    assert_eq!(fixture.snapshot(), before);
}
