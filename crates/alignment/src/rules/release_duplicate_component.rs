//! Two components of a release have one name, or list one image.

use findings::{Finding, Severity};

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ReleaseDuplicateComponent;

impl Rule for ReleaseDuplicateComponent {
    fn id(&self) -> &'static str {
        "release-duplicate-component"
    }

    fn summary(&self) -> &'static str {
        "two components of a release have one name, or list one image"
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
                } else if let Some(first) = earlier.clone().find(|earlier| earlier.image.same_name(&component.image)) {
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            Place::source(component.image.span),
                            format!(
                                "release `{version}` lists image `{}` for `{}` and for `{name}`",
                                component.image.name(),
                                first.name.value
                            ),
                        )
                        .related(Place::source(first.image.span), format!("first listed here, for `{}`", first.name.value))
                        .help("list an image once; profiles may run one component in several services"),
                    );
                }
            }
        }
    }
}
