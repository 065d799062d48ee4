//! Manifests that must be signed, and entries that are.

use super::world::{PEOPLE, TRUST, World, trust};

const GATES: &str = "{signed_by: releaser}";
const SIGNATURES: [&str; 2] = ["releases/edge.yaml.sig", "releases/edge.yaml.minisig"];

fn signed(name: &str) -> World {
    let world = World::new(GATES);
    world.run(&["release", "sign", "edge", "--key", &format!("{name}.key")], 0);
    world
}

#[test]
fn a_manifest_is_taken_that_the_right_role_signed() {
    let world = World::new(GATES);
    world.refuses(&[], 1, "`releases/edge.yaml` is not signed, and `releaser` must have signed it");
    world.run(&["release", "sign", "edge", "--key", "dave.key"], 0);
    let done = world.promote(&[], 0);
    assert!(done.stdout.contains("gate signature         passed: `dave`, key "), "{done}");
    assert!(done.stderr.contains("nobody has signed the new manifest yet: `collimate release sign stable"), "{done}");
    world.fixture.is_sound();
}

#[test]
fn unsigned_changed_and_not_trusted_are_told_apart() {
    let world = signed("dave");
    let text = world.fixture.sandbox.read("releases/edge.yaml");
    world.fixture.sandbox.write("releases/edge.yaml", text.replace("# made by hand", "# made by foot"));
    world.refuses(&[], 5, "it was changed since it was signed");
    world.fixture.sandbox.write("releases/edge.yaml", &text);
    let bytes = std::fs::read(world.fixture.sandbox.path(SIGNATURES[0])).unwrap();
    world.fixture.sandbox.write(SIGNATURES[0], &bytes[..63]);
    world.refuses(&[], 5, "its signature `.sig` is damaged: it has 63 bytes instead of 64");
    world.fixture.sandbox.write(SIGNATURES[0], &bytes);
    world.fixture.sandbox.write(TRUST, trust(&PEOPLE[..3]));
    world.refuses(&[], 5, "which signed it, is not among the trusted ones");
    world.fixture.sandbox.remove(SIGNATURES[1]);
    world.refuses(&[], 5, "it was changed since it was signed, or signed with a key that is not trusted");
    world.fixture.sandbox.write(TRUST, trust(&[("dave", 4, "[releaser]", ", revoked: 2020-01-01")]));
    world.refuses(&[], 5, "the key of `dave` was revoked on 2020-01-01");
    world.fixture.sandbox.write(TRUST, trust(&[("dave", 4, "[lead]", "")]));
    world.refuses(&[], 5, "`dave` has not the role `releaser`, but `lead`");
    world.fixture.sandbox.write(TRUST, "schema: 1\nkeys: {}\n");
    world.refuses(&[], 3, "`trust.yaml` has 1 problem");
    world.fixture.sandbox.remove(TRUST);
    world.refuses(&[], 3, "cannot read whose keys are trusted");
    let other = signed("bob");
    other.refuses(&[], 5, "`bob` has not the role `releaser`, but `lead`");
}

#[test]
fn the_new_manifest_and_the_entry_are_signed_with_the_move() {
    let world = signed("dave");
    let refused = world.run(&["promote", "edge", "stable", "--sign-with", "mallory.key"], 5);
    assert!(refused.stderr.contains("what this key signs would be trusted by nobody"), "{refused}");
    let done = world.run(&["promote", "edge", "stable", "--sign-with", "dave.key"], 0);
    assert!(!done.stderr.contains("nobody has signed"), "{done}");
    world.fixture.sandbox.write("dave.pub", super::world::key(4).public().to_pem());
    for name in ["stable", "1.1.0", "releases/archive/1.1.0.yaml"] {
        world.run(&["release", "verify", name, "--key", "dave.pub"], 0);
    }
    let entry = world.fixture.entries().pop().unwrap();
    let bytes = std::fs::read(world.fixture.sandbox.path(format!("{entry}.sig"))).unwrap();
    let signature = signing::Signature::from_slice(&bytes).unwrap();
    let text = world.fixture.sandbox.read(&entry);
    assert_eq!(super::world::key(4).public().verify(text.as_bytes(), &signature), Ok(()));
    world.fixture.is_sound();
}

#[test]
fn a_new_release_comes_through_the_same_gates() {
    let world = World::new("{}");
    let gates = "{signed_by: releaser, approvals: [{role: security}]}";
    let sandbox = &world.fixture.sandbox;
    sandbox.replace(
        "collimate.yaml",
        "edge: {release: releases/edge.yaml}",
        &format!("edge: {{release: releases/edge.yaml, gates: {gates}}}"),
    );
    let new = ["release", "new", "1.2.0-edge", "--channel", "edge"];
    let refused = world.run(&new, 1);
    assert!(refused.stderr.contains("is not signed, and `releaser` must have signed it"), "{refused}");
    // Made beside, signed, and taken byte for byte.
    world.run(&["release", "new", "1.2.0-edge", "--from", "edge"], 0);
    world.run(&["release", "sign", "releases/1.2.0-edge.yaml", "--key", "dave.key"], 0);
    let new = [&new[..], &["--from", "releases/1.2.0-edge.yaml"]].concat();
    let missing = world.run(&new, 1);
    assert!(missing.stderr.contains("1 approval by `security` missing"), "{missing}");
    world.run(&[&new[..], &["--dry-run", "--plan", "plan.json"]].concat(), 0);
    let shown = world.run(&["approve", "plan.json", "--key", "carol.key"], 0);
    assert!(shown.stdout.starts_with("release-new in `edge`: `1.1.0-edge` → `1.2.0-edge`\n"), "{shown}");
    let done = world.run(&[&new[..], &["--approval", "plan.json.carol.approval"]].concat(), 0);
    assert!(done.stdout.contains("passed: `dave`, key "), "{done}");
    sandbox.write("dave.pub", super::world::key(4).public().to_pem());
    world.run(&["release", "verify", "edge", "--key", "dave.pub"], 0);
    world.fixture.is_sound();
    let beside = world.run(&["release", "new", "1.3.0-edge", "--from", "edge", "--sign-with", "dave.key"], 2);
    assert!(beside.stderr.contains("without `--channel` nothing moves"), "{beside}");
}

#[test]
fn a_ring_takes_what_was_signed_for_its_channel() {
    let world = World::new("{}");
    world.run(&["promote", "edge", "stable"], 0);
    world.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    world.fixture.sandbox.replace(
        "collimate.yaml",
        "{name: prod, release: releases/archive/1.0.0.yaml}",
        "{name: prod, release: releases/archive/1.0.0.yaml, gates: {signed_by: releaser}}",
    );
    let refused = world.run(&["advance", "stable", "prod"], 1);
    assert!(refused.stderr.contains("(collimate release sign stable --key KEY)"), "{refused}");
    world.run(&["release", "sign", "stable", "--key", "dave.key"], 0);
    world.run(&["advance", "stable", "prod", "--sign-with", "alice.key"], 0);
    world.fixture.is_sound();
}
