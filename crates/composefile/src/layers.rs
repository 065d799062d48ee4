//! What a later file of a project leaves as it was: services that it does not name, to which nothing is done twice.
//!
//! A service is as it was if it is still the very same mapping in memory: after a change it would be another one. So nothing is compared. What
//! is done to each service by itself is left out where it is known what comes of it.

use source::Text;

use crate::node::Entry;
use crate::{Map, Node, Value};

/// Services after all steps of laying a file on others. Done once more, these steps change nothing.
#[derive(Clone, Default)]
pub(crate) struct Settled {
    services: Map,
    /// Those of them that were held against the specification as they are now, too.
    judged: Map,
}

impl Settled {
    /// As they stand in a merged tree.
    pub(crate) fn settle(&mut self, root: &Node) {
        self.services = root.get("services").and_then(Node::as_map).cloned().unwrap_or_default();
    }

    /// Takes the services out that have not changed since.
    pub(crate) fn set_aside(&self, root: &mut Node) -> Aside<Entry> {
        Aside::of(root, |name, service| {
            self.services.entry(name).is_some_and(|known| is_same(known, service)).then(|| service.clone())
        })
    }

    /// The tree with those of the services set aside that were not judged as they are.
    pub(crate) fn to_judge(&self, root: &Node, aside: &Aside<Entry>) -> Node {
        let mut whole = root.clone();
        let is_new =
            |name: &Text, service: &Entry| !self.judged.entry(name).is_some_and(|known| is_same(known, service));
        aside.clone().filter(is_new).put_back_as_they_were(&mut whole);
        whole
    }

    /// Notes that those set aside have been judged.
    pub(crate) fn judge(&mut self, aside: &Aside<Entry>) {
        for (name, service) in &aside.services {
            if let Some(service) = service {
                self.judged.set_entry(name.clone(), service.clone());
            }
        }
    }
}

/// What became of the services of a layer, each by itself, from merging to decoding.
#[derive(Default)]
pub(crate) struct Typed {
    merged: Map,
    typed: Map,
}

/// The services of a layer while it is completed and decoded without those of which [`Typed`] knows what becomes of them.
pub(crate) struct Shared<'t> {
    known: &'t mut Typed,
    /// All services, as they were merged.
    merged: Map,
    aside: Aside<Made>,
}

/// A service before and after.
struct Made {
    merged: Entry,
    typed: Node,
}

impl<'t> Shared<'t> {
    /// Takes the services out of a merged tree of which something is known.
    pub(crate) fn of(root: &mut Node, known: &'t mut Typed) -> Self {
        let merged = root.get("services").and_then(Node::as_map).cloned().unwrap_or_default();
        let made = |name: &Text, service: &Entry| {
            known.merged.entry(name).filter(|earlier| is_same(earlier, service))?;
            Some(Made { merged: service.clone(), typed: known.typed.get(name)?.clone() })
        };
        let aside = Aside::of(root, made);
        Self { known, merged, aside }
    }

    /// Those that were taken out, as they were merged.
    pub(crate) fn merged(&self) -> impl Iterator<Item = &Map> {
        self.aside.services.iter().filter_map(|(_, made)| made.as_ref()?.merged.node.as_map())
    }

    /// Puts what is known to become of services among those that were decoded. `remember`: whether that is known of all of them from now on.
    pub(crate) fn put_back(self, root: &mut Node, remember: bool) {
        self.aside.put_back(root, |made| Entry { key_span: made.merged.key_span, node: made.typed });
        if remember {
            let mut merged = self.merged;
            // When something is looked up in the environment, that is noted each time.
            merged.retain(|_, service| !looks_up(service));
            let typed = root.get("services").and_then(Node::as_map).cloned().unwrap_or_default();
            *self.known = Typed { merged, typed };
        }
    }
}

/// Whether both are one mapping in memory, from one place.
fn is_same(one: &Entry, other: &Entry) -> bool {
    match (one.node.as_map(), other.node.as_map()) {
        (Some(map), Some(same)) => map.is_same(same) && one.node.span == other.node.span,
        _ => false,
    }
}

/// Whether a service, as it was merged, names variables without a value, which the environment gives.
fn looks_up(service: &Node) -> bool {
    let arguments = service.at_path(["build", "args"]);
    service.get("environment").into_iter().chain(arguments).any(|variables| match &variables.value {
        Value::Seq(items) => !items.iter().all(|item| item.as_str().is_some_and(|text| text.contains('='))),
        Value::Map(map) => map.iter().any(|(_, value)| value.is_null()),
        _ => true,
    })
}

/// Services that were taken out of a tree, and their places among those that stayed.
#[derive(Clone)]
pub(crate) struct Aside<T> {
    /// All in their order; those that stayed are `None`. Empty if nothing was taken out.
    services: Vec<(Text, Option<T>)>,
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self { services: Vec::new() }
    }
}

impl<T> Aside<T> {
    /// Takes out what something is known of.
    fn of(root: &mut Node, known: impl Fn(&Text, &Entry) -> Option<T>) -> Self {
        let section = root.get("services").and_then(Node::as_map);
        let all = section.into_iter().flat_map(Map::entries);
        let services: Vec<(Text, Option<T>)> = all.map(|(name, entry)| (name.clone(), known(name, entry))).collect();
        if services.iter().all(|(_, known)| known.is_none()) {
            return Self::default();
        }
        if let Some(section) = services_mut(root) {
            for ((name, entry), (_, known)) in std::mem::take(section).into_iter().zip(&services) {
                if known.is_none() {
                    section.set_entry(name, entry);
                }
            }
        }
        Self { services }
    }

    fn filter(self, keep: impl Fn(&Text, &T) -> bool) -> Self {
        let is_kept = |(name, known): &(Text, Option<T>)| known.as_ref().is_none_or(|known| keep(name, known));
        Self { services: self.services.into_iter().filter(is_kept).collect() }
    }

    /// Puts them back, each as `entry` makes it. No service that stayed may be gone, nor have another place among them.
    fn put_back(self, root: &mut Node, entry: impl Fn(T) -> Entry) {
        if self.services.is_empty() {
            return;
        }
        let Some(section) = services_mut(root) else { return };
        let mut stayed = std::mem::take(section).into_iter();
        for (name, known) in self.services {
            match known {
                Some(known) => section.set_entry(name, entry(known)),
                None => {
                    if let Some((name, entry)) = stayed.next() {
                        section.set_entry(name, entry);
                    }
                }
            }
        }
    }
}

fn services_mut(root: &mut Node) -> Option<&mut Map> {
    root.as_map_mut()?.get_mut("services")?.as_map_mut()
}

impl Aside<Entry> {
    /// Puts them back as they were.
    pub(crate) fn put_back_as_they_were(self, root: &mut Node) {
        self.put_back(root, |service| service);
    }
}
