//! The shipped tree: new releases of edge, and a hotfix of one service, green after every step.

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

/// The tags and names of edge's services.
fn services(tree: &Tree) -> Vec<(String, String)> {
    let shown: serde_json::Value =
        serde_json::from_str(&run(tree, &["release", "show", "edge", "--format", "json"])).unwrap();
    let components = shown["releases"][0]["components"].as_array().unwrap().iter();
    components
        .filter(|component| component["infrastructure"] == false)
        .map(|component| ["name", "image"].map(|key| component[key].as_str().unwrap().to_owned()))
        .map(|[name, image]| (name, image))
        .collect()
}

#[test]
fn the_shipped_tree_is_green_after_a_new_release_a_build_of_all_and_one_of_a_single_service() {
    let tree = Tree::copy();
    let tag = "2025.11.0-edge";
    run(&tree, &["release", "new", tag, "--channel", "edge", "--tag", tag, "--allow-sample-digests"]);
    is_green(&tree);
    let manifest = tree.read("deploy/releases/2025.10-edge.yaml");
    assert!(manifest.contains("version: 2025.11.0-edge\ncalendar: \"2025.11\"\n"), "{manifest}");

    let services = services(&tree);
    let built: String = services
        .iter()
        .map(|(_, image)| format!("{image}:2025.11.1-edge@{}\n", release::Digest::sha256(image.as_bytes())))
        .collect();
    tree.write("built.txt", &built);
    let new = |version: &'static str| {
        ["release", "new", version, "--channel", "edge", "--from-file", "built.txt", "--allow-sample-digests"]
    };
    run(&tree, &new("2025.11.1-edge"));
    is_green(&tree);

    // One service is mended; the others keep tag and digest.
    let (mended, kept) = services.split_first().unwrap();
    let line = format!("{}:2025.11.2-edge@{}\n", mended.1, release::Digest::sha256(b"mended"));
    tree.write("built.txt", &line);
    let names = kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
    run(&tree, &[&new("2025.11.2-edge")[..], &["--keep", &names]].concat());
    is_green(&tree);
    run(&tree, &["promote", "edge", "stable", "--allow-sample-digests"]);
    is_green(&tree);
}
