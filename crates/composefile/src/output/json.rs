//! JSON as Go's `encoding/json` writes it, of Go's structs.

use std::fmt::Write as _;

use crate::model::shape::{Kind, Omit, PROJECT, Shape};
use crate::{Map, Node, Value, go};

/// `json.MarshalIndent(…, "", "  ")` of a typed project or of a raw model.
pub(crate) fn print(root: &Node, typed: bool) -> String {
    let mut writer = Writer { out: String::new(), step: Some(0) };
    if typed {
        writer.project(root);
    } else {
        writer.node(root, None);
    }
    writer.out
}

/// `json.Marshal` of one service, field by field.
pub(crate) fn service_fields(service: &Node, shape: &'static Shape) -> Vec<(&'static str, String)> {
    let Some(map) = service.as_map() else { return Vec::new() };
    members(map, shape)
        .into_iter()
        .map(|(name, node, kind)| {
            let mut writer = Writer { out: String::new(), step: None };
            writer.member(node, kind);
            (name, writer.out)
        })
        .collect()
}

struct Writer {
    out: String,
    /// Depth of indentation; `None` writes all on one line.
    step: Option<usize>,
}

/// The fields of a struct that JSON has, in order; a struct without a value is written too.
fn members<'n>(map: &'n Map, shape: &'static Shape) -> Vec<(&'static str, Option<&'n Node>, Kind)> {
    let mut out = Vec::new();
    for field in shape.fields.iter().filter(|field| !field.json.is_empty()) {
        match (map.get(field.name), field.kind) {
            (Some(node), kind) => out.push((field.json, Some(node), kind)),
            // encoding/json leaves out no struct, and compose-go marks these two as always there.
            (None, kind @ Kind::Struct(_)) if field.omit == Omit::Empty => out.push((field.json, None, kind)),
            (None, kind @ Kind::Command) => out.push((field.json, None, kind)),
            _ => {}
        }
    }
    out
}

impl Writer {
    /// Compose builds the top level as a Go map; models are not in it.
    fn project(&mut self, root: &Node) {
        let Some(map) = root.as_map() else { return };
        let mut entries: Vec<(&str, &Node, Option<Kind>)> = Vec::new();
        for (key, node) in map.iter() {
            let kind = PROJECT.fields.iter().find(|field| field.name == key.as_str()).map(|field| field.kind);
            if key.as_str() != "models" {
                entries.push((key, node, kind));
            }
        }
        entries.sort_by_key(|(key, _, _)| *key);
        self.object(entries.len(), |writer| {
            for (index, (key, node, kind)) in entries.into_iter().enumerate() {
                writer.key(key, index);
                writer.node(node, kind);
            }
        });
    }

    fn member(&mut self, node: Option<&Node>, kind: Kind) {
        match (node, kind) {
            (Some(node), kind) => self.node(node, Some(kind)),
            (None, Kind::Struct(shape)) => self.fields(&Map::new(), shape),
            _ => self.out.push_str("null"),
        }
    }

    fn fields(&mut self, map: &Map, shape: &'static Shape) {
        let members = members(map, shape);
        self.object(members.len(), |writer| {
            for (index, (name, node, kind)) in members.into_iter().enumerate() {
                writer.key(name, index);
                writer.member(node, kind);
            }
        });
    }

    fn node(&mut self, node: &Node, kind: Option<Kind>) {
        match &node.value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => self.number(value),
            Value::Uint(value) => self.number(value),
            Value::Float(value) => self.float(*value),
            Value::Str(text) | Value::Time(text) => self.string(text),
            Value::Seq(items) => {
                let item = match kind {
                    Some(Kind::List(item)) => Some(*item),
                    _ => None,
                };
                self.array(items, item);
            }
            Value::Map(map) => match kind {
                Some(Kind::Struct(shape)) => self.fields(map, shape),
                Some(Kind::Ulimit) => {
                    let kept: Vec<(&str, &Node)> = map
                        .iter()
                        .filter(|(_, node)| node.as_int() != Some(0))
                        .map(|(key, node)| (key.as_str(), node))
                        .collect();
                    self.entries(&kept, None);
                }
                Some(Kind::MapOf(item) | Kind::MapOfPointers(item)) => self.map(map, Some(*item)),
                _ => self.map(map, None),
            },
        }
    }

    fn map(&mut self, map: &Map, item: Option<Kind>) {
        let entries: Vec<(&str, &Node)> = map.sorted().into_iter().map(|(key, node)| (key.as_str(), node)).collect();
        self.entries(&entries, item);
    }

    fn entries(&mut self, entries: &[(&str, &Node)], item: Option<Kind>) {
        self.object(entries.len(), |writer| {
            for (index, (key, node)) in entries.iter().enumerate() {
                writer.key(key, index);
                writer.node(node, item);
            }
        });
    }

    fn array(&mut self, items: &[Node], item: Option<Kind>) {
        if items.is_empty() {
            self.out.push_str("[]");
            return;
        }
        self.out.push('[');
        self.deeper(1);
        for (index, node) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.line();
            self.node(node, item);
        }
        self.deeper(-1);
        self.line();
        self.out.push(']');
    }

    fn object(&mut self, length: usize, members: impl FnOnce(&mut Self)) {
        if length == 0 {
            self.out.push_str("{}");
            return;
        }
        self.out.push('{');
        self.deeper(1);
        members(self);
        self.deeper(-1);
        self.line();
        self.out.push('}');
    }

    fn key(&mut self, key: &str, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line();
        self.string(key);
        self.out.push_str(if self.step.is_some() { ": " } else { ":" });
    }

    fn deeper(&mut self, by: isize) {
        self.step = self.step.map(|step| step.saturating_add_signed(by));
    }

    fn line(&mut self) {
        if let Some(step) = self.step {
            self.out.push('\n');
            for _ in 0..step {
                self.out.push_str("  ");
            }
        }
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{number}");
    }

    /// The shortest digits; an exponent, without padding, below 1e-6 and from 1e21 on.
    fn float(&mut self, value: f64) {
        let size = value.abs();
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = go::float(value);
            self.out.push_str(&text.replace("e-0", "e-"));
        } else {
            self.number(value);
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(self.out, "\\u{:04x}", character as u32);
                }
                // Bytes that are no UTF-8: not what a file has as this character, which stays.
                marked if source::octets::byte(marked).is_some() => self.out.push_str("\\ufffd"),
                control if (control as u32) < 0x20 => {
                    let _ = write!(self.out, "\\u{:04x}", control as u32);
                }
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }
}
