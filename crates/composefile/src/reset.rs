//! What earlier files set and a later one takes back with `!reset` or `!override`; and empty values that are dropped.

use crate::path::Path;
use crate::{Map, Node, Value};

/// Removes what stands at one of the paths.
pub(crate) fn apply(root: &mut Node, paths: &[Vec<String>]) {
    if !paths.is_empty() {
        remove(root, &Path::ROOT, paths);
    }
}

fn remove(node: &mut Node, path: &Path<'_>, paths: &[Vec<String>]) {
    match &mut node.value {
        Value::Map(map) => map.retain(|key, child| {
            let next = path.next(key);
            if is_one_of(&next, paths) {
                return false;
            }
            remove(child, &next, paths);
            true
        }),
        // Items are named `[0]` here and `0` in the paths, so compose-go never finds one; what is below could match
        // only through a pattern.
        Value::Seq(items) => {
            for (index, child) in items.iter_mut().enumerate() {
                let part = format!("[{index}]");
                let next = path.next(&part);
                if !is_one_of(&next, paths) {
                    remove(child, &next, paths);
                }
            }
        }
        _ => {}
    }
}

fn is_one_of(path: &Path<'_>, paths: &[Vec<String>]) -> bool {
    paths.iter().any(|parts| {
        path.len() == parts.len() && {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            path.matches(&parts)
        }
    })
}

/// Drops empty entries of `dns`.
pub(crate) fn omit_empty(root: &mut Node) {
    for section in ["services", "jobs"] {
        let Some(services) = root.as_map_mut().and_then(|map| map.get_mut(section)).and_then(Node::as_map_mut) else {
            continue;
        };
        for (_, service) in services.iter_mut() {
            let Some(dns) = service.as_map_mut().and_then(|service: &mut Map| service.get_mut("dns")) else { continue };
            if let Value::Seq(items) = &mut dns.value {
                items.retain(|item| !item.is_null() && item.as_str() != Some(""));
            }
        }
    }
}
