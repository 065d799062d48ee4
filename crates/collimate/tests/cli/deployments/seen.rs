//! `record deploy`: what runs, in the words of engines and clusters, and what `history` makes of it.

use serde_json::{Value, json};

use super::{gate, newest};
use crate::rollout::fixture::{Fixture, reference};

const FAR: &str = "2999-01-01T00:00:00Z";

/// An image without its tag, as engines tell what they pulled.
fn pulled(service: &str, tag: u32) -> String {
    let reference = reference(service, tag);
    let (name, digest) = reference.split_once('@').unwrap();
    format!("{}@{digest}", name.rsplit_once(':').unwrap().0)
}

fn digest(service: &str, tag: u32) -> String {
    reference(service, tag).split_once('@').unwrap().1.to_owned()
}

#[track_caller]
fn record(fixture: &Fixture, evidence: &Value, exit: i32) -> testkit::Output {
    fixture.sandbox.write("ran.json", evidence.to_string());
    fixture.run(&["record", "deploy", "stage", "--site", "berlin", "--evidence", "ran.json"], exit)
}

fn seen(moment: &str, images: &[String]) -> Value {
    json!({"schema": 1, "seen": moment, "images": images})
}

fn pod(phase: &str, containers: &[(&str, &str)]) -> Value {
    let state = if phase == "Running" { json!({"running": {}}) } else { json!({"terminated": {}}) };
    let containers: Vec<Value> =
        containers.iter().map(|(image, id)| json!({"image": image, "imageID": id, "state": state})).collect();
    json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase, "containerStatuses": containers}})
}

#[test]
fn what_runs_as_listed_is_recorded_in_every_form() {
    let (web, worker) = (pulled("web", 1), pulled("worker", 1));
    let inspected = |image: &str| json!({"Id": digest("none", 1), "RepoTags": [], "RepoDigests": [image, format!("mirror.example.org/x@{}", digest("x", 9))]});
    let container = |service: &str| json!({"State": {"Running": true}, "Config": {"Image": reference(service, 1)}});
    let listed = |service: &str| json!({"ID": digest(service, 1), "ContainerName": service, "Repository": format!("registry.example.org/{service}"), "Tag": "1.1"});
    for (form, evidence) in [
        ("our own", seen("2026-01-01T00:00:00Z", &[digest("web", 1), worker.clone()])),
        (
            "pods",
            json!({"kind": "List", "items": [
                pod("Running", &[("web:1.1", &format!("docker-pullable://{web}"))]),
                pod("Running", &[("worker:1.1", &worker)]),
                pod("Succeeded", &[("old:1", &pulled("web", 7))]),
            ]}),
        ),
        ("docker image inspect", json!([inspected(&web), inspected(&worker)])),
        ("docker inspect", json!([container("web"), container("worker")])),
        ("docker compose images", json!([listed("web"), listed("worker")])),
    ] {
        let fixture = Fixture::new();
        let recorded = record(&fixture, &evidence, 0);
        assert!(recorded.stdout.contains(": what `1.0.0` lists\n  as listed  2 images\n"), "{form}: {recorded}");
        let entry = newest(&fixture, "deployment");
        assert_eq!((gate(&entry, "as-released"), entry["to"]["version"].as_str()), ("passed", Some("1.0.0")), "{form}");
        assert_eq!((entry["channel"].as_str(), &entry["rings"]), (Some("stable"), &json!(["stage"])), "{form}");
        let images = entry["deployed"]["images"].as_array().unwrap();
        assert!([digest("web", 1), digest("worker", 1)].iter().all(|digest| images.contains(&json!(digest))), "{form}");
        fixture.is_sound();
    }
}

#[test]
fn what_differs_is_named_recorded_and_found() {
    let fixture = Fixture::new();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    // Stage should run web 1.2; it runs the old one, no worker, something else, and something without a digest.
    let evidence = json!({"kind": "List", "items": [pod("Running", &[
        ("x", &pulled("web", 1)), ("x", &pulled("other", 3)), ("built:here", &digest("built", 1)),
    ])]});
    let recorded = record(&fixture, &evidence, 1);
    for expected in [
        ": NOT what `1.1.0` lists\n  as listed  0 images\n".to_owned(),
        format!("  other      web: {} (as `1.0.0` lists) in place of {}\n", digest("web", 1), digest("web", 2)),
        format!("  missing    worker: {}\n", digest("worker", 1)),
        format!("  extra      {}\n", pulled("other", 3)),
        "  not known  built:here: the evidence has no digest of it\n".to_owned(),
        "wrote `releases/history/".to_owned(),
    ] {
        assert!(recorded.stdout.contains(&expected), "{expected}\n{recorded}");
    }
    let entry = newest(&fixture, "deployment");
    assert_eq!(gate(&entry, "as-released"), "other web; missing worker; extra 1; not known 1");
    let listed = fixture.run(&["history", "stable/stage"], 0).stdout;
    assert!(listed.contains("NOT as 1.1.0 lists (other web; missing worker; extra 1; not known 1)"), "{listed}");
    let ran = fixture.run(&["history", "--at", FAR, "--site", "berlin"], 0).stdout;
    assert!(
        ran.contains("stage  stable/stage  held 1.1.0  ran NOT as 1.1.0 lists (other web; missing worker"),
        "{ran}"
    );
    fixture.is_sound();
}

#[test]
fn an_auditor_learns_what_ran_when() {
    let fixture = Fixture::new();
    let told = |at: &str, site: &str| fixture.run(&["history", "--at", at, "--site", site], 0);
    let nothing = told(FAR, "berlin");
    assert!(nothing.stderr.contains("note: nothing is recorded of `berlin`; something is of: no site\n"), "{nothing}");
    assert!(nothing.stdout.contains("stage  stable/stage  held: not known  not known to have run\n"), "{nothing}");

    let images = [digest("web", 1), digest("worker", 1)];
    record(&fixture, &seen("2026-01-02T10:00:00Z", &images), 0);
    record(&fixture, &seen("2026-01-01T10:00:00Z", &[digest("web", 1)]), 1);
    let again = record(&fixture, &seen("2026-01-01T10:00:00Z", &[digest("web", 1)]), 1);
    assert!(again.stdout.ends_with("recorded already\n"), "{again}");
    fixture.run(&["promote", "edge", "stable"], 0);

    let late = told(FAR, "berlin").stdout;
    assert_eq!(late.lines().count(), 2, "only what was seen there: {late}");
    assert!(
        late.contains("held 1.1.0  ran 1.0.0, seen 2026-01-02T10:00:00Z, by alice; 1.1.0 not known to have run\n"),
        "{late}"
    );
    let early = told("2026-01-01", "berlin").stdout;
    assert!(early.contains("ran NOT as 1.0.0 lists (missing worker), seen 2026-01-01T10:00:00Z"), "{early}");
    let before = told("2025-12-31", "berlin").stdout;
    assert!(before.contains("stage  stable/stage  held 1.0.0  not known to have run\n"), "{before}");
    assert!(told(FAR, "paris").stderr.contains("something is of: berlin\n"));

    let json: Value =
        serde_json::from_str(&fixture.run(&["history", "--at", FAR, "--site", "berlin", "--format", "json"], 0).stdout)
            .unwrap();
    assert_eq!((json["schema"].as_u64(), json["site"].as_str()), (Some(1), Some("berlin")));
    assert_eq!(json["profiles"][0]["held"]["version"], "1.1.0");
    assert_eq!(json["profiles"][0]["ran"]["deployed"]["seen"], "2026-01-02T10:00:00Z");
    fixture.run(&["history", "--site", "berlin"], 2);
}

#[test]
fn the_configuration_that_ran_is_held_against_ours() {
    let fixture = Fixture::new();
    let images = [digest("web", 1), digest("worker", 1)];
    let mut evidence = seen("2026-01-01T00:00:00Z", &images);
    let line =
        format!("{}  compose/stage.yaml\n", rollout::Hash::of(fixture.sandbox.read("compose/stage.yaml").as_bytes()));
    evidence["configuration"] = json!(rollout::Hash::of(line.as_bytes()));
    record(&fixture, &evidence, 0);
    assert_eq!(gate(&newest(&fixture, "deployment"), "configuration"), "passed");
    evidence["configuration"] = json!("0".repeat(64));
    record(&fixture, &evidence, 0);
    let entry = newest(&fixture, "deployment");
    assert_eq!(gate(&entry, "configuration"), "another than here");
    assert_eq!(entry["deployed"]["configuration"], "0".repeat(64));
}

#[test]
fn what_runs_once_or_on_demand_is_not_missed() {
    let fixture = Fixture::new();
    let stage = fixture.sandbox.read("compose/stage.yaml");
    let once = stage.replacen(
        "    labels:\n",
        "    depends_on: {worker: {condition: service_completed_successfully}}\n    labels:\n",
        1,
    );
    assert_ne!(once, stage);
    fixture.sandbox.write("compose/stage.yaml", &once);
    record(&fixture, &seen("2026-01-01T00:00:00Z", &[digest("web", 1)]), 0);
    let named = stage.replacen("  worker:\n", "  worker:\n    profiles: [debug]\n", 1);
    assert_ne!(named, stage);
    fixture.sandbox.write("compose/stage.yaml", &named);
    record(&fixture, &seen("2026-01-02T00:00:00Z", &[digest("web", 1)]), 0);
    let scaled = stage.replacen("  worker:\n", "  worker:\n    deploy: {replicas: 0}\n", 1);
    fixture.sandbox.write("compose/stage.yaml", &scaled);
    record(&fixture, &seen("2026-01-03T00:00:00Z", &[digest("web", 1)]), 0);
    fixture.sandbox.write("compose/stage.yaml", &stage);
    record(&fixture, &seen("2026-01-04T00:00:00Z", &[digest("web", 1)]), 1);
}

#[test]
fn evidence_that_says_nothing_is_refused_and_nothing_is_recorded() {
    let fixture = Fixture::new();
    let before = fixture.entries();
    let all = [digest("web", 1), digest("worker", 1)];
    let ids = json!([{"ID": digest("config-of-web", 1), "ContainerName": "web", "Repository": "registry.example.org/web", "Tag": "1.1"}]);
    for (evidence, expected) in [
        (json!({"schema": 2}), "it has schema 2"),
        (
            json!({"schema": 1, "seen": "2026-01-01T00:00:00Z", "images": ["web:1.1"]}),
            "`web:1.1` is no image with a digest",
        ),
        (json!({"schema": 1, "images": all}), "missing field `seen`"),
        (json!({"kind": "List", "items": []}), "nothing runs there"),
        (json!([{"Name": "x"}]), "it is none of the forms that are understood"),
        (seen(FAR, &all), "which is to come"),
        (ids, "names images by the engine's own IDs"),
    ] {
        let refused = record(&fixture, &evidence, 3);
        assert!(refused.stderr.contains(expected), "{expected}\n{refused}");
    }
    fixture.sandbox.write("ran.json", seen("2026-01-01T00:00:00Z", &all).to_string());
    let deploy = |arguments: &[&str], exit: i32, expected: &str| {
        let refused = fixture.run(&[&["record", "deploy"], arguments].concat(), exit);
        assert!(refused.stderr.contains(expected), "{expected}\n{refused}");
    };
    deploy(&["stge", "--site", "b", "--evidence", "ran.json"], 2, "did you mean `stage`?");
    deploy(&["stage", "--site", "b", "--evidence", "none.json"], 3, "cannot read `none.json`");
    deploy(&["stage", "--site", " ", "--evidence", "ran.json"], 2, "`deployed` must be one line");
    deploy(&["stage", "--evidence", "ran.json"], 2, "--site");
    deploy(
        &["stage", "--site", "b", "--evidence", "ran.json", "--seen", "2026-01-02T00:00:00Z"],
        2,
        "is not what `ran.json` says",
    );
    deploy(&["stage", "--site", "b", "--evidence", "ran.json", "--seen", "today"], 2, "a moment is written in UTC");
    fixture.sandbox.replace("compose/stage.yaml", "services:", "services: [");
    deploy(&["stage", "--site", "b", "--evidence", "ran.json"], 3, "cannot render `stage`");
    assert_eq!(fixture.entries(), before);
}

#[test]
fn of_manifests_only_what_lasts_is_missed() {
    let fixture = Fixture::new();
    let image = |service: &str| format!("{{name: c, image: \"{}\"}}", reference(service, 1));
    let object = |kind: &str, init: &str, main: &str| {
        let spec = format!("{{initContainers: [{init}], containers: [{main}]}}");
        format!("---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec:\n  template: {{spec: {spec}}}\n")
    };
    let (web, worker) = (image("web"), image("worker"));
    fixture
        .sandbox
        .replace("collimate.yaml", "compose: [compose/stage.yaml]", "manifests: [all.yaml]")
        .write("all.yaml", object("Deployment", "", &worker));
    let look = |exit: i32, second: usize| {
        record(&fixture, &seen(&format!("2026-01-01T00:00:{second:02}Z"), &[digest("web", 1)]), exit)
    };
    assert!(look(1, 1).stdout.contains("  missing    worker: "));
    for (index, other) in [
        object("Job", "", &worker),
        object("Deployment", "", &worker).replace("  template:", "  replicas: 0\n  template:"),
        object("Deployment", &worker, &web),
    ]
    .into_iter()
    .enumerate()
    {
        // Web runs beside it, so that something is right.
        fixture.sandbox.write("all.yaml", other + &object("StatefulSet", "", &web));
        look(0, 10 + index);
    }
}
