//! An object needs another one that is neither rendered nor made elsewhere.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::nearest;

use crate::kubernetes::{KubeObject, objects, text};
use crate::place::Place;
use crate::references::{self, Reference};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct DanglingReference;

impl Rule for DanglingReference {
    fn id(&self) -> &'static str {
        "dangling-reference"
    }

    fn summary(&self) -> &'static str {
        "an object needs another one that is neither rendered nor declared external"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        each_missing(survey, &mut |missing| out.push(self.finding(missing)));
    }
}

/// A reference that leads nowhere.
pub(crate) struct Missing<'s, 'a> {
    pub(crate) profile: &'s ProfileSurvey<'a>,
    variant: usize,
    object: &'s KubeObject<'a>,
    pub(crate) reference: &'s Reference<'a>,
    /// Kind, namespace and name of everything that the variant renders.
    rendered: &'s BTreeSet<(&'a str, &'a str, &'a str)>,
}

/// Every reference that leads nowhere.
pub(crate) fn each_missing(survey: &Survey<'_>, report: &mut dyn FnMut(&Missing<'_, '_>)) {
    for profile in &survey.profiles {
        let external = &profile.profile.declared.external;
        for (variant, rendering) in profile.profile.variants.iter().enumerate() {
            let Some(kubernetes) = rendering.kubernetes() else { continue };
            let objects = objects(kubernetes);
            let rendered: BTreeSet<(&str, &str, &str)> = objects.iter().map(references::identity).collect();
            // Without a namespace of its own an object is where it is put: perhaps where a reference into another namespace looks.
            let anywhere: BTreeSet<(&str, &str)> = objects
                .iter()
                .filter(|object| text(object.node, &["metadata", "namespace"]).is_none_or(str::is_empty))
                .map(|object| (object.kind, object.name))
                .collect();
            // Whoever puts an object into a namespace has it.
            let inhabited: BTreeSet<&str> =
                objects.iter().map(|object| object.namespace).chain([kubernetes.namespace.as_str()]).collect();
            let all: Vec<(&KubeObject<'_>, Vec<Reference<'_>>)> =
                objects.iter().map(|object| (object, references::of(object))).collect();
            let used: BTreeSet<(&str, &str, &str)> =
                all.iter().flat_map(|(_, references)| references).map(Reference::identity).collect();
            for (object, references) in &all {
                for reference in references.iter().chain(&references::left_empty(object, &objects, &used)) {
                    let elsewhere = reference.namespace != object.namespace;
                    let known = rendered.contains(&reference.identity())
                        || elsewhere && anywhere.contains(&(reference.kind, reference.name))
                        || reference.is_built_in()
                        || reference.kind == "Namespace" && inhabited.contains(reference.name)
                        || reference.is_declared(external);
                    if !known {
                        report(&Missing { profile, variant, object, reference, rendered: &rendered });
                    }
                }
            }
        }
    }
}

impl DanglingReference {
    fn finding(&self, missing: &Missing<'_, '_>) -> Finding<Place> {
        let Missing { profile, variant, object, reference, rendered } = missing;
        let Reference { kind, name, severity, .. } = reference;
        let place = profile.value(*variant, object.object, reference.path.clone());
        if name.is_empty() {
            let message = format!("profile `{}` needs a {kind} without a name: `{}` is empty", profile.name(), reference.path);
            return Finding::new(self.id(), *severity, place, message)
                .label(format!("needed by {}", object.title()))
                .help("write the name, or remove the reference");
        }
        let (key, declared) = reference.declaration();
        let same_kind = rendered.iter().filter(|(known, ..)| known == kind).map(|(_, _, name)| *name);
        let help = match nearest(name, same_kind) {
            Some(near) => {
                format!(
                    "did you mean `{near}`? If `{name}` is made elsewhere, list `{declared}` under `external.{key}`"
                )
            }
            None => format!(
                "render it, or list `{declared}` under `external.{key}` of profile `{}` if it is made elsewhere",
                profile.name()
            ),
        };
        // Without the object: a name that many pods take from one value is one finding.
        let message = format!("profile `{}` needs {kind} `{name}`, which nothing makes", profile.name());
        Finding::new(self.id(), *severity, place, message).label(format!("needed by {}", object.title())).help(help)
    }
}
