//! A project as text: what `docker compose config` prints.

pub(crate) mod hash;
pub(crate) mod json;
pub(crate) mod lists;

use source::Text;
use yamlspan::{Data, emit};

use crate::model::shape::{Kind, PROJECT, Shape};
use crate::{Map, Node, Project, Value};

impl Project {
    /// The bytes of `docker compose config`: every `$` doubled, unless interpolation was off.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let text = emit::go_yaml_v4_in_order(&self.to_data(), 2);
        if self.interpolated { text.replace('$', "$$") } else { text.to_string() }
    }

    /// The bytes of `docker compose config --format json`: every `$` doubled, unless interpolation was off.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = json::print(&self.root, self.typed);
        if self.interpolated { text.replace('$', "$$") } else { text }
    }

    /// The tree as it is printed, as plain data; `$` is not doubled.
    #[must_use]
    pub fn to_data(&self) -> Data {
        if self.typed { data(&self.root, Some(Kind::Struct(&PROJECT))) } else { data(&self.root, None) }
    }
}

/// Converts a node; without a kind, mappings are Go maps, and sorted.
fn data(node: &Node, kind: Option<Kind>) -> Data {
    match &node.value {
        Value::Null => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(value) => Data::Int(*value),
        Value::Uint(value) => Data::Uint(*value),
        Value::Float(value) => Data::Float(*value),
        Value::Str(text) | Value::Time(text) => Data::Str(text.clone()),
        Value::Seq(items) => {
            let item = match kind {
                Some(Kind::List(item)) => Some(*item),
                _ => None,
            };
            Data::Seq(items.iter().map(|node| data(node, item)).collect())
        }
        Value::Map(map) => match kind {
            Some(Kind::Struct(shape)) => Data::Map(fields(map, shape)),
            Some(Kind::Ulimit) => Data::Map(map.iter().map(|(key, node)| (key.clone(), data(node, None))).collect()),
            Some(Kind::MapOf(item) | Kind::MapOfPointers(item)) => Data::Map(sorted(map, Some(*item))),
            _ => Data::Map(sorted(map, None)),
        },
    }
}

fn fields(map: &Map, shape: &Shape) -> Vec<(Text, Data)> {
    let kind_of = |key: &str| shape.fields.iter().find(|field| field.name == key).map(|field| field.kind);
    map.iter().map(|(key, node)| (key.clone(), data(node, kind_of(key)))).collect()
}

fn sorted(map: &Map, item: Option<Kind>) -> Vec<(Text, Data)> {
    let entries: Vec<(&str, (&Text, &Node))> = map.iter().map(|(key, node)| (key.as_str(), (key, node))).collect();
    emit::in_go_order(entries).into_iter().map(|(_, (key, node))| (key.clone(), data(node, item))).collect()
}
