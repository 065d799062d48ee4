//! Which services are in: Compose profiles, named services and what they need; and the resources left without use.

use std::collections::{BTreeMap, BTreeSet};

use source::Text;

use crate::node::Entry;
use crate::{Error, Map, Node};

/// Moves the services and jobs that no active profile selects out of the root; gives the services.
pub(crate) fn by_profiles(root: &mut Map, active: &[String]) -> Map {
    let disabled = split(root, "services", active);
    split(root, "jobs", active);
    if root.get("jobs").and_then(Node::as_map).is_some_and(Map::is_empty) {
        root.remove("jobs");
    }
    disabled
}

fn split(root: &mut Map, section: &str, active: &[String]) -> Map {
    let mut disabled = Map::new();
    let Some(members) = root.get_mut(section).and_then(Node::as_map_mut) else { return disabled };
    let all = std::mem::take(members);
    for (name, entry) in all {
        if is_selected(&entry.node, active) { members.set_entry(name, entry) } else { disabled.set_entry(name, entry) }
    }
    disabled
}

fn is_selected(service: &Node, active: &[String]) -> bool {
    let declared = service.get("profiles").and_then(Node::as_seq).unwrap_or_default();
    declared.is_empty()
        || active.iter().any(|active| active == "*" || declared.iter().any(|own| own.as_str() == Some(active)))
}

/// Enables the named services, with the profiles that they declare, and drops all others that they do not depend on.
pub(crate) fn by_names(root: &mut Map, disabled: &mut Map, names: &[String], active: &[String]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let mut active = active.to_vec();
    for name in names {
        let profiles = disabled.get(name).and_then(|service| service.get("profiles")).and_then(Node::as_seq);
        active.extend(profiles.unwrap_or_default().iter().filter_map(|profile| profile.as_str().map(str::to_owned)));
    }
    let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) else { return Ok(()) };
    let outside = std::mem::take(disabled);
    for (name, entry) in outside {
        if is_selected(&entry.node, &active) {
            services.set_entry(name, entry);
        } else {
            disabled.set_entry(name, entry);
        }
    }
    let wanted = reachable(services, names)?;
    let all = std::mem::take(services);
    for (name, mut entry) in all {
        if !wanted.contains(name.as_str()) {
            disabled.set_entry(name, entry);
            continue;
        }
        let mut is_empty = false;
        if let Some(depends_on) = entry.node.as_map_mut().and_then(|service| service.get_mut("depends_on"))
            && let Some(depends_on) = depends_on.as_map_mut()
        {
            depends_on.retain(|name, _| wanted.contains(name.as_str()));
            is_empty = depends_on.is_empty();
        }
        if is_empty && let Some(service) = entry.node.as_map_mut() {
            service.remove("depends_on");
        }
        services.set_entry(name, entry);
    }
    Ok(())
}

fn reachable(services: &Map, names: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut wanted = BTreeSet::new();
    let mut open: Vec<(String, bool)> = names.iter().map(|name| (name.clone(), true)).collect();
    while let Some((name, required)) = open.pop() {
        let Some(service) = services.get(&name) else {
            if required {
                return Err(Error::invalid(format!("no such service: {name}")));
            }
            continue;
        };
        if !wanted.insert(name) {
            continue;
        }
        for (name, dependency) in service.get("depends_on").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            let required = dependency.get("required").and_then(Node::as_bool).unwrap_or(false);
            open.push((name.to_string(), required));
        }
    }
    Ok(wanted)
}

/// Drops networks, volumes, secrets, configs and models that no service uses.
pub(crate) fn prune(root: &mut Map) {
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (_, service) in root.get("services").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        for section in ["networks", "models"] {
            let names = service.get(section).and_then(Node::as_map).into_iter().flat_map(Map::keys);
            used.entry(section).or_default().extend(names.map(ToString::to_string));
        }
        let sources = |list: Option<&Node>, filter: fn(&Node) -> bool| -> Vec<String> {
            list.and_then(Node::as_seq)
                .unwrap_or_default()
                .iter()
                .filter(|item| filter(item))
                .filter_map(|item| item.get("source").and_then(Node::as_str).map(str::to_owned))
                .collect()
        };
        let is_volume = |item: &Node| item.get("type").and_then(Node::as_str) == Some("volume");
        used.entry("volumes").or_default().extend(sources(service.get("volumes"), is_volume));
        used.entry("secrets").or_default().extend(sources(service.get("secrets"), |_| true));
        used.entry("secrets").or_default().extend(sources(service.at_path(["build", "secrets"]), |_| true));
        used.entry("configs").or_default().extend(sources(service.get("configs"), |_| true));
    }
    for section in ["networks", "volumes", "secrets", "configs", "models"] {
        let Some(resources) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        resources.retain(|name, _| used.get(section).is_some_and(|used| used.contains(name.as_str())));
        if resources.is_empty() {
            root.remove(section);
        }
    }
}

/// Puts the sections of a typed project in the order in which they are printed.
pub(crate) fn order(root: Map, names: impl Iterator<Item = &'static str> + Clone) -> Map {
    if is_ordered(&root, names.clone()) {
        return root;
    }
    let names: Vec<&str> = names.collect();
    // A map has few of the many names that it could have.
    let rank = |key: &Text| names.iter().position(|name| *name == key.as_str()).unwrap_or(names.len());
    let ranks: Vec<usize> = root.keys().map(rank).collect();
    let mut ranked: Vec<(usize, (Text, Entry))> = ranks.into_iter().zip(root).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut out = Map::new();
    for (_, (name, entry)) in ranked {
        out.set_entry(name, entry);
    }
    out
}

/// Whether the keys are in the order of the names; those without a name come last.
pub(crate) fn is_ordered(map: &Map, names: impl Iterator<Item = &'static str> + Clone) -> bool {
    let mut later = names.clone();
    map.keys().all(|key| later.any(|name| name == key.as_str()) || !names.clone().any(|name| name == key.as_str()))
}
