//! Defaults that Compose writes into the tree, and the checks that follow them.

use std::net::IpAddr;
use std::sync::LazyLock;

use source::Text;

use crate::path::{ITEM, Path, Table};
use crate::{Error, Map, Node, Value};

type Default = fn(&mut Node, &Path<'_>) -> Result<(), Error>;

static DEFAULTS: LazyLock<Table<Default>> = LazyLock::new(|| {
    let mut table: Table<Default> = Table::new();
    let both = ["services.*", "jobs.*"];
    table.add(&both, "build", build_context);
    table.add(&both, "secrets.*", secret_target);
    table.add(&both, "ports.*", port);
    table.add(&both, "gpus.*", device_request);
    table.add(&both, "volumes.*.bind", bind);
    table.add(&["services.*"], "deploy.resources.reservations.devices.*", device_request);
    table
});

static CHECKS: LazyLock<Table<Default>> = LazyLock::new(|| {
    let mut table: Table<Default> = Table::new();
    table.add(&["volumes"], "*", check_volume);
    table.add(&["configs"], "*", check_config);
    table.add(&["secrets"], "*", check_secret);
    table.add(&["services.*"], "ports.*", check_host_ip);
    table.add(&["services.*"], "develop.watch.*.path", check_watch_path);
    table.add(&["services.*"], "deploy.resources.reservations.devices.*", check_device_request);
    table.add(&["services.*"], "gpus.*", check_device_request);
    table
});

/// Sets what is missing and has a default.
pub(crate) fn set_defaults(root: &mut Node) -> Result<(), Error> {
    walk(root, &Path::ROOT, &DEFAULTS)
}

/// Refuses what the schema cannot.
pub(crate) fn check(root: &mut Node) -> Result<(), Error> {
    walk(root, &Path::ROOT, &CHECKS)
}

fn walk(node: &mut Node, path: &Path<'_>, table: &Table<Default>) -> Result<(), Error> {
    if let Some(apply) = table.find(path) {
        let span = node.span;
        return apply(node, path).map_err(|error| error.at(span));
    }
    if table.ends_before(path) {
        return Ok(());
    }
    match &mut node.value {
        Value::Map(map) => map.iter_mut().try_for_each(|(key, child)| walk(child, &path.next(key), table)),
        Value::Seq(items) => items.iter_mut().try_for_each(|child| walk(child, &path.next(ITEM), table)),
        _ => Ok(()),
    }
}

fn set_missing(map: &mut Map, key: &'static str, value: impl Into<Value>) {
    if !map.contains(key) {
        map.set(key, Node::new(value));
    }
}

fn build_context(node: &mut Node, _: &Path<'_>) -> Result<(), Error> {
    if let Some(map) = node.as_map_mut() {
        set_missing(map, "context", ".");
    }
    Ok(())
}

fn secret_target(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    let kind = node.go_type();
    let Some(map) = node.as_map_mut() else {
        return Err(Error::invalid(format!("{path}: unsupported type {kind}")));
    };
    let source = map.get("source").map_or_else(|| Text::new("%!s(<nil>)"), Node::to_go_text);
    let target = Text::derived_from(format!("/run/secrets/{source}"), [&source]);
    set_missing(map, "target", target);
    Ok(())
}

fn port(node: &mut Node, _: &Path<'_>) -> Result<(), Error> {
    if let Some(map) = node.as_map_mut() {
        set_missing(map, "protocol", "tcp");
        set_missing(map, "mode", "ingress");
    }
    Ok(())
}

fn device_request(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    let Some(map) = node.as_map_mut() else {
        return Err(Error::invalid(format!("{path}: invalid type map[string]interface {{}} for device request")));
    };
    if !map.contains("count") && !map.contains("device_ids") {
        map.set("count", Node::new("all"));
    }
    Ok(())
}

fn bind(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    let kind = node.go_type();
    let Some(map) = node.as_map_mut() else {
        return Err(Error::invalid(format!("{path}: invalid type {kind} for service volume bind")));
    };
    set_missing(map, "create_host_path", true);
    Ok(())
}

fn check_volume(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    if node.is_null() {
        return Ok(());
    }
    let Some(map) = node.as_map() else {
        return Err(Error::invalid(format!("expected volume, got {}", node.to_go_text())));
    };
    if map.get("external").and_then(Node::as_bool) != Some(true) {
        return Ok(());
    }
    for (key, entry) in map.entries() {
        if !matches!(key.as_str(), "name" | "external") && !key.starts_with("x-") {
            let message =
                format!("{path}: conflicting parameters \"external\" and {} specified", crate::go::quote(key));
            return Err(Error::invalid(message).at(entry.key_span));
        }
    }
    Ok(())
}

fn check_config(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    check_file_object(node, path, &["file", "environment", "content"])
}

fn check_secret(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    check_file_object(node, path, &["file", "environment"])
}

fn check_file_object(node: &Node, path: &Path<'_>, keys: &[&str]) -> Result<(), Error> {
    let Some(map) = node.as_map() else { return Err(Error::invalid(format!("{path}: must be a mapping"))) };
    let count = keys.iter().filter(|key| map.contains(key)).count();
    let keys = keys.join("|");
    if count > 1 {
        return Err(Error::invalid(format!("{path}: {keys} attributes are mutually exclusive")));
    }
    if count == 0 && !map.contains("driver") && !map.contains("external") {
        return Err(Error::invalid(format!("{path}: one of {keys} must be set")));
    }
    Ok(())
}

fn check_host_ip(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    let Some(ip) = node.get("host_ip") else { return Ok(()) };
    let text = ip.to_go_text();
    if text.parse::<IpAddr>().is_err() {
        return Err(Error::invalid(format!("{path}: invalid ip address: {text}")).at(ip.span));
    }
    Ok(())
}

fn check_watch_path(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    if node.as_str() == Some("") {
        return Err(Error::invalid(format!("{path}: value can't be blank")));
    }
    Ok(())
}

fn check_device_request(node: &mut Node, path: &Path<'_>) -> Result<(), Error> {
    if node.get("count").is_some() && node.get("device_ids").is_some() {
        let message = format!("{path}: \"count\" and \"device_ids\" attributes are exclusive");
        return Err(Error::invalid(message));
    }
    Ok(())
}
