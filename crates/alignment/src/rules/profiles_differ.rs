//! A profile and its twin run different images.

use std::collections::BTreeMap;

use findings::{Finding, Severity};
use release::Spanned;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Standing, Survey, Used};

pub(super) struct ProfilesDiffer;

impl Rule for ProfilesDiffer {
    fn id(&self) -> &'static str {
        "profiles-differ"
    }

    fn summary(&self) -> &'static str {
        "a profile and its twin use different images"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let Some(twin_name) = &profile.profile.declared.twin else { continue };
            let Some(twin) = survey.profile(twin_name) else { continue };
            // Where both name each other, the pair is compared once.
            let back = twin.profile.declared.twin.as_ref();
            if back.is_some_and(|back| back.value == profile.name()) && twin.name() < profile.name() {
                continue;
            }
            if !profile.is_rendered() || !twin.is_rendered() {
                continue;
            }
            self.components(profile, twin, twin_name, out);
            self.unmanaged(profile, twin, twin_name, out);
        }
    }
}

/// Images by what they are to the release: the component's name, or the unmanaged image's.
type ByName<'s, 'a> = BTreeMap<String, &'s Used<'a>>;

fn components<'s, 'a>(profile: &'s ProfileSurvey<'a>, other: &ProfileSurvey<'_>) -> ByName<'s, 'a> {
    let mut out = BTreeMap::new();
    for (used, component) in profile.components() {
        if component.is_for(other.profile.declared.kind(), other.name()) {
            out.entry(component.name.value.clone()).or_insert(used);
        }
    }
    out
}

fn unmanaged<'s, 'a>(profile: &'s ProfileSurvey<'a>) -> ByName<'s, 'a> {
    let mut out = BTreeMap::new();
    for used in &profile.images {
        if let Standing::Unmanaged(unmanaged) | Standing::OtherTag(unmanaged) = used.standing {
            out.entry(unmanaged.image.name()).or_insert(used);
        }
    }
    out
}

impl ProfilesDiffer {
    fn components(
        &self,
        profile: &ProfileSurvey<'_>,
        twin: &ProfileSurvey<'_>,
        declared: &Spanned<String>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let (here, there) = (components(profile, twin), components(twin, profile));
        for (has, has_not, mine, other) in [(profile, twin, &here, &there), (twin, profile, &there, &here)] {
            for (name, used) in mine {
                if other.contains_key(name) {
                    continue;
                }
                let help = format!(
                    "add `{name}` to `{}`, or give it `only_in: [{}]` in the release manifest",
                    has_not.name(),
                    has.profile.declared.kind().as_str()
                );
                self.missing(has, has_not, name, used, declared, help, out);
            }
        }
    }

    fn unmanaged(
        &self,
        profile: &ProfileSurvey<'_>,
        twin: &ProfileSurvey<'_>,
        declared: &Spanned<String>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let (here, there) = (unmanaged(profile), unmanaged(twin));
        for (has, has_not, mine, other) in [(profile, twin, &here, &there), (twin, profile, &there, &here)] {
            for (name, used) in mine {
                if !other.contains_key(name) {
                    let help = format!("add `{name}` to `{}`, or remove it from `{}`", has_not.name(), has.name());
                    self.missing(has, has_not, name, used, declared, help, out);
                }
            }
        }
        for (name, used) in &here {
            let Some(other) = there.get(name) else { continue };
            // A tag that is not allowed has a finding of its own.
            if [used, other].iter().any(|used| matches!(used.standing, Standing::OtherTag(_))) {
                continue;
            }
            let (Ok(a), Ok(b)) = (&used.image.reference, &other.image.reference) else { continue };
            if a.tag() == b.tag() && a.digest() == b.digest() {
                continue;
            }
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    profile.at(used.image.tag_place()),
                    format!("profile `{}` and its twin `{}` use different versions of `{name}`", profile.name(), twin.name()),
                )
                .label(format!("profile `{}` uses this", profile.name()))
                .related(twin.at(other.image.tag_place()), format!("profile `{}` uses this", twin.name()))
                .help("use the same tag and digest in both"),
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one message, built from both sides of a pair")]
    fn missing(
        &self,
        has: &ProfileSurvey<'_>,
        has_not: &ProfileSurvey<'_>,
        name: &str,
        used: &Used<'_>,
        declared: &Spanned<String>,
        help: String,
        out: &mut Vec<Finding<Place>>,
    ) {
        out.push(
            Finding::new(
                self.id(),
                Severity::Error,
                has.at(used.image.repository_place()),
                format!("profile `{}` uses `{name}`, but its twin `{}` does not", has.name(), has_not.name()),
            )
            .label(format!("used by {}", used.image.user))
            .related(Place::source(declared.span).of(has_not.name()), "twins by this line")
            .help(help),
        );
    }
}
