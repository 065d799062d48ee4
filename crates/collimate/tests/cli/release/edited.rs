//! What `release set` changes, and what it leaves alone.

use super::made::digest;
use crate::rollout::fixture::{Fixture, manifest, profile, release};

#[test]
fn only_tags_and_digests_change_and_pin_carries_them_on() {
    let fixture = Fixture::new();
    fixture.sandbox.replace("releases/edge.yaml", "  web:\n", "  web: # the front\n");
    let before = fixture.sandbox.read("releases/edge.yaml");
    let web = format!("web=1.3@{}", digest("web", 3));
    let set = fixture.run(&["release", "set", &web], 0);
    assert_eq!(set.stdout, "changed  web  1.2 → 1.3\nwrote `releases/edge.yaml`\nnext: `collimate pin edge`\n");
    let expected = before.replace("tag: \"1.2\"", "tag: \"1.3\"").replace(&digest("web", 2), &digest("web", 3));
    assert_eq!(fixture.sandbox.read("releases/edge.yaml"), expected);
    fixture.run(&["pin", "edge"], 0);
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), profile("edge", &release("1.1.0-edge", [3, 1]), 0));
    fixture.is_sound();
    fixture.program(&["release", "set", &web]).stdout("`releases/edge.yaml` says so already; nothing to do\n").run();
}

#[test]
fn every_spelling_of_a_reference_is_read() {
    let (web, worker) = (digest("web", 3), digest("worker", 1));
    for arguments in [
        vec![format!("web=1.3@{web}")],
        vec![format!("web=registry.example.org/web:1.3@{web}"), format!("worker=@{worker}")],
        vec![format!("worker=registry.example.org/worker@{worker}"), format!("web=1.3@{web}")],
    ] {
        let fixture = Fixture::new();
        let arguments: Vec<&str> =
            ["release", "set", "--release", "edge"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        fixture.run(&arguments, 0);
        assert_eq!(fixture.sandbox.read("releases/edge.yaml"), manifest("edge", &release("1.1.0-edge", [3, 1])));
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let fixture = Fixture::new();
    let before = fixture.snapshot();
    let shown = fixture.run(&["release", "set", &format!("web=1.3@{}", digest("web", 3)), "--dry-run"], 0);
    assert!(shown.stdout.contains("-    tag: \"1.2\"\n-    digest: "), "{shown}");
    assert!(shown.stdout.contains("+    tag: \"1.3\"\n+    digest: "), "{shown}");
    assert_eq!(fixture.snapshot(), before);
}

/// A preparation after which a release never changes any more, the release, and why.
type Settled = (fn(&Fixture), &'static str, &'static str);

#[test]
fn what_was_archived_promoted_or_marked_good_never_changes() {
    let cases: [Settled; 4] = [
        (
            |fixture| drop(fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0)),
            "edge",
            "it is in the archive: `releases/archive/1.1.0-edge.yaml`",
        ),
        (|fixture| drop(fixture.run(&["promote", "edge", "stable"], 0)), "edge", "the ledger has it since "),
        (
            |fixture| drop(fixture.run(&["promote", "edge", "stable"], 0)),
            "stable",
            "it is in the archive: `releases/archive/1.1.0.yaml`",
        ),
        (
            |fixture| {
                let origin =
                    format!("promoted_from: {{version: 1.1.0-edge, sha256: \"{}\"}}\ndigests:", "0".repeat(64));
                fixture.sandbox.replace("releases/stable.yaml", "digests:", &origin);
            },
            "stable",
            "it was promoted from `1.1.0-edge`",
        ),
    ];
    for (prepare, name, why) in cases {
        let fixture = Fixture::new();
        prepare(&fixture);
        let before = fixture.snapshot();
        let refused = fixture.run(&["release", "set", "--release", name, &format!("web=1.9@{}", digest("web", 9))], 1);
        assert!(refused.stderr.contains(" never changes any more\n") && refused.stderr.contains(why), "{refused}");
        assert!(
            refused
                .stderr
                .contains(&format!("hint: make the next one: `collimate release new VERSION --from {name}`\n")),
            "{refused}"
        );
        assert_eq!(fixture.snapshot(), before);
    }
}
