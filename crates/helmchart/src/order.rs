//! The orders that Helm puts things into.

use std::cmp::Ordering;

use crate::HelmVersion;

/// The order in which kinds are installed; what is not listed comes last, by name.
const INSTALL_ORDER: [&str; 36] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// What Helm 4 adds at the end of the order.
const INSTALL_ORDER_V4: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Compares two kinds in install order. Equal kinds keep the order of their files: sort stably.
pub(crate) fn by_kind(a: &str, b: &str, helm: HelmVersion) -> Ordering {
    let added: &[&str] = if helm == HelmVersion::V4 { &INSTALL_ORDER_V4 } else { &[] };
    let place = |kind: &str| INSTALL_ORDER.iter().chain(added).position(|known| *known == kind);
    match (place(a), place(b)) {
        (None, None) => a.cmp(b),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => a.cmp(&b),
    }
}

/// Compares two template paths in the order of parsing: deep paths first, each depth in descending byte order. Of two
/// definitions with one name the later one wins, so a chart overrides its subcharts.
pub(crate) fn by_path(a: &str, b: &str) -> Ordering {
    let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
    depth(b).cmp(&depth(a)).then_with(|| b.cmp(a))
}
