//! Whether a profile brings something that makes or labels pods while it runs: then not all of its pods are rendered.

use yamlspan::NodeRef;

use crate::kubernetes::{KubeObject, scalar};

/// What pods are, or are made from.
const WORKLOADS: [&str; 7] =
    ["pods", "deployments", "statefulsets", "daemonsets", "replicasets", "replicationcontrollers", "jobs"];

/// What one must be allowed to for that.
const WRITING: [&str; 4] = ["create", "update", "patch", "*"];

/// Keys of a custom resource from which an operator makes pods.
const OF_PODS: [&str; 4] = ["replicas", "instances", "image", "podTemplate"];

/// Nesting of a custom resource in which these keys are looked for: `spec.nodeSets.0.podTemplate` is 4 deep.
const DEEPEST: usize = 8;

/// True for what grants the right to write pods or their owners, and for custom resources that say how many pods there are or of which image.
pub(crate) fn make_pods(objects: &[KubeObject<'_>]) -> bool {
    objects.iter().any(|object| match (object.kind, object.group()) {
        ("Role" | "ClusterRole", "rbac.authorization.k8s.io") => writes_pods(object.node),
        (_, group) => is_custom(group) && object.node.at(&["spec"]).is_some_and(|spec| tells_of_pods(spec, 0)),
    })
}

fn writes_pods(role: NodeRef<'_>) -> bool {
    let Some(rules) = role.at(&["rules"]) else { return false };
    let any = |rule: NodeRef<'_>, key: &str, words: &[&str]| {
        let list = rule.at(&[key]).map(|list| list.target().items().collect::<Vec<_>>());
        list.unwrap_or_default().into_iter().filter_map(scalar).any(|word| word == "*" || words.contains(&word))
    };
    rules.target().items().any(|rule| any(rule, "resources", &WORKLOADS) && any(rule, "verbs", &WRITING))
}

/// Groups of Kubernetes itself have no dot, or end in `.k8s.io`.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn tells_of_pods(node: NodeRef<'_>, depth: usize) -> bool {
    let node = node.target();
    depth < DEEPEST
        && (node.entries().any(|(key, value)| OF_PODS.contains(&key.raw()) || tells_of_pods(value, depth + 1))
            || node.items().any(|item| tells_of_pods(item, depth + 1)))
}
