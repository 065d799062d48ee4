//! Fields that take one of a few words, or `true` or `false`.
//!
//! The words are those of the API types of Kubernetes up to 1.37. An empty word is taken for none, and then the default holds, but where the
//! API asks for one.

use yamlspan::{Kind, NodeRef, Scalar};

use super::{Wrong, is_left_open};
use crate::place::Path;

/// A field, and what it takes.
struct Field {
    /// Keys that lead to it; `*` is every item of a list.
    at: &'static [&'static str],
    takes: Takes,
}

#[derive(Clone, Copy)]
enum Takes {
    Words(&'static [&'static str]),
    /// One of the words, which must stand there.
    Needs(&'static [&'static str]),
    /// Any text, which must stand there. Where it is written and empty, `dangling-reference` says so.
    Name,
    Bool,
}

const fn words(at: &'static [&'static str], words: &'static [&'static str]) -> Field {
    Field { at, takes: Takes::Words(words) }
}

const fn needs(at: &'static [&'static str], words: &'static [&'static str]) -> Field {
    Field { at, takes: Takes::Needs(words) }
}

const fn truth(at: &'static [&'static str]) -> Field {
    Field { at, takes: Takes::Bool }
}

const fn name(at: &'static [&'static str]) -> Field {
    Field { at, takes: Takes::Name }
}

const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];
const SCHEMES: &[&str] = &["HTTP", "HTTPS"];
const ACCESS_MODES: &[&str] = &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];
const VOLUME_MODES: &[&str] = &["Filesystem", "Block"];
const HONORED: &[&str] = &["Honor", "Ignore"];
const REACHED: &[&str] = &["Cluster", "Local"];
const PREEMPTION: &[&str] = &["PreemptLowerPriority", "Never"];
const SECCOMP: &[&str] = &["RuntimeDefault", "Localhost", "Unconfined"];
const RESTARTS: &[&str] = &["Always", "OnFailure", "Never"];
const UPDATES: &[&str] = &["RollingUpdate", "OnDelete"];
const SELECTS: &[&str] = &["In", "NotIn", "Exists", "DoesNotExist"];

const OF_PODS: &[Field] = &[
    truth(&["automountServiceAccountToken"]),
    words(&["dnsPolicy"], &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    truth(&["enableServiceLinks"]),
    truth(&["hostIPC"]),
    truth(&["hostNetwork"]),
    truth(&["hostPID"]),
    truth(&["hostUsers"]),
    words(&["preemptionPolicy"], PREEMPTION),
    words(&["securityContext", "fsGroupChangePolicy"], &["OnRootMismatch", "Always"]),
    truth(&["securityContext", "runAsNonRoot"]),
    words(&["securityContext", "seccompProfile", "type"], SECCOMP),
    truth(&["setHostnameAsFQDN"]),
    truth(&["shareProcessNamespace"]),
    words(&["tolerations", "*", "effect"], &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    words(&["tolerations", "*", "operator"], &["Exists", "Equal", "Lt", "Gt"]),
    words(&["topologySpreadConstraints", "*", "nodeAffinityPolicy"], HONORED),
    words(&["topologySpreadConstraints", "*", "nodeTaintsPolicy"], HONORED),
    needs(&["topologySpreadConstraints", "*", "whenUnsatisfiable"], &["DoNotSchedule", "ScheduleAnyway"]),
    truth(&["volumes", "*", "configMap", "optional"]),
    words(
        &["volumes", "*", "hostPath", "type"],
        &["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"],
    ),
    truth(&["volumes", "*", "persistentVolumeClaim", "readOnly"]),
    truth(&["volumes", "*", "secret", "optional"]),
];

const OF_CONTAINERS: &[Field] = &[
    truth(&["env", "*", "valueFrom", "configMapKeyRef", "optional"]),
    truth(&["env", "*", "valueFrom", "secretKeyRef", "optional"]),
    truth(&["envFrom", "*", "configMapRef", "optional"]),
    truth(&["envFrom", "*", "secretRef", "optional"]),
    words(&["imagePullPolicy"], &["Always", "IfNotPresent", "Never"]),
    words(&["livenessProbe", "httpGet", "scheme"], SCHEMES),
    words(&["ports", "*", "protocol"], PROTOCOLS),
    words(&["readinessProbe", "httpGet", "scheme"], SCHEMES),
    words(&["restartPolicy"], RESTARTS),
    truth(&["securityContext", "allowPrivilegeEscalation"]),
    truth(&["securityContext", "privileged"]),
    truth(&["securityContext", "readOnlyRootFilesystem"]),
    truth(&["securityContext", "runAsNonRoot"]),
    words(&["securityContext", "seccompProfile", "type"], SECCOMP),
    words(&["startupProbe", "httpGet", "scheme"], SCHEMES),
    truth(&["stdin"]),
    truth(&["stdinOnce"]),
    words(&["terminationMessagePolicy"], &["File", "FallbackToLogsOnError"]),
    truth(&["tty"]),
    words(&["volumeMounts", "*", "mountPropagation"], &["None", "HostToContainer", "Bidirectional"]),
    truth(&["volumeMounts", "*", "readOnly"]),
];

/// What objects of a kind have; the group may be another in old versions.
fn of_objects(group: &str, kind: &str) -> &'static [Field] {
    match (group, kind) {
        ("", "ConfigMap" | "Secret") => const { &[truth(&["immutable"])] },
        ("", "PersistentVolume") => const {
            &[
                needs(&["spec", "accessModes", "*"], ACCESS_MODES),
                words(&["spec", "persistentVolumeReclaimPolicy"], &["Retain", "Recycle", "Delete"]),
                words(&["spec", "volumeMode"], VOLUME_MODES),
            ]
        },
        ("", "PersistentVolumeClaim") => const {
            &[needs(&["spec", "accessModes", "*"], ACCESS_MODES), words(&["spec", "volumeMode"], VOLUME_MODES)]
        },
        ("", "Service") => const {
            &[
                truth(&["spec", "allocateLoadBalancerNodePorts"]),
                words(&["spec", "externalTrafficPolicy"], REACHED),
                words(&["spec", "internalTrafficPolicy"], REACHED),
                needs(&["spec", "ipFamilies", "*"], &["IPv4", "IPv6"]),
                words(&["spec", "ipFamilyPolicy"], &["SingleStack", "PreferDualStack", "RequireDualStack"]),
                words(&["spec", "ports", "*", "protocol"], PROTOCOLS),
                truth(&["spec", "publishNotReadyAddresses"]),
                words(&["spec", "sessionAffinity"], &["None", "ClientIP"]),
                words(&["spec", "type"], &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
            ]
        },
        ("", "ServiceAccount") => const { &[truth(&["automountServiceAccountToken"])] },
        ("apps", "DaemonSet") => const { &[words(&["spec", "updateStrategy", "type"], UPDATES)] },
        ("apps", "Deployment") => const {
            &[truth(&["spec", "paused"]), words(&["spec", "strategy", "type"], &["Recreate", "RollingUpdate"])]
        },
        ("apps", "StatefulSet") => const {
            &[
                words(&["spec", "podManagementPolicy"], &["OrderedReady", "Parallel"]),
                words(&["spec", "updateStrategy", "type"], UPDATES),
                needs(&["spec", "volumeClaimTemplates", "*", "spec", "accessModes", "*"], ACCESS_MODES),
                words(&["spec", "volumeClaimTemplates", "*", "spec", "volumeMode"], VOLUME_MODES),
            ]
        },
        ("autoscaling", "HorizontalPodAutoscaler") => const {
            &[needs(
                &["spec", "metrics", "*", "type"],
                &["ContainerResource", "External", "Object", "Pods", "Resource"],
            )]
        },
        ("batch", "CronJob") => const {
            &[
                words(&["spec", "concurrencyPolicy"], &["Allow", "Forbid", "Replace"]),
                truth(&["spec", "jobTemplate", "spec", "suspend"]),
                truth(&["spec", "suspend"]),
            ]
        },
        ("batch", "Job") => const {
            &[words(&["spec", "completionMode"], &["NonIndexed", "Indexed"]), truth(&["spec", "suspend"])]
        },
        ("networking.k8s.io", "Ingress") => const {
            &[needs(
                &["spec", "rules", "*", "http", "paths", "*", "pathType"],
                &["Exact", "Prefix", "ImplementationSpecific"],
            )]
        },
        ("networking.k8s.io", "NetworkPolicy") => const {
            &[
                words(&["spec", "egress", "*", "ports", "*", "protocol"], PROTOCOLS),
                words(&["spec", "ingress", "*", "ports", "*", "protocol"], PROTOCOLS),
                words(&["spec", "podSelector", "matchExpressions", "*", "operator"], SELECTS),
                needs(&["spec", "policyTypes", "*"], &["Ingress", "Egress"]),
            ]
        },
        ("policy", "PodDisruptionBudget") => const {
            &[words(&["spec", "unhealthyPodEvictionPolicy"], &["IfHealthyBudget", "AlwaysAllow"])]
        },
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => const {
            &[
                words(&["roleRef", "apiGroup"], ROLES),
                needs(&["roleRef", "kind"], &["ClusterRole"]),
                name(&["roleRef", "name"]),
                needs(&["subjects", "*", "kind"], SUBJECTS),
            ]
        },
        ("rbac.authorization.k8s.io", "RoleBinding") => const {
            &[
                words(&["roleRef", "apiGroup"], ROLES),
                needs(&["roleRef", "kind"], &["Role", "ClusterRole"]),
                name(&["roleRef", "name"]),
                needs(&["subjects", "*", "kind"], SUBJECTS),
            ]
        },
        ("scheduling.k8s.io", "PriorityClass") => const {
            &[truth(&["globalDefault"]), words(&["preemptionPolicy"], PREEMPTION)]
        },
        ("storage.k8s.io", "StorageClass") => const {
            &[
                truth(&["allowVolumeExpansion"]),
                words(&["reclaimPolicy"], &["Retain", "Delete"]),
                words(&["volumeBindingMode"], &["Immediate", "WaitForFirstConsumer"]),
            ]
        },
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => const {
            &[
                words(&["webhooks", "*", "failurePolicy"], &["Ignore", "Fail"]),
                words(&["webhooks", "*", "matchPolicy"], &["Exact", "Equivalent"]),
                needs(
                    &["webhooks", "*", "rules", "*", "operations", "*"],
                    &["CREATE", "UPDATE", "DELETE", "CONNECT", "*"],
                ),
                words(&["webhooks", "*", "rules", "*", "scope"], &["Cluster", "Namespaced", "*"]),
                words(&["webhooks", "*", "sideEffects"], &["None", "NoneOnDryRun", "Some", "Unknown"]),
            ]
        },
        ("apiextensions.k8s.io", "CustomResourceDefinition") => const {
            &[words(&["spec", "scope"], &["Namespaced", "Cluster"])]
        },
        _ => &[],
    }
}

/// The API of roles.
const ROLES: &[&str] = &["rbac.authorization.k8s.io"];

/// Whom a binding gives a role to.
const SUBJECTS: &[&str] = &["ServiceAccount", "User", "Group"];

impl<'a> Wrong<'_, '_, 'a> {
    pub(super) fn words_of_object(&mut self) {
        let object = self.object;
        // A version that is not the last one may have other defaults.
        if object.api_version == "networking.k8s.io/v1beta1" {
            return;
        }
        for field in of_objects(object.group(), object.kind) {
            self.field(object.node, field.at, field.takes, &|| object.path.clone(), &|| object.title());
        }
        self.accounts();
    }

    pub(super) fn words_of_pod(&mut self, spec: NodeRef<'a>, path: &Path) {
        let object = self.object;
        for field in OF_PODS {
            self.field(spec, field.at, field.takes, &|| path.clone(), &|| object.title());
        }
    }

    pub(super) fn words_of_container(&mut self, container: NodeRef<'a>, path: &Path, user: &str) {
        for field in OF_CONTAINERS {
            self.field(container, field.at, field.takes, &|| path.clone(), &|| user.to_owned());
        }
    }

    /// Every value that `at` leads to. Paths and names are made only for what is wrong.
    fn field(
        &mut self,
        node: NodeRef<'a>,
        at: &[&'static str],
        takes: Takes,
        path: &dyn Fn() -> Path,
        of: &dyn Fn() -> String,
    ) {
        let node = node.target();
        match at {
            [] => {}
            ["*", rest @ ..] => {
                for (index, item) in node.items().enumerate() {
                    self.field(item, rest, takes, &|| path().index(index), of);
                }
            }
            [key, "*"] => {
                let items = node.get(key).into_iter().flat_map(|list| list.target().items());
                for (index, item) in items.enumerate() {
                    self.value(item, key, takes, &|| path().key(key).index(index), of);
                }
            }
            [key] => match node.get(key) {
                Some(value) => self.value(value, key, takes, &|| path().key(key), of),
                None => {
                    let help = match takes {
                        Takes::Needs(words) => format!("write {}", any_of(words)),
                        Takes::Name => format!("write `{key}`"),
                        Takes::Words(_) | Takes::Bool => return,
                    };
                    if node.kind() == Kind::Mapping {
                        self.push(path(), format!("`{key}` of {} is missing", of()), &help);
                    }
                }
            },
            [key, rest @ ..] => {
                if let Some(value) = node.get(key) {
                    self.field(value, rest, takes, &|| path().key(key), of);
                }
            }
        }
    }

    fn value(&mut self, value: NodeRef<'a>, key: &str, takes: Takes, path: &dyn Fn() -> Path, of: &dyn Fn() -> String) {
        let value = value.target();
        let raw = value.raw();
        let is_scalar = value.kind() == Kind::Scalar;
        let is_null = is_scalar && matches!(value.value(), Scalar::Null);
        if is_scalar && is_left_open(raw) {
            return;
        }
        let (words, is_right) = match takes {
            Takes::Bool => {
                let is_right = is_null || is_scalar && matches!(value.value(), Scalar::Bool(_));
                (&["true", "false"][..], is_right)
            }
            Takes::Words(words) => (words, is_null || is_scalar && (raw.is_empty() || words.contains(&raw))),
            Takes::Needs(words) => (words, is_scalar && words.contains(&raw)),
            Takes::Name => return,
        };
        if is_right {
            return;
        }
        let help = match release::nearest(raw, words.iter().copied()) {
            _ if words.contains(&raw) => "write it without quotes, and print it without `| quote`".to_owned(),
            Some(near) if !raw.is_empty() => format!("did you mean `{near}`?"),
            _ => format!("write {}", any_of(words)),
        };
        let message = match takes {
            Takes::Bool => format!("`{key}` of {} is neither `true` nor `false`", of()),
            _ if !is_scalar => format!("`{key}` of {} is no word", of()),
            _ if is_null || raw.is_empty() => format!("`{key}` of {} has no value", of()),
            _ => format!("`{key}` of {} cannot be `{raw}`", of()),
        };
        self.push(path(), message, &help);
    }
}

/// `A`, `B` or `C`, each in backticks.
fn any_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
