//! Staging in a cluster: the same pipeline, deployed by Helm, with a Lease for a lock.

use super::staging::{NEW, OLD, World, deploy};

fn in_a_cluster(mut world: World) -> World {
    world.vars.insert("STAGING_METHOD".to_owned(), "helm".to_owned());
    // Nothing of the other way is needed.
    for name in ["STAGING_SSH_HOST", "STAGING_SSH_KNOWN_HOSTS", "STAGING_FOLDER"] {
        world.vars.remove(name);
    }
    world.secrets.remove("STAGING_SSH_KEY");
    world
}

#[test]
fn a_good_release_is_marked_good() {
    let Some(world) = World::new().map(in_a_cluster) else { return };
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
        }
    });
    run.is_green();
    assert_eq!((world.running().as_str(), world.ledger("main")), (OLD, vec!["mark-good".to_owned()]));
    assert_eq!((world.calls("ssh"), world.calls("helm upgrade --install stellaops")), (0, 1));
    // A pod on its way out says nothing about the release.
    assert!(!world.sandbox.read("artefacts/reports-staging/running.json").contains("1.0.0"));
    assert!(!world.sandbox.path("lease").exists());
}

#[test]
fn a_broken_release_goes_back_by_the_same_step() {
    let Some(world) = World::promoted().map(in_a_cluster) else { return };
    let mut seen = Vec::new();
    let run = deploy(&world, |world, step| {
        if matches!(step, "deploy" | "redeploy") {
            world.traffic(step == "redeploy");
            seen.push(world.running());
        }
    });
    run.fails_at("A release that was rolled back is a failure", 1);
    assert_eq!(seen, [NEW, OLD]);
    assert_eq!(world.ledger("main"), ["mark-good", "promotion", "rollback", "hold"]);
}

#[test]
fn another_runs_lease_is_respected_until_it_is_stale() {
    let Some(world) = World::new().map(in_a_cluster) else { return };
    let lease = |minutes: i64| {
        let since = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        format!("spec:\n  holderIdentity: example/deploy/run-1.1\n  acquireTime: \"{since:.6}\"\n")
    };
    world.sandbox.write("lease", lease(2)).write("lease-version", "7\n");
    let run = deploy(&world, |_, _| {});
    let text = &run.fails_at("Take staging", 4).text;
    assert!(text.contains("staging is taken by `example/deploy/run-1.1` for 2 minutes"), "{text}");
    assert_eq!(world.calls("helm"), 0);
    // Not ours to give back.
    assert!(world.sandbox.read("lease").contains("run-1.1"));

    world.sandbox.write("lease", lease(121));
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
        }
    });
    run.is_green();
    assert!(run.step("Take staging").text.contains("its lock is stale"), "{}", run.log());
    assert!(!world.sandbox.path("lease").exists());
}

#[test]
fn a_lease_that_was_lost_stops_the_deployment() {
    let Some(world) = World::new().map(in_a_cluster) else { return };
    let run = deploy(&world, |world, step| {
        if step == "clock" {
            world.sandbox.replace("lease", "run-4711.1", "run-9.1");
        }
    });
    run.fails_at("Deploy", 4);
    assert_eq!(world.calls("helm"), 0);
    assert!(world.sandbox.read("lease").contains("run-9.1"));
}

#[test]
fn a_cluster_that_forbids_is_not_known() {
    let Some(mut world) = World::new().map(in_a_cluster) else { return };
    world.secrets.insert("STAGING_KUBECONFIG".to_owned(), "planted-other".to_owned());
    deploy(&world, |_, _| {}).fails_at("Take staging", 4);
    world.secrets.remove("STAGING_KUBECONFIG");
    let text = deploy(&world, |_, _| {}).fails_at("Take staging", 2).text.clone();
    assert!(text.contains("`STAGING_KUBECONFIG` is missing or empty"), "{text}");
}
