//! The one tree that every step of loading works on: values that know where they were written.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use source::{Span, Text};

/// A value and the place of the source node that it came from.
///
/// After a merge the place is that of the node that won; a value that Compose itself adds (a default, a name made from
/// a key) has none.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub value: Value,
    pub span: Option<Span>,
}

/// What a [`Node`] holds. Numbers are kept as go-yaml resolves them: `Int` where it fits, else `Uint`, else `Float`.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Text),
    /// A YAML timestamp, as Go's `time.Time` prints it: RFC 3339 with nanoseconds.
    Time(Text),
    Seq(Vec<Node>),
    Map(Map),
}

/// A mapping with string keys, in written order. Equal keys cannot occur.
///
/// A clone shares its entries until one of both is changed: projects that differ in a file or two have most of their tree in common.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Arc<Entries>,
}

/// Iterated in written order alone, so that the random seed does not show.
type Entries = IndexMap<Text, Entry, RandomState>;

/// One entry of a [`Map`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key is written, if it is.
    pub key_span: Option<Span>,
    pub node: Node,
}

impl Node {
    /// A value without a place.
    #[must_use]
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), span: None }
    }

    /// A value at a place.
    #[must_use]
    pub fn at(value: impl Into<Value>, span: Option<Span>) -> Self {
        Self { value: value.into(), span }
    }

    /// A string without a place.
    #[must_use]
    pub fn string(text: impl Into<Text>) -> Self {
        Self::new(Value::Str(text.into()))
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The string, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(Text::as_str)
    }

    /// The items, if this is a sequence.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The mapping to change, if this is one.
    #[must_use]
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The integer, if this is one that fits.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value under a key, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value under a path of keys; a number steps into a sequence.
    #[must_use]
    pub fn at_path<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<&Self> {
        let mut node = self;
        for part in path {
            node = match &node.value {
                Value::Map(map) => map.get(part)?,
                Value::Seq(items) => items.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Deep equality of values; places do not count. As Go's `reflect.DeepEqual`: `1` and `1.0` differ.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Uint(a), Value::Uint(b)) => a == b,
            #[expect(clippy::float_cmp, reason = "Go compares them so too")]
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) | (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(key, node)| b.get(key).is_some_and(|other| node.same(other)))
            }
            _ => false,
        }
    }

    /// The value as Go's `fmt.Sprint` prints it.
    #[must_use]
    pub fn to_go_text(&self) -> Text {
        match &self.value {
            Value::Str(text) => text.clone(),
            _ => Text::new(crate::go::sprint(self)),
        }
    }

    /// The name of the Go type that holds such a value, as `%T` prints it.
    #[must_use]
    pub(crate) fn go_type(&self) -> &'static str {
        match &self.value {
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint64",
            Value::Float(_) => "float64",
            Value::Str(_) => "string",
            Value::Time(_) => "time.Time",
            Value::Seq(_) => "[]interface {}",
            Value::Map(_) => "map[string]interface {}",
        }
    }

    /// Takes the mapping out; an empty one if this is none.
    pub(crate) fn into_map(self) -> Map {
        match self.value {
            Value::Map(map) => map,
            _ => Map::default(),
        }
    }
}

impl Map {
    /// An empty mapping.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty mapping with room for so many entries.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self { entries: Arc::new(Entries::with_capacity_and_hasher(entries, RandomState::default())) }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key).map(|entry| &entry.node)
    }

    /// The value under a key, to change.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entry_mut(key).map(|entry| &mut entry.node)
    }

    /// The entry under a key, with the key's place.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The entry under a key, to change.
    pub(crate) fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        if Arc::get_mut(&mut self.entries).is_none() && !self.contains(key) {
            return None;
        }
        self.own().get_mut(key)
    }

    /// The entries, not shared any more.
    fn own(&mut self) -> &mut Entries {
        Arc::make_mut(&mut self.entries)
    }

    /// Whether both are one in memory: they are equal, and none was changed since one was made of the other. Equal ones need not be.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Keys and values in written order.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Node)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.node))
    }

    /// Keys and entries in written order.
    pub fn entries(&self) -> impl Iterator<Item = (&Text, &Entry)> {
        self.entries.iter()
    }

    /// Keys in written order.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.entries.keys()
    }

    /// Keys and values in byte order of the keys.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&Text, &Node)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by(|a, b| a.0.cmp(b.0));
        all
    }

    /// Sets a value; keeps the position and the place of a key that exists.
    pub fn set(&mut self, key: impl Into<Text>, node: Node) {
        let key = key.into();
        let entries = self.own();
        match entries.get_mut(key.as_str()) {
            Some(entry) => entry.node = node,
            None => {
                entries.insert(key, Entry { key_span: None, node });
            }
        }
    }

    /// Sets an entry; keeps the position of a key that exists, but takes the new place.
    pub fn set_entry(&mut self, key: impl Into<Text>, entry: Entry) {
        self.own().insert(key.into(), entry);
    }

    /// Removes a key and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        if !self.contains(key) {
            return None;
        }
        self.own().shift_remove(key).map(|entry| entry.node)
    }

    /// Keeps the entries that the predicate accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Node) -> bool) {
        self.own().retain(|key, entry| keep(key, &mut entry.node));
    }

    /// Keys and values to change, in written order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Node)> {
        self.own().iter_mut().map(|(key, entry)| (key, &mut entry.node))
    }
}

impl IntoIterator for Map {
    type Item = (Text, Entry);
    type IntoIter = indexmap::map::IntoIter<Text, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.entries).into_iter()
    }
}

impl FromIterator<(Text, Node)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Node)>>(items: I) -> Self {
        let entries = items.into_iter().map(|(key, node)| (key, Entry { key_span: None, node })).collect();
        Self { entries: Arc::new(entries) }
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Node>> for Value {
    fn from(items: Vec<Node>) -> Self {
        Self::Seq(items)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(Text::new(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
