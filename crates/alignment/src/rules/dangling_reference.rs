//! An object needs another one that is neither rendered nor made elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::nearest;

use crate::kubernetes::{KubeObject, objects, text};
use crate::place::{Path, Place};
use crate::references::{self, Reference, Store};
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
        each(survey, &mut |lost| {
            out.push(match lost {
                Lost::Object(missing) => self.finding(missing),
                Lost::Key(missing) => self.key_finding(missing),
                Lost::Account(left) => self.account_finding(left),
            });
        });
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

/// A key that a ConfigMap or a Secret of the same rendering does not have.
struct MissingKey<'s, 'a> {
    profile: &'s ProfileSurvey<'a>,
    variant: usize,
    object: &'s KubeObject<'a>,
    key: &'a str,
    path: Path,
    store: &'s Store<'s, 'a>,
    /// Whether somebody may add it while the profile runs.
    is_written: bool,
}

/// An account that a workload should name.
struct LeftOut<'s, 'a> {
    profile: &'s ProfileSurvey<'a>,
    variant: usize,
    object: &'s KubeObject<'a>,
    account: &'s KubeObject<'a>,
}

/// What is not there.
enum Lost<'s, 'a> {
    Object(&'s Missing<'s, 'a>),
    Key(&'s MissingKey<'s, 'a>),
    Account(&'s LeftOut<'s, 'a>),
}

/// Every reference that leads nowhere.
pub(crate) fn each_missing(survey: &Survey<'_>, report: &mut dyn FnMut(&Missing<'_, '_>)) {
    each(survey, &mut |lost| {
        if let Lost::Object(missing) = lost {
            report(missing);
        }
    });
}

fn each(survey: &Survey<'_>, report: &mut dyn FnMut(Lost<'_, '_>)) {
    for profile in &survey.profiles {
        let external = &profile.profile.declared.external;
        for (variant, rendering) in profile.profile.variants.iter().enumerate() {
            let Some(kubernetes) = rendering.kubernetes() else { continue };
            let objects = objects(kubernetes);
            let made = objects.iter().filter_map(references::made_of);
            let rendered: BTreeSet<(&str, &str, &str)> = objects.iter().map(references::identity).chain(made).collect();
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
            // What a role is given to is not used by that.
            let users = all.iter().filter(|(object, _)| !object.kind.ends_with("RoleBinding"));
            let used: BTreeSet<(&str, &str, &str)> =
                users.flat_map(|(_, references)| references).map(Reference::identity).collect();
            let takes_keys = all.iter().flat_map(|(_, references)| references).any(Reference::takes_keys);
            let stores = if takes_keys { references::stores(&objects) } else { BTreeMap::new() };
            let mut written = BTreeMap::new();
            for (object, references) in &all {
                if let Some(account) = references::left_out(object, &objects, &rendered, &used) {
                    report(Lost::Account(&LeftOut { profile, variant, object, account }));
                }
                for reference in references.iter().chain(&references::left_empty(object, &objects, &used)) {
                    let elsewhere = reference.namespace != object.namespace;
                    let known = rendered.contains(&reference.identity())
                        || elsewhere && anywhere.contains(&(reference.kind, reference.name))
                        || reference.is_built_in()
                        || reference.kind == "Namespace" && inhabited.contains(reference.name)
                        || reference.is_declared(external);
                    if !known {
                        report(Lost::Object(&Missing { profile, variant, object, reference, rendered: &rendered }));
                    }
                }
                for reference in references.iter().filter(|reference| reference.takes_keys()) {
                    let Some(store) = stores.get(&reference.identity()) else { continue };
                    let keys = reference.keys().into_iter().filter(|(key, _)| !store.has(key));
                    for (key, path) in keys.filter(|_| !reference.is_declared(external)) {
                        let look = || references::is_written(&objects, reference.kind, reference.name);
                        let is_written = *written.entry((reference.kind, reference.name)).or_insert_with(look);
                        report(Lost::Key(&MissingKey { profile, variant, object, key, path, store, is_written }));
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

    fn account_finding(&self, left: &LeftOut<'_, '_>) -> Finding<Place> {
        let LeftOut { profile, variant, object, account } = left;
        let (title, name) = (object.title(), account.name);
        let path = object.pod().map(|pod| pod.spec_path).unwrap_or_default();
        let message = format!("{title} names no account, and nothing uses {}", account.title());
        let account = profile.value(*variant, account.object, account.path_of(&["metadata", "name"]));
        Finding::new(self.id(), Severity::Warning, profile.value(*variant, object.object, path), message)
            .label("runs as `default`")
            .related(account, "called as the workload is")
            .help(format!("write `serviceAccountName: {name}`, or remove the account"))
    }

    fn key_finding(&self, missing: &MissingKey<'_, '_>) -> Finding<Place> {
        let MissingKey { profile, variant, object, key, path, store, is_written } = missing;
        let title = store.object.title();
        let (severity, later) = match is_written {
            true => (Severity::Warning, ", unless something adds it while it runs"),
            false => (Severity::Error, ""),
        };
        let names = || store.keys.iter().map(|(key, _)| *key);
        let near = nearest(key, names());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add it, or take one that is there{}", listed(&names().take(MOST_LISTED + 1).collect::<Vec<_>>())),
        };
        let shown = store.keys.iter().find(|(key, _)| near.is_none_or(|near| near == *key));
        let (shown, part) = shown.copied().unwrap_or_default();
        let keys = store.object.path_of(&[part]).name(shown);
        // Without the object that needs it: a key that many pods take from one value is one finding.
        let message = format!("profile `{}` needs key `{key}` of {title}, which it does not have{later}", profile.name());
        let keys = profile.value(*variant, store.object.object, keys);
        let of_keys = if near.is_some() { "it has this one" } else { "the first that it has" };
        Finding::new(self.id(), severity, profile.value(*variant, object.object, path.clone()), message)
            .label(format!("needed by {}", object.title()))
            .related(keys, of_keys)
            .help(help)
    }
}

/// So many keys are read at a glance.
const MOST_LISTED: usize = 4;

fn listed(keys: &[&str]) -> String {
    match keys.len() <= MOST_LISTED {
        true => format!(": `{}`", keys.join("`, `")),
        false => String::new(),
    }
}
