//! The shipped tree before the real tools: Compose output equal as a tree, Helm output equal byte for byte, both verdicts equal.

use std::os::unix::fs::PermissionsExt as _;

use crate::tree::Tree;

/// A folder that holds the peers under the names that the program looks for.
fn path_with_peers() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    for (peer, name) in [("helm3", "helm"), ("compose", "docker-compose")] {
        std::os::unix::fs::symlink(testkit::peer(peer)?, folder.path().join(name)).unwrap();
    }
    Some(folder)
}

#[test]
fn the_real_tools_agree_on_every_profile() {
    let Some(path) = path_with_peers() else { return };
    let tree = Tree::copy();
    tree.program(&["check", "--peers=require"])
        .env("PATH", path.path().to_str().unwrap())
        .stdout_has("`docker compose` agrees on 5 of 5 profiles\n")
        .stdout_has("`helm` agrees on 5 of 5 profiles\n")
        .run();
}

/// What the shipped values of the mirror leave switched off: an Ingress, several gateways, and a Service behind that Ingress.
#[test]
fn helm_agrees_on_the_rest_of_the_mirror() {
    let Some(helm) = testkit::peer("helm3") else { return };
    let tree = Tree::copy();
    let values = "deploy/helm/stellaops/values-mirror.yaml";
    let set = "mirror.ingress.enabled=true,mirror.ingress.className=nginx,mirror.ingress.annotations.passthrough=on,\
               mirror.service.type=ClusterIP,mirror.replicas=3";
    let theirs = testkit::Cli::new(helm)
        .folder(tree.path("."))
        .args([
            "template",
            "stellaops",
            "deploy/helm/stellaops",
            "--namespace",
            "mirror",
            "--values",
            values,
            "--set",
            set,
        ])
        .env("HOME", tree.path(".").as_str())
        .output();
    let name = ["--release-name", "stellaops", "--namespace", "mirror"];
    let ours = tree
        .program(&["render", "--reveal", "--chart", "deploy/helm/stellaops", "--values", values, "--set", set])
        .args(name)
        .output();
    assert_eq!((theirs.exit, ours.exit), (0, 0), "{}{}", theirs.stderr, ours.stderr);
    assert!(ours.stdout.contains("kind: Ingress\n") && ours.stdout.contains("kind: PodDisruptionBudget\n"));
    assert_eq!(ours.stdout, theirs.stdout);
}

#[test]
fn the_real_tools_are_really_asked() {
    let Some(path) = path_with_peers() else { return };
    let tree = Tree::copy();
    // A `helm` that accepts everything and prints something else.
    std::fs::remove_file(path.path().join("helm")).unwrap();
    let helm = "#!/bin/sh\n[ \"$1\" = lint ] || echo \"apiVersion: v1\"\n";
    std::fs::write(path.path().join("helm"), helm).unwrap();
    std::fs::set_permissions(path.path().join("helm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    tree.program(&["check", "--peers=require", "helm/dev"])
        .env("PATH", format!("{}:/bin:/usr/bin", path.path().display()))
        .stdout_has("error[peer-differs]: `helm template` renders profile `helm/dev` differently")
        .stdout_has("`helm` agrees on 0 of 1 profile\n")
        .exit(1)
        .run();
}

#[test]
fn without_the_tools_they_are_skipped_loudly() {
    let tree = Tree::copy();
    tree.program(&["check", "--peers"])
        .stdout_has("skipped: `docker compose` is not installed, so it was not asked\n")
        .stdout_has("skipped: `helm` is not installed, so it was not asked\n")
        .run();
}
