//! What an object of Kubernetes needs of other objects, by kind and name.
//!
//! Only what must be there in the same cluster for the object to do its work. What a cluster offers to everybody (storage classes, priority
//! classes, ingress classes, nodes) is not asked for, nor is anything that custom resources name, apart from the few that stand in for
//! an object of Kubernetes itself.

mod empty;
mod keys;
mod made;
mod pods;

use findings::Severity;
use release::External;
use yamlspan::NodeRef;

use crate::kubernetes::{KubeObject, scalar, text};
use crate::place::Path;

pub(crate) use empty::{left_empty, left_out};
pub(crate) use keys::{Store, is_written, stores};
pub(crate) use made::made_of;

use keys::Taken;

/// The label that every namespace carries with its name.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// What AWS writes where an Ingress leads to an action of its load balancer, which no Service stands for.
const ACTION_PORT: &str = "use-annotation";

/// One reference.
pub(crate) struct Reference<'a> {
    pub(crate) kind: &'a str,
    /// Empty where the reference lacks it.
    pub(crate) name: &'a str,
    /// Empty for what is in no namespace.
    pub(crate) namespace: &'a str,
    pub(crate) path: Path,
    /// Whether the object does nothing without it, or only less than it says.
    pub(crate) severity: Severity,
    taken: Taken<'a>,
}

/// Where an object's namespace counts: these kinds are in none.
fn is_clusterwide(kind: &str) -> bool {
    matches!(kind, "ClusterRole" | "Namespace")
}

impl<'a> Reference<'a> {
    /// A reference into the namespace of the object that holds it.
    fn new(object: &KubeObject<'a>, kind: &'a str, name: &'a str, path: Path) -> Self {
        let namespace = if is_clusterwide(kind) { "" } else { object.namespace };
        Self { kind, name, namespace, path, severity: Severity::Error, taken: Taken::All }
    }

    fn within(self, namespace: Option<&'a str>) -> Self {
        Self { namespace: namespace.filter(|_| !is_clusterwide(self.kind)).unwrap_or(self.namespace), ..self }
    }

    fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Whether it takes some keys only.
    pub(crate) fn takes_keys(&self) -> bool {
        !matches!(self.taken, Taken::All)
    }

    /// Kind, namespace and name, as [`identity`] gives them.
    pub(crate) fn identity(&self) -> (&'a str, &'a str, &'a str) {
        (self.kind, self.namespace, self.name)
    }

    /// The list under `external` that would declare it, and what stands there.
    pub(crate) fn declaration(&self) -> (&'static str, String) {
        match self.kind {
            "ConfigMap" => ("config_maps", self.name.to_owned()),
            "Secret" => ("secrets", self.name.to_owned()),
            "ServiceAccount" => ("service_accounts", self.name.to_owned()),
            "PersistentVolumeClaim" => ("volume_claims", self.name.to_owned()),
            kind => ("objects", format!("{kind}/{}", self.name)),
        }
    }

    /// Whether a workspace declares it as made elsewhere.
    pub(crate) fn is_declared(&self, external: &External) -> bool {
        let (key, name) = self.declaration();
        let list = match key {
            "config_maps" => &external.config_maps,
            "secrets" => &external.secrets,
            "service_accounts" => &external.service_accounts,
            "volume_claims" => &external.volume_claims,
            _ => &external.objects,
        };
        list.iter().any(|declared| declared.value == name)
    }

    /// Whether every cluster has it.
    pub(crate) fn is_built_in(&self) -> bool {
        match self.kind {
            "ServiceAccount" => self.name == "default",
            "ConfigMap" => self.name == "kube-root-ca.crt",
            "Namespace" => matches!(self.name, "default" | "kube-system" | "kube-public" | "kube-node-lease"),
            "ClusterRole" => {
                matches!(self.name, "admin" | "cluster-admin" | "edit" | "view") || self.name.starts_with("system:")
            }
            "Role" => self.name.starts_with("system:") || self.name == "extension-apiserver-authentication-reader",
            _ => false,
        }
    }
}

/// Kind, namespace and name of an object; the namespace is empty for what is in none.
pub(crate) fn identity<'a>(object: &KubeObject<'a>) -> (&'a str, &'a str, &'a str) {
    (object.kind, if is_clusterwide(object.kind) { "" } else { object.namespace }, object.name)
}

/// What an autoscaler scales.
pub(crate) struct ScaleTarget<'a> {
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    /// Of the reference itself.
    pub(crate) path: Path,
}

/// The target of a HorizontalPodAutoscaler, of a VerticalPodAutoscaler, or of KEDA's ScaledObject.
pub(crate) fn scale_target<'a>(object: &KubeObject<'a>) -> Option<ScaleTarget<'a>> {
    let (key, of_none) = match (object.kind, object.group()) {
        ("HorizontalPodAutoscaler", "autoscaling") => ("scaleTargetRef", ("", "")),
        ("VerticalPodAutoscaler", "autoscaling.k8s.io") => ("targetRef", ("", "")),
        ("ScaledObject", "keda.sh") => ("scaleTargetRef", ("apps/v1", "Deployment")),
        _ => return None,
    };
    let target = object.node.at(&["spec", key])?;
    Some(ScaleTarget {
        api_version: text(target, &["apiVersion"]).unwrap_or(of_none.0),
        kind: text(target, &["kind"]).unwrap_or(of_none.1),
        name: text(target, &["name"]).unwrap_or_default(),
        path: object.path_of(&["spec", key]),
    })
}

/// A Service that an Ingress leads to, with the port.
pub(crate) struct Backend<'a> {
    pub(crate) service: &'a str,
    pub(crate) port: Option<NodeRef<'a>>,
    /// Of the Service's name.
    pub(crate) path: Path,
    pub(crate) port_path: Path,
}

/// Every Service that an Ingress leads to.
pub(crate) fn backends<'a>(object: &KubeObject<'a>) -> Vec<Backend<'a>> {
    let mut out = Vec::new();
    if object.kind != "Ingress" || !matches!(object.group(), "networking.k8s.io" | "extensions") {
        return out;
    }
    let spec = object.path_of(&["spec"]);
    for key in ["defaultBackend", "backend"] {
        out.extend(object.node.at(&["spec", key]).and_then(|node| backend(node, &spec.key(key))));
    }
    for (index, rule) in items(object.node, &["spec", "rules"]).enumerate() {
        for (position, path) in items(rule, &["http", "paths"]).enumerate() {
            let at = spec.key("rules").index(index).key("http").key("paths").index(position).key("backend");
            out.extend(path.at(&["backend"]).and_then(|node| backend(node, &at)));
        }
    }
    out
}

/// `service: {name, port: {name} or {number}}`, or as it was before `networking.k8s.io/v1`: `serviceName` and `servicePort`.
fn backend<'a>(node: NodeRef<'a>, path: &Path) -> Option<Backend<'a>> {
    let backend = match node.at(&["service"]) {
        Some(service) => {
            let key = if service.at(&["port", "name"]).is_some() { "name" } else { "number" };
            Backend {
                service: text(service, &["name"]).unwrap_or_default(),
                port: service.at(&["port", key]),
                path: path.key("service").key("name"),
                port_path: path.key("service").key("port").key(key),
            }
        }
        None => Backend {
            service: scalar(node.at(&["serviceName"])?).unwrap_or_default(),
            port: node.at(&["servicePort"]),
            path: path.key("serviceName"),
            port_path: path.key("servicePort"),
        },
    };
    (backend.port.and_then(scalar) != Some(ACTION_PORT)).then_some(backend)
}

/// Everything that an object needs of others.
pub(crate) fn of<'a>(object: &KubeObject<'a>) -> Vec<Reference<'a>> {
    let mut out = Vec::new();
    if let Some(pod) = object.pod() {
        pods::references(object, &pod, &mut out);
    }
    for backend in backends(object) {
        out.push(Reference::new(object, "Service", backend.service, backend.path));
    }
    if let Some(target) = scale_target(object) {
        // That there can be no such kind is a finding of `object-invalid`.
        if crate::kinds::unknown(target.api_version, target.kind).is_none() {
            out.push(Reference::new(object, target.kind, target.name, target.path.key("name")));
        }
    }
    match (object.kind, object.group()) {
        ("Ingress", "networking.k8s.io" | "extensions") => {
            named(object, &mut out, "Secret", &["spec", "tls"], "secretName");
        }
        ("ServiceAccount", "") => named(object, &mut out, "Secret", &["imagePullSecrets"], "name"),
        ("StatefulSet", "apps") => governing_service(object, &mut out),
        ("RoleBinding" | "ClusterRoleBinding", "rbac.authorization.k8s.io") => binding(object, &mut out),
        ("NetworkPolicy", "networking.k8s.io") => peers(object, &mut out),
        ("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration", "admissionregistration.k8s.io") => {
            for (index, webhook) in items(object.node, &["webhooks"]).enumerate() {
                let path = object.path_of(&["webhooks"]).index(index);
                service(object, webhook, &["clientConfig", "service"], &path, &mut out);
            }
        }
        ("APIService", "apiregistration.k8s.io") => {
            service(object, object.node, &["spec", "service"], &object.path, &mut out);
        }
        ("CustomResourceDefinition", "apiextensions.k8s.io") => {
            let at = ["spec", "conversion", "webhook", "clientConfig", "service"];
            service(object, object.node, &at, &object.path, &mut out);
        }
        (_, "gateway.networking.k8s.io") if object.kind.ends_with("Route") => routes(object, &mut out),
        _ => {}
    }
    out
}

/// The items of the list at a path of keys.
fn items<'a>(node: NodeRef<'a>, at: &[&str]) -> impl Iterator<Item = NodeRef<'a>> {
    node.at(at).into_iter().flat_map(|list| list.target().items())
}

/// The names in a list.
fn named<'a>(object: &KubeObject<'a>, out: &mut Vec<Reference<'a>>, kind: &'a str, at: &[&str], key: &str) {
    for (index, entry) in items(object.node, at).enumerate() {
        push(object, out, kind, entry, &[key], &object.path_of(at).index(index));
    }
}

fn push<'a>(
    object: &KubeObject<'a>,
    out: &mut Vec<Reference<'a>>,
    kind: &'a str,
    node: NodeRef<'a>,
    at: &[&str],
    path: &Path,
) {
    // A key without a value, as a template prints it for nothing, is the empty name.
    if let Some(name) = node.at(at) {
        let path = at.iter().fold(path.clone(), |path, step| path.key(step));
        out.push(Reference::new(object, kind, scalar(name).unwrap_or_default(), path));
    }
}

/// A name that may be `""`, which is no reference then. But where a template has printed nothing it was to print a name: a reference without one.
fn name_that_may_be_empty<'a>(node: NodeRef<'a>, at: &[&str]) -> Option<&'a str> {
    match scalar(node.at(at)?) {
        Some("") => None,
        name => Some(name.unwrap_or_default()),
    }
}

/// Pods of a StatefulSet run without the Service that gives them names, and without those names.
fn governing_service<'a>(object: &KubeObject<'a>, out: &mut Vec<Reference<'a>>) {
    if let Some(name) = name_that_may_be_empty(object.node, &["spec", "serviceName"]) {
        out.push(Reference::new(object, "Service", name, object.path_of(&["spec", "serviceName"])).warning());
    }
}

fn binding<'a>(object: &KubeObject<'a>, out: &mut Vec<Reference<'a>>) {
    if let Some(kind @ ("Role" | "ClusterRole")) = text(object.node, &["roleRef", "kind"]) {
        push(object, out, kind, object.node, &["roleRef", "name"], &object.path);
    }
    for (index, subject) in items(object.node, &["subjects"]).enumerate() {
        if text(subject, &["kind"]) == Some("ServiceAccount") {
            let path = object.path_of(&["subjects"]).index(index).key("name");
            let name = text(subject, &["name"]).unwrap_or_default();
            let reference = Reference::new(object, "ServiceAccount", name, path);
            out.push(reference.within(text(subject, &["namespace"]).filter(|namespace| !namespace.is_empty())));
        }
    }
}

/// The namespaces that a policy names. One that is not there may neither send nor be sent anything, which is less than the policy says.
fn peers<'a>(object: &KubeObject<'a>, out: &mut Vec<Reference<'a>>) {
    for (path, peer) in object.peers() {
        let Some(selector) = peer.at(&["namespaceSelector"]) else { continue };
        let path = path.key("namespaceSelector");
        if let Some(name) = text(selector, &["matchLabels", NAMESPACE_LABEL]) {
            let path = path.key("matchLabels").key(NAMESPACE_LABEL);
            out.push(Reference::new(object, "Namespace", name, path).warning());
        }
        for (at, expression) in items(selector, &["matchExpressions"]).enumerate() {
            if text(expression, &["key"]) != Some(NAMESPACE_LABEL) || text(expression, &["operator"]) != Some("In") {
                continue;
            }
            let path = path.key("matchExpressions").index(at).key("values");
            for (position, value) in items(expression, &["values"]).enumerate() {
                let name = scalar(value).unwrap_or_default();
                out.push(Reference::new(object, "Namespace", name, path.index(position)).warning());
            }
        }
    }
}

/// `{name, namespace}` of a Service at a path of keys, where there is one.
fn service<'a>(object: &KubeObject<'a>, node: NodeRef<'a>, at: &[&str], path: &Path, out: &mut Vec<Reference<'a>>) {
    let Some(service) = node.at(at) else { return };
    let path = at.iter().fold(path.clone(), |path, step| path.key(step)).key("name");
    let name = text(service, &["name"]).unwrap_or_default();
    out.push(Reference::new(object, "Service", name, path).within(text(service, &["namespace"])));
}

/// What the routes of a gateway lead to.
fn routes<'a>(object: &KubeObject<'a>, out: &mut Vec<Reference<'a>>) {
    for (index, rule) in items(object.node, &["spec", "rules"]).enumerate() {
        for (position, backend) in items(rule, &["backendRefs"]).enumerate() {
            let group = text(backend, &["group"]).unwrap_or_default();
            if !group.is_empty() || text(backend, &["kind"]).is_some_and(|kind| kind != "Service") {
                continue;
            }
            let path = object.path_of(&["spec", "rules"]).index(index).key("backendRefs").index(position);
            service(object, backend, &[], &path, out);
        }
    }
}
