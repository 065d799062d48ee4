//! YAML that is read otherwise than it looks.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Severity};
use release::ProfileSource;
use source::{EntryKind, FileId, Span};
use yamlspan::Dialect;

use crate::misread::{deeper_dashes, first_line_after, may_end_early, swallowed};
use crate::place::{Object, Place, Rendered};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct YamlMisread;

/// Charts in charts in charts are as deep as they come.
const DEEPEST_CHART: usize = 4;

impl Rule for YamlMisread {
    fn id(&self) -> &'static str {
        "yaml-misread"
    }

    fn summary(&self) -> &'static str {
        "a YAML file is read otherwise than it looks"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            match &profile.profile.declared.source {
                ProfileSource::Compose(_) => self.compose_files(survey, profile, out),
                ProfileSource::Helm(source) => {
                    let mut files: Vec<Utf8PathBuf> = source.values.iter().map(|file| file.value.clone()).collect();
                    values_of(survey, &source.chart.value, 0, &mut files);
                    for path in files {
                        let Ok((file, text)) = survey.inputs.facts.text(&path) else { continue };
                        self.lists(profile, file, &text, out);
                        self.rest(profile, &path, file, &text, out);
                    }
                    self.rendered(profile, out);
                }
                ProfileSource::Manifests(_) => self.rendered(profile, out),
            }
        }
    }
}

/// The values files of a chart and of the charts in it.
fn values_of(survey: &Survey<'_>, chart: &Utf8Path, depth: usize, into: &mut Vec<Utf8PathBuf>) {
    into.push(chart.join("values.yaml"));
    if depth >= DEEPEST_CHART {
        return;
    }
    let folder = chart.join("charts");
    let entries = survey.inputs.facts.list(&folder).unwrap_or_default();
    for entry in entries.into_iter().filter(|entry| entry.kind == EntryKind::Directory) {
        values_of(survey, &folder.join(entry.name), depth + 1, into);
    }
}

impl YamlMisread {
    fn compose_files(&self, survey: &Survey<'_>, profile: &ProfileSurvey<'_>, out: &mut Vec<Finding<Place>>) {
        let mut seen = Vec::new();
        for compose in profile.profile.variants.iter().filter_map(|variant| variant.compose()) {
            for (_, file) in &compose.all.compose_files {
                if !seen.contains(file)
                    && let Some(known) = survey.inputs.sources.file(*file)
                {
                    seen.push(*file);
                    self.lists(profile, *file, known.text(), out);
                }
            }
        }
    }

    /// Items that swallow the next ones, in a file as it is written.
    fn lists(&self, profile: &ProfileSurvey<'_>, file: FileId, text: &str, out: &mut Vec<Finding<Place>>) {
        let dashes = deeper_dashes(text);
        if dashes.is_empty() {
            return;
        }
        let Ok(documents) = yamlspan::parse(Arc::from(text), file, Dialect::GoYamlV4) else { return };
        for found in documents.iter().flat_map(|document| swallowed(document.root(), &dashes)) {
            let at = |range| Place::source(Span::new(file, range));
            let item = found.item.span().range();
            let first = text.get(item.clone()).and_then(|item| item.lines().next()).unwrap_or_default();
            let above = at(item.start..item.start + first.trim_end().len());
            let line = text.get(found.line.clone()).unwrap_or_default();
            out.push(self.swallowing(profile, at(found.line).of(profile.name()), line).related(above, "the item"));
        }
    }

    /// The same in what was rendered: a template may have printed it.
    fn rendered(&self, profile: &ProfileSurvey<'_>, out: &mut Vec<Finding<Place>>) {
        for (variant, rendering) in profile.profile.variants.iter().enumerate() {
            let documents = rendering.kubernetes().into_iter().flat_map(|kubernetes| &kubernetes.documents);
            // Documents of one file have one source.
            let (mut source, mut dashes) = ("", Vec::new());
            for (index, document) in documents.enumerate() {
                if document.document.is_simple() {
                    continue;
                }
                if !std::ptr::eq(source, document.document.source()) {
                    source = document.document.source();
                    dashes = deeper_dashes(source);
                }
                for found in swallowed(document.document.root(), &dashes) {
                    let line = source.get(found.line).unwrap_or_default();
                    let range = found.item.raw().find(line).map(|start| start..start + line.len());
                    let place = profile.at(Rendered { variant, object: Object::Document(index), path: found.path, range });
                    out.push(self.swallowing(profile, place, line));
                }
            }
        }
    }

    fn swallowing(&self, profile: &ProfileSurvey<'_>, place: Place, line: &str) -> Finding<Place> {
        let message = format!("profile `{}` has one item of a list where two are written", profile.name());
        Finding::new(self.id(), Severity::Error, place, message)
            .label(format!("`{line}` goes on with the item above"))
            .help("indent it as the item above, or put the whole item into quotes if it is one")
    }

    /// What of a values file Helm does not read: it takes the first document, and does not look at what follows.
    fn rest(
        &self,
        profile: &ProfileSurvey<'_>,
        path: &Utf8Path,
        file: FileId,
        text: &Arc<str>,
        out: &mut Vec<Finding<Place>>,
    ) {
        if !may_end_early(text) {
            return;
        }
        let Ok(Some(first)) = yamlspan::parse_first(Arc::clone(text), file, Dialect::GoYamlV2) else { return };
        let Some(line) = first_line_after(text, first.span().range().end) else { return };
        out.push(
            Finding::new(
                self.id(),
                Severity::Error,
                Place::source(Span::new(file, line)).of(profile.name()),
                format!("Helm reads `{path}` only up to here"),
            )
            .label("not read, and nobody says so")
            .help("give the lines of one mapping one indentation, and write one document"),
        );
    }
}
