//! Helm would refuse a profile, or a file of plain manifests cannot be read.

use findings::{Finding, Severity};
use release::ProfileSource;

use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct HelmRender;

impl Rule for HelmRender {
    fn id(&self) -> &'static str {
        "helm-render"
    }

    fn summary(&self) -> &'static str {
        "Helm would refuse to render a profile"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let declared = &profile.profile.declared;
            let fallback = match &declared.source {
                ProfileSource::Compose(_) => continue,
                ProfileSource::Helm(source) => source.chart.span,
                ProfileSource::Manifests(files) => files.first().map_or(declared.name.span, |file| file.span),
            };
            for variant in &profile.profile.variants {
                let Err(failure) = &variant.rendering else { continue };
                let name = profile.name();
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        Place::source(failure.span.unwrap_or(fallback)).of(name),
                        format!("profile `{name}` does not render: {}", failure.message),
                    )
                    .help(failure.help.clone().unwrap_or_else(|| {
                        format!("correct the file; `collimate render {name}` renders this profile alone")
                    })),
                );
            }
        }
    }
}
