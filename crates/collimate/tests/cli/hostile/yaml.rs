//! YAML: bombs of aliases and merges, nesting, size, and characters that are none.

use super::watch::{SERVICE, compose, refused};

/// Each level holds the one before nine times.
pub(super) fn alias_bomb(prefix: &str) -> String {
    let mut text = format!("{prefix}0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("{prefix}{level}: &a{level} [{items}]\n"));
    }
    text
}

fn merge_bomb() -> String {
    let mut text = "x-m0: &m0 {k: v}\n".to_owned();
    for level in 1..30 {
        let items = vec![format!("*m{}", level - 1); 9].join(", ");
        text.push_str(&format!("x-m{level}: &m{level} {{<<: [{items}], k{level}: v}}\n"));
    }
    text
}

#[test]
fn bombs() {
    let excessive = "document contains excessive aliasing";
    refused(vec![
        compose("aliases", alias_bomb("x-a") + SERVICE, "", (excessive, "compose.yaml:1:24")),
        compose("merges", merge_bomb() + SERVICE, "", (excessive, "compose.yaml:1:12")),
        compose(
            "a value that contains itself",
            format!("x-a: &a {{b: *a}}\n{SERVICE}"),
            "",
            ("cycle detected", "compose.yaml:1:9"),
        ),
    ]);
}

#[test]
fn nesting() {
    let deep = "values nest deeper than 100 levels";
    let nested = |levels: usize| format!("x-a: {}{}\n{SERVICE}", "[".repeat(levels), "]".repeat(levels));
    let block: String = (0..1_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    refused(vec![
        compose("brackets", nested(9_000), "", (deep, "compose.yaml:1:106")),
        compose(
            "more brackets",
            "x-a: ".to_owned() + &"[".repeat(100_000),
            "",
            ("exceeded max depth of 10000", "compose.yaml:1:10006"),
        ),
        compose("blocks", block, "", (deep, "compose.yaml:102:102")),
    ]);
}

#[test]
fn size() {
    let keys: String = (0..100_000).map(|number| format!("  k{number}: v\n")).collect();
    let many = "the text has more than the 500000 values that are read";
    refused(vec![
        compose(
            "a hundred thousand keys",
            format!("x-k:\n{keys}{SERVICE}"),
            "",
            ("exceeds maximum node visit limit (100000)", "compose.yaml:100000:11"),
        ),
        compose(
            "half a million values",
            format!("{SERVICE}x-k: [{}]\n", "a,".repeat(600_000)),
            "",
            (many, "compose.yaml:2:999989"),
        ),
        compose("a file without end", vec![b'#'; 33 << 20], "", ("at most 33554432 are read", "collimate.yaml:4:32")),
        compose(
            "a name of a megabyte",
            format!("services: {{a: {{image: {}}}}}\n", "a".repeat(1 << 20)),
            "",
            ("registries take at most 255", "compose.yaml:1:23"),
        ),
        compose(
            "a key of a hundred kilobytes",
            format!("services: {{? {}! : {{image: x}}}}\n", "a".repeat(100_000)),
            "",
            ("additional properties", "compose.yaml:1:14"),
        ),
        compose(
            "a line of a megabyte",
            format!("x-a: {}\n\tb: c\n", "a".repeat(1 << 20)),
            "",
            ("found a tab character", "compose.yaml:2:1"),
        ),
    ]);
}

#[test]
fn characters() {
    refused(vec![
        compose(
            "NUL",
            "services: {a: {image: \"x\0y\"}}\n",
            "",
            ("control characters are not allowed", "compose.yaml:1:25"),
        ),
        compose(
            "not UTF-8",
            b"services: {a: {image: \"x\xffy\"}}\n".to_vec(),
            "",
            ("invalid leading UTF-8 octet", "compose.yaml:1:25"),
        ),
        compose(
            "another direction",
            "services: {\"a\u{202e}b\": {image: x}}\n",
            "",
            ("additional properties 'a\u{fffd}b' not allowed", "compose.yaml:1:12"),
        ),
    ]);
}
