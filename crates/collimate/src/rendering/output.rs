//! What `collimate render` prints.

use std::sync::Arc;

use alignment::{ComposeRendering, KubeDocument, KubernetesRendering, Rendering};
use camino::Utf8PathBuf;
use composefile::{Profiles, Project};
use helmchart::{Chart, HelmVersion, RenderOptions};
use release::ProfileSource;
use source::{FileId, Files as _, Text};
use yamlspan::Dialect;

use super::{DEFAULT_NAMESPACE, Mode, compose_options, helm_options, kubernetes};
use crate::exit::{Failure, Result};
use crate::laid_over;
use crate::masking;
use crate::session::Session;

/// A rendered profile.
pub(crate) enum Output {
    Compose(Arc<Project>),
    Chart(helmchart::Rendered),
    Manifests(Vec<Arc<str>>),
}

/// Renders one profile for printing. `now`: what charts take for this moment, in seconds since 1970; by default the first one, as where nobody
/// is given what is rendered.
pub(crate) fn output(
    session: &Session,
    profile: &release::Profile,
    overlay: Option<&str>,
    now: Option<i64>,
) -> Result<Output> {
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::input(format!("cannot render `{}`", profile.name.value)).because(cause)
    };
    match &profile.source {
        ProfileSource::Compose(_) => compose_output(session, profile, overlay, None).map(|(_, output)| output),
        _ if overlay.is_some() => {
            Err(Failure::usage(format!("`{}` is no Compose profile: it has no overlays", profile.name.value)))
        }
        ProfileSource::Helm(source) => {
            let failed = |error: helmchart::Error| failed(&error).hint_if(error.way_out(&source.chart));
            let chart = Chart::load(&source.chart, &session.files).map_err(failed)?;
            let options = RenderOptions { now, ..helm_options(source, Mode::default()) };
            helmchart::render(&chart, &options, &session.files).map(Output::Chart).map_err(failed)
        }
        ProfileSource::Manifests(paths) => paths
            .iter()
            .map(|path| session.files.read_text(path).map(|(_, text)| text).map_err(|error| failed(&error)))
            .collect::<Result<_>>()
            .map(Output::Manifests),
    }
}

/// Renders one Compose profile for printing, and tells with what options.
pub(crate) fn compose_output(
    session: &Session,
    profile: &release::Profile,
    overlay: Option<&str>,
    env_files: Option<&[Utf8PathBuf]>,
) -> Result<(composefile::Options, Output)> {
    let name = &profile.name.value;
    let ProfileSource::Compose(source) = &profile.source else {
        return Err(Failure::usage(format!("`{name}` is no Compose profile")));
    };
    let depth = match overlay {
        None => 0,
        Some(overlay) => {
            1 + source.overlays.iter().position(|known| known.value == overlay).ok_or_else(|| {
                let known: Vec<&str> = source.overlays.iter().map(|name| name.value.as_str()).collect();
                Failure::usage(format!("profile `{name}` has no overlay `{overlay}`"))
                    .hint(format!("its overlays: {}", known.join(", ")))
            })?
        }
    };
    let mode = Mode { trace: false, env_files };
    let options = compose_options(session, source, depth, mode, Profiles::Named(Vec::new()));
    match composefile::load(&options, &session.files) {
        Ok(project) => Ok((options, Output::Compose(Arc::new(project)))),
        Err(error) => {
            let alone = Some(&options).filter(|_| depth == 0);
            let over_base = alone.and_then(|options| laid_over::way_out(options, &error, &session.files));
            Err(Failure::input(format!("cannot render `{name}`")).because(masking::refusal(&error)).hint_if(over_base))
        }
    }
}

impl Output {
    pub(crate) fn yaml(&self) -> String {
        match self {
            Self::Compose(project) => project.to_yaml(),
            Self::Chart(rendered) => rendered.output().as_str().to_owned(),
            Self::Manifests(texts) => texts.iter().map(|text| &**text).collect::<Vec<_>>().join("\n---\n"),
        }
    }

    pub(crate) fn json(&self) -> Option<String> {
        match self {
            Self::Compose(project) => Some(project.to_json()),
            Self::Chart(_) | Self::Manifests(_) => None,
        }
    }

    /// The images, one a line, each once, in rendered order.
    pub(crate) fn images(&self) -> std::result::Result<String, String> {
        let rendering = match self {
            Self::Compose(project) => {
                Rendering::Compose(ComposeRendering { all: Arc::clone(project), default: Arc::clone(project) })
            }
            Self::Chart(rendered) => {
                Rendering::Kubernetes(Arc::new(kubernetes(rendered.clone(), DEFAULT_NAMESPACE.to_owned())))
            }
            Self::Manifests(texts) => {
                let mut documents = Vec::new();
                for text in texts {
                    let parsed = yamlspan::parse(Arc::clone(text), FileId(0), Dialect::GoYamlV2);
                    documents.extend(parsed.map_err(|error| error.to_string())?.into_iter().map(|document| {
                        KubeDocument {
                            template: String::new(),
                            text: Text::new(Arc::clone(text)),
                            document: Arc::new(document),
                            hook: false,
                        }
                    }));
                }
                Rendering::Kubernetes(Arc::new(KubernetesRendering::new(documents, DEFAULT_NAMESPACE)))
            }
        };
        let mut lines: Vec<String> = Vec::new();
        for image in alignment::images(&rendering, &[]) {
            let line = format!("{}\n", image.text);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        Ok(lines.concat())
    }

    /// What `helm template --show-only` prints.
    pub(crate) fn only(&self, templates: &[String], helm: HelmVersion) -> std::result::Result<String, String> {
        match self {
            Self::Chart(rendered) => match rendered.output_of(templates, helm) {
                Ok(text) => Ok(text.as_str().to_owned()),
                Err(error) => Err(error.to_string()),
            },
            Self::Compose(_) | Self::Manifests(_) => Err("only a chart has templates".to_owned()),
        }
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        match self {
            Self::Compose(project) => project.warnings.iter().map(|warning| warning.message.as_str()).collect(),
            Self::Chart(rendered) => rendered.warnings.iter().map(String::as_str).collect(),
            Self::Manifests(_) => Vec::new(),
        }
    }
}
