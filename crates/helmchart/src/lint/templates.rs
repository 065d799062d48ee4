//! Templates: what they are, and what they print.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotemplate::Printed;
use source::{Span, Text};

use super::names::{deprecation, name_problem};
use super::{Lint, LintMessage, LintSeverity};
use crate::chart::{Chart, extension};
use crate::context::RenderContext;
use crate::engine::{self, Globals, Release};
use crate::graph::{Graph, to_map};
use crate::manifests::{self, Head, Shape};
use crate::objects::KubeVersion;
use crate::rendered::Manifest;
use crate::values::coalesce::{Nulls, coalesce};
use crate::values::{schema, tree::Table};
use crate::{Error, RenderOptions};

/// The longest line that Go's line scanner takes.
const LONGEST_LINE: usize = 64 * 1024;

const FOLDER: &str = "templates/";

/// What templates print for `helm lint`, by path.
#[derive(Clone, Debug, Default)]
pub struct LintTexts {
    pub(super) texts: BTreeMap<String, Text>,
    /// What they print for `helm template`, as it was read: mostly the same in other words.
    documents: BTreeMap<String, Vec<Arc<yamlspan::Document>>>,
    /// Whether the values that they were printed with are those of the linter too and meet the chart's schema.
    pub(crate) meets_schema: bool,
}

impl LintTexts {
    /// What the run for `helm lint` has printed that followed the one for `helm template`.
    pub(crate) fn of(printed: &BTreeMap<String, Printed>) -> Self {
        let text = |(path, printed): (&String, &Printed)| {
            (path.clone(), printed.second.as_ref().unwrap_or(&printed.text).clone())
        };
        let texts = printed.iter().filter(|(path, _)| extension(path) == ".yaml").map(text).collect();
        Self { texts, ..Self::default() }
    }

    /// Takes note of what `helm template` has read, as it came.
    pub(crate) fn know<'m>(&mut self, manifests: impl Iterator<Item = &'m Manifest>) {
        for Manifest { template, document, .. } in manifests {
            self.documents.entry(template.clone()).or_default().extend(document.clone());
        }
    }
}

pub(super) fn check(
    chart: Result<&Chart, &Error>,
    user: &Table,
    kube: Option<&KubeVersion>,
    options: &RenderOptions,
    known: Option<&LintTexts>,
    lint: &mut Lint,
) {
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => {
            lint.push_error(FOLDER, "", error);
            return;
        }
    };
    let known = match known {
        Some(known) => Cow::Borrowed(known),
        None => match print(chart, user, kube, options, lint) {
            Some(texts) => Cow::Owned(LintTexts { texts, ..LintTexts::default() }),
            None => return,
        },
    };
    let kube = kube.map_or_else(|| options.helm.default_kube(), |kube| (kube.major, kube.minor));
    for template in &chart.root.templates {
        let path = &template.name;
        check_source(path, &template.plain_text(), lint);
        if extension(path) != ".yaml" {
            continue;
        }
        let printed = format!("{}/{path}", chart.name());
        let Some(text) = known.texts.get(&printed) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        if let Some(problem) = first_indent(text) {
            lint.push(LintSeverity::Warning, path, problem);
        }
        let documents = known.documents.get(&printed).map(Vec::as_slice).unwrap_or_default();
        if !check_documents(path, text, documents, kube, lint) {
            return;
        }
    }
}

/// Runs the templates; nothing where `helm lint` goes no further.
fn print(
    chart: &Chart,
    user: &Table,
    kube: Option<&KubeVersion>,
    options: &RenderOptions,
    lint: &mut Lint,
) -> Option<BTreeMap<String, Text>> {
    let context = RenderContext::new(true, options.helm, options.now);
    let user = to_map(user);
    let mut graph = Graph::new(&chart.root, options.trace, options.helm);
    // Helm keeps quiet about what fails up to here.
    graph.process_dependencies(&user, &context).ok()?;
    // Twice, as Helm does it; it makes a difference for nulls.
    let values = coalesce(&graph, graph.root(), &user, Nulls::Drop, &context).ok()?;
    let values = match coalesce(&graph, graph.root(), &values, Nulls::Drop, &context) {
        Ok(values) => values,
        Err(message) => {
            lint.push(LintSeverity::Error, FOLDER, message);
            return None;
        }
    };
    if !options.skip_schema_validation
        && let Err(error) = schema::validate(&graph, graph.root(), &values, &|_| None)
    {
        lint.push_error(FOLDER, "", &error);
        return None;
    }
    let default_kube = KubeVersion::default_of(options.helm);
    let release = Release::of_lint(&options.namespace).object();
    let without_extra = RenderOptions { api_versions: Vec::new(), ..options.clone() };
    let globals = Globals::new(chart, values, release, kube.unwrap_or(&default_kube), &without_extra);
    match engine::render(chart, &graph, &globals, &context, options, false) {
        Ok(printed) => Some(printed.into_iter().map(|(path, printed)| (path, printed.text)).collect()),
        Err(error) => {
            lint.push_error(FOLDER, "", &error);
            None
        }
    }
}

/// What a run of its own prints.
#[cfg(test)]
pub(super) fn own_texts(chart: &Chart, options: &RenderOptions, files: &dyn source::Files) -> Option<LintTexts> {
    let user = crate::values::of_user(options, files).ok()?;
    let texts = print(chart, &user, None, options, &mut Lint::default())?;
    let texts = texts.into_iter().filter(|(path, _)| extension(path) == ".yaml").collect();
    Some(LintTexts { texts, ..LintTexts::default() })
}

/// The template's own text.
fn check_source(path: &str, text: &str, lint: &mut Lint) {
    let extension = extension(path);
    if !matches!(extension, ".yaml" | ".yml" | ".tpl" | ".txt") {
        let text = format!("file extension '{extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt");
        lint.push(LintSeverity::Error, path, text);
    }
    if has_crd_hook(text) {
        let text = "manifest is a crd-install hook. This hook is no longer supported in v3 and all CRDs should also exist the \
                    crds/ directory at the top level of the chart";
        lint.push(LintSeverity::Warning, path, text);
    }
    if memchr::memmem::find(text.as_bytes(), b".Release.Time").is_some() {
        let text = ".Release.Time has been removed in v3, please replace with the `now` function in your templates";
        lint.push(LintSeverity::Error, path, text);
    }
}

/// `helm.sh/hook: crd-install`, with or without quotes around the key.
fn has_crd_hook(text: &str) -> bool {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    const KEY: &str = "helm.sh/hook";
    memchr::memmem::find_iter(text.as_bytes(), KEY).any(|at| {
        let rest = &text[at + KEY.len()..];
        let rest = rest.strip_prefix('"').unwrap_or(rest);
        rest.strip_prefix(':')
            .is_some_and(|rest| rest.starts_with(blank) && rest.trim_start_matches(blank).starts_with("crd-install"))
    })
}

fn first_indent(text: &str) -> Option<String> {
    for line in text.split('\n') {
        if line.len() >= LONGEST_LINE {
            return Some("bufio.Scanner: token too long".to_owned());
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let line = gotemplate::format::quote(line.as_bytes());
            return Some(format!("document starts with an illegal indent: {line}, which may cause parsing problems"));
        }
        return None;
    }
    None
}

/// All documents of one rendered template; `false` after one that does not parse, which ends the whole check.
fn check_documents(
    path: &str,
    text: &Text,
    mut known: &[Arc<yamlspan::Document>],
    kube: (u32, u32),
    lint: &mut Lint,
) -> bool {
    for document in documents(text) {
        let read = document.and_then(|document| read(&document, &mut known));
        let (document, head) = match read {
            Ok(read) => read,
            Err((message, span)) => {
                let text = format!("unable to parse YAML: {message}");
                lint.messages.push(LintMessage { severity: LintSeverity::Error, path: path.to_owned(), text, span });
                return false;
            }
        };
        if document.is_none_or(|document| document.root().target().kind() != yamlspan::Kind::Mapping) {
            continue;
        }
        if let Some(problem) = name_problem(&head.kind, &head.name) {
            lint.push(LintSeverity::Warning, path, problem);
        }
        if let Some(problem) = deprecation(&head.api_version, &head.kind, kube) {
            lint.push(LintSeverity::Warning, path, problem);
        }
        let selects = matches!(head.kind.as_str(), "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet");
        if selects && !text.contains("matchLabels") && !text.contains("matchExpressions") {
            let (kind, name) = (&head.kind, gotemplate::format::quote(head.name.as_bytes()));
            let text = format!("a {kind} must contain matchLabels or matchExpressions, and {name} does not");
            lint.push(LintSeverity::Error, path, text);
        }
        if head.kind == "List"
            && let Some(problem) = list_problem(text)
        {
            lint.push(LintSeverity::Error, path, problem);
        }
    }
    true
}

/// A document and its head. The next one of `known` is mostly the same in other words.
fn read(
    text: &Text,
    known: &mut &[Arc<yamlspan::Document>],
) -> Result<(Option<yamlspan::Document>, Head), (String, Option<Span>)> {
    let next = known.split_first();
    let head = next.and_then(|(next, _)| manifests::head_in_other_words(next, text));
    let read = match (next, head) {
        (Some((next, _)), Some(head)) => (Some(yamlspan::Document::clone(next)), head),
        _ => manifests::parse(text, Shape::Lint).map_err(|error| (error.to_string(), error.span()))?,
    };
    if let (Some((_, rest)), Some(_)) = (next, &read.0) {
        *known = rest;
    }
    Ok(read)
}

/// What an annotation in a `List` cannot do. Helm looks at the first document of the file, whichever is the list.
fn list_problem(text: &Text) -> Option<String> {
    let document =
        yamlspan::parse_first(text.to_arc(), source::FileId(u32::MAX), yamlspan::Dialect::GoYamlV2).ok()??;
    let items = document.root().target().get("items")?.target();
    items
        .items()
        .any(|item| item.target().at(&["metadata", "annotations", "helm.sh/resource-policy"]).is_some())
        .then(|| "Annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned())
}

type Document = Result<Text, (String, Option<Span>)>;

/// The documents of a stream as the Kubernetes decoder cuts them: at lines that begin with `---`; only a comment may follow.
fn documents(text: &Text) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut start = 0;
    let first = text.starts_with("---").then_some(0);
    for at in first.into_iter().chain(memchr::memmem::find_iter(text.as_bytes(), "\n---").map(|before| before + 1)) {
        let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |line| at + line + 1);
        let after = text[at + "---".len()..end].trim();
        if !after.is_empty() && !after.starts_with('#') {
            documents.push(Err((format!("invalid Yaml document separator: {after}"), None)));
            return documents;
        }
        // One with nothing before it belongs to what follows.
        if at > start {
            documents.push(Ok(text.slice(start..at)));
            start = end;
        }
    }
    if start < text.len() {
        documents.push(Ok(text.slice(start..text.len())));
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_far_as_go_reads_one() {
        assert_eq!(first_indent(&format!("{}\n", "a".repeat(65_535))), None);
        let too_long = Some("bufio.Scanner: token too long".to_owned());
        assert_eq!(first_indent(&format!("{}\n", "a".repeat(65_536))), too_long);
    }

    #[test]
    fn cuts_as_kubernetes_does() {
        let cut = |text: &str| {
            documents(&Text::new(text))
                .into_iter()
                .map(|d| d.map_or_else(|(e, _)| e, |t| t.to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(cut("---\na: 1\n---\nb: 2\n"), ["---\na: 1\n", "b: 2\n"]);
        assert_eq!(cut("a: 1\n--- # x\nb: 2"), ["a: 1\n", "b: 2"]);
        assert_eq!(cut("a: 1\n---b: 2"), ["invalid Yaml document separator: b: 2"]);
    }

    #[test]
    fn crd_hooks() {
        assert!(has_crd_hook("\"helm.sh/hook\": crd-install"));
        assert!(has_crd_hook("helm.sh/hook:   crd-install"));
        assert!(!has_crd_hook("helm.sh/hook: pre-install"));
    }
}
