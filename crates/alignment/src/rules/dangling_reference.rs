//! A pod needs a ConfigMap, Secret, ServiceAccount or PersistentVolumeClaim that is neither rendered nor made elsewhere.

use std::collections::BTreeSet;

use findings::{Finding, Severity};
use release::{External, Spanned, nearest};
use yamlspan::NodeRef;

use crate::kubernetes::{KubeObject, Pod, objects, scalar, text};
use crate::place::{Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct DanglingReference;

/// One reference: kind, name, and where it stands.
pub(crate) struct Reference<'a> {
    kind: &'static str,
    pub(crate) name: &'a str,
    path: Path,
}

impl Rule for DanglingReference {
    fn id(&self) -> &'static str {
        "dangling-reference"
    }

    fn summary(&self) -> &'static str {
        "a pod needs an object that is neither rendered nor declared external"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        each_missing(survey, &mut |missing| out.push(self.finding(missing)));
    }
}

/// A reference that leads nowhere.
pub(crate) struct Missing<'s, 'a> {
    pub(crate) profile: &'s ProfileSurvey<'a>,
    variant: usize,
    object: &'s KubeObject<'a>,
    pub(crate) reference: &'s Reference<'a>,
    /// Kind, namespace and name of everything that the variant renders.
    rendered: &'s BTreeSet<(&'a str, &'a str, &'a str)>,
    /// The list under `external` that would declare it.
    pub(crate) key: &'static str,
}

/// Every reference that leads nowhere.
pub(crate) fn each_missing(survey: &Survey<'_>, report: &mut dyn FnMut(&Missing<'_, '_>)) {
    for profile in &survey.profiles {
        let external = &profile.profile.declared.external;
        for (variant, rendering) in profile.profile.variants.iter().enumerate() {
            let Some(kubernetes) = rendering.kubernetes() else { continue };
            let objects = objects(kubernetes);
            let rendered: BTreeSet<(&str, &str, &str)> =
                objects.iter().map(|object| (object.kind, object.namespace, object.name)).collect();
            for object in &objects {
                for reference in &references(object) {
                    let (key, declared) = declared(external, reference.kind);
                    let known = rendered.contains(&(reference.kind, object.namespace, reference.name))
                        || is_built_in(reference)
                        || declared.iter().any(|declared| declared.value == reference.name);
                    // The empty name of a ServiceAccount is that of `default`.
                    if !known && (!reference.name.is_empty() || reference.kind != "ServiceAccount") {
                        report(&Missing { profile, variant, object, reference, rendered: &rendered, key });
                    }
                }
            }
        }
    }
}

/// What the cluster makes in every namespace.
fn is_built_in(reference: &Reference<'_>) -> bool {
    matches!((reference.kind, reference.name), ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt"))
}

impl DanglingReference {
    fn finding(&self, missing: &Missing<'_, '_>) -> Finding<Place> {
        let Missing { profile, variant, object, reference, rendered, key } = missing;
        let name = reference.name;
        if name.is_empty() {
            let message = format!("profile `{}` needs a {} without a name", profile.name(), reference.kind);
            let place = profile.value(*variant, object.object, reference.path.clone());
            return Finding::new(self.id(), Severity::Error, place, message)
                .label(format!("needed by {}", object.title()))
                .help("write the name, or remove the reference");
        }
        let same_kind = rendered.iter().filter(|(kind, ..)| *kind == reference.kind).map(|(_, _, name)| *name);
        let help = match nearest(name, same_kind) {
            Some(near) => format!("did you mean `{near}`? If `{name}` is made elsewhere, list it under `external.{key}`"),
            None => format!(
                "render it, or list `{name}` under `external.{key}` of profile `{}` if it is made elsewhere",
                profile.name()
            ),
        };
        Finding::new(
            self.id(),
            Severity::Error,
            profile.value(*variant, object.object, reference.path.clone()),
            // Without the object: a name that many pods take from one value is one finding.
            format!("profile `{}` needs {} `{name}`, which nothing makes", profile.name(), reference.kind),
        )
        .label(format!("needed by {}", object.title()))
        .help(help)
    }
}

fn declared<'a>(external: &'a External, kind: &str) -> (&'static str, &'a [Spanned<String>]) {
    match kind {
        "ConfigMap" => ("config_maps", &external.config_maps),
        "Secret" => ("secrets", &external.secrets),
        "ServiceAccount" => ("service_accounts", &external.service_accounts),
        _ => ("volume_claims", &external.volume_claims),
    }
}

fn references<'a>(object: &KubeObject<'a>) -> Vec<Reference<'a>> {
    let mut out = Vec::new();
    if let Some(pod) = object.pod() {
        pod_references(&pod, &mut out);
    }
    if object.kind == "Ingress"
        && let Some(tls) = object.node.at(&["spec", "tls"])
    {
        for (index, entry) in tls.target().items().enumerate() {
            let path = object.path_of(&["spec", "tls"]).index(index);
            push(&mut out, "Secret", entry, &["secretName"], &path);
        }
    }
    if object.kind == "ServiceAccount"
        && let Some(secrets) = object.node.at(&["imagePullSecrets"])
    {
        for (index, entry) in secrets.target().items().enumerate() {
            let path = object.path_of(&["imagePullSecrets"]).index(index);
            push(&mut out, "Secret", entry, &["name"], &path);
        }
    }
    out
}

fn pod_references<'a>(pod: &Pod<'a>, out: &mut Vec<Reference<'a>>) {
    push(out, "ServiceAccount", pod.spec, &["serviceAccountName"], &pod.spec_path);
    if let Some(secrets) = pod.spec.at(&["imagePullSecrets"]) {
        for (index, entry) in secrets.target().items().enumerate() {
            push(out, "Secret", entry, &["name"], &pod.spec_path.key("imagePullSecrets").index(index));
        }
    }
    for (path, volume) in pod.volumes() {
        optional(out, "ConfigMap", volume, &["configMap"], "name", &path);
        optional(out, "Secret", volume, &["secret"], "secretName", &path);
        optional(out, "PersistentVolumeClaim", volume, &["persistentVolumeClaim"], "claimName", &path);
        if let Some(sources) = volume.at(&["projected", "sources"]) {
            let path = path.key("projected").key("sources");
            for (index, source) in sources.target().items().enumerate() {
                let path = path.index(index);
                optional(out, "ConfigMap", source, &["configMap"], "name", &path);
                optional(out, "Secret", source, &["secret"], "name", &path);
            }
        }
    }
    for (_, path, container) in pod.containers() {
        for (index, entry) in container.at(&["env"]).into_iter().flat_map(|env| env.target().items()).enumerate() {
            let path = path.key("env").index(index);
            optional(out, "ConfigMap", entry, &["valueFrom", "configMapKeyRef"], "name", &path);
            optional(out, "Secret", entry, &["valueFrom", "secretKeyRef"], "name", &path);
        }
        let sources = container.at(&["envFrom"]).into_iter().flat_map(|sources| sources.target().items());
        for (index, source) in sources.enumerate() {
            let path = path.key("envFrom").index(index);
            optional(out, "ConfigMap", source, &["configMapRef"], "name", &path);
            optional(out, "Secret", source, &["secretRef"], "name", &path);
        }
    }
}

/// A reference under `at` that may say `optional: true`.
fn optional<'a>(
    out: &mut Vec<Reference<'a>>,
    kind: &'static str,
    node: NodeRef<'a>,
    at: &[&str],
    key: &str,
    path: &Path,
) {
    let Some(inner) = node.at(at) else { return };
    if text(inner, &["optional"]) == Some("true") {
        return;
    }
    let path = at.iter().fold(path.clone(), |path, step| path.key(step));
    if inner.target().get(key).is_none() {
        out.push(Reference { kind, name: "", path });
        return;
    }
    push(out, kind, inner, &[key], &path);
}

fn push<'a>(out: &mut Vec<Reference<'a>>, kind: &'static str, node: NodeRef<'a>, at: &[&str], path: &Path) {
    // A key without a value, as a template prints it for nothing, is the empty name.
    if let Some(name) = node.at(at) {
        let path = at.iter().fold(path.clone(), |path, step| path.key(step));
        out.push(Reference { kind, name: scalar(name).unwrap_or_default(), path });
    }
}
