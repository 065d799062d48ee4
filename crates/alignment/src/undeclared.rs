//! What a workspace that is being made from a running deployment must declare.
//!
//! A fresh clone holds no operator's settings, no data and nothing that tooling makes, and other teams' objects are not rendered. Where the rules
//! would find these missing, a first workspace declares them: what it names can be read and taken out again, and what is missing later is found.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::rules::{dangling_reference, env_undefined, healthcheck_missing, mount_source_missing};
use crate::survey::Survey;

/// One declaration that a profile needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undeclared {
    /// Name of the profile.
    pub profile: String,
    /// The list under `external` that would declare it, such as `secrets`; `generated` stands beside `external`.
    pub key: &'static str,
    /// As it stands in that list.
    pub name: String,
}

/// The list for paths that are made by tooling or at run time.
pub const GENERATED: &str = "generated";

/// What the rules would find missing, sorted and each once.
#[must_use]
pub fn undeclared(survey: &Survey<'_>) -> BTreeSet<Undeclared> {
    let mut found = BTreeSet::new();
    let mut paths: BTreeMap<String, BTreeSet<Utf8PathBuf>> = BTreeMap::new();
    let mut add = |profile: &str, key: &'static str, name: &str| {
        found.insert(Undeclared { profile: profile.to_owned(), key, name: name.to_owned() });
    };
    dangling_reference::each_missing(survey, &mut |missing| {
        // A reference without a name can only be mended.
        if !missing.reference.name.is_empty() {
            let (key, name) = missing.reference.declaration();
            add(missing.profile.name(), key, &name);
        }
    });
    env_undefined::each_undefined(survey, &mut |profile, variable| add(profile.name(), "variables", &variable.name));
    healthcheck_missing::each_missing(survey, &mut |missing| {
        // One that is switched off is no matter of the image.
        if !missing.is_off {
            add(missing.profile.name(), "healthchecks", missing.target);
        }
    });
    mount_source_missing::each_missing(survey, &mut |missing| {
        paths.entry(missing.profile.name().to_owned()).or_default().insert(missing.relative.clone());
    });
    for (profile, paths) in paths {
        let patterns: BTreeSet<String> = paths.iter().map(|path| pattern(survey, path)).collect();
        for pattern in patterns {
            found.insert(Undeclared { profile: profile.clone(), key: GENERATED, name: pattern });
        }
    }
    found
}

/// The path itself, or everything below the first folder on its way that is missing too.
fn pattern(survey: &Survey<'_>, path: &camino::Utf8Path) -> String {
    let missing =
        |folder: &&camino::Utf8Path| !folder.as_str().is_empty() && survey.inputs.facts.kind(folder).is_none();
    let above = path.ancestors().skip(1).filter(missing).last();
    above.map_or_else(|| path.to_string(), |folder| format!("{folder}/**"))
}
