//! Where the value that a schema refuses is set: the entry of the values file whose key won.

use std::sync::Arc;

use camino::Utf8PathBuf;
use gotemplate::{Map, Value};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use source::{FileId, Files, Span};
use yamlspan::{Dialect, NodeRef};

use crate::graph::{ChartId, Graph};

/// The way to what an error is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// Keys and indices, from the root of the values that are checked.
    steps: Vec<String>,
    /// Whether the last key itself is what is wrong.
    key: bool,
}

impl Way {
    pub(super) fn new(error: &ValidationError<'_>) -> Self {
        let steps: Vec<String> = super::words::tokens(error.instance_path().as_str()).collect();
        let to = |key: Option<&str>| Self {
            steps: steps.iter().cloned().chain(key.map(str::to_owned)).collect(),
            key: key.is_some(),
        };
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => to(unexpected.first().map(String::as_str)),
            Kind::PropertyNames { error } => to(error.instance().as_str()),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                // As far as all branches agree: none of them is known to be the one that was meant.
                let mut branches = context.iter().flatten().map(Self::new);
                let Some(first) = branches.next() else { return Self { steps, key: false } };
                branches.fold(first, Self::shared)
            }
            _ => Self { steps, key: false },
        }
    }

    /// The same way in the values of a chart that these charts lead to.
    pub(super) fn below(self, charts: &[String]) -> Self {
        Self { steps: charts.iter().cloned().chain(self.steps).collect(), key: self.key }
    }

    fn shared(self, other: Self) -> Self {
        let both = self.steps.iter().zip(&other.steps).take_while(|(one, other)| one == other).count();
        let key = self.key && other.key && both == self.steps.len() && both == other.steps.len();
        Self { steps: self.steps.into_iter().take(both).collect(), key }
    }
}

/// A file that values were read from.
struct Source {
    file: FileId,
    /// Bytes of the file before `text`.
    before: usize,
    text: Arc<str>,
}

/// The bytes of what is wrong: a value, or its key where that is wrong or the value is a collection. `values` are traced; what a flag
/// set has no place.
pub(crate) fn find(
    graph: &Graph<'_>,
    user: &[Utf8PathBuf],
    files: &dyn Files,
    values: &Map,
    way: &Way,
) -> Option<Span> {
    let (key, rest) = last_key(values, &way.steps)?;
    let source = source(graph, user, files, key.file)?;
    let document = yamlspan::parse_first(Arc::clone(&source.text), source.file, Dialect::GoYamlV2).ok()??;
    let at = (key.start as usize).checked_sub(source.before)?;
    let (name, mut value) = entry_at(document.root(), at)?;
    for step in rest {
        value = value.target().items().nth(step.parse().ok()?)?;
    }
    let is_scalar = value.target().kind() == yamlspan::Kind::Scalar;
    let shown = if (is_scalar || !rest.is_empty()) && !way.key { value.span() } else { name.span() }.range();
    // An item that is a collection is shown by its first line.
    let first = source.text.get(shown.clone()).and_then(|written| written.find('\n')).filter(|_| !is_scalar);
    let end = first.map_or(shown.end, |first| shown.start + first);
    Some(Span::new(source.file, shown.start + source.before..end + source.before))
}

/// Where the last key of the way stands, and the indices behind it. None if nothing traced says it.
fn last_key<'w>(values: &Map, way: &'w [String]) -> Option<(Span, &'w [String])> {
    let mut place = None;
    let mut value = Value::Map(values.clone());
    for (depth, step) in way.iter().enumerate() {
        value = match &value {
            Value::Map(map) => {
                let key = map.keys().into_iter().find(|key| key.as_str() == step)?;
                let span = key.segments().first().and_then(|segment| segment.origin.spans().first()).copied();
                place = span.map(|span| (span, way.get(depth + 1..).unwrap_or_default()));
                map.get(step)?
            }
            Value::List(list) => list.items().get(step.parse::<usize>().ok()?)?.clone(),
            _ => return None,
        };
    }
    place
}

/// The text of a file of the user or of a chart.
fn source(graph: &Graph<'_>, user: &[Utf8PathBuf], files: &dyn Files, wanted: FileId) -> Option<Source> {
    for path in user {
        if let Ok((file, text)) = files.read_decoded(path)
            && file == wanted
        {
            return Some(Source { file, before: 0, text });
        }
    }
    below(graph, graph.root(), wanted)
}

fn below(graph: &Graph<'_>, chart: ChartId, wanted: FileId) -> Option<Source> {
    if let Some(own) = graph.data(chart).values_file().filter(|own| own.file == Some(wanted)) {
        return Some(Source { file: wanted, before: own.before, text: own.plain_yaml().to_arc() });
    }
    graph.children(chart).iter().find_map(|child| below(graph, *child, wanted))
}

/// The entry whose key stands at this byte.
fn entry_at(node: NodeRef<'_>, at: usize) -> Option<(NodeRef<'_>, NodeRef<'_>)> {
    let inside = |node: &NodeRef<'_>| {
        let range = node.full_span().range();
        range.start <= at && at < range.end.max(range.start + 1)
    };
    if !inside(&node) {
        return None;
    }
    if let Some(found) = node.entries().find(|(key, _)| inside(key)) {
        return Some(found);
    }
    node.entries().map(|(_, value)| value).chain(node.items()).find_map(|below| entry_at(below, at))
}
