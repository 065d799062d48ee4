//! Things that go wrong in a deployment tree, put into a copy of ours one by one. Each must give exactly the expected
//! findings, at the place of the change itself. What can be done to a place alone is generated (`generated_mutations`); here is what needs
//! several changes at once, or what more than one finding must say.

use crate::tree::{Tree, find};

/// A finding that must be there: rule, file, and the text at whose start it must point.
struct Expected {
    rule: &'static str,
    file: &'static str,
    /// Text in the changed file; the finding starts where `at` starts within it.
    line: String,
    at: &'static str,
}

fn expect(rule: &'static str, file: &'static str, line: impl Into<String>, at: &'static str) -> Expected {
    Expected { rule, file, line: line.into(), at }
}

/// Changes the tree, checks it, and compares errors and warnings (notes are not about the change).
#[track_caller]
fn check(change: impl FnOnce(&Tree), expected: &[Expected]) {
    let tree = Tree::copy();
    change(&tree);
    let report = tree.check_json();
    let mut found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] != "note")
        .map(|finding| {
            let place = &finding["place"];
            format!("{} {}:{}:{}", text(&finding["rule"]), text(&place["file"]), place["line"], place["column"])
        })
        .collect();
    let mut wanted: Vec<String> = expected
        .iter()
        .map(|expected| {
            let content = tree.read(expected.file);
            let line = find(&content, &expected.line);
            let start = line + expected.line.find(expected.at).expect("`at` lies in `line`");
            let before = &content[..start];
            let number = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("{} {}:{number}:{column}", expected.rule, expected.file)
        })
        .collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{report:#}");
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

const STAGE: &str = "deploy/compose/docker-compose.stage.yaml";
const PROD: &str = "deploy/compose/docker-compose.prod.yaml";
const STAGE_VALUES: &str = "deploy/helm/stellaops/values-stage.yaml";
const SIGNER: &str = "sha256:9c05d3819ee52222096f5caf103e4d392652497819cbe6a2a8786652333206c3";
const WRONG: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn nothing_changed() {
    check(|_| {}, &[]);
}

#[test]
fn wrong_digest_in_a_values_file() {
    check(|tree| tree.replace(STAGE_VALUES, SIGNER, WRONG), &[expect("digest-mismatch", STAGE_VALUES, WRONG, WRONG)]);
}

#[test]
fn an_image_that_no_release_lists() {
    check(
        |tree| tree.replace(PROD, &format!("stellaops/signer@{SIGNER}"), &format!("stellaops/singer@{SIGNER}")),
        &[
            expect("image-unlisted", PROD, "registry.stella-ops.org/stellaops/singer", "singer"),
            expect(
                "profiles-differ",
                "deploy/helm/stellaops/values-prod.yaml",
                "stellaops/signer\n",
                "stellaops/signer",
            ),
        ],
    );
}

#[test]
fn an_anchor_that_two_services_share() {
    check(
        |tree| {
            tree.replace(
                STAGE,
                &format!("    image: registry.stella-ops.org/stellaops/signer@{SIGNER}"),
                &format!("    image: &signer registry.stella-ops.org/stellaops/signer@{WRONG}"),
            );
            tree.replace(
                STAGE,
                "\n  attestor:\n",
                "\n  signer-shadow:\n    <<: *service\n    image: *signer\n    networks: [backend]\n\n  attestor:\n",
            );
        },
        &[expect("digest-mismatch", STAGE, WRONG, WRONG)],
    );
}

#[test]
fn an_init_container() {
    let tree = Tree::copy();
    let values = tree.read(STAGE_VALUES);
    let nginx = values.split("  nginx:\n").nth(1).unwrap();
    let digest = &nginx[nginx.find("sha256:").unwrap()..][..71].to_owned();
    check(|tree| tree.replace(STAGE_VALUES, digest, WRONG), &[expect("digest-mismatch", STAGE_VALUES, WRONG, WRONG)]);
}

#[test]
fn a_host_outside_the_air_gap() {
    const ENV: &str = "deploy/compose/env/airgap.env.example";
    let tree = Tree::copy();
    let env = tree.read(ENV);
    let line = env.lines().find(|line| line.starts_with("AUTHORITY_ISSUER=")).unwrap().to_owned();
    check(
        |tree| tree.replace(ENV, &line, "AUTHORITY_ISSUER=https://authority.example.org"),
        &[expect("outbound-host", ENV, "AUTHORITY_ISSUER=https://authority.example.org", "authority.example.org")],
    );
}

#[test]
fn a_digest_in_a_shared_file() {
    const VALUES: &str = "deploy/helm/stellaops/values.yaml";
    check(
        |tree| {
            for profile in ["dev", "stage", "prod", "airgap"] {
                let path = format!("deploy/helm/stellaops/values-{profile}.yaml");
                let values = tree.read(&path);
                let entry = values.find("  signer:\n    registry").unwrap();
                let digest = entry + values[entry..].find("    digest:").unwrap();
                let end = digest + values[digest..].find('\n').unwrap() + 1;
                tree.write(&path, &format!("{}{}", &values[..digest], &values[end..]));
            }
            tree.write(VALUES, &format!("{}\nimages:\n  signer:\n    digest: {SIGNER}\n", tree.read(VALUES)));
            // The mirror runs no signer, and half an image is one that the schema refuses.
            let whole = "images:\n  signer:\n    registry: registry.stella-ops.org\n    repository: stellaops/signer\n";
            tree.replace("deploy/helm/stellaops/values-mirror.yaml", "images:\n", whole);
        },
        &[expect("digest-mismatch", VALUES, SIGNER, SIGNER), expect("shared-pin-conflict", VALUES, SIGNER, SIGNER)],
    );
}

#[test]
fn a_moved_tag() {
    const AIRGAP: &str = "deploy/releases/2025.09-airgap.yaml";
    let digest = format!("digest: {WRONG}");
    check(
        |tree| tree.replace(AIRGAP, SIGNER, WRONG),
        &[
            expect("release-tag-moved", AIRGAP, digest.clone(), "sha256"),
            expect("digest-mismatch", "deploy/compose/docker-compose.airgap.yaml", format!("signer@{SIGNER}"), SIGNER),
            expect("digest-mismatch", "deploy/helm/stellaops/values-airgap.yaml", SIGNER, SIGNER),
        ],
    );
}

#[test]
fn a_secret_in_an_example() {
    const ENV: &str = "deploy/compose/env/prod.env.example";
    check(
        |tree| tree.replace(ENV, "MONGO_PASSWORD=change-me:mongo-password", "MONGO_PASSWORD=hunter2hunter2"),
        &[expect("secret-value-committed", ENV, "MONGO_PASSWORD=hunter2hunter2", "hunter2hunter2")],
    );
}

#[test]
fn a_mount_of_nothing() {
    check(
        |tree| {
            let keys = "      - signer-keys:/var/lib/stellaops/signer/keys\n";
            tree.replace(PROD, keys, &format!("{keys}      - ./signer/policies:/etc/signer:ro\n"));
        },
        &[expect("mount-source-missing", PROD, "- ./signer/policies:/etc/signer:ro", "./signer")],
    );
}

#[test]
fn a_secret_that_nobody_makes() {
    check(
        |tree| {
            let secrets = "        - stellaops-redis\n        - stellaops-registry\n        - stellaops-signer-keys\n        - stellaops-smtp\n        - stellaops-telemetry-tls\n        - stellaops-tls\n\n  compose/prod:";
            tree.replace("collimate.yaml", secrets, &secrets.replacen("        - stellaops-smtp\n", "", 1));
        },
        &[expect("dangling-reference", "deploy/helm/stellaops/values.yaml", "smtp: stellaops-smtp", "stellaops-smtp")],
    );
}

#[test]
fn a_health_check_that_somebody_waits_for() {
    check(
        |tree| {
            let image = format!("    image: registry.stella-ops.org/stellaops/signer@{SIGNER}\n");
            tree.replace(PROD, &image, &format!("{image}    healthcheck: {{disable: true}}\n"));
        },
        &[expect("healthcheck-missing", PROD, "    healthcheck: {disable: true}", "healthcheck")],
    );
}

#[test]
fn the_finding_of_the_readme_is_real() {
    let tree = Tree::copy();
    let right = "sha256:710a44f90f6668911f94c3f64513e5207b178563c30fd79287c0ae3382df9a64";
    tree.replace(STAGE_VALUES, right, &right.replace("710a44f90f", "710a44f91f"));
    let (code, stdout, _) = tree.run_text(&["check", "stable"]);
    let readme = std::fs::read_to_string(crate::tree::repository().join("README.md")).unwrap();
    let finding = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(code, 1);
    assert!(stdout.starts_with(finding), "{stdout}");
    // And pinning undoes it, byte for byte.
    let (code, diff, _) = tree.run_text(&["pin", "stable", "--dry-run"]);
    let lines = |mark: char| {
        diff.lines().filter(|line| line.starts_with(mark) && !line.starts_with(&mark.to_string().repeat(3))).count()
    };
    assert_eq!((code, lines('-'), lines('+')), (0, 1, 1), "{diff}");
    assert_eq!(tree.run_text(&["pin", "stable"]).0, 0);
    assert_eq!(tree.read(STAGE_VALUES), std::fs::read_to_string(crate::tree::repository().join(STAGE_VALUES)).unwrap());
    assert_eq!(tree.run_text(&["check"]).0, 0);
}

const COLLECTOR: &str = "deploy/telemetry/otel-collector-config.yaml";
const VALUES: &str = "deploy/helm/stellaops/values.yaml";

/// The same finding for each profile that reads the file.
fn times(count: usize, expected: impl Fn() -> Expected) -> impl Iterator<Item = Expected> {
    std::iter::repeat_with(expected).take(count)
}

#[test]
fn a_collector_that_differs_from_its_twin() {
    check(
        |tree| tree.replace(COLLECTOR, "    timeout: 1s", "    timeout: 3s"),
        &times(4, || expect("collector-config-differs", COLLECTOR, "timeout: 3s", "3s")).collect::<Vec<_>>(),
    );
}

#[test]
fn a_collector_that_listens_without_tls() {
    let open = "endpoint: 0.0.0.0:1777";
    let own = times(4, || expect("collector-tls-missing", VALUES, open, "0.0.0.0"));
    // Compose has the file as it was: the twins differ, which is said at the Compose side's line.
    let twin = times(4, || expect("collector-config-differs", COLLECTOR, "endpoint: 127.0.0.1:1777", "127"));
    let expected: Vec<Expected> = own.chain(twin).collect();
    check(|tree| tree.replace(VALUES, "endpoint: 127.0.0.1:1777", open), &expected);
}

#[test]
fn a_collector_that_exports_to_what_is_not_defined() {
    let (right, wrong) = ("exporters: [otlp_http/loki]", "exporters: [otlp_http/lokki]");
    // Not behind the air gap: its values list the exporters of their own.
    let expected: Vec<Expected> = [(COLLECTOR, 4), (VALUES, 3)]
        .into_iter()
        .flat_map(|(file, count)| {
            let used = times(count, move || expect("collector-pipeline-dangling", file, wrong, "otlp_http/lokki"));
            let unused = times(count, move || expect("collector-pipeline-dangling", file, "otlp_http/loki:", "otlp"));
            used.chain(unused)
        })
        .collect();
    check(
        |tree| {
            tree.replace(COLLECTOR, right, wrong);
            tree.replace(VALUES, right, wrong);
        },
        &expected,
    );
}
