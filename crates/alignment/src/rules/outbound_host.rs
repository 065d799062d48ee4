//! A profile for an air gap names a host that is not local.

use std::collections::BTreeSet;
use std::sync::Arc;

use composefile::{Node, Value};
use findings::{Finding, Severity};
use yamlspan::{Kind, NodeRef};

use crate::compose::new_services;
use crate::hosts::{Found, hosts_in, is_local, names_host};
use crate::kubernetes::{DEEPEST, KubeObject, objects, scalar, text};
use crate::place::{Object, Path, Place, Rendered, Trail};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Standing, Survey};

pub(super) struct OutboundHost;

impl Rule for OutboundHost {
    fn id(&self) -> &'static str {
        "outbound-host"
    }

    fn summary(&self) -> &'static str {
        "a profile for an air gap names a host that is not local"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in survey.profiles.iter().filter(|profile| profile.is_airgap()) {
            self.registries(profile, out);
            // Images are judged by their registry, above; the same text elsewhere is not judged twice.
            let images: BTreeSet<Arc<str>> = profile.images.iter().map(|used| used.image.text.clone()).collect();
            let mut said: BTreeSet<(Object, Path, String)> = BTreeSet::new();
            let mut walk = Walk { rule: self.id(), profile, images: &images, variant: 0, said: &mut said, out };
            for (variant, project, services) in new_services(profile.profile) {
                walk.variant = variant;
                for service in services {
                    walk.compose(service.node, Trail::From(&service.path), "", 1);
                }
                if let Some(configs) = project.root.get("configs") {
                    walk.compose(configs, Trail::From(&Path::keys(&["configs"])), "configs", 0);
                }
            }
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                walk.variant = index;
                if let Some(kubernetes) = variant.kubernetes() {
                    for object in objects(kubernetes) {
                        walk.object(&object);
                    }
                }
            }
        }
    }
}

impl OutboundHost {
    /// A registry that the profile pulls from must be local, or one that the profile maps to.
    fn registries(&self, profile: &ProfileSurvey<'_>, out: &mut Vec<Finding<Place>>) {
        let declared = &profile.profile.declared;
        if declared.registry_map.is_empty() {
            return;
        }
        for used in &profile.images {
            let Ok(reference) = &used.image.reference else { continue };
            let registry = reference.registry();
            let mapped = declared.registry_map.iter().any(|(_, to)| to.value == registry);
            let host = registry.split(':').next().unwrap_or(registry);
            if mapped || is_local(host, declared.hosts.as_deref().unwrap_or_default()) {
                continue;
            }
            // What nothing lists has a finding already, and its registry is the least of it.
            if matches!(used.standing, Standing::Unlisted | Standing::OtherTag(_) | Standing::Ambiguous(_)) {
                continue;
            }
            let to = declared.registry_map.iter().find(|(from, _)| from.value == registry);
            let help = match to {
                Some((_, to)) => format!("pull it from `{}`, as `registry_map` says", to.value),
                None => format!("map `{registry}` to a local registry under `registry_map` of profile `{}`", profile.name()),
            };
            let place = used.image.place(reference.ranges().registry.clone());
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    profile.at(place),
                    format!("profile `{}` pulls from `{registry}` across an air gap", profile.name()),
                )
                .label(format!("the image of {}", used.image.user))
                .help(help),
            );
        }
    }
}

/// A walk over all strings of one rendering.
struct Walk<'w, 'a> {
    rule: &'static str,
    profile: &'w ProfileSurvey<'a>,
    images: &'w BTreeSet<Arc<str>>,
    variant: usize,
    said: &'w mut BTreeSet<(Object, Path, String)>,
    out: &'w mut Vec<Finding<Place>>,
}

/// Keys of a service that name no host that it calls.
const QUIET_COMPOSE: [&str; 5] = ["image", "labels", "annotations", "networks", "hostname"];

/// Keys of a Kubernetes object that name no host that it calls. An Ingress's hosts are inbound.
const QUIET_KUBERNETES: [&str; 7] = ["apiVersion", "kind", "metadata", "image", "host", "hosts", "selector"];

impl Walk<'_, '_> {
    /// `last`: the last key that led here.
    fn compose(&mut self, node: &Node, trail: Trail<'_>, last: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match &node.value {
            Value::Str(text) => self.text(Object::Compose, trail, last, text),
            Value::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.compose(item, trail.index(index), last, depth + 1);
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    // `labels` of a service is quiet, a variable of that name in its environment is not.
                    let quiet = depth == 1 && QUIET_COMPOSE.contains(&key.as_str());
                    if !quiet {
                        self.compose(value, trail.key(key), key, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &KubeObject<'_>) {
        // Names of API groups, schemas and webhooks look like hosts.
        if matches!(object.kind, "CustomResourceDefinition" | "ClusterRole" | "Role" | "APIService") {
            return;
        }
        self.node(object.object, object.node, Trail::From(&object.path), "", 0);
    }

    fn node(&mut self, object: Object, node: NodeRef<'_>, trail: Trail<'_>, key: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let node = node.target();
        match node.kind() {
            Kind::Mapping => {
                for (key, value) in node.entries() {
                    let name = key.raw();
                    if !QUIET_KUBERNETES.contains(&name) {
                        // A variable's key is its name: `{name: SMTP_HOST, value: …}`.
                        let variable = if name == "value" { text(node, &["name"]) } else { None };
                        self.node(object, value, trail.key(name), variable.unwrap_or(name), depth + 1);
                    }
                }
            }
            Kind::Sequence => {
                for (index, item) in node.items().enumerate() {
                    self.node(object, item, trail.index(index), key, depth + 1);
                }
            }
            _ => {
                if let Some(text) = scalar(node) {
                    self.text(object, trail, key, text);
                }
            }
        }
    }

    fn text(&mut self, object: Object, trail: Trail<'_>, key: &str, text: &str) {
        let found = hosts_in(text, || names_host(key));
        if found.is_empty() || self.images.contains(text) {
            return;
        }
        let path = trail.path();
        let declared = &self.profile.profile.declared;
        let local = declared.hosts.as_deref().unwrap_or_default();
        for Found { host, range } in found {
            if is_local(host, local) || !self.said.insert((object, path.clone(), host.to_owned())) {
                continue;
            }
            let name = self.profile.name();
            let place =
                Rendered { variant: self.variant, object, path: path.clone(), range: Some(range) };
            self.out.push(
                Finding::new(
                    self.rule,
                    Severity::Error,
                    self.profile.at(place),
                    format!("profile `{name}` names host `{host}` across an air gap"),
                )
                .label(format!("at `{path}`"))
                .help(format!("name a host of the site; if `{host}` is one, list its suffix under `hosts` of profile `{name}`")),
            );
        }
    }
}
