//! From rendered templates to manifests: splitting, reading the head, sorting, hooks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use source::{FileId, Text, octets};
use yamlspan::{Dialect, Document, Kind, NodeRef, Scalar};

use crate::context::RenderContext;
use crate::metadata::go_base;
use crate::rendered::Manifest;
use crate::{Error, ErrorKind, HelmVersion, order};

/// The annotation that makes a manifest a hook.
const HOOK: &str = "helm.sh/hook";

/// What a manifest may hook into.
const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// A manifest and its hook annotation.
pub(crate) type Read = (Manifest, Option<String>);

/// The manifests of all files, as they come.
///
/// # Errors
/// The first document that is no YAML, or whose head has the wrong shape.
pub(crate) fn read_all(files: &BTreeMap<String, Text>, helm: HelmVersion) -> Result<Vec<Read>, Error> {
    let mut all = Vec::new();
    for (path, content) in files {
        if go_base(path).starts_with('_') || content.trim().is_empty() {
            continue;
        }
        for text in split(content, helm) {
            all.push(read(path, text).map_err(|error| error.wrap(&format!("YAML parse error on {path}")))?);
        }
    }
    Ok(all)
}

/// Plain manifests and hooks, each in install order.
pub(crate) fn sort(all: Vec<Read>, helm: HelmVersion, context: &RenderContext) -> (Vec<Manifest>, Vec<Manifest>) {
    let (mut plain, mut hooks) = (Vec::new(), Vec::new());
    for (manifest, annotation) in all {
        match annotation {
            None => plain.push(manifest),
            Some(annotation) => match hook_events(&annotation) {
                Some(hook_events) => hooks.push(Manifest { hook_events, ..manifest }),
                None => {
                    let annotation = gotemplate::format::quote(annotation.as_bytes());
                    context.warn(format!("info: skipping unknown hook: {annotation}"));
                }
            },
        }
    }
    plain.sort_by(|a, b| order::by_kind(&a.kind, &b.kind, helm));
    hooks.sort_by(|a, b| order::by_kind(&a.kind, &b.kind, helm));
    (plain, hooks)
}

/// The events of a hook annotation; `None` if any of them is unknown.
fn hook_events(annotation: &str) -> Option<Vec<String>> {
    annotation
        .split(',')
        .map(|event| {
            let event = event.trim().to_lowercase();
            EVENTS.contains(&event.as_str()).then_some(event)
        })
        .collect()
}

/// The documents of a stream, as Helm cuts it: at every `---` that begins a line, whatever follows it there.
pub(crate) fn split(stream: &Text, helm: HelmVersion) -> Vec<Text> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let stream = match helm {
        HelmVersion::V3 => stream.trimmed(str::trim),
        HelmVersion::V4 => stream.trimmed(str::trim_start),
    };
    let string = stream.as_str();
    let mut documents = Vec::new();
    let mut push = |from: usize, to: usize| {
        let piece = stream.slice(from..to);
        let (piece, empty) = match helm {
            HelmVersion::V3 => (piece.trimmed(str::trim), piece.is_empty()),
            HelmVersion::V4 => (piece.trimmed(str::trim_start), piece.trim().is_empty()),
        };
        if !empty {
            documents.push(piece);
        }
    };
    let mut start = 0;
    let mut search = 0;
    while let Some(at) = next_marker(string, search) {
        let begins_line = at == 0
            || match helm {
                // The line end must lie behind the last separator, which takes all blanks after it with it.
                HelmVersion::V3 => at > start && string[start..at].ends_with('\n'),
                HelmVersion::V4 => string[..at].ends_with('\n'),
            };
        if !begins_line {
            search = at + 1;
            continue;
        }
        let after = &string[at + 3..];
        let (end, next) = match helm {
            HelmVersion::V3 => {
                let end = start + string[start..at].trim_end_matches(blank).len();
                (end, string.len() - after.trim_start_matches(blank).len())
            }
            HelmVersion::V4 => (at, string.len() - after.trim_start_matches([' ', '\t']).len()),
        };
        push(start, end);
        start = next;
        search = next;
    }
    push(start, string.len());
    documents
}

/// The next `---` at the start of a line, or at `from` itself.
fn next_marker(string: &str, from: usize) -> Option<usize> {
    let bytes = string.as_bytes();
    let mut at = from;
    loop {
        let found = at + memchr::memmem::find(bytes.get(at..)?, b"---")?;
        if found == from || found.checked_sub(1).is_some_and(|before| bytes[before] == b'\n') {
            return Some(found);
        }
        // What else the line has is no marker: a line of dashes is looked at once.
        at = found + memchr::memchr(b'\n', &bytes[found..])? + 1;
    }
}

fn read(path: &str, text: Text) -> Result<Read, Error> {
    let (document, head) = parse(&text, Shape::Manifest)?;
    let Head { api_version, kind, name, namespace, hook } = head;
    let document = document.map(Arc::new);
    let manifest = Manifest {
        template: path.to_owned(),
        text,
        document,
        api_version,
        kind,
        name,
        namespace,
        hook_events: Vec::new(),
    };
    Ok((manifest, hook))
}

/// Parses a document and reads its head: `yaml.Unmarshal` into one of Helm's structs. The document's spans are offsets in
/// `text`.
pub(crate) fn parse(text: &Text, shape: Shape) -> Result<(Option<Document>, Head), Error> {
    let bad = |error: &yamlspan::Error| {
        let span = error.span().and_then(|span| origin(text, span.start as usize));
        let kind = if error.limit().is_some() { ErrorKind::Limit } else { ErrorKind::Manifest };
        Error::new(kind, format!("error converting YAML to JSON: {error}")).at(span)
    };
    let read = match octets::decoded_text(text.as_str()) {
        Cow::Borrowed(_) => text.to_arc(),
        Cow::Owned(decoded) => decoded.into(),
    };
    let document = yamlspan::parse_first(read, FileId(u32::MAX), Dialect::GoYamlV2).map_err(|error| bad(&error))?;
    let Some(document) = document else { return Ok((None, Head::default())) };
    if !document.is_simple() && needs_decoding(document.root()) {
        yamlspan::decode::value(&document, &Text::new("")).map_err(|error| bad(&error))?;
    }
    let mut head = Head::default();
    head.read(document.root(), shape, &scalar_text).map_err(|message| {
        Error::new(
            ErrorKind::Manifest,
            format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {message}"),
        )
        .at(origin(text, document.root().span().start as usize))
    })?;
    Ok((Some(document), head))
}

/// What the linter reads of a text that is a known document in other words, if that is known of it. Around it, the text may have a marker and empty
/// lines.
pub(crate) fn head_in_other_words(known: &Document, text: &str) -> Option<Head> {
    let body = match text.strip_prefix("---") {
        Some(rest) => rest.split_once('\n')?.1,
        None => text,
    };
    let without_end = |text: &str| text.trim_end_matches('\n').len();
    let end = known.source().len() - without_end(known.source());
    let body = body.get(..without_end(body) + end)?.trim_start_matches('\n');
    let reworded = known.reworded(body)?;
    let mut head = Head::default();
    let text = |node: NodeRef<'_>| match reworded.iter().find(|reworded| reworded.id == node.id()) {
        Some(reworded) => reworded.text.map(str::to_owned),
        None => scalar_text(node),
    };
    head.read(known.root(), Shape::Lint, &text).ok()?;
    Some(head)
}

/// The Go struct that a document is read into; its name shows in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// What sorting reads: annotations must be a map of strings.
    Manifest,
    /// What the linter reads.
    Lint,
}

impl Shape {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Manifest => ("releaseutil.SimpleHead", "SimpleHead"),
            Self::Lint => ("rules.K8sYamlStruct", "K8sYamlStruct"),
        }
    }
}

/// Where the byte at this offset came from, or the last byte before it that came from somewhere: what is missed at the end has no origin, nor
/// has what `printf` makes of a value that is not there.
fn origin(text: &Text, offset: usize) -> Option<source::Span> {
    let last = text.segments().last().map_or(offset, |segment| segment.range.end.saturating_sub(1));
    let offset = offset.min(last);
    let segments = text.segments();
    let before = || segments.iter().rev().find(|segment| segment.range.end <= offset && !segment.range.is_empty());
    let segment = text.segments_in(offset..offset + 1).next().or_else(before)?;
    let offset = offset.min(segment.range.end.saturating_sub(1));
    let place = segment.origin.spans().first().copied()?;
    text.exact_span(offset..offset + 1).or(Some(place))
}

/// Whether more than syntax may be wrong with a document: tags, aliases, merge keys, keys that are no scalars.
fn needs_decoding(node: NodeRef<'_>) -> bool {
    if node.tag().is_some() || node.anchor().is_some() {
        return true;
    }
    match node.kind() {
        Kind::Alias => true,
        Kind::Scalar => false,
        Kind::Sequence => node.items().any(needs_decoding),
        Kind::Mapping => node.entries().any(|(key, value)| {
            key.kind() != Kind::Scalar || key.is_merge_key() || needs_decoding(key) || needs_decoding(value)
        }),
    }
}

/// What Helm reads of a manifest.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    hook: Option<String>,
}

impl Head {
    /// `scalar_text`: what a scalar says, as [`scalar_text`]. The error is the end of `encoding/json`'s message.
    fn read(
        &mut self,
        root: NodeRef<'_>,
        shape: Shape,
        scalar_text: &dyn Fn(NodeRef<'_>) -> Option<String>,
    ) -> Result<(), String> {
        let (go_type, name) = shape.names();
        let root = root.target();
        let Some(root) = table(root).map_err(|kind| format!("{kind} into Go value of type {go_type}"))? else {
            return Ok(());
        };
        let text = |node: Option<NodeRef<'_>>, field: &str| match node.map(NodeRef::target) {
            None => Ok(String::new()),
            Some(node) => scalar_text(node).ok_or_else(|| {
                // The struct named is the innermost one, and that of a manifest's metadata has no name.
                let name = match (field.contains('.'), shape) {
                    (false, _) => name,
                    (true, Shape::Manifest) => "",
                    (true, Shape::Lint) => "k8sYamlMetadata",
                };
                format!("{} into Go struct field {name}.{field} of type string", json_kind(node))
            }),
        };
        self.api_version = text(member(root, "apiVersion"), "apiVersion")?;
        self.kind = text(member(root, "kind"), if shape == Shape::Lint { "Kind" } else { "kind" })?;
        let Some(metadata) = member(root, "metadata").map(NodeRef::target) else { return Ok(()) };
        let Some(metadata) = table(metadata).map_err(|kind| match shape {
            Shape::Lint => format!("{kind} into Go struct field {name}.Metadata of type rules.k8sYamlMetadata"),
            Shape::Manifest => format!(
                "{kind} into Go struct field {name}.metadata of type struct {{ Name string \"json:\\\"name\\\"\"; Annotations \
                 map[string]string \"json:\\\"annotations\\\"\" }}"
            ),
        })?
        else {
            return Ok(());
        };
        if shape == Shape::Lint {
            self.name = text(member(metadata, "name"), "Metadata.Name")?;
            self.namespace = text(member(metadata, "namespace"), "Metadata.Namespace")?;
            return Ok(());
        }
        self.name = text(member(metadata, "name"), "metadata.name")?;
        // Not part of what Helm reads here, so of any shape.
        self.namespace = member(metadata, "namespace").map(NodeRef::target).and_then(scalar_text).unwrap_or_default();
        let Some(annotations) = member(metadata, "annotations").map(NodeRef::target) else { return Ok(()) };
        let Some(annotations) = table(annotations)
            .map_err(|kind| format!("{kind} into Go struct field .metadata.annotations of type map[string]string"))?
        else {
            return Ok(());
        };
        for (_, value) in annotations.entries() {
            text(Some(value), "metadata.annotations")?;
        }
        self.hook = annotations.get(HOOK).map(NodeRef::target).and_then(scalar_text);
        Ok(())
    }
}

/// The node if it is a mapping; nothing if it is null; else the JSON kind of what it is.
fn table(node: NodeRef<'_>) -> Result<Option<NodeRef<'_>>, &'static str> {
    match node.kind() {
        Kind::Mapping => Ok(Some(node)),
        Kind::Scalar if node.value() == Scalar::Null => Ok(None),
        _ => Err(json_kind(node)),
    }
}

/// The value of a key; `encoding/json` takes one that differs in case only, too.
fn member<'d>(node: NodeRef<'d>, name: &str) -> Option<NodeRef<'d>> {
    node.get(name).or_else(|| {
        node.entries().find(|(key, _)| key.target().raw().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// A scalar where a string is wanted; `None` for collections.
pub(crate) fn scalar_text(node: NodeRef<'_>) -> Option<String> {
    if node.kind() != Kind::Scalar {
        return None;
    }
    Some(match node.value() {
        Scalar::Null => String::new(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => value.to_string(),
        Scalar::Float(value) => gotemplate::format::format_float(value, b'g', None),
        Scalar::Str | Scalar::Timestamp(_) | Scalar::Binary | Scalar::Merge => node.raw().to_owned(),
    })
}

fn json_kind(node: NodeRef<'_>) -> &'static str {
    match (node.kind(), node.value()) {
        (Kind::Sequence, _) => "array",
        (Kind::Mapping | Kind::Alias, _) => "object",
        (Kind::Scalar, Scalar::Bool(_)) => "bool",
        (Kind::Scalar, Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "number",
        (Kind::Scalar, _) => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, v3: &[&str], v4: &[&str]) {
        let pieces = |helm| split(&Text::new(stream), helm).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(pieces(HelmVersion::V3), v3, "{stream:?}");
        assert_eq!(pieces(HelmVersion::V4), v4, "{stream:?}");
    }

    #[test]
    fn splits_as_helm_does() {
        check("a: 1\n---\nb: 2\n", &["a: 1", "b: 2"], &["a: 1\n", "b: 2\n"]);
        check("---\n---\na: 1", &["---\na: 1"], &["a: 1"]);
        check("a: 1\n---b: 2", &["a: 1", "b: 2"], &["a: 1\n", "b: 2"]);
        check("a: |\n  ---\n  x", &["a: |\n  ---\n  x"], &["a: |\n  ---\n  x"]);
        check("a: x --- y", &["a: x --- y"], &["a: x --- y"]);
        check("a: -----\n---\nb: --\n-\n---", &["a: -----", "b: --\n-"], &["a: -----\n", "b: --\n-\n"]);
        check("\n\n---\n# only\n---\n\n", &["# only"], &["# only\n"]);
    }

    #[test]
    fn a_head_is_known_in_other_words() {
        let text = "kind: Deployment\nmetadata:\n  name: stella-a\nspec:\n  host: http://stella-b:80/\n";
        let (known, _) = parse(&Text::new(text), Shape::Manifest).unwrap();
        let known = known.unwrap();
        let head = |text: &str| head_in_other_words(&known, text).map(|head| (head.kind, head.name));
        let other = text.replace("stella", "test");
        let expected = Some(("Deployment".to_owned(), "test-a".to_owned()));
        assert_eq!(head(&other), expected);
        assert_eq!(head(&format!("---\n\n{other}\n")), expected);
        assert_eq!(head(&text.replace("Deployment", "Job")), Some(("Job".to_owned(), "stella-a".to_owned())));
        assert_eq!(head(&text.replace("stella-a", "1.5")), None);
        assert_eq!(head(&format!("--- # x\n# c\n{other}")), None);
        assert_eq!(head(&format!(" {other}")), None);
    }
}
