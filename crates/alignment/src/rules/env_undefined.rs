//! A Compose file uses a variable that nothing sets.

use findings::{Finding, Severity};
use release::{ProfileSource, nearest};

use composefile::{VariableSource, VariableUse};
use source::Span;

use crate::image::Image;
use crate::place::{Place, Step};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct EnvUndefined;

impl Rule for EnvUndefined {
    fn id(&self) -> &'static str {
        "env-undefined"
    }

    fn summary(&self) -> &'static str {
        "a Compose file uses a variable that nothing sets"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        each_undefined(survey, &mut |profile, variable| {
            let (Some(span), name, wanted) = (variable.span, profile.name(), &variable.name) else { return };
            let optional = format!("write `${{{wanted}:-}}` if it may be empty");
            let open = format!(
                "write a default: `${{{wanted}:-…}}`; if only the operator sets it, list it under `external.variables`"
            );
            let Some(help) = way_out(profile, wanted, [&optional, &open]) else { return };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    Place::source(span).of(name),
                    format!("profile `{name}` uses variable `{wanted}`, which nothing sets"),
                )
                .label("becomes empty")
                .help(help),
            );
        });
    }
}

/// What to do about a variable of a Compose profile that nothing sets: set it where the profile has an env file, or where it has none, or else what
/// is said for these two.
pub(crate) fn way_out(profile: &ProfileSurvey<'_>, wanted: &str, otherwise: [&str; 2]) -> Option<String> {
    let ProfileSource::Compose(source) = &profile.profile.declared.source else { return None };
    let known = profile.profile.variants.iter().filter_map(|variant| variant.compose());
    let known = known.flat_map(|compose| &compose.all.env_files).flat_map(|file| &file.entries);
    let [with_env, without] = otherwise;
    Some(match (nearest(wanted, known.map(|entry| entry.name.as_str())), source.env.first()) {
        (Some(near), _) => format!("did you mean `{near}`? If not, set `{wanted}` in the env file"),
        (None, Some(env)) => format!("set `{wanted}` in `{}`, or {with_env}", env.value),
        (None, None) => format!("give the profile an `env` file that sets `{wanted}`, or {without}"),
    })
}

/// Every use of a variable without value and without a word on what happens then. What the operator sets is looked at only with the
/// operator's own env file; an image that is none without it is said by `image-unlisted`.
pub(crate) fn each_undefined(survey: &Survey<'_>, report: &mut dyn FnMut(&ProfileSurvey<'_>, &VariableUse)) {
    for profile in &survey.profiles {
        let declared = &profile.profile.declared.external.variables;
        let of_operator = |variable: &VariableUse| {
            !profile.profile.operator_env && declared.iter().any(|declared| declared.value == *variable.name)
        };
        let damaged = profile.images.iter().map(|used| &used.image).filter(|image| image.reference.is_err());
        let in_images: Vec<&VariableUse> = damaged.flat_map(|image| undefined_in(profile, image)).collect();
        for variant in &profile.profile.variants {
            let Some(compose) = variant.compose() else { continue };
            for variable in &compose.all.variables {
                if is_undefined(variable) && !of_operator(variable) && !in_images.contains(&variable) {
                    report(profile, variable);
                }
            }
        }
    }
}

fn is_undefined(variable: &VariableUse) -> bool {
    // `${X:-y}` and `${X:+y}` say what happens without a value.
    let is_said = variable.default.is_some() || variable.presence || variable.span.is_none();
    variable.from == VariableSource::Unset && !is_said
}

/// The variables without value in the place of an image of Compose.
pub(crate) fn undefined_in<'s>(profile: &'s ProfileSurvey<'_>, image: &Image) -> Vec<&'s VariableUse> {
    let variant = profile.profile.variants.get(image.variant);
    let Some(compose) = variant.and_then(|variant| variant.compose()) else { return Vec::new() };
    let key = |step: &Step| match step {
        Step::Key(key) | Step::Name(key) => key.to_string(),
        Step::Index(index) => index.to_string(),
    };
    let keys: Vec<String> = image.path.0.iter().map(key).collect();
    let node = compose.all.root.at_path(keys.iter().map(String::as_str));
    let Some(place) = node.and_then(|node| node.span) else { return Vec::new() };
    let is_here = |span: Span| span.file == place.file && place.start <= span.start && span.end <= place.end;
    let undefined = compose.all.variables.iter().filter(|variable| is_undefined(variable));
    undefined.filter(|variable| variable.span.is_some_and(is_here)).collect()
}
