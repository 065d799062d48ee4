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
        let times = count_times(&self.root);
        let mut text = emit::go_yaml_v4_in_order(&self.data_with(""), 2);
        if times > 0 {
            // The emitter knows no times and would quote them: each gets a mark that nothing else has, taken off after.
            let mut mark = "time=".to_owned();
            while text.contains(&mark) {
                mark.push('=');
            }
            let marked = emit::go_yaml_v4_in_order(&self.data_with(&mark), 2);
            text = Text::new(marked.replace(&mark, ""));
        }
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
        self.data_with("")
    }

    fn data_with(&self, time_mark: &str) -> Data {
        data(&self.root, self.typed.then_some(Kind::Struct(&PROJECT)), time_mark)
    }
}

fn count_times(node: &Node) -> usize {
    match &node.value {
        Value::Time(_) => 1,
        Value::Seq(items) => items.iter().map(count_times).sum(),
        Value::Map(map) => map.iter().map(|(_, node)| count_times(node)).sum(),
        _ => 0,
    }
}

/// Converts a node; without a kind, mappings are Go maps, and sorted.
fn data(node: &Node, kind: Option<Kind>, mark: &str) -> Data {
    match &node.value {
        Value::Null => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(value) => Data::Int(*value),
        Value::Uint(value) => Data::Uint(*value),
        Value::Float(value) => Data::Float(*value),
        Value::Str(text) => Data::Str(text.clone()),
        Value::Time(text) => Data::Str(Text::derived_from(format!("{mark}{text}"), [text])),
        Value::Seq(items) => {
            let item = match kind {
                Some(Kind::List(item)) => Some(*item),
                _ => None,
            };
            Data::Seq(items.iter().map(|node| data(node, item, mark)).collect())
        }
        Value::Map(map) => match kind {
            Some(Kind::Struct(shape)) => Data::Map(fields(map, shape, mark)),
            Some(Kind::Ulimit) => {
                Data::Map(map.iter().map(|(key, node)| (key.clone(), data(node, None, mark))).collect())
            }
            Some(Kind::MapOf(item) | Kind::MapOfPointers(item)) => Data::Map(sorted(map, Some(*item), mark)),
            _ => Data::Map(sorted(map, None, mark)),
        },
    }
}

fn fields(map: &Map, shape: &Shape, mark: &str) -> Vec<(Text, Data)> {
    let kind_of = |key: &str| shape.fields.iter().find(|field| field.name == key).map(|field| field.kind);
    map.iter().map(|(key, node)| (key.clone(), data(node, kind_of(key), mark))).collect()
}

fn sorted(map: &Map, item: Option<Kind>, mark: &str) -> Vec<(Text, Data)> {
    let entries: Vec<(&str, (&Text, &Node))> = map.iter().map(|(key, node)| (key.as_str(), (key, node))).collect();
    emit::in_go_order(entries).into_iter().map(|(_, (key, node))| (key.clone(), data(node, item, mark))).collect()
}
