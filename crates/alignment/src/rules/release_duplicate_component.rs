//! Two components of a release have one name, or list one image under one tag.

use std::collections::BTreeMap;

use findings::{Finding, Severity};
use release::{Component, Tagged};

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
        for release in survey.inputs.releases.iter().filter_map(|input| input.release()) {
            let version = &release.version.value;
            let mut named: BTreeMap<&str, &Component> = BTreeMap::new();
            // Under two tags an image may stand twice: what a profile writes says which one it means.
            let mut listed: BTreeMap<Tagged<'_>, &Component> = BTreeMap::new();
            for component in &release.components {
                let name = &component.name.value;
                let first_listed = *listed.entry(component.tagged()).or_insert(component);
                let first = *named.entry(name).or_insert(component);
                if !std::ptr::eq(first, component) {
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
                } else if !std::ptr::eq(first_listed, component) {
                    let first = first_listed;
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
