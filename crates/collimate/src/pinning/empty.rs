//! Values of a chart that are kept for a part of a reference and hold none: `image: {repository: …, tag: "", digest: ""}`; or a number, which
//! leaves no trace in what is printed: `tag: 15`.
//!
//! That the chart prints them is not known from here: see [`super::trial`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use alignment::{Pin, Resolved};
use camino::Utf8PathBuf;
use release::ProfileSource;
use source::{FileId, SourceMap, Span};
use yamlspan::{Dialect, Document, Kind, NodeRef, Scalar, Style};

use super::by_hand;

/// What charts call the value of a tag.
pub(super) const TAG: &str = "tag";

/// What charts call that of a digest. Those with a value `sha` write `sha256:` themselves.
pub(super) const DIGEST: [&str; 2] = ["digest", "sha"];

/// Ways to use such values: one for a digest, or, where that does not reach the image, the one for its tag.
pub(super) const WAYS: usize = 2;

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
        // The last one wins, and what none of them says the chart does.
        let given = source.values.iter().rev().map(|values| values.value.clone());
        let files: Vec<Utf8PathBuf> = given.chain([source.chart.value.join("values.yaml")]).collect();
        let parts = [pin.tag.as_ref(), Some(&pin.repository)];
        let mut spans = parts.into_iter().flatten().filter_map(|part: &Resolved| part.primary);
        spans.find_map(|span| self.beside_scalar(span, names, &files))
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

    fn document(&self, file: FileId) -> Option<Arc<Document>> {
        let parse = || yamlspan::parse_first(self.sources.file(file)?.text(), file, Dialect::GoYamlV2).ok()?;
        self.parsed.borrow_mut().entry(file).or_insert_with(|| parse().map(Arc::new)).clone()
    }
}

/// A digest is never a number.
fn is_free(name: &str, value: NodeRef<'_>) -> bool {
    let is_line = matches!(value.style(), Style::Plain | Style::SingleQuoted | Style::DoubleQuoted);
    let means = value.value();
    let is_number = matches!(means, Scalar::Int(_) | Scalar::Float(_)) && name == TAG;
    value.kind() == Kind::Scalar && is_line && (value.raw().is_empty() || means == Scalar::Null || is_number)
}
