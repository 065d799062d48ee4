//! A Compose service mounts a single file.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use source::FileKind;

use crate::compose::services;
use crate::mounts::{inside, mounts};
use crate::place::{Object, Place};
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct SingleFileMount;

impl Rule for SingleFileMount {
    fn id(&self) -> &'static str {
        "single-file-mount"
    }

    fn summary(&self) -> &'static str {
        "a file is mounted alone and keeps its old content when it is replaced"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                let Some(compose) = variant.compose() else { continue };
                for service in services(&compose.all) {
                    for mount in mounts(&service) {
                        let Some(relative) = inside(survey.inputs.root, mount.source) else { continue };
                        if survey.inputs.facts.kind(&relative) != Some(FileKind::File) {
                            continue;
                        }
                        out.push(
                            Finding::new(
                                self.id(),
                                Severity::Warning,
                                profile.value(index, Object::Compose, mount.path),
                                format!("{} mounts the single file `{relative}`", service.title()),
                            )
                            .label("keeps its old content after an editor or `git` replaces the file")
                            .help("mount the folder that holds it, or use a top-level `configs` entry"),
                        );
                    }
                }
            }
        }
    }
}
