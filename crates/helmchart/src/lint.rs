//! `helm lint`: all its rules, in its order and words.

mod addresses;
mod chart_file;
#[cfg(test)]
mod follows;
mod names;
mod templates;

use std::fmt;

use camino::Utf8Path;
use source::Files;

use crate::chart::{Chart, ChartFile};
use crate::graph::to_map;
use crate::values::{self, coalesce, schema};
use crate::{Error, RenderOptions, yaml};

pub(crate) use names::is_subdomain;
pub use templates::LintTexts;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LintSeverity {
    Info,
    Warning,
    Error,
}

impl fmt::Display for LintSeverity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// One message. Displays as Helm prints it: `[ERROR] Chart.yaml: version is required`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintMessage {
    pub severity: LintSeverity,
    /// A file or folder of the chart, or the chart's own path.
    pub path: String,
    pub text: String,
    /// The place of the cause, where one is known.
    pub span: Option<source::Span>,
}

impl fmt::Display for LintMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}] {}: {}", self.severity, self.path, self.text)
    }
}

/// What `helm lint` says about one chart.
#[derive(Clone, Debug, Default)]
pub struct Lint {
    /// The chart's path as given.
    pub path: String,
    pub messages: Vec<LintMessage>,
    /// Why the chart could not be linted at all.
    pub error: Option<String>,
    /// Why `helm lint` did not even begin: a bad flag or values file.
    pub refused: Option<String>,
    strict: bool,
}

impl Lint {
    /// Whether `helm lint` exits with an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        let bar = if self.strict { LintSeverity::Warning } else { LintSeverity::Error };
        self.refused.is_some() || self.error.is_some() || self.messages.iter().any(|message| message.severity >= bar)
    }

    /// What `helm lint` prints to stdout. With a failure the summary goes to stderr: see [`Lint::exit_text`].
    #[must_use]
    pub fn output(&self) -> String {
        if self.refused.is_some() {
            return String::new();
        }
        let mut out = format!("==> Linting {}\n", self.path);
        if let (true, Some(error)) = (self.messages.is_empty(), &self.error) {
            out.push_str(&format!("Error {error}\n"));
        }
        for message in &self.messages {
            out.push_str(&format!("{message}\n"));
        }
        out.push('\n');
        if !self.failed() {
            out.push_str("1 chart(s) linted, 0 chart(s) failed\n");
        }
        out
    }

    /// What `helm lint` prints to stderr at the end of a failure.
    #[must_use]
    pub fn exit_text(&self) -> Option<String> {
        match &self.refused {
            Some(message) => Some(format!("Error: {message}\n")),
            None => self.failed().then(|| "Error: 1 chart(s) linted, 1 chart(s) failed\n".to_owned()),
        }
    }

    fn push(&mut self, severity: LintSeverity, path: &str, text: impl Into<String>) {
        self.messages.push(LintMessage { severity, path: path.to_owned(), text: text.into(), span: None });
    }

    fn push_error(&mut self, path: &str, outer: &str, error: &Error) {
        let text = format!("{outer}{error}");
        let message = LintMessage { severity: LintSeverity::Error, path: path.to_owned(), text, span: error.span() };
        self.messages.push(message);
    }
}

/// Lints a chart that could be loaded.
#[must_use]
pub fn lint(chart: &Chart, options: &RenderOptions, files: &dyn Files) -> Lint {
    gotemplate::on_large_stack(|| lint_here(chart.path(), Ok(chart), options, None, files))
}

/// As [`lint`], where [`crate::render_to_lint`] has run the templates with the same options.
#[must_use]
pub fn lint_texts(chart: &Chart, options: &RenderOptions, texts: &LintTexts, files: &dyn Files) -> Lint {
    gotemplate::on_large_stack(|| lint_here(chart.path(), Ok(chart), options, Some(texts), files))
}

/// Loads a chart and lints it; what keeps it from loading is among the messages, as with `helm lint`.
#[must_use]
pub fn lint_path(path: &Utf8Path, options: &RenderOptions, files: &dyn Files) -> Lint {
    let chart = Chart::load(path, files);
    gotemplate::on_large_stack(|| lint_here(path, chart.as_ref(), options, None, files))
}

fn lint_here(
    path: &Utf8Path,
    chart: Result<&Chart, &Error>,
    options: &RenderOptions,
    texts: Option<&LintTexts>,
    files: &dyn Files,
) -> Lint {
    let mut lint = Lint { path: path.to_string(), strict: options.strict, ..Lint::default() };
    let source = LintFiles::new(path, chart, files);
    let is_met = source.as_ref().is_some_and(|source| meets_schema(source, chart, texts));
    // Nobody looks at them then.
    let user = if is_met { Ok(values::tree::Table::new()) } else { values::of_user(options, files) };
    let user = match user {
        Ok(user) => user,
        Err(error) => {
            lint.refused = Some(error.to_string());
            return lint;
        }
    };
    let kube = match options.kube_version.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match crate::objects::KubeVersion::parse(text, options.helm) {
            Ok(kube) => Some(kube),
            Err(message) => {
                lint.refused = Some(message);
                return lint;
            }
        },
    };
    let Some(source) = source else {
        let file = path.join("Chart.yaml");
        let is_file = files.kind(path) == Some(source::FileKind::File);
        let reason = if is_file { "not a directory" } else { "no such file or directory" };
        lint.error = Some(format!("unable to check Chart.yaml file in chart: stat {file}: {reason}"));
        return lint;
    };
    chart_file::check(&source, &mut lint);
    if !is_met {
        check_values(&source, chart.ok(), &user, &mut lint);
    }
    templates::check(chart, &user, kube.as_ref(), options, texts, &mut lint);
    check_dependencies(path, chart, &mut lint);
    lint
}

/// The few files that the linter reads by itself, past `.helmignore`.
struct LintFiles<'l> {
    path: &'l Utf8Path,
    files: &'l dyn Files,
    /// For an archive: the chart, whose files are in memory.
    packed: Option<&'l Chart>,
}

impl<'l> LintFiles<'l> {
    /// `None` if there is no `Chart.yaml`.
    fn new(path: &'l Utf8Path, chart: Result<&'l Chart, &Error>, files: &'l dyn Files) -> Option<Self> {
        let packed = match files.kind(path) {
            Some(source::FileKind::File) => Some(chart.ok()?),
            _ => {
                files.kind(&path.join("Chart.yaml"))?;
                None
            }
        };
        Some(Self { path, files, packed })
    }

    /// One of `Chart.yaml`, `values.yaml`, `values.schema.json`; `None` if it is not there.
    fn read(&self, name: &str) -> Option<Result<source::Text, String>> {
        if let Some(chart) = self.packed {
            let file = match name {
                "Chart.yaml" => chart.root.chart_file.as_ref(),
                "values.yaml" => chart.root.values_file(),
                _ => chart.root.schema.as_ref(),
            };
            return file.map(|file| Ok(file.plain_yaml()));
        }
        let path = self.path.join(name);
        match self.files.kind(&path)? {
            source::FileKind::Directory => Some(Err(format!("read {path}: is a directory"))),
            source::FileKind::File => Some(match self.files.read(&path) {
                Ok((file, bytes)) => {
                    let text = source::octets::decoded(&bytes);
                    Ok(source::Text::exact(&*text, source::Span::new(file, 0..text.len())))
                }
                Err(error) => Err(error.to_string()),
            }),
        }
    }
}

/// Whether the values are known to meet the schema, both as the linter reads them: then it has nothing to say of them.
fn meets_schema(source: &LintFiles<'_>, chart: Result<&Chart, &Error>, texts: Option<&LintTexts>) -> bool {
    let (Ok(chart), Some(LintTexts { meets_schema: true, .. })) = (chart, texts) else { return false };
    let is_file = |name: &str, file: Option<&ChartFile>| match (source.read(name), file) {
        (Some(Ok(text)), Some(file)) => *text.as_bytes() == *file.bytes,
        (None, None) => true,
        _ => false,
    };
    let values = chart.root.values_file();
    values.is_some() && is_file("values.yaml", values) && is_file("values.schema.json", chart.root.schema.as_ref())
}

/// `values.yaml`, and the values of the root chart against its schema.
///
/// `chart` has read the same files before, if they are the same: then nothing is parsed and compiled twice.
fn check_values(source: &LintFiles<'_>, chart: Option<&Chart>, user: &values::tree::Table, lint: &mut Lint) {
    const FILE: &str = "values.yaml";
    let text = match source.read(FILE) {
        None => {
            lint.push(LintSeverity::Info, FILE, "file does not exist");
            return;
        }
        Some(Err(message)) => {
            lint.push(LintSeverity::Error, FILE, format!("unable to parse YAML: {message}"));
            return;
        }
        Some(Ok(text)) => text,
    };
    let known = chart.and_then(|chart| chart.root.values_map_of(&text));
    let defaults = match known.map_or_else(|| yaml::read_values(&text).map(|table| to_map(&table)), Ok) {
        Ok(defaults) => defaults,
        Err(error) => {
            let file = text.segments().first().and_then(|segment| segment.origin.spans().first()).map(|span| span.file);
            let error = error.into_error(crate::ErrorKind::Values, file);
            // The linter reads into another type, whose name shows.
            let text = error.to_string().replace("type map[string]interface {}", "type chartutil.Values");
            let error = crate::Error::new(crate::ErrorKind::Values, text).at(error.span());
            lint.push_error(FILE, "unable to parse YAML: ", &error);
            return;
        }
    };
    let context = crate::context::RenderContext::default();
    let values = gotemplate::Map::new();
    coalesce::tables(&values, &to_map(user), coalesce::Nulls::Drop, &context);
    coalesce::tables(&values, &defaults, coalesce::Nulls::Drop, &context);
    let Some(Ok(schema)) = source.read("values.schema.json") else { return };
    if schema.is_empty() {
        return;
    }
    let known = chart.and_then(|chart| chart.root.compiled_schema_of(&schema));
    let checked = match known {
        Some(schema) => schema::check(schema, &values, &mut 0),
        None => schema::check(&schema::compile(schema.as_bytes()), &values, &mut 0),
    };
    if let Err(refusal) = checked {
        lint.push(LintSeverity::Error, FILE, refusal.text);
    }
}

/// Declared dependencies against those in `charts/`.
fn check_dependencies(path: &Utf8Path, chart: Result<&Chart, &Error>, lint: &mut Lint) {
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => {
            lint.push_error("", "unable to load chart\n\t", error);
            return;
        }
    };
    let declared = || chart.root.metadata.dependencies.iter().flatten();
    let present = || chart.root.dependencies.iter().map(|child| child.metadata.name.as_str());
    let undeclared: Vec<&str> = present().filter(|name| !declared().any(|known| known.name == *name)).collect();
    if !undeclared.is_empty() {
        let text = format!("chart metadata is missing these dependencies: {}", undeclared.join(","));
        lint.push(LintSeverity::Error, path.as_str(), text);
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut shadowing: Vec<&str> = Vec::new();
    for dependency in declared() {
        if seen.contains(&dependency.key()) {
            shadowing.push(dependency.key());
        }
        seen.push(dependency.key());
    }
    if !shadowing.is_empty() {
        let text = format!("multiple dependencies with name or alias: {}", shadowing.join(","));
        lint.push(LintSeverity::Error, path.as_str(), text);
    }
    let missing: Vec<&str> =
        declared().map(|known| known.name.as_str()).filter(|name| !present().any(|child| child == *name)).collect();
    if !missing.is_empty() {
        let text = format!("chart directory is missing these dependencies: {}", missing.join(","));
        lint.push(LintSeverity::Warning, path.as_str(), text);
    }
}
