//! A selector that selects nothing, or not the pods of its own workload.

mod meant;

use std::ops::RangeInclusive;

use crate::kubernetes::{KubeObject, objects, scalar, text};
use crate::place::{Path, Place};
use crate::pods::{self, Known, Labels, Pods, labels_of, selects, selects_everything};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};
use findings::{Finding, Severity};
use release::ProfileSource;

use meant::{Meant, Missed};

pub(super) struct SelectorMismatch;

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
                let pods = Pods::of(&objects);
                let meant = Meant::of(&objects, &pods);
                for object in &objects {
                    match (object.kind, object.group()) {
                        ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps") => {
                            self.own_pods(profile, index, object, out);
                        }
                        ("Service", "") => self.service(profile, index, object, &objects, (&pods, &meant), out),
                        ("PodDisruptionBudget", "policy") => {
                            self.some_pods(profile, index, object, ("selector", &objects), &pods, out);
                        }
                        ("NetworkPolicy", "networking.k8s.io") => {
                            self.some_pods(profile, index, object, ("podSelector", &objects), &pods, out);
                        }
                        ("PodMonitor", "monitoring.coreos.com") if looks_here(object) && !pods.others => {
                            self.some_pods(profile, index, object, ("selector", &objects), &pods, out);
                        }
                        ("ServiceMonitor", "monitoring.coreos.com") if looks_here(object) && !pods.others => {
                            self.some_service(profile, index, object, &objects, out);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
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

    fn service<'a>(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'a>,
        objects: &[KubeObject<'a>],
        (pods, meant): (&Pods<'a>, &Meant<'_, '_, 'a>),
        out: &mut Vec<Finding<Place>>,
    ) {
        let external = text(object.node, &["spec", "type"]) == Some("ExternalName");
        let Some(selector) = object.node.at(&["spec", "selector"]).filter(|_| !external) else { return };
        let wanted = labels_of(selector);
        // Without a selector the endpoints are made elsewhere.
        if wanted.is_empty() {
            return;
        }
        let selected = pods.carrying(object.namespace, &wanted);
        if !selected.is_empty() {
            if let Some(missed) = meant.missed(object, &wanted, &selected) {
                out.push(self.other_pods(profile, variant, object, (&wanted, &selected, objects), &missed));
            }
            return;
        }
        let severity = if pods.others { Severity::Warning } else { Severity::Error };
        if let Some(owner) = pods.elsewhere(objects, object.namespace, |labels| pods::carries(labels, &wanted)) {
            out.push(self.in_another_namespace(profile, variant, object, "pod", owner, severity));
            return;
        }
        let path = object.path_of(&["spec", "selector"]);
        let path = pods.odd_one(object.namespace, &wanted).map_or_else(|| path.clone(), |key| path.key(key));
        let finding = self.nothing(profile, variant, object, "pod", path, severity);
        out.push(with_nearest(finding, (profile, variant), object, (pods, objects), &wanted));
    }

    /// A Service leads to pods, and not to those that it is for.
    fn other_pods(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        (wanted, selected, objects): (&Labels<'_>, &[&Known<'_>], &[KubeObject<'_>]),
        missed: &Missed<'_, '_, '_>,
    ) -> Finding<Place> {
        let path = object.path_of(&["spec", "selector"]);
        let other = wanted.iter().find(|(key, value)| missed.pod.labels.get(*key) != Some(*value)).map(|(key, _)| *key);
        let path = other.map_or_else(|| path.clone(), |key| path.key(key));
        let others = selected.first().and_then(|pod| objects.get(pod.owner)).map(KubeObject::title).unwrap_or_default();
        let owner = missed.owner;
        let message = format!("{} selects the pods of {others}, and not those of {}", object.title(), owner.title());
        let labels = owner.pod().and_then(|pod| pod.labels_path()).unwrap_or_else(|| owner.path_of(&["metadata", "name"]));
        let labels = match other.filter(|key| missed.pod.labels.contains_key(*key)) {
            Some(key) => labels.key(key),
            None => labels,
        };
        let selector = profile.value(variant, object.object, path);
        let finding = |at: Place| Finding::new(self.id(), Severity::Warning, at, message);
        let finding = match missed.port {
            // The port may be what is wrong as well as the selector.
            Some((index, key)) => {
                let port = object.path_of(&["spec", "ports"]).index(index).key(key);
                finding(profile.value(variant, object.object, port))
                    .label(format!("{others} does not list it"))
                    .related(selector, "whom it selects")
                    .help("use the labels of the pods that it is for, or a port of those that it selects")
            }
            None => finding(selector)
                .label(format!("rendered in profile `{}`", profile.name()))
                .help("use the labels of the pods that it is for"),
        };
        finding.related(profile.value(variant, owner.object, labels), missed.why.clone())
    }

    fn some_pods(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        (key, objects): (&str, &[KubeObject<'_>]),
        pods: &Pods<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let Some(selector) = object.node.at(&["spec", key]) else { return };
        // The empty selector means all pods, also those that are made elsewhere.
        if selector.target().entries().next().is_none() {
            return;
        }
        if !pods.selected(object.namespace, selector).is_empty() {
            return;
        }
        if let Some(owner) = pods.elsewhere(objects, object.namespace, |labels| selects(selector, labels)) {
            out.push(self.in_another_namespace(profile, variant, object, "pod", owner, Severity::Warning));
            return;
        }
        let wanted = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
        let path = object.path_of(&["spec", key]);
        let path = match pods.odd_one(object.namespace, &wanted) {
            Some(label) => path.key("matchLabels").key(label),
            None => path,
        };
        let finding = self.nothing(profile, variant, object, "pod", path, Severity::Warning);
        out.push(with_nearest(finding, (profile, variant), object, (pods, objects), &wanted));
    }

    /// Prometheus asks the pods behind a Service by the labels of the Service.
    fn some_service(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        objects: &[KubeObject<'_>],
        out: &mut Vec<Finding<Place>>,
    ) {
        let Some(selector) = object.node.at(&["spec", "selector"]).filter(|selector| !selects_everything(*selector))
        else {
            return;
        };
        if pods::services(objects, object.namespace, selector).next().is_none() {
            if let Some(other) = pods::service_elsewhere(objects, object.namespace, selector) {
                out.push(self.in_another_namespace(profile, variant, object, "Service", other, Severity::Warning));
                return;
            }
            let path = object.path_of(&["spec", "selector"]);
            out.push(self.nothing(profile, variant, object, "Service", path, Severity::Warning));
        }
    }

    /// The labels are right, and `owner` of what carries them is in another namespace, into which no selector looks.
    fn in_another_namespace(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        what: &str,
        owner: &KubeObject<'_>,
        severity: Severity,
    ) -> Finding<Place> {
        let (here, there) = (object.namespace, owner.namespace);
        let place = |of: &KubeObject<'_>, at: &[&str]| profile.value(variant, of.object, of.path_of(at));
        let own = |of: &KubeObject<'_>| text(of.node, &["metadata", "namespace"]).is_some_and(|own| !own.is_empty());
        let (at, related, label, written): (&[&str], _, _, _) = match (own(object), own(owner)) {
            (true, false) => {
                let label = format!("{} names no namespace: it goes into that of the profile, `{there}`", owner.title());
                (&["metadata", "namespace"], place(owner, &["metadata", "name"]), label, Some(here))
            }
            (false, true) => {
                let related = place(owner, &["metadata", "namespace"]);
                (&["metadata", "name"], related, format!("the namespace of {}", owner.title()), Some(there))
            }
            _ => {
                let related = place(owner, &["metadata", "namespace"]);
                (&["metadata", "namespace"], related, format!("the namespace of {}", owner.title()), None)
            }
        };
        let is_chart = matches!(profile.profile.declared.source, ProfileSource::Helm(_));
        let help = match written.filter(|_| is_chart) {
            Some(written) => format!(
                "write `namespace: {written}` for profile `{}` in `collimate.yaml` if it is installed there; otherwise remove it from {}",
                profile.name(),
                if own(object) { object.title() } else { owner.title() }
            ),
            None => "write the same namespace for both".to_owned(),
        };
        let message = format!(
            "{} in namespace `{here}` selects no {what} of profile `{}`: those with its labels are in `{there}`",
            object.title(),
            profile.name()
        );
        Finding::new(self.id(), severity, place(object, at), message)
            .label(format!("in namespace `{here}`"))
            .related(related, label)
            .help(help)
    }

    fn nothing(
        &self,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        object: &KubeObject<'_>,
        what: &str,
        at: Path,
        severity: Severity,
    ) -> Finding<Place> {
        Finding::new(
            self.id(),
            severity,
            profile.value(variant, object.object, at),
            format!("{} selects no {what} of profile `{}`", object.title(), profile.name()),
        )
        .label("matches nothing that is rendered")
        .help(format!("use the labels of the {what}s that it is for"))
    }
}

/// So many labels are read at a glance.
const MOST_LISTED: usize = 3;

/// Shows the pods that a selector comes nearest to: it may be their labels that are wrong.
fn with_nearest(
    finding: Finding<Place>,
    (profile, variant): (&ProfileSurvey<'_>, usize),
    object: &KubeObject<'_>,
    (pods, objects): (&Pods<'_>, &[KubeObject<'_>]),
    wanted: &Labels<'_>,
) -> Finding<Place> {
    let Some((pod, owner)) = pods.nearest(objects, object.namespace, wanted) else { return finding };
    let Some(labels) = owner.pod().and_then(|pod| pod.labels_path()) else { return finding };
    let lacking: Vec<&str> = wanted.iter().filter(|(key, value)| pod.labels.get(*key) != Some(*value)).map(|(key, _)| *key).collect();
    let other = lacking.iter().find(|key| pod.labels.contains_key(**key));
    let (path, label) = match other {
        Some(key) => (labels.key(key), format!("the pods of {} carry this one", owner.title())),
        None => {
            let more = if lacking.len() > MOST_LISTED { ", …" } else { "" };
            let listed = lacking.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join("`, `");
            (labels, format!("the pods of {} lack `{listed}`{more}", owner.title()))
        }
    };
    finding.related(profile.value(variant, owner.object, path), label)
}

/// Whether a monitor looks into its own namespace and into no other.
fn looks_here(object: &KubeObject<'_>) -> bool {
    let Some(namespaces) = object.node.at(&["spec", "namespaceSelector"]) else { return true };
    let names: Vec<&str> = match namespaces.at(&["matchNames"]) {
        Some(names) => names.target().items().filter_map(scalar).collect(),
        None => Vec::new(),
    };
    text(namespaces, &["any"]) != Some("true") && names.iter().all(|name| *name == object.namespace)
}
