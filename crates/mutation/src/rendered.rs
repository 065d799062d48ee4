//! What would be deployed: every profile rendered, and whether two renderings mean the same.

use camino::Utf8Path;
use source::FileId;
use testkit::Cli;
use yamlspan::{Dialect, Kind, NodeRef};

use crate::subject::Subject;

/// Every profile with every overlay, as the program renders it. A refusal is what it says.
pub(crate) fn all(program: &Utf8Path, root: &Utf8Path, subject: &Subject) -> Vec<Result<String, String>> {
    each(program, root, subject).collect()
}

/// Whether every profile with every overlay still renders to the same. The first difference ends the search.
pub(crate) fn all_same(
    program: &Utf8Path,
    root: &Utf8Path,
    subject: &Subject,
    before: &[Result<String, String>],
) -> bool {
    before.iter().zip(each(program, root, subject)).all(|(before, after)| same(before, &after))
}

fn each(program: &Utf8Path, root: &Utf8Path, subject: &Subject) -> impl Iterator<Item = Result<String, String>> {
    subject.deployments.iter().map(move |(profile, overlay)| {
        let mut cli = Cli::new(program).folder(root).args(["render", profile, "--reveal"]);
        if let Some(overlay) = overlay {
            cli = cli.args(["--overlay", overlay]);
        }
        let output = cli.output();
        if output.exit == 0 { Ok(output.stdout) } else { Err(output.stderr) }
    })
}

/// Whether both are documents that say the same: comments, quotes and the order of keys do not count.
fn same(before: &Result<String, String>, after: &Result<String, String>) -> bool {
    match (before, after) {
        (Ok(before), Ok(after)) => before == after || same_documents(before, after),
        _ => false,
    }
}

/// As [`same`], for files that are read as they are.
pub(crate) fn same_documents(before: &str, after: &str) -> bool {
    match (canonical(before), canonical(after)) {
        (Some(before), Some(after)) => before == after,
        _ => false,
    }
}

/// The documents of a stream in one spelling; as a set, because nobody sees their order. None if it is no YAML.
fn canonical(text: &str) -> Option<Vec<String>> {
    let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV4).ok()?;
    let mut texts = Vec::new();
    for document in documents {
        let mut text = String::new();
        spell(document.root(), &mut text, 0);
        texts.push(text);
    }
    texts.retain(|text| !text.is_empty());
    texts.sort();
    Some(texts)
}

/// How deep an alias that stands in its own anchor is followed.
const DEEPEST: usize = 100;

fn spell(node: NodeRef<'_>, into: &mut String, depth: usize) {
    let node = node.target();
    if depth > DEEPEST {
        return;
    }
    match node.kind() {
        Kind::Mapping => {
            let mut entries: Vec<(String, String)> = node
                .entries()
                .map(|(key, value)| {
                    let (mut name, mut text) = (String::new(), String::new());
                    spell(key, &mut name, depth + 1);
                    spell(value, &mut text, depth + 1);
                    (name, text)
                })
                .collect();
            // The last one of a key counts, as for those who read it.
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
            into.push('{');
            for (key, value) in entries {
                into.push_str(&format!("{key}:{value},"));
            }
            into.push('}');
        }
        Kind::Sequence => {
            into.push('[');
            for item in node.items() {
                spell(item, into, depth + 1);
                into.push(',');
            }
            into.push(']');
        }
        Kind::Scalar | Kind::Alias => {
            // A text and a number of the same letters are two things.
            let kind = match node.value() {
                yamlspan::Scalar::Str => "",
                _ => "!",
            };
            into.push_str(&format!("{kind}{}", serde_json::Value::from(node.raw())));
        }
    }
}
