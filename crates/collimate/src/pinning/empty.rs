//! Values of a chart that are kept for a part of a reference and hold none: `image: {repository: …, tag: "", digest: ""}`; or a number, which
//! leaves no trace in what is printed: `tag: 15`.
//!
//! That the chart prints them is not known from here: see [`super::trial`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use alignment::{Pin, Resolved};
use camino::Utf8PathBuf;
use release::{Digest, ProfileSource};
use source::{FileId, SourceMap, Span};
use yamlspan::{Dialect, Document, Kind, NodeRef, Scalar, Style};

use super::{by_hand, values_files};

/// What charts call the value of a tag.
pub(super) const TAG: &str = "tag";

/// What charts call that of a digest.
pub(super) const DIGEST: [&str; 2] = [WHOLE, "sha"];
const WHOLE: &str = "digest";

/// In how many forms a digest can stand in its value.
pub(super) const FORMS: usize = 2;

/// Ways to use such values: those for a digest, and, where none of them reaches the image, the one for its tag.
pub(super) const WAYS: usize = FORMS + 1;

/// A digest for the value `name`: most charts write `sha256:` themselves before a value `sha`, and before a value `digest` they do not. The other form is for
/// those that do it the other way round.
pub(super) fn form(name: &str, digest: &Digest, other: bool) -> Option<String> {
    if (name == WHOLE) == other {
        return (digest.algorithm() == "sha256").then(|| digest.hex().to_owned());
    }
    Some(digest.to_string())
}

/// The files of values, each parsed once: many images stand in one.
pub(super) struct Values<'s> {
    sources: &'s SourceMap,
    parsed: RefCell<HashMap<FileId, Option<Arc<Document>>>>,
}

impl<'s> Values<'s> {
    pub(super) fn new(sources: &'s SourceMap) -> Self {
        Self { sources, parsed: RefCell::default() }
    }

    /// The empty value of the first of these names beside the tag or the repository of an image.
    pub(super) fn beside<'n>(
        &self,
        pin: &Pin<'_>,
        names: &[&'n str],
        profile: &release::Profile,
    ) -> Option<(&'n str, Span)> {
        let ProfileSource::Helm(source) = &profile.source else { return None };
        let files = values_files(source);
        let parts = [pin.tag.as_ref(), Some(&pin.repository)];
        let mut spans = parts.into_iter().flatten().filter_map(|part: &Resolved| part.primary);
        spans.find_map(|span| self.beside_scalar(span, names, &files))
    }

    /// The empty value of the first of these names below these keys, in the values of a profile.
    pub(super) fn at<'n>(
        &self,
        keys: &[String],
        names: &[&'n str],
        profile: &release::Profile,
    ) -> Option<(&'n str, Span)> {
        let ProfileSource::Helm(source) = &profile.source else { return None };
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        values_files(source).iter().find_map(|path| self.below(self.sources.id_of(path)?, &keys, names))
    }

    /// In the first of the profile's files that has one, or, where the scalar stands elsewhere (in the values of a subchart), in that file.
    fn beside_scalar<'n>(&self, span: Span, names: &[&'n str], files: &[Utf8PathBuf]) -> Option<(&'n str, Span)> {
        let mut keys = by_hand::keys_in(self.document(span.file)?.root(), span)?;
        keys.pop()?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        if !files.iter().any(|file| file == self.sources.path(span.file)) {
            return self.below(span.file, &keys, names);
        }
        files.iter().find_map(|path| self.below(self.sources.id_of(path)?, &keys, names))
    }

    fn below<'n>(&self, file: FileId, keys: &[&str], names: &[&'n str]) -> Option<(&'n str, Span)> {
        let document = self.document(file)?;
        let mapping = document.root().at(keys)?;
        names.iter().find_map(|name| {
            let value = mapping.get(name).filter(|value| is_free(name, *value))?;
            Some((*name, value.content_span()))
        })
    }

    /// The keys that lead to a scalar.
    pub(super) fn keys_of(&self, span: Span) -> Option<Vec<String>> {
        by_hand::keys_in(self.document(span.file)?.root(), span)
    }

    /// The end of the text of a scalar that stands on one line.
    pub(super) fn end_of_line(&self, scalar: Span) -> Option<Span> {
        let content = line_at(self.document(scalar.file)?.root(), scalar)?;
        Some(Span { start: content.end, ..content })
    }

    fn document(&self, file: FileId) -> Option<Arc<Document>> {
        let parse = || yamlspan::parse_first(self.sources.file(file)?.text(), file, Dialect::GoYamlV2).ok()?;
        self.parsed.borrow_mut().entry(file).or_insert_with(|| parse().map(Arc::new)).clone()
    }
}

/// The text of the scalar at a span, where it is no block and has no line ends.
fn line_at(node: NodeRef<'_>, scalar: Span) -> Option<Span> {
    match node.kind() {
        Kind::Scalar => {
            let content = node.content_span();
            let is_it = node.span() == scalar || content == scalar;
            let is_line = !node.source().get(content.range()).unwrap_or_default().contains('\n');
            (is_it && is_line && is_inline(node)).then_some(content)
        }
        Kind::Mapping => node.entries().find_map(|(_, value)| line_at(value, scalar)),
        Kind::Sequence => node.items().find_map(|item| line_at(item, scalar)),
        Kind::Alias => None,
    }
}

fn is_inline(node: NodeRef<'_>) -> bool {
    matches!(node.style(), Style::Plain | Style::SingleQuoted | Style::DoubleQuoted)
}

/// A digest is never a number.
fn is_free(name: &str, value: NodeRef<'_>) -> bool {
    let means = value.value();
    let is_number = matches!(means, Scalar::Int(_) | Scalar::Float(_)) && name == TAG;
    value.kind() == Kind::Scalar && is_inline(value) && (value.raw().is_empty() || means == Scalar::Null || is_number)
}
