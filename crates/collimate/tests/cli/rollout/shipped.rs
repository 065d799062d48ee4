//! The shipped tree: promoted, gone back and promoted on, green after every step.

use crate::tree::Tree;

#[track_caller]
fn run(tree: &Tree, arguments: &[&str]) -> String {
    tree.program(arguments).env("COLLIMATE_BY", "alice").any_stdout().any_stderr().run().stdout
}

#[track_caller]
fn is_green(tree: &Tree) {
    tree.program(&["check", "--deny", "warnings"]).any_stdout().run();
    run(tree, &["history", "--verify"]);
}

/// Files of the profiles of a channel, in which a rollback must leave no trace.
const STAGE: [&str; 4] = [
    "deploy/compose/docker-compose.stage.yaml",
    "deploy/compose/env/stage.env.example",
    "deploy/helm/stellaops/values-stage.yaml",
    "deploy/releases/2025.09-stable.yaml",
];

#[test]
fn the_shipped_tree_is_green_after_every_step() {
    let tree = Tree::copy();
    tree.write("smoke.json", super::fixture::GREEN);
    let original = STAGE.map(|path| tree.read(path));
    run(&tree, &["mark-good", "stable", "--evidence", "smoke.json"]);
    is_green(&tree);
    run(&tree, &["promote", "edge", "stable", "--allow-sample-digests"]);
    is_green(&tree);
    for (path, original) in STAGE.iter().zip(&original) {
        assert_ne!(tree.read(path), *original, "{path}");
    }
    run(&tree, &["rollback", "stable", "--reason", "it broke"]);
    is_green(&tree);
    assert_eq!(STAGE.map(|path| tree.read(path)), original);
    run(&tree, &["hold", "lift", "stable"]);
    run(&tree, &["promote", "edge", "stable", "--allow-sample-digests"]);
    is_green(&tree);
    run(&tree, &["promote", "stable", "airgap", "--allow-sample-digests"]);
    is_green(&tree);
    assert!(tree.read("deploy/releases/2025.09-airgap.yaml").contains("version: 2025.10.0-airgap\n"));
}
