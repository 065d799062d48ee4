//! What Compose writes into the merged tree: implied networks, dependencies, names, values from the environment.

use source::{Text, TextBuf};

use crate::environment::Environment;
use crate::path::Path;
use crate::record::Record;
use crate::volume::clean;
use crate::{Error, Map, Node, Value, merge, pass_through};

/// Attributes that a `pre_start` hook inherits from its service (all of the container specification but `volumes`).
const INHERITED: &[&str] = &[
    "annotations",
    "blkio_config",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "extra_hosts",
    "gpus",
    "group_add",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "log_driver",
    "log_opt",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "privileged",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "runtime",
    "secrets",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volume_driver",
    "volumes_from",
    "working_dir",
];

/// Normalises the merged tree in place. `apart`: services of the project that are not in it.
pub(crate) fn normalize<'a>(
    root: &mut Map,
    apart: impl Iterator<Item = &'a Map>,
    project: &str,
    environment: &Environment,
    record: &mut Record,
) -> Result<(), Error> {
    networks(root, apart);
    for section in ["services", "jobs"] {
        let Some(services) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (_, service) in services.iter_mut() {
            let span = service.span;
            if let Some(service) = service.as_map_mut() {
                normalize_service(service, environment, record).map_err(|error| error.at(span))?;
            }
        }
    }
    names(root, project);
    Ok(())
}

fn networks<'a>(root: &mut Map, mut apart: impl Iterator<Item = &'a Map>) {
    let mut uses_default = apart.any(|service| joins_default(service).is_some());
    for section in ["services", "jobs"] {
        let Some(services) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (_, service) in services.iter_mut() {
            let Some(service) = service.as_map_mut() else { continue };
            let Some(is_said) = joins_default(service) else { continue };
            uses_default = true;
            if !is_said {
                let mut default = Map::new();
                default.set("default", Node::default());
                service.set("networks", Node::new(default));
            }
        }
    }
    if !uses_default {
        return;
    }
    if root.get("networks").and_then(Node::as_map).is_none() {
        root.set("networks", Node::new(Map::new()));
    }
    if let Some(networks) = root.get_mut("networks").and_then(Node::as_map_mut)
        && !networks.contains("default")
    {
        networks.set("default", Node::default());
    }
}

/// Whether a service that is in the default network says so.
fn joins_default(service: &Map) -> Option<bool> {
    if service.contains("provider") || service.contains("network_mode") {
        return None;
    }
    match service.get("networks").and_then(Node::as_map) {
        Some(joined) if !joined.is_empty() => joined.contains("default").then_some(true),
        _ => Some(false),
    }
}

fn normalize_service(service: &mut Map, environment: &Environment, record: &mut Record) -> Result<(), Error> {
    if let Some(policy) = service.get_mut("pull_policy")
        && policy.as_str() == Some("if_not_present")
    {
        policy.value = Value::Str(Text::new("missing"));
    }
    if let Some(build) = service.get_mut("build").and_then(Node::as_map_mut) {
        if build.get("context").is_none_or(Node::is_null) {
            build.set("context", Node::new("."));
        }
        let names_dockerfile = ["dockerfile", "dockerfile_inline"];
        if names_dockerfile.iter().all(|key| build.get(key).is_none_or(Node::is_null)) {
            build.set("dockerfile", Node::new("Dockerfile"));
        }
        if let Some(arguments) = build.get_mut("args") {
            take_from_environment(arguments, environment, record, false);
        }
    }
    if let Some(variables) = service.get_mut("environment") {
        take_from_environment(variables, environment, record, true);
    }
    dependencies(service);
    if let Some(Value::Seq(volumes)) = service.get_mut("volumes").map(|volumes| &mut volumes.value) {
        for target in volumes.iter_mut().filter_map(|volume| volume.as_map_mut()?.get_mut("target")) {
            if let Some(text) = target.as_text()
                && clean(text) != text.as_str()
            {
                target.value = Value::Str(Text::derived_from(clean(text), [text]));
            }
        }
    }
    pre_start_hooks(service)
}

/// Gives entries without a value the environment's. What stays without is kept (`keep`) or dropped.
fn take_from_environment(node: &mut Node, environment: &Environment, record: &mut Record, keep: bool) {
    match &mut node.value {
        Value::Seq(items) => items.retain_mut(|item| {
            let Some(text) = item.as_text().cloned() else { return false };
            if text.contains('=') {
                return true;
            }
            match environment.read(&text, record) {
                Some(value) => {
                    item.value = Value::Str(pass_through::assignment(&text, value));
                    true
                }
                None => keep,
            }
        }),
        Value::Map(map) => map.retain(|name, value| {
            if !value.is_null() {
                return true;
            }
            match environment.read(name, record) {
                Some(text) => {
                    value.value = Value::Str(text.clone());
                    true
                }
                None => keep,
            }
        }),
        _ => {}
    }
}

/// Dependencies that `links`, shared namespaces and `volumes_from` imply.
fn dependencies(service: &mut Map) {
    let mut implied: Vec<(Text, Option<source::Span>, bool)> = Vec::new();
    for link in service.get("links").and_then(Node::as_seq).into_iter().flatten() {
        let Some(text) = link.as_text() else { continue };
        let mut parts = text.split(':');
        let first = parts.next().unwrap_or_default();
        let is_pair = parts.next().is_some() && parts.next().is_none();
        let name = if is_pair { text.slice(0..first.len()) } else { text.clone() };
        implied.push((name, link.span, true));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let Some(node) = service.get(namespace) else { continue };
        if let Some(text) = node.as_text()
            && text.starts_with("service:")
        {
            implied.push((text.slice("service:".len()..text.len()), node.span, true));
        }
    }
    for from in service.get("volumes_from").and_then(Node::as_seq).into_iter().flatten() {
        let Some(text) = from.as_text() else { continue };
        if !text.starts_with("container:") {
            let name = text.split(':').next().unwrap_or_default();
            implied.push((text.slice(0..name.len()), from.span, false));
        }
    }
    if implied.is_empty() {
        return;
    }
    if service.get("depends_on").and_then(Node::as_map).is_none() {
        service.set("depends_on", Node::new(Map::new()));
    }
    let Some(depends_on) = service.get_mut("depends_on").and_then(Node::as_map_mut) else { return };
    for (name, span, restart) in implied {
        if depends_on.contains(&name) {
            continue;
        }
        let mut dependency = Map::new();
        dependency.set("condition", Node::at("service_started", span));
        dependency.set("restart", Node::at(restart, span));
        dependency.set("required", Node::at(true, span));
        depends_on.set(name, Node::at(dependency, span));
    }
}

/// Completes each hook with what it inherits from its service.
fn pre_start_hooks(service: &mut Map) -> Result<(), Error> {
    if service.get("pre_start").and_then(Node::as_seq).is_none_or(<[Node]>::is_empty) {
        return Ok(());
    }
    let inherited: Map = service
        .iter()
        .filter(|(key, _)| INHERITED.binary_search(&key.as_str()).is_ok())
        .map(|(key, node)| (key.clone(), node.clone()))
        .collect();
    let Some(Value::Seq(hooks)) = service.get_mut("pre_start").map(|hooks| &mut hooks.value) else { return Ok(()) };
    let services = Path::ROOT.next("services");
    let path = services.next("hook");
    for hook in hooks {
        if hook.as_map().is_none() {
            continue;
        }
        let own = std::mem::take(hook);
        *hook = merge::merge(Node::at(inherited.clone(), own.span), own, &path)
            .map_err(|error| error.context("resolving pre_start hook specification"))?;
    }
    Ok(())
}

/// Names resources that have none: by their key if they are external, else by project and key.
fn names(root: &mut Map, project: &str) {
    for section in ["networks", "volumes", "configs", "secrets"] {
        let Some(resources) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (key, resource) in resources.iter_mut() {
            if resource.is_null() {
                resource.value = Value::Map(Map::new());
            }
            let Some(resource) = resource.as_map_mut() else { continue };
            if resource.get("name").is_some_and(|name| !name.is_null()) {
                continue;
            }
            let external = resource.get("external").is_some_and(|external| is_true(&external.to_go_text()));
            let name = if external {
                key.clone()
            } else {
                let mut name = TextBuf::new();
                name.push_str(project);
                name.push_str("_");
                name.push_str(key);
                name.finish()
            };
            resource.set("name", Node::new(name));
        }
    }
}

/// `strconv.ParseBool` that says true.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}
