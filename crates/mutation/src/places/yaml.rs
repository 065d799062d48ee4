//! Entries and items of YAML, each with the bytes that say it and the bytes that go away with it.

use std::ops::Range;

use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef, Style};

use crate::place::{Place, What};

/// An entry of a mapping or an item of a sequence.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Keys and indices from the root; its own is the last.
    pub(crate) path: Vec<String>,
    /// Of an entry: its key.
    pub(crate) key: Option<Range<usize>>,
    /// The value's text without quotes; empty for collections.
    pub(crate) text: String,
    pub(crate) scalar: bool,
    pub(crate) alias: bool,
    /// The value without quotes.
    pub(crate) content: Range<usize>,
    /// The value with quotes, without tag and anchor.
    pub(crate) whole: Range<usize>,
    pub(crate) entry: Option<Range<usize>>,
    pub(crate) parent: Range<usize>,
}

impl Item {
    /// Whether its path is this pattern; `*` is any one step.
    pub(crate) fn is(&self, pattern: &str) -> bool {
        let steps: Vec<&str> = pattern.split(' ').collect();
        steps.len() == self.path.len() && steps.iter().zip(&self.path).all(|(step, name)| *step == "*" || step == name)
    }

    pub(crate) fn last(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The place of its value.
    pub(crate) fn place(&self, file: &str, what: What) -> Place {
        Place {
            file: file.to_owned(),
            what,
            path: self.path.join("."),
            span: self.content.clone(),
            entry: self.entry.clone(),
            scalar: self.scalar.then(|| self.whole.clone()),
            parent: self.parent.clone(),
        }
    }

    /// The place of its key.
    pub(crate) fn key_place(&self, file: &str, what: What) -> Option<Place> {
        let key = self.key.clone()?;
        Some(Place { span: key, scalar: None, ..self.place(file, what) })
    }
}

/// All entries and items of all documents. Aliases are not followed.
pub(crate) fn items(text: &str) -> Vec<Item> {
    let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV4).expect("a subject is YAML");
    let mut items = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let path = if documents.len() > 1 { vec![format!("#{index}")] } else { Vec::new() };
        walk(text, document.root(), &path, document.span().range(), &mut items);
    }
    items
}

fn walk(text: &str, node: NodeRef<'_>, path: &[String], parent: Range<usize>, items: &mut Vec<Item>) {
    let flow = node.style() == Style::Flow;
    let children: Vec<(String, Option<NodeRef<'_>>, NodeRef<'_>)> = match node.kind() {
        Kind::Mapping => node.entries().map(|(key, value)| (key.raw().to_owned(), Some(key), value)).collect(),
        Kind::Sequence => node.items().enumerate().map(|(index, item)| (named(index, item), None, item)).collect(),
        Kind::Scalar | Kind::Alias => return,
    };
    let count = children.len();
    for (index, (name, key, value)) in children.iter().enumerate() {
        let mut path = path.to_vec();
        path.push(name.clone());
        let start = key.map_or(value.full_span().range().start, |key| key.full_span().range().start);
        let end = value.full_span().range().end.max(key.map_or(0, |key| key.span().range().end + 1));
        let entry = if flow {
            Some(flow_entry(text, start..end, index, count))
        } else {
            block_entry(text, start..end, key.is_none(), count)
        };
        items.push(Item {
            key: key.map(|key| key.content_span().range()),
            text: if value.kind() == Kind::Scalar { value.raw().to_owned() } else { String::new() },
            scalar: value.kind() == Kind::Scalar && !matches!(value.style(), Style::Literal | Style::Folded),
            alias: value.kind() == Kind::Alias,
            content: value.content_span().range(),
            whole: value.span().range(),
            entry,
            parent: parent.clone(),
            path: path.clone(),
        });
        walk(text, *value, &path, start..end, items);
    }
}

/// What an item of a sequence is called in a path: by its name if it has one, so that paths of other files mean the same.
fn named(index: usize, item: NodeRef<'_>) -> String {
    match item.get("name") {
        Some(name) if !name.raw().is_empty() => format!("[{}]", name.raw()),
        _ => index.to_string(),
    }
}

/// An item of a flow collection with the comma that goes with it.
fn flow_entry(text: &str, range: Range<usize>, index: usize, count: usize) -> Range<usize> {
    if index + 1 < count {
        let after = &text[range.end..];
        let comma = after.find(',').map_or(0, |comma| comma + 1);
        let blank = after[comma..].len() - after[comma..].trim_start().len();
        range.start..range.end + comma + blank
    } else if index > 0 {
        let before = text[..range.start].trim_end();
        before.strip_suffix(',').map_or(range.start, str::len)..range.end
    } else {
        range
    }
}

/// Whole lines, if nothing else stands on them and the collection does not become empty.
fn block_entry(text: &str, range: Range<usize>, item: bool, count: usize) -> Option<Range<usize>> {
    let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let before = text[line..range.start].trim();
    if before != if item { "-" } else { "" } || count < 2 {
        return None;
    }
    let last = range.end.max(range.start + 1);
    // A block collection ends at the start of the next line; a scalar within its own.
    let end = match text[..last].ends_with('\n') {
        true => last,
        false => text[last..].find('\n').map_or(text.len(), |at| last + at + 1),
    };
    Some(line..end)
}
