//! A Compose file uses a variable that nothing sets.

use findings::{Finding, Severity};
use release::{ProfileSource, nearest};

use composefile::{VariableSource, VariableUse};

use crate::place::Place;
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
            let ProfileSource::Compose(source) = &profile.profile.declared.source else { return };
            let known = profile.profile.variants.iter().filter_map(|variant| variant.compose());
            let known = known.flat_map(|compose| &compose.all.env_files).flat_map(|file| &file.entries);
            let near = nearest(wanted, known.map(|entry| entry.name.as_str()));
            let help = match (near, source.env.first()) {
                (Some(near), _) => format!("did you mean `{near}`? If not, set `{wanted}` in the env file"),
                (None, Some(env)) => {
                    format!("set `{wanted}` in `{}`, or write `${{{wanted}:-}}` if it may be empty", env.value)
                }
                (None, None) => format!(
                    "give the profile an `env` file that sets `{wanted}`, or write a default: `${{{wanted}:-…}}`; if only the operator sets it, \
                     list it under `external.variables`"
                ),
            };
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

/// Every use of a variable without value and without a word on what happens then. What the operator sets is looked at only with the
/// operator's own env file.
pub(crate) fn each_undefined(survey: &Survey<'_>, report: &mut dyn FnMut(&ProfileSurvey<'_>, &VariableUse)) {
    for profile in &survey.profiles {
        let declared = &profile.profile.declared.external.variables;
        let of_operator = |variable: &VariableUse| {
            !profile.profile.operator_env && declared.iter().any(|declared| declared.value == *variable.name)
        };
        for variant in &profile.profile.variants {
            let Some(compose) = variant.compose() else { continue };
            for variable in &compose.all.variables {
                // `${X:-y}` and `${X:+y}` say what happens without a value.
                let is_said = variable.default.is_some() || variable.presence || variable.span.is_none();
                if variable.from == VariableSource::Unset && !is_said && !of_operator(variable) {
                    report(profile, variable);
                }
            }
        }
    }
}
