//! Numbers and amounts.

use findings::Severity;
use yamlspan::{Kind, NodeRef, Scalar};

use super::{Wrong, is_left_open, items};
use crate::kubernetes::{Pod, scalar};
use crate::place::Path;
use crate::quantity::{self, Quantity};

/// Whole numbers that a pod says of itself.
const OF_PODS: [&str; 3] = ["activeDeadlineSeconds", "priority", "terminationGracePeriodSeconds"];

/// Users and groups, of a pod or a container.
const OF_SECURITY: [&str; 3] = ["fsGroup", "runAsGroup", "runAsUser"];

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

const OF_PROBES: [&str; 5] =
    ["failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds"];

/// Volumes of files that have a mode.
const WITH_MODE: [&str; 4] = ["configMap", "downwardAPI", "projected", "secret"];

impl<'a> Wrong<'_, '_, 'a> {
    /// Whole numbers of what is no pod.
    pub(super) fn numbers_of_object(&mut self) {
        let object = self.object;
        let job: &[&str] =
            &["activeDeadlineSeconds", "backoffLimit", "completions", "parallelism", "ttlSecondsAfterFinished"];
        let keys: &[&str] = match (object.kind, object.group()) {
            ("Deployment", "apps" | "extensions") => {
                &["minReadySeconds", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit"]
            }
            ("StatefulSet", "apps") => &["minReadySeconds", "replicas", "revisionHistoryLimit"],
            ("DaemonSet", "apps" | "extensions") => &["minReadySeconds", "revisionHistoryLimit"],
            ("ReplicaSet", "apps" | "extensions") | ("ReplicationController", "") => &["minReadySeconds", "replicas"],
            ("HorizontalPodAutoscaler", "autoscaling") => &["maxReplicas", "minReplicas"],
            ("CronJob", "batch") => &["failedJobsHistoryLimit", "startingDeadlineSeconds", "successfulJobsHistoryLimit"],
            ("Job", "batch") => job,
            _ => return,
        };
        let title = || object.title();
        if let Some(spec) = object.node.at(&["spec"]) {
            self.are_whole(spec, keys, || object.path_of(&["spec"]), title);
        }
        match object.kind {
            "CronJob" => {
                let at = ["spec", "jobTemplate", "spec"];
                if let Some(spec) = object.node.at(&at) {
                    self.are_whole(spec, job, || object.path_of(&at), title);
                }
            }
            "HorizontalPodAutoscaler" => self.bounds(),
            _ => {}
        }
    }

    /// An autoscaler's least number of pods, and its greatest.
    fn bounds(&mut self) {
        let object = self.object;
        let number = |key: &str| match object.node.at(&["spec", key])?.target().value() {
            Scalar::Int(number) => Some(number),
            _ => None,
        };
        let (least, most) = (number("minReplicas"), number("maxReplicas"));
        let path = |key: &str| object.path_of(&["spec", key]);
        let Some(most) = most else {
            if let Some(spec) = object.node.at(&["spec"])
                && spec.target().get("maxReplicas").is_none_or(is_null)
            {
                let message = format!("{} has no `maxReplicas`", object.title());
                self.push(object.path_of(&["spec"]), message, "write the greatest number of pods");
            }
            return;
        };
        if most < 1 {
            let message = format!("`maxReplicas` of {} is {most}", object.title());
            self.push(path("maxReplicas"), message, "write a number from 1 on, or remove the autoscaler");
        } else if let Some(least) = least.filter(|least| *least > most) {
            let message = format!("`maxReplicas` of {} is {most}, less than its `minReplicas` of {least}", object.title());
            let help = "raise `maxReplicas`, or lower `minReplicas`";
            let other = self.profile.value(self.variant, object.object, path("minReplicas"));
            let finding = self.finding(Severity::Error, path("maxReplicas"), message, help);
            self.out.push(finding.related(other, "more than the greatest number"));
        }
    }

    pub(super) fn numbers_of_pod(&mut self, pod: &Pod<'a>) {
        let object = self.object;
        let title = || object.title();
        self.are_whole(pod.spec, &OF_PODS, || pod.spec_path.clone(), title);
        if let Some(security) = pod.spec.target().get("securityContext") {
            self.are_whole(security, &OF_SECURITY, || pod.spec_path.key("securityContext"), title);
        }
        for (path, volume) in pod.volumes() {
            for (key, source) in volume.target().entries() {
                if WITH_MODE.contains(&key.raw()) {
                    self.are_whole(source, &["defaultMode"], || path.key(key.raw()), title);
                } else if key.raw() == "emptyDir"
                    && let Some(limit) = source.target().get("sizeLimit")
                {
                    let path = || path.key("emptyDir").key("sizeLimit");
                    self.quantity(limit, path, || format!("`sizeLimit` of a volume of {}", object.title()));
                }
            }
        }
    }

    pub(super) fn numbers_of_container(&mut self, container: NodeRef<'a>, path: &Path, user: &str) {
        for (key, value) in container.entries() {
            match key.raw() {
                "securityContext" => {
                    self.are_whole(value, &OF_SECURITY[1..], || path.key("securityContext"), || user.to_owned());
                }
                key if PROBES.contains(&key) => {
                    self.are_whole(value, &OF_PROBES, || path.key(key), || format!("`{key}` of {user}"));
                }
                _ => {}
            }
        }
        for (index, port) in items(container, "ports").enumerate() {
            self.are_whole(port, &["hostPort"], || path.key("ports").index(index), || user.to_owned());
        }
    }

    /// All of these keys have whole numbers, as far as they have anything.
    pub(super) fn are_whole(
        &mut self,
        node: NodeRef<'a>,
        keys: &[&str],
        path: impl Fn() -> Path,
        of: impl Fn() -> String,
    ) {
        for (key, value) in node.target().entries() {
            let key = key.raw();
            if !keys.contains(&key) || is_whole(value.target()) || scalar(value).is_some_and(is_left_open) {
                continue;
            }
            let help = match scalar(value).is_some_and(|text| text.parse::<i64>().is_ok()) {
                true => "write it without quotes, and print it without `| quote`: a number in quotes is a text",
                false => "write a whole number",
            };
            self.push(path().key(key), format!("`{key}` of {} is no whole number", of()), help);
        }
    }

    /// What is asked of storage.
    pub(super) fn claims(&mut self) {
        let object = self.object;
        let at = ["spec", "resources"];
        match (object.kind, object.group()) {
            ("PersistentVolumeClaim", "") => {
                if let Some(resources) = object.node.at(&at) {
                    self.amounts(resources, "requests", &object.path_of(&at), &object.title());
                }
            }
            ("StatefulSet", "apps") => {
                let Some(claims) = object.node.at(&["spec", "volumeClaimTemplates"]) else { return };
                for (index, claim) in claims.target().items().enumerate() {
                    let Some(resources) = claim.at(&at) else { continue };
                    let path = object.path_of(&["spec", "volumeClaimTemplates"]).index(index);
                    let user = format!("a claim of {}", object.title());
                    self.amounts(resources, "requests", &path.key("spec").key("resources"), &user);
                }
            }
            _ => {}
        }
    }

    /// What a container asks for, and what it may have at most.
    pub(super) fn resources(&mut self, resources: NodeRef<'a>, path: &Path, user: &str) {
        let limits: Vec<(&str, &str, Option<Quantity>)> = self.amounts(resources, "limits", path, user);
        for (name, text, requested) in self.amounts(resources, "requests", path, user) {
            let Some(Quantity::Known(requested)) = requested else { continue };
            let Some((_, limit_text, Some(Quantity::Known(limit)))) = limits.iter().find(|(known, ..)| *known == name)
            else {
                continue;
            };
            if requested > *limit {
                let message = format!("{user} requests `{text}` of `{name}`, and its limit is `{limit_text}`");
                let other = path.key("limits").key(name);
                let other = self.profile.value(self.variant, self.object.object, other);
                let help = "raise the limit, or lower the request";
                let finding = self.finding(Severity::Error, path.key("requests").key(name), message, help);
                self.out.push(finding.related(other, "the limit"));
            }
        }
    }

    /// The amounts under a key of `resources`, as far as they are any.
    fn amounts(
        &mut self,
        resources: NodeRef<'a>,
        key: &str,
        path: &Path,
        user: &str,
    ) -> Vec<(&'a str, &'a str, Option<Quantity>)> {
        let mut out = Vec::new();
        for (name, value) in resources.target().get(key).into_iter().flat_map(|list| list.target().entries()) {
            let path = || path.key(key).key(name.raw());
            self.quantity(value, path, || format!("`{}` under `{key}` of {user}", name.raw()));
            out.push((name.raw(), scalar(value).unwrap_or_default(), amount(value.target())));
        }
        out
    }

    fn quantity(&mut self, value: NodeRef<'a>, path: impl Fn() -> Path, what: impl Fn() -> String) {
        let value = value.target();
        let is_none = match (value.kind(), value.value()) {
            (Kind::Scalar, Scalar::Null | Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => false,
            (Kind::Scalar, _) => quantity::parse(value.raw()).is_none() && !is_left_open(value.raw()),
            _ => true,
        };
        if is_none {
            let help = match scalar(value).and_then(quantity::meant) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write a number, and one of `m`, `k`, `M`, `G`, `Ki`, `Mi`, `Gi` behind it, as in `500m` or `128Mi`"
                    .to_owned(),
            };
            self.push(path(), format!("{} is no quantity", what()), &help);
        }
    }
}

/// A number of YAML may be written in ways that amounts are not, and becomes one in JSON.
fn amount(value: NodeRef<'_>) -> Option<Quantity> {
    if value.kind() != Kind::Scalar {
        return None;
    }
    match value.value() {
        Scalar::Str => quantity::parse(value.raw()),
        Scalar::Int(number) => quantity::parse(&number.to_string()),
        Scalar::Uint(number) => quantity::parse(&number.to_string()),
        Scalar::Float(number) => quantity::parse(&number.to_string()),
        _ => None,
    }
}

fn is_null(value: NodeRef<'_>) -> bool {
    value.target().kind() == Kind::Scalar && matches!(value.target().value(), Scalar::Null)
}

/// Nothing counts: then the default holds. What is as large as a whole number is one for the API server, even as `2.0`.
fn is_whole(value: NodeRef<'_>) -> bool {
    value.kind() == Kind::Scalar
        && match value.value() {
            Scalar::Null | Scalar::Int(_) | Scalar::Uint(_) => true,
            Scalar::Float(number) => number.fract() == 0.0,
            _ => false,
        }
}
