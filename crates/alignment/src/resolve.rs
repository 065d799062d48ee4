//! From symbolic places to source bytes, through a traced rendering.
//!
//! Pure: the program renders a profile again with its trace and hands the result in.

use std::ops::Range;
use std::sync::Arc;

use composefile::{Node, Project, Value};
use findings::{Finding, Location, Related};
use source::{Segment, SourceMap, Span, Text, Via};
use yamlspan::{Kind, NodeRef};

use crate::accept::Reported;
use crate::drawn::is_drawn;
use crate::inputs::{Profile, Rendering};
use crate::labels::is_of_chart;
use crate::place::{At, Object, Path, Place, Rendered, Step};

/// Template actions on the way of a value that are named. The outermost is the line of the manifest's template; more
/// than a few tell nothing.
const MOST_ACTIONS: usize = 2;

/// Where a rendered value came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The best single place: the bytes themselves where they stand in one piece.
    pub primary: Option<Span>,
    /// Whether `primary` holds exactly the bytes of the value, so that it can be edited.
    pub exact: bool,
    /// Template actions and variables that carried the value, outermost first.
    pub via: Vec<Span>,
}

/// Resolves a place in a traced rendering of its profile. Without a trace it still gives what the engine kept: for Compose
/// the node, for Kubernetes nothing.
#[must_use]
pub fn resolve(traced: &Profile, place: &Rendered) -> Resolved {
    let Some(variant) = traced.variants.get(place.variant) else { return Resolved::default() };
    match (&variant.rendering, place.object) {
        (Ok(Rendering::Compose(rendering)), Object::Compose) => {
            compose(&rendering.all, &place.path, place.range.clone())
        }
        (Ok(Rendering::Kubernetes(rendering)), Object::Document(index)) => {
            let Some(document) = rendering.documents.get(index) else { return Resolved::default() };
            kubernetes(document.document.root(), &document.text, &place.path, place.range.clone())
        }
        _ => Resolved::default(),
    }
}

/// The scalar of a Compose file that a value stands in, with its variables as they are written.
#[must_use]
pub fn scalar_of(profile: &Profile, place: &Rendered) -> Option<Span> {
    let compose = profile.variants.get(place.variant)?.compose().filter(|_| place.object == Object::Compose)?;
    let mut node = &compose.all.root;
    for step in &place.path.0 {
        node = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => map.get(key)?,
            (Step::Index(index), Value::Seq(items)) => items.get(*index)?,
            _ => return None,
        };
    }
    node.span.filter(|_| node.as_text().is_some())
}

/// The findings that stand once places are known, each with its places resolved. `traced` gives the traced rendering of a profile by name, where
/// there is one.
#[must_use]
pub fn reported<'a>(
    found: Vec<Finding<Place>>,
    traced: &dyn Fn(&str) -> Option<&'a Profile>,
    sources: &SourceMap,
) -> Vec<Reported> {
    let report = |symbolic: Finding<Place>| {
        let resolved = resolve_finding(&symbolic, traced, sources);
        Reported { symbolic, resolved }
    };
    let stands = |reported: &Reported| !is_drawn(reported, traced) && !is_of_chart(reported, traced, sources);
    found.into_iter().map(report).filter(stands).collect()
}

fn resolve_finding<'a>(
    finding: &Finding<Place>,
    traced: &dyn Fn(&str) -> Option<&'a Profile>,
    sources: &SourceMap,
) -> Finding<Location> {
    let mut related: Vec<Related<Location>> = Vec::new();
    let (place, via) = locate(&finding.place, traced, sources);
    for span in via {
        related.push(Related { place: Location::Span(span), label: via_label(span, sources).to_owned() });
    }
    for other in &finding.related {
        let (place, via) = locate(&other.place, traced, sources);
        related.push(Related { place, label: other.label.clone() });
        // A named template prints for many: which of them is meant, the action tells that includes it.
        let included = via.first().filter(|span| is_include(**span, sources));
        related.extend(included.map(|span| Related { place: Location::Span(*span), label: "printed here".to_owned() }));
    }
    Finding {
        rule: finding.rule,
        severity: finding.severity,
        message: finding.message.clone(),
        place,
        label: finding.label.clone(),
        related,
        help: finding.help.clone(),
        profiles: finding.place.profile.iter().cloned().collect(),
        accepted: None,
        is_secret: finding.is_secret,
    }
}

fn locate<'a>(
    place: &Place,
    traced: &dyn Fn(&str) -> Option<&'a Profile>,
    sources: &SourceMap,
) -> (Location, Vec<Span>) {
    match &place.at {
        At::Source(span) => (Location::Span(*span), Vec::new()),
        At::File(path) => (Location::File(path.clone()), Vec::new()),
        At::Nowhere => (Location::Nowhere, Vec::new()),
        At::Rendered(rendered) => {
            let profile = place.profile.as_deref().and_then(traced);
            let resolved = profile.map(|profile| resolve(profile, rendered)).unwrap_or_default();
            match resolved.primary {
                Some(span) => (Location::Span(first_line(span, sources)), resolved.via),
                None => (Location::Nowhere, resolved.via),
            }
        }
    }
}

/// What a related place of a trace shows.
fn via_label(span: Span, sources: &SourceMap) -> &'static str {
    let written = sources.file(span.file).and_then(|file| file.text().get(span.range()));
    if written.is_some_and(|written| written.starts_with("{{")) { "printed here" } else { "used here" }
}

fn is_include(span: Span, sources: &SourceMap) -> bool {
    let written = sources.file(span.file).and_then(|file| file.text().get(span.range())).unwrap_or_default();
    written.starts_with("{{") && ["include ", "template "].iter().any(|word| written.contains(word))
}

/// A mapping or a block is shown by its first line.
fn first_line(span: Span, sources: &SourceMap) -> Span {
    let Some(written) = sources.file(span.file).and_then(|file| file.text().get(span.range())) else { return span };
    match written.find(['\n', '\r']) {
        Some(end) => Span::new(span.file, span.start as usize..span.start as usize + end),
        None => span,
    }
}

fn compose(project: &Project, path: &Path, range: Option<Range<usize>>) -> Resolved {
    let mut node = &project.root;
    let mut key_span: Option<Span> = None;
    for step in &path.0 {
        if let (Step::Name(key), Value::Map(map)) = (step, &node.value) {
            let named = map.entry(key).and_then(|entry| entry.key_span.or(entry.node.span));
            return Resolved { primary: named.or(node.span), ..Resolved::default() };
        }
        let next = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => map.entry(key).map(|entry| (&entry.node, entry.key_span)),
            (Step::Index(index), Value::Seq(items)) => items.get(*index).map(|node| (node, None)),
            _ => None,
        };
        match next {
            Some((found, span)) => {
                node = found;
                key_span = span;
            }
            None => break,
        }
    }
    compose_node(node, key_span, range)
}

fn compose_node(node: &Node, key_span: Option<Span>, range: Option<Range<usize>>) -> Resolved {
    let whole = match &node.value {
        // A mapping's place is its key: the block below it may be long, or an alias of another one.
        Value::Map(_) | Value::Seq(_) => key_span.or(node.span),
        _ => node.span.or(key_span),
    };
    let Some(text) = node.as_text() else { return Resolved { primary: whole, ..Resolved::default() } };
    let mut resolved = from_text(text, range.unwrap_or(0..text.len()));
    if resolved.primary.is_none() {
        resolved.primary = whole;
    } else if let (Some(whole), Some(primary)) = (node.span, resolved.primary)
        && !whole.contains(primary)
    {
        // The value came in through a variable: show the scalar that names the variable too.
        if !resolved.via.contains(&whole) {
            resolved.via.push(whole);
        }
    }
    resolved.via.truncate(MOST_ACTIONS);
    resolved
}

fn kubernetes(root: NodeRef<'_>, text: &Text, path: &Path, range: Option<Range<usize>>) -> Resolved {
    let mut node = root.target();
    let mut key: Option<NodeRef<'_>> = None;
    for step in &path.0 {
        let inner = node.target();
        if let Step::Name(name) = step {
            let named = inner.entries().find(|(key, _)| key.raw() == &**name).map_or(inner, |(key, _)| key);
            return from_text(text, named.content_span().range());
        }
        let next = match (step, inner.kind()) {
            (Step::Key(name), Kind::Mapping) => {
                let entry = inner.entries().find(|(key, _)| key.raw() == &**name);
                // A key that comes in through `<<` has no entry of its own.
                entry.map(|(key, value)| (value, Some(key))).or_else(|| inner.get(name).map(|value| (value, None)))
            }
            (Step::Index(index), Kind::Sequence) => inner.items().nth(*index).map(|item| (item, None)),
            _ => None,
        };
        match next {
            Some((found, found_key)) => {
                node = found;
                key = found_key;
            }
            None => break,
        }
    }
    let value = node.target();
    if value.kind() == Kind::Scalar {
        let decoded = value.text(text);
        let resolved = from_text(&decoded, range.unwrap_or(0..decoded.len()));
        if resolved.primary.is_some() {
            return resolved;
        }
    }
    // A collection, or a scalar without a trace of its own: its key, else its first bytes as printed.
    let shown = key.unwrap_or(value).span().range();
    let shown = if value.kind() == Kind::Scalar || key.is_some() {
        shown
    } else {
        let first = text.as_str().get(shown.clone()).and_then(|printed| printed.find('\n'));
        shown.start..first.map_or(shown.end, |first| shown.start + first)
    };
    // What is shown for a value is not its bytes.
    Resolved { exact: false, ..from_text(text, shown) }
}

/// Where a byte range of a text came from.
fn from_text(text: &Text, range: Range<usize>) -> Resolved {
    let segments: Vec<&Segment> = text.segments_in(range.clone()).collect();
    let via = actions(&segments);
    if let Some(span) = text.exact_span(range.clone()) {
        return Resolved { primary: Some(span), exact: true, via };
    }
    // In several pieces: the longest piece is what people look for (`registry/` + `name` + `@` + digest).
    let overlap =
        |segment: &&&Segment| segment.range.end.min(range.end).saturating_sub(segment.range.start.max(range.start));
    let mut best: Option<&Segment> = None;
    for segment in &segments {
        if best.is_none_or(|best| overlap(&segment) > overlap(&&best)) {
            best = Some(segment);
        }
    }
    let primary = best.and_then(|segment| {
        let from = range.start.max(segment.range.start);
        let to = range.end.min(segment.range.end).max(from);
        text.exact_span(from..to).filter(|_| from < to).or_else(|| segment.origin.spans().first().copied())
    });
    Resolved { primary, exact: false, via }
}

/// The actions that carried any of the segments, outermost first.
fn actions(segments: &[&Segment]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for segment in segments {
        let mut via: Option<&Arc<Via>> = segment.via.as_ref();
        while let Some(action) = via {
            if out.len() >= MOST_ACTIONS {
                return out;
            }
            if !out.contains(&action.at) {
                out.push(action.at);
            }
            via = action.inner.as_ref();
        }
    }
    out
}
