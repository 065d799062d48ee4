//! A service or container that is named after one component, or like one of the twin profile, runs another one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::{Component, ImageRef, Release, Unmanaged};
use source::Span;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Standing, Survey, Used};

pub(super) struct ComponentSwapped;

impl Rule for ComponentSwapped {
    fn id(&self) -> &'static str {
        "component-swapped"
    }

    fn summary(&self) -> &'static str {
        "a service that is named after one component, or like one of the twin, runs another one"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for release in survey.inputs.releases.iter().filter_map(|input| input.release()) {
            self.exchanged(release, out);
        }
        for profile in &survey.profiles {
            self.named_after_one(survey, profile, out);
            if let Some(twin) = profile.profile.declared.twin.as_ref().and_then(|name| survey.profile(name)) {
                // Where both name each other, the pair is compared once.
                let back = twin.profile.declared.twin.as_ref();
                if back.is_none_or(|back| back.value != profile.name()) || profile.name() < twin.name() {
                    self.named_alike(survey, [profile, twin], out);
                }
            }
        }
    }
}

/// An image with the name that services have which run it: a component's, or the last part of an unmanaged image's own.
#[derive(Clone, Copy)]
struct Known<'a> {
    name: &'a str,
    image: &'a ImageRef,
    span: Span,
}

impl<'a> Known<'a> {
    fn component(component: &'a Component) -> Self {
        Self { name: &component.name.value, image: &component.image.value, span: component.image.span }
    }

    fn unmanaged(unmanaged: &'a Unmanaged) -> Self {
        Self { name: unmanaged.image.value.short_name(), image: &unmanaged.image.value, span: unmanaged.image.span }
    }

    fn of(used: &Used<'a>) -> Option<Self> {
        match used.standing {
            Standing::Component(component) => Some(Self::component(component)),
            Standing::Unmanaged(unmanaged) => Some(Self::unmanaged(unmanaged)),
            _ => None,
        }
    }

    /// What a service of this name is meant to run.
    fn named(name: &str, survey: &Survey<'a>, profile: &ProfileSurvey<'a>) -> Option<Self> {
        let components = profile.release.into_iter().flat_map(|held| &held.release.components).map(Self::component);
        let unmanaged = survey.inputs.workspace.unmanaged.iter().map(Self::unmanaged);
        components.chain(unmanaged).find(|known| known.name == name)
    }
}

/// What runs under a name; none where there are several under it, as where every pod calls its container `main`.
fn running<'s, 'a>(profile: &'s ProfileSurvey<'a>) -> BTreeMap<&'s str, Option<(&'s Used<'a>, Known<'a>)>> {
    let mut out: BTreeMap<&str, Option<(&Used<'_>, Known<'_>)>> = BTreeMap::new();
    for used in profile.images.iter().filter(|used| !used.image.runs_as.is_empty()) {
        let known = Known::of(used).map(|known| (used, known));
        let name = |found: &Option<(&Used<'_>, Known<'_>)>| found.map(|(_, known)| known.image.name());
        let entry = out.entry(&used.image.runs_as).or_insert(known);
        if name(entry) != name(&known) {
            *entry = None;
        }
    }
    out
}

/// Whether one name goes on where the other ends: `redismod` is a `redis`, and `mongodb` is `mongo`. After a separator begins another component:
/// `notify` and `notify-web`.
fn is_one_product(name: &str, other: &str) -> bool {
    let goes_on = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    };
    goes_on(name, other) || goes_on(other, name)
}

impl ComponentSwapped {
    /// Two components of a manifest, each with an image that is called as the other one is. Where they have digests, profiles tell.
    fn exchanged(&self, release: &Release, out: &mut Vec<Finding<Place>>) {
        let named = |name: &str| release.components.iter().find(|component| component.name.value == name);
        for component in &release.components {
            let name = component.name.value.as_str();
            let image = component.image.value.short_name();
            let Some(other) = named(image).filter(|other| name < image && other.image.value.short_name() == name) else {
                continue;
            };
            let message = format!(
                "components `{name}` and `{image}` of release `{}` have each other's image",
                release.version.value
            );
            out.push(
                Finding::new(self.id(), Severity::Warning, Place::source(component.image.span), message)
                    .label(format!("the image of `{name}`"))
                    .related(Place::source(other.image.span), format!("the image of `{image}`"))
                    .help("exchange the two, or name the components after their images"),
            );
        }
    }

    fn named_after_one<'a>(&self, survey: &Survey<'a>, profile: &ProfileSurvey<'a>, out: &mut Vec<Finding<Place>>) {
        for used in &profile.images {
            let Some(runs) = Known::of(used).filter(|runs| runs.name != used.image.runs_as) else { continue };
            let meant = Known::named(&used.image.runs_as, survey, profile);
            let Some(meant) = meant.filter(|meant| !meant.image.same_name(runs.image)) else { continue };
            let (name, running) = (meant.name, runs.name);
            // What an image is called in its repository is its name too: `bitnami/redis` is a `redis`.
            if is_one_product(name, running) || runs.image.short_name() == name {
                continue;
            }
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Warning,
                    profile.at(used.image.repository_place()),
                    format!("{} of profile `{}` runs `{running}`, not `{name}`", used.image.user, profile.name()),
                )
                .label(format!("the image of `{running}`"))
                .related(Place::source(meant.span), format!("the image of `{name}`"))
                .help("use the image that it is named after, or give it another name"),
            );
        }
    }

    fn named_alike<'a>(
        &self,
        survey: &Survey<'a>,
        [profile, twin]: [&ProfileSurvey<'a>; 2],
        out: &mut Vec<Finding<Place>>,
    ) {
        let others = running(twin);
        for (name, found) in running(profile) {
            let (Some((used, runs)), Some((other, meant))) = (found, others.get(name).copied().flatten()) else {
                continue;
            };
            // One that is named after an image has its own finding.
            if runs.image.same_name(meant.image) || Known::named(name, survey, profile).is_some() {
                continue;
            }
            let (here, there) = (runs.name, meant.name);
            let message = format!(
                "{} of profile `{}` runs `{here}`, and {} of its twin `{}` runs `{there}`",
                used.image.user,
                profile.name(),
                other.image.user,
                twin.name()
            );
            out.push(
                Finding::new(self.id(), Severity::Warning, profile.at(used.image.repository_place()), message)
                    .label(format!("the image of `{here}`"))
                    .related(twin.at(other.image.repository_place()), format!("the image of `{there}`"))
                    .help("run the same component under one name, or give one of them another name"),
            );
        }
    }
}
