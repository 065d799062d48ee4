//! Two components of a release have one name, or list one image under one tag.

use findings::{Finding, Severity};
use release::Component;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseDuplicateComponent;

impl Rule for ReleaseDuplicateComponent {
    fn id(&self) -> &'static str {
        "release-duplicate-component"
    }

    fn summary(&self) -> &'static str {
        "two components of a release have one name, or list one image under one tag"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for release in survey.inputs.releases.iter().filter_map(|input| input.release.as_deref()) {
            let version = &release.version.value;
            for (index, component) in release.components.iter().enumerate() {
                let name = &component.name.value;
                let earlier = release.components.iter().take(index);
                if let Some(first) = earlier.clone().find(|earlier| earlier.name.value == *name) {
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            Place::source(component.name.span),
                            format!("release `{version}` lists component `{name}` twice"),
                        )
                        .related(Place::source(first.name.span), "first listed here")
                        .help("keep one of them"),
                    );
                } else if let Some(first) = earlier.clone().find(|earlier| lists_the_same(earlier, component)) {
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            Place::source(component.image.span),
                            format!(
                                "release `{version}` lists image `{}:{}` for `{}` and for `{name}`",
                                component.image.name(),
                                component.tag.value,
                                first.name.value
                            ),
                        )
                        .related(Place::source(first.image.span), format!("first listed here, for `{}`", first.name.value))
                        .help("list it once; profiles may run one component in several services"),
                    );
                }
            }
        }
    }
}

/// Under two tags an image may stand twice: what a profile writes says which one it means.
fn lists_the_same(one: &Component, other: &Component) -> bool {
    one.image.same_name(&other.image) && one.tag.value == other.tag.value
}
