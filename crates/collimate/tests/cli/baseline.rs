//! `check --baseline`: fails on new findings only; `--write-baseline` makes and shrinks the file.

use testkit::Cli;

use crate::tree::Tree;

const DIGEST: &str = "sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";

const WORKSPACE: &str = "schema: 1
channels: {current: {release: release.yaml}}
profiles:
  one: {channel: current, compose: [one.yaml]}
  two: {channel: current, compose: [two.yaml]}
";

fn release(version: &str) -> String {
    format!(
        "schema: 1\nversion: {version}\nchannel: current\ndigests: resolved\ncomponents:\n  \
         app: {{image: registry.example.org/app, tag: 1.0.0, digest: {DIGEST}}}\n"
    )
}

/// Two profiles that pin nothing.
fn tree() -> Tree {
    let unpinned = "services:\n  app: {image: registry.example.org/app:1.0.0}\n";
    Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("release.yaml", &release("1.0.0")),
        ("one.yaml", unpinned),
        ("two.yaml", unpinned),
    ])
}

/// A tree whose two findings are in `baseline.yaml`.
fn known() -> Tree {
    let tree = tree();
    tree.program(&["check", "--write-baseline", "baseline.yaml"]).stderr("wrote `baseline.yaml`: 2 findings\n").run();
    tree
}

fn check(tree: &Tree, more: &[&str]) -> Cli {
    tree.program(&[&["check", "--baseline", "baseline.yaml"], more].concat())
}

const KNOWN: &str = "\
current  one  1 image  aligned, but for 1 known finding
current  two  1 image  aligned, but for 1 known finding

2 findings known from `baseline.yaml`
2 profiles: no findings
";

#[test]
fn what_was_there_does_not_fail_and_what_is_new_does() {
    let tree = known();
    let written = tree.read("baseline.yaml");
    let lines: Vec<&str> = written.lines().skip(2).collect();
    let [schema, list, one, two] = lines.as_slice() else { panic!("{written}") };
    assert_eq!((*schema, *list), ("schema: 1", "findings:"));
    for (line, name) in [(one, "one"), (two, "two")] {
        let rest = format!(
            "\", rule: image-unpinned, file: {name}.yaml, message: \"profile `{name}` uses `app` without a digest\"}}"
        );
        assert!(line.starts_with("  - {id: \"") && line.ends_with(&rest), "{line}");
    }
    check(&tree, &[]).stdout(KNOWN).run();
    // Lines move, and a release comes.
    tree.write("one.yaml", &format!("# a comment\n\n{}", tree.read("one.yaml")));
    tree.write("release.yaml", &release("1.1.0"));
    check(&tree, &[]).stdout(KNOWN).run();
    check(&tree, &["--format", "github"]).run();
    // The same twice, and something else.
    tree.write("two.yaml", "services:\n  app: {image: registry.example.org/app:1.0.1}\n");
    let output = check(&tree, &["--format", "github"]).exit(1).stdout_has("::error file=two.yaml").run();
    assert!(!output.stdout.contains("one.yaml"), "{output}");
    tree.program(&["check"]).exit(1).any_stdout().run();
}

#[test]
fn programs_see_what_is_accepted_and_why() {
    let tree = known();
    let json: serde_json::Value =
        serde_json::from_str(&check(&tree, &["--format", "json"]).any_stdout().run().stdout).unwrap();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!(json["accepted"].as_array().unwrap().len(), 2);
    assert_eq!(json["accepted"][0]["because"], "listed in the baseline `baseline.yaml`");
    let sarif: serde_json::Value =
        serde_json::from_str(&check(&tree, &["--format", "sarif"]).any_stdout().run().stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert_eq!(result["suppressions"][0]["status"], "accepted", "{result}");
    }
}

#[test]
fn what_is_mended_is_said_and_taken_out() {
    let tree = known();
    let pinned = format!("services:\n  app: {{image: registry.example.org/app:1.0.0@{DIGEST}}}\n");
    tree.write("one.yaml", &pinned);
    tree.write("two.yaml", &format!("{}  again: {{image: registry.example.org/app:1.0.0}}\n", tree.read("two.yaml")));
    let before = tree.read("baseline.yaml");
    check(&tree, &["--write-baseline", "baseline.yaml"])
        .exit(1)
        .stdout_has("2 profiles: 2 errors\n")
        .stderr("wrote `baseline.yaml`: 0 findings\n")
        .run();
    // Two where one was known are two new ones: what is new is never written.
    assert!(tree.read("baseline.yaml").ends_with("schema: 1\nfindings: []\n"));
    tree.write("baseline.yaml", &before);
    tree.replace("two.yaml", "  again: {image: registry.example.org/app:1.0.0}\n", "");
    let mended = "\
1 finding known from `baseline.yaml`
1 finding of `baseline.yaml` mended: `collimate check --baseline baseline.yaml --write-baseline baseline.yaml` takes out what is not found any more
";
    check(&tree, &[]).stdout_has(mended).run();
    // What was not looked at is not mended.
    check(&tree, &["two"]).stdout("current  two  1 image  aligned, but for 1 known finding\n\n1 finding known from `baseline.yaml`\n1 profile: no findings\n").run();
    check(&tree, &["--write-baseline", "baseline.yaml"])
        .any_stdout()
        .stderr("wrote `baseline.yaml`: 1 finding\n")
        .run();
    let after = tree.read("baseline.yaml");
    assert!(before.lines().count() == after.lines().count() + 1, "{after}");
    assert!(after.lines().all(|line| before.contains(line)), "{after}");
    check(&tree, &["--write-baseline", "baseline.yaml"]).any_stdout().any_stderr().run();
    assert_eq!(tree.read("baseline.yaml"), after, "written again it has the same bytes");
}

#[test]
fn a_file_that_is_none_is_refused() {
    let tree = tree();
    check(&tree, &[])
        .exit(3)
        .stderr(
            "error: cannot read the baseline `baseline.yaml`\ncaused by: `baseline.yaml` does not exist\n\
             hint: `collimate check --write-baseline baseline.yaml` makes one of what is found today\n",
        )
        .run();
    tree.write("baseline.yaml", "{\"runs\": []}\n");
    check(&tree, &[])
        .exit(3)
        .stderr_has("baseline.yaml:1:2")
        .stderr_has("unknown key `runs`")
        .stderr_has("error: `baseline.yaml` has 3 problems\nhint: `--write-baseline` writes it anew")
        .run();
    tree.program(&["check", "one", "--write-baseline", "baseline.yaml"]).exit(2).any_stderr().run();
    tree.program(&["check", "--write-baseline", "no/such/baseline.yaml"]).exit(4).any_stderr().run();
}
