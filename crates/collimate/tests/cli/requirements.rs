//! Every path and command of the document that this tree implements: there and working.

use std::process::Command;

use release::{Group, Release};
use source::FileId;
use testkit::Cli;

use crate::tree::{Tree, repository};

const THERE: &[&str] = &[
    "deploy/README.md",
    "deploy/releases/2025.10-edge.yaml",
    "deploy/releases/2025.09-stable.yaml",
    "deploy/releases/2025.09-airgap.yaml",
    "deploy/compose/docker-compose.dev.yaml",
    "deploy/compose/docker-compose.stage.yaml",
    "deploy/compose/docker-compose.prod.yaml",
    "deploy/compose/docker-compose.airgap.yaml",
    "deploy/compose/env/dev.env.example",
    "deploy/compose/env/stage.env.example",
    "deploy/compose/env/prod.env.example",
    "deploy/compose/env/airgap.env.example",
    "deploy/helm/stellaops/Chart.yaml",
    "deploy/helm/stellaops/values.yaml",
    "deploy/helm/stellaops/values-dev.yaml",
    "deploy/helm/stellaops/values-stage.yaml",
    "deploy/helm/stellaops/values-prod.yaml",
    "deploy/helm/stellaops/values-airgap.yaml",
    "deploy/tools/validate-profiles.sh",
    "deploy/tools/check-channel-alignment.py",
    "deploy/compose/docker-compose.telemetry.yaml",
    "deploy/compose/docker-compose.telemetry-storage.yaml",
    "deploy/telemetry/otel-collector-config.yaml",
    "ops/devops/telemetry/generate_dev_tls.sh",
    "ops/devops/telemetry/package_offline_bundle.py",
    "ops/devops/telemetry/smoke_otel_collector.py",
    ".gitea/workflows/build-test-deploy.yml",
    "deploy/compose/docker-compose.mirror.yaml",
    "deploy/compose/env/mirror.env.example",
    "deploy/helm/stellaops/values-mirror.yaml",
    // Run word for word by `runbook.rs`.
    "docs/ops/deployment-upgrade-runbook.md",
];

#[test]
fn every_path_is_there() {
    let root = repository();
    for path in THERE {
        assert!(root.join(path).is_file(), "`{path}` is missing");
    }
}

/// Runs a documented entry point of a copied tree, with the program named by `COLLIMATE`.
fn entry_point(tree: &Tree, path: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Cli::new(tree.path(path))
        .folder(tree.path("deploy"))
        .args(arguments.iter().copied())
        .env("COLLIMATE", env!("CARGO_BIN_EXE_collimate"))
        .env("PATH", std::env::var("PATH").unwrap())
        .output();
    (output.exit, output.stdout, output.stderr)
}

#[test]
fn the_alignment_checker_checks_each_channel() {
    let tree = Tree::copy();
    for (release, targets) in [
        ("2025.10-edge.yaml", &["helm/stellaops/values-dev.yaml", "compose/docker-compose.dev.yaml"][..]),
        (
            "2025.09-stable.yaml",
            &[
                "helm/stellaops/values-stage.yaml",
                "helm/stellaops/values-prod.yaml",
                "helm/stellaops/values-mirror.yaml",
                "compose/docker-compose.stage.yaml",
                "compose/docker-compose.prod.yaml",
                "compose/docker-compose.mirror.yaml",
            ],
        ),
        ("2025.09-airgap.yaml", &["helm/stellaops/values-airgap.yaml", "compose/docker-compose.airgap.yaml"]),
    ] {
        let release = format!("releases/{release}");
        let mut arguments = vec!["--release", release.as_str(), "--ignore-repo", "nats"];
        for target in targets {
            arguments.extend(["--target", target]);
        }
        let (code, stdout, stderr) = entry_point(&tree, "deploy/tools/check-channel-alignment.py", &arguments);
        assert_eq!(code, 0, "{release}: {stdout}{stderr}");
    }
}

#[test]
fn the_alignment_checker_finds_the_wrong_channel() {
    let tree = Tree::copy();
    let arguments = ["--release", "releases/2025.10-edge.yaml", "--target", "compose/docker-compose.prod.yaml"];
    let (code, stdout, stderr) = entry_point(&tree, "deploy/tools/check-channel-alignment.py", &arguments);
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.contains("error[digest-mismatch]"), "{stdout}");
}

#[test]
fn the_validator_says_which_tool_is_missing() {
    let tree = Tree::copy();
    // A PATH with what the script itself needs and nothing else.
    let tools = tempfile::tempdir().unwrap();
    for tool in ["sh", "dirname", "readlink"] {
        let path = std::env::var_os("PATH").unwrap();
        let program = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|program| program.is_file());
        let program = program.unwrap();
        std::os::unix::fs::symlink(program, tools.path().join(tool)).unwrap();
    }
    let output = Command::new(tools.path().join("sh"))
        .arg(tree.path("deploy/tools/validate-profiles.sh"))
        .env_clear()
        .env("PATH", tools.path())
        .env("COLLIMATE", env!("CARGO_BIN_EXE_collimate"))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("docker compose"), "{stderr}");
}

fn release(path: &str) -> Release {
    let text = std::fs::read_to_string(repository().join(path)).unwrap();
    let (release, problems) = Release::parse(&text, FileId(0));
    assert!(problems.is_empty(), "{path}: {problems:?}");
    release.unwrap()
}

#[test]
fn the_air_gap_release_is_the_stable_one() {
    let stable = release("deploy/releases/2025.09-stable.yaml");
    let airgap = release("deploy/releases/2025.09-airgap.yaml");
    let origin = airgap.promoted_from.as_ref().unwrap();
    assert_eq!(origin.version.value, stable.version.value);
    assert_eq!(origin.sha256.value, stable.identity().hex());
    let pins = |release: &Release| -> Vec<String> {
        release
            .components
            .iter()
            .map(|component| format!("{} {}", component.name.value, component.reference()))
            .collect()
    };
    assert_eq!(pins(&stable), pins(&airgap));
}

#[test]
fn service_digests_are_the_documented_samples() {
    for path in ["2025.10-edge.yaml", "2025.09-stable.yaml", "2025.09-airgap.yaml"] {
        let release = release(&format!("deploy/releases/{path}"));
        for component in release.components {
            assert_eq!(component.is_sample(), component.group == Group::Service, "{path}: {}", component.name.value);
        }
    }
}
