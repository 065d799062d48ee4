//! The whole pipeline, every step of it: a release that is good, and one that is not.

use super::document::{GITEA, Workflow};
use super::running::{RUN, Run, run};
use super::staging::{NEW, OLD, World, deploy};

/// Traffic after a deployment, delivered or not.
fn after_deploying(first: bool, second: bool) -> impl FnMut(&World, &str) {
    move |world, step| match step {
        "deploy" => world.traffic(first),
        "redeploy" => world.traffic(second),
        _ => {}
    }
}

/// Nobody uses what was deployed, until it is gone back from.
fn after_deploying_nothing() -> impl FnMut(&World, &str) {
    |world, step| {
        if step == "redeploy" {
            world.traffic(true);
        }
    }
}

/// Proves that a shell executed every `run:` of the job but these.
#[track_caller]
fn ran_all_but(run: &Run, job: &str, skipped: &[&str]) {
    let workflow = Workflow::read(GITEA);
    let expected: Vec<&str> =
        workflow.job(job).steps.iter().map(|step| step.name.as_str()).filter(|name| !skipped.contains(name)).collect();
    assert_eq!(run.ran(), expected, "{}", run.log());
}

const GOING_BACK: [&str; 5] = [
    "Roll back",
    "Moment before the redeployment",
    "Deploy the release that was good",
    "notify-smoke again",
    "A release that was rolled back is a failure",
];

#[test]
fn a_good_release_passes_every_step_and_is_marked_good() {
    // Each of these judges stands in the workflow itself.
    for judge in ["otelcol", "compose", "helm3"] {
        if testkit::peer(judge).is_none() {
            return;
        }
    }
    let Some(mut world) = World::new() else { return };
    world.collimate("", &["key", "new", "signing.key"]);
    let key = world.sandbox.read("signing.key");
    world.secrets.insert("BUNDLE_SIGNING_KEY".to_owned(), key.clone());
    let workflow = Workflow::read(GITEA);

    let build = run(&world, &workflow, workflow.job("build"), |_, _| {});
    build.is_green();
    ran_all_but(&build, "build", &[]);
    assert!(world.calls("cargo build --locked --release") == 1 && world.calls("cargo xtask test --require-peers") == 1);
    let package = |name: &str| world.sandbox.path(format!("artefacts/package/{name}"));
    for name in ["collimate", "telemetry-offline-bundle.tar.gz", "telemetry-offline-bundle.tar.gz.sig", "SHA256SUMS"] {
        assert!(package(name).exists(), "{name} is not packaged");
    }
    let reports = |name: &str| world.sandbox.read(format!("artefacts/reports-build/{name}"));
    assert!(
        reports("check.sarif").contains("\"version\": \"2.1.0\"")
            && reports("telemetry-smoke.xml").contains("<testsuite")
    );
    let secret = key.lines().find(|line| !line.starts_with('-')).unwrap();
    assert!(!build.log().contains(secret));

    let staging = run(&world, &workflow, workflow.job("staging"), after_deploying(true, true));
    staging.is_green();
    ran_all_but(&staging, "staging", &GOING_BACK);
    assert_eq!(world.running(), OLD);
    assert_eq!(world.ledger("main"), ["mark-good"]);
    let message = world.git("origin.git", &["log", "-1", "--format=%an: %s", "main"]);
    assert_eq!(message, format!("alice, run {RUN}: Mark the release of stable/stage good [skip ci]\n"));
    let evidence = world.git("origin.git", &["grep", "-h", "-A4", "\"evidence\"", "main"]);
    assert!(evidence.contains("notify-smoke.json") || evidence.contains("running.json"), "{evidence}");
    let reports = |name: &str| world.sandbox.read(format!("artefacts/reports-staging/{name}"));
    assert!(reports("running.json").contains(&format!("\"release\": \"{OLD}\"")), "{}", reports("running.json"));
    assert!(reports("notify-smoke.xml").contains("failures=\"0\""));
    assert!(reports("summary.md").starts_with("## Staging: Good:"), "{}", reports("summary.md"));
    assert!(!world.sandbox.path("host/stellaops/.pipeline-lock").exists());
}

#[test]
fn a_release_that_breaks_propagation_goes_back_everywhere() {
    let Some(world) = World::promoted() else { return };
    let run = deploy(&world, after_deploying(false, true));
    run.fails_at("A release that was rolled back is a failure", 1);
    ran_all_but(&run, "staging", &["Mark the release good"]);
    assert_eq!(world.calls("docker compose"), 2);
    assert_eq!(world.running(), OLD);
    // The same step deployed both.
    let ups: Vec<String> = world
        .sandbox
        .read("calls")
        .lines()
        .filter(|call| call.starts_with("docker compose"))
        .map(str::to_owned)
        .collect();
    assert_eq!(ups[0], ups[1]);
    // What was decided is on the branch, and the branch says what runs.
    assert_eq!(world.ledger("main"), ["mark-good", "promotion", "rollback", "hold"]);
    assert!(world.published("main", "deploy/compose/docker-compose.stage.yaml").contains(&format!("version: {OLD}")));
    let tree = world.sandbox.read("host/stellaops/tree/deploy/compose/docker-compose.stage.yaml");
    assert_eq!(tree, world.published("main", "deploy/compose/docker-compose.stage.yaml"));
    let reason = world.git("origin.git", &["grep", "-h", "broken between", "main", "--", "deploy/releases/history"]);
    assert!(reason.contains("notify-smoke: broken between Redis and Notify"), "{reason}");
    let summary = world.sandbox.read("artefacts/reports-staging/summary.md");
    assert!(summary.starts_with("## Staging: Rolled back:") && summary.contains("no-delivery"), "{summary}");
    assert!(!world.sandbox.path("host/stellaops/.pipeline-lock").exists());
    // The branch is sound after all that.
    world.check_out("look");
    world.collimate("jobs/look", &["check", "--deny", "warnings"]);
    world.collimate("jobs/look", &["history", "--verify"]);
}

#[test]
fn what_is_still_broken_after_going_back_is_said_and_recorded() {
    let Some(world) = World::promoted() else { return };
    let run = deploy(&world, after_deploying(false, false));
    run.fails_at("A release that was rolled back is a failure", 1);
    assert_eq!(world.ledger("main"), ["mark-good", "promotion", "rollback", "hold"]);
    assert!(world.sandbox.read("runner/summary.md").starts_with("## Staging: STILL BROKEN"));
}

#[test]
fn where_the_redeployment_fails_the_decision_is_published_all_the_same() {
    let Some(world) = World::promoted() else { return };
    let run = deploy(&world, |world, step| match step {
        "deploy" => world.traffic(false),
        "rollback" => {
            world.sandbox.write("docker-fails", "");
        }
        _ => {}
    });
    run.fails_at("Deploy the release that was good", 4);
    assert_eq!(world.running(), NEW);
    assert_eq!(world.ledger("main"), ["mark-good", "promotion", "rollback", "hold"]);
    assert!(world.sandbox.read("runner/summary.md").contains("BROKEN, and how staging is now is not known"));
}

#[test]
fn nothing_known_good_means_nothing_to_go_back_to() {
    let Some(world) = World::new() else { return };
    let run = deploy(&world, after_deploying(false, false));
    let text = &run.fails_at("Roll back", 1).text;
    assert!(text.contains("no release is known good"), "{text}");
    assert_eq!((world.calls("docker compose"), world.ledger("main").len()), (1, 0));
}

#[test]
fn traffic_from_before_the_deployment_proves_nothing() {
    let Some(world) = World::promoted() else { return };
    world.traffic(true);
    let run = deploy(&world, after_deploying_nothing());
    let text = &run.step("notify-smoke").text;
    assert!(text.contains("nothing-since-deployment"), "{text}");
    assert_eq!((run.step("rollback").outcome, world.running().as_str()), ("success", OLD));
}

#[test]
fn a_smoke_that_is_switched_off_is_skipped_loudly_and_marks_nothing() {
    let Some(mut world) = World::new() else { return };
    world.vars.insert("NOTIFY_SMOKE_ENABLED".to_owned(), "false".to_owned());
    world.secrets.remove("NOTIFY_SMOKE_REDIS_DSN");
    let run = deploy(&world, |_, _| {});
    run.is_green();
    assert!(run.step("notify-smoke").text.contains("::warning::notify-smoke was SKIPPED"), "{}", run.log());
    assert_eq!((run.step("mark-good").outcome, run.step("publish").outcome), ("skipped", "skipped"));
    assert_eq!((world.running().as_str(), world.ledger("main").len()), (OLD, 0));
    assert!(world.sandbox.read("runner/summary.md").starts_with("## Staging: NOT CHECKED"));
}

#[test]
fn a_change_request_builds_and_deploys_nothing() {
    let Some(mut world) = World::new() else { return };
    world.event = "pull_request".to_owned();
    world.secrets.clear();
    assert!(deploy(&world, |_, _| {}).steps.is_empty());
    let workflow = Workflow::read(GITEA);
    let mut job = workflow.job("build").clone();
    // What is built without secrets is the same; here only what asks for them counts.
    job.steps.retain(|step| step.name.starts_with("Configuration"));
    let run = run(&world, &workflow, &job, |_, _| {});
    assert!(run.ran().is_empty(), "{}", run.log());
}

#[test]
fn who_was_faster_on_the_branch_loses_nothing() {
    let Some(world) = World::new() else { return };
    let run = deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
            world.sandbox.write("seed/docs/news.md", "news\n");
            world.commit_seed("news");
            world.git("seed", &["push", "--quiet", "origin", "main"]);
        }
    });
    run.is_green();
    assert_eq!(world.published("main", "docs/news.md"), "news\n");
    assert_eq!(world.ledger("main"), ["mark-good"]);
}

#[test]
fn a_protected_branch_gets_a_change_request() {
    let Some(mut world) = World::new() else { return };
    world.vars.insert("LEDGER_MODE".to_owned(), "change-request".to_owned());
    deploy(&world, after_deploying(true, true)).is_green();
    let branch = format!("pipeline/run-{RUN}-1");
    assert_eq!((world.ledger("main").len(), world.ledger(&branch)), (0, vec!["mark-good".to_owned()]));
    assert_eq!(world.calls("https://git.test/api/v1/repos/example/deploy/pulls"), 1);
    // By stdin, which no list of processes shows.
    assert_eq!(world.sandbox.read("curl-stdin"), "header = \"Authorization: Bearer planted-run-token\"\n");

    // And where a push is refused, without being told.
    let Some(world) = World::new() else { return };
    world.program("origin.git/hooks/update", "case $1 in refs/heads/main) exit 1 ;; esac");
    deploy(&world, after_deploying(true, true)).is_green();
    assert_eq!((world.ledger("main").len(), world.ledger(&branch).len()), (0, 1));
}
