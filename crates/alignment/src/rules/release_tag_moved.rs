//! Two releases list the same image and tag with different digests.

use std::collections::BTreeMap;

use findings::{Finding, Severity};
use release::{Component, Release};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseTagMoved;

impl Rule for ReleaseTagMoved {
    fn id(&self) -> &'static str {
        "release-tag-moved"
    }

    fn summary(&self) -> &'static str {
        "two releases list the same image and tag with different digests"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let mut first_listed: BTreeMap<(String, &str), (&Release, &Component)> = BTreeMap::new();
        // Two roles may share one file: a release does not contradict itself.
        let mut seen = Vec::new();
        for input in survey.inputs.releases {
            let Some(release) = &input.release else { continue };
            if input.file.is_some_and(|file| seen.contains(&file)) {
                continue;
            }
            seen.extend(input.file);
            for component in &release.components {
                let Some(digest) = component.digest.get() else { continue };
                let key = (component.image.name(), component.tag.value.as_str());
                let Some((other_release, other)) = first_listed.get(&key) else {
                    first_listed.insert(key, (release, component));
                    continue;
                };
                if other.digest.get() == Some(digest) {
                    continue;
                }
                let (version, other_version) = (&release.version.value, &other_release.version.value);
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        Place::source(component.digest.span),
                        format!(
                            "releases `{other_version}` and `{version}` list `{}:{}` with different digests",
                            key.0, key.1
                        ),
                    )
                    .label(format!("release `{version}` lists this"))
                    .related(Place::source(other.digest.span), format!("release `{other_version}` lists this"))
                    .help("find out which digest the tag has; if the tag was moved, list the new image under a tag of its own"),
                );
            }
        }
    }
}
