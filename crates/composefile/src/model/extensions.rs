//! compose-go gathers the `x-…` keys of each mapping under one key before it decodes, also where they are data.

use source::Text;

use crate::{Map, Node, Value};

/// The key that holds them; it shows up in the output where a mapping of free names had such keys.
pub(crate) const EXTENSIONS: &str = "#extensions";

/// Gathers them everywhere but where keys are names that the user gives.
pub(crate) fn gather(root: Map) -> Map {
    mapping(root, &mut Vec::new())
}

fn are_names(path: &[Text]) -> bool {
    match path {
        [section] => matches!(section.as_str(), "services" | "volumes" | "networks" | "secrets" | "configs"),
        [section, _, attribute] => section.as_str() == "services" && attribute.as_str() == "depends_on",
        _ => false,
    }
}

fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

fn mapping(mut map: Map, path: &mut Vec<Text>) -> Map {
    let keys_are_names = are_names(path);
    let mut found = false;
    for (key, value) in map.iter_mut() {
        if !keys_are_names && is_extension(key) {
            found = true;
            continue;
        }
        path.push(key.clone());
        node(value, path);
        path.pop();
    }
    if !found {
        return map;
    }
    let mut out = Map::new();
    let mut gathered = Map::new();
    for (key, entry) in map {
        let into = if is_extension(&key) { &mut gathered } else { &mut out };
        into.set_entry(key, entry);
    }
    out.set(EXTENSIONS, Node::new(gathered));
    out
}

fn node(node: &mut Node, path: &mut Vec<Text>) {
    match &mut node.value {
        Value::Map(map) => *map = mapping(std::mem::take(map), path),
        Value::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                if let Value::Map(map) = &mut item.value {
                    path.push(Text::from(index.to_string()));
                    *map = mapping(std::mem::take(map), path);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}
