//! The API server would refuse an object, whatever the cluster: something that it must have is missing or of the wrong kind.

mod bindings;
mod definitions;
mod encoded;
mod jobs;
mod numbers;
mod twice;
mod words;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use yamlspan::{Kind, NodeRef, Scalar};

use crate::fields;
use crate::kinds::{self, Unknown};
use crate::kubernetes::{KubeObject, PROBES, Pod, objects, text};
use crate::names::{self, is_dns_label, is_label_key, is_label_value, is_port_name};
use crate::place::{Path, Place};
use crate::references;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct ObjectInvalid;

/// The highest port of TCP and UDP.
const LAST_PORT: u64 = 65_535;

/// What a name that becomes a part of a host's may look like.
const DNS_LABEL: &str = "use at most 63 lower case letters, digits and `-`, with no `-` at either end";

impl Rule for ObjectInvalid {
    fn id(&self) -> &'static str {
        "object-invalid"
    }

    fn summary(&self) -> &'static str {
        "the API server would refuse an object of a profile"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (variant, rendering) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = rendering.kubernetes() else { continue };
                for object in &objects(kubernetes) {
                    let mut wrong = Wrong { rule: self.id(), profile, variant, object, out };
                    // Read by tools, and never sent to a cluster.
                    if object.group().ends_with("config.k8s.io") {
                        continue;
                    }
                    wrong.head();
                    wrong.labels();
                    wrong.scale_target();
                    wrong.numbers_of_object();
                    wrong.claims();
                    wrong.words_of_object();
                    wrong.encoded();
                    wrong.definition();
                    if let Some(pod) = object.pod() {
                        wrong.pod(&pod);
                        wrong.restart_policy(&pod);
                    }
                    if (object.kind, object.group()) == ("CronJob", "batch") {
                        wrong.schedule();
                        wrong.time_zone();
                    }
                    if object.kind == "Service" && object.group().is_empty() {
                        wrong.service();
                    }
                }
            }
        }
    }
}

/// Where what is wrong with one object goes.
struct Wrong<'w, 's, 'a> {
    rule: &'static str,
    profile: &'w ProfileSurvey<'s>,
    variant: usize,
    object: &'w KubeObject<'a>,
    out: &'w mut Vec<Finding<Place>>,
}

impl<'a> Wrong<'_, '_, 'a> {
    fn push(&mut self, path: Path, message: String, help: &str) {
        let finding = self.finding(Severity::Error, path, message, help);
        self.out.push(finding);
    }

    fn finding(&self, severity: Severity, path: Path, message: String, help: &str) -> Finding<Place> {
        let place = self.profile.value(self.variant, self.object.object, path);
        let label = format!("rendered in profile `{}`", self.profile.name());
        Finding::new(self.rule, severity, place, message).label(label).help(help)
    }

    /// What every object has: `apiVersion`, `kind`, a name.
    fn head(&mut self) {
        let object = self.object;
        let named = if object.name.is_empty() { "an object".to_owned() } else { format!("`{}`", object.name) };
        for (key, value) in [("apiVersion", object.api_version), ("kind", object.kind)] {
            if value.is_empty() {
                let path = self.nearest_key(key);
                self.push(
                    path,
                    format!("{named} has no `{key}`"),
                    "write it: without it nothing knows what the object is",
                );
                return;
            }
        }
        let kind = object.kind;
        self.exists(object.api_version, kind, &object.path);
        let generated = text(object.node, &["metadata", "generateName"]).is_some_and(|name| !name.is_empty());
        if object.name.is_empty() && !generated && !object.kind.ends_with("List") {
            self.push(object.path_of(&["metadata", "name"]), format!("a {kind} has no name"), "write `metadata.name`");
        }
        if !object.name.is_empty()
            && let Some(form) = names::of_objects(object.group(), kind)
            && !form.takes(object.name)
            && !is_left_open(object.name)
        {
            let message = match object.name.len() > form.longest {
                true => format!("the name of {} has {} characters", object.title(), object.name.len()),
                false => format!("`{}` is no name that a {kind} may have", object.name),
            };
            self.push(object.path_of(&["metadata", "name"]), message, &form.in_words());
        }
    }

    /// An API of Kubernetes itself has the kind; `path` leads to what says `apiVersion` and `kind`.
    fn exists(&mut self, api_version: &str, kind: &str, path: &Path) {
        match kinds::unknown(api_version, kind) {
            Some(Unknown::Group { near }) => {
                let help = match near {
                    Some(near) => format!("did you mean `{near}`? Groups of custom resources are domains"),
                    None => "groups of custom resources are domains".to_owned(),
                };
                self.push(path.key("apiVersion"), format!("no API group can be called as in `{api_version}`"), &help);
            }
            Some(Unknown::Version { known }) => {
                let help = format!("its versions: {}", known.join(", "));
                self.push(path.key("apiVersion"), format!("Kubernetes has no `{api_version}`"), &help);
            }
            Some(Unknown::Kind { near }) => {
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => match kinds::home(kind) {
                        Some(home) => format!("`{home}` has it; correct `kind` or `apiVersion`"),
                        None => "correct `kind` or `apiVersion`".to_owned(),
                    },
                };
                let message = format!("Kubernetes has no `{kind}` in `{api_version}`");
                // Either may be what is wrong.
                let place = self.profile.value(self.variant, self.object.object, path.key("apiVersion"));
                let finding = self.finding(Severity::Error, path.key("kind"), message, &help);
                self.out.push(finding.related(place, "the API that it is looked for in"));
            }
            None => {}
        }
    }

    /// Labels of the object and of its pods: values of settings that got there are no labels.
    fn labels(&mut self) {
        let pod = self.object.pod();
        let of_pods = pod.as_ref().and_then(|pod| {
            Some((pod.labels_path()?, pod.metadata?.at(&["labels"])?))
        });
        let own = self.object.node.at(&["metadata", "labels"]);
        let own = own.map(|labels| (self.object.path_of(&["metadata", "labels"]), labels));
        // The metadata of a Pod is its own.
        for (path, labels) in own.into_iter().chain(of_pods.filter(|_| self.object.kind != "Pod")) {
            for (key, value) in labels.target().entries() {
                let (name, text) = (key.raw(), value.target());
                if !is_label_key(name) {
                    let message = format!("`{name}` of {} is no name of a label", self.object.title());
                    self.push(
                        path.name(name),
                        message,
                        "write `name` or `prefix/name`: letters, digits, `-`, `_` and `.`",
                    );
                } else if matches!(text.value(), Scalar::Str) && !is_label_value(text.raw()) {
                    let message =
                        format!("label `{name}` of {} has no value that a label may have", self.object.title());
                    let help = "use letters, digits, `-`, `_` and `.`, at most 63, or move it to `annotations`";
                    self.push(path.key(name), message, help);
                }
            }
        }
    }

    /// All keys are fields that some version of Kubernetes has. Only a warning: a newer one than ours may have more.
    fn are_fields(&mut self, node: NodeRef<'a>, fields: &[&str], of: &str, path: impl Fn() -> Path) {
        for (key, _) in node.target().entries() {
            let name = key.raw();
            if name == "<<" || fields.binary_search(&name).is_ok() {
                continue;
            }
            let help = match release::nearest(name, fields.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it: Helm and kubectl refuse what Kubernetes does not know, others drop it".to_owned(),
            };
            // Without the object: a line of a template that many print is one finding.
            let message = format!("`{name}` is no field of {of}");
            self.out.push(self.finding(Severity::Warning, path().name(name), message, &help));
        }
    }

    /// An autoscaler looks its target up by kind.
    fn scale_target(&mut self) {
        let Some(target) = references::scale_target(self.object) else { return };
        let title = self.object.title();
        for (key, value) in [("kind", target.kind), ("apiVersion", target.api_version)] {
            // Without a version it is one of the core's, such as a ReplicationController.
            let of_core = key == "apiVersion" && kinds::unknown("v1", target.kind).is_none();
            if value.is_empty() && !of_core {
                let message = format!("what {title} scales has no `{key}`");
                self.push(target.path.clone(), message, "write it: without it the autoscaler finds nothing");
                return;
            }
        }
        if !target.api_version.is_empty() {
            self.exists(target.api_version, target.kind, &target.path);
        }
    }

    /// The place of a key of the object, or of its neighbour if it has none.
    fn nearest_key(&self, key: &str) -> Path {
        let has = |key: &str| self.object.node.target().get(key).is_some();
        let neighbours = [key, "kind", "apiVersion", "metadata"];
        self.object.path_of(&[neighbours.into_iter().find(|key| has(key)).unwrap_or(key)])
    }

    fn pod(&mut self, pod: &Pod<'a>) {
        let volumes = self.volumes(pod);
        self.containers_twice(pod);
        self.volumes_twice(pod);
        self.numbers_of_pod(pod);
        self.words_of_pod(pod.spec, &pod.spec_path);
        self.are_fields(pod.spec, fields::POD, "a pod", || pod.spec_path.clone());
        for (word, path, container) in pod.containers() {
            let container = container.target();
            let name = text(container, &["name"]).unwrap_or_default();
            let user = match name {
                "" => format!("{} {word} of {}", article(word), self.object.title()),
                name => format!("{word} `{name}` of {}", self.object.title()),
            };
            self.are_fields(container, fields::CONTAINER, "a container", || path.clone());
            if let Some(resources) = container.get("resources") {
                self.are_fields(resources, fields::RESOURCES, "`resources`", || path.key("resources"));
                self.resources(resources, &path.key("resources"), &user);
            }
            self.numbers_of_container(container, &path, &user);
            self.words_of_container(container, &path, &user);
            self.listed_twice(container, &path, &user);
            if name.is_empty() {
                let path = if container.get("name").is_some() { path.key("name") } else { path.clone() };
                self.push(path, format!("{user} has no name"), "write `name`");
            } else if !is_dns_label(name) && !is_left_open(name) {
                let message = format!("`{name}` is no name that {} {word} may have", article(word));
                self.push(path.key("name"), message, DNS_LABEL);
            }
            // An empty text is no image reference, and `image-unlisted` says so.
            if text(container, &["image"]).is_none() {
                let key = if container.get("image").is_some() { "image" } else { "name" };
                self.push(path.key(key), format!("{user} has no image"), "write `image`");
            }
            for (index, port) in items(container, "ports").enumerate() {
                let path = path.key("ports").index(index);
                self.port(port, &path, "containerPort", &user);
                if let Some(name) = text(port, &["name"]).filter(|name| !name.is_empty() && !is_port_name(name) && !is_left_open(name)) {
                    self.port_name(path.key("name"), name, &user);
                }
            }
            for keys in PROBES {
                if let Some(asks) = container.at(keys) {
                    let path = keys.iter().fold(path.clone(), |path, key| path.key(key));
                    self.asked_port(asks, &path, keys, &user);
                }
            }
            for (index, variable) in items(container, "env").enumerate() {
                if text(variable, &["name"]).unwrap_or_default().is_empty() {
                    let path = path.key("env").index(index).key("name");
                    self.push(path, format!("a variable of {user} has no name"), "write `name`");
                }
            }
            for (index, mount) in items(container, "volumeMounts").enumerate() {
                let mounted = text(mount, &["name"]).unwrap_or_default();
                if !volumes.contains(mounted) {
                    let path = path.key("volumeMounts").index(index).key("name");
                    let near = release::nearest(mounted, volumes.iter().copied());
                    let help = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "list it under `volumes` of the pod".to_owned(),
                    };
                    self.push(path, format!("{user} mounts volume `{mounted}`, which its pod does not have"), &help);
                }
            }
        }
    }

    /// The names of a pod's volumes, those that a StatefulSet claims too.
    fn volumes(&mut self, pod: &Pod<'a>) -> BTreeSet<&'a str> {
        let claims = self.object.node.at(&["spec", "volumeClaimTemplates"]);
        let claims = claims.into_iter().flat_map(|claims| claims.target().items());
        let mut names: BTreeSet<&str> = claims.filter_map(|claim| text(claim, &["metadata", "name"])).collect();
        for (path, volume) in pod.volumes() {
            match text(volume, &["name"]).filter(|name| !name.is_empty()) {
                Some(name) => drop(names.insert(name)),
                None => {
                    let key = volume.target().entries().next().map_or("name", |(key, _)| key.raw());
                    self.push(
                        path.key(key),
                        format!("a volume of {} has no name", self.object.title()),
                        "write `name`",
                    );
                }
            }
        }
        names
    }

    fn service(&mut self) {
        let object = self.object;
        let title = object.title();
        let Some(ports) = object.node.at(&["spec", "ports"]) else { return };
        let names: Vec<&str> = ports.target().items().map(|port| text(port, &["name"]).unwrap_or_default()).collect();
        for (index, name) in names.iter().enumerate() {
            let path = object.path_of(&["spec", "ports"]).index(index);
            if name.is_empty() && names.len() == 1 {
                continue;
            }
            if name.is_empty() {
                self.push(path, format!("one of several ports of {title} has no name"), "write `name`");
            } else if names.iter().position(|known| known == name) != Some(index) {
                let message = format!("two ports of {title} are called `{name}`");
                self.push(path.key("name"), message, "give each a name of its own");
            }
            if !name.is_empty() && !is_dns_label(name) && !is_left_open(name) {
                let message = format!("`{name}` is no name that a port of a Service may have");
                self.push(object.path_of(&["spec", "ports"]).index(index).key("name"), message, DNS_LABEL);
            }
        }
        self.service_ports_twice(ports);
        for (index, port) in ports.target().items().enumerate() {
            let path = object.path_of(&["spec", "ports"]).index(index);
            self.port(port, &path, "port", &title);
            if let Some(target) = port.target().get("targetPort")
                && matches!(target.target().value(), Scalar::Str)
                && (target.target().raw().is_empty() || target.target().raw().bytes().all(|byte| byte.is_ascii_digit()))
            {
                let message = format!("`targetPort` of {title} is a text that names no port");
                self.push(path.key("targetPort"), message, "write a number without quotes, or the name of a port");
            } else if let Some(target) = port.target().get("targetPort")
                && matches!(target.target().value(), Scalar::Str)
                && !is_port_name(target.target().raw())
                && !is_left_open(target.target().raw())
            {
                self.port_name(path.key("targetPort"), target.target().raw(), &title);
            }
        }
    }

    /// The port that a probe asks: a number, or a name where the kubelet takes one.
    fn asked_port(&mut self, asks: NodeRef<'a>, path: &Path, keys: &[&str], of: &str) {
        let probe = keys.iter().rev().nth(1).copied().unwrap_or_default();
        let Some(value) = asks.target().get("port").map(NodeRef::target) else {
            let message = format!("`{probe}` of {of} has no `port`");
            self.push(path.clone(), message, "write `port`");
            return;
        };
        let takes_names = keys.last() != Some(&"grpc");
        let is_name = matches!(value.value(), Scalar::Str)
            && value.raw().bytes().any(|byte| byte.is_ascii_alphabetic())
            && takes_names;
        if !is_name && !is_port(value) {
            let message = format!("`port` of `{probe}` of {of} is no port");
            let help = match takes_names {
                true => format!("write a number from 1 to {LAST_PORT} without quotes, or the name of a port"),
                false => format!("write a number from 1 to {LAST_PORT} without quotes"),
            };
            self.push(path.key("port"), message, &help);
        }
    }

    /// A name that no port of a container may have.
    fn port_name(&mut self, path: Path, name: &str, of: &str) {
        let message = match name.len() > names::LONGEST_PORT {
            true => format!("the name of port `{name}` of {of} has {} characters", name.len()),
            false => format!("`{name}` of {of} is no name of a port"),
        };
        let help = "use at most 15 lower case letters, digits and single `-` between them, with one letter at least";
        self.push(path, message, help);
    }

    /// A port that must be a number.
    fn port(&mut self, port: NodeRef<'_>, path: &Path, key: &str, of: &str) {
        let Some(value) = port.target().get(key).map(NodeRef::target) else {
            self.push(path.clone(), format!("a port of {of} has no `{key}`"), &format!("write `{key}`"));
            return;
        };
        if !is_port(value) {
            let message = format!("`{key}` of {of} is no number from 1 to {LAST_PORT}");
            self.push(path.key(key), message, "write the number without quotes");
        }
    }
}

/// Whether something fills a text in before it is sent: `${REPLICAS}` of Flux and envsubst, `{{ name }}` of whatever renders once more.
fn is_left_open(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}

fn is_port(value: NodeRef<'_>) -> bool {
    let number = match value.value() {
        Scalar::Int(number) => u64::try_from(number).ok(),
        Scalar::Uint(number) => Some(number),
        _ => None,
    };
    value.kind() == Kind::Scalar && number.is_some_and(|number| (1..=LAST_PORT).contains(&number))
}

fn items<'a>(node: NodeRef<'a>, key: &str) -> impl Iterator<Item = NodeRef<'a>> {
    node.target().get(key).into_iter().flat_map(|list| list.target().items())
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
