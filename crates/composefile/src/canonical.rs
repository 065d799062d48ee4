//! Short forms to long ones: ports, mounts, networks, dependencies, env files and the rest, by path.

use std::sync::LazyLock;

use source::{Span, Text};

use crate::node::Entry;
use crate::path::{ITEM, Path, Table};
use crate::{Error, Limits, Map, Node, Value, ports, volume};

/// What the transforms share.
pub(crate) struct Context<'c> {
    /// Leave what cannot be parsed as it is: it may hold variables that were not replaced.
    pub(crate) lenient: bool,
    pub(crate) limits: &'c Limits,
    /// Ports made so far, of all files.
    pub(crate) ports: &'c mut usize,
    pub(crate) warn: &'c mut dyn FnMut(String, Option<Span>),
}

type Transform = fn(Node, &Path<'_>, &mut Context<'_>) -> Result<Node, Error>;

static TRANSFORMS: LazyLock<Table<Transform>> = LazyLock::new(|| {
    let mut table = Table::new();
    let containers = ["services.*", "jobs.*", "services.*.pre_start.*"];
    let mut add = |prefixes: &[&'static str], transform: Transform, patterns: &[&'static str]| {
        for pattern in patterns {
            table.add(prefixes, pattern, transform);
        }
    };
    add(&containers, env_file, &["env_file"]);
    add(&containers, string_or_list, &["label_file", "dns"]);
    add(&containers, gpus, &["gpus"]);
    add(&containers, names_to_mapping, &["networks", "models"]);
    add(&containers, volume_mount, &["volumes.*"]);
    add(&containers, device, &["devices.*"]);
    add(&containers, file_mount, &["secrets.*", "configs.*"]);
    add(&containers, ulimit, &["ulimits.*"]);
    let both = ["services.*", "jobs.*"];
    add(&both, children, &[""]);
    add(&both, file_mount, &["build.secrets.*"]);
    add(&both, to_string, &["build.provenance", "build.sbom"]);
    add(&both, key_values, &["build.additional_contexts"]);
    add(&both, depends_on, &["depends_on"]);
    add(&both, extends, &["extends"]);
    add(&both, all_ports, &["ports"]);
    add(&both, build, &["build"]);
    add(&both, ssh, &["build.ssh"]);
    add(&both, ulimit, &["build.ulimits.*"]);
    add(&["jobs.*"], schedule, &["triggers.schedule.*"]);
    add(&["services.*"], string_or_list, &["develop.watch.*.ignore", "develop.watch.*.include"]);
    add(&["volumes", "networks", "secrets", "configs"], maybe_external, &["*"]);
    table
});

/// Transforms everything below `node`.
pub(crate) fn canonical(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    if let Some(transform) = TRANSFORMS.find(path) {
        let span = node.span;
        return transform(node, path, context).map_err(|error| error.at(span));
    }
    children(node, path, context)
}

fn children(mut node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    if TRANSFORMS.ends_before(path) {
        return Ok(node);
    }
    match &mut node.value {
        Value::Map(map) => {
            for (key, child) in map.iter_mut() {
                *child = canonical(std::mem::take(child), &path.next(key), context)?;
            }
        }
        Value::Seq(items) => {
            for child in items {
                *child = canonical(std::mem::take(child), &path.next(ITEM), context)?;
            }
        }
        _ => {}
    }
    Ok(node)
}

fn invalid_type(path: &Path<'_>, node: &Node, what: &str) -> Error {
    Error::invalid(format!("{path}: invalid type {} for {what}", node.go_type())).at(node.span)
}

/// A mapping with one entry, at the place of the short form.
fn single(key: &'static str, text: Text, span: Option<Span>) -> Node {
    let mut map = Map::new();
    map.set(key, Node::at(text, span));
    Node::at(map, span)
}

fn env_file(node: Node, path: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    let entry = |item: Node| -> Node {
        let span = item.span;
        let mut map = match item.value {
            Value::Str(path) => {
                let mut map = Map::new();
                map.set("path", Node::at(path, span));
                map
            }
            Value::Map(map) => map,
            _ => return Node::default(),
        };
        if !map.contains("required") {
            map.set("required", Node::at(true, span));
        }
        Node::at(map, span)
    };
    match node.value {
        Value::Str(_) => Ok(Node::at(vec![entry(node)], span)),
        Value::Seq(items) => Ok(Node::at(items.into_iter().map(entry).collect::<Vec<_>>(), span)),
        _ => Err(invalid_type(path, &node, "env_file")),
    }
}

fn string_or_list(node: Node, _: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    Ok(match node.value {
        Value::Str(_) => Node::at(vec![node], span),
        _ => node,
    })
}

fn gpus(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    match node.value {
        Value::Seq(_) => children(node, path, context),
        Value::Str(_) => Ok(Node::at(vec![single("count", Text::new("all"), span)], span)),
        _ => Err(invalid_type(path, &node, "gpus")),
    }
}

fn names_to_mapping(node: Node, path: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    let Value::Seq(items) = node.value else { return Ok(node) };
    let mut map = Map::new();
    for item in items {
        let Some(name) = item.as_text() else { return Err(invalid_type(path, &item, "a name")) };
        map.set_entry(name.clone(), Entry { key_span: item.span, node: Node::at(Value::Null, item.span) });
    }
    Ok(Node::at(map, span))
}

fn volume_mount(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    match &node.value {
        Value::Map(_) => Ok(node),
        Value::Str(text) => match volume::parse(text) {
            Ok(mount) => Ok(mount.into_node(node.span)),
            Err(_) if context.lenient => Ok(node),
            Err(message) => Err(Error::invalid(message)),
        },
        _ => Err(invalid_type(path, &node, "service volume mount")),
    }
}

fn device(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    match &node.value {
        Value::Map(_) => Ok(node),
        Value::Str(text) => {
            let parts: Vec<&str> = text.split(':').collect();
            let (source, target, permissions) = match parts.as_slice() {
                [source] => (*source, "", "rwm"),
                [source, target] => (*source, *target, "rwm"),
                [source, target, permissions] => (*source, *target, *permissions),
                _ if context.lenient => ("", "", "rwm"),
                _ => {
                    let message = format!("confusing device mapping, please use long syntax: {text}");
                    return Err(Error::invalid(message));
                }
            };
            let target = if target.is_empty() { source } else { target };
            let part = |part: &str| Node::at(Text::derived_from(part, [text]), span);
            let mut map = Map::new();
            map.set("source", part(source));
            map.set("target", part(target));
            map.set("permissions", part(permissions));
            Ok(Node::at(map, span))
        }
        _ => Err(invalid_type(path, &node, "service volume mount")),
    }
}

fn file_mount(node: Node, path: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    match node.value {
        Value::Map(_) => Ok(node),
        Value::Str(name) => Ok(single("source", name, node.span)),
        _ => Err(Error::invalid(format!("{path}: unsupported type {}", node.go_type()))),
    }
}

fn ulimit(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    match node.value {
        Value::Map(_) | Value::Int(_) => Ok(node),
        Value::Str(_) if context.lenient => Ok(node),
        _ => Err(invalid_type(path, &node, "ulimits")),
    }
}

fn to_string(node: Node, _: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    Ok(Node::at(node.to_go_text(), node.span))
}

fn key_values(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    match &node.value {
        Value::Map(_) => Ok(node),
        Value::Seq(items) => {
            let mut map = Map::new();
            for item in items {
                let text = item.to_go_text();
                let Some(equals) = text.find('=') else {
                    if context.lenient {
                        return Ok(node);
                    }
                    let message = format!("{path}: invalid value {text}, expected key=value");
                    return Err(Error::invalid(message).at(item.span));
                };
                let value = Node::at(text.slice(equals + 1..text.len()), item.span);
                map.set_entry(text.slice(0..equals), Entry { key_span: item.span, node: value });
            }
            Ok(Node::at(map, span))
        }
        _ => Err(Error::invalid(format!("{path}: invalid type {}", node.go_type()))),
    }
}

fn depends_on(node: Node, path: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    let complete = |map: &mut Map, span| {
        if !map.contains("condition") {
            map.set("condition", Node::at("service_started", span));
        }
        if !map.contains("required") {
            map.set("required", Node::at(true, span));
        }
    };
    match node.value {
        Value::Map(mut map) => {
            for (name, dependency) in map.iter_mut() {
                let at = dependency.span;
                let printed = match &dependency.value {
                    Value::Map(_) => String::new(),
                    _ => dependency.to_go_text().to_string(),
                };
                let Some(dependency) = dependency.as_map_mut() else {
                    let message = format!("{path}.{name}: unsupported value map[{name}:{printed}]");
                    return Err(Error::invalid(message).at(at));
                };
                complete(dependency, at);
            }
            Ok(Node::at(map, span))
        }
        Value::Seq(items) => {
            let mut map = Map::new();
            for item in items {
                let Some(name) = item.as_text() else { return Err(invalid_type(path, &item, "depend_on")) };
                let mut dependency = Map::new();
                complete(&mut dependency, item.span);
                let node = Node::at(dependency, item.span);
                map.set_entry(name.clone(), Entry { key_span: item.span, node });
            }
            Ok(Node::at(map, span))
        }
        _ => Err(invalid_type(path, &node, "depend_on")),
    }
}

fn extends(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    match node.value {
        Value::Map(_) => children(node, path, context),
        Value::Str(service) => Ok(single("service", service, node.span)),
        _ => Err(invalid_type(path, &node, "extends")),
    }
}

fn build(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    match node.value {
        Value::Map(_) => children(node, path, context),
        Value::Str(folder) => Ok(single("context", folder, node.span)),
        _ => Err(invalid_type(path, &node, "build")),
    }
}

fn ssh(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    let span = node.span;
    match &node.value {
        Value::Map(_) => Ok(node),
        Value::Seq(items) => {
            let mut map = Map::new();
            for item in items {
                let Some(text) = item.as_text() else {
                    return Err(Error::invalid(format!("invalid ssh key type {}", item.go_type())).at(item.span));
                };
                match text.find('=') {
                    Some(equals) => {
                        map.set(text.slice(0..equals), Node::at(text.slice(equals + 1..text.len()), item.span));
                    }
                    None if text.as_str() == "default" => map.set(text.clone(), Node::at(Value::Null, item.span)),
                    None if context.lenient => return Ok(node),
                    None => {
                        let message = format!("invalid ssh key {}", crate::go::quote(text));
                        return Err(Error::invalid(message).at(item.span));
                    }
                }
            }
            Ok(Node::at(map, span))
        }
        _ => Err(invalid_type(path, &node, "ssh")),
    }
}

fn schedule(node: Node, path: &Path<'_>, _: &mut Context<'_>) -> Result<Node, Error> {
    match node.value {
        Value::Map(_) => Ok(node),
        Value::Str(cron) => Ok(single("cron", cron, node.span)),
        _ => Err(invalid_type(path, &node, "schedule entry")),
    }
}

fn all_ports(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    let Value::Seq(entries) = &node.value else { return Err(invalid_type(path, &node, "port")) };
    let mut ports = Vec::with_capacity(entries.len());
    for entry in entries {
        let spec = match &entry.value {
            Value::Map(_) => {
                ports.push(entry.clone());
                continue;
            }
            Value::Str(_) | Value::Int(_) => entry.to_go_text(),
            _ => return Err(invalid_type(path, entry, "port")),
        };
        match ports::parse(&spec) {
            Ok(parsed) => {
                *context.ports += parsed.len();
                if *context.ports > context.limits.ports {
                    let message = format!("the project publishes more than {} ports", context.limits.ports);
                    return Err(Error::limit(message).at(entry.span));
                }
                ports.extend(parsed.into_nodes(&spec, entry.span));
            }
            Err(_) if context.lenient && entry.as_str().is_some() => return Ok(node),
            Err(message) => return Err(Error::invalid(message).at(entry.span)),
        }
    }
    Ok(Node::at(ports, node.span))
}

fn maybe_external(node: Node, path: &Path<'_>, context: &mut Context<'_>) -> Result<Node, Error> {
    if node.is_null() {
        return Ok(node);
    }
    if node.as_map().is_none() {
        return Err(Error::invalid(format!("{path}: must be a mapping")));
    }
    let mut node = children(node, path, context)?;
    let Some(resource) = node.as_map_mut() else { return Ok(node) };
    let Some(external) = resource.get_mut("external") else { return Ok(node) };
    let span = external.span;
    if external.as_map().is_none() {
        return Ok(node);
    }
    let external = std::mem::replace(external, Node::at(true, span)).into_map();
    if let Some(name) = external.get("name") {
        let message = format!("{path}: external.name is deprecated. Please set name and external: true");
        (context.warn)(message, span);
        match resource.get("name") {
            Some(own) if !own.same(name) => {
                let message = format!("{path}: name and external.name conflict; only use name");
                return Err(Error::invalid(message).at(span));
            }
            Some(_) => {}
            None => resource.set("name", name.clone()),
        }
    }
    Ok(node)
}
