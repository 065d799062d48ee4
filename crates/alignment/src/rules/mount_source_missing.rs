//! A Compose service mounts a path of the workspace that does not exist.

use findings::{Finding, Severity};

use crate::compose::{entries, services};
use crate::mounts::{inside, is_generated, mounts};
use crate::place::{Object, Path, Place};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct MountSourceMissing;

impl Rule for MountSourceMissing {
    fn id(&self) -> &'static str {
        "mount-source-missing"
    }

    fn summary(&self) -> &'static str {
        "a service mounts a path that does not exist"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(compose) = variant.compose() else { continue };
                for service in services(&compose.all) {
                    for mount in mounts(&service) {
                        let what = format!("{} mounts", service.title);
                        self.path(survey, profile, index, mount.source, mount.path, &what, out);
                    }
                }
                for (group, word) in [("configs", "config"), ("secrets", "secret")] {
                    for (name, node) in entries(compose.all.root.get(group)) {
                        if let Some(file) = node.get("file").and_then(|file| file.as_str()) {
                            let path = Path::keys(&[group, name, "file"]);
                            let what = format!("{word} `{name}` is");
                            self.path(survey, profile, index, file, path, &what, out);
                        }
                    }
                }
            }
        }
    }
}

impl MountSourceMissing {
    #[expect(clippy::too_many_arguments, reason = "one place of one profile, in parts")]
    fn path(
        &self,
        survey: &Survey<'_>,
        profile: &ProfileSurvey<'_>,
        variant: usize,
        source: &str,
        path: Path,
        what: &str,
        out: &mut Vec<Finding<Place>>,
    ) {
        let Some(relative) = inside(survey.inputs.root, source) else { return };
        if survey.inputs.facts.kind(&relative).is_some() || is_generated(&profile.profile.declared, &relative) {
            return;
        }
        out.push(
            Finding::new(
                self.id(),
                Severity::Error,
                profile.value(variant, Object::Compose, path),
                format!("{what} `{relative}`, which does not exist"),
            )
            .label("Docker would create an empty folder here, or fail")
            .help(format!(
                "add the file, or list it under `generated` of profile `{}` if tooling makes it",
                profile.name()
            )),
        );
    }
}
