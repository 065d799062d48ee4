//! A Compose service mounts a path of the workspace that does not exist.

use camino::{Utf8Path, Utf8PathBuf};
use std::ops::RangeInclusive;

use findings::{Finding, Severity};

use crate::compose::{entries, services};
use crate::mounts::{inside, is_generated, mounts};
use crate::place::{Object, Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct MountSourceMissing;

/// The ending of folders whose files are read one by one: `conf.d`.
const FOLDER_ENDING: &str = "d";

/// A path that is not there.
pub(crate) struct Missing<'s, 'a> {
    pub(crate) profile: &'s ProfileSurvey<'a>,
    variant: usize,
    path: Path,
    pub(crate) relative: Utf8PathBuf,
    /// Who needs it, such as `` service `web` mounts ``.
    what: String,
    /// Whether a container may write to it and it can be a folder: then Docker makes what is meant, an empty one for data.
    can_be_made: bool,
}

impl Rule for MountSourceMissing {
    fn id(&self) -> &'static str {
        "mount-source-missing"
    }

    fn summary(&self) -> &'static str {
        "a service mounts a path that does not exist"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        each_missing(survey, &mut |missing| {
            let Missing { profile, variant, path, relative, what, can_be_made } = missing;
            let (severity, label) = if *can_be_made {
                (Severity::Warning, "Docker makes an empty folder here, owned by root")
            } else {
                (Severity::Error, "Docker would create an empty folder here, or fail")
            };
            out.push(
                Finding::new(
                    self.id(),
                    severity,
                    profile.value(*variant, Object::Compose, path.clone()),
                    format!("{what} `{relative}`, which does not exist"),
                )
                .label(label)
                .help(format!(
                    "add the file, or list it under `generated` of profile `{}` if tooling makes it",
                    profile.name()
                )),
            );
        });
    }
}

/// Every path of the workspace that a profile mounts, takes as `configs` or `secrets`, and that is neither there nor declared `generated`.
pub(crate) fn each_missing(survey: &Survey<'_>, report: &mut dyn FnMut(&Missing<'_, '_>)) {
    for profile in &survey.profiles {
        let mut look = |variant: usize, source: &str, path: Path, what: String, can_be_made: bool| {
            let Some(relative) = inside(survey.inputs.root, source) else { return };
            if survey.inputs.facts.kind(&relative).is_none() && !is_generated(&profile.profile.declared, &relative) {
                report(&Missing { profile, variant, path, relative, what, can_be_made });
            }
        };
        for (index, variant) in profile.profile.variants.iter().enumerate() {
            let Some(compose) = variant.compose() else { continue };
            for service in services(&compose.all) {
                for mount in mounts(&service) {
                    let is_file = [mount.source, mount.target].into_iter().any(is_named_as_file);
                    let can_be_made = mount.may_be_made && !mount.read_only && !is_file;
                    look(index, mount.source, mount.path, format!("{} mounts", service.title()), can_be_made);
                }
            }
            for (group, word) in [("configs", "config"), ("secrets", "secret")] {
                for (name, node) in entries(compose.all.root.get(group)) {
                    if let Some(file) = node.get("file").and_then(|file| file.as_str()) {
                        let path = Path::keys(&[group, name, "file"]);
                        look(index, file, path, format!("{word} `{name}` is"), false);
                    }
                }
            }
        }
    }
}

/// Whether the last part of a path has an ending, as files have.
fn is_named_as_file(path: &str) -> bool {
    Utf8Path::new(path).extension().is_some_and(|ending| ending != FOLDER_ENDING)
}
