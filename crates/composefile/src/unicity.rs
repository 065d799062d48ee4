//! Sequences whose items have a key: a later item takes the place of an earlier one with the same key.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::path::{Path, Table};
use crate::{Error, Node, Value, volume};

/// The key of an item; `index` is its place in the sequence, for messages.
type Indexer = fn(&Node, &Path<'_>, usize) -> Result<String, Error>;

static INDEXERS: LazyLock<Table<Indexer>> = LazyLock::new(|| {
    let mut table = Table::new();
    let mut add = |prefix: &'static str, indexer: Indexer, patterns: &[&'static str]| {
        for pattern in patterns {
            table.add(&[prefix], pattern, indexer);
        }
    };
    add("networks.*", key_value, &["labels", "ipam.options"]);
    add(
        "services.*",
        key_value,
        &[
            "annotations",
            "build.args",
            "build.additional_contexts",
            "build.platform",
            "build.tags",
            "build.labels",
            "cap_add",
            "cap_drop",
            "deploy.labels",
            "dns",
            "dns_opt",
            "dns_search",
            "environment",
            "labels",
            "links",
            "networks.*.aliases",
            "networks.*.link_local_ips",
            "profiles",
            "sysctls",
            "tmpfs",
        ],
    );
    add("services.*", config, &["configs"]);
    add("services.*", secret, &["secrets"]);
    add("services.*", env_file, &["env_file"]);
    add("services.*", expose, &["expose"]);
    add("services.*", port, &["ports"]);
    add("services.*", volume_target, &["volumes"]);
    add("services.*", device, &["devices"]);
    table
});

/// Drops redefined items everywhere below the root.
pub(crate) fn enforce(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    if let Value::Seq(items) = &mut node.value {
        if let Some(indexer) = INDEXERS.find(path) {
            *items = unique(std::mem::take(items), indexer, path)?;
        }
        return Ok(());
    }
    if INDEXERS.ends_before(path) {
        return Ok(());
    }
    if let Value::Map(map) = &mut node.value {
        for (key, child) in map.iter_mut() {
            enforce(child, &path.next(key))?;
        }
    }
    Ok(())
}

/// One item per `KEY` of `KEY=VALUE`.
pub(crate) fn unique_by_key(items: Vec<Node>, path: &Path<'_>) -> Result<Vec<Node>, Error> {
    unique(items, key_value, path)
}

fn unique(items: Vec<Node>, indexer: Indexer, path: &Path<'_>) -> Result<Vec<Node>, Error> {
    let mut out: Vec<Node> = Vec::with_capacity(items.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let key = indexer(&item, path, index).map_err(|error| error.at(item.span))?;
        match places.get(&key).and_then(|place| out.get_mut(*place)) {
            Some(earlier) => *earlier = item,
            None => {
                places.insert(key, out.len());
                out.push(item);
            }
        }
    }
    Ok(out)
}

fn key_value(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match item.as_str() {
        Some(text) => Ok(text.split('=').next().unwrap_or_default().to_owned()),
        None => Err(Error::invalid(format!("{path}.[{index}]: unexpected type {}", item.go_type()))),
    }
}

fn volume_target(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match &item.value {
        Value::Map(map) => match map.get("target").and_then(Node::as_str) {
            Some(target) => Ok(target.to_owned()),
            None => Err(Error::invalid(format!("service volume {path}.[{index}] is missing a mount target"))),
        },
        Value::Str(text) => volume::parse(text).map(|volume| volume.target.to_string()).map_err(Error::invalid),
        _ => Ok(String::new()),
    }
}

fn device(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match &item.value {
        Value::Map(map) => match map.get("target").and_then(Node::as_str) {
            Some(target) => Ok(target.to_owned()),
            None => Err(Error::invalid(format!("service device {path}.[{index}] is missing a mount target"))),
        },
        Value::Str(text) => {
            let mut parts = text.split(':');
            let source = parts.next().unwrap_or_default();
            Ok(parts.next().unwrap_or(source).to_owned())
        }
        _ => Ok(String::new()),
    }
}

fn expose(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match &item.value {
        Value::Str(_) | Value::Int(_) => Ok(item.to_go_text().to_string()),
        _ => Err(unsupported(item, path, index)),
    }
}

/// `%s` of something that is no string, as Go complains inside the text.
fn unsupported(item: &Node, path: &Path<'_>, index: usize) -> Error {
    let printed = match &item.value {
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Bool(_) => {
            format!("%!s({}={})", item.go_type(), item.to_go_text())
        }
        _ => item.to_go_text().to_string(),
    };
    Error::invalid(format!("{path}.[{index}]: unsupported expose value {printed}"))
}

fn config(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    mount(item, path, index, "")
}

fn secret(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    mount(item, path, index, "/run/secrets")
}

fn mount(item: &Node, path: &Path<'_>, index: usize, folder: &str) -> Result<String, Error> {
    match &item.value {
        Value::Str(name) => Ok(format!("{folder}/{name}")),
        Value::Map(map) => match map.get("target") {
            Some(target) => Ok(target.to_go_text().to_string()),
            None => {
                let source =
                    map.get("source").map_or_else(|| "%!s(<nil>)".to_owned(), |source| source.to_go_text().to_string());
                Ok(format!("{folder}/{source}"))
            }
        },
        _ => Err(unsupported(item, path, index)),
    }
}

fn port(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match &item.value {
        Value::Int(number) => Ok(number.to_string()),
        Value::Str(text) => Ok(text.to_string()),
        Value::Map(map) => {
            let Some(target) = map.get("target") else {
                return Err(Error::invalid(format!("service ports {path}.[{index}] is missing a target port")));
            };
            let text = |key: &str, default: &str| {
                map.get(key)
                    .map_or_else(|| default.to_owned(), |node| format!("{}:{}", node.go_type(), node.to_go_text()))
            };
            let host = map.get("host_ip").map_or_else(|| "0.0.0.0".to_owned(), |node| node.to_go_text().to_string());
            let protocol = map.get("protocol").map_or_else(|| "tcp".to_owned(), |node| node.to_go_text().to_string());
            // `%s` of a number prints its type too, so that 80 and "80" are different keys; the same for the target.
            let published = text("published", "");
            Ok(format!("{host}:{published}:{}:{}/{protocol}", target.go_type(), target.to_go_text()))
        }
        _ => Ok(String::new()),
    }
}

fn env_file(item: &Node, path: &Path<'_>, index: usize) -> Result<String, Error> {
    match &item.value {
        Value::Str(text) => Ok(text.to_string()),
        Value::Map(map) => match map.get("path").and_then(Node::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::invalid(format!("environment path attribute {path}.[{index}] is missing"))),
        },
        _ => Ok(String::new()),
    }
}
