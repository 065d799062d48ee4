//! What `release diff` and `release show` say.

use serde_json::Value;
use testkit::Cli;

use super::made::digest;
use crate::rollout::fixture::{Fixture, manifest, release};

/// Beside edge and stable, a manifest in which a tag was moved, one component is gone and another one is new.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let text = manifest("edge", &release("1.3.0|`x`-edge", [2, 1]))
        .replace("version: 1.3.0|`x`-edge", "version: \"1.3.0|`x`-edge\"")
        .replace(&digest("web", 2), &digest("web", 77))
        .replace("  worker:", "  workers:")
        .replace("registry.example.org/worker\n", "registry.example.org/workers\n");
    fixture.sandbox.write("other.yaml", text);
    fixture
}

#[test]
fn text_names_every_change_moved_tags_first() {
    let fixture = fixture();
    let shown = fixture.run(&["release", "diff", "stable", "edge"], 0).stdout;
    assert_eq!(
        shown,
        "`1.0.0` (releases/stable.yaml) → `1.1.0-edge` (releases/edge.yaml)\nversion: 1.0.0 → 1.1.0-edge\n\
         channel: stable → edge\nchanged  web  1.1 → 1.2\n1 changed\n"
    );
    let short = |tag| digest("web", tag)[..19].to_owned();
    let shown = fixture.run(&["release", "diff", "1.1.0-edge", "other.yaml"], 0).stdout;
    assert_eq!(
        shown.lines().skip(2).collect::<Vec<_>>().join("\n"),
        format!(
            "MOVED    web      registry.example.org/web:1.2: {}… → {}…\n\
             removed  worker   registry.example.org/worker:1.1\n\
             added    workers  registry.example.org/workers:1.1\n1 moved, 1 added, 1 removed",
            short(2),
            short(77)
        )
    );
}

#[test]
fn the_exit_code_says_something_only_where_it_is_asked() {
    let fixture = fixture();
    fixture
        .program(&["release", "diff", "edge", "1.1.0-edge", "--exit-code"])
        .stdout("`1.1.0-edge` (releases/edge.yaml) → `1.1.0-edge` (releases/edge.yaml)\nno difference\n")
        .run();
    fixture.run(&["release", "diff", "edge", "stable", "--exit-code"], 1);
    fixture.run(&["release", "diff", "edge", "stable"], 0);
}

#[test]
fn json_and_markdown_hold_the_same() {
    let fixture = fixture();
    let shown = fixture.run(&["release", "diff", "edge", "other.yaml", "--format", "json"], 0).stdout;
    let answer: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&answer["schema"], &answer["equal"]), (&Value::from(1), &Value::from(false)));
    let changes: Vec<(&str, &str)> = answer["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (found["name"].as_str().unwrap(), found["change"].as_str().unwrap()))
        .collect();
    assert_eq!(changes, [("web", "moved"), ("worker", "removed"), ("workers", "added")]);
    assert_eq!(answer["components"][0]["before"]["digest"], Value::from(digest("web", 2)));
    assert_eq!(answer["components"][1]["after"], Value::Null);

    let table = fixture.run(&["release", "diff", "edge", "other.yaml", "--format", "markdown"], 0).stdout;
    let expected = format!(
        "## `1.1.0-edge` → `1.3.0\\|'x'-edge`\n\n1 moved, 1 added, 1 removed.\n\n\
         | release | before | after |\n|---|---|---|\n| version | `1.1.0-edge` | `1.3.0\\|'x'-edge` |\n\n\
         | component | change | before | after |\n|---|---|---|---|\n\
         | `web` | **moved** | `registry.example.org/web:1.2@{}` | `registry.example.org/web:1.2@{}` |\n",
        digest("web", 2),
        digest("web", 77)
    );
    assert!(table.starts_with(&expected), "{table}");
    let plain = fixture.run(&["release", "diff", "edge", "edge", "--format", "markdown"], 0).stdout;
    assert_eq!(plain, "## `1.1.0-edge` → `1.1.0-edge`\n\nNo difference.\n");
}

#[test]
fn all_releases_and_one_of_them() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    let all = fixture.run(&["release", "show"], 0).stdout;
    let rows: Vec<Vec<&str>> = all.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(
        rows,
        [
            ["release", "channel", "held"],
            ["1.1.0-edge", "edge", "edge"],
            ["1.1.0", "stable", "stable/stage"],
            ["1.0.0", "stable", "stable/prod"],
        ]
    );
    let one = fixture.run(&["release", "show", "stable/stage"], 0).stdout;
    for expected in [
        "release        1.1.0\n",
        "promoted from  1.1.0-edge\n",
        "held by        stable/stage\n",
        "archived       yes\nsigned         no\n\n",
        &format!("web     registry.example.org/web     1.2  {}…\n", &digest("web", 2)[..19]),
    ] {
        assert!(one.contains(expected), "{expected}\n{one}");
    }
    let json: Value =
        serde_json::from_str(&fixture.run(&["release", "show", "1.0.0", "--format", "json"], 0).stdout).unwrap();
    assert_eq!(json["releases"][0]["held_by"], Value::from(vec!["stable/prod"]));
    assert_eq!(json["releases"][0]["components"][0]["digest"], Value::from(digest("web", 1)));
}

#[test]
fn files_can_be_looked_at_without_a_workspace() {
    let sandbox = testkit::Sandbox::new();
    sandbox.write("a.yaml", manifest("edge", &release("1", [1, 1])).replace("version: 1", "version: \"1\""));
    sandbox.write("b.yaml", manifest("edge", &release("2", [2, 1])).replace("version: 2", "version: \"2\""));
    let program = || Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root());
    let shown = program().args(["release", "diff", "a.yaml", "b.yaml"]).any_stdout().run();
    assert!(shown.stdout.ends_with("changed  web  1.1 → 1.2\n1 changed\n"), "{shown}");
    program().args(["release", "show", "a.yaml"]).any_stdout().run();
    program()
        .args(["release", "show"])
        .stderr("error: there is no workspace here\nhint: name a manifest file\n")
        .exit(2)
        .run();
    program().args(["release", "new", "3", "--from", "b.yaml"]).stdout("wrote `3.yaml`\n").run();
    assert!(sandbox.read("3.yaml").contains("version: \"3\"\n"));
}
