//! A selector that selects nothing, or not the pods of its own workload.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::nearest;
use yamlspan::{NodeRef, Scalar};

use crate::kubernetes::{KubeObject, Pod, objects, scalar, text};
use crate::operators;
use crate::place::{Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct SelectorMismatch;

type Labels<'a> = BTreeMap<&'a str, &'a str>;

/// The pods of a rendering. Looked up by label: a profile may have a thousand Services and as many pods.
#[derive(Default)]
struct Pods<'a> {
    all: Vec<(&'a str, Labels<'a>)>,
    /// The names of the ports of each pod's containers.
    ports: Vec<Vec<&'a str>>,
    by_label: BTreeMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    /// Whether there may be more of them while it runs.
    others: bool,
}

impl<'a> Pods<'a> {
    fn push(&mut self, namespace: &'a str, labels: Labels<'a>, ports: Vec<&'a str>) {
        let index = self.all.len();
        for (key, value) in &labels {
            self.by_label.entry((namespace, key, value)).or_default().push(index);
        }
        self.all.push((namespace, labels));
        self.ports.push(ports);
    }

    /// The indices of the pods of a namespace that carry all of `wanted`.
    fn carrying(&self, namespace: &str, wanted: &Labels<'_>) -> Vec<usize> {
        let rarest = wanted
            .iter()
            .map(|(key, value)| self.by_label.get(&(namespace, *key, *value)).map_or(&[][..], Vec::as_slice))
            .min_by_key(|candidates| candidates.len());
        let carries = |index: &usize| {
            let labels = self.all.get(*index).map(|(_, labels)| labels);
            labels.is_some_and(|labels| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
        };
        rarest.unwrap_or_default().iter().copied().filter(carries).collect()
    }

    /// The label of a selector that no pod carries together with all the others: what is wrong, if it is one label.
    fn odd_one(&self, namespace: &str, wanted: &Labels<'a>) -> Option<&'a str> {
        let mut odd = wanted.keys().copied().filter(|key| {
            let mut others = wanted.clone();
            others.remove(key);
            if others.is_empty() { wanted.len() == 1 } else { !self.carrying(namespace, &others).is_empty() }
        });
        odd.next().filter(|_| odd.next().is_none())
    }

    /// Whether a pod of the namespace carries all of `wanted` and is accepted by `rest`.
    fn any(&self, namespace: &str, wanted: &Labels<'_>, rest: impl Fn(&Labels<'_>) -> bool) -> bool {
        if wanted.is_empty() {
            return self.all.iter().any(|(of, labels)| *of == namespace && rest(labels));
        }
        let carrying = self.carrying(namespace, wanted);
        carrying.iter().filter_map(|index| self.all.get(*index)).any(|(_, labels)| rest(labels))
    }
}

impl Rule for SelectorMismatch {
    fn id(&self) -> &'static str {
        "selector-mismatch"
    }

    fn summary(&self) -> &'static str {
        "a selector matches no pod, or not the pods of its own workload"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = variant.kubernetes() else { continue };
                let objects = objects(kubernetes);
                let mut pods = Pods { others: operators::make_pods(&objects), ..Pods::default() };
                for object in &objects {
                    let Some(pod) = object.pod() else { continue };
                    let labels = pod.metadata.and_then(|metadata| metadata.at(&["labels"]));
                    pods.push(object.namespace, labels.map(labels_of).unwrap_or_default(), port_names(&pod));
                }
                for object in &objects {
                    match (object.kind, object.group()) {
                        ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps") => {
                            self.own_pods(profile, index, object, out);
                        }
                        ("Service", "") => {
                            self.service(profile, index, object, &pods, out);
                            self.target_ports(profile, index, object, &pods, out);
                        }
                        ("PodDisruptionBudget", "policy") => {
                            self.some_pods(profile, index, object, "selector", &pods, out);
                        }
                        ("NetworkPolicy", "networking.k8s.io") => {
                            self.some_pods(profile, index, object, "podSelector", &pods, out);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

fn labels_of(node: NodeRef<'_>) -> Labels<'_> {
    let entries = node.target().entries();
    entries.map(|(key, value)| (key.raw(), scalar(value).unwrap_or_default())).collect()
}

impl SelectorMismatch {
    /// The API server refuses a workload whose selector does not match its own template.
    fn own_pods(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let selector = object.node.at(&["spec", "selector"]);
        let Some(selector) = selector.filter(|selector| !selects_everything(*selector)) else {
            let key = if selector.is_some() { "selector" } else { "template" };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    profile.value(variant, object.object, object.path_of(&["spec", key])),
                    format!("{} has no selector", object.title()),
                )
                .label(format!("rendered in profile `{}`", profile.name()))
                .help("write the labels of its pods under `selector.matchLabels`"),
            );
            return;
        };
        let pod = object.pod();
        let labels = pod.as_ref().and_then(|pod| pod.metadata).and_then(|metadata| metadata.at(&["labels"]));
        let labels = labels.map(labels_of).unwrap_or_default();
        if selects(selector, &labels) {
            return;
        }
        let selector_path = object.path_of(&["spec", "selector", "matchLabels"]);
        let wrong = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
        let wrong = wrong.into_iter().find(|(key, value)| labels.get(key) != Some(value));
        let (path, message) = match wrong {
            Some((key, value)) => (
                selector_path.key(key),
                format!("{} selects `{key}: {value}`, which its own pods do not carry", object.title()),
            ),
            None => (object.path_of(&["spec", "selector"]), format!("{} does not select its own pods", object.title())),
        };
        out.push(
            Finding::new(self.id(), Severity::Error, profile.value(variant, object.object, path), message)
                .label(format!("rendered in profile `{}`", profile.name()))
                .related(
                    profile.value(variant, object.object, object.path_of(&["spec", "template", "metadata", "labels"])),
                    "the labels of its pods",
                )
                .help("use the same labels in `selector` and in the pod template"),
        );
    }

    fn service(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        pods: &Pods<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let external = text(object.node, &["spec", "type"]) == Some("ExternalName");
        let Some(selector) = object.node.at(&["spec", "selector"]).filter(|_| !external) else { return };
        let wanted = labels_of(selector);
        // Without a selector the endpoints are made elsewhere.
        if wanted.is_empty() {
            return;
        }
        if pods.any(object.namespace, &wanted, |_| true) {
            return;
        }
        let path = object.path_of(&["spec", "selector"]);
        let path = pods.odd_one(object.namespace, &wanted).map_or_else(|| path.clone(), |key| path.key(key));
        let severity = if pods.others { Severity::Warning } else { Severity::Error };
        self.nothing(profile, variant, object, path, severity, out);
    }

    /// A Service leads to a port by the name that its pods give it.
    fn target_ports(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        pods: &Pods<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let wanted = object.node.at(&["spec", "selector"]).map(labels_of).unwrap_or_default();
        let selected = pods.carrying(object.namespace, &wanted);
        let Some(ports) = object.node.at(&["spec", "ports"]).filter(|_| !selected.is_empty()) else { return };
        let known: Vec<&str> = selected.iter().filter_map(|index| pods.ports.get(*index)).flatten().copied().collect();
        for (index, port) in ports.target().items().enumerate() {
            let Some(target) = port.target().get("targetPort").map(NodeRef::target) else { continue };
            let name = target.raw();
            // A number in quotes is no name; `object-invalid` says so.
            let is_name = target.value() == Scalar::Str && !name.bytes().all(|byte| byte.is_ascii_digit());
            if !is_name || known.contains(&name) {
                continue;
            }
            let path = object.path_of(&["spec", "ports"]).index(index).key("targetPort");
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "use the name or the number of a port of its pods".to_owned(),
            };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    profile.value(variant, object.object, path),
                    format!("{} leads to port `{name}`, which none of its pods has", object.title()),
                )
                .label(format!("rendered in profile `{}`", profile.name()))
                .help(help),
            );
        }
    }

    fn some_pods(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        key: &str,
        pods: &Pods<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let Some(selector) = object.node.at(&["spec", key]) else { return };
        // The empty selector means all pods, also those that are made elsewhere.
        if selector.target().entries().next().is_none() {
            return;
        }
        let wanted = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
        if pods.any(object.namespace, &wanted, |labels| selects(selector, labels)) {
            return;
        }
        let path = object.path_of(&["spec", key]);
        let path = match pods.odd_one(object.namespace, &wanted) {
            Some(label) => path.key("matchLabels").key(label),
            None => path,
        };
        self.nothing(profile, variant, object, path, Severity::Warning, out);
    }

    fn nothing(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        at: Path,
        severity: Severity,
        out: &mut Vec<Finding<Place>>,
    ) {
        out.push(
            Finding::new(
                self.id(),
                severity,
                profile.value(variant, object.object, at),
                format!("{} selects no pod of profile `{}`", object.title(), profile.name()),
            )
            .label("matches nothing that is rendered")
            .help("use the labels of the pods that it is for"),
        );
    }
}

/// The names of the ports of a pod's containers.
fn port_names<'a>(pod: &Pod<'a>) -> Vec<&'a str> {
    let containers = pod.containers().into_iter();
    let ports = containers.filter_map(|(_, _, container)| container.target().get("ports"));
    ports.flat_map(|ports| ports.target().items()).filter_map(|port| text(port, &["name"])).collect()
}

/// Whether a selector says nothing at all.
fn selects_everything(selector: NodeRef<'_>) -> bool {
    let says = |key: &str| {
        let part = selector.at(&[key]).map(NodeRef::target);
        part.is_some_and(|part| part.entries().next().is_some() || part.items().next().is_some())
    };
    !says("matchLabels") && !says("matchExpressions")
}

/// Whether a label selector (`matchLabels`, `matchExpressions`) selects these labels.
fn selects(selector: NodeRef<'_>, labels: &Labels<'_>) -> bool {
    let wanted = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
    if !wanted.iter().all(|(key, value)| labels.get(key) == Some(value)) {
        return false;
    }
    let Some(expressions) = selector.at(&["matchExpressions"]) else { return true };
    expressions.target().items().all(|expression| {
        let Some(key) = text(expression, &["key"]) else { return false };
        let values: Vec<&str> = match expression.at(&["values"]) {
            Some(values) => values.target().items().filter_map(scalar).collect(),
            None => Vec::new(),
        };
        let carried = labels.get(key);
        match text(expression, &["operator"]) {
            Some("In") => carried.is_some_and(|value| values.contains(value)),
            Some("NotIn") => carried.is_none_or(|value| !values.contains(value)),
            Some("Exists") => carried.is_some(),
            Some("DoesNotExist") => carried.is_none(),
            _ => false,
        }
    })
}
