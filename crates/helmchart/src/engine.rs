//! Running all templates of a chart and its subcharts.

use std::collections::BTreeMap;

use gotemplate::{Exec, Map, MissingKey, Options, Printed, TemplateSet, Value};

use crate::chart::{Chart, ChartFile, Seen};
use crate::context::RenderContext;
use crate::functions::HelmFunctions;
use crate::functions::helm::{WARNING_END, WARNING_START, without_no_value};
use crate::graph::{ChartId, Graph, table_at};
use crate::objects::{self, FilesObject, KubeVersion};
use crate::values_type::values_type;
use crate::{Error, ErrorKind, HelmVersion, RenderOptions};

/// What the templates of all charts see alike.
pub(crate) struct Globals {
    pub(crate) release: Value,
    pub(crate) capabilities: Value,
    pub(crate) values: Map,
    /// Where it is noted which plain files they look into.
    pub(crate) seen: Seen,
}

impl Globals {
    /// `.Release`, `.Capabilities` and the root chart's `.Values`.
    pub(crate) fn new(chart: &Chart, values: Map, release: Value, kube: &KubeVersion, options: &RenderOptions) -> Self {
        let capabilities = objects::capabilities(kube, &options.api_versions, options.helm);
        Self { release, capabilities, values, seen: chart.seen.clone() }
    }
}

/// `.Release`
pub(crate) struct Release<'r> {
    pub(crate) name: &'r str,
    pub(crate) namespace: &'r str,
    pub(crate) is_upgrade: bool,
    pub(crate) is_install: bool,
    pub(crate) revision: i64,
}

impl<'r> Release<'r> {
    /// That of `helm lint`.
    pub(crate) fn of_lint(namespace: &'r str) -> Self {
        Self { name: "test-release", namespace, is_upgrade: false, is_install: false, revision: 0 }
    }

    /// `.Release`
    pub(crate) fn object(&self) -> Value {
        let entries = self.entries();
        Value::map(entries.map(|(name, value)| (name.into(), value)))
    }

    /// `.Release`, followed by another one.
    pub(crate) fn object_followed_by(&self, second: &Self) -> Value {
        let both = self.entries().into_iter().zip(second.entries());
        Value::map(
            both.map(|((name, first), (_, second))| (name.into(), Value::twin(first, second).unwrap_or(Value::Nil))),
        )
    }

    fn entries(&self) -> [(&'static str, Value); 6] {
        [
            ("Name", Value::from(self.name)),
            ("Namespace", Value::from(self.namespace)),
            ("IsUpgrade", Value::Bool(self.is_upgrade)),
            ("IsInstall", Value::Bool(self.is_install)),
            ("Revision", Value::int(self.revision)),
            ("Service", Value::from("Helm")),
        ]
    }
}

/// What a template is told about itself: the one thing in a chart's scope that differs from template to template.
const TEMPLATE: &str = "Template";

struct Renderable<'c> {
    file: &'c ChartFile,
    scope: Map,
    base_path: String,
}

/// Renders every template that is no partial: what it prints, by path. `followed`: `.Release` is that of two runs.
///
/// # Errors
/// The first template that does not parse or fails while it runs, in Helm's words.
pub(crate) fn render(
    chart: &Chart,
    graph: &Graph<'_>,
    globals: &Globals,
    context: &RenderContext,
    options: &RenderOptions,
    followed: bool,
) -> Result<BTreeMap<String, Printed>, Error> {
    let mut templates = BTreeMap::new();
    let trace = options.trace;
    scopes(graph, graph.root(), None, globals, options.helm, trace, &mut templates);
    let mut order: Vec<String> = templates.keys().cloned().collect();
    order.sort_by(|a, b| crate::order::by_path(a, b));

    let mut functions = HelmFunctions::new(context);
    if let Some(seed) = options.seed {
        functions = functions.predictable(seed);
    }
    let set = chart.parsed.obtain(options.helm, order.clone(), || {
        let mut set = TemplateSet::new();
        for path in &order {
            let Some(template) = templates.get(path) else { continue };
            set.parse(path, &template.file.text(), &functions).map_err(|error| parse_error(path, &error))?;
        }
        Ok(set)
    })?;

    let run = Options { trace, missing_key: MissingKey::Zero, limits: options.limits };
    let mut exec = Exec::new(&set, &functions, run);
    if followed {
        exec = exec.followed();
    }
    let mut rendered = BTreeMap::new();
    for path in &order {
        if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
            continue;
        }
        let Some(template) = templates.get(path) else { continue };
        let about = Map::typed(values_type(options.helm));
        about.insert("Name", Value::from(path.as_str()));
        about.insert("BasePath", Value::from(template.base_path.as_str()));
        template.scope.insert(TEMPLATE, Value::Map(about));
        let printed = exec.run(path, Value::Map(template.scope.clone())).map_err(|error| {
            // Slow work counts for both runs; what else has a limit is counted for the first.
            if exec.is_parted() || followed && error.is_limit() && functions.has_worked_slowly() {
                context.part();
            }
            run_error(path, &error)
        })?;
        rendered.insert(path.clone(), printed.map(|text| without_no_value(&text)));
    }
    Ok(rendered)
}

/// What each chart's templates get as their dot, and the templates themselves.
fn scopes<'c>(
    graph: &Graph<'c>,
    chart: ChartId,
    parent: Option<&Map>,
    globals: &Globals,
    helm: HelmVersion,
    trace: bool,
    templates: &mut BTreeMap<String, Renderable<'c>>,
) -> Map {
    let data = graph.data(chart);
    let values = match parent {
        None => globals.values.clone(),
        Some(parent) => table_at(parent, &format!("Values.{}", graph.name(chart))).unwrap_or_else(|_| Map::new()),
    };
    let subcharts = Map::new();
    let scope = Map::with_volatile(TEMPLATE);
    let about = objects::chart(data, graph.name(chart), graph.requirements(chart), graph.is_root(chart), helm, trace);
    scope.insert("Chart", about);
    scope.insert("Files", Value::object(FilesObject::new(&data.files, trace, &globals.seen)));
    scope.insert("Release", globals.release.clone());
    scope.insert("Capabilities", globals.capabilities.clone());
    scope.insert("Values", Value::Map(values.retyped(values_type(helm))));
    scope.insert("Subcharts", Value::Map(subcharts.clone()));
    for child in graph.children(chart) {
        let below = scopes(graph, *child, Some(&scope), globals, helm, trace, templates);
        subcharts.insert(graph.name(*child), Value::Map(below));
    }
    // Helm hands it to templates as its own type; where a chart above holds it, it is a plain map.
    let dot = scope.retyped(values_type(helm));
    let path = graph.full_path(chart);
    for file in &data.templates {
        let name = file.name.rsplit('/').next().unwrap_or(&file.name);
        if data.metadata.is_library() && !name.starts_with('_') {
            continue;
        }
        let base_path = format!("{path}/templates");
        templates.insert(format!("{path}/{}", file.name), Renderable { file, scope: dot.clone(), base_path });
    }
    scope
}

/// Helm's shorter words for a parse error: place and last part of the message.
fn parse_error(path: &str, error: &gotemplate::Error) -> Error {
    let text = error.to_string();
    let mut parts = text.split(": ");
    let message = match (parts.next(), parts.next()) {
        (Some(_), Some(place)) => format!("parse error at ({place}): {}", parts.last().unwrap_or(place)),
        _ => format!("parse error in ({path}): {text}"),
    };
    let kind = if error.is_limit() { ErrorKind::Limit } else { ErrorKind::Parse };
    Error::new(kind, message).at(error.root().span())
}

/// Helm's words for a failed template: only the message for `fail` and `required`, else what Go says.
fn run_error(path: &str, error: &gotemplate::Error) -> Error {
    let text = error.to_string();
    let kind = if error.is_limit() { ErrorKind::Limit } else { ErrorKind::Execute };
    let made = |message: String| Error::new(kind, message).at(error.root().span());
    if error.stage() != gotemplate::Stage::Execute {
        return made(text);
    }
    let mut parts = text.splitn(3, ": ");
    let (Some(_), Some(place), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return made(format!("execution error in ({path}): {text}"));
    };
    if let Some(start) = rest.find(WARNING_START)
        && let Some(end) = rest.rfind(WARNING_END)
        && start + WARNING_START.len() <= end
    {
        return made(format!("execution error at ({place}): {}", &rest[start + WARNING_START.len()..end]));
    }
    made(text)
}
