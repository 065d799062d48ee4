//! A rollback and the files that changed beside the references: git restores them, we say which, and whether they are back.

use std::process::Command;

use camino::Utf8Path;

use super::{gate, newest};
use crate::rollout::fixture::{Fixture, profile, release};

const BACK: [&str; 4] = ["rollback", "stable", "--reason", "it broke"];

#[track_caller]
fn shell(folder: &Utf8Path, command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(fixture: &Fixture, message: &str) -> String {
    let git = "git -c user.name=a -c user.email=a@example.org -c commit.gpgsign=false";
    shell(fixture.sandbox.root(), &format!("git add -A && {git} commit -qm '{message}' && git rev-parse HEAD"))
}

/// Stable's first release is known good and committed; the stage mounts a file. `None` without git.
fn in_git() -> Option<(Fixture, String)> {
    testkit::tool("git")?;
    let fixture = Fixture::new();
    let stage = fixture.sandbox.read("compose/stage.yaml");
    fixture
        .sandbox
        .write(
            "compose/stage.yaml",
            stage.replacen("    labels:\n", "    volumes: [./conf:/conf:ro]\n    labels:\n", 1),
        )
        .write("compose/conf/web.conf", "workers 4\n")
        .write(".gitignore", "compose/conf/made-there\n");
    shell(fixture.sandbox.root(), "git init -q -b main");
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    let id = commit(&fixture, "1.0.0 runs");
    Some((fixture, id))
}

#[test]
fn a_move_records_commit_and_inputs_as_they_were() {
    let Some((fixture, id)) = in_git() else { return };
    let sum = "LC_ALL=C sha256sum compose/conf/web.conf compose/stage.yaml | sha256sum | cut -d' ' -f1";
    let before = shell(fixture.sandbox.root(), sum);
    fixture.run(&["promote", "edge", "stable"], 0);
    let promotion = newest(&fixture, "promotion");
    assert_eq!(promotion["commit"], id.as_str());
    assert_eq!(promotion["inputs"], serde_json::json!([{"profile": "stage", "sha256": before}]));
    assert_ne!(shell(fixture.sandbox.root(), sum), before, "the promotion wrote into the profile");
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    let id = commit(&fixture, "1.1.0 on stage");
    fixture.run(&["advance", "stable", "prod"], 0);
    let advance = newest(&fixture, "advance");
    assert_eq!((advance["commit"].as_str(), advance["inputs"][0]["profile"].as_str()), (Some(&*id), Some("prod")));

    // Outside of a repository there is no commit; the inputs are known all the same.
    let elsewhere = Fixture::new();
    elsewhere.run(&["promote", "edge", "stable"], 0);
    let promotion = newest(&elsewhere, "promotion");
    assert!(promotion.get("commit").is_none() && promotion["inputs"][0]["profile"] == "stage", "{promotion:#}");
}

#[test]
fn where_nothing_else_changed_nothing_is_asked() {
    let Some((fixture, _)) = in_git() else { return };
    let before = fixture.sandbox.read("compose/stage.yaml");
    fixture.run(&["promote", "edge", "stable"], 0);
    // What a container leaves in a mounted folder is nobody's decision.
    fixture.sandbox.write("compose/conf/made-there", "x");
    let back = fixture.run(&BACK, 0);
    assert!(!back.stdout.contains("configuration"), "{back}");
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), before);
    let rollback = newest(&fixture, "rollback");
    assert_eq!(gate(&rollback, "configuration"), "passed");
    assert!(rollback["inputs"][0]["profile"] == "stage" && rollback["commit"].is_string(), "{rollback:#}");
}

#[test]
fn what_else_changed_is_named_and_somebody_decides() {
    let Some((fixture, id)) = in_git() else { return };
    fixture.run(&["promote", "edge", "stable"], 0);
    commit(&fixture, "1.1.0");
    fixture.sandbox.write("compose/conf/web.conf", "workers 8\n");
    let now = ["compose/stage.yaml", "compose/conf/web.conf", "releases/stable.yaml", "collimate.yaml"];
    let before = fixture.snapshot_of(&now);
    let files = "compose/conf/web.conf compose/stage.yaml";
    for more in [&[][..], &["--dry-run"], &["--with-config"]] {
        let refused = fixture.run(&[&BACK[..], more].concat(), 1);
        assert!(refused.stdout.contains(&format!("    git diff {id} -- {files}\n")), "{refused}");
        assert!(refused.stderr.contains(&format!("caused by: git restore --source={id} -- {files}\n")), "{refused}");
        let expected = if more == ["--with-config"] {
            "error: the configuration of stage is not the one that `1.0.0` had\n"
        } else {
            "error: the configuration of stage changed since `1.0.0` was last held\n"
        };
        assert!(refused.stderr.starts_with(expected), "{refused}");
        assert_eq!(fixture.snapshot_of(&now), before);
    }
    fixture.run(&[&BACK[..], &["--with-config", "--keep-config"]].concat(), 2);

    // With today's configuration.
    let kept = Fixture { sandbox: testkit::Sandbox::new() };
    shell(fixture.sandbox.root(), &format!("cp -a . {}", kept.sandbox.root()));
    kept.run(&[&BACK[..], &["--keep-config"]].concat(), 0);
    assert_eq!(kept.sandbox.read("compose/conf/web.conf"), "workers 8\n");
    assert_eq!(gate(&newest(&kept, "rollback"), "configuration"), "kept as it is: changed for 1 profile");

    // Or with the one that it had: the printed command restores it.
    let refused = fixture.run(&[&BACK[..], &["--with-config"]].concat(), 1);
    let command = refused.stderr.lines().find_map(|line| line.strip_prefix("caused by: git restore ")).unwrap();
    shell(fixture.sandbox.root(), &format!("git restore {command}"));
    fixture.run(&[&BACK[..], &["--with-config"]].concat(), 0);
    assert_eq!(fixture.sandbox.read("compose/conf/web.conf"), "workers 4\n");
    assert_eq!(fixture.version_in("stage"), "1.0.0");
    assert_eq!(gate(&newest(&fixture, "rollback"), "configuration"), "passed");
    fixture.run(&["check", "--deny", "warnings"], 0);
}

#[test]
fn an_edit_of_the_profile_itself_is_a_change_and_stays_where_it_is_kept() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.write("compose/stage.yaml", profile("stable", &release("1.1.0", [2, 1]), 512));
    let refused = fixture.run(&BACK, 1);
    assert!(refused.stderr.contains("the files of `stage` as they were at "), "no commit is recorded: {refused}");
    fixture.run(&[&BACK[..], &["--keep-config"]].concat(), 0);
    assert_eq!(fixture.sandbox.read("compose/stage.yaml"), profile("stable", &release("1.0.0", [1, 1]), 512));
    fixture.is_sound();
}

#[test]
fn a_release_that_was_never_left_has_nothing_to_compare() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    let forward = fixture.run(&["rollback", "stable/prod", "--to", "1.1.0", "--reason", "forward"], 0);
    assert!(
        forward.stdout.contains("configuration of prod: not known; no move away from `1.1.0` recorded it\n"),
        "{forward}"
    );
    assert_eq!(gate(&newest(&fixture, "rollback"), "configuration"), "not known");
}

/// A chart whose folder holds values of another profile too: of edge's, which moves on by itself.
#[test]
fn values_of_other_profiles_are_not_this_ones_configuration() {
    let Some((fixture, id)) = with_a_chart() else { return };
    fixture.sandbox.replace("chart/values-dev.yaml", "\n", "\nreplicas: 9\n");
    fixture.run(&BACK, 0);
    fixture.run(&["hold", "lift", "stable"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.write("chart/values.yaml", "replicas: 3\n");
    let refused = fixture.run(&BACK, 1);
    let parts = "chart/Chart.yaml chart/templates chart/values.yaml values/prod.yaml";
    assert!(refused.stdout.contains(&format!("git diff {id} -- {parts}\n")), "{refused}");
}

#[test]
fn a_chart_is_named_as_a_whole() {
    let Some((fixture, id)) = with_a_chart() else { return };
    // Nobody names these values: they are part of the chart.
    fixture.sandbox.replace(
        "collimate.yaml",
        "chart: chart, values: [chart/values-dev.yaml]",
        "compose: [compose/dev.yaml]",
    );
    fixture.sandbox.write("chart/values.yaml", "replicas: 3\n");
    let refused = fixture.run(&BACK, 1);
    assert!(refused.stdout.contains(&format!("git diff {id} -- chart values/prod.yaml\n")), "{refused}");
    assert!(refused.stderr.starts_with("error: the configuration of prod changed"), "{refused}");
}

/// Stable is deployed by a chart, was committed and promoted since; edge uses the same chart.
fn with_a_chart() -> Option<(Fixture, String)> {
    let (fixture, _) = in_git()?;
    let edge = fixture.sandbox.read("compose/dev.yaml");
    let image =
        edge.lines().find_map(|line| line.trim().strip_prefix("image: ")?.split(' ').next()).unwrap().to_owned();
    let digest = fixture.sandbox.read("compose/stage.yaml").split("sha256:").nth(1).unwrap()[..64].to_owned();
    fixture
        .sandbox
        .replace(
            "collimate.yaml",
            "prod: {channel: stable, ring: prod, compose: [compose/prod.yaml]}",
            "prod: {channel: stable, ring: stage, chart: chart, values: [values/prod.yaml]}",
        )
        .replace("collimate.yaml", "rings: [stage, prod]", "rings: [stage]")
        .replace("collimate.yaml", "profiles:\n", "profiles:\n  lab: {channel: edge, chart: chart, values: [chart/values-dev.yaml]}\n")
        .write("chart/values-dev.yaml", format!("image: {image}\n"))
        .write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n")
        .write("chart/values.yaml", "replicas: 1\n")
        .write("values/prod.yaml", format!("image: registry.example.org/web:1.1@sha256:{digest}\n"))
        .write(
            "chart/templates/web.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: {{ .Values.replicas }}\n  \
             selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      \
             containers: [{name: web, image: \"{{ .Values.image }}\"}]\n",
        );
    let id = commit(&fixture, "a chart");
    fixture.run(&["promote", "edge", "stable"], 0);
    assert!(
        fixture.sandbox.read("values/prod.yaml").contains("web:1.2@"),
        "{}",
        fixture.sandbox.read("values/prod.yaml")
    );
    Some((fixture, id))
}

/// Edge got a service that stable takes over; the profile uses it, and the release before does not have it.
fn with_a_new_component() -> Option<(Fixture, String)> {
    let (fixture, id) = in_git()?;
    let late = format!("registry.example.org/late:1.1@sha256:{}", "5".repeat(64));
    let edge = fixture.sandbox.read("releases/edge.yaml");
    let listed = format!(
        "  late:\n    image: registry.example.org/late\n    tag: \"1.1\"\n    digest: sha256:{}\n",
        "5".repeat(64)
    );
    fixture.sandbox.write("releases/edge.yaml", edge + &listed);
    let service = format!("  late: {{image: \"{late}\"}}\n");
    fixture.sandbox.write("compose/dev.yaml", fixture.sandbox.read("compose/dev.yaml") + &service);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.write("compose/stage.yaml", fixture.sandbox.read("compose/stage.yaml") + &service);
    fixture.run(&["check", "--deny", "warnings"], 0);
    commit(&fixture, "1.1.0 with late");
    Some((fixture, id))
}

#[test]
fn a_component_that_came_since_can_be_taken_out_with_the_configuration() {
    let Some((fixture, id)) = with_a_new_component() else { return };
    for more in [&[][..], &["--keep-config"]] {
        let refused = fixture.run(&[&BACK[..], more].concat(), 1);
        assert!(refused.stdout.contains("late"), "the finding names it: {refused}");
        assert!(refused.stderr.contains("`1.0.0` does not list what came after it: late\n"), "{refused}");
        assert!(refused.stderr.contains(&format!("git restore --source={id} -- ")), "{refused}");
    }
    shell(fixture.sandbox.root(), &format!("git restore --source={id} -- compose/stage.yaml"));
    fixture.run(&[&BACK[..], &["--with-config"]].concat(), 0);
    assert!(!fixture.sandbox.read("compose/stage.yaml").contains("late"));
    fixture.run(&["check"], 0);
}

#[test]
fn a_component_that_came_since_can_be_kept_by_going_forward() {
    let Some((fixture, _)) = with_a_new_component() else { return };
    let old = fixture.sandbox.read("releases/archive/1.0.0.yaml");
    let digest = old.split("web:\n").nth(1).unwrap().split("digest: ").nth(1).unwrap().lines().next().unwrap();
    fixture.run(&["release", "new", "1.1.1", "--from", "stable"], 0);
    fixture.run(&["release", "set", &format!("web=1.1@{digest}"), "--release", "releases/1.1.1.yaml"], 0);
    fixture.run(&["promote", "--release", "releases/1.1.1.yaml", "stable"], 0);
    assert_eq!(fixture.version_in("stage"), "1.1.1");
    let stage = fixture.sandbox.read("compose/stage.yaml");
    assert!(
        stage.contains("registry.example.org/web:1.1@") && stage.contains("registry.example.org/late:1.1@"),
        "{stage}"
    );
    fixture.run(&["check"], 0);
}
