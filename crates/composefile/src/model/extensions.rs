//! compose-go gathers the `x-…` keys of each mapping under one key before it decodes, also where they are data.

use crate::node::Entry;
use crate::{Map, Node, Value};

/// The key that holds them; it shows up in the output where a mapping of free names had such keys.
pub(crate) const EXTENSIONS: &str = "#extensions";

/// Gathers them everywhere but where keys are names that the user gives.
pub(crate) fn gather(root: Map) -> Map {
    mapping(root, &mut Vec::new())
}

fn are_names(path: &[String]) -> bool {
    match path {
        [section] => matches!(section.as_str(), "services" | "volumes" | "networks" | "secrets" | "configs"),
        [section, _, attribute] => section == "services" && attribute == "depends_on",
        _ => false,
    }
}

fn mapping(map: Map, path: &mut Vec<String>) -> Map {
    let keys_are_names = are_names(path);
    let mut out = Map::new();
    let mut gathered = Map::new();
    for (key, entry) in map {
        if !keys_are_names && key.starts_with("x-") {
            gathered.set_entry(key, entry);
            continue;
        }
        path.push(key.to_string());
        let node = node(entry.node, path);
        path.pop();
        out.set_entry(key, Entry { key_span: entry.key_span, node });
    }
    if !gathered.is_empty() {
        out.set(EXTENSIONS, Node::new(gathered));
    }
    out
}

fn node(node: Node, path: &mut Vec<String>) -> Node {
    let span = node.span;
    match node.value {
        Value::Map(map) => Node::at(mapping(map, path), span),
        Value::Seq(mut items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if let Value::Map(map) = &mut item.value {
                    path.push(index.to_string());
                    *map = mapping(std::mem::take(map), path);
                    path.pop();
                }
            }
            Node::at(items, span)
        }
        _ => node,
    }
}
