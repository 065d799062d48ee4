//! Twenty things that go wrong in a deployment tree, put into a copy of ours one by one. Each must give exactly the expected
//! findings, at the place of the change itself.

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
