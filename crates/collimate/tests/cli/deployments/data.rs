//! Steps that change data, on the way forward and back.

use super::{gate, newest};
use crate::rollout::fixture::Fixture;

const BACK: [&str; 4] = ["rollback", "stable", "--reason", "it broke"];

/// Adds steps to a manifest, after those that it has.
fn add(fixture: &Fixture, manifest: &str, steps: &str) {
    let text = fixture.sandbox.read(manifest);
    let text = match text.split_once("components:") {
        Some((head, rest)) if head.contains("migrations:") => format!("{head}{steps}components:{rest}"),
        Some((head, rest)) => format!("{head}migrations:\n{steps}components:{rest}"),
        None => panic!("{text}"),
    };
    fixture.sandbox.write(manifest, text);
}

const INDEX: &str = "  - {id: 0001-index, reversible: true, down: drop the index}\n";
const QUEUE: &str = "  - {id: 0002-queue, reversible: true, down: \"stop the worker\\nremove the queue\"}\n";
const SPLIT: &str =
    "  - {id: 0003-split, reversible: false, backup: \"pg_dump before it; pg_restore password=hunter22\"}\n";

/// Stable went from 1.0.0 to 1.1.0, which has these steps.
fn promoted(steps: &str) -> (Fixture, testkit::Output) {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    add(&fixture, "releases/edge.yaml", steps);
    let promoted = fixture.run(&["promote", "edge", "stable"], 0);
    (fixture, promoted)
}

#[test]
fn a_promotion_carries_the_steps_and_warns_of_one_way_ones() {
    let (fixture, promoted) = promoted(&[INDEX, SPLIT].concat());
    assert!(
        promoted.stderr.contains("warning: `1.1.0` takes the data through `0003-split`, which cannot be taken back; before it is deployed:\n    pg_dump before it; "),
        "{promoted}"
    );
    assert!(!promoted.stderr.contains("0001-index") && !promoted.stderr.contains("hunter22"), "{promoted}");
    let stable = fixture.sandbox.read("releases/stable.yaml");
    assert!(
        stable.contains("migrations:\n  - id: 0001-index\n    reversible: true\n    down: \"drop the index\"\n"),
        "{stable}"
    );
    fixture.is_sound();
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    let advanced = fixture.run(&["advance", "stable", "prod", "--dry-run"], 0);
    assert!(advanced.stderr.contains("warning: `1.1.0` takes the data through `0003-split`"), "{advanced}");
}

#[test]
fn steps_that_can_be_taken_back_are_told_newest_first() {
    let (fixture, promoted) = promoted(&[INDEX, QUEUE].concat());
    assert!(!promoted.stderr.contains("warning"), "{promoted}");
    let back = fixture.run(&BACK, 0);
    let told = "data: `1.0.0` does not know 2 steps; in this order:\n  take back `0002-queue`:\n    stop the worker\n    \
                remove the queue\n  take back `0001-index`:\n    drop the index\n";
    assert!(back.stdout.contains(told), "{back}");
    let rollback = newest(&fixture, "rollback");
    assert_eq!(gate(&rollback, "data"), "to take back: 0002-queue, 0001-index");
    assert!(rollback.get("data_loss").is_none(), "{rollback:#}");
    fixture.is_sound();
}

#[test]
fn nobody_goes_back_across_a_one_way_step_unseen() {
    let (fixture, _) = promoted(&[INDEX, SPLIT].concat());
    let before = fixture.snapshot();
    for more in [&[][..], &["--dry-run"], &["--keep-config"]] {
        let refused = fixture.run(&[&BACK[..], more].concat(), 1);
        assert!(
            refused.stdout.contains("  ONE-WAY `0003-split`, restore what was saved before it:\n    pg_dump"),
            "{refused}"
        );
        assert!(!refused.to_string().contains("hunter22"), "{refused}");
        assert!(
            refused
                .stderr
                .starts_with("error: going back to `1.0.0` crosses what cannot be taken back: `0003-split`\n"),
            "{refused}"
        );
        assert!(
            refused.stderr.contains("go forward instead: `collimate release new VERSION --from stable`"),
            "{refused}"
        );
        assert!(refused.stderr.contains("`--accept-data-loss REASON`"), "{refused}");
        assert_eq!(fixture.snapshot(), before);
    }
    fixture.run(&[&BACK[..], &["--accept-data-loss", "restored the dump of Monday"]].concat(), 0);
    let rollback = newest(&fixture, "rollback");
    assert_eq!(rollback["data_loss"], "restored the dump of Monday");
    assert_eq!(gate(&rollback, "data"), "to take back: 0001-index; lost: 0003-split");
    assert_eq!(fixture.version_in("stage"), "1.0.0");
    fixture.is_sound();
}

#[test]
fn steps_of_releases_in_between_count() {
    let (fixture, _) = promoted(SPLIT);
    // The next one forgot what the data went through; the release in between has not.
    fixture.sandbox.replace("releases/edge.yaml", &format!("migrations:\n{SPLIT}"), "");
    fixture.sandbox.replace("releases/edge.yaml", "version: 1.1.0-edge", "version: 1.2.0-edge");
    fixture.run(&["pin", "edge"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    let refused = fixture.run(&["rollback", "stable/stage", "--reason", "x"], 1);
    assert!(refused.stderr.contains("crosses what cannot be taken back: `0003-split`"), "{refused}");
    // Where its manifest is lost, that is said: nobody can say that there was nothing.
    fixture.sandbox.remove("releases/archive/1.1.0.yaml");
    let back = fixture.run(&["rollback", "stable/stage", "--reason", "x", "--dry-run"], 0);
    assert!(back.stdout.contains("data: not known whether `1.1.0` changed it: not in the archive\n"), "{back}");
}

#[test]
fn data_is_not_said_to_be_lost_where_nothing_is() {
    let (fixture, _) = promoted(INDEX);
    fixture.run(&[&BACK[..], &["--accept-data-loss", "to be sure"]].concat(), 0);
    assert!(newest(&fixture, "rollback").get("data_loss").is_none());
    fixture.run(&["hold", "lift", "stable"], 0);
    // Forward again: the steps lie ahead, and the same release comes again.
    let (fixture, _) = promoted(SPLIT);
    fixture.run(&[&BACK[..], &["--accept-data-loss", "lost"]].concat(), 0);
    let forward = fixture.run(&["rollback", "stable", "--to", "1.1.0", "--reason", "forward"], 0);
    assert!(forward.stderr.contains("warning: `1.1.0` takes the data through `0003-split`"), "{forward}");
}

#[test]
fn a_release_made_from_another_one_carries_its_steps() {
    let (fixture, _) = promoted(&[INDEX, SPLIT].concat());
    fixture.run(&["release", "new", "1.1.1", "--from", "stable"], 0);
    let made = fixture.sandbox.read("releases/1.1.1.yaml");
    assert!(made.contains("  - id: 0001-index\n") && made.contains("  - id: 0003-split\n"), "{made}");
    let without = made.replace("  - id: 0003-split\n", "  - id: 0004-other\n");
    fixture.sandbox.write("releases/1.1.1.yaml", without);
    let diff = fixture.run(&["release", "diff", "stable", "releases/1.1.1.yaml"], 0).stdout;
    assert!(diff.contains("0001-index, 0003-split (one-way)"), "{diff}");
}
