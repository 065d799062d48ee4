//! Approvals: what they take to count, one refusal after the other.

use rollout::{Approval, Statement};
use testkit::Cli;

use super::world::{PEOPLE, TRUST, World, key, other, statement, trust};

const ONE: &str = "{approvals: [{role: lead}]}";

#[test]
fn two_roles_consent_and_the_ledger_tells() {
    let world = World::new("{approvals: [{role: lead}, {role: security}]}");
    let missing = world.promote(&[], 1);
    assert!(missing.stderr.contains("1 approval by `lead` missing"), "{missing}");
    assert!(missing.stderr.contains("1 approval by `security` missing"), "{missing}");

    let plan = world.plan();
    let shown = world.run(&["approve", "plan.json", "--key", "bob.key"], 0);
    for expected in [
        "promotion in `stable/stage`: `1.0.0` → `1.1.0` (`1.1.0-edge` of `edge`)\n",
        "web",
        &format!("plan {}\n", plan.hash()),
        &format!("base {}\n", plan.base.sha256),
        "compose/stage.yaml",
        "approved as `lead` by `bob`, key ",
        "wrote `plan.json.bob.approval`\n",
    ] {
        assert!(shown.stdout.contains(expected), "{expected}\n{shown}");
    }
    let (bob, carol) = ("plan.json.bob.approval", world.approve("carol"));
    world.refuses(&[bob], 1, "1 approval by `security` missing");
    let done = world.promote(&[bob, &carol], 0);
    assert!(done.stdout.contains("gate approvals lead      passed, 1 of 1: bob\n"), "{done}");
    let entry = world.run(&["history", "--format", "json"], 0).stdout;
    for expected in ["\"by\": \"bob\"", "\"role\": \"security\"", &format!("\"plan\": \"{}\"", plan.hash())] {
        assert!(entry.contains(expected), "{expected}\n{entry}");
    }
    world.fixture.is_sound();
}

#[test]
fn the_plan_is_the_same_until_something_is_another() {
    let world = World::new(ONE);
    let plan = world.plan();
    assert_eq!(world.plan(), plan, "another day, the same plan");
    let bob = world.approve("bob");
    // Somebody edits a profile that moves.
    let profile = world.fixture.sandbox.read("compose/stage.yaml");
    world.fixture.sandbox.replace("compose/stage.yaml", "# by hand", "# by foot");
    world.refuses(&[&bob], 1, "something is another than it was when it was approved");
    world.fixture.sandbox.write("compose/stage.yaml", profile);
    // Another release in the source.
    let edge = world.fixture.sandbox.read("releases/edge.yaml");
    world.fixture.sandbox.replace("releases/edge.yaml", "version: 1.1.0-edge", "version: 1.2.0-edge");
    world.fixture.run(&["pin"], 0);
    world.refuses(&[&bob], 1, "it approves the plan `");
    let stale = world.run(&["approve", "plan.json", "--key", "bob.key"], 1);
    assert!(stale.stderr.contains("`edge` holds `1.2.0-edge`"), "{stale}");
    world.fixture.sandbox.write("releases/edge.yaml", edge);
    world.fixture.run(&["pin"], 0);
    world.promote(&[&bob], 0);
}

#[test]
fn an_approval_is_spent_once_its_base_is_gone() {
    let world = World::new(ONE);
    world.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    world.plan();
    let bob = world.approve("bob");
    world.promote(&[&bob], 0);
    let stale = world.run(&["approve", "plan.json", "--key", "bob.key"], 1);
    assert!(stale.stderr.contains("error: the plan is out of date\ncaused by: `stable` holds `1.1.0`"), "{stale}");
    // A hotfix changes the base; the old approval buys nothing.
    world.run(&["rollback", "stable", "--reason", "try"], 0);
    world.run(&["hold", "lift", "stable"], 0);
    world.fixture.sandbox.replace("releases/stable.yaml", "version: 1.0.0", "version: 1.0.1");
    world.run(&["pin"], 0);
    world.refuses(&[&bob], 1, "it approves the plan `");
}

#[test]
fn what_somebody_else_could_write_is_not_trusted() {
    let world = World::new(ONE);
    let plan = world.plan();
    let forge = |file: &str, statement: Statement, seed: u8| world.forge(file, &statement.sign(&key(seed)));
    forge("unknown", statement(&plan, "mallory", "lead"), 9);
    world.refuses(&["unknown"], 5, "nobody called `mallory` is trusted");
    forge("as-bob", statement(&plan, "bob", "lead"), 9);
    world.refuses(&["as-bob"], 5, "its signature is not one of `bob` under these words");
    forge("carol-as-bob", statement(&plan, "bob", "lead"), 3);
    world.refuses(&["carol-as-bob"], 5, "it says that it is by `bob`, and the key of `carol` signed it");
    forge("role", statement(&plan, "carol", "lead"), 3);
    world.refuses(&["role"], 5, "`carol` has not the role `lead`, but `security`");
    let until = "2020-01-01T00:00:00Z".parse().unwrap();
    let over = Statement::new(plan.hash(), plan.base.sha256.clone(), "bob", "lead", until);
    forge("over", over, 2);
    world.refuses(&["over"], 1, "it counted until 2020-01-01T00:00:00Z");
    let until = "2999-01-01T00:00:00Z".parse().unwrap();
    forge("base", Statement::new(plan.hash(), other(), "bob", "lead", until), 2);
    world.refuses(&["base"], 1, "it approves a move from another base");
    // Alice moves it.
    let alice = world.approve_as("alice", "lead");
    world.refuses(&[&alice], 1, "it is by `alice`, who moves the release");
    // Under another name, with her key.
    let before = world.fixture.snapshot();
    let disguised =
        world.run(&["promote", "edge", "stable", "--by", "zoe", "--sign-with", "alice.key", "--approval", &alice], 1);
    assert!(disguised.stderr.contains("it is by `alice`, who moves the release"), "{disguised}");
    assert_eq!(world.fixture.snapshot(), before);
}

#[test]
fn nobody_counts_twice() {
    let world = World::new("{approvals: [{role: lead, count: 2}]}");
    world.plan();
    let bob = world.approve("bob");
    world.refuses(&[&bob], 1, "1 approval by `lead` missing");
    world.refuses(&[&bob, &bob], 1, "`bob` approves twice");
    // A second key of the same person is no second person.
    let more = [PEOPLE.to_vec(), vec![("bob", 7, "[lead]", "")]].concat();
    world.fixture.sandbox.write(TRUST, trust(&more)).write("bob2.key", key(7).to_pem().as_str());
    world.run(&["approve", "plan.json", "--key", "bob2.key", "--out", "again"], 0);
    world.refuses(&[&bob, "again"], 1, "`bob` approves twice");
    // One key under two names is refused where it is written.
    let twice = [PEOPLE.to_vec(), vec![("bobby", 2, "[lead]", "")]].concat();
    world.fixture.sandbox.write(TRUST, trust(&twice));
    world.refuses(&[&bob], 3, "this key stands twice: `bob` has it already");
}

#[test]
fn a_key_counts_for_its_days_and_until_it_is_revoked() {
    let world = World::new(ONE);
    world.plan();
    let bob = world.approve("bob");
    let with = |more: &'static str| {
        world.fixture.sandbox.write(TRUST, trust(&[PEOPLE[0], ("bob", 2, "[lead]", more)]));
    };
    with(", from: 2020-01-01, until: 2020-12-31");
    world.refuses(&[&bob], 5, "the key of `bob` was trusted until 2020-12-31");
    with(", from: 2998-01-01, until: 2999-12-31");
    world.refuses(&[&bob], 5, "the key of `bob` is trusted from 2998-01-01 on");
    with(", revoked: 2020-06-01");
    world.refuses(&[&bob], 5, "the key of `bob` was revoked on 2020-06-01");
    let refused = world.run(&["approve", "plan.json", "--key", "bob.key"], 5);
    assert!(refused.stderr.contains("the key of `bob` was revoked on 2020-06-01"), "{refused}");
    world.fixture.sandbox.write(TRUST, trust(&PEOPLE[..1]));
    world.refuses(&[&bob], 5, "nobody called `bob` is trusted");
    world.fixture.sandbox.replace("collimate.yaml", "trust: trust.yaml\n", "");
    world.refuses(&[&bob], 1, "nobody's key is trusted");
}

#[test]
fn a_damaged_approval_is_refused_whatever_bit_is_another() {
    let world = World::new(ONE);
    world.plan();
    let bob = world.approve("bob");
    let good = world.fixture.sandbox.read(&bob);
    let approval: Approval = good.parse().unwrap();
    let (start, length) = (good.find(&approval.signature).unwrap(), approval.signature.len());
    // The program is started for a few; the crate's own tests flip every bit.
    for at in [start, start + length / 2, start + length - 3] {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        world.fixture.sandbox.write("damaged", &bytes);
        world.refuses(&["damaged"], 5, "a bit of it was changed, or another key signed");
    }
    world.fixture.sandbox.write("damaged", &good[..good.len() - 2]);
    world.refuses(&["damaged"], 3, "`damaged` is no approval");
    world.fixture.sandbox.write("damaged", good.replace("\"lead\"", "\"security\""));
    world.refuses(&["damaged"], 5, "its signature is not one of `bob`");
    world.refuses(&["plan.json"], 3, "`plan.json` is no approval");
    world.refuses(&["nowhere"], 3, "cannot read `nowhere`");
    world.promote(&[&bob], 0);
}

#[test]
fn openssl_verifies_an_approval() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let world = World::new(ONE);
    world.plan();
    let file = world.approve("bob");
    let sandbox = &world.fixture.sandbox;
    sandbox.write("bob.pub", key(2).public().to_pem());
    // What docs/channels.md says.
    let script = format!(
        "sed -n 's/.*\"signature\": \"\\(.*\\)\"/\\1/p' {file} | '{openssl}' base64 -d -A > signature && \
         sed '/\"signature\"/d; /\"until\"/s/,$//' {file} > statement && \
         '{openssl}' pkeyutl -verify -pubin -inkey bob.pub -rawin -in statement -sigfile signature"
    );
    let run = || Cli::new("/bin/sh").folder(sandbox.root()).env("PATH", "/usr/bin:/bin").args(["-c", &script]);
    run().stdout("Signature Verified Successfully\n").run();
    sandbox.replace(&file, "\"bob\"", "\"eve\"");
    assert_ne!(run().output().exit, 0);
}

#[test]
fn who_cannot_approve_is_told_why() {
    let world = World::new(ONE);
    world.plan();
    let says = |arguments: &[&str], exit: i32, expected: &str| {
        let output = world.run(&[&["approve"], arguments].concat(), exit);
        assert!(output.stderr.contains(expected), "{expected}\n{output}");
    };
    says(&["plan.json", "--key", "mallory.key"], 5, "is not among the trusted ones\nhint: let somebody add what");
    says(&["plan.json", "--key", "bob.key", "--by", "alice"], 5, "the key is of `bob`, not of `alice`");
    says(&["plan.json", "--key", "carol.key"], 1, "asked for: lead; the key may be: security");
    says(&["plan.json", "--key", "bob.key", "--role", "security"], 5, "`bob` has not the role `security`, but `lead`");
    says(&["plan.json", "--key", "bob.key", "--expires", "31d"], 2, "from `1h` to `30d`");
    says(&["plan.json", "--key", "bob.key", "--expires", "1w"], 2, "write hours or days");
    says(&["smoke.json", "--key", "bob.key"], 3, "`smoke.json` is no plan");
    says(&["plan.json", "--key", "nobody.key"], 3, "cannot read `nobody.key`");
    says(&["--key", "bob.key"], 2, "<PLAN>");
    says(&["--for", "abcdef", "--key", "bob.key"], 2, "no entry `abcdef` has an approval that is due");
    let text = world.fixture.sandbox.read("plan.json");
    world.fixture.sandbox.write("plan.json", text.replace("\"stage\"", "\"prod\"").replace("  ", " "));
    says(&["plan.json", "--key", "bob.key"], 3, "it is not spelled as it is written");
    world.fixture.sandbox.replace("collimate.yaml", "trust: trust.yaml\n", "");
    says(&["plan.json", "--key", "bob.key"], 2, "`collimate.yaml` names no `trust`");
    world.fixture.sandbox.write("plan.json", text);
    world.run(&["approve", "plan.json", "--key", "bob.key", "--trust", TRUST], 0);
}

#[test]
fn a_ring_asks_its_own_people() {
    let world = World::new("{}");
    world.run(&["promote", "edge", "stable"], 0);
    world.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    world.fixture.sandbox.replace(
        "collimate.yaml",
        "{name: prod, release: releases/archive/1.0.0.yaml}",
        "{name: prod, release: releases/archive/1.0.0.yaml, gates: {approvals: [{role: security}]}}",
    );
    let refused = world.run(&["advance", "stable", "prod"], 1);
    assert!(refused.stderr.contains("1 approval by `security` missing"), "{refused}");
    let planned = world.run(&["advance", "stable", "prod", "--dry-run", "--plan", "plan.json"], 0);
    assert!(planned.stdout.contains("gate approvals security  wanted, 0 of 1\n"), "{planned}");
    let shown = world.run(&["approve", "plan.json", "--key", "carol.key"], 0);
    assert!(shown.stdout.starts_with("advance in `stable/prod`: `1.0.0` → `1.1.0`\n"), "{shown}");
    // The approval of a ring is none of the channel.
    world.run(&["advance", "stable", "prod", "--approval", "plan.json.carol.approval"], 0);
    let entry = world.run(&["history", "stable/prod", "--format", "json"], 0).stdout;
    assert!(entry.contains("\"role\": \"security\""), "{entry}");
    world.fixture.is_sound();
}

impl World {
    #[track_caller]
    fn approve_as(&self, name: &str, role: &str) -> String {
        self.run(&["approve", "plan.json", "--key", &format!("{name}.key"), "--role", role], 0);
        format!("plan.json.{name}.approval")
    }
}
