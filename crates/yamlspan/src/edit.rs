//! Changing scalars in place, byte for byte around them.
//!
//! An edit is proven, not hoped for: [`replace_scalars`] parses the result again and compares the two trees. It refuses what
//! would change anything but the scalars that were asked for.

use std::collections::BTreeMap;

use source::Span;

use crate::document::{Content, Tree};
use crate::{Dialect, Error, Kind, NodeRef, Scalar, Style, parse};

/// One replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    pub span: Span,
    pub replacement: String,
}

/// The splice that gives the scalar `node` the decoded text `text`, in the quote style it has where that can hold it and else in
/// double quotes. A value that is not written is put after its key.
///
/// # Errors
/// Collections, aliases (their anchor's scalar is the one to edit) and block scalars.
pub fn replace_scalar(node: NodeRef<'_>, text: &str) -> Result<Splice, Error> {
    let refuse = |reason: &str| Err(Error::new(reason, Some(node.span())));
    match node.kind() {
        Kind::Scalar => {}
        Kind::Alias => return refuse("cannot edit an alias: the value stands at its anchor"),
        Kind::Sequence | Kind::Mapping => return refuse("cannot edit a collection as if it were one value"),
    }
    let span = node.span();
    let quoted = match node.style() {
        Style::Plain if stays_plain(node, text) => text.to_owned(),
        Style::Plain | Style::DoubleQuoted => double_quoted(text),
        Style::SingleQuoted if text.chars().all(fits_single_quotes) => format!("'{}'", text.replace('\'', "''")),
        Style::SingleQuoted => double_quoted(text),
        Style::Literal | Style::Folded | Style::Flow | Style::Block => {
            return refuse("cannot edit a block scalar in place: its text spans lines");
        }
    };
    let before = node.source().get(..span.range().start).unwrap_or_default();
    let needs_space = span.is_empty() && !before.is_empty() && !before.ends_with([' ', '\t', '\n']);
    Ok(Splice { span, replacement: if needs_space { format!(" {quoted}") } else { quoted } })
}

/// As [`replace_scalar`], for the plain scalar that fills `span` in a stream of documents; `None` where there is no such scalar.
#[must_use]
pub fn replace_at(stream: &str, span: Span, text: &str) -> Option<Splice> {
    let documents = parse(stream, span.file, Dialect::GoYamlV2).ok()?;
    let scalar = documents.iter().find_map(|document| plain_scalar(document.root(), span))?;
    replace_scalar(scalar, text).ok()
}

fn plain_scalar(node: NodeRef<'_>, span: Span) -> Option<NodeRef<'_>> {
    if !node.span().contains(span) {
        return None;
    }
    match node.kind() {
        Kind::Scalar => (node.style() == Style::Plain && node.span() == span).then_some(node),
        Kind::Alias => None,
        Kind::Sequence => node.items().find_map(|item| plain_scalar(item, span)),
        Kind::Mapping => node.entries().find_map(|(_, value)| plain_scalar(value, span)),
    }
}

/// Whether `text` without quotes is one scalar that means what `node` could mean: a string stays a string.
fn stays_plain(node: NodeRef<'_>, text: &str) -> bool {
    let harmless = |letter: char| letter.is_alphanumeric() || "-_./:@+=~$%".contains(letter);
    if text.is_empty() || !text.chars().all(harmless) || text.starts_with(['-', ':', '@', '%', '~', '=']) {
        return false;
    }
    if text.ends_with(':') || text.starts_with("...") {
        return false;
    }
    let was_string = matches!(node.value(), Scalar::Str | Scalar::Null);
    // Whatever reads the text, v2's booleans and v4's numbers alike, it must see a string again.
    let dialects = [node.dialect(), Dialect::GoYamlV2, Dialect::GoYamlV4];
    let is_string =
        || dialects.into_iter().all(|dialect| matches!(crate::resolve::resolve("", text, dialect), Ok(Scalar::Str)));
    !was_string || is_string()
}

fn fits_single_quotes(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(letter, '\u{2028}' | '\u{2029}')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if fits_single_quotes(letter) => quoted.push(letter),
            _ => quoted.push_str(&format!("\\U{:08X}", u32::from(letter))),
        }
    }
    quoted.push('"');
    quoted
}

/// Applies splices (of one file, not overlapping, any order) to a text.
///
/// # Errors
/// Splices that overlap or lie outside the text.
pub fn apply(text: &str, splices: &[Splice]) -> Result<String, Error> {
    let mut splices: Vec<&Splice> = splices.iter().collect();
    splices.sort_by_key(|splice| splice.span);
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for splice in splices {
        let range = splice.span.range();
        let kept = text.get(copied..range.start).filter(|_| text.get(range.clone()).is_some());
        let Some(kept) = kept else {
            return Err(Error::new("edits overlap or lie outside the text", Some(splice.span)));
        };
        result.push_str(kept);
        result.push_str(&splice.replacement);
        copied = range.end;
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    Ok(result)
}

/// Replaces scalars of documents that were parsed from one text, and proves by a second parse that exactly those scalars changed.
/// Without edits there is nothing to give back: the result is empty.
///
/// # Errors
/// What [`replace_scalar`] and [`apply`] refuse, two edits of one scalar that differ, nodes of different texts, and an edit
/// that would change anything else.
pub fn replace_scalars(edits: &[(NodeRef<'_>, &str)]) -> Result<String, Error> {
    let Some((first, _)) = edits.first() else { return Ok(String::new()) };
    let tree = first.tree;
    let mut wanted: BTreeMap<u32, &str> = BTreeMap::new();
    let mut splices = Vec::new();
    for (node, text) in edits {
        if !std::ptr::eq(node.tree, tree) {
            return Err(Error::new("edits of more than one text at once", Some(node.span())));
        }
        match wanted.insert(node.id(), text) {
            None => splices.push(replace_scalar(*node, text)?),
            Some(other) if other == *text => {}
            Some(_) => return Err(Error::new("two edits of one value that differ", Some(node.span()))),
        }
    }
    let result = apply(&tree.text, &splices)?;
    let changed = |reason: String| Error::new(reason, splices.first().map(|splice| splice.span));
    let documents = parse(result.as_str(), tree.file, tree.dialect)
        .map_err(|error| changed(format!("the edited text cannot be read any more: {error}")))?;
    let same = documents.first().is_some_and(|document| changes_only(tree, &document.tree, &wanted));
    if !same {
        return Err(changed("the edit would change more than the value".to_owned()));
    }
    Ok(result)
}

/// Whether `after` is `before` with the texts of `wanted` and nothing else. Nodes are made in the order of the text, so
/// they can be compared one by one.
fn changes_only(before: &Tree, after: &Tree, wanted: &BTreeMap<u32, &str>) -> bool {
    if before.nodes.len() != after.nodes.len() || before.children != after.children {
        return false;
    }
    (0u32..).zip(&before.nodes).zip(&after.nodes).all(|((id, old), new)| {
        let (old_ref, new_ref) = (NodeRef { tree: before, id }, NodeRef { tree: after, id });
        let same_content = match (old.content, new.content) {
            (Content::Text(_), Content::Text(_)) => match wanted.get(&id) {
                Some(text) => {
                    let was_string = matches!(old_ref.value(), Scalar::Str | Scalar::Null);
                    new_ref.raw() == *text && (!was_string || new_ref.value() == Scalar::Str)
                }
                None => old_ref.raw() == new_ref.raw() && same_value(old_ref.value(), new_ref.value()),
            },
            (Content::Children { from: a, to: b }, Content::Children { from: c, to: d }) => (a, b) == (c, d),
            (Content::Alias(a), Content::Alias(b)) => a == b,
            _ => false,
        };
        let same_style = old.style == new.style || wanted.contains_key(&id);
        let same_names = old_ref.tag() == new_ref.tag() && old_ref.anchor() == new_ref.anchor();
        old.kind == new.kind && same_style && same_names && same_content
    })
}

/// As `==`, but not-a-number is itself.
fn same_value(a: Scalar, b: Scalar) -> bool {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
