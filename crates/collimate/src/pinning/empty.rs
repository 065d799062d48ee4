//! Values of a chart that are kept for a part of a reference and hold none: `image: {repository: …, tag: "", digest: ""}`; or a number, which
//! leaves no trace in what is printed: `tag: 15`.
//!
//! That the chart prints them is not known from here: see [`super::trial`].

use alignment::{Pin, Resolved};
use camino::Utf8PathBuf;
use release::ProfileSource;
use source::{FileId, SourceMap, Span};
use yamlspan::{Dialect, Kind, NodeRef, Scalar, Style};

use super::by_hand;

/// What charts call the value of a tag.
pub(super) const TAG: &str = "tag";

/// What charts call that of a digest. Those with a value `sha` write `sha256:` themselves.
pub(super) const DIGEST: [&str; 2] = ["digest", "sha"];

/// Ways to use such values: one for a digest, or, where that does not reach the image, the one for its tag.
pub(super) const WAYS: usize = 2;

/// The empty value of the first of these names beside the tag or the repository of an image.
pub(super) fn beside<'n>(
    pin: &Pin<'_>,
    names: &[&'n str],
    profile: &release::Profile,
    sources: &SourceMap,
) -> Option<(&'n str, Span)> {
    let ProfileSource::Helm(source) = &profile.source else { return None };
    // The last one wins, and what none of them says the chart does.
    let given = source.values.iter().rev().map(|values| values.value.clone());
    let files: Vec<Utf8PathBuf> = given.chain([source.chart.value.join("values.yaml")]).collect();
    let parts = [pin.tag.as_ref(), Some(&pin.repository)];
    let mut spans = parts.into_iter().flatten().filter_map(|part: &Resolved| part.primary);
    spans.find_map(|span| beside_scalar(span, names, &files, sources))
}

/// In the first of the profile's files that has one, or, where the scalar stands elsewhere (in the values of a subchart), in that file.
fn beside_scalar<'n>(
    span: Span,
    names: &[&'n str],
    files: &[Utf8PathBuf],
    sources: &SourceMap,
) -> Option<(&'n str, Span)> {
    let own = sources.file(span.file)?;
    let mut keys = by_hand::keys_of(own.text(), span)?;
    keys.pop()?;
    if !files.iter().any(|file| file == own.path()) {
        return below(own.text(), span.file, &keys, names);
    }
    files.iter().find_map(|path| {
        let file = sources.id_of(path)?;
        below(sources.file(file)?.text(), file, &keys, names)
    })
}

fn below<'n>(text: &str, file: FileId, keys: &[String], names: &[&'n str]) -> Option<(&'n str, Span)> {
    let documents = yamlspan::parse(text, file, Dialect::GoYamlV2).ok()?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mapping = documents.first()?.root().at(&keys)?;
    names.iter().find_map(|name| {
        let value = mapping.get(name).filter(|value| is_free(name, *value))?;
        Some((*name, value.content_span()))
    })
}

/// A digest is never a number.
fn is_free(name: &str, value: NodeRef<'_>) -> bool {
    let is_line = matches!(value.style(), Style::Plain | Style::SingleQuoted | Style::DoubleQuoted);
    let means = value.value();
    let is_number = matches!(means, Scalar::Int(_) | Scalar::Float(_)) && name == TAG;
    value.kind() == Kind::Scalar && is_line && (value.raw().is_empty() || means == Scalar::Null || is_number)
}
