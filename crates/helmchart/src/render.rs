//! `helm template`: from a chart and options to manifests.

use std::collections::BTreeMap;

use gotemplate::{Map, Printed, Value};
use source::{Files, Text};

use crate::chart::ChartFile;
use crate::context::RenderContext;
use crate::engine::{self, Globals, Release};
use crate::graph::{Graph, is_compatible, to_map};
use crate::lint::LintTexts;
use crate::objects::KubeVersion;
use crate::values::coalesce::{Nulls, coalesce};
use crate::values::{self, schema};
use crate::{Chart, Error, ErrorKind, HelmVersion, RenderOptions, Rendered, manifests};

/// Helm's longest release name: names of objects are made from it and must fit in 63 bytes.
const LONGEST_NAME: usize = 53;

/// Renders a chart as `helm template` does.
///
/// # Errors
/// Everything that makes `helm template` fail, in its words, and passing a limit.
pub fn render(chart: &Chart, options: &RenderOptions, files: &dyn Files) -> Result<Rendered, Error> {
    gotemplate::on_large_stack(|| {
        let context = RenderContext::new(false, options.helm, options.now);
        render_here(chart, options, files, &context, false).map(|(rendered, _)| rendered)
    })
}

/// Renders a chart as `helm template` does, and at the same time what [`crate::lint_texts`] needs: `helm lint` runs the same templates once more for a release of
/// another name, and mostly they go the same way. There are no texts where they do not, nor where texts are traced.
///
/// # Errors
/// As [`render`].
pub fn render_to_lint(
    chart: &Chart,
    options: &RenderOptions,
    files: &dyn Files,
) -> Result<(Rendered, Option<LintTexts>), Error> {
    if options.trace || !options.api_versions.is_empty() || chart.lint_parts() {
        return render(chart, options, files).map(|rendered| (rendered, None));
    }
    let both = gotemplate::on_large_stack(|| {
        let context = RenderContext::new(false, options.helm, options.now);
        let both = render_here(chart, options, files, &context, true);
        (!context.is_parted()).then_some(both)
    });
    both.unwrap_or_else(|| {
        chart.note_that_lint_parts();
        render(chart, options, files).map(|rendered| (rendered, None))
    })
}

fn render_here(
    chart: &Chart,
    options: &RenderOptions,
    files: &dyn Files,
    context: &RenderContext,
    to_lint: bool,
) -> Result<(Rendered, Option<LintTexts>), Error> {
    let kube = kube_version(options)?;
    let user = values::of_user(options, files)?;
    check_installable(chart)?;
    if options.helm == HelmVersion::V4 {
        chart.root.check_documents()?;
    }
    if chart.root.metadata.deprecated {
        context.warn("WARNING: This chart is deprecated".to_owned());
    }
    check_dependencies(chart)?;
    check_release_name(&options.release_name)?;

    let given = to_map(&user);
    let mut graph = Graph::new(&chart.root, options.trace, options.helm);
    let as_values = |message: String| Error::new(ErrorKind::Values, message);
    graph.process_dependencies(&given, context).map_err(as_values)?;
    let values = coalesce(&graph, graph.root(), &given, Nulls::Drop, context).map_err(as_values)?;
    if !options.skip_schema_validation {
        let set_at = |way: &schema::place::Way| {
            let find = || schema::place::find(&graph, &options.values, files, &values, way);
            options.trace.then(find).flatten()
        };
        schema::validate(&graph, graph.root(), &values, &set_at)?;
    }
    // Then those of `helm lint` are the same, however often it coalesces them.
    let is_plain =
        to_lint && chart.root.dependencies.is_empty() && !has_nulls(&given) && !has_nulls(graph.values(graph.root()));
    let zipped = match (is_plain, to_lint) {
        (true, _) => Some(values.clone()),
        (false, true) => with_values_of_lint(&graph, &values, options),
        (false, false) => None,
    };
    let followed = zipped.is_some();
    let values = zipped.unwrap_or(values);
    let (rendered, mut lint) =
        rendered(chart, &graph, values, &kube, context, options, followed).map_err(Error::while_rendering)?;
    if let Some(lint) = &mut lint {
        lint.meets_schema = is_plain && !options.skip_schema_validation;
    }
    Ok((rendered, lint))
}

/// The steps after which `helm template` has a release to show, so that its errors come with a hint.
fn rendered(
    chart: &Chart,
    graph: &Graph<'_>,
    values: gotemplate::Map,
    kube: &KubeVersion,
    context: &RenderContext,
    options: &RenderOptions,
    followed: bool,
) -> Result<(Rendered, Option<LintTexts>), Error> {
    let wanted = &chart.root.metadata.kube_version;
    if !wanted.is_empty() && !is_compatible(wanted, kube.normalized()) {
        let found = &kube.version;
        let message = format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}");
        return Err(Error::new(ErrorKind::KubeVersion, message));
    }
    let release = Release {
        name: &options.release_name,
        namespace: &options.namespace,
        is_upgrade: options.is_upgrade,
        is_install: !options.is_upgrade,
        revision: 1,
    };
    let release =
        if followed { release.object_followed_by(&Release::of_lint(&options.namespace)) } else { release.object() };
    let globals = Globals::new(chart, values, release, kube, options);
    let printed = engine::render(chart, graph, &globals, context, options, followed)?;
    let mut lint = followed.then(|| LintTexts::of(&printed));
    let text = |(path, Printed { text, .. })| (path, text);
    let mut texts: BTreeMap<String, Text> = printed.into_iter().map(text).collect();
    let notes = take_notes(&mut texts, chart.name(), options.subchart_notes);
    let read = manifests::read_all(&texts, options.helm)?;
    if let Some(lint) = &mut lint {
        lint.know(read.iter().map(|(manifest, _)| manifest));
    }
    let (manifests, hooks) = manifests::sort(read, options.helm, context);
    let crds = if options.include_crds { crds(chart, graph, options.trace) } else { Vec::new() };
    let mut warnings = chart.warnings.clone();
    warnings.extend(context.take_warnings());
    let rendered = Rendered {
        manifests,
        hooks,
        crds,
        notes,
        warnings,
        nondeterministic: context.take_nondeterministic(),
        no_hooks: options.no_hooks,
        skip_tests: options.skip_tests,
    };
    Ok((rendered, lint))
}

/// The values, with those that `helm lint` gives its templates: it coalesces them twice, and what a null has taken away comes back. `None` where one run cannot
/// do for both.
fn with_values_of_lint(graph: &Graph<'_>, values: &Map, options: &RenderOptions) -> Option<Map> {
    let context = RenderContext::new(true, options.helm, options.now);
    let again = coalesce(graph, graph.root(), values, Nulls::Drop, &context).ok()?;
    let Value::Map(zipped) = Value::zip(&Value::Map(values.clone()), &Value::Map(again.clone()))? else { return None };
    if zipped.same(values) {
        return Some(zipped);
    }
    // Charts below share what is global.
    let is_tree = graph.children(graph.root()).is_empty();
    let is_valid = options.skip_schema_validation || schema::validate(graph, graph.root(), &again, &|_| None).is_ok();
    (is_tree && is_valid).then_some(zipped)
}

/// Whether a null stands in a table, or in one of its tables.
fn has_nulls(table: &Map) -> bool {
    let mut found = false;
    table.for_each(|_, value| {
        found |= match value {
            Value::Nil => true,
            Value::Map(below) => has_nulls(below),
            _ => false,
        };
    });
    found
}

pub(crate) fn kube_version(options: &RenderOptions) -> Result<KubeVersion, Error> {
    match options.kube_version.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => KubeVersion::parse(text, options.helm).map_err(|message| Error::new(ErrorKind::Values, message)),
        None => Ok(KubeVersion::default_of(options.helm)),
    }
}

fn check_installable(chart: &Chart) -> Result<(), Error> {
    match chart.root.metadata.chart_type.as_str() {
        "" | "application" => Ok(()),
        other => Err(Error::new(ErrorKind::Load, format!("{other} charts are not installable"))),
    }
}

fn check_dependencies(chart: &Chart) -> Result<(), Error> {
    let present = |name: &str| chart.root.dependencies.iter().any(|child| child.metadata.name == name);
    let declared = chart.root.metadata.dependencies.iter().flatten();
    let missing: Vec<&str> =
        declared.map(|dependency| dependency.name.as_str()).filter(|name| !present(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing \
         dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    );
    Err(Error::new(ErrorKind::Dependency, message))
}

fn check_release_name(name: &str) -> Result<(), Error> {
    let refuse = |reason: &str| {
        let name = gotemplate::format::quote(name.as_bytes());
        Err(Error::new(ErrorKind::Values, format!("release name {name}: {reason}")))
    };
    if name.is_empty() {
        return refuse("no name provided");
    }
    if name.len() > LONGEST_NAME || !crate::lint::is_subdomain(name) {
        return refuse(
            "invalid release name, must match regex \
             ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
        );
    }
    Ok(())
}

/// Takes all notes out; gives the root chart's, or all of them.
fn take_notes(texts: &mut BTreeMap<String, Text>, chart: &str, subcharts: bool) -> Option<Text> {
    let own = format!("{chart}/templates/NOTES.txt");
    let mut notes: Option<Text> = None;
    texts.retain(|path, text| {
        if !path.ends_with("NOTES.txt") {
            return true;
        }
        if subcharts || *path == own {
            notes = Some(match notes.take() {
                Some(before) if !before.is_empty() => {
                    let mut both = source::TextBuf::new();
                    both.push(&before);
                    both.push_str("\n");
                    both.push(text);
                    both.finish()
                }
                _ => text.clone(),
            });
        }
        false
    });
    notes
}

/// The manifests in `crds/` of all enabled charts.
fn crds(chart: &Chart, graph: &Graph<'_>, trace: bool) -> Vec<(String, Text)> {
    fn below(graph: &Graph<'_>, chart: crate::graph::ChartId, look: &mut dyn FnMut(&ChartFile, String)) {
        for file in &graph.data(chart).files {
            let extension = crate::chart::extension(&file.name).to_ascii_lowercase();
            if file.name.starts_with("crds/") && matches!(extension.as_str(), ".yaml" | ".yml" | ".json") {
                look(file, format!("{}/{}", graph.full_path(chart), file.name));
            }
        }
        for child in graph.children(chart) {
            below(graph, *child, look);
        }
    }
    let mut out = Vec::new();
    below(graph, graph.root(), &mut |file, path| {
        chart.seen.note(file);
        out.push((path, if trace { file.text() } else { file.plain_text() }));
    });
    out
}
