//! A label whose value is another one with every release stands where it selects, or where an upgrade may change nothing.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use yamlspan::NodeRef;

use crate::kubernetes::{KubeObject, objects};
use crate::labels::changes_with_releases;
use crate::place::{Path, Place};
use crate::pods::labels_of;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct LabelUnstable;

impl Rule for LabelUnstable {
    fn id(&self) -> &'static str {
        "label-unstable"
    }

    fn summary(&self) -> &'static str {
        "a selector or a volume claim template has a label that changes with every release"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (variant, rendering) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = rendering.kubernetes() else { continue };
                for object in &objects(kubernetes) {
                    for (path, node, does, consequence) in &lasting(object) {
                        let labels = labels_of(*node);
                        let Some(label) = labels.keys().find(|label| changes_with_releases(label)) else { continue };
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Warning,
                                profile.value(variant, object.object, path.clone()),
                                format!("{} {does} by `{label}`, which changes with every release", object.title()),
                            )
                            .label(format!("rendered in profile `{}`", profile.name()))
                            .related(profile.value(variant, object.object, path.key(label)), "its value")
                            .help(format!("{consequence}: use labels that stay, such as name and instance")),
                        );
                    }
                }
            }
        }
    }
}

/// Labels that have to stay as they are: where they stand, what they are for, and what comes of it if they change.
type Lasting<'a> = (Path, NodeRef<'a>, &'static str, &'static str);

const SELECTS: &str = "selects pods";
const REFUSED: &str = "the API server lets nobody change this, so the next release cannot be installed over this one";
const DIVIDED: &str = "while a release replaces another, only the pods of one of them are selected";

fn lasting<'a>(object: &KubeObject<'a>) -> Vec<Lasting<'a>> {
    let mut out = Vec::new();
    let mut push = |node: NodeRef<'a>, path: Path, keys: &[&str], does, consequence| {
        if let Some(labels) = node.at(keys) {
            out.push((keys.iter().fold(path, |path, key| path.key(key)), labels, does, consequence));
        }
    };
    let root = object.path.clone();
    match (object.kind, object.group()) {
        ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps") => {
            push(object.node, root, &["spec", "selector", "matchLabels"], SELECTS, REFUSED);
            for (index, claim) in items(object.node, &["spec", "volumeClaimTemplates"]).enumerate() {
                let path = object.path_of(&["spec", "volumeClaimTemplates"]).index(index);
                push(claim, path, &["metadata", "labels"], "labels its claims", REFUSED);
            }
        }
        ("Service", "") => push(object.node, root, &["spec", "selector"], SELECTS, DIVIDED),
        ("PodDisruptionBudget", "policy") => {
            push(object.node, root, &["spec", "selector", "matchLabels"], SELECTS, DIVIDED);
        }
        ("NetworkPolicy", "networking.k8s.io") => {
            push(object.node, root, &["spec", "podSelector", "matchLabels"], SELECTS, DIVIDED);
            for (path, peer) in object.peers() {
                push(peer, path, &["podSelector", "matchLabels"], SELECTS, DIVIDED);
            }
        }
        _ => {}
    }
    out
}

fn items<'a>(node: NodeRef<'a>, at: &[&str]) -> impl Iterator<Item = NodeRef<'a>> {
    node.at(at).into_iter().flat_map(|list| list.target().items())
}
