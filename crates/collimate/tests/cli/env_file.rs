//! `check --env-file`: an operator's own values over those of the example.

use testkit::Output;

use crate::tree::Tree;

const EXAMPLE: &str = "deploy/compose/env/stage.env.example";
const OWN: &str = "deploy/compose/env/stage.env";

/// A tree with an operator's file: the example without images, its placeholders replaced.
fn tree() -> Tree {
    let tree = Tree::copy();
    let example = tree.read(EXAMPLE);
    let own = example.lines().filter(|line| !line.contains("_IMAGE="));
    tree.write(OWN, &own.map(|line| line.replace("change-me:", "own-") + "\n").collect::<String>());
    tree
}

fn check(tree: &Tree, exit: i32, files: &[&str]) -> Output {
    let files = files.iter().flat_map(|file| ["--env-file", file]);
    let arguments: Vec<&str> = ["check", "compose/stage", "--deny", "warnings"].into_iter().chain(files).collect();
    tree.program(&arguments).any_stdout().exit(exit).run()
}

#[test]
fn the_later_file_wins() {
    let tree = tree();
    check(&tree, 0, &[EXAMPLE, OWN]);
    // The other way round the placeholders are what counts.
    let output = check(&tree, 1, &[OWN, EXAMPLE]);
    assert!(output.stdout.contains("error[placeholder-in-use]: variable `MONGO_PASSWORD`"), "{output}");
    // Alone it lacks the images.
    let output = check(&tree, 1, &[OWN]);
    assert!(output.stdout.contains("required variable OTEL_COLLECTOR_IMAGE is missing a value"), "{output}");
}

#[test]
fn a_secret_that_the_release_wants_is_missed() {
    let tree = tree();
    tree.replace(OWN, "REDIS_PASSWORD=own-redis-password\n", "");
    let output = check(&tree, 1, &[EXAMPLE, OWN]);
    assert!(output.stdout.contains("error[placeholder-in-use]: variable `REDIS_PASSWORD` still holds"), "{output}");
    assert!(output.stdout.contains("1 profile: 1 error"), "{output}");
}

#[test]
fn an_image_of_its_own_outlives_no_upgrade() {
    let tree = tree();
    let own = tree.read(OWN);
    let old = "docker.io/prom/prometheus@sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a";
    tree.write(OWN, &format!("{own}PROMETHEUS_IMAGE={old}\n"));
    let output = check(&tree, 1, &[EXAMPLE, OWN]);
    assert!(output.stdout.contains("error[digest-mismatch]") && output.stdout.contains("stage.env:"), "{output}");
}
