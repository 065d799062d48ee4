//! From the normalised tree to the typed one: what Go's mapstructure and compose-go's types make of the values.

use std::fmt;

use source::{Span, Text};

use crate::interpolate::cast;
use crate::model::extensions::{self, EXTENSIONS};
use crate::model::shape::{Field, Kind, Omit, Shape};
use crate::node::Entry;
use crate::{Error, Map, Node, Value, bytes, duration, go, shellwords};

/// Decodes a whole project. Booleans in words that YAML 1.2 does not know are told to `warn`.
///
/// # Errors
/// All values of a wrong type, in one error: in the order of the fields of compose-go's types.
pub(crate) fn decode(root: Node, shape: &'static Shape, warn: &mut dyn FnMut(String)) -> Result<Node, Error> {
    let mut decoder = Decoder { warn, failures: Vec::new() };
    let span = root.span;
    let map = decoder.fields(extensions::gather(root.into_map()), shape, &Way::Root);
    if decoder.failures.is_empty() {
        return Ok(Node::at(map, span));
    }
    let span = decoder.failures.iter().find_map(|(_, span)| *span);
    let messages: Vec<String> = decoder.failures.into_iter().map(|(message, _)| message).collect();
    let message = format!("decoding failed due to the following error(s):\n\n{}", messages.join("\n"));
    Err(Error::invalid(message).at(span))
}

struct Decoder<'w> {
    warn: &'w mut dyn FnMut(String),
    failures: Vec<(String, Option<Span>)>,
}

/// Where in the project something stands. Printed only where something is wrong there.
enum Way<'w> {
    Root,
    Field(&'w Self, &'static str),
    Item(&'w Self, &'w dyn fmt::Display),
}

/// `services[web].ports[0]`
impl fmt::Display for Way<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => formatter.write_str(name),
            Self::Field(above, name) => write!(formatter, "{above}.{name}"),
            Self::Item(above, item) => write!(formatter, "{above}[{item}]"),
        }
    }
}

impl Decoder<'_> {
    fn fail<T>(&mut self, path: &Way<'_>, span: Option<Span>, message: impl fmt::Display) -> Option<T> {
        self.failures.push((format!("'{path}' {message}"), span));
        None
    }

    fn unconvertible<T>(&mut self, path: &Way<'_>, node: &Node, expected: &str) -> Option<T> {
        let kind = node.go_type();
        self.fail(path, node.span, format!("expected type '{expected}', got unconvertible type '{kind}'"))
    }

    fn fields(&mut self, mut map: Map, shape: &'static Shape, path: &Way<'_>) -> Map {
        let mut out = Map::with_capacity(map.len());
        for field in shape.fields {
            let entry = take_entry(&mut map, field.name);
            let (key_span, node) = match entry {
                Some(entry) => (entry.key_span, Some(entry.node)),
                None => (None, None),
            };
            let decoded = match node {
                Some(node) if !node.is_null() => self.node(node, field.kind, &Way::Field(path, field.name)),
                // Most fields are not there: nothing is made for them.
                _ if field.omit != Omit::Never => continue,
                _ => None,
            };
            let node = match decoded {
                Some(node) if field.omit != Omit::Empty || !is_empty(&node, field.kind) => node,
                _ if field.omit == Omit::Never => zero(field),
                _ => continue,
            };
            out.set_entry(Text::new(field.name), Entry { key_span, node });
        }
        if shape.extensions
            && let Some(gathered) = map.remove(EXTENSIONS)
        {
            let mut extensions: Vec<(Text, Entry)> = gathered.into_map().into_iter().collect();
            extensions.sort_by(|a, b| a.0.cmp(&b.0));
            for (key, entry) in extensions {
                out.set_entry(key, entry);
            }
        }
        out
    }

    fn node(&mut self, node: Node, kind: Kind, path: &Way<'_>) -> Option<Node> {
        let span = node.span;
        let value = match kind {
            Kind::Str => self.string(&node, path).map(Value::Str)?,
            Kind::Bool => Value::Bool(self.boolean(&node, path)?),
            Kind::TrueUnlessSaid => Value::Bool(self.boolean(&node, path)?),
            Kind::Int => Value::Int(self.int(&node, path)?),
            Kind::Uint(bits) => self.uint(&node, bits, path)?,
            Kind::Float32 => self.float(&node, path)?,
            Kind::Cpus => self.cpus(&node, path)?,
            Kind::Bytes => Value::Str(self.bytes(&node, path)?),
            Kind::Duration => {
                let text = node.to_go_text();
                match duration::parse(&text) {
                    Ok(nanoseconds) => Value::Str(remade(&text, duration::print(nanoseconds))),
                    Err(message) => return self.fail(path, span, message),
                }
            }
            Kind::Mode => Value::Str(self.mode(&node, path)?),
            Kind::Count => Value::Int(self.count(&node, path)?),
            Kind::Ulimit => self.ulimit(node, path)?,
            Kind::List(item) => self.list(node, *item, path)?,
            Kind::StringList => self.string_list(node, false, path)?,
            Kind::StringOrNumberList => self.string_list(node, true, path)?,
            Kind::StringMap => self.string_map(node, path)?,
            Kind::Mapping => self.mapping(node, Missing::Empty, path)?,
            Kind::Environment => self.mapping(node, Missing::Null, path)?,
            Kind::Labels => self.mapping(node, Missing::EmptyLabel, path)?,
            Kind::Options => self.options(node, path)?,
            Kind::MultiOptions => self.multi_options(node, path)?,
            Kind::Hosts => self.hosts(node, path)?,
            Kind::Ssh => self.ssh(node, path)?,
            Kind::Command => self.command(node, path)?,
            Kind::HealthTest => self.health_test(node, path)?,
            Kind::Struct(shape) => match node.value {
                Value::Map(map) => Value::Map(self.fields(map, shape, path)),
                _ => {
                    let kind = go::quote(node.go_type());
                    return self.fail(path, span, format!("expected a map or struct, got {kind}"));
                }
            },
            Kind::MapOf(item) => self.map_of(node, *item, false, path)?,
            Kind::MapOfPointers(item) => self.map_of(node, *item, true, path)?,
        };
        Some(Node { value, span })
    }

    fn string(&mut self, node: &Node, path: &Way<'_>) -> Option<Text> {
        match &node.value {
            Value::Str(text) => Some(text.clone()),
            Value::Int(_) => Some(node.to_go_text()),
            Value::Null => Some(Text::new("")),
            _ => self.unconvertible(path, node, "string"),
        }
    }

    fn boolean(&mut self, node: &Node, path: &Way<'_>) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Str(text) => match cast::to_bool(text, self.warn) {
                Ok(Value::Bool(value)) => Some(value),
                Ok(_) => None,
                Err(message) => self.fail(path, node.span, message),
            },
            _ => self.unconvertible(path, node, "bool"),
        }
    }

    fn int(&mut self, node: &Node, path: &Way<'_>) -> Option<i64> {
        match &node.value {
            Value::Int(value) => Some(*value),
            Value::Uint(value) => Some(value.cast_signed()),
            #[expect(clippy::cast_possible_truncation, reason = "as Go decodes it")]
            Value::Float(value) => Some(*value as i64),
            Value::Str(text) => match cast::parse_int(text, "ParseInt") {
                Ok(value) => Some(value),
                Err(message) => self.fail(path, node.span, message),
            },
            _ => self.unconvertible(path, node, "int"),
        }
    }

    fn uint(&mut self, node: &Node, bits: u32, path: &Way<'_>) -> Option<Value> {
        let expected = format!("uint{bits}");
        let wide = match &node.value {
            Value::Int(value) if *value < 0 => {
                let message = format!("cannot parse value as '{expected}': {value} overflows uint");
                return self.fail(path, node.span, message);
            }
            Value::Int(value) => value.unsigned_abs(),
            Value::Uint(value) => *value,
            Value::Float(value) if *value < 0.0 => {
                let message = format!("cannot parse value as '{expected}': {value:.6} overflows uint");
                return self.fail(path, node.span, message);
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as Go decodes it")]
            Value::Float(value) => *value as u64,
            _ => return self.unconvertible(path, node, &expected),
        };
        let narrow = if bits >= 64 { wide } else { wide & ((1 << bits) - 1) };
        Some(i64::try_from(narrow).map_or(Value::Uint(narrow), Value::Int))
    }

    fn float(&mut self, node: &Node, path: &Way<'_>) -> Option<Value> {
        let wide = match &node.value {
            Value::Int(value) => *value as f64,
            Value::Uint(value) => *value as f64,
            Value::Float(value) => *value,
            Value::Str(text) => match cast::parse_float(text) {
                Ok(value) => value,
                Err(message) => return self.fail(path, node.span, message),
            },
            _ => return self.unconvertible(path, node, "float32"),
        };
        Some(Value::Float(cast::float32(wide)))
    }

    fn cpus(&mut self, node: &Node, path: &Way<'_>) -> Option<Value> {
        match &node.value {
            Value::Str(_) | Value::Int(_) | Value::Float(_) => self.float(node, path),
            _ => self.fail(path, node.span, format!("unexpected value type {} for cpus", node.go_type())),
        }
    }

    fn bytes(&mut self, node: &Node, path: &Way<'_>) -> Option<Text> {
        match &node.value {
            Value::Int(value) => Some(Text::new(value.to_string())),
            Value::Str(text) => match bytes::parse(text) {
                Ok(value) => Some(remade(text, value.to_string())),
                Err(message) => self.fail(path, node.span, message),
            },
            // Other numbers are silently nothing.
            _ => Some(Text::new("0")),
        }
    }

    fn mode(&mut self, node: &Node, path: &Way<'_>) -> Option<Text> {
        let mode = match &node.value {
            Value::Int(value) => *value,
            Value::Str(text) => match i64::from_str_radix(text, 8) {
                Ok(value) => value,
                Err(_) => {
                    let message = format!("strconv.ParseInt: parsing {}: invalid syntax", go::quote(text));
                    return self.fail(path, node.span, message);
                }
            },
            _ => {
                return self.fail(path, node.span, format!("unexpected value type {} for mode", node.go_type()));
            }
        };
        let sign = if mode < 0 { "-" } else { "" };
        Some(Text::new(format!("0{sign}{:o}", mode.unsigned_abs())))
    }

    fn count(&mut self, node: &Node, path: &Way<'_>) -> Option<i64> {
        match &node.value {
            Value::Int(value) => Some(*value),
            Value::Str(text) if text.eq_ignore_ascii_case("all") => Some(-1),
            Value::Str(text) => match cast::parse_int(text, "ParseInt") {
                Ok(value) => Some(value),
                Err(_) => {
                    let text = go::quote(text);
                    let message = format!("invalid value {text}, the only value allowed is 'all' or a number");
                    self.fail(path, node.span, message)
                }
            },
            _ => self.fail(path, node.span, format!("invalid type {} for device count", node.go_type())),
        }
    }

    fn ulimit(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        match node.value {
            Value::Int(0) => Some(Value::Map(ulimit_pair(Node::new(0), Node::new(0)))),
            Value::Int(value) => Some(Value::Int(value)),
            Value::Map(map) => {
                let part = |key: &str| map.get(key).cloned().unwrap_or_else(|| Node::new(0));
                let (soft, hard) = (part("soft"), part("hard"));
                if soft.as_int().is_none() || hard.as_int().is_none() {
                    return self.fail(path, span, "unexpected value type for ulimit");
                }
                Some(Value::Map(ulimit_pair(soft, hard)))
            }
            _ => {
                let message = format!("unexpected value type {} for ulimit", node.go_type());
                self.fail(path, span, message)
            }
        }
    }

    fn list(&mut self, node: Node, item: Kind, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        let Value::Seq(items) = node.value else {
            let kind = if kind == "string" { "string" } else { kind };
            return self.fail(path, span, format!("source data must be an array or slice, got {kind}"));
        };
        let mut out = Vec::with_capacity(items.len());
        for (index, child) in items.into_iter().enumerate() {
            let path = Way::Item(path, &index);
            if child.is_null() {
                let zero = match item {
                    Kind::Struct(_) => Value::Map(Map::new()),
                    _ => Value::Str(Text::new("")),
                };
                out.push(Node::at(zero, child.span));
                continue;
            }
            out.extend(self.node(child, item, &path));
        }
        Some(Value::Seq(out))
    }

    fn string_list(&mut self, node: Node, numbers: bool, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        match node.value {
            Value::Str(_) => Some(Value::Seq(vec![node])),
            Value::Seq(items) => {
                if numbers {
                    return Some(Value::Seq(
                        items.into_iter().map(|item| Node::at(item.to_go_text(), item.span)).collect(),
                    ));
                }
                match items.iter().find(|item| item.as_str().is_none()) {
                    Some(_) => self.fail(path, span, format!("invalid type {kind} for string list")),
                    None => Some(Value::Seq(items)),
                }
            }
            _ => self.fail(path, span, format!("invalid type {kind} for string list")),
        }
    }

    fn string_map(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = go::quote(node.go_type());
        let Value::Map(map) = node.value else {
            return self.fail(path, span, format!("expected a map, got {kind}"));
        };
        let mut out = Map::with_capacity(map.len());
        for (key, entry) in map {
            let path = Way::Item(path, &key);
            if let Some(text) = self.string(&entry.node, &path) {
                let node = Node::at(text, entry.node.span);
                out.set_entry(key, Entry { key_span: entry.key_span, node });
            }
        }
        Some(Value::Map(out))
    }

    fn mapping(&mut self, node: Node, missing: Missing, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        let none = || match missing {
            Missing::Null => Value::Null,
            Missing::Empty | Missing::EmptyLabel => Value::Str(Text::new("")),
        };
        let mut out = Map::new();
        match node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    let value = if entry.node.is_null() { none() } else { Value::Str(entry.node.to_go_text()) };
                    let node = Node::at(value, entry.node.span.or(entry.key_span));
                    out.set_entry(key, Entry { key_span: entry.key_span, node });
                }
            }
            Value::Seq(items) => {
                for item in items {
                    let text = item.to_go_text();
                    let (key, value) = match text.find('=') {
                        Some(equals) => (text.slice(0..equals), Value::Str(text.slice(equals + 1..text.len()))),
                        None => (text.clone(), none()),
                    };
                    if missing == Missing::Null && key.ends_with(char::is_whitespace) {
                        let message = format!("environment variable {key} is declared with a trailing space");
                        return self.fail(path, item.span, message);
                    }
                    out.set_entry(key, Entry { key_span: item.span, node: Node::at(value, item.span) });
                }
            }
            _ => {
                let what = if missing == Missing::EmptyLabel { "labels" } else { "mapping" };
                return self.fail(path, span, format!("unexpected value type {kind} for {what}"));
            }
        }
        Some(Value::Map(out))
    }

    fn options(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        match node.value {
            Value::Map(_) => self.mapping(node, Missing::Empty, path),
            _ => self.fail(path, node.span, format!("invalid type {} for options", node.go_type())),
        }
    }

    fn multi_options(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        let Value::Map(map) = node.value else {
            return self.fail(path, span, format!("invalid type {kind} for options"));
        };
        let text = |node: &Node| Node::at(node.to_go_text(), node.span);
        let mut out = Map::new();
        for (key, entry) in map {
            let span = entry.node.span;
            let items = match &entry.node.value {
                // An option that is given no value is none.
                Value::Seq(items) if items.is_empty() => continue,
                Value::Seq(items) => items.iter().map(text).collect(),
                _ => vec![text(&entry.node)],
            };
            out.set_entry(key, Entry { key_span: entry.key_span, node: Node::at(items, span) });
        }
        Some(Value::Map(out))
    }

    /// Becomes the printed list: `HOST=IP`, sorted.
    fn hosts(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        let mut pairs: Vec<(Text, Text, Option<Span>)> = Vec::new();
        match node.value {
            Value::Map(map) => {
                for (host, entry) in map {
                    let at = entry.node.span;
                    match entry.node.value {
                        Value::Null => pairs.push((host, Text::new(""), at)),
                        Value::Str(ip) => pairs.push((host, ip, at)),
                        Value::Seq(ips) => {
                            pairs.extend(ips.iter().map(|ip| (host.clone(), ip.to_go_text(), ip.span)));
                        }
                        _ => {
                            let message = format!("unexpected value type {kind} for extra_hosts entry");
                            return self.fail(path, at, message);
                        }
                    }
                }
            }
            Value::Seq(items) => {
                for item in items {
                    let text = item.to_go_text();
                    let Some(at) = text.find('=').or_else(|| text.find(':')) else {
                        return self.fail(path, item.span, format!("invalid additional host, missing IP: {text}"));
                    };
                    let host = text.slice(0..at);
                    let mut start = at + 1;
                    for ip in text[at + 1..].split(',') {
                        pairs.push((host.clone(), text.slice(start..start + ip.len()), item.span));
                        start += ip.len() + 1;
                    }
                }
            }
            _ => return self.fail(path, span, format!("unexpected value type {kind} for extra_hosts")),
        }
        let mut items = Vec::with_capacity(pairs.len());
        for (host, ip, at) in pairs {
            if host.is_empty() || host.contains([':', '=']) {
                return self.fail(path, at, format!("bad host name '{host}'"));
            }
            let bracketed = ip.len() > 2 && ip.starts_with('[') && ip.ends_with(']');
            let ip = if bracketed { ip.slice(1..ip.len() - 1) } else { ip };
            items.push(Node::at(crate::pass_through::assignment(&host, &ip), at));
        }
        items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        Some(Value::Seq(items))
    }

    /// Becomes the printed list: `ID` or `ID: PATH`.
    fn ssh(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let Some(map) = node.as_map() else {
            return self.fail(path, node.span, format!("invalid ssh config type {}", node.go_type()));
        };
        // compose-go's order is that of a Go map; by name is one of them.
        let items = map.sorted().into_iter().map(|(id, key)| {
            let text = match key.to_go_text() {
                _ if key.is_null() => id.clone(),
                path if path.is_empty() => id.clone(),
                path => Text::derived_from(format!("{id}: {path}"), [id, &path]),
            };
            Node::at(text, key.span)
        });
        Some(Value::Seq(items.collect()))
    }

    fn command(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        match node.value {
            Value::Str(line) => match shellwords::split(&line) {
                Ok(words) => Some(Value::Seq(words.into_iter().map(|word| Node::at(word, span)).collect())),
                Err(message) => self.fail(path, span, message),
            },
            Value::Seq(items) => match items.iter().find(|item| item.as_str().is_none()) {
                Some(item) => self.unconvertible(path, item, "string"),
                None => Some(Value::Seq(items)),
            },
            _ => None,
        }
    }

    fn health_test(&mut self, node: Node, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = node.go_type();
        match node.value {
            Value::Str(_) => Some(Value::Seq(vec![Node::at("CMD-SHELL", span), node])),
            Value::Seq(_) => self.command(node, path),
            _ => self.fail(path, span, format!("unexpected value type {kind} for healthcheck.test")),
        }
    }

    fn map_of(&mut self, node: Node, item: Kind, pointers: bool, path: &Way<'_>) -> Option<Value> {
        let span = node.span;
        let kind = go::quote(node.go_type());
        let Value::Map(map) = node.value else {
            return self.fail(path, span, format!("expected a map, got {kind}"));
        };
        let mut out = Map::with_capacity(map.len());
        for (key, entry) in map {
            let path = Way::Item(path, &key);
            let node = if entry.node.is_null() {
                let value = if pointers { Value::Null } else { Value::Map(Map::new()) };
                Some(Node::at(value, entry.node.span.or(entry.key_span)))
            } else {
                self.node(entry.node, item, &path)
            };
            if let Some(node) = node {
                out.set_entry(key, Entry { key_span: entry.key_span, node });
            }
        }
        Some(Value::Map(out))
    }
}

/// What an entry without a value becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Null,
    Empty,
    EmptyLabel,
}

fn take_entry(map: &mut Map, key: &str) -> Option<Entry> {
    let entry = map.entry_mut(key)?;
    Some(Entry { key_span: entry.key_span, node: std::mem::take(&mut entry.node) })
}

/// A text made from another one; the same bytes keep their places.
fn remade(from: &Text, text: String) -> Text {
    if from.as_str() == text { from.clone() } else { Text::derived_from(text, [from]) }
}

fn ulimit_pair(soft: Node, hard: Node) -> Map {
    let mut map = Map::new();
    map.set("soft", soft);
    map.set("hard", hard);
    map
}

/// Whether Go's `omitempty` leaves the value out.
fn is_empty(node: &Node, kind: Kind) -> bool {
    match (&node.value, kind) {
        (Value::Bool(value), Kind::TrueUnlessSaid) => *value,
        (Value::Str(text), Kind::Bytes) => text.as_str() == "0",
        (Value::Str(text), Kind::Duration) => text.as_str() == "0s",
        (Value::Null, _) => true,
        (Value::Bool(value), _) => !value,
        (Value::Int(value), _) => *value == 0,
        (Value::Float(value), _) => *value == 0.0,
        (Value::Str(text), _) => text.is_empty(),
        (Value::Seq(items), _) => items.is_empty(),
        (Value::Map(map), _) => map.is_empty(),
        _ => false,
    }
}

/// What a field that is always printed holds when it was not set.
fn zero(field: &Field) -> Node {
    Node::new(match field.kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int | Kind::Uint(_) => Value::Int(0),
        Kind::Bytes => Value::Str(Text::new("0")),
        Kind::MapOf(_) | Kind::MapOfPointers(_) => Value::Map(Map::new()),
        _ => Value::Str(Text::new("")),
    })
}
