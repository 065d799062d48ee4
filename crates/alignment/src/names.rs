//! What Kubernetes takes for the names of objects, containers, ports and labels.

/// The longest part of a host's name, which is also the longest value of a label, and the longest name of one without its prefix.
pub(crate) const LONGEST_LABEL: usize = 63;

/// The longest name of a host.
const LONGEST_SUBDOMAIN: usize = 253;

/// The longest name of a service in IANA's list, as which ports of containers are named.
pub(crate) const LONGEST_PORT: usize = 15;

/// A CronJob adds 11 characters for its Jobs, whose pods carry the name of their Job as a label.
const LONGEST_CRON_JOB: usize = 52;

/// What the names of a kind must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) longest: usize,
    /// Whether it may consist of several parts with dots between them.
    dots: bool,
}

impl Form {
    const SUBDOMAIN: Self = Self { longest: LONGEST_SUBDOMAIN, dots: true };
    const LABEL: Self = Self { longest: LONGEST_LABEL, dots: false };

    pub(crate) fn takes(self, name: &str) -> bool {
        name.len() <= self.longest && if self.dots { name.split('.').all(is_part) } else { is_part(name) }
    }

    pub(crate) fn in_words(self) -> String {
        let characters =
            if self.dots { "lower case letters, digits, `-` and `.`" } else { "lower case letters, digits and `-`" };
        format!("use at most {} {characters}, with a letter or digit at both ends", self.longest)
    }
}

/// What the names of objects must look like, for kinds that say more of them than that they can stand in a URL. Roles may be called
/// `system:shop`, and so may some others that are not here.
pub(crate) fn of_objects(group: &str, kind: &str) -> Option<Form> {
    match (group, kind) {
        ("", "Service" | "Namespace") => Some(Form::LABEL),
        ("batch", "CronJob") => Some(Form { longest: LONGEST_CRON_JOB, ..Form::SUBDOMAIN }),
        (
            "",
            "ConfigMap"
            | "Secret"
            | "ServiceAccount"
            | "PersistentVolumeClaim"
            | "PersistentVolume"
            | "Pod"
            | "PodTemplate"
            | "ReplicationController"
            | "LimitRange"
            | "ResourceQuota"
            | "Endpoints",
        )
        | ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("networking.k8s.io" | "extensions", "Ingress" | "NetworkPolicy" | "IngressClass")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("storage.k8s.io", "StorageClass")
        | ("scheduling.k8s.io", "PriorityClass")
        | ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(Form::SUBDOMAIN),
        _ => None,
    }
}

/// Whether a name may be one of most objects: that of a host (RFC 1123).
pub(crate) fn is_subdomain(name: &str) -> bool {
    Form::SUBDOMAIN.takes(name)
}

/// Whether a name may be one of a container, a volume or a Service's port: a part of a host's name (RFC 1123).
pub(crate) fn is_dns_label(name: &str) -> bool {
    Form::LABEL.takes(name)
}

/// Lower case letters, digits and `-` between letters or digits. How long one may be is up to who asks.
fn is_part(part: &str) -> bool {
    let bytes = part.as_bytes();
    let at_ends = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    bytes.first().is_some_and(at_ends)
        && bytes.last().is_some_and(at_ends)
        && bytes.iter().all(|byte| at_ends(byte) || *byte == b'-')
}

/// Whether a container may call a port so: a service name of IANA (RFC 6335), in lower case.
pub(crate) fn is_port_name(name: &str) -> bool {
    name.len() <= LONGEST_PORT
        && is_part(name)
        && !name.contains("--")
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Empty, or letters, digits and `-_.` between letters or digits.
pub(crate) fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.len() <= LONGEST_LABEL
        && [bytes.first(), bytes.last()].into_iter().flatten().all(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// `name`, or `prefix/name` with a prefix that is a domain.
pub(crate) fn is_label_key(key: &str) -> bool {
    let (prefix, name) = match memchr::memchr(b'/', key.as_bytes()) {
        Some(at) => (Some(&key[..at]), &key[at + 1..]),
        None => (None, key),
    };
    let is_domain = |prefix: &str| {
        !prefix.is_empty()
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for (name, port, label, subdomain) in [
            ("web", true, true, true),
            ("1", false, true, true),
            ("8080", false, true, true),
            ("http-2", true, true, true),
            ("a--b", false, true, true),
            ("abcdefghijklmno", true, true, true),
            ("abcdefghijklmnop", false, true, true),
            ("shop.example.org", false, false, true),
            ("shop..org", false, false, false),
            (".shop", false, false, false),
            ("-web", false, false, false),
            ("web-", false, false, false),
            ("Web", false, false, false),
            ("web_1", false, false, false),
            ("wéb", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(is_port_name(name), port, "port `{name}`");
            assert_eq!(is_dns_label(name), label, "label `{name}`");
            assert_eq!(Form::SUBDOMAIN.takes(name), subdomain, "subdomain `{name}`");
        }
        assert!(is_dns_label(&"a".repeat(63)) && !is_dns_label(&"a".repeat(64)));
        assert!(Form::SUBDOMAIN.takes(&"a".repeat(253)) && !Form::SUBDOMAIN.takes(&"a".repeat(254)));
    }

    #[test]
    fn a_kind_says_what_its_names_look_like() {
        assert_eq!(of_objects("", "Service"), Some(Form::LABEL));
        assert_eq!(of_objects("", "ConfigMap"), Some(Form::SUBDOMAIN));
        assert_eq!(of_objects("batch", "CronJob").map(|form| form.longest), Some(52));
        assert_eq!(of_objects("rbac.authorization.k8s.io", "ClusterRole"), None);
        assert_eq!(of_objects("example.org", "Deployment"), None);
    }
}
