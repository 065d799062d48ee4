//! An env file sets a variable that nothing uses.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::ProfileSource;
use source::{FileId, Span};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct EnvUnused;

/// Variables that Docker or Compose read for themselves.
const READ_BY_TOOLS: [&str; 2] = ["COMPOSE_", "DOCKER_"];

impl Rule for EnvUnused {
    fn id(&self) -> &'static str {
        "env-unused"
    }

    fn summary(&self) -> &'static str {
        "an env file sets a variable that nothing uses"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        // An entry counts as used if any profile or overlay that reads the file uses it.
        let mut entries: BTreeMap<Span, (bool, String, &str, camino::Utf8PathBuf)> = BTreeMap::new();
        // Of what stands twice in one file the last one counts.
        let mut repeated: BTreeMap<Span, Span> = BTreeMap::new();
        // What a service reads it uses, but for what the same file sets anew.
        let mut idle: BTreeMap<Span, (String, &str, Span)> = BTreeMap::new();
        for profile in &survey.profiles {
            for variant in &profile.profile.variants {
                let Some(compose) = variant.compose() else { continue };
                for entries in compose.all.service_files.iter().map(|file| &file.entries) {
                    for (position, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.overridden) {
                        let again = entries.iter().skip(position + 1).rev().find(|other| other.name == entry.name);
                        if let Some(again) = again {
                            idle.insert(entry.name_span, (entry.name.as_str().to_owned(), profile.name(), again.name_span));
                        }
                    }
                }
                let given: BTreeSet<FileId> = compose.all.service_files.iter().filter_map(|file| file.file).collect();
                for (index, file) in compose.all.env_files.iter().enumerate() {
                    // What a later file sets anew is idle here, and meant to be: an operator's file over the example.
                    let later = compose.all.env_files.iter().skip(index + 1).flat_map(|file| &file.entries);
                    let set_anew: BTreeSet<&str> =
                        later.filter(|entry| entry.used).map(|entry| entry.name.as_str()).collect();
                    for (position, entry) in file.entries.iter().enumerate() {
                        let again = file.entries.iter().skip(position + 1).rev().find(|other| other.name == entry.name);
                        if let Some(again) = again.filter(|again| again.used || set_anew.contains(again.name.as_str())) {
                            repeated.insert(entry.name_span, again.name_span);
                        }
                        let (used, ..) = entries.entry(entry.name_span).or_insert_with(|| {
                            (false, entry.name.as_str().to_owned(), profile.name(), file.path.clone())
                        });
                        *used |=
                            entry.used || set_anew.contains(entry.name.as_str()) || given.contains(&file.file);
                    }
                }
            }
        }
        for (span, (name, profile, again)) in idle {
            out.push(self.set_again(survey, span, &name, profile, again));
        }
        for (span, (used, name, profile, path)) in entries {
            let tool = READ_BY_TOOLS.iter().any(|prefix| name.starts_with(prefix));
            if used || tool || !survey.is_complete(|declared| reads(survey, declared, &path)) {
                continue;
            }
            if let Some(again) = repeated.get(&span) {
                out.push(self.set_again(survey, span, &name, profile, *again));
                continue;
            }
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Warning,
                    Place::source(span).of(profile),
                    format!("nothing uses variable `{name}` of `{}`", survey.path_of(span)),
                )
                .help("remove the line, or use the variable"),
            );
        }
    }
}

impl EnvUnused {
    fn set_again(&self, survey: &Survey<'_>, span: Span, name: &str, profile: &str, again: Span) -> Finding<Place> {
        let path = survey.path_of(span);
        let message = format!("variable `{name}` is set again in `{path}`, and this value is not used");
        Finding::new(self.id(), Severity::Warning, Place::source(span).of(profile), message)
            .related(Place::source(again), "this one counts")
            .help("remove one of the lines, or correct its name")
    }
}

/// Whether a declared profile reads an env file: only when all that do are checked can an entry be said to be idle.
fn reads(survey: &Survey<'_>, declared: &release::Profile, path: &camino::Utf8Path) -> bool {
    let ProfileSource::Compose(source) = &declared.source else { return false };
    let overlays = source.overlays.iter().filter_map(|name| survey.inputs.workspace.overlay(name));
    let mut env = source.env.iter().chain(overlays.flat_map(|overlay| &overlay.env));
    env.any(|env| path.ends_with(&env.value))
}
