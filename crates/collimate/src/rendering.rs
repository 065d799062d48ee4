//! Renders profiles with our engines, several at a time, into what the rules look at.

mod output;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use alignment::{ComposeRendering, KubeDocument, KubernetesRendering, LintMessage, Rendering, Variant};
use camino::Utf8PathBuf;
use composefile::{Node, Profiles, Project};
use findings::Severity;
use helmchart::{Chart, LintSeverity, LintTexts, RenderOptions, SetValue};
use release::{ComposeSource, HelmSource, ProfileSource};
use source::{Files, Span, Text};
use yamlspan::{Dialect, Document};

pub(crate) use self::output::{Output, compose_output, output};
use crate::laid_over;
use crate::masking;
use crate::memory::Memory;
use crate::parallel;
use crate::session::Session;
use crate::targets;

/// The release name and namespace of a Helm profile that names none, as `helm template`'s defaults.
const DEFAULT_RELEASE_NAME: &str = "release-name";
const DEFAULT_NAMESPACE: &str = "default";

/// What random functions start from where nobody is given what they make: every rendering is the same, so that a trace and what it explains agree, two runs
/// say the same, and keys, which take most of the time of a chart that makes some, are made once for all. Any seed would do; of the first hundred,
/// this is the one with which the first keys of every kind are found soon: those of RSA and DSA in half of the usual time or less.
pub(crate) const SEED: [u8; 32] = [67; 32];

/// How to render.
#[derive(Clone, Copy, Default)]
struct Mode<'a> {
    /// Whether texts carry their origins.
    trace: bool,
    /// The operator's real env files, in place of the profile's; later ones win.
    env_files: Option<&'a [Utf8PathBuf]>,
}

/// What engines have made, kept with what they asked for: a chart is loaded once, whatever the number of profiles, and a profile is rendered again
/// only where an engine would see something else.
#[derive(Default)]
pub(crate) struct Renderings {
    charts: Memory<Utf8PathBuf, (), std::result::Result<Arc<Chart>, helmchart::Error>>,
    compose: Memory<Name, Vec<composefile::Options>, Vec<std::result::Result<ComposeRendering, composefile::Error>>>,
    helm: Memory<Name, HelmRequest, std::result::Result<HelmRendering, helmchart::Error>>,
    lint: Memory<String, LintRequest, Arc<[LintMessage]>>,
    manifests: Memory<Name, Vec<Manifest>, std::result::Result<Arc<KubernetesRendering>, Unreadable>>,
}

/// A profile, and whether it is rendered with traces.
type Name = (String, bool);

/// What a Helm profile is rendered from.
struct HelmRequest {
    /// Its own, so that it knows which files this rendering has looked into.
    chart: Chart,
    options: RenderOptions,
}

impl HelmRequest {
    /// Whether what was made of this is what `later` asks for.
    fn serves(&self, later: &Self) -> bool {
        self.options == later.options && self.chart.renders_as(&later.chart)
    }
}

/// What a Helm profile renders to, and what its templates print for `helm lint` where one run could do for both.
#[derive(Clone)]
struct HelmRendering {
    kubernetes: Arc<KubernetesRendering>,
    lint: Option<Arc<ForLint>>,
}

/// Taken by who lints, who is the only one that looks at them: they are as large as all documents together.
type ForLint = Mutex<Option<LintTexts>>;

/// What is linted.
struct LintRequest {
    profile: HelmRequest,
    texts: Option<Arc<ForLint>>,
}

impl LintRequest {
    /// As [`HelmRequest::serves`]. Which files the templates have looked into is known to the rendering that the texts are of.
    fn serves(&self, later: &Self) -> bool {
        let same_texts = match (&self.texts, &later.texts) {
            (Some(texts), Some(later)) => Arc::ptr_eq(texts, later),
            (None, None) => true,
            _ => false,
        };
        same_texts && self.profile.serves(&later.profile)
    }
}

/// A file of plain manifests.
#[derive(Clone, PartialEq)]
struct Manifest {
    path: Utf8PathBuf,
    /// Whether it is not rendered but searched for images.
    is_searched: bool,
}

/// Why a file of plain manifests cannot be used: which of them, and where.
#[derive(Clone)]
struct Unreadable {
    index: usize,
    message: String,
    span: Option<Span>,
}

impl Renderings {
    /// Forgets what nobody has asked for since the last time, but for the traced renderings of profiles that were rendered: a mistake that is mended is
    /// not the last one.
    pub(crate) fn forget_unused(&self) {
        let is_rendered = |(profile, _): &Name, used: &BTreeSet<Name>| used.contains(&(profile.clone(), false));
        self.charts.forget_unused(|_, _| false);
        self.compose.forget_unused(is_rendered);
        self.helm.forget_unused(is_rendered);
        self.lint.forget_unused(|_, _| false);
        self.manifests.forget_unused(is_rendered);
    }
}

/// Renders profiles, as many at a time as there are cores. The result is in the order given.
///
/// `env_files` gives the operator's env files for a profile, if they are to be read in place of the profile's own.
pub(crate) fn render_all<'a>(
    session: &Session,
    profiles: &[&release::Profile],
    trace: bool,
    env_files: &(dyn Fn(&release::Profile) -> Option<&'a [Utf8PathBuf]> + Sync),
) -> Vec<alignment::Profile> {
    rendered(session, profiles, trace, env_files, &|_| {})
}

/// As [`render_all`], without traces; what [`lint`] says of each profile is known afterwards.
pub(crate) fn render_and_lint_all<'a>(
    session: &Session,
    profiles: &[&release::Profile],
    env_files: &(dyn Fn(&release::Profile) -> Option<&'a [Utf8PathBuf]> + Sync),
) -> Vec<alignment::Profile> {
    rendered(session, profiles, false, env_files, &|profile| {
        lint(session, profile);
    })
}

fn rendered<'a>(
    session: &Session,
    profiles: &[&release::Profile],
    trace: bool,
    env_files: &(dyn Fn(&release::Profile) -> Option<&'a [Utf8PathBuf]> + Sync),
    then: &(dyn Fn(&alignment::Profile) + Sync),
) -> Vec<alignment::Profile> {
    let mode = |profile: &release::Profile| Mode { trace, env_files: env_files(profile) };
    let mut order: Vec<(usize, &release::Profile)> = profiles.iter().copied().enumerate().collect();
    let mut charts = BTreeSet::new();
    // Renders of one chart wait for the first of them to load it, which is begun at once. Until it is loaded, the other cores do what waits for nobody;
    // the rest of that comes last, what is short at the very end, so that the cores end together.
    let mut beside = 3 * parallel::other_cores();
    order.sort_by_cached_key(|(_, profile)| match &profile.source {
        ProfileSource::Helm(source) if charts.insert(&source.chart.value) => (0, Reverse(0)),
        ProfileSource::Helm(_) => (2, Reverse(0)),
        ProfileSource::Compose(_) | ProfileSource::Manifests(_) if beside > 0 => {
            beside -= 1;
            (1, Reverse(0))
        }
        ProfileSource::Compose(source) => (3, Reverse(source.overlays.len())),
        ProfileSource::Manifests(_) => (3, Reverse(0)),
    });
    let work = |(index, profile): &(usize, &release::Profile)| (*index, render(session, profile, mode(profile)));
    let mut rendered = parallel::map_then(&order, work, |(_, profile)| then(profile));
    rendered.sort_by_key(|(index, _)| *index);
    rendered.into_iter().map(|(_, profile)| profile).collect()
}

/// Renders one profile with all its overlays.
fn render(session: &Session, profile: &release::Profile, mode: Mode<'_>) -> alignment::Profile {
    let name = (profile.name.value.clone(), mode.trace);
    let variants = match &profile.source {
        ProfileSource::Compose(source) => compose_variants(session, name, source, mode),
        ProfileSource::Helm(source) => {
            vec![Variant { overlays: Vec::new(), rendering: helm(session, name, source, mode) }]
        }
        ProfileSource::Manifests(paths) => {
            vec![Variant { overlays: Vec::new(), rendering: manifests(session, name, paths) }]
        }
    };
    alignment::Profile {
        declared: profile.clone(),
        release: session.release_index(profile),
        variants,
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

fn compose_variants(session: &Session, name: Name, source: &ComposeSource, mode: Mode<'_>) -> Vec<Variant> {
    let options = |depth| compose_options(session, source, depth, mode, Profiles::All);
    let layers: Vec<composefile::Options> = (0..=source.overlays.len()).map(options).collect();
    let renderings = session
        .renderings
        .compose
        .recall(name, layers, PartialEq::eq, &session.files, |layers, files| compose(layers, files));
    let variant = |(depth, rendering): (usize, std::result::Result<ComposeRendering, composefile::Error>)| Variant {
        overlays: source.overlays.iter().take(depth).map(|name| name.value.clone()).collect(),
        rendering: rendering
            .map(Rendering::Compose)
            .map_err(|error| compose_failure(&error, session, source, (depth == 0).then(|| options(0)).as_ref())),
    };
    renderings.into_iter().enumerate().map(variant).collect()
}

/// Loads projects of which each has the files of the one before, and more.
fn compose(
    layers: &[composefile::Options],
    files: &dyn Files,
) -> Vec<std::result::Result<ComposeRendering, composefile::Error>> {
    let projects = match layers.last() {
        Some(all) if layers.iter().all(|layer| layer.env_files == all.env_files) => {
            let depths: Vec<usize> = layers.iter().map(|layer| layer.files.len()).collect();
            composefile::load_layers(all, &depths, files)
        }
        _ => layers.iter().map(|layer| composefile::load(layer, files)).collect(),
    };
    let rendering = |project: Project| {
        let all = Arc::new(project);
        let default = if uses_profiles(&all) { Arc::new(default_selection(&all)) } else { Arc::clone(&all) };
        ComposeRendering { all, default }
    };
    projects.into_iter().map(|project| project.map(rendering)).collect()
}

/// Renders a profile as deployed at its most, all overlays included, through `files`, and throws the result away: whoever asks wants to know which
/// files are read. A profile that does not render has those that it names, and what was read until then. Gives the paths of the workspace that it mounts.
pub(crate) fn read_through(
    session: &Session,
    profile: &release::Profile,
    files: &dyn source::Files,
) -> Vec<Utf8PathBuf> {
    let read_all = |paths: &mut dyn Iterator<Item = &Utf8PathBuf>| {
        for path in paths {
            let _ = files.read(path);
        }
    };
    match &profile.source {
        ProfileSource::Compose(source) => {
            let options = compose_options(session, source, source.overlays.len(), Mode::default(), Profiles::All);
            read_all(&mut options.files.iter().chain(&options.env_files));
            let project = composefile::load(&options, files);
            project.map(|project| alignment::mounted_paths(&project, session.files.root(), profile)).unwrap_or_default()
        }
        ProfileSource::Helm(source) => {
            read_all(&mut source.values.iter().map(|path| &path.value));
            if let Ok(chart) = Chart::load(&source.chart, files) {
                let _ = helmchart::render(&chart, &unseen(source, Mode::default()), files);
            }
            Vec::new()
        }
        ProfileSource::Manifests(paths) => {
            read_all(&mut paths.iter().map(|path| &path.value));
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

fn compose_failure(
    error: &composefile::Error,
    session: &Session,
    source: &ComposeSource,
    alone: Option<&composefile::Options>,
) -> alignment::Failure {
    let over_base = alone.and_then(|options| laid_over::way_out(options, error, &session.files));
    let help = over_base.or_else(|| error.way_out().map(str::to_owned));
    let failure = failure(error, error.span(), help, session, source.env.iter().chain(&source.files));
    alignment::Failure { earlier: error.earlier(), ..failure }
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
    alignment::Failure { message, span, earlier: None, help }
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

/// As [`helm_options`], for a rendering that rules look at and nobody is given.
fn unseen(source: &HelmSource, mode: Mode<'_>) -> RenderOptions {
    RenderOptions { seed: Some(SEED), ..helm_options(source, mode) }
}

fn helm(
    session: &Session,
    name: Name,
    source: &HelmSource,
    mode: Mode<'_>,
) -> std::result::Result<Rendering, alignment::Failure> {
    let rendering = chart(session, source).and_then(|chart| {
        let request = HelmRequest { chart: chart.anew(), options: unseen(source, mode) };
        session.renderings.helm.recall(name, request, HelmRequest::serves, &session.files, render_chart)
    });
    let rendering = rendering.map(|rendering| Rendering::Kubernetes(rendering.kubernetes));
    rendering.map_err(|error| helm_failure(&error, session, source))
}

fn chart(session: &Session, source: &HelmSource) -> std::result::Result<Arc<Chart>, helmchart::Error> {
    let load = |_: &(), files: &dyn Files| Chart::load(&source.chart, files).map(Arc::new);
    session.renderings.charts.recall(source.chart.value.clone(), (), PartialEq::eq, &session.files, load)
}

fn render_chart(
    HelmRequest { chart, options }: &HelmRequest,
    files: &dyn Files,
) -> std::result::Result<HelmRendering, helmchart::Error> {
    match helmchart::render_to_lint(chart, options, files) {
        Ok((rendered, lint)) => Ok(HelmRendering {
            kubernetes: Arc::new(kubernetes(rendered, options.namespace.clone())),
            lint: lint.map(|texts| Arc::new(Mutex::new(Some(texts)))),
        }),
        Err(error) => Err(placed(error, chart, options, files)),
    }
}

/// The same refusal with its place: where what was printed is no YAML, only a trace knows which line printed it.
fn placed(error: helmchart::Error, chart: &Chart, options: &RenderOptions, files: &dyn Files) -> helmchart::Error {
    if error.span().is_some() || options.trace {
        return error;
    }
    let traced = RenderOptions { trace: true, ..options.clone() };
    helmchart::render(chart, &traced, files).err().unwrap_or(error)
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
    let mut rendering = KubernetesRendering::new(documents, namespace);
    rendering.nondeterministic = rendered.nondeterministic;
    rendering
}

/// What `helm lint` says of a profile; nothing where it is no Helm profile or does not render.
pub(crate) fn lint(session: &Session, profile: &alignment::Profile) -> Arc<[LintMessage]> {
    let ProfileSource::Helm(source) = &profile.declared.source else { return Arc::default() };
    if !profile.is_rendered() {
        return Arc::default();
    }
    let Ok(chart) = chart(session, source) else { return Arc::default() };
    let name = profile.name().to_owned();
    let request = || HelmRequest { chart: chart.anew(), options: unseen(source, Mode::default()) };
    let rendered = (name.clone(), false);
    let rendering =
        session.renderings.helm.recall(rendered, request(), HelmRequest::serves, &session.files, render_chart);
    let request = LintRequest { profile: request(), texts: rendering.ok().and_then(|rendering| rendering.lint) };
    session.renderings.lint.recall(name, request, LintRequest::serves, &session.files, lint_chart)
}

fn lint_chart(
    LintRequest { profile: HelmRequest { chart, options }, texts }: &LintRequest,
    files: &dyn Files,
) -> Arc<[LintMessage]> {
    let texts = texts.as_ref().and_then(|texts| texts.lock().unwrap_or_else(PoisonError::into_inner).take());
    let lint = match texts {
        Some(texts) => helmchart::lint_texts(chart, options, &texts, files),
        None => helmchart::lint(chart, options, files),
    };
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

fn manifests(
    session: &Session,
    name: Name,
    paths: &[release::Spanned<Utf8PathBuf>],
) -> std::result::Result<Rendering, alignment::Failure> {
    let is_searched = |path: &Utf8PathBuf| session.searched.contains(path);
    let manifest = |path: &release::Spanned<Utf8PathBuf>| Manifest {
        is_searched: is_searched(&path.value),
        path: path.value.clone(),
    };
    let trace = name.1;
    let request: Vec<Manifest> = paths.iter().map(manifest).collect();
    let read = |manifests: &Vec<Manifest>, files: &dyn Files| read_manifests(manifests, trace, files).map(Arc::new);
    let rendering = session.renderings.manifests.recall(name, request, PartialEq::eq, &session.files, read);
    rendering.map(Rendering::Kubernetes).map_err(|Unreadable { index, message, span }| {
        let span = span.or_else(|| paths.get(index).map(|path| path.span));
        alignment::Failure { message, span, earlier: None, help: None }
    })
}

/// Plain manifests: each document of each file. Documents are cut so that every one has a text of its own.
fn read_manifests(
    manifests: &[Manifest],
    trace: bool,
    files: &dyn Files,
) -> std::result::Result<KubernetesRendering, Unreadable> {
    let mut documents = Vec::new();
    for (index, Manifest { path, is_searched }) in manifests.iter().enumerate() {
        let unreadable = |error: &dyn std::fmt::Display, span| Unreadable { index, message: error.to_string(), span };
        let (file, text) = files.read_text(path).map_err(|error| unreadable(&error, None))?;
        let source = if trace {
            Text::exact(Arc::clone(&text), Span::new(file, 0..text.len()))
        } else {
            Text::new(Arc::clone(&text))
        };
        let parsed = yamlspan::parse(Arc::clone(&text), file, Dialect::GoYamlV2)
            .map_err(|error| unreadable(&error, error.span()))?;
        let document = |text: Text, document: Document| KubeDocument {
            template: path.to_string(),
            text,
            document: Arc::new(document),
            hook: false,
        };
        if *is_searched {
            let text = targets::as_pod(&source, &parsed);
            let pod = yamlspan::parse_first(text.to_arc(), file, Dialect::GoYamlV2)
                .map_err(|error| unreadable(&error, None))?;
            documents.extend(pod.map(|pod| document(text, pod)));
        } else {
            documents.extend(parsed.into_iter().map(|parsed| document(source.clone(), parsed)));
        }
    }
    Ok(KubernetesRendering::new(documents, DEFAULT_NAMESPACE))
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
        let printed = |trace: bool| -> Vec<String> {
            let rendered = render_all(&session, &profiles, trace, &|_| None);
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
