//! A Compose file uses a variable that nothing sets.

use findings::{Finding, Severity};
use release::{ProfileSource, nearest};

use composefile::VariableSource;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct EnvUndefined;

impl Rule for EnvUndefined {
    fn id(&self) -> &'static str {
        "env-undefined"
    }

    fn summary(&self) -> &'static str {
        "a Compose file uses a variable that nothing sets"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let name = profile.name();
            let ProfileSource::Compose(source) = &profile.profile.declared.source else { continue };
            for variant in &profile.profile.variants {
                let Some(compose) = variant.compose() else { continue };
                for variable in &compose.all.variables {
                    // `${X:-y}` and `${X:+y}` say what happens without a value.
                    if variable.from != VariableSource::Unset || variable.default.is_some() || variable.presence {
                        continue;
                    }
                    let Some(span) = variable.span else { continue };
                    let wanted = &variable.name;
                    let known = compose.all.env_files.iter().flat_map(|file| &file.entries);
                    let near = nearest(wanted, known.map(|entry| entry.name.as_str()));
                    let help = match (near, source.env.first()) {
                        (Some(near), _) => format!("did you mean `{near}`? If not, set `{wanted}` in the env file"),
                        (None, Some(env)) => {
                            format!("set `{wanted}` in `{}`, or write `${{{wanted}:-}}` if it may be empty", env.value)
                        }
                        (None, None) => {
                            format!("give the profile an `env` file that sets `{wanted}`, or write a default: `${{{wanted}:-…}}`")
                        }
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
                }
            }
        }
    }
}
