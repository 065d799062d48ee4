//! A placeholder of an example, `change-me:<name>`, stands where a real value belongs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use composefile::{EnvEntry, Node, Value};
use findings::{Finding, Severity};
use release::ProfileSource;
use source::{FileId, Span};
use yamlspan::{Kind, NodeRef};

use crate::kubernetes::{DEEPEST, objects};
use crate::place::{Object, Path, Place, Rendered, Trail};
use crate::rules::Rule;
use crate::secrets::PLACEHOLDER;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct PlaceholderInUse;

/// Placeholders reported for one profile's manifests: they mostly come from one forgotten values file.
const MOST_REPORTED: usize = 50;

impl Rule for PlaceholderInUse {
    fn id(&self) -> &'static str {
        "placeholder-in-use"
    }

    fn summary(&self) -> &'static str {
        "a placeholder stands where a real value belongs"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let mut holders = Holders { survey, known: BTreeMap::new() };
        for profile in &survey.profiles {
            let mut said: BTreeSet<Span> = BTreeSet::new();
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                if let Some(compose) = variant.compose() {
                    for file in &compose.all.env_files {
                        let path = survey.inputs.sources.path(file.file);
                        self.entries(profile, path, &file.entries, &mut said, out);
                    }
                    for file in &compose.all.service_files {
                        let Some(id) = file.file else { continue };
                        self.entries(profile, survey.inputs.sources.path(id), &file.entries, &mut said, out);
                    }
                    self.literals(&mut holders, profile, &compose.all.root, &mut said, out);
                }
                if let Some(kubernetes) = variant.kubernetes()
                    && !values_are_examples(profile)
                {
                    let mut found = Vec::new();
                    // Walking every value costs as much as all other rules together; most documents hold none.
                    let holds = |object: Object| match object {
                        Object::Document(index) => {
                            kubernetes.documents.get(index).is_some_and(|document| document.text.contains(PLACEHOLDER))
                        }
                        Object::Compose => false,
                    };
                    for object in objects(kubernetes).into_iter().filter(|object| holds(object.object)) {
                        placeholders(object.node, object.object, Trail::From(&object.path), 0, &mut found);
                    }
                    for (object, path, range) in found {
                        let place = Rendered { variant: index, object, path: path.clone(), range: Some(range) };
                        out.push(self.finding(profile.at(place), &format!("`{path}`")));
                    }
                }
            }
        }
    }
}

fn is_example(path: &Utf8Path) -> bool {
    path.extension() == Some("example")
}

fn values_are_examples(profile: &ProfileSurvey<'_>) -> bool {
    match &profile.profile.declared.source {
        ProfileSource::Helm(source) => source.values.iter().any(|values| is_example(&values.value)),
        _ => false,
    }
}

impl PlaceholderInUse {
    fn finding(&self, place: Place, what: &str) -> Finding<Place> {
        Finding::new(self.id(), Severity::Error, place, format!("{what} still holds the placeholder of an example"))
            .label("anybody can guess this")
            .help("replace it by a value of your own; `openssl rand -hex 32` makes a good one")
    }

    fn entries(
        &self,
        profile: &ProfileSurvey<'_>,
        path: &Utf8Path,
        entries: &[EnvEntry],
        said: &mut BTreeSet<Span>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let of_example = is_example(path);
        if of_example && !profile.profile.operator_env {
            return;
        }
        for entry in entries {
            // Below an operator's own file, an example counts where that file sets nothing else.
            let counts = !of_example || entry.used;
            if counts && entry.value.contains(PLACEHOLDER) && said.insert(entry.value_span) {
                let place = Place::source(entry.value_span).of(profile.name());
                out.push(self.finding(place, &format!("variable `{}`", entry.name.as_str())));
            }
        }
    }

    /// Placeholders that a Compose file itself holds.
    fn literals(
        &self,
        holders: &mut Holders<'_>,
        profile: &ProfileSurvey<'_>,
        root: &Node,
        said: &mut BTreeSet<Span>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let mut spans = Vec::new();
        texts(root, 0, holders, &mut spans);
        // The words of a command all come from one text, and an alias may stand a hundred thousand times.
        spans.sort_unstable();
        spans.dedup();
        for span in spans {
            if said.insert(span) {
                out.push(self.finding(Place::source(span).of(profile.name()), "a value"));
            }
        }
    }
}

/// Where source files hold placeholders that count: nearly none does.
struct Holders<'s> {
    survey: &'s Survey<'s>,
    /// The offsets in each file.
    known: BTreeMap<FileId, Vec<usize>>,
}

impl Holders<'_> {
    fn hold(&mut self, span: Span) -> bool {
        let sources = self.survey.inputs.sources;
        let offsets = self.known.entry(span.file).or_insert_with(|| match sources.file(span.file) {
            Some(file) if !is_example(sources.path(span.file)) => {
                memchr::memmem::find_iter(file.text().as_bytes(), PLACEHOLDER).collect()
            }
            _ => Vec::new(),
        });
        let range = span.range();
        let first = offsets.partition_point(|at| *at < range.start);
        offsets.get(first).is_some_and(|at| at + PLACEHOLDER.len() <= range.end)
    }
}

/// Where the texts of a Compose file are written that hold a placeholder.
fn texts(node: &Node, depth: usize, holders: &mut Holders<'_>, spans: &mut Vec<Span>) {
    if depth > DEEPEST {
        return;
    }
    match &node.value {
        Value::Str(_) => spans.extend(node.span.filter(|span| holders.hold(*span))),
        Value::Seq(items) => items.iter().for_each(|item| texts(item, depth + 1, holders, spans)),
        Value::Map(map) => map.iter().for_each(|(_, value)| texts(value, depth + 1, holders, spans)),
        _ => {}
    }
}

fn placeholders(
    node: NodeRef<'_>,
    object: Object,
    trail: Trail<'_>,
    depth: usize,
    found: &mut Vec<(Object, Path, std::ops::Range<usize>)>,
) {
    let node = node.target();
    if depth > DEEPEST || found.len() >= MOST_REPORTED {
        return;
    }
    match node.kind() {
        Kind::Mapping => {
            for (key, value) in node.entries() {
                placeholders(value, object, trail.key(key.raw()), depth + 1, found);
            }
        }
        Kind::Sequence => {
            for (index, item) in node.items().enumerate() {
                placeholders(item, object, trail.index(index), depth + 1, found);
            }
        }
        _ => {
            if let Some(at) = node.raw().find(PLACEHOLDER) {
                found.push((object, trail.path(), at..at + PLACEHOLDER.len()));
            }
        }
    }
}
