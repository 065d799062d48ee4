//! What a pod has twice and may have once only.

use std::collections::BTreeMap;

use findings::Severity;
use yamlspan::NodeRef;

use super::{DNS_LABEL, Wrong, article, is_left_open, items};
use crate::kubernetes::{CONTAINERS, Pod, text};
use crate::names::is_dns_label;
use crate::place::Path;

impl<'a> Wrong<'_, '_, 'a> {
    /// Containers of all kinds: an init container cannot be called as a container is.
    pub(super) fn containers_twice(&mut self, pod: &Pod<'a>) {
        let lists = CONTAINERS.into_iter().flat_map(|(list, word)| {
            items(pod.spec, list).enumerate().map(move |(index, container)| (list, word, index, container))
        });
        let all: Vec<_> = lists.collect();
        let nodes: Vec<NodeRef<'a>> = all.iter().map(|(.., container)| *container).collect();
        let path = |at: usize| all.get(at).map(|(list, _, index, _)| pod.spec_path.key(list).index(*index));
        let word = |at: usize| all.get(at).map_or("container", |(_, word, ..)| *word);
        self.twice(&nodes, "name", |at| path(at).unwrap_or_default(), |title, first, second, name| {
            let (first, second) = (word(first), word(second));
            match first == second {
                true => format!("two {first}s of {title} are called `{name}`"),
                false => {
                    let articles = (article(first), article(second));
                    format!("{} {first} and {} {second} of {title} are called `{name}`", articles.0, articles.1)
                }
            }
        });
    }

    pub(super) fn volumes_twice(&mut self, pod: &Pod<'a>) {
        let volumes: Vec<NodeRef<'a>> = items(pod.spec, "volumes").collect();
        let path = |index: usize| pod.spec_path.key("volumes").index(index);
        for (index, volume) in volumes.iter().enumerate() {
            let name = text(*volume, &["name"]).filter(|name| !name.is_empty());
            if let Some(name) = name.filter(|name| !is_dns_label(name) && !is_left_open(name)) {
                let message = format!("`{name}` is no name that a volume may have");
                self.push(path(index).key("name"), message, DNS_LABEL);
            }
        }
        self.twice(&volumes, "name", path, |title, _, _, name| format!("two volumes of {title} are called `{name}`"));
    }

    /// Ports and mounts of one container.
    pub(super) fn listed_twice(&mut self, container: NodeRef<'a>, path: &Path, user: &str) {
        let ports: Vec<NodeRef<'a>> = items(container, "ports").collect();
        self.twice(&ports, "name", |index| path.key("ports").index(index), |_, _, _, name| {
            format!("two ports of {user} are called `{name}`")
        });
        let mounts: Vec<NodeRef<'a>> = items(container, "volumeMounts").collect();
        self.twice(&mounts, "mountPath", |index| path.key("volumeMounts").index(index), |_, _, _, at| {
            format!("{user} mounts two volumes at `{at}`")
        });
    }

    /// One number, once for each protocol.
    pub(super) fn service_ports_twice(&mut self, ports: NodeRef<'a>) {
        let object = self.object;
        let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (second, port) in ports.target().items().enumerate() {
            let protocol = text(port, &["protocol"]).filter(|protocol| !protocol.is_empty()).unwrap_or("TCP");
            let Some(number) = text(port, &["port"]) else { continue };
            let Some(first) = known.get(&(protocol, number)).copied() else {
                known.insert((protocol, number), second);
                continue;
            };
            let message = format!("two ports of {} are {number} of {protocol}", object.title());
            let path = |index: usize| object.path_of(&["spec", "ports"]).index(index).key("port");
            let first = self.profile.value(self.variant, object.object, path(first));
            let finding = self.finding(Severity::Error, path(second), message, "remove one, or change its number");
            self.out.push(finding.related(first, "the first"));
        }
    }

    /// Whatever has the same text under `key` as one before it. What is said of both gets the title of the object, their numbers and the text.
    fn twice(
        &mut self,
        nodes: &[NodeRef<'a>],
        key: &str,
        path: impl Fn(usize) -> Path,
        message: impl Fn(&str, usize, usize, &str) -> String,
    ) {
        // Most have one of each.
        if nodes.len() < 2 {
            return;
        }
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (second, node) in nodes.iter().enumerate() {
            let Some(text) = text(*node, &[key]).filter(|text| !text.is_empty()) else { continue };
            let Some(first) = known.get(text).copied() else {
                known.insert(text, second);
                continue;
            };
            let message = message(&self.object.title(), first, second, text);
            let help = if key == "name" { "give each a name of its own" } else { "remove one, or mount it elsewhere" };
            let first = self.profile.value(self.variant, self.object.object, path(first).key(key));
            let finding = self.finding(Severity::Error, path(second).key(key), message, help);
            self.out.push(finding.related(first, "the first"));
        }
    }
}
