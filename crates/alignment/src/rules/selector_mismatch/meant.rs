//! Whose pods a Service is for, as other words than its selector say: one that selects others leads to the wrong ones.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use yamlspan::{NodeRef, Scalar};

use crate::kubernetes::{KubeObject, scalar, text};
use crate::pods::{Known, Labels, Pods, labels_of};

/// Workloads by what Services are called that are for them.
pub(super) struct Meant<'o, 'p, 'a> {
    objects: &'o [KubeObject<'a>],
    pods: &'p Pods<'a>,
    /// Namespace and name, and the pods of each workload that is called so, or whose `serviceName` it is.
    named: BTreeMap<(&'a str, &'a str), Vec<&'p Known<'a>>>,
    /// Namespace and port, and the pods of the workloads that list it; made when the first Service leads to a port that its pods do not list.
    listing: OnceCell<BTreeMap<(&'a str, &'a str), Vec<&'p Known<'a>>>>,
}

/// Pods that a Service should select and does not.
pub(super) struct Missed<'o, 'p, 'a> {
    pub(super) pod: &'p Known<'a>,
    pub(super) owner: &'o KubeObject<'a>,
    /// Why it is meant for them.
    pub(super) why: String,
    /// Which of the Service's ports says so, with the key that has the number, if it is one.
    pub(super) port: Option<(usize, &'static str)>,
}

impl<'o, 'p, 'a> Meant<'o, 'p, 'a> {
    pub(super) fn of(objects: &'o [KubeObject<'a>], pods: &'p Pods<'a>) -> Self {
        let mut named: BTreeMap<_, Vec<&Known<'_>>> = BTreeMap::new();
        for pod in pods.all() {
            let Some(owner) = objects.get(pod.owner).filter(|owner| lasts(owner)) else { continue };
            named.entry((owner.namespace, owner.name)).or_default().push(pod);
            let service = text(owner.node, &["spec", "serviceName"]).filter(|name| *name != owner.name);
            if let Some(service) = service {
                named.entry((owner.namespace, service)).or_default().push(pod);
            }
        }
        Self { objects, pods, named, listing: OnceCell::new() }
    }

    /// What a Service that selects something should select in place of it.
    pub(super) fn missed(
        &self,
        service: &KubeObject<'a>,
        wanted: &Labels<'_>,
        selected: &[&Known<'a>],
    ) -> Option<Missed<'o, 'p, 'a>> {
        let is_selected = |pod: &Known<'a>| selected.iter().any(|known| std::ptr::eq(*known, pod));
        let named = self.named.get(&(service.namespace, service.name)).map_or(&[][..], Vec::as_slice);
        // Of two words that disagree the name is the one that people go by.
        if named.iter().any(|pod| is_selected(pod)) {
            return None;
        }
        let missed = |pods: &[&'p Known<'a>], why: &dyn Fn(&KubeObject<'a>) -> String| {
            let pod = pods.first().filter(|_| !pods.iter().any(|pod| is_selected(pod)))?;
            let owner = self.objects.get(pod.owner)?;
            Some(Missed { pod, owner, why: why(owner), port: None })
        };
        let of_name = |owner: &KubeObject<'_>| match owner.name == service.name {
            true => format!("{} is called as it is", owner.title()),
            false => format!("{} has it as its `serviceName`", owner.title()),
        };
        if let Some(missed) = missed(named, &of_name) {
            return Some(missed);
        }
        let own = service.node.at(&["metadata", "labels"]).map(labels_of).unwrap_or_default();
        let other = wanted.iter().find_map(|(key, value)| Some((*key, *own.get(key).filter(|own| *own != value)?)));
        if let Some((key, value)) = other {
            let carrying = self.pods.carrying(service.namespace, &[(key, value)].into());
            let of_label = |owner: &KubeObject<'_>| format!("{} has its label `{key}: {value}`", owner.title());
            if let Some(missed) = missed(&self.lasting(carrying), &of_label) {
                return Some(missed);
            }
        }
        let (port, ports) = self.unknown_ports(service, selected)?;
        // Whoever lists all of them lists the one that fewest list.
        let listing = self.listing.get_or_init(|| self.listing());
        let each = ports.iter().map(|port| listing.get(&(service.namespace, *port)).map_or(&[][..], Vec::as_slice));
        let rarest = each.min_by_key(|pods| pods.len())?;
        let lists_all = |pod: &&&'p Known<'a>| {
            self.objects.get(pod.owner).is_some_and(|owner| ports.is_subset(&listens(owner)))
        };
        let with_ports: Vec<_> = rarest.iter().filter(lists_all).take(2).copied().collect();
        let of_ports = |owner: &KubeObject<'_>| format!("{} has its ports", owner.title());
        let missed = missed(&with_ports, &of_ports).filter(|_| with_ports.len() == 1)?;
        Some(Missed { port: Some(port), ..missed })
    }

    fn listing(&self) -> BTreeMap<(&'a str, &'a str), Vec<&'p Known<'a>>> {
        let mut listing: BTreeMap<_, Vec<&Known<'_>>> = BTreeMap::new();
        for pod in self.pods.all() {
            let Some(owner) = self.objects.get(pod.owner).filter(|owner| lasts(owner)) else { continue };
            for port in listens(owner) {
                listing.entry((pod.namespace, port)).or_default().push(pod);
            }
        }
        listing
    }

    fn lasting(&self, mut pods: Vec<&'p Known<'a>>) -> Vec<&'p Known<'a>> {
        pods.retain(|pod| self.objects.get(pod.owner).is_some_and(lasts));
        pods
    }

    /// The first port whose number none of the selected pods lists, though they list some, and all ports that the Service leads to.
    fn unknown_ports(
        &self,
        service: &KubeObject<'a>,
        selected: &[&Known<'a>],
    ) -> Option<((usize, &'static str), BTreeSet<&'a str>)> {
        let ports = service.node.at(&["spec", "ports"])?.target().items().enumerate();
        let targets = ports.filter_map(|(index, port)| {
            let key = if port.target().get("targetPort").is_some() { "targetPort" } else { "port" };
            Some(((index, key), port.target().get(key)?.target()))
        });
        let targets: Vec<((usize, &'static str), NodeRef<'_>)> = targets.collect();
        let mut numbers = targets.iter().filter(|(_, target)| matches!(target.value(), Scalar::Int(_))).peekable();
        numbers.peek()?;
        let owners = selected.iter().filter_map(|pod| self.objects.get(pod.owner));
        let known: BTreeSet<&str> = owners.flat_map(listens).collect();
        let (unknown, _) = numbers.find(|(_, target)| !known.is_empty() && !known.contains(target.raw()))?;
        Some((*unknown, targets.iter().filter_map(|(_, target)| scalar(*target)).collect()))
    }
}

/// Whether pods of a workload run as long as it is deployed.
fn lasts(owner: &KubeObject<'_>) -> bool {
    matches!(owner.kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
}

/// Numbers and names of the ports that the containers of a workload list.
fn listens<'a>(owner: &KubeObject<'a>) -> BTreeSet<&'a str> {
    let mut ports = BTreeSet::new();
    for (_, _, container) in owner.pod().iter().flat_map(|pod| pod.containers()) {
        for port in container.target().get("ports").into_iter().flat_map(|ports| ports.target().items()) {
            ports.extend([text(port, &["containerPort"]), text(port, &["name"])].into_iter().flatten());
        }
    }
    ports
}
