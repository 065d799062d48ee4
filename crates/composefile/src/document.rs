//! From a YAML document to our tree: aliases expanded, merge keys merged, `!reset` and `!override` noted by path.
//!
//! Threats: alias bombs (go-yaml's ratio rule and our node limit), anchors that contain themselves (compose-go's cycle
//! rule, false alarms included), nesting (our depth limit).

use std::collections::HashMap;

use source::{Span, Text};
use yamlspan::{Document, Kind, NodeRef, Scalar, Timestamp};

use crate::node::Entry;
use crate::{Error, ErrorKind, Limits, Map, Node, Value, go};

/// Nodes that compose-go visits while it looks for `!reset` before it gives up.
const MOST_VISITS: usize = 100_000;

/// A document as a tree.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Null if the document is empty.
    pub(crate) root: Node,
    /// Paths of `!reset` and `!override`.
    pub(crate) resets: Vec<Vec<String>>,
}

/// Reads a document. `source` is the text that was parsed; `path` names the file in messages.
pub(crate) fn load(document: &Document, source: &Text, path: &str, limits: &Limits) -> Result<Loaded, Error> {
    let root = document.root();
    let refusal = |problem: Problem| {
        let (message, span, earlier) = match problem {
            Problem::Construct(message, span) => (message, span, None),
            Problem::Twice { message, late, early } => (message, late, Some(early)),
            Problem::Other(error) => return error,
        };
        let line = line_of(document.source(), root.span().start as usize);
        let message = format!("failed to parse {path}: yaml: construct errors: line {line}: {message}");
        Error::new(ErrorKind::Syntax, message).at(Some(span)).contradicting(earlier)
    };
    let mut tags = Tags { document, visits: 0, alias_visits: HashMap::new(), done: HashMap::new(), paths: Vec::new() };
    tags.node(root, &mut Vec::new(), 0, limits).map_err(refusal)?;
    let mut builder = Builder { source, limits, nodes: 0, in_alias: 0, alias_nodes: 0, keeps_tags: false };
    let root = builder.node(root, 0).map_err(refusal)?;
    let root = root.unwrap_or_default();
    let mut resets = tags.paths;
    add_alias_paths(&mut resets);
    Ok(Loaded { root, resets })
}

enum Problem {
    /// As go-yaml's constructor reports it.
    Construct(String, Span),
    /// The same, of a key that is there twice.
    Twice {
        message: String,
        late: Span,
        early: Span,
    },
    Other(Error),
}

/// Number of the line of a byte, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// What identifies a node: no two nodes of a document have the same place and kind.
type Identity = (u32, u32, u8);

fn identity(node: NodeRef<'_>) -> Identity {
    let span = node.full_span();
    let kind = match node.kind() {
        Kind::Scalar => 0,
        Kind::Sequence => 1,
        Kind::Mapping => 2,
        Kind::Alias => 3,
    };
    (span.start, span.end, kind)
}

/// compose-go's walk for `!reset` and `!override`.
struct Tags<'d> {
    document: &'d Document,
    visits: usize,
    alias_visits: HashMap<Identity, Vec<Vec<String>>>,
    /// Anchored collections and the paths found below them, relative to them.
    done: HashMap<Identity, Vec<Vec<String>>>,
    paths: Vec<Vec<String>>,
}

impl<'d> Tags<'d> {
    fn node(
        &mut self,
        node: NodeRef<'d>,
        path: &mut Vec<String>,
        depth: usize,
        limits: &Limits,
    ) -> Result<(), Problem> {
        self.visits += 1;
        if self.visits > MOST_VISITS {
            let message = format!("compose file exceeds maximum node visit limit ({MOST_VISITS})");
            return Err(Problem::Construct(message, node.span()));
        }
        if depth > limits.depth {
            return Err(too_deep(node, limits));
        }
        // A merge key is no part of the path of what it merges. Only the first one is left out.
        let merge = path.iter().skip(1).position(|part| part.starts_with("<<")).map(|at| at + 1);
        let mut stripped;
        let path = match merge {
            Some(at) => {
                stripped = path.clone();
                if stripped[at] == "<<" {
                    stripped.remove(at);
                } else {
                    let joined = stripped.remove(at);
                    stripped[at - 1].push_str(&joined[2..]);
                }
                &mut stripped
            }
            None => path,
        };
        if matches!(node.tag(), Some("!reset" | "!override")) {
            self.paths.push(path.clone());
            return Ok(());
        }
        if node.kind() == Kind::Alias {
            let target = node.target();
            self.check_cycle(target, path)?;
            if matches!(target.tag(), Some("!reset" | "!override")) {
                self.paths.push(path.clone());
                return Ok(());
            }
            return self.collection(target, path, depth, limits);
        }
        self.collection(node, path, depth, limits)
    }

    fn collection(
        &mut self,
        node: NodeRef<'d>,
        path: &mut Vec<String>,
        depth: usize,
        limits: &Limits,
    ) -> Result<(), Problem> {
        if !matches!(node.kind(), Kind::Sequence | Kind::Mapping) {
            return Ok(());
        }
        let anchored = node.anchor().is_some();
        if anchored && let Some(relative) = self.done.get(&identity(node)) {
            let at_this_site = relative.iter().map(|below| path.iter().chain(below).cloned().collect());
            self.paths.extend(at_this_site.collect::<Vec<Vec<String>>>());
            return Ok(());
        }
        let first = self.paths.len();
        if node.kind() == Kind::Sequence {
            for (index, item) in node.items().enumerate() {
                path.push(index.to_string());
                let result = self.node(item, path, depth + 1, limits);
                path.pop();
                result?;
            }
        } else {
            let mut seen = Seen::default();
            for (key, value) in node.entries() {
                let name = if key.kind() == Kind::Scalar { key.raw() } else { "" };
                if let Some(first) = seen.insert(name, key) {
                    let message = self.duplicate(key, first, name);
                    return Err(Problem::Twice { message, late: key.span(), early: first.span() });
                }
                path.push(name.to_owned());
                let result = self.node(value, path, depth + 1, limits);
                path.pop();
                result?;
            }
        }
        if anchored {
            let found = self.paths.get(first..).unwrap_or_default();
            let relative = found.iter().map(|full| full.get(path.len()..).unwrap_or_default().to_vec()).collect();
            self.done.insert(identity(node), relative);
        }
        Ok(())
    }

    fn duplicate(&self, key: NodeRef<'_>, first: NodeRef<'_>, name: &str) -> String {
        let text = self.document.source();
        let line = line_of(text, key.span().start as usize);
        let first = line_of(text, first.span().start as usize);
        format!("line {line}: mapping key {} already defined at line {first}", go::quote(name))
    }

    fn check_cycle(&mut self, target: NodeRef<'d>, path: &[String]) -> Result<(), Problem> {
        let earlier = self.alias_visits.entry(identity(target)).or_default();
        for before in earlier.iter() {
            let merges = |parts: &[String]| parts.iter().any(|part| part.contains("<<"));
            if before == path || merges(before) || merges(path) {
                continue;
            }
            let nested = (path.len() > before.len() && path.starts_with(before))
                || (before.len() > path.len() && before.starts_with(path));
            if nested && !in_different_services(path, before) {
                let (path, before) = (path.join("."), before.join("."));
                let message = format!("cycle detected: node at path {path} references node at path {before}");
                return Err(Problem::Construct(message, target.span()));
            }
        }
        earlier.push(path.to_vec());
        Ok(())
    }
}

/// The keys of one mapping so far. Of few keys, all are compared; more go into a table.
#[derive(Default)]
struct Seen<'d> {
    few: Vec<(&'d str, NodeRef<'d>)>,
    many: HashMap<&'d str, NodeRef<'d>>,
}

impl<'d> Seen<'d> {
    /// More keys than this go into the table.
    const FEW: usize = 16;

    /// Adds a key; gives the one of the same name, if there is one.
    fn insert(&mut self, name: &'d str, key: NodeRef<'d>) -> Option<NodeRef<'d>> {
        if let Some((_, first)) = self.few.iter().find(|(known, _)| *known == name) {
            return Some(*first);
        }
        if self.few.len() < Self::FEW {
            self.few.push((name, key));
            return None;
        }
        self.many.insert(name, key)
    }
}

fn in_different_services(a: &[String], b: &[String]) -> bool {
    let common = a.iter().zip(b).position(|(a, b)| a == "services" && b == "services");
    match common {
        Some(at) if at + 1 < a.len() && at + 1 < b.len() => a[at + 1] != b[at + 1],
        _ => false,
    }
}

fn too_deep(node: NodeRef<'_>, limits: &Limits) -> Problem {
    Problem::Other(Error::limit(format!("values nest deeper than {} levels", limits.depth)).at(Some(node.span())))
}

/// Beside each path that goes through an extension which became an attribute, the attribute's own path.
fn add_alias_paths(paths: &mut Vec<Vec<String>>) {
    let mut added = Vec::new();
    for path in paths.iter() {
        let mut path = path.clone();
        let is_service = path.first().is_some_and(|part| part == "services");
        let mut changed = false;
        if is_service && path.get(2).is_some_and(|part| part == "x-develop") {
            path[2] = "develop".to_owned();
            changed = true;
        }
        let in_watch = is_service
            && path.get(2).is_some_and(|part| part == "develop")
            && path.get(3).is_some_and(|part| part == "watch")
            && path.get(4).is_some_and(|part| part.parse::<usize>().is_ok());
        if in_watch && path.get(5).is_some_and(|part| part == "x-initialSync") {
            path[5] = "initial_sync".to_owned();
            changed = true;
        }
        if changed {
            added.push(path);
        }
    }
    paths.append(&mut added);
}

/// go-yaml's constructor: nodes to values.
struct Builder<'s> {
    source: &'s Text,
    limits: &'s Limits,
    nodes: usize,
    in_alias: usize,
    alias_nodes: usize,
    /// Below `!override`, compose-go does not look for tags.
    keeps_tags: bool,
}

impl Builder<'_> {
    /// The value of a node; `None` for `!reset`.
    fn node(&mut self, node: NodeRef<'_>, depth: usize) -> Result<Option<Node>, Problem> {
        self.nodes += 1;
        if self.in_alias > 0 {
            self.alias_nodes += 1;
        }
        self.check_limits(node, depth)?;
        let is_alias = node.kind() == Kind::Alias;
        let target = node.target();
        let tag = target.tag();
        if tag == Some("!reset") && !self.keeps_tags {
            return Ok(None);
        }
        let outer = self.keeps_tags;
        self.keeps_tags |= tag == Some("!override");
        self.in_alias += usize::from(is_alias);
        let value = match target.kind() {
            Kind::Scalar => self.scalar(target)?,
            Kind::Sequence => {
                let mut items = Vec::new();
                for item in target.items() {
                    items.extend(self.node(item, depth + 1)?);
                }
                Value::Seq(items)
            }
            Kind::Mapping => Value::Map(self.mapping(target, depth)?),
            Kind::Alias => Value::Null,
        };
        self.in_alias -= usize::from(is_alias);
        self.keeps_tags = outer;
        Ok(Some(Node { value, span: Some(target.span()) }))
    }

    fn check_limits(&self, node: NodeRef<'_>, depth: usize) -> Result<(), Problem> {
        if depth > self.limits.depth {
            return Err(too_deep(node, self.limits));
        }
        if self.alias_nodes > 100 && self.nodes > 1000 {
            #[expect(clippy::cast_precision_loss, reason = "as go-yaml computes it")]
            let (aliased, all) = (self.alias_nodes as f64, self.nodes as f64);
            let allowed = match self.nodes {
                ..=400_000 => 0.99,
                4_000_000.. => 0.10,
                _ => 0.99 - 0.89 * (all - 400_000.0) / 3_600_000.0,
            };
            if aliased / all > allowed {
                return Err(Problem::Construct("document contains excessive aliasing".to_owned(), node.span()));
            }
        }
        if self.nodes > self.limits.nodes {
            let message = format!("the document has more than {} values", self.limits.nodes);
            return Err(Problem::Other(Error::limit(message).at(Some(node.span()))));
        }
        Ok(())
    }

    fn scalar(&mut self, node: NodeRef<'_>) -> Result<Value, Problem> {
        // A tag of no known meaning makes a string of a scalar.
        if node.tag().is_some_and(|tag| tag.starts_with('!') && !tag.starts_with("!!") && tag != "!") {
            return Ok(Value::Str(node.text(self.source)));
        }
        let scalar = node
            .resolve()
            .map_err(|error| Problem::Construct(error.to_string(), error.span().unwrap_or(node.span())))?;
        Ok(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => Value::Int(value),
            Scalar::Uint(value) => Value::Uint(value),
            Scalar::Float(value) => Value::Float(value),
            Scalar::Timestamp(time) => Value::Time(Text::derived_from(rfc3339(&time), [&node.text(self.source)])),
            Scalar::Str | Scalar::Binary | Scalar::Merge => Value::Str(node.text(self.source)),
        })
    }

    fn mapping(&mut self, node: NodeRef<'_>, depth: usize) -> Result<Map, Problem> {
        let entries = node.entries();
        let mut map = Map::with_capacity(entries.len());
        let mut merges = Vec::new();
        for (key, value) in entries {
            if key.target().kind() == Kind::Scalar && key.value() == Scalar::Merge {
                merges.push(value);
                continue;
            }
            let name = self.key(key)?;
            if let Some(first) = map.entry(&name) {
                let message = format!("mapping key {} already defined", go::quote(&name));
                let late = key.span();
                return Err(Problem::Twice { message, late, early: first.key_span.unwrap_or(late) });
            }
            if let Some(value) = self.node(value, depth + 1)? {
                map.set_entry(name, Entry { key_span: Some(key.span()), node: value });
            }
        }
        for merge in merges {
            self.merge(merge, &mut map, depth)?;
        }
        Ok(map)
    }

    /// Adds what a merge key brings; keys that are there already win.
    fn merge(&mut self, value: NodeRef<'_>, into: &mut Map, depth: usize) -> Result<(), Problem> {
        let target = value.target();
        match target.kind() {
            Kind::Mapping => {
                if let Some(Node { value: Value::Map(merged), .. }) = self.node(value, depth + 1)? {
                    for (key, entry) in merged {
                        if !into.contains(&key) {
                            into.set_entry(key, entry);
                        }
                    }
                }
                Ok(())
            }
            Kind::Sequence => {
                for item in target.items() {
                    if item.target().kind() != Kind::Mapping {
                        return Err(self.bad_merge(item));
                    }
                    self.merge(item, into, depth + 1)?;
                }
                Ok(())
            }
            _ if target.tag() == Some("!reset") => Ok(()),
            _ => Err(self.bad_merge(value)),
        }
    }

    fn bad_merge(&self, node: NodeRef<'_>) -> Problem {
        let node = node.target();
        self.constructor(node, "map merge requires map or sequence of maps as the value")
    }

    /// An error of go-yaml's own constructor, which names line and column.
    fn constructor(&self, node: NodeRef<'_>, reason: &str) -> Problem {
        let start = node.full_span().start as usize;
        let text = self.source.as_str();
        let line = line_of(text, start);
        let before = text.get(..start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = format!("go-yaml load error in constructor at L{line}.C{column}: {reason}");
        Problem::Construct(message, node.span())
    }

    fn key(&mut self, key: NodeRef<'_>) -> Result<Text, Problem> {
        let place = key;
        let Some(node) = self.node(key, 0)? else { return Ok(Text::new("")) };
        match node.value {
            Value::Str(text) => Ok(text),
            Value::Seq(_) | Value::Map(_) => {
                let printed = go::syntax(&node);
                let reason = format!("cannot use '{printed}' as a map key; try decoding into yaml.Node");
                Err(self.constructor(place, &reason))
            }
            // compose-go complains when the whole document is there; see `refuse_other_keys`.
            Value::Null => Ok(other_key("<nil>")),
            Value::Float(value) => Ok(other_key(&go::float(value))),
            _ => Ok(other_key(&node.to_go_text())),
        }
    }
}

/// Marks a key that is no string. No file can write it: go-yaml refuses control characters, and escapes make strings
/// that a text editor's user would not type.
const OTHER_KEY: char = '\u{0}';

fn other_key(printed: &str) -> Text {
    Text::new(format!("{OTHER_KEY}{printed}"))
}

/// Refuses keys that are no strings, with the place that compose-go names.
pub(crate) fn refuse_other_keys(node: &Node, prefix: &str) -> Result<(), Error> {
    // Places are only spelled out where there is something to refuse, which is hardly ever.
    if has_other_key(node) { refuse_at(node, prefix) } else { Ok(()) }
}

fn has_other_key(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().any(|(key, node)| key.starts_with(OTHER_KEY) || has_other_key(node)),
        Value::Seq(items) => items.iter().any(has_other_key),
        _ => false,
    }
}

fn refuse_at(node: &Node, prefix: &str) -> Result<(), Error> {
    match &node.value {
        Value::Map(map) => {
            for (key, entry) in map.entries() {
                if let Some(printed) = key.strip_prefix(OTHER_KEY) {
                    let place = if prefix.is_empty() { "at top level".to_owned() } else { format!("in {prefix}") };
                    return Err(Error::invalid(format!("non-string key {place}: {printed}")).at(entry.key_span));
                }
                let below = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
                refuse_at(&entry.node, &below)?;
            }
            Ok(())
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                refuse_at(item, &format!("{prefix}[{index}]"))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `time.RFC3339Nano`.
fn rfc3339(time: &Timestamp) -> String {
    let mut out = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year, time.month, time.day, time.hour, time.minute, time.second
    );
    if time.nanosecond > 0 {
        let digits = format!("{:09}", time.nanosecond);
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
    if time.offset == 0 {
        out.push('Z');
    } else {
        let sign = if time.offset < 0 { '-' } else { '+' };
        let minutes = time.offset.unsigned_abs() / 60;
        out.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
    }
    out
}
