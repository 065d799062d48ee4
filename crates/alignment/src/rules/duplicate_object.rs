//! A profile renders one object twice.

use std::collections::BTreeMap;

use findings::{Finding, Severity};

use crate::kubernetes::objects;
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
                let mut first_seen = BTreeMap::new();
                // Hooks come and go: one may bear the name of an object that stays.
                for object in objects(kubernetes).into_iter().filter(|object| !object.hook) {
                    if object.name.is_empty() {
                        continue;
                    }
                    let namespace = if CLUSTER_KINDS.contains(&object.kind) { "" } else { object.namespace };
                    let key = (object.group(), object.kind, namespace, object.name);
                    let place = profile.value(index, object.object, object.path_of(&["metadata", "name"]));
                    let Some(first) = first_seen.get(&key) else {
                        first_seen.insert(key, place);
                        continue;
                    };
                    let first: &Place = first;
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            place,
                            format!("profile `{}` renders {} twice", profile.name(), object.title()),
                        )
                        .label("the second one")
                        .related(first.clone(), "the first one")
                        .help("rename or remove one of them: the cluster would keep only one"),
                    );
                }
            }
        }
    }
}
