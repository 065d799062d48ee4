//! A rendered value is no string where Kubernetes takes only strings.

use findings::{Finding, Severity};
use yamlspan::{Kind, NodeRef, Scalar};

use crate::kubernetes::{KubeObject, objects};
use crate::place::{Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct ConfigValueNotString;

impl Rule for ConfigValueNotString {
    fn id(&self) -> &'static str {
        "config-value-not-string"
    }

    fn summary(&self) -> &'static str {
        "a value is no string where Kubernetes takes only strings"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = variant.kubernetes() else { continue };
                for object in objects(kubernetes) {
                    for (path, map) in string_maps(&object) {
                        for (key, value) in map.target().entries() {
                            self.value(profile, index, &object, || path.key(key.raw()), value, out);
                        }
                    }
                    let Some(pod) = object.pod() else { continue };
                    for (_, path, container) in pod.containers() {
                        let Some(env) = container.target().get("env") else { continue };
                        for (position, entry) in env.target().items().enumerate() {
                            if let Some(value) = entry.target().get("value") {
                                let path = || path.key("env").index(position).key("value");
                                self.value(profile, index, &object, path, value, out);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Every mapping of an object whose values must be strings.
fn string_maps<'a>(object: &KubeObject<'a>) -> Vec<(Path, NodeRef<'a>)> {
    let mut out: Vec<(Path, NodeRef<'a>)> = Vec::new();
    let mut push = |path: Path, node: Option<NodeRef<'a>>| {
        if let Some(node) = node.filter(|node| node.target().kind() == Kind::Mapping) {
            out.push((path, node));
        }
    };
    match (object.kind, object.group()) {
        ("ConfigMap", "") => {
            for key in ["data", "binaryData"] {
                push(object.path_of(&[key]), object.node.at(&[key]));
            }
        }
        ("Secret", "") => {
            for key in ["data", "stringData"] {
                push(object.path_of(&[key]), object.node.at(&[key]));
            }
        }
        ("Service" | "ReplicationController", "") => {
            push(object.path_of(&["spec", "selector"]), object.node.at(&["spec", "selector"]));
        }
        ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps" | "extensions") => {
            let keys = &["spec", "selector", "matchLabels"];
            push(object.path_of(keys), object.node.at(keys));
        }
        ("NetworkPolicy", "networking.k8s.io" | "extensions") => {
            let keys = &["spec", "podSelector", "matchLabels"];
            push(object.path_of(keys), object.node.at(keys));
            for (path, peer) in object.peers() {
                for key in ["podSelector", "namespaceSelector"] {
                    push(path.key(key).key("matchLabels"), peer.at(&[key, "matchLabels"]));
                }
            }
        }
        _ => {}
    }
    for key in ["labels", "annotations"] {
        push(object.path_of(&["metadata", key]), object.node.at(&["metadata", key]));
    }
    if let Some(pod) = object.pod() {
        push(pod.spec_path.key("nodeSelector"), pod.spec.at(&["nodeSelector"]));
        if let (Some(metadata), Some((_, template))) = (pod.metadata, pod.spec_path.0.split_last()) {
            for key in ["labels", "annotations"] {
                push(Path(template.to_vec()).key("metadata").key(key), metadata.at(&[key]));
            }
        }
    }
    out
}

impl ConfigValueNotString {
    fn value(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        path: impl Fn() -> Path,
        value: NodeRef<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let value = value.target();
        let what = match (value.kind(), value.value()) {
            (Kind::Mapping, _) => "a mapping".to_owned(),
            (Kind::Sequence, _) => "a list".to_owned(),
            // Null is as if the key were absent.
            (_, Scalar::Null | Scalar::Str | Scalar::Timestamp(_) | Scalar::Binary | Scalar::Merge) => return,
            (_, Scalar::Bool(_)) => format!("the boolean `{}`", value.raw()),
            (_, Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => format!("the number `{}`", value.raw()),
        };
        let path = path();
        out.push(
            Finding::new(
                self.id(),
                Severity::Error,
                profile.value(variant, object.object, path.clone()),
                format!("`{path}` of {} is {what}; Kubernetes takes only a string there", object.title()),
            )
            .label(format!("rendered in profile `{}`", profile.name()))
            .help("quote it: in a template with `| quote`, in a manifest with `\"…\"`"),
        );
    }
}
