//! In an emergency consent comes later, and until then nothing else moves.

use super::world::{PEOPLE, TRUST, World, trust};

const FROZEN: &str = "{approvals: [{role: lead}], freezes: [{from: 2000-01-01, until: 2999-12-31, reason: year end}]}";

fn moved() -> World {
    let world = World::new(FROZEN);
    world.refuses(&[], 1, "nothing moves until 2999-12-31: year end");
    let done = world.run(&["promote", "edge", "stable", "--break-glass", "CVE-2026-1"], 0);
    assert!(done.stdout.contains(" DUE, 0 of 1\n"), "{done}");
    world
}

fn owing(world: &World) -> String {
    let list = world.run(&["history", "stable"], 0).stdout;
    let line = list.lines().find(|line| line.contains("promotion")).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn what_is_due_stops_the_next_move_until_somebody_approved() {
    let world = moved();
    let entry = owing(&world);
    world.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    let stopped = world.run(&["advance", "stable", "prod", "--break-glass", "CVE-2026-1"], 1);
    assert!(
        stopped
            .stderr
            .contains(&format!("approvals are due for what was moved in an emergency: 1 of `lead` for `{entry}`")),
        "{stopped}"
    );
    assert!(stopped.stderr.contains(&format!("collimate approve --for {entry} --key KEY")), "{stopped}");
    let told = format!("approvals are due for what was moved in an emergency: 1 of `lead` for `{entry}`");
    let listed = world.run(&["history"], 0);
    assert!(listed.stderr.contains(&format!("warning: {told}\n")), "{listed}");
    let checked = world.run(&["check"], 0);
    assert!(format!("{checked}").contains(&told), "{checked}");
    assert!(!format!("{}", world.run(&["check", "edge"], 0)).contains(&told));
    let own = world.run(&["approve", "--for", &entry, "--key", "alice.key"], 1);
    assert!(own.stderr.contains("who moves a release does not approve it"), "{own}");
    let role = world.run(&["approve", "--for", &entry, "--key", "carol.key"], 1);
    assert!(role.stderr.contains("asked for: lead; the key may be: security"), "{role}");
    let given = world.run(&["approve", "--for", &entry, "--key", "bob.key"], 0);
    assert!(given.stdout.starts_with("approved as `lead` by `bob`: promotion of `1.1.0` by alice at "), "{given}");
    let again = world.run(&["approve", "--for", &entry, "--key", "bob.key"], 0);
    assert!(again.stdout.starts_with("nothing is due any more for "), "{again}");
    let list = world.run(&["history", "stable"], 0);
    assert_eq!(list.stderr, "");
    assert!(list.stdout.contains(&format!("of {entry}: bob as lead")), "{list}");
    let done = world.run(&["advance", "stable", "prod", "--break-glass", "CVE-2026-1"], 0);
    assert!(done.stdout.contains("gate approvals-due "), "{done}");
    world.fixture.is_sound();
}

#[test]
fn an_approval_that_came_later_is_judged_again() {
    let world = moved();
    let entry = owing(&world);
    world.run(&["approve", "--for", &entry, "--key", "bob.key"], 0);
    world.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    let refused = |people: &[super::world::Person<'_>]| {
        world.fixture.sandbox.write(TRUST, trust(people));
        let output = world.run(&["advance", "stable", "prod", "--dry-run"], 1);
        assert!(output.stderr.contains(&format!("1 of `lead` for `{entry}`")), "{output}");
    };
    refused(&[PEOPLE[0]]);
    refused(&[PEOPLE[0], ("bob", 2, "[security]", "")]);
    // Revoked after it was given: nobody can tell who gave it.
    refused(&[PEOPLE[0], ("bob", 2, "[lead]", ", revoked: 2998-01-01")]);
}

#[test]
fn without_a_freeze_there_is_no_glass_to_break() {
    let world = World::new("{approvals: [{role: lead}]}");
    let refused = world.run(&["promote", "edge", "stable", "--break-glass", "now"], 1);
    assert!(refused.stderr.contains("1 approval by `lead` missing"), "{refused}");
}
