//! Something leads to a port that what it leads to does not have.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::nearest;
use yamlspan::{NodeRef, Scalar};

use crate::kubernetes::{KubeObject, PROBES, objects, text};
use crate::place::{Path, Place};
use crate::pods::{Known, Pods, labels_of, named_ports, services};
use crate::references;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct PortUnknown;

impl Rule for PortUnknown {
    fn id(&self) -> &'static str {
        "port-unknown"
    }

    fn summary(&self) -> &'static str {
        "a probe, Service, Ingress, policy or monitor leads to a port that nobody has"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (variant, rendering) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = rendering.kubernetes() else { continue };
                let objects = objects(kubernetes);
                let pods = Pods::of(&objects);
                for object in &objects {
                    let mut leads = Leads { rule: self.id(), profile, variant, object, out };
                    leads.probes();
                    match (object.kind, object.group()) {
                        ("Service", "") => leads.target_ports(&pods),
                        ("Ingress", _) => leads.backends(&objects),
                        ("NetworkPolicy", "networking.k8s.io") => leads.policy(&pods),
                        ("ServiceMonitor", "monitoring.coreos.com") => leads.service_monitor(&objects),
                        ("PodMonitor", "monitoring.coreos.com") => leads.pod_monitor(&pods),
                        _ => {}
                    }
                }
            }
        }
    }
}

/// The name of a port, if it is one. A number in quotes is none, and neither is the empty text; `object-invalid` says so.
fn name_of(port: NodeRef<'_>) -> Option<&str> {
    let port = port.target();
    let name = port.raw();
    (port.value() == Scalar::Str && !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// What one object leads to.
struct Leads<'l, 's, 'a> {
    rule: &'static str,
    profile: &'l ProfileSurvey<'s>,
    variant: usize,
    object: &'l KubeObject<'a>,
    out: &'l mut Vec<Finding<Place>>,
}

impl<'a> Leads<'_, '_, 'a> {
    /// Says that nothing has the port; `known` are the names that there are.
    fn nowhere(&mut self, severity: Severity, path: Path, message: String, port: &str, known: &[&str], help: &str) {
        let finding = self.finding(severity, path, message, port, known, help);
        self.out.push(finding);
    }

    fn finding(
        &self,
        severity: Severity,
        path: Path,
        message: String,
        port: &str,
        known: &[&str],
        help: &str,
    ) -> Finding<Place> {
        let help = match nearest(port, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => help.to_owned(),
        };
        let place = self.profile.value(self.variant, self.object.object, path);
        let label = format!("rendered in profile `{}`", self.profile.name());
        Finding::new(self.rule, severity, place, message).label(label).help(help)
    }

    /// A probe asks its own container, and knows only the ports that this one names.
    fn probes(&mut self) {
        let Some(pod) = self.object.pod() else { return };
        for (word, path, container) in pod.containers() {
            let known = named_ports(container);
            // By `grpc` it asks for a number only.
            for keys in PROBES.iter().filter(|keys| keys.last() != Some(&"grpc")) {
                let Some(port) = container.at(keys).and_then(|asks| asks.at(&["port"])).and_then(name_of) else {
                    continue;
                };
                if known.contains(&port) {
                    continue;
                }
                let name = text(container, &["name"]).unwrap_or_default();
                let (probe, title) = (keys.iter().rev().nth(1).copied().unwrap_or_default(), self.object.title());
                let message = format!(
                    "`{probe}` of {word} `{name}` of {title} asks port `{port}`, which the {word} does not have"
                );
                let at = keys.iter().fold(path.clone(), |path, key| path.key(key)).key("port");
                self.nowhere(
                    Severity::Error,
                    at,
                    message,
                    port,
                    &known,
                    "name the port under `ports` of the container",
                );
            }
        }
    }

    /// A Service leads to a port by the name that its pods give it.
    fn target_ports(&mut self, pods: &Pods<'_>) {
        let object = self.object;
        let wanted = object.node.at(&["spec", "selector"]).map(labels_of).unwrap_or_default();
        let selected = if wanted.is_empty() { Vec::new() } else { pods.carrying(object.namespace, &wanted) };
        let Some(ports) = object.node.at(&["spec", "ports"]).filter(|_| !selected.is_empty()) else { return };
        let known = names(&selected);
        for (index, port) in ports.target().items().enumerate() {
            let Some(name) = port.target().get("targetPort").and_then(name_of) else { continue };
            if !known.contains(&name) {
                let path = object.path_of(&["spec", "ports"]).index(index).key("targetPort");
                let message = format!("{} leads to port `{name}`, which none of its pods has", object.title());
                let help = "use the name or the number of a port of its pods";
                self.nowhere(Severity::Error, path, message, name, &known, help);
            }
        }
    }

    /// An Ingress leads to a port of a Service, by name or by number.
    fn backends(&mut self, objects: &[KubeObject<'_>]) {
        for backend in references::backends(self.object) {
            let same = |other: &&KubeObject<'_>| {
                references::identity(other) == ("Service", self.object.namespace, backend.service)
            };
            let service = objects.iter().find(same).and_then(|service| service.node.at(&["spec"]));
            let (Some(service), Some(port)) = (service, backend.port.map(NodeRef::target)) else { continue };
            let ports: Vec<NodeRef<'_>> =
                service.at(&["ports"]).into_iter().flat_map(|ports| ports.target().items()).collect();
            let (key, known) = match name_of(port) {
                Some(_) => ("name", named_ports(service)),
                None => ("port", ports.iter().filter_map(|port| text(*port, &["port"])).collect()),
            };
            let wanted = port.raw();
            if ports.is_empty() || wanted.is_empty() || known.contains(&wanted) {
                continue;
            }
            let (title, service) = (self.object.title(), backend.service);
            let message = format!("{title} leads to port `{wanted}` of Service `{service}`, which it does not have");
            let has: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
            let help = match has.as_slice() {
                [] => format!("the Service gives no `{key}` to its ports"),
                _ => format!("the Service has {}", has.join(", ")),
            };
            self.nowhere(Severity::Error, backend.port_path, message, wanted, &[], &help);
        }
    }

    /// What a policy allows by the name of a port, it allows for the pods that have one of that name.
    fn policy(&mut self, pods: &Pods<'_>) {
        let object = self.object;
        for (direction, side) in [("ingress", "from"), ("egress", "to")] {
            let rules = object.node.at(&["spec", direction]).into_iter().flat_map(|rules| rules.target().items());
            for (index, rule) in rules.enumerate() {
                let asked = match direction {
                    "ingress" => {
                        object.node.at(&["spec", "podSelector"]).map(|own| pods.selected(object.namespace, own))
                    }
                    _ => peers(object, rule, side, pods),
                };
                let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { continue };
                let known = names(&asked);
                let ports = rule.at(&["ports"]).into_iter().flat_map(|ports| ports.target().items());
                for (position, port) in ports.enumerate() {
                    let Some(name) = port.target().get("port").and_then(name_of) else { continue };
                    if known.contains(&name) {
                        continue;
                    }
                    let path =
                        object.path_of(&["spec", direction]).index(index).key("ports").index(position).key("port");
                    let message = format!("{} allows port `{name}`, which none of the pods has", object.title());
                    let help = "use the name or the number of a port of the pods that are connected to";
                    let finding = self.finding(Severity::Warning, path, message, name, &known, help);
                    let asked = match direction {
                        "ingress" => object.path_of(&["spec", "podSelector"]),
                        _ => object.path_of(&["spec", direction]).index(index).key(side).index(0),
                    };
                    let asked = self.profile.value(self.variant, object.object, asked);
                    self.out.push(finding.related(asked, "these pods"));
                }
            }
        }
    }

    fn service_monitor(&mut self, objects: &[KubeObject<'_>]) {
        let Some(selector) = self.object.node.at(&["spec", "selector"]) else { return };
        let selected = services(objects, self.object.namespace, selector);
        let known: Vec<&str> =
            selected.filter_map(|service| service.node.at(&["spec"])).flat_map(|spec| named_ports(spec)).collect();
        self.endpoints("endpoints", &known, "Services");
    }

    fn pod_monitor(&mut self, pods: &Pods<'_>) {
        let Some(selector) = self.object.node.at(&["spec", "selector"]) else { return };
        let known = names(&pods.selected(self.object.namespace, selector));
        self.endpoints("podMetricsEndpoints", &known, "pods");
    }

    /// Prometheus asks ports by name. Where nothing names one, what it asks is made elsewhere.
    fn endpoints(&mut self, key: &str, known: &[&str], of: &str) {
        if known.is_empty() {
            return;
        }
        let object = self.object;
        let endpoints = object.node.at(&["spec", key]).into_iter().flat_map(|endpoints| endpoints.target().items());
        for (index, endpoint) in endpoints.enumerate() {
            let Some(name) = endpoint.target().get("port").and_then(name_of).filter(|name| !known.contains(name))
            else {
                continue;
            };
            let path = object.path_of(&["spec", key]).index(index).key("port");
            let message = format!("{} asks port `{name}`, which none of its {of} has", object.title());
            self.nowhere(Severity::Warning, path, message, name, known, &format!("use the name of a port of its {of}"));
        }
    }
}

fn names<'a>(pods: &[&Known<'a>]) -> Vec<&'a str> {
    pods.iter().flat_map(|pod| &pod.ports).copied().collect()
}

/// The pods that a rule leads to; none where they may be outside of the profile.
fn peers<'p, 'a>(
    object: &KubeObject<'_>,
    rule: NodeRef<'_>,
    side: &str,
    pods: &'p Pods<'a>,
) -> Option<Vec<&'p Known<'a>>> {
    let mut found = Vec::new();
    for peer in rule.at(&[side])?.target().items() {
        if peer.at(&["namespaceSelector"]).is_some() || peer.at(&["ipBlock"]).is_some() {
            return None;
        }
        found.extend(pods.selected(object.namespace, peer.at(&["podSelector"])?));
    }
    Some(found)
}
