//! Rendered output without its secrets.
//!
//! `source::redact` sees one line at a time. A rendered document also hides secrets where only its structure tells: block
//! scalars under a secret-named key, `{name: DB_PASSWORD, value: …}` pairs, the data of a Kubernetes Secret.

use std::ops::Range;

use source::{FileId, is_plain_address, is_secret_name};
use yamlspan::{Dialect, Kind, NodeRef, Style};

const MASK: &str = "•••";

/// How the first line of a private key in PEM ends (RFC 7468).
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// What an engine's refusal of an env file quotes of the file: there every value may be a secret, and its name is not said.
const QUOTED_FROM_ENV: [&str; 2] = ["unterminated quoted value ", "Invalid template: "];

/// An engine's refusal without what it quotes of an env file.
pub(crate) fn words(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    if !text.starts_with("failed to read ") {
        return text;
    }
    let ends = QUOTED_FROM_ENV.iter().filter_map(|quote| text.find(quote).map(|start| start + quote.len()));
    match ends.min().and_then(|end| text.get(..end)) {
        Some(kept) => format!("{kept}{MASK}"),
        None => text,
    }
}

/// [`words`] as the cause of a failure. They begin with a path such as `secrets.a`, which would pass for the name of a secret if the line did too.
pub(crate) fn refusal(error: &dyn std::fmt::Display) -> String {
    format!("it does not load: {}", words(error))
}

/// `output` (YAML or JSON documents) with secret values masked. Output that does not parse is masked line by line only.
pub(crate) fn mask(output: &str) -> String {
    let Ok(documents) = yamlspan::parse(output, FileId(0), Dialect::GoYamlV3) else { return source::redact(output) };
    let mut secrets: Vec<Range<usize>> = Vec::new();
    for document in &documents {
        let root = document.root();
        if root.get("kind").is_some_and(|kind| kind.raw() == "Secret") {
            for key in ["data", "stringData"] {
                for (_, value) in root.get(key).into_iter().flat_map(NodeRef::entries) {
                    scalars(value, &mut secrets);
                }
            }
        }
        find(root, &mut secrets);
    }
    secrets.sort_by_key(|range| (range.start, range.end));
    let mut masked = String::with_capacity(output.len());
    let mut done = 0;
    for range in secrets {
        if range.start < done || range.is_empty() {
            continue;
        }
        masked.push_str(output.get(done..range.start).unwrap_or_default());
        masked.push_str(MASK);
        // A block scalar ends with its line end, which must stay.
        let value = output.get(range.clone()).unwrap_or_default();
        masked.push_str(&value[value.trim_end_matches('\n').len()..]);
        done = range.end;
    }
    masked.push_str(output.get(done..).unwrap_or_default());
    source::redact(&masked)
}

fn find(node: NodeRef<'_>, secrets: &mut Vec<Range<usize>>) {
    match node.kind() {
        Kind::Sequence => {
            // `[--token, x]`: the word after a secret-named flag is its value.
            let mut of_flag = false;
            for item in node.items() {
                if of_flag && item.kind() == Kind::Scalar && !item.raw().starts_with('-') {
                    scalars(item, secrets);
                } else {
                    find(item, secrets);
                }
                of_flag = item.kind() == Kind::Scalar && item.raw().starts_with('-') && is_secret_name(item.raw());
            }
        }
        Kind::Mapping => {
            let name = node.get("name").map(NodeRef::raw).unwrap_or_default();
            for (key, value) in node.entries() {
                let named = if key.raw() == "value" && is_secret_name(name) { name } else { key.raw() };
                let is_secret = is_secret_name(named) && !is_plain_address(named, value.raw());
                if is_secret && value.kind() == Kind::Scalar {
                    scalars(value, secrets);
                } else {
                    find(value, secrets);
                }
            }
        }
        Kind::Scalar if node.raw().contains(PRIVATE_KEY) => scalars(node, secrets),
        Kind::Scalar | Kind::Alias => {}
    }
}

/// What to replace of a scalar: quotes stay, so that masked JSON is JSON.
fn hidden_range(node: NodeRef<'_>) -> Range<usize> {
    match node.style() {
        Style::SingleQuoted | Style::DoubleQuoted => node.content_span().range(),
        _ => node.span().range(),
    }
}

/// Every scalar below `node` that is worth hiding.
fn scalars(node: NodeRef<'_>, secrets: &mut Vec<Range<usize>>) {
    match node.kind() {
        Kind::Scalar => {
            let raw = node.raw();
            let harmless = raw.is_empty() || raw.starts_with("change-me:") || matches!(raw, "true" | "false" | "null");
            if !harmless {
                secrets.push(hidden_range(node));
            }
        }
        Kind::Sequence => node.items().for_each(|item| scalars(item, secrets)),
        Kind::Mapping => node.entries().for_each(|(_, value)| scalars(value, secrets)),
        Kind::Alias => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, masked: &str) {
        assert_eq!(mask(output), masked);
    }

    #[test]
    fn secrets_are_found_by_structure() {
        check("kind: Secret\ndata:\n  a: aGVsbG8=\n", "kind: Secret\ndata:\n  a: •••\n");
        check("env:\n- name: DB_PASSWORD\n  value: x1\n", "env:\n- name: DB_PASSWORD\n  value: •••\n");
        check("apiToken: |\n  line1\n  line2\nb: 1\n", "apiToken: •••\nb: 1\n");
        check("url: redis://u:p@h/0\n", "url: redis://•••@h/0\n");
        check("A_DSN: tcp://ch:9000\nB_DSN: tcp://p@ch:9000\n", "A_DSN: tcp://ch:9000\nB_DSN: •••\n");
        check("env:\n- name: A_DSN\n  value: tcp://ch:9000\n", "env:\n- name: A_DSN\n  value: tcp://ch:9000\n");
        check("image_pull_secrets: []\nb: 1\n", "image_pull_secrets: []\nb: 1\n");
        check("DB_PASSWORD: change-me:db\n", "DB_PASSWORD: change-me:db\n");
        check("{\"clientSecret\": \"s\"}\n", "{\"clientSecret\": \"•••\"}\n");
        check("command:\n- --token\n- x1\n- run\n", "command:\n- --token\n- •••\n- run\n");
        check("a: |\n  -----BEGIN PRIVATE KEY-----\n  x1\nb: 1\n", "a: •••\nb: 1\n");
        check("[\n  \"--password=x1\",\n  \"-v\"\n]\n", "[\n  \"--password=•••\",\n  \"-v\"\n]\n");
    }

    #[test]
    fn a_refused_env_file_keeps_its_values() {
        for (words, expected) in [
            (
                "failed to read a.env: line 2: unterminated quoted value \"hunter2",
                "failed to read a.env: line 2: unterminated quoted value •••",
            ),
            (
                "failed to read a.env: Invalid template: \"${hunter2\"\n${hunter2",
                "failed to read a.env: Invalid template: •••",
            ),
            (
                "failed to read a.env: line 1: unexpected character",
                "failed to read a.env: line 1: unexpected character",
            ),
            ("services must be a mapping", "services must be a mapping"),
        ] {
            assert_eq!(super::words(&words), expected);
        }
    }
}
