//! A collector's configuration as a tree whose every value and key knows where it is written.
//!
//! Source of the rules: `confmap` of the OpenTelemetry Collector. It reads YAML with go-yaml v3, takes `::` in a key for nesting,
//! and merges layers in order: maps deeply, everything else (lists too) is replaced by the later layer.
//!
//! Threats, and the answer to each: aliases that multiply ([`MOST_NODES`]), nesting that never ends ([`DEEPEST`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use source::FileId;
use yamlspan::{Dialect, Kind, NodeRef, Scalar};

use crate::place::{Object, Path};

/// Values in one layer. A large configuration has some thousand; only multiplying aliases reach this.
const MOST_NODES: usize = 200_000;

/// Nesting of one layer. Real configurations stay below 15.
const DEEPEST: usize = 100;

/// What separates the parts of a nested key: `receivers::otlp`.
const KEY_DELIMITER: &str = "::";

/// The text that a layer was parsed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A file of the workspace.
    File(FileId),
    /// A value of the profile's rendering: `data` of a ConfigMap, an inline Compose config, an argument.
    Rendered {
        variant: usize,
        object: Object,
        path: Path,
        /// Where the layer starts in the value. `None`: its bytes do not stand there as they are, only the whole value can be
        /// named.
        offset: Option<usize>,
    },
}

/// Bytes of a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) origin: Arc<Origin>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Spot {
    /// The same spot whatever the overlay: what several renderings of a profile share is reported once.
    pub(crate) fn in_any_variant(&self) -> Self {
        let mut origin = Origin::clone(&self.origin);
        if let Origin::Rendered { variant, .. } = &mut origin {
            *variant = 0;
        }
        Self { origin: Arc::new(origin), ..*self }
    }
}

/// A value of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) spot: Spot,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar { text: Arc<str>, plain: Plain },
    List(Vec<Node>),
    Map(Map),
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    Text,
}

/// A node of the map has room for eleven entries, of which most maps have one or two: so they lie elsewhere.
pub(crate) type Map = BTreeMap<Arc<str>, Box<Entry>>;

/// A value under a key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spot,
    pub(crate) node: Node,
}

/// Why a layer cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) message: String,
    pub(crate) spot: Spot,
}

impl Node {
    pub(crate) fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain } if *plain != Plain::Null => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar { plain: Plain::Null, .. })
    }

    /// The entry under a key, if this is a map that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.get(key).map(|entry| &**entry)
    }

    /// The value under a key, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The value at a path of keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }
}

impl Entry {
    /// What to show of an entry: of a block its key, of a scalar the value. A rendered number or boolean is shown with its key,
    /// because a trace ends at such values and only the key leads back to the values file.
    pub(crate) fn shown(&self) -> Spot {
        let value = &self.node.spot;
        let is_rendered = matches!(*value.origin, Origin::Rendered { .. });
        match &self.node.value {
            Value::Scalar { plain: Plain::Bool(_) | Plain::Number(_), .. } if is_rendered => {
                let in_order = self.key.origin == value.origin && self.key.start < value.end;
                if in_order { Spot { end: value.end, ..self.key.clone() } } else { value.clone() }
            }
            Value::Scalar { plain, .. } if *plain != Plain::Null => value.clone(),
            _ => self.key.clone(),
        }
    }
}

/// Parses one layer. A layer without content is an empty map.
///
/// # Errors
/// What the collector refuses, with the place.
pub(crate) fn parse(text: &Arc<str>, origin: &Arc<Origin>) -> Result<Node, Refused> {
    let whole = || Spot { origin: Arc::clone(origin), start: 0, end: text.find('\n').unwrap_or(text.len()) };
    // The file of the spans is of no account: they are ranges of this text, and the origin says whose text it is.
    let document = yamlspan::parse_first(Arc::clone(text), FileId(u32::MAX), Dialect::GoYamlV3).map_err(|error| {
        let range = error.span().map(|span| span.range());
        let spot = range.map_or_else(whole, |range| spot_of(origin, text, range));
        Refused { message: error.to_string(), spot }
    })?;
    let empty = Node { value: Value::Map(Map::new()), spot: whole() };
    let Some(document) = document else { return Ok(empty) };
    let mut reader = Reader { origin, text, left: MOST_NODES, open: BTreeSet::new() };
    let node = reader.node(document.root(), 0)?;
    match node.value {
        Value::Map(_) => Ok(node),
        _ if node.is_null() => Ok(empty),
        _ => Err(Refused { message: "a configuration must be a mapping".to_owned(), spot: node.spot }),
    }
}

/// The first line of a range.
fn spot_of(origin: &Arc<Origin>, text: &str, range: Range<usize>) -> Spot {
    let first = text.get(range.clone()).and_then(|written| written.find(['\n', '\r']));
    let end = first.map_or(range.end, |first| range.start + first);
    Spot { origin: Arc::clone(origin), start: range.start, end }
}

struct Reader<'t> {
    origin: &'t Arc<Origin>,
    text: &'t str,
    left: usize,
    /// Anchored nodes that are being read: an alias inside its own anchor never ends.
    open: BTreeSet<u32>,
}

impl Reader<'_> {
    fn spot(&self, node: NodeRef<'_>) -> Spot {
        // Of a scalar in quotes what is inside them, as elsewhere.
        let span = if node.kind() == Kind::Scalar { node.content_span() } else { node.span() };
        spot_of(self.origin, self.text, span.range())
    }

    fn refused<T>(&self, node: NodeRef<'_>, message: impl Into<String>) -> Result<T, Refused> {
        Err(Refused { message: message.into(), spot: self.spot(node) })
    }

    fn node(&mut self, written: NodeRef<'_>, depth: usize) -> Result<Node, Refused> {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return self.refused(written, "the configuration has too many values"),
        };
        if depth > DEEPEST {
            return self.refused(written, "the configuration is nested too deeply");
        }
        let node = written.target();
        let spot = self.spot(node);
        if node.kind() == Kind::Scalar {
            let plain = match node.value() {
                Scalar::Null => Plain::Null,
                Scalar::Bool(value) => Plain::Bool(value),
                #[expect(clippy::cast_precision_loss, reason = "numbers are only compared with numbers")]
                Scalar::Int(value) => Plain::Number(value as f64),
                #[expect(clippy::cast_precision_loss, reason = "numbers are only compared with numbers")]
                Scalar::Uint(value) => Plain::Number(value as f64),
                Scalar::Float(value) => Plain::Number(value),
                Scalar::Str | Scalar::Timestamp(_) | Scalar::Binary | Scalar::Merge => Plain::Text,
            };
            return Ok(Node { value: Value::Scalar { text: Arc::from(node.raw()), plain }, spot });
        }
        if !self.open.insert(node.id()) {
            return self.refused(written, "an anchor contains itself");
        }
        let value = match node.kind() {
            Kind::Sequence => {
                let items = node.items().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?;
                Value::List(items)
            }
            _ => Value::Map(self.map(node, depth)?),
        };
        self.open.remove(&node.id());
        Ok(Node { value, spot })
    }

    fn map(&mut self, node: NodeRef<'_>, depth: usize) -> Result<Map, Refused> {
        let mut own = Map::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut merged: Vec<Map> = Vec::new();
        for (key, value) in node.entries() {
            if key.is_merge_key() {
                let target = value.target();
                let parts = match target.kind() {
                    Kind::Sequence => target.items().collect(),
                    _ => vec![value],
                };
                for part in parts {
                    if let Value::Map(map) = self.node(part, depth + 1)?.value {
                        merged.push(map);
                    }
                }
                continue;
            }
            if !seen.insert(key.raw()) {
                return self.refused(key, format!("the key `{}` is written twice in one mapping", key.raw()));
            }
            let entry = Box::new(Entry { key: self.spot(key), node: self.node(value, depth + 1)? });
            insert(&mut own, key.raw(), entry);
        }
        // What a mapping says itself wins over what it merges in, and the first of several over the later ones.
        for (key, entry) in merged.into_iter().flatten() {
            own.entry(key).or_insert(entry);
        }
        Ok(own)
    }
}

/// Puts an entry under a key, in nested maps where the key holds `::`.
fn insert(map: &mut Map, key: &str, entry: Box<Entry>) {
    let (first, rest) = match key.split_once(KEY_DELIMITER) {
        Some((first, rest)) if !first.is_empty() && !rest.is_empty() => (first, rest),
        _ => return merge_entry(map, Arc::from(key), entry),
    };
    let spot = entry.key.clone();
    let mut inner = Map::new();
    insert(&mut inner, rest, entry);
    let node = Node { value: Value::Map(inner), spot: spot.clone() };
    merge_entry(map, Arc::from(first), Box::new(Entry { key: spot, node }));
}

/// Lays a later layer over an earlier one.
pub(crate) fn merge(below: &mut Node, above: Node) {
    match (&mut below.value, above.value) {
        (Value::Map(below), Value::Map(above)) => {
            for (key, entry) in above {
                merge_entry(below, key, entry);
            }
        }
        (_, value) => *below = Node { value, spot: above.spot },
    }
}

fn merge_entry(map: &mut Map, key: Arc<str>, entry: Box<Entry>) {
    match map.get_mut(&key) {
        // A map that is only added to keeps the place where it was opened.
        Some(below) if below.node.as_map().is_some() && entry.node.as_map().is_some() => {
            merge(&mut below.node, entry.node);
        }
        _ => drop(map.insert(key, entry)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Arc<Origin> {
        Arc::new(Origin::File(FileId(0)))
    }

    fn read(text: &str) -> Node {
        parse(&Arc::from(text), &origin()).unwrap()
    }

    /// The tree in one line, keys sorted.
    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Scalar { text, .. } => text.to_string(),
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
            Value::Map(map) => {
                let entries = map.iter().map(|(key, entry)| format!("{key}: {}", shown(&entry.node)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn layers_merge_as_the_collector_does() {
        let mut below = read("a: {b: 1, c: [x, y]}\nd: 2\n");
        merge(&mut below, read("a: {c: [z], e: 3}\nd: null\nf::g::h: 4\n"));
        assert_eq!(shown(&below), "{a: {b: 1, c: [z], e: 3}, d: null, f: {g: {h: 4}}}");
        merge(&mut below, read("f: {g: 5}"));
        assert_eq!(shown(&below), "{a: {b: 1, c: [z], e: 3}, d: null, f: {g: 5}}");
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let tree = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x\n");
        assert_eq!(shown(&tree), "{x: {a: 1, b: 2}, y: {a: 1, b: 3}, z: {a: 1, b: 2}}");
    }

    #[test]
    fn spots_are_the_written_bytes() {
        let text = "exporters:\n  debug:\n    verbosity: \"basic\"\n";
        let tree = read(text);
        let entry = tree.at(&["exporters", "debug"]).unwrap().entry("verbosity").unwrap();
        assert_eq!(&text[entry.node.spot.start..entry.node.spot.end], "basic");
        assert_eq!(&text[entry.key.start..entry.key.end], "verbosity");
        let shown = tree.entry("exporters").unwrap().shown();
        assert_eq!(&text[shown.start..shown.end], "exporters");
    }

    #[test]
    fn what_the_collector_refuses_is_refused_at_its_place() {
        for (text, message, written) in [
            ("a: 1\na: 2\n", "the key `a` is written twice in one mapping", "a"),
            ("- a\n", "a configuration must be a mapping", "- a"),
            ("a: &a {b: *a}\n", "an anchor contains itself", "*a"),
        ] {
            let refused = parse(&Arc::from(text), &origin()).unwrap_err();
            assert_eq!(refused.message, message);
            assert_eq!(&text[refused.spot.start..refused.spot.end], written, "{text}");
        }
        assert!(parse(&Arc::from("a: [\n"), &origin()).unwrap_err().message.starts_with("yaml: line"));
    }

    #[test]
    fn multiplying_aliases_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        let refused = parse(&Arc::from(text), &origin()).unwrap_err();
        assert_eq!(refused.message, "the configuration has too many values");
    }
}
