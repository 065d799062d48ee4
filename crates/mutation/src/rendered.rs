//! What would be deployed: every profile rendered, and whether two renderings mean the same.

use camino::Utf8Path;
use source::FileId;
use testkit::Cli;
use yamlspan::{Dialect, Kind, NodeRef};

use crate::subject::Subject;

/// What one profile with one overlay is before the change.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    /// As the program renders it. A refusal is what it says.
    pub(crate) text: Result<String, String>,
    /// Documents that are equal in every rendering, and how many there are in all; where a template asks for random bytes, others are not.
    fixed: Option<(Vec<String>, usize)>,
}

/// Every profile with every overlay.
pub(crate) fn all(program: &Utf8Path, root: &Utf8Path, subject: &Subject) -> Vec<Before> {
    each(program, root, subject)
        .zip(each(program, root, subject))
        .map(|(text, again)| {
            let fixed = match (&text, &again) {
                (Ok(text), Ok(again)) if text != again => fixed(text, again),
                _ => None,
            };
            Before { text, fixed }
        })
        .collect()
}

fn fixed(text: &str, again: &str) -> Option<(Vec<String>, usize)> {
    let (mut documents, again) = (canonical(text)?, canonical(again)?);
    let count = documents.len();
    documents.retain(|document| again.binary_search(document).is_ok());
    Some((documents, count))
}

/// Whether every profile with every overlay still renders to the same. The first difference ends the search.
pub(crate) fn all_same(program: &Utf8Path, root: &Utf8Path, subject: &Subject, before: &[Before]) -> bool {
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

/// Whether both are documents that say the same: comments, quotes and the order of keys do not count. Two refusals are the same if their words are.
fn same(before: &Before, after: &Result<String, String>) -> bool {
    match (&before.text, &before.fixed, after) {
        (Ok(_), Some((fixed, count)), Ok(after)) => canonical(after).is_some_and(|after| {
            after.len() == *count && fixed.iter().all(|document| after.binary_search(document).is_ok())
        }),
        (Ok(before), None, Ok(after)) => before == after || same_documents(before, after),
        (Err(before), _, Err(after)) => before == after,
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
