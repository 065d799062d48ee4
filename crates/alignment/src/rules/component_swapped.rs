//! A service or container that is named after one component, or like one of the twin profile, runs another one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::Component;

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
        for profile in &survey.profiles {
            self.named_after_one(profile, out);
            if let Some(twin) = profile.profile.declared.twin.as_ref().and_then(|name| survey.profile(name)) {
                // Where both name each other, the pair is compared once.
                let back = twin.profile.declared.twin.as_ref();
                if back.is_none_or(|back| back.value != profile.name()) || profile.name() < twin.name() {
                    self.named_alike(profile, twin, out);
                }
            }
        }
    }
}

/// What runs under a name; none where there are several under it, as where every pod calls its container `main`.
fn running<'s, 'a>(profile: &'s ProfileSurvey<'a>) -> BTreeMap<&'s str, Option<(&'s Used<'a>, &'a Component)>> {
    let mut out: BTreeMap<&str, Option<(&Used<'_>, &Component)>> = BTreeMap::new();
    for used in profile.images.iter().filter(|used| !used.image.runs_as.is_empty()) {
        let component = match used.standing {
            Standing::Component(component) => Some((used, component)),
            _ => None,
        };
        let name = |found: &Option<(&Used<'_>, &Component)>| found.map(|(_, component)| component.image.name());
        let entry = out.entry(&used.image.runs_as).or_insert(component);
        if name(entry) != name(&component) {
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
    fn named_after_one(&self, profile: &ProfileSurvey<'_>, out: &mut Vec<Finding<Place>>) {
        let Some(held) = profile.release else { return };
        for used in &profile.images {
            let Standing::Component(component) = used.standing else { continue };
            let meant = held.release.components.iter().find(|known| known.name.value == used.image.runs_as);
            let Some(meant) = meant.filter(|meant| meant.image.name() != component.image.name()) else { continue };
            let (name, running) = (&meant.name.value, &component.name.value);
            if is_one_product(name, running) {
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
                .related(Place::source(meant.image.span), format!("the image of `{name}`"))
                .help("use the image that it is named after, or give it another name"),
            );
        }
    }

    fn named_alike(&self, profile: &ProfileSurvey<'_>, twin: &ProfileSurvey<'_>, out: &mut Vec<Finding<Place>>) {
        let others = running(twin);
        for (name, found) in running(profile) {
            let (Some((used, component)), Some((other, meant))) = (found, others.get(name).copied().flatten()) else {
                continue;
            };
            // One that is named after a component has its own finding.
            let components = profile.release.map(|held| &held.release.components);
            let is_component = components.is_some_and(|all| all.iter().any(|known| known.name.value == name));
            if component.image.name() == meant.image.name() || is_component {
                continue;
            }
            let (here, there) = (&component.name.value, &meant.name.value);
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
