//! A workspace with no more in it than the bundle needs, and the files that a run leaves.

use bundle::{Beside, BesideFile};
use camino::Utf8Path;

use crate::tree::Tree;

pub(super) const ARCHIVE: &str = "telemetry-offline-bundle.tar.gz";

const WORKSPACE: &str = "\
schema: 1
channels:
  airgap: {release: deploy/releases/airgap.yaml}
profiles:
  compose/airgap:
    channel: airgap
    compose: [deploy/compose/docker-compose.airgap.yaml]
    env: [deploy/compose/env/airgap.env.example]
    overlays: [telemetry]
    registry_map: {docker.io: registry.airgap.internal, registry.example.org: registry.airgap.internal}
  helm/airgap:
    channel: airgap
    chart: deploy/helm/stellaops
    values: [deploy/helm/stellaops/values-airgap.yaml]
    registry_map: {docker.io: registry.airgap.internal, registry.example.org: registry.airgap.internal}
overlays:
  telemetry: {compose: [deploy/compose/docker-compose.telemetry.yaml]}
unmanaged:
  - {image: docker.io/library/nats, reason: upstream}
";

const RELEASE: &str = "\
schema: 1
version: 1.2.3
channel: airgap
date: 2025-09-24T00:00:00Z
digests: sample
components:
  app:
    image: registry.example.org/app
    tag: 1.2.3
    digest: sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1
infrastructure:
  otel:
    image: docker.io/otel/collector
    tag: 0.1.0
    digest: sha256:0d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e0
";

pub(super) const NATS: &str = "nats:2@sha256:1d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";

/// The smallest workspace from which the bundle can be packed.
pub(super) fn workspace() -> Tree {
    let digest = "@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";
    let base = format!(
        "services:\n  app: {{image: registry.airgap.internal/app:1.2.3{digest}}}\n  nats: {{image: registry.airgap.internal/library/{NATS}}}\n"
    );
    let otel = "OTEL=registry.airgap.internal/otel/collector@sha256:0d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e0\n\
        REDIS_PASSWORD=change-me:redis-password\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n    - {name: app, image: {{ .Values.image }}}\n";
    let image = format!("image: registry.airgap.internal/app:1.2.3{digest}\n");
    Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("deploy/releases/airgap.yaml", RELEASE),
        ("deploy/compose/docker-compose.airgap.yaml", &base),
        ("deploy/compose/docker-compose.telemetry.yaml", "services:\n  otel: {image: '${OTEL:?}'}\n"),
        ("deploy/compose/docker-compose.telemetry-storage.yaml", "services: {}\n"),
        ("deploy/compose/docker-compose.prod.yaml", "services: {}\n"),
        ("deploy/compose/env/airgap.env.example", otel),
        ("deploy/compose/env/airgap.env", "REDIS_PASSWORD=hunter2\n"),
        ("deploy/telemetry/otel-collector-config.yaml", "receivers: {}\n"),
        ("deploy/telemetry/otel-collector-config.airgap.yaml", "exporters: {}\n"),
        ("deploy/telemetry/storage/prometheus.yaml", "global: {}\n"),
        ("deploy/telemetry/storage/tempo.yaml", "server: {}\n"),
        ("deploy/telemetry/storage/loki.yaml", "server: {}\n"),
        ("deploy/telemetry/storage/rules/a.yaml", "groups: []\n"),
        ("deploy/telemetry/storage/rules/tests/a.yaml", "tests: []\n"),
        ("deploy/telemetry/certs/collector/tls.key", "a key that is not looked at\n"),
        ("deploy/helm/stellaops/Chart.yaml", "apiVersion: v2\nname: stellaops\nversion: 1.0.0\n"),
        ("deploy/helm/stellaops/values.yaml", "image: none\n"),
        ("deploy/helm/stellaops/values-airgap.yaml", &image),
        ("deploy/helm/stellaops/values-prod.yaml", &image),
        ("deploy/helm/stellaops/templates/pod.yaml", pod),
        ("docs/telemetry.md", "# Telemetry\n"),
        ("deploy/tools/collimate.sh", "#!/bin/sh\n"),
        ("ops/devops/telemetry/generate_dev_tls.sh", "#!/bin/sh\n"),
        ("ops/devops/telemetry/smoke_otel_collector.py", "#!/usr/bin/env python3\n"),
    ])
}

/// A key pair in the tree, `key` and `key.pub`.
pub(super) fn with_key(tree: &Tree, name: &str) {
    tree.program(&["key", "new", name]).any_stdout().run();
}

/// A workspace whose bundle is in `out`, signed with `key`.
pub(super) fn signed() -> Tree {
    let tree = workspace();
    with_key(&tree, "key");
    tree.program(&["bundle", "telemetry", "--sign", "key", "--output", "out"]).any_stdout().run();
    tree
}

pub(super) fn bytes(tree: &Tree, path: &str) -> Vec<u8> {
    std::fs::read(tree.path(path)).unwrap()
}

pub(super) fn write(tree: &Tree, path: &str, bytes: &[u8]) {
    std::fs::write(tree.path(path), bytes).unwrap();
}

/// What lies beside an archive.
pub(super) fn beside(archive: &Utf8Path) -> Beside {
    let mut beside = Beside::default();
    for file in BesideFile::ALL {
        beside.set(file, std::fs::read(format!("{archive}{}", file.suffix())).ok());
    }
    beside
}
