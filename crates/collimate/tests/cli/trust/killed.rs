//! A signed promotion that is killed before each rename: manifest, entry and their signatures are all there or none is.

use super::world::{World, key};
use crate::rollout::killed::{start, traced};

const PROMOTE: [&str; 7] =
    ["promote", "edge", "stable", "--approval", "plan.json.bob.approval", "--sign-with", "alice.key"];

#[test]
fn signatures_come_with_what_they_belong_to() {
    let Some(strace) = testkit::tool("strace") else { return };
    let prepared = World::new("{approvals: [{role: lead}]}");
    prepared.plan();
    prepared.approve("bob");
    prepared.fixture.sandbox.write("alice.pub", key(1).public().to_pem());
    let old = prepared.snapshot();
    let (mut kills, mut new) = (0, 0);
    for nth in 1.. {
        let world = World { fixture: prepared.fixture.copy() };
        let inject = format!("inject=rename:signal=KILL:when={nth}");
        let arguments = traced("/dev/null", "trace=rename", &inject, &PROMOTE);
        let came_through = start(&world.fixture, strace.as_str(), &arguments).0.wait().unwrap().success();
        world.run(&["hold", "lift", "edge"], 0);
        world.fixture.is_sound();
        if world.snapshot() != old {
            new += 1;
            let verified = world.run(&["history", "--verify"], 0);
            assert!(verified.stdout.starts_with("1 of 1 entry signed, 1 approval, 0 doubts\n"), "{verified}");
            world.run(&["release", "verify", "stable", "--key", "alice.pub"], 0);
            world.run(&["release", "verify", "1.1.0", "--key", "alice.pub"], 0);
        }
        if came_through {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 5 && new >= 4 && kills >= new, "{kills} kills, {new} of them left the new state");
}
