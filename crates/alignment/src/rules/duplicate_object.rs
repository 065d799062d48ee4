//! A profile renders one object twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use findings::{Finding, Severity};

use crate::kubernetes::{KubeObject, objects};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct DuplicateObject;

/// Kinds that belong to no namespace, of the API groups that charts use.
const CLUSTER_KINDS: [&str; 12] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
];

impl Rule for DuplicateObject {
    fn id(&self) -> &'static str {
        "duplicate-object"
    }

    fn summary(&self) -> &'static str {
        "a profile renders one object twice"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(kubernetes) = variant.kubernetes() else { continue };
                let objects = objects(kubernetes);
                let mut first_seen = BTreeMap::new();
                let place = |object: &KubeObject<'_>| {
                    profile.value(index, object.object, object.path_of(&["metadata", "name"]))
                };
                // Hooks come and go: one may bear the name of an object that stays.
                for object in objects.iter().filter(|object| !object.hook) {
                    if object.name.is_empty() {
                        continue;
                    }
                    let namespace = if CLUSTER_KINDS.contains(&object.kind) { "" } else { object.namespace };
                    // Names differ most, which makes comparisons short.
                    let key = (object.name, object.kind, namespace, object.group());
                    let first = match first_seen.entry(key) {
                        Entry::Occupied(first) => *first.get(),
                        Entry::Vacant(free) => {
                            free.insert(object);
                            continue;
                        }
                    };
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            place(object),
                            format!("profile `{}` renders {} twice", profile.name(), object.title()),
                        )
                        .label("the second one")
                        .related(place(first), "the first one")
                        .help("rename or remove one of them: the cluster would keep only one"),
                    );
                }
            }
        }
    }
}
