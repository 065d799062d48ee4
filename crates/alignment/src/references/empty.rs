//! Names that are written as `""`: no references to Kubernetes, which takes its defaults then, and meant so in many charts.
//!
//! But where something is rendered beside it that such a name would name (an account that nothing else uses, a Service of the same pods), a value
//! was lost.

use std::collections::BTreeSet;

use super::{Reference, identity};
use crate::kubernetes::{KubeObject, scalar, text};
use crate::pods::{carries, labels_of};

/// References that an object leaves empty though there is something for them. `used`: what references lead to, but for those of role bindings.
pub(crate) fn left_empty<'a>(
    object: &KubeObject<'a>,
    objects: &[KubeObject<'a>],
    used: &BTreeSet<(&str, &str, &str)>,
) -> Vec<Reference<'a>> {
    let mut out = Vec::new();
    let mut here = objects.iter().filter(|other| other.namespace == object.namespace);
    let Some(pod) = object.pod() else { return out };
    if pod.spec.at(&["serviceAccountName"]).and_then(scalar) == Some("")
        && here.clone().any(|other| other.kind == "ServiceAccount" && !used.contains(&identity(other)))
    {
        let path = pod.spec_path.key("serviceAccountName");
        out.push(Reference::new(object, "ServiceAccount", "", path).warning());
    }
    if object.kind == "StatefulSet" && text(object.node, &["spec", "serviceName"]) == Some("") {
        let labels = pod.metadata.and_then(|metadata| metadata.at(&["labels"])).map(labels_of).unwrap_or_default();
        let names_these = |other: &KubeObject<'_>| {
            let wanted = other.node.at(&["spec", "selector"]).map(labels_of).unwrap_or_default();
            other.kind == "Service" && !wanted.is_empty() && carries(&labels, &wanted)
        };
        if here.any(names_these) {
            out.push(Reference::new(object, "Service", "", object.path_of(&["spec", "serviceName"])).warning());
        }
    }
    out
}

/// The account of the name that a workload has itself, where it names none and nothing uses that one: it runs as `default`, which has no rights.
pub(crate) fn left_out<'o, 'a>(
    object: &KubeObject<'a>,
    objects: &'o [KubeObject<'a>],
    rendered: &BTreeSet<(&str, &str, &str)>,
    used: &BTreeSet<(&str, &str, &str)>,
) -> Option<&'o KubeObject<'a>> {
    let pod = object.pod().filter(|_| object.kind != "Pod" && !object.hook)?;
    let names_one = ["serviceAccountName", "serviceAccount"].iter().any(|key| pod.spec.target().get(key).is_some());
    let identity_of_own = ("ServiceAccount", object.namespace, object.name);
    if names_one || !rendered.contains(&identity_of_own) || used.contains(&identity_of_own) {
        return None;
    }
    // With a token in a Secret it is for somebody outside.
    let has_token = |account: &KubeObject<'_>| {
        objects.iter().filter(|other| other.kind == "Secret" && other.namespace == account.namespace).any(|secret| {
            let annotations = secret.node.at(&["metadata", "annotations"]);
            annotations.and_then(|all| text(all, &["kubernetes.io/service-account.name"])) == Some(account.name)
        })
    };
    let account = objects.iter().find(|other| identity(other) == identity_of_own)?;
    (!has_token(account)).then_some(account)
}
