//! The kinds of Kubernetes' own APIs, those of versions that are no longer served too: whoever still has such a cluster may use them.

/// API groups with their versions and kinds. The core group has no name.
const GROUPS: &[(&str, &[&str], &[&str])] = &[
    (
        "",
        &["v1"],
        &[
            "Binding",
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1", "v1alpha1"],
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["v1", "v1beta1"], &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], &["APIService"]),
    (
        "apps",
        &["v1", "v1beta1", "v1beta2"],
        &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
    ),
    ("autoscaling", &["v1", "v2", "v2beta1", "v2beta2"], &["HorizontalPodAutoscaler", "Scale"]),
    ("batch", &["v1", "v1beta1", "v2alpha1"], &["CronJob", "Job"]),
    ("coordination.k8s.io", &["v1", "v1beta1", "v1alpha1", "v1alpha2"], &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["v1", "v1beta1"], &["EndpointSlice"]),
    (
        "extensions",
        &["v1beta1"],
        &["DaemonSet", "Deployment", "Ingress", "NetworkPolicy", "PodSecurityPolicy", "ReplicaSet"],
    ),
    (
        "networking.k8s.io",
        &["v1", "v1beta1", "v1alpha1"],
        &["IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"],
    ),
    ("node.k8s.io", &["v1", "v1beta1", "v1alpha1"], &["RuntimeClass"]),
    ("policy", &["v1", "v1beta1"], &["Eviction", "PodDisruptionBudget", "PodSecurityPolicy"]),
    (
        "rbac.authorization.k8s.io",
        &["v1", "v1beta1", "v1alpha1"],
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io", &["v1", "v1beta1", "v1alpha1"], &["PriorityClass", "Workload"]),
    (
        "storage.k8s.io",
        &["v1", "v1beta1", "v1alpha1"],
        &["CSIDriver", "CSINode", "CSIStorageCapacity", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
    ),
];

/// Groups of Kubernetes itself that are too new or too rarely written by hand to list their kinds.
const OTHERS: &[&str] = &["resource.k8s.io", "events.k8s.io", "certificates.k8s.io", "authentication.k8s.io"];

/// What is wrong with an `apiVersion` and a `kind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// No API has this group; near is one that does.
    Group { near: Option<&'static str> },
    /// The group is Kubernetes' own and has no such version.
    Version { known: &'static [&'static str] },
    /// The group is Kubernetes' own and has no such kind.
    Kind { near: Option<&'static str> },
}

/// What is wrong, as far as that can be known without a cluster: custom resources may have any name, but their groups are
/// domains.
pub(crate) fn unknown(api_version: &str, kind: &str) -> Option<Unknown> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let Some((_, versions, kinds)) = GROUPS.iter().find(|(name, ..)| *name == group) else {
        let has_kind = |name: &str| GROUPS.iter().any(|(known, _, kinds)| *known == name && kinds.contains(&kind));
        let near = release::nearest(group, GROUPS.iter().map(|(name, ..)| *name));
        let is_domain = group.contains('.');
        let misspelt = near.is_some_and(has_kind) && !OTHERS.contains(&group);
        return (!is_domain || misspelt).then_some(Unknown::Group { near });
    };
    if !versions.contains(&version) {
        return Some(Unknown::Version { known: versions });
    }
    // `PodList` and the like are what `kubectl get -o yaml` prints.
    let known =
        kinds.contains(&kind) || kind == "List" || kind.strip_suffix("List").is_some_and(|of| kinds.contains(&of));
    if known {
        return None;
    }
    Some(Unknown::Kind { near: release::nearest(kind, kinds.iter().copied()) })
}

/// The newest API version that has a kind.
pub(crate) fn home(kind: &str) -> Option<String> {
    let (group, versions, _) = GROUPS.iter().find(|(.., kinds)| kinds.contains(&kind))?;
    let version = versions.first()?;
    Some(if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_is_unknown() {
        for (api_version, kind) in [
            ("v1", "Pod"),
            ("v1", "PodList"),
            ("v1", "List"),
            ("apps/v1", "Deployment"),
            ("extensions/v1beta1", "Ingress"),
            ("gateway.networking.k8s.io/v1", "Gateway"),
            ("example.org/v7", "Anything"),
            ("resource.k8s.io/v1", "ResourceClaim"),
        ] {
            assert_eq!(unknown(api_version, kind), None, "{api_version} {kind}");
        }
        let versions: &[&str] = &["v1", "v1beta1", "v1beta2"];
        assert_eq!(unknown("apps/v2", "Deployment"), Some(Unknown::Version { known: versions }));
        assert_eq!(unknown("apps/v1", "Deploymnt"), Some(Unknown::Kind { near: Some("Deployment") }));
        assert_eq!(unknown("aps/v1", "Deployment"), Some(Unknown::Group { near: Some("apps") }));
        assert_eq!(unknown("netwrking.k8s.io/v1", "Ingress"), Some(Unknown::Group { near: Some("networking.k8s.io") }));
        assert_eq!(unknown("shop/v1", "Shop"), Some(Unknown::Group { near: None }));
        assert_eq!(home("Deployment").as_deref(), Some("apps/v1"));
        assert_eq!(home("Pod").as_deref(), Some("v1"));
        assert_eq!(home("Shop"), None);
    }
}
