//! Renders profiles with our engines, several at a time, into what the rules look at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use alignment::{ComposeRendering, KubeDocument, KubernetesRendering, LintMessage, Rendering, Variant};
use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Node, Profiles, Project};
use findings::Severity;
use helmchart::{Chart, HelmVersion, LintSeverity, RenderOptions, SetValue};
use release::{ComposeSource, HelmSource, ProfileSource};
use source::{FileId, Files as _, Span, Text};
use yamlspan::Dialect;

use crate::disk::DiskFiles;
use crate::exit::{Failure, Result};
use crate::masking;
use crate::parallel;
use crate::session::Session;
use crate::targets;

/// The release name and namespace of a Helm profile that names none, as `helm template`'s defaults.
const DEFAULT_RELEASE_NAME: &str = "release-name";
const DEFAULT_NAMESPACE: &str = "default";

/// How to render.
#[derive(Clone, Copy, Default)]
struct Mode<'a> {
    /// Whether texts carry their origins.
    trace: bool,
    /// The operator's real env files, in place of the profile's; later ones win.
    env_files: Option<&'a [Utf8PathBuf]>,
}

/// Charts that are loaded once, whatever the number of profiles.
#[derive(Default)]
pub(crate) struct Charts(Mutex<BTreeMap<Utf8PathBuf, LoadedChart>>);

type LoadedChart = Arc<OnceLock<std::result::Result<Arc<Chart>, helmchart::Error>>>;

impl Charts {
    fn get(&self, path: &Utf8Path, files: &DiskFiles) -> std::result::Result<Arc<Chart>, helmchart::Error> {
        let mut charts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let chart = Arc::clone(charts.entry(path.to_owned()).or_default());
        drop(charts);
        chart.get_or_init(|| Chart::load(path, files).map(Arc::new)).clone()
    }
}

/// Renders profiles, as many at a time as there are cores. The result is in the order given.
///
/// `env_files` gives the operator's env files for a profile, if they are to be read in place of the profile's own.
pub(crate) fn render_all<'a>(
    session: &Session,
    charts: &Charts,
    profiles: &[&release::Profile],
    trace: bool,
    env_files: &(dyn Fn(&release::Profile) -> Option<&'a [Utf8PathBuf]> + Sync),
) -> Vec<alignment::Profile> {
    parallel::map(profiles, |profile| render(session, charts, profile, Mode { trace, env_files: env_files(profile) }))
}

/// Renders one profile with all its overlays.
fn render(session: &Session, charts: &Charts, profile: &release::Profile, mode: Mode<'_>) -> alignment::Profile {
    let mut lint = Vec::new();
    let variants = match &profile.source {
        ProfileSource::Compose(source) => compose_variants(session, source, mode),
        ProfileSource::Helm(source) => {
            let (rendering, messages) = helm(session, charts, source, mode);
            lint = messages;
            vec![Variant { overlays: Vec::new(), rendering }]
        }
        ProfileSource::Manifests(paths) => {
            let rendering = manifests(session, paths, mode).map(Rendering::Kubernetes);
            vec![Variant { overlays: Vec::new(), rendering }]
        }
    };
    alignment::Profile {
        declared: profile.clone(),
        release: session.release_index(profile),
        variants,
        lint,
        operator_env: mode.env_files.is_some(),
    }
}

/// The files and env files of a Compose profile under the first `depth` of its overlays.
fn compose_options(
    session: &Session,
    source: &ComposeSource,
    depth: usize,
    mode: Mode<'_>,
    profiles: Profiles,
) -> composefile::Options {
    let overlays: Vec<&release::Overlay> =
        source.overlays.iter().take(depth).filter_map(|name| session.workspace.overlay(name)).collect();
    let files = source.files.iter().chain(overlays.iter().flat_map(|overlay| &overlay.files));
    let env = source.env.iter().chain(overlays.iter().flat_map(|overlay| &overlay.env));
    composefile::Options {
        current_dir: session.files.root().to_owned(),
        files: files.map(|path| path.value.clone()).collect(),
        env_files: match mode.env_files {
            Some(paths) => paths.to_vec(),
            None => env.map(|path| path.value.clone()).collect(),
        },
        environment: session.environment.clone(),
        project_name: source.project_name.as_ref().map(|name| name.value.clone()),
        profiles,
        trace: mode.trace,
        ..composefile::Options::default()
    }
}

fn compose_variants(session: &Session, source: &ComposeSource, mode: Mode<'_>) -> Vec<Variant> {
    let overlays: Vec<&release::Overlay> =
        source.overlays.iter().filter_map(|name| session.workspace.overlay(name)).collect();
    let options = |depth| compose_options(session, source, depth, mode, Profiles::All);
    let all = options(source.overlays.len());
    let projects = if mode.env_files.is_some() || overlays.iter().all(|overlay| overlay.env.is_empty()) {
        let depths: Vec<usize> = (0..=source.overlays.len()).map(|depth| options(depth).files.len()).collect();
        composefile::load_layers(&all, &depths, &session.files)
    } else {
        (0..=source.overlays.len()).map(|depth| composefile::load(&options(depth), &session.files)).collect()
    };
    let variant = |(depth, project): (usize, std::result::Result<Project, composefile::Error>)| {
        let rendering = project.map_err(|error| compose_failure(&error, session, source)).map(|all| {
            let all = Arc::new(all);
            let default = if uses_profiles(&all) { Arc::new(default_selection(&all)) } else { Arc::clone(&all) };
            Rendering::Compose(ComposeRendering { all, default })
        });
        let overlays = source.overlays.iter().take(depth).map(|name| name.value.clone()).collect();
        Variant { overlays, rendering }
    };
    projects.into_iter().enumerate().map(variant).collect()
}

/// Renders a profile as deployed at its most, all overlays included, through `files`, and throws the result away: whoever asks wants to know which
/// files are read. A profile that does not render has those that were read until then. Gives the paths of the workspace that it mounts.
pub(crate) fn read_through(
    session: &Session,
    profile: &release::Profile,
    files: &dyn source::Files,
) -> Vec<Utf8PathBuf> {
    match &profile.source {
        ProfileSource::Compose(source) => {
            let options = compose_options(session, source, source.overlays.len(), Mode::default(), Profiles::All);
            let project = composefile::load(&options, files);
            project.map(|project| alignment::mounted_paths(&project, session.files.root(), profile)).unwrap_or_default()
        }
        ProfileSource::Helm(source) => {
            if let Ok(chart) = Chart::load(&source.chart, files) {
                let _ = helmchart::render(&chart, &helm_options(source, Mode::default()), files);
            }
            Vec::new()
        }
        ProfileSource::Manifests(paths) => {
            for path in paths {
                let _ = files.read(path);
            }
            Vec::new()
        }
    }
}

fn uses_profiles(project: &Project) -> bool {
    let services = project.root.get("services").and_then(Node::as_map);
    services.is_some_and(|services| services.iter().any(|(_, service)| service.get("profiles").is_some()))
}

/// The project without the services that a Compose profile must be named for. Loading again with the default selection would
/// give the same services; what else it would leave out (networks that only they use) no rule looks at.
fn default_selection(all: &Project) -> Project {
    let mut project = all.clone();
    if let Some(services) =
        project.root.as_map_mut().and_then(|root| root.get_mut("services")).and_then(Node::as_map_mut)
    {
        services.retain(|_, service| service.get("profiles").and_then(Node::as_seq).is_none_or(<[Node]>::is_empty));
    }
    project
}

fn compose_failure(error: &composefile::Error, session: &Session, source: &ComposeSource) -> alignment::Failure {
    let help = error.way_out().map(str::to_owned);
    failure(error, error.span(), help, session, source.env.iter().chain(&source.files))
}

fn helm_failure(error: &helmchart::Error, session: &Session, source: &HelmSource) -> alignment::Failure {
    failure(error, error.span(), error.way_out(&source.chart), session, source.values.iter())
}

/// An engine's refusal, without the place of the workspace on this machine. Where the engine knows no place, the name of the
/// file that it speaks of is the best one.
fn failure<'a>(
    error: &dyn std::fmt::Display,
    span: Option<Span>,
    help: Option<String>,
    session: &Session,
    mut named: impl Iterator<Item = &'a release::Spanned<Utf8PathBuf>>,
) -> alignment::Failure {
    let message = masking::words(error).replace(&format!("{}/", session.files.root()), "");
    // A text that was made while rendering has no file to show.
    let sources = session.files.sources();
    let span = span.filter(|span| !sources.path(span.file).as_str().is_empty());
    let span = span.or_else(|| named.find(|path| message.contains(path.value.as_str())).map(|path| path.span));
    alignment::Failure { message, span, help }
}

fn helm_options(source: &HelmSource, mode: Mode<'_>) -> RenderOptions {
    let text = |value: &Option<release::Spanned<String>>, default: &str| {
        value.as_ref().map_or_else(|| default.to_owned(), |value| value.value.clone())
    };
    RenderOptions {
        release_name: text(&source.release_name, DEFAULT_RELEASE_NAME),
        namespace: text(&source.namespace, DEFAULT_NAMESPACE),
        values: source.values.iter().map(|path| path.value.clone()).collect(),
        set: source.set.iter().map(|set| SetValue::Set(set.value.clone())).collect(),
        kube_version: source.kube_version.as_ref().map(|version| version.value.clone()),
        api_versions: source.api_versions.iter().map(|version| version.value.clone()).collect(),
        trace: mode.trace,
        ..RenderOptions::default()
    }
}

fn helm(
    session: &Session,
    charts: &Charts,
    source: &HelmSource,
    mode: Mode<'_>,
) -> (std::result::Result<Rendering, alignment::Failure>, Vec<LintMessage>) {
    let options = helm_options(source, mode);
    let chart = match charts.get(&source.chart, &session.files) {
        Ok(chart) => chart,
        Err(error) => return (Err(helm_failure(&error, session, source)), Vec::new()),
    };
    let rendered = match helmchart::render(&chart, &options, &session.files) {
        Ok(rendered) => rendered,
        Err(error) => {
            return (Err(helm_failure(&placed(error, &chart, &options, session), session, source)), Vec::new());
        }
    };
    // A traced render only resolves places; what lint says is known by then.
    let lint = if mode.trace { Vec::new() } else { lint(&chart, &options, session) };
    (Ok(Rendering::Kubernetes(kubernetes(rendered, options.namespace))), lint)
}

/// The same refusal with its place: where what was printed is no YAML, only a trace knows which line printed it.
fn placed(error: helmchart::Error, chart: &Chart, options: &RenderOptions, session: &Session) -> helmchart::Error {
    if error.span().is_some() || options.trace {
        return error;
    }
    let traced = RenderOptions { trace: true, ..options.clone() };
    helmchart::render(chart, &traced, &session.files).err().unwrap_or(error)
}

fn kubernetes(rendered: helmchart::Rendered, namespace: String) -> KubernetesRendering {
    let documents = rendered
        .manifests
        .into_iter()
        .chain(rendered.hooks)
        .filter_map(|manifest| {
            Some(KubeDocument {
                hook: manifest.is_hook(),
                template: manifest.template,
                text: manifest.text,
                document: manifest.document?,
            })
        })
        .collect();
    KubernetesRendering { documents, nondeterministic: rendered.nondeterministic, namespace }
}

fn lint(chart: &Chart, options: &RenderOptions, session: &Session) -> Vec<LintMessage> {
    let lint = helmchart::lint(chart, options, &session.files);
    let messages = lint.messages.into_iter().map(|message| LintMessage {
        severity: match message.severity {
            LintSeverity::Error => Severity::Error,
            LintSeverity::Warning => Severity::Warning,
            LintSeverity::Info => Severity::Note,
        },
        path: message.path,
        text: message.text,
        span: message.span,
    });
    messages.collect()
}

/// Plain manifests: each document of each file. Documents are cut so that every one has a text of its own.
fn manifests(
    session: &Session,
    paths: &[release::Spanned<Utf8PathBuf>],
    mode: Mode<'_>,
) -> std::result::Result<KubernetesRendering, alignment::Failure> {
    let mut documents = Vec::new();
    for path in paths {
        let failure = |message: String, span: Option<Span>| alignment::Failure { message, span, help: None };
        let (file, text) =
            session.files.read_text(path).map_err(|error| failure(error.to_string(), Some(path.span)))?;
        let source = if mode.trace {
            Text::exact(Arc::clone(&text), Span::new(file, 0..text.len()))
        } else {
            Text::new(Arc::clone(&text))
        };
        let parsed = yamlspan::parse(Arc::clone(&text), file, Dialect::GoYamlV2)
            .map_err(|error| failure(error.to_string(), error.span()))?;
        if session.searched.contains(&path.value) {
            let text = targets::as_pod(&source, &parsed);
            let document = yamlspan::parse_first(text.to_arc(), file, Dialect::GoYamlV2)
                .map_err(|error| failure(error.to_string(), None))?;
            documents.extend(document.map(|document| KubeDocument {
                template: path.to_string(),
                text,
                document: Arc::new(document),
                hook: false,
            }));
            continue;
        }
        for document in parsed {
            documents.push(KubeDocument {
                template: path.to_string(),
                text: source.clone(),
                document: Arc::new(document),
                hook: false,
            });
        }
    }
    Ok(KubernetesRendering { documents, nondeterministic: Vec::new(), namespace: DEFAULT_NAMESPACE.to_owned() })
}

/// What `collimate render` prints.
pub(crate) enum Output {
    Compose(Arc<Project>),
    Chart(helmchart::Rendered),
    Manifests(Vec<Arc<str>>),
}

/// Renders one profile for printing.
pub(crate) fn output(session: &Session, profile: &release::Profile, overlay: Option<&str>) -> Result<Output> {
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
            let chart = Charts::default().get(&source.chart, &session.files).map_err(failed)?;
            let options = helm_options(source, Mode::default());
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
        Err(error) => Err(Failure::input(format!("cannot render `{name}`")).because(masking::words(&error))),
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
            Self::Chart(rendered) => Rendering::Kubernetes(kubernetes(rendered.clone(), DEFAULT_NAMESPACE.to_owned())),
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
                let namespace = DEFAULT_NAMESPACE.to_owned();
                Rendering::Kubernetes(KubernetesRendering { documents, nondeterministic: Vec::new(), namespace })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Color, Ctx};

    /// Every byte of every profile of the shipped tree, rendered without and with traces.
    #[test]
    fn a_trace_changes_no_byte() {
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../collimate.yaml");
        let ctx = Ctx::of_process(Color::Never, Some(workspace.into())).unwrap();
        let session = Session::open(&ctx).unwrap();
        let profiles: Vec<&release::Profile> = session.workspace.profiles.iter().collect();
        let charts = Charts::default();
        let printed = |trace: bool| -> Vec<String> {
            let rendered = render_all(&session, &charts, &profiles, trace, &|_| None);
            let variants = rendered.into_iter().flat_map(|profile| profile.variants);
            variants
                .flat_map(|variant| match variant.rendering.unwrap() {
                    Rendering::Compose(compose) => vec![compose.all.to_yaml(), compose.default.to_json()],
                    Rendering::Kubernetes(kubernetes) => {
                        assert!(kubernetes.documents.iter().all(|document| document.text.is_traced() == trace));
                        kubernetes.documents.iter().map(|document| document.text.to_string()).collect()
                    }
                })
                .collect()
        };
        let (plain, traced) = (printed(false), printed(true));
        assert!(plain.len() > 8 + profiles.len(), "the tree renders to many documents");
        assert_eq!(plain, traced);
    }
}
