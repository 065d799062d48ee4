//! Values of a chart that are kept for a digest and hold none: `image: {repository: …, tag: "1.4", digest: ""}`.
//!
//! That the chart prints them is not known from here: see [`super::trial`].

use alignment::{Pin, Resolved};
use camino::Utf8PathBuf;
use release::{Digest, ProfileSource};
use source::{FileId, SourceMap, Span};
use yamlspan::{Dialect, Kind, NodeRef, Scalar, Style};

use super::{Wish, by_hand};

/// Names that charts have for such a value, and whether it is the hexadecimal part alone, as charts with `sha` write `sha256:` themselves.
const NAMES: [(&str, bool); 2] = [("digest", false), ("sha", true)];

/// The wish that fills the empty value beside the tag or the repository of an image without a digest.
pub(super) fn wish(pin: &Pin<'_>, digest: &Digest, profile: &release::Profile, sources: &SourceMap) -> Option<Wish> {
    let ProfileSource::Helm(source) = &profile.source else { return None };
    // The last one wins, and what none of them says the chart does.
    let given = source.values.iter().rev().map(|values| values.value.clone());
    let files: Vec<Utf8PathBuf> = given.chain([source.chart.value.join("values.yaml")]).collect();
    let parts = [pin.tag.as_ref(), Some(&pin.repository)];
    let spans = parts.into_iter().flatten().filter_map(|part: &Resolved| part.primary);
    let (span, is_hex) = spans.filter_map(|span| slot(span, &files, sources)).next()?;
    let text = if is_hex { digest.hex().to_owned() } else { digest.to_string() };
    (!is_hex || digest.algorithm() == "sha256").then_some(Wish { span, text, changes: true })
}

/// The empty value beside the scalar at `span`: in the first of the profile's files that has one, or, where the scalar stands elsewhere (in
/// the values of a subchart), in that file.
fn slot(span: Span, files: &[Utf8PathBuf], sources: &SourceMap) -> Option<(Span, bool)> {
    let own = sources.file(span.file)?;
    let mut keys = by_hand::keys_of(own.text(), span)?;
    keys.pop()?;
    if !files.iter().any(|file| file == own.path()) {
        return beside(own.text(), span.file, &keys);
    }
    files.iter().find_map(|path| {
        let file = sources.id_of(path)?;
        beside(sources.file(file)?.text(), file, &keys)
    })
}

fn beside(text: &str, file: FileId, keys: &[String]) -> Option<(Span, bool)> {
    let documents = yamlspan::parse(text, file, Dialect::GoYamlV2).ok()?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mapping = documents.first()?.root().at(&keys)?;
    NAMES.iter().find_map(|(name, is_hex)| {
        let value = mapping.get(name).filter(|value| is_empty(*value))?;
        Some((value.content_span(), *is_hex))
    })
}

fn is_empty(value: NodeRef<'_>) -> bool {
    let is_line = matches!(value.style(), Style::Plain | Style::SingleQuoted | Style::DoubleQuoted);
    value.kind() == Kind::Scalar && is_line && (value.raw().is_empty() || value.value() == Scalar::Null)
}
