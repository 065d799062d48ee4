//! The pods of a rendering, and what selects them.

use std::collections::BTreeMap;

use yamlspan::NodeRef;

use crate::kubernetes::{KubeObject, Pod, scalar, text};
use crate::operators;

pub(crate) type Labels<'a> = BTreeMap<&'a str, &'a str>;

/// One pod, or the pods that one workload makes.
pub(crate) struct Known<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) labels: Labels<'a>,
    /// The names of its containers' ports.
    pub(crate) ports: Vec<&'a str>,
    /// Which of the objects it is, or makes it.
    pub(crate) owner: usize,
}

/// The pods of a rendering. Looked up by label: a profile may have a thousand Services and as many pods.
#[derive(Default)]
pub(crate) struct Pods<'a> {
    all: Vec<Known<'a>>,
    /// By value, key and namespace: values differ most, which makes comparisons short. In the order of `all`.
    by_label: BTreeMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    /// Whether there may be more of them while it runs.
    pub(crate) others: bool,
}

impl<'a> Pods<'a> {
    pub(crate) fn of(objects: &[KubeObject<'a>]) -> Self {
        let mut pods = Self { others: operators::make_pods(objects), ..Self::default() };
        for (owner, object) in objects.iter().enumerate() {
            let Some(pod) = object.pod() else { continue };
            let labels = pod.metadata.and_then(|metadata| metadata.at(&["labels"])).map(labels_of).unwrap_or_default();
            let index = pods.all.len();
            for (key, value) in &labels {
                pods.by_label.entry((*value, *key, object.namespace)).or_default().push(index);
            }
            pods.all.push(Known { namespace: object.namespace, labels, ports: port_names(&pod), owner });
        }
        pods
    }

    /// In the order of the objects.
    pub(crate) fn all(&self) -> &[Known<'a>] {
        &self.all
    }

    /// The pods of a namespace that carry all of `wanted`.
    pub(crate) fn carrying(&self, namespace: &str, wanted: &Labels<'_>) -> Vec<&Known<'a>> {
        let carrying = wanted
            .iter()
            .map(|(key, value)| self.by_label.get(&(*value, *key, namespace)).map_or(&[][..], Vec::as_slice));
        let mut carrying: Vec<&[usize]> = carrying.collect();
        carrying.sort_by_key(|pods| pods.len());
        let Some((rarest, others)) = carrying.split_first() else {
            return self.all.iter().filter(|pod| pod.namespace == namespace).collect();
        };
        let all = rarest.iter().filter(|index| others.iter().all(|pods| pods.binary_search(index).is_ok()));
        all.filter_map(|index| self.all.get(*index)).collect()
    }

    /// The pods of a namespace that a selector with `matchLabels` and `matchExpressions` selects.
    pub(crate) fn selected(&self, namespace: &str, selector: NodeRef<'_>) -> Vec<&Known<'a>> {
        let wanted = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
        let mut pods = self.carrying(namespace, &wanted);
        let expressions = Expression::of(selector);
        pods.retain(|pod| expressions.iter().all(|expression| expression.holds(&pod.labels)));
        pods
    }

    /// Whose pods, the first of any other namespace, are such as `is_meant` asks.
    pub(crate) fn elsewhere<'o>(
        &self,
        objects: &'o [KubeObject<'a>],
        namespace: &str,
        is_meant: impl Fn(&Labels<'a>) -> bool,
    ) -> Option<&'o KubeObject<'a>> {
        let pod = self.all.iter().find(|pod| pod.namespace != namespace && is_meant(&pod.labels))?;
        objects.get(pod.owner)
    }

    /// The pods of a namespace that a selector comes nearest to, with whose they are: they carry all labels but one, or else the rarest, and most of
    /// the others. None where that one is carried by all, so that it tells nothing.
    pub(crate) fn nearest<'o>(
        &self,
        objects: &'o [KubeObject<'a>],
        namespace: &str,
        wanted: &Labels<'_>,
    ) -> Option<(&Known<'a>, &'o KubeObject<'a>)> {
        let mut others = wanted.clone();
        if self.odd_one(namespace, wanted).is_some_and(|odd| others.remove(odd).is_some() && !others.is_empty()) {
            let nearest = self.carrying(namespace, &others).into_iter().next()?;
            return Some((nearest, objects.get(nearest.owner)?));
        }
        let carrying = wanted.iter().filter_map(|(key, value)| self.by_label.get(&(*value, *key, namespace)));
        let rarest = carrying.min_by_key(|pods| pods.len())?;
        let of_namespace = self.all.iter().filter(|pod| pod.namespace == namespace).count();
        let carried =
            |pod: &Known<'_>| wanted.iter().filter(|(key, value)| pod.labels.get(*key) == Some(value)).count();
        let pods = rarest.iter().rev().filter_map(|index| self.all.get(*index));
        let nearest =
            pods.max_by_key(|pod| carried(pod)).filter(|_| of_namespace == 1 || rarest.len() < of_namespace)?;
        Some((nearest, objects.get(nearest.owner)?))
    }

    /// The label of a selector that no pod carries together with all the others: what is wrong, if it is one label.
    pub(crate) fn odd_one<'w>(&self, namespace: &str, wanted: &Labels<'w>) -> Option<&'w str> {
        let mut odd = wanted.keys().copied().filter(|key| {
            let mut others = wanted.clone();
            others.remove(key);
            if others.is_empty() { wanted.len() == 1 } else { !self.carrying(namespace, &others).is_empty() }
        });
        odd.next().filter(|_| odd.next().is_none())
    }
}

/// The Services of a namespace whose own labels a selector selects.
pub(crate) fn services<'o, 'a>(
    objects: &'o [KubeObject<'a>],
    namespace: &'o str,
    selector: NodeRef<'o>,
) -> impl Iterator<Item = &'o KubeObject<'a>> {
    objects.iter().filter(move |object| object.namespace == namespace && is_service(object, selector))
}

/// The first Service of any other namespace whose own labels a selector selects.
pub(crate) fn service_elsewhere<'o, 'a>(
    objects: &'o [KubeObject<'a>],
    namespace: &str,
    selector: NodeRef<'_>,
) -> Option<&'o KubeObject<'a>> {
    objects.iter().find(|object| object.namespace != namespace && is_service(object, selector))
}

fn is_service(object: &KubeObject<'_>, selector: NodeRef<'_>) -> bool {
    let labels = object.node.at(&["metadata", "labels"]).map(labels_of).unwrap_or_default();
    (object.kind, object.group()) == ("Service", "") && selects(selector, &labels)
}

pub(crate) fn labels_of(node: NodeRef<'_>) -> Labels<'_> {
    let entries = node.target().entries();
    entries.map(|(key, value)| (key.raw(), scalar(value).unwrap_or_default())).collect()
}

/// The names of the ports of a pod's containers.
fn port_names<'a>(pod: &Pod<'a>) -> Vec<&'a str> {
    let containers = pod.containers().into_iter();
    containers.flat_map(|(_, _, container)| named_ports(container)).collect()
}

/// The names that a container, or a Service, gives to its ports.
pub(crate) fn named_ports(of: NodeRef<'_>) -> Vec<&str> {
    let ports = of.target().get("ports").into_iter().flat_map(|ports| ports.target().items());
    ports.filter_map(|port| text(port, &["name"])).collect()
}

/// Whether a selector says nothing at all.
pub(crate) fn selects_everything(selector: NodeRef<'_>) -> bool {
    let says = |key: &str| {
        let part = selector.at(&[key]).map(NodeRef::target);
        part.is_some_and(|part| part.entries().next().is_some() || part.items().next().is_some())
    };
    !says("matchLabels") && !says("matchExpressions")
}

/// Whether a label selector (`matchLabels`, `matchExpressions`) selects these labels.
pub(crate) fn selects(selector: NodeRef<'_>, labels: &Labels<'_>) -> bool {
    let wanted = selector.at(&["matchLabels"]).map(labels_of).unwrap_or_default();
    carries(labels, &wanted) && Expression::of(selector).iter().all(|expression| expression.holds(labels))
}

/// Whether all wanted labels are among these.
pub(crate) fn carries(labels: &Labels<'_>, wanted: &Labels<'_>) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// One of the `matchExpressions` of a selector.
struct Expression<'a> {
    key: &'a str,
    operator: &'a str,
    values: Vec<&'a str>,
}

impl<'a> Expression<'a> {
    /// Those of a selector.
    fn of(selector: NodeRef<'a>) -> Vec<Self> {
        let expressions = selector.at(&["matchExpressions"]).into_iter().flat_map(|list| list.target().items());
        expressions
            .map(|expression| Self {
                key: text(expression, &["key"]).unwrap_or_default(),
                operator: text(expression, &["operator"]).unwrap_or_default(),
                values: expression
                    .at(&["values"])
                    .into_iter()
                    .flat_map(|values| values.target().items().filter_map(scalar))
                    .collect(),
            })
            .collect()
    }

    fn holds(&self, labels: &Labels<'_>) -> bool {
        // Without a key it is no expression.
        if self.key.is_empty() {
            return false;
        }
        let carried = labels.get(self.key);
        match self.operator {
            "In" => carried.is_some_and(|value| self.values.contains(value)),
            "NotIn" => carried.is_none_or(|value| !self.values.contains(value)),
            "Exists" => carried.is_some(),
            "DoesNotExist" => carried.is_none(),
            _ => false,
        }
    }
}
