//! Where every image of a release is pinned, in source bytes: what `pin` edits and `shared-pin-conflict` compares.

use std::ops::Range;

use release::{Component, Release};

use crate::image::Image;
use crate::inputs::Profile;
use crate::place::Rendered;
use crate::resolve::{Resolved, resolve};
use crate::survey::Survey;

/// One use of a component in one profile, with the source bytes of its parts.
pub struct Pin<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// The release that the profile is held to.
    pub release: &'a Release,
    pub component: &'a Component,
    pub image: &'a Image,
    /// The reference that the profile is meant to use: `registry/repository:tag@digest`; without digest where the
    /// release knows none.
    pub wanted: String,
    /// The whole reference.
    pub whole: Resolved,
    pub repository: Resolved,
    /// Absent where the reference has none.
    pub tag: Option<Resolved>,
    /// Absent where the reference has none.
    pub digest: Option<Resolved>,
}

/// Every use of every component. `traced` gives the traced rendering of a profile by name; profiles without one are left
/// out.
#[must_use]
pub fn pins<'a, 't>(survey: &'a Survey<'_>, traced: &dyn Fn(&str) -> Option<&'t Profile>) -> Vec<Pin<'a>> {
    let mut out = Vec::new();
    for profile in &survey.profiles {
        let (Some(held), Some(rendered)) = (profile.release, traced(profile.name())) else { continue };
        for (used, component) in profile.components() {
            let Ok(reference) = &used.image.reference else { continue };
            let part = |range: Range<usize>| -> Resolved {
                let place: Rendered = used.image.place(Some(range));
                resolve(rendered, &place)
            };
            let ranges = reference.ranges();
            let name = profile.profile.declared.profile_spelling(&component.image).name();
            let wanted = match component.digest.get() {
                Some(digest) => format!("{name}:{}@{digest}", component.tag.value),
                None => format!("{name}:{}", component.tag.value),
            };
            out.push(Pin {
                profile: profile.name(),
                release: held.release,
                component,
                image: &used.image,
                wanted,
                whole: part(ranges.whole.clone()),
                repository: part(ranges.repository.clone()),
                tag: ranges.tag.clone().map(part),
                digest: ranges.digest.clone().map(part),
            });
        }
    }
    out
}
