//! `history --verify`: who vouches for the ledger, and whose word is worth what.

use testkit::Output;

use super::world::{PEOPLE, Person, TRUST, World, trust};

/// Alice promoted and signed; bob approved; dave signed the manifest of the source.
fn vouched() -> World {
    let world = World::new("{approvals: [{role: lead}]}");
    world.plan();
    let bob = world.approve("bob");
    world.run(&["promote", "edge", "stable", "--approval", &bob, "--sign-with", "alice.key"], 0);
    world
}

fn verify(world: &World, people: &[Person<'_>], exit: i32) -> Output {
    world.fixture.sandbox.write("other.yaml", trust(people));
    world.run(&["history", "--verify", "--trust", "other.yaml"], exit)
}

#[test]
fn approvals_and_entries_are_judged_by_the_keys_that_are_named() {
    let world = vouched();
    let good = world.run(&["history", "--verify"], 0);
    assert!(good.stdout.starts_with("1 of 1 entry signed, 1 approval, 0 doubts\nhead "), "{good}");
    let says = |people: &[Person<'_>], expected: &str| {
        let output = verify(&world, people, 1);
        assert!(output.stdout.contains(expected), "{expected}\n{output}");
        assert!(output.stdout.contains("NOT consistent: 1 entry, "), "{output}");
    };
    says(&PEOPLE[..1], "the approval of `bob`: nobody called `bob` is trusted");
    says(&PEOPLE[1..], "its signature: a bit of it was changed, or a key made it that is not trusted");
    says(&[PEOPLE[0], ("bob", 2, "[security]", "")], "`bob` has not the role `lead`, but `security`");
    says(&[PEOPLE[0], ("bob", 2, "[lead]", ", revoked: 2020-01-01")], "the key of `bob` was revoked on 2020-01-01");
    says(
        &[PEOPLE[1], ("alice", 1, "[lead]", ", revoked: 2020-01-01")],
        "its signature: the key of `alice` was revoked on 2020-01-01",
    );
    says(&[PEOPLE[1], ("alice", 1, "[lead]", ", from: 2020-01-01, until: 2020-01-02")], "was trusted until 2020-01-02");
    let doubtful = verify(
        &world,
        &[("alice", 1, "[lead]", ", revoked: 2999-01-01"), ("bob", 2, "[lead]", ", revoked: 2999-01-01")],
        0,
    );
    assert!(
        doubtful.stdout.contains("the approval of `bob`: doubtful, since the key was revoked later, on 2999-01-01"),
        "{doubtful}"
    );
    assert!(doubtful.stdout.contains("1 of 1 entry signed, 1 approval, 2 doubts\n"), "{doubtful}");
}

#[test]
fn what_was_changed_shows() {
    let world = vouched();
    let entry = world.fixture.entries().pop().unwrap();
    let path = world.fixture.sandbox.path(format!("{entry}.sig"));
    let good = std::fs::read(&path).unwrap();
    let says = |bytes: &[u8], expected: &str| {
        std::fs::write(&path, bytes).unwrap();
        let output = world.run(&["history", "--verify"], 1);
        assert!(output.stdout.contains(expected), "{expected}\n{output}");
    };
    let mut flipped = good.clone();
    flipped[33] ^= 4;
    says(&flipped, "a bit of it was changed, or a key made it that is not trusted");
    says(&good[..63], "it has 63 bytes instead of 64");
    std::fs::remove_file(&path).unwrap();
    let unsigned = world.run(&["history", "--verify"], 0);
    assert!(unsigned.stdout.contains("0 of 1 entry signed"), "{unsigned}");
    // An entry that was made up anew hangs together; only signatures tell.
    let text = world.fixture.sandbox.read(&entry).replace("\"by\": \"alice\"", "\"by\": \"bob\"");
    let hash = rollout::Hash::of(text.as_bytes());
    let name = entry.file_name().unwrap();
    let renamed = format!("releases/history/{}{}.json", &name[..17], hash.short());
    world.fixture.sandbox.remove(&entry).write(&renamed, &text);
    std::fs::write(world.fixture.sandbox.path(format!("{renamed}.sig")), &good).unwrap();
    let output = world.run(&["history", "--verify"], 1);
    assert!(output.stdout.contains("or of whoever moved the release"), "{output}");
    assert!(output.stdout.contains("its signature: a bit of it was changed"), "{output}");
    world.fixture.sandbox.replace("collimate.yaml", "trust: trust.yaml\n", "");
    let silent = world.run(&["history", "--verify"], 0);
    assert!(!silent.stdout.contains("signed"), "{silent}");
    world.run(&["history", "--verify", "--trust", TRUST], 1);
}

#[test]
fn the_way_back_can_be_approved_and_signed() {
    let world = World::new("{approvals: [{role: lead}]}");
    world.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    world.plan();
    let bob = world.approve("bob");
    world.promote(&[&bob], 0);
    let back = ["rollback", "stable", "--reason", "logins fail"];
    let refused = world.run(&[&back[..], &["--approval", &bob]].concat(), 1);
    assert!(refused.stderr.contains("it approves the plan `"), "{refused}");
    world.run(&[&back[..], &["--dry-run", "--plan", "back.json"]].concat(), 0);
    let shown = world.run(&["approve", "back.json", "--key", "carol.key"], 0);
    assert!(shown.stdout.starts_with("rollback in `stable/stage`: `1.1.0` → `1.0.0`\n"), "{shown}");
    world.run(&[&back[..], &["--approval", "back.json.carol.approval", "--sign-with", "dave.key"]].concat(), 0);
    let good = world.run(&["history", "--verify"], 0);
    assert!(good.stdout.starts_with("2 of 4 entries signed, 2 approvals, 0 doubts\n"), "{good}");
    // Nobody has to.
    let bare = World::new("{approvals: [{role: lead}]}");
    bare.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    bare.plan();
    let bob = bare.approve("bob");
    bare.promote(&[&bob], 0);
    bare.run(&back, 0);
}
