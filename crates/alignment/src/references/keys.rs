//! Keys of ConfigMaps and Secrets: which ones a pod takes, and which ones are there before anything runs.

use std::collections::{BTreeMap, BTreeSet};

use yamlspan::{Kind, NodeRef};

use super::{Reference, identity, items};
use crate::kubernetes::{KubeObject, scalar, text};
use crate::place::{Path, Step};

/// The keys that a reference takes, if it does not take the whole.
#[derive(Clone, Copy)]
pub(crate) enum Taken<'a> {
    All,
    /// The `key` of a variable.
    One(&'a str),
    /// The `items` of a volume.
    Items(NodeRef<'a>),
}

impl<'a> Taken<'a> {
    /// By what stands beside the name.
    pub(super) fn of(beside: NodeRef<'a>) -> Self {
        if let Some(key) = text(beside, &["key"]).filter(|key| !key.is_empty()) {
            return Self::One(key);
        }
        match beside.target().get("items") {
            Some(items) => Self::Items(items),
            None => Self::All,
        }
    }
}

impl<'a> Reference<'a> {
    /// The keys that it takes, and where each is named.
    pub(crate) fn keys(&self) -> Vec<(&'a str, Path)> {
        let beside = |step: &str| {
            let mut path = self.path.clone();
            path.0.pop();
            path.0.push(Step::Key(step.into()));
            path
        };
        match self.taken {
            Taken::All => Vec::new(),
            Taken::One(key) => vec![(key, beside("key"))],
            Taken::Items(items) => {
                let keys = items.target().items().enumerate();
                keys.filter_map(|(index, item)| Some((text(item, &["key"])?, beside("items").index(index).key("key"))))
                    .filter(|(key, _)| !key.is_empty())
                    .collect()
            }
        }
    }
}

/// A ConfigMap or Secret of which every key is known.
pub(crate) struct Store<'s, 'a> {
    pub(crate) object: &'s KubeObject<'a>,
    /// Each with where it stands: `data`, `stringData` or `binaryData`.
    pub(crate) keys: Vec<(&'a str, &'static str)>,
    known: BTreeSet<&'a str>,
}

impl Store<'_, '_> {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.known.contains(key)
    }
}

/// All that are known, by what they are. One that is rendered twice is not.
pub(crate) fn stores<'s, 'a>(objects: &'s [KubeObject<'a>]) -> BTreeMap<(&'a str, &'a str, &'a str), Store<'s, 'a>> {
    let mut stores = BTreeMap::new();
    let mut known = BTreeMap::new();
    for object in objects.iter().filter(|object| matches!(object.kind, "ConfigMap" | "Secret")) {
        *known.entry(identity(object)).or_insert(0_usize) += 1;
        if let Some(store) = store(object) {
            stores.insert(identity(object), store);
        }
    }
    stores.retain(|identity, _| known.get(identity) == Some(&1));
    stores
}

/// Nothing where keys are added later: to hooks, to what is rendered empty to be filled, and to what an annotation hands to some controller.
fn store<'s, 'a>(object: &'s KubeObject<'a>) -> Option<Store<'s, 'a>> {
    let is_token = text(object.node, &["type"]) == Some("kubernetes.io/service-account-token");
    if !object.group().is_empty() || object.hook || is_token || is_handed_over(object.node) {
        return None;
    }
    let mut keys = Vec::new();
    for part in ["data", "stringData", "binaryData"] {
        let Some(data) = object.node.target().get(part).map(NodeRef::target) else { continue };
        match data.kind() {
            Kind::Mapping => {
                for (key, _) in data.entries() {
                    if key.is_merge_key() {
                        return None;
                    }
                    keys.push((key.raw(), part));
                }
            }
            // Null: nothing.
            _ if data.kind() == Kind::Scalar && scalar(data).is_none() => {}
            _ => return None,
        }
    }
    let known = keys.iter().map(|(key, _)| *key).collect();
    (!keys.is_empty()).then_some(Store { object, keys, known })
}

/// Annotations of tools that roll out objects, and leave their data alone.
const OF_ROLLOUT: [&str; 6] = [
    "app.kubernetes.io/",
    "argocd.argoproj.io/",
    "checksum/",
    "helm.sh/resource-policy",
    "kubectl.kubernetes.io/",
    "meta.helm.sh/",
];

/// Whether an annotation may tell some controller to write here.
fn is_handed_over(node: NodeRef<'_>) -> bool {
    let Some(annotations) = node.at(&["metadata", "annotations"]) else { return false };
    annotations.target().entries().any(|(key, _)| {
        let key = key.raw();
        key.contains('/') && !OF_ROLLOUT.iter().any(|known| key.starts_with(known))
    })
}

/// Whether somebody of the profile may add to a ConfigMap or Secret while it runs.
pub(crate) fn is_written(objects: &[KubeObject<'_>], kind: &str, name: &str) -> bool {
    let resource = if kind == "Secret" { "secrets" } else { "configmaps" };
    let any = |rule: NodeRef<'_>, key: &str, words: &[&str]| {
        items(rule, &[key]).filter_map(scalar).any(|word| word == "*" || words.contains(&word))
    };
    let roles = objects.iter().filter(|object| {
        matches!(object.kind, "Role" | "ClusterRole") && object.group() == "rbac.authorization.k8s.io"
    });
    roles.flat_map(|role| items(role.node, &["rules"])).any(|rule| {
        any(rule, "resources", &[resource])
            && any(rule, "verbs", &["update", "patch"])
            && (items(rule, &["resourceNames"]).next().is_none() || any(rule, "resourceNames", &[name]))
    })
}
