//! Charts as loaded: from a folder or from a `.tgz`.
//!
//! Threats: an archive that unpacks without end, names that lead out of the chart, subcharts in subcharts without end. Sizes are
//! bounded as in Helm, names are checked before use, nesting is bounded by [`DEEPEST_SUBCHART`]; links are the business of the
//! [`Files`] that answers.

mod archive;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use gotemplate::{Map, TemplateSet};
use source::{FileId, FileKind, Files, Span, Text, octets};

use crate::metadata::Metadata;
use crate::values::documents;
use crate::values::schema::{Compiled, compile};
use crate::values::tree::{Table, Tree};
use crate::yaml;
use crate::{Error, ErrorKind, HelmVersion};

/// Nesting of `charts/x/charts/y/…`. Helm has no bound; public charts stay below 5.
const DEEPEST_SUBCHART: usize = 32;

/// Helm's largest file of a chart.
pub(crate) const LARGEST_FILE: u64 = 5 << 20;

/// Helm's largest unpacked archive.
pub(crate) const LARGEST_ARCHIVE: u64 = 100 << 20;

/// Values in the values files of a chart and all its subcharts, and as many in those of the user: the largest public charts have some
/// ten thousand. Each is there several times while a chart is rendered, and takes more than a kilobyte in all.
pub(crate) const MOST_VALUES: usize = 50_000;

/// A chart with all its subcharts. Loaded once, rendered any number of times, by any thread.
#[derive(Debug)]
pub struct Chart {
    pub(crate) root: Arc<ChartData>,
    pub(crate) path: Utf8PathBuf,
    /// What Helm logs while it loads.
    pub(crate) warnings: Vec<String>,
    pub(crate) parsed: Arc<ParsedTemplates>,
    /// Whether `helm lint` once went another way than `helm template` in it.
    lint_parts: Arc<AtomicBool>,
    /// The name of every file with its id; without it where the file is plain.
    parts: Arc<[(String, Option<FileId>)]>,
    pub(crate) seen: Seen,
}

/// The plain files, those that only templates see which ask for them, that any template has looked into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeSet<FileId>>>);

impl Seen {
    /// Notes that what is rendered depends on a file from here on.
    pub(crate) fn note(&self, file: &ChartFile) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(file.file);
    }
}

/// One chart without the charts around it.
#[derive(Debug, Default)]
pub(crate) struct ChartData {
    pub(crate) metadata: Metadata,
    /// `Chart.yaml` as it stands.
    pub(crate) chart_file: Option<ChartFile>,
    pub(crate) templates: Vec<ChartFile>,
    pub(crate) files: Vec<ChartFile>,
    pub(crate) values: Option<DefaultValues>,
    pub(crate) schema: Option<ChartFile>,
    compiled: OnceLock<Compiled>,
    pub(crate) dependencies: Vec<Self>,
}

/// One file of a chart, without byte order mark.
#[derive(Clone, Debug)]
pub(crate) struct ChartFile {
    /// Path within the chart, with `/`.
    pub(crate) name: String,
    pub(crate) bytes: Arc<[u8]>,
    /// Where the bytes stand on disk; unknown for files from archives.
    pub(crate) file: Option<FileId>,
    /// How many bytes of the file on disk come before `bytes`: a byte order mark.
    pub(crate) before: usize,
}

/// The content of `values.yaml`.
#[derive(Debug)]
pub(crate) struct DefaultValues {
    file: ChartFile,
    plain: Table,
    traced: OnceLock<Table>,
}

/// Template sets by what went into them: which templates take part depends on the values, which functions there are on the
/// Helm version.
#[derive(Default)]
pub(crate) struct ParsedTemplates(Mutex<BTreeMap<(HelmVersion, Vec<String>), TemplateSet>>);

impl std::fmt::Debug for ParsedTemplates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ParsedTemplates")
    }
}

impl ParsedTemplates {
    /// The set for these template names, made by `parse` if it is not there yet.
    pub(crate) fn obtain<E>(
        &self,
        helm: HelmVersion,
        names: Vec<String>,
        parse: impl FnOnce() -> Result<TemplateSet, E>,
    ) -> Result<TemplateSet, E> {
        let key = (helm, names);
        if let Ok(sets) = self.0.lock()
            && let Some(set) = sets.get(&key)
        {
            return Ok(set.clone());
        }
        let set = parse()?;
        if let Ok(mut sets) = self.0.lock() {
            sets.insert(key, set.clone());
        }
        Ok(set)
    }
}

impl Chart {
    /// Loads a chart from a folder with a `Chart.yaml`, or from a packed `.tgz`.
    ///
    /// # Errors
    /// Everything that keeps Helm from loading a chart, in Helm's words.
    pub fn load(path: &Utf8Path, files: &dyn Files) -> Result<Self, Error> {
        let mut loading = Loading::default();
        let mut packed = None;
        let entries = match files.kind(path) {
            Some(FileKind::Directory) => folder::read(path, files)?,
            Some(FileKind::File) => {
                let (file, bytes) = files.read(path).map_err(|error| Error::new(ErrorKind::Load, error.to_string()))?;
                packed = Some((path.to_string(), Some(file)));
                archive::ensure(path.as_str(), &bytes)?;
                archive::read(&bytes)?
            }
            None => return Err(Error::new(ErrorKind::Load, format!("path \"{path}\" not found"))),
        };
        let mut parts: Vec<(String, Option<FileId>)> =
            packed.into_iter().chain(entries.iter().map(|entry| (entry.name.clone(), entry.file))).collect();
        let root = assemble(entries, 0, &mut loading)?;
        let plain: BTreeSet<FileId> = root.plain_files().filter_map(|file| file.file).collect();
        for (_, file) in &mut parts {
            *file = file.filter(|file| !plain.contains(file));
        }
        Ok(Self {
            root: Arc::new(root),
            path: path.to_owned(),
            warnings: loading.warnings,
            parsed: Arc::default(),
            lint_parts: Arc::default(),
            parts: parts.into(),
            seen: Seen::default(),
        })
    }

    /// The same chart, of which nothing was rendered yet: see [`Chart::renders_as`]. Cheap; what was read and parsed is shared.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self {
            root: Arc::clone(&self.root),
            path: self.path.clone(),
            warnings: self.warnings.clone(),
            parsed: Arc::clone(&self.parsed),
            lint_parts: Arc::clone(&self.lint_parts),
            parts: Arc::clone(&self.parts),
            seen: Seen::default(),
        }
    }

    /// Whether it was seen that `helm lint` goes another way in this chart than `helm template`, so that it is not worth trying to follow again.
    pub(crate) fn lint_parts(&self) -> bool {
        self.lint_parts.load(Ordering::Relaxed)
    }

    pub(crate) fn note_that_lint_parts(&self) {
        self.lint_parts.store(true, Ordering::Relaxed);
    }

    /// Whether all that was rendered of this chart up to now would be the same of `other`: they have the same files, but for the content of plain ones
    /// that no template has looked into.
    ///
    /// Both must have been loaded through the same [`Files`], or through ones whose ids stand for the same texts.
    #[must_use]
    pub fn renders_as(&self, other: &Self) -> bool {
        let others: BTreeSet<FileId> = other.root.plain_files().filter_map(|file| file.file).collect();
        // What has no id lies in an archive, which has one.
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.path == other.path && self.parts == other.parts && seen.is_subset(&others)
    }

    /// The chart's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.root.metadata.name
    }

    /// The chart's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.root.metadata.version
    }

    /// The version of what the chart installs.
    #[must_use]
    pub fn app_version(&self) -> &str {
        &self.root.metadata.app_version
    }

    /// What stands in the `values.yaml` of a chart that lies in an archive. `names` lead to it, as each chart calls the one below it; none lead to this one.
    #[must_use]
    pub fn packed_values(&self, names: &[&str]) -> Option<String> {
        let mut chart = &*self.root;
        for name in names {
            let mut declared = chart.metadata.dependencies.iter().flatten();
            let called =
                declared.find(|dependency| dependency.alias == *name).map_or(*name, |dependency| &dependency.name);
            chart = chart.dependencies.iter().find(|dependency| dependency.metadata.name == called)?;
        }
        let file = &chart.values.as_ref()?.file;
        file.file.is_none().then(|| file.yaml().as_str().to_owned())
    }

    /// Where it was loaded from.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

impl ChartFile {
    /// The content as text; what is not UTF-8 is marked. Traced where the place is known.
    pub(crate) fn text(&self) -> Text {
        self.placed(&octets::marked(&self.bytes))
    }

    /// The content as Helm reads YAML: go-yaml knows UTF-16.
    pub(crate) fn yaml(&self) -> Text {
        self.placed(&octets::decoded(&self.bytes))
    }

    /// A text that was made of the bytes, with its place.
    fn placed(&self, text: &str) -> Text {
        let Some(file) = self.file else { return Text::new(text) };
        // The source map shows what go-yaml reads, so elsewhere UTF-16 has no places.
        match octets::is_utf_16(&self.bytes) && octets::first_mark(text) == Some(0) {
            true => Text::derived(text, &[Span::new(file, 0..0)]),
            false => Text::exact(text, Span::new(file, self.before..self.before + text.len())),
        }
    }

    /// The place of one byte, where the file is known.
    pub(crate) fn span(&self, at: usize) -> Option<Span> {
        let at = (self.before + at).min(self.before + self.bytes.len());
        self.file.map(|file| Span::new(file, at..at))
    }

    /// The file, where offsets in `bytes` are offsets in it.
    fn whole(&self) -> Option<FileId> {
        self.file.filter(|_| self.before == 0)
    }

    /// The content as text without trace.
    pub(crate) fn plain_text(&self) -> Text {
        Text::new(&*octets::marked(&self.bytes))
    }

    /// [`Self::yaml`] without trace.
    pub(crate) fn plain_yaml(&self) -> Text {
        Text::new(&*octets::decoded(&self.bytes))
    }
}

impl ChartData {
    /// The files of the chart and its subcharts that matter only where a template asks for them.
    fn plain_files(&self) -> Box<dyn Iterator<Item = &ChartFile> + '_> {
        let own = self.files.iter().filter(|file| !file.name.starts_with("requirements."));
        Box::new(own.chain(self.dependencies.iter().flat_map(Self::plain_files)))
    }

    /// The default values as template values.
    pub(crate) fn values_map(&self, trace: bool, helm: HelmVersion) -> Map {
        let Some(values) = &self.values else { return Map::new() };
        if helm == HelmVersion::V4 && documents::are_read_otherwise(&values.file.bytes) {
            let text = if trace { values.file.yaml() } else { values.file.plain_yaml() };
            // [`Self::check_documents`] went well, so this reading does too.
            let all = documents::read(&text, &values.file.bytes);
            return crate::graph::to_map(&all.unwrap_or_else(|_| values.plain.clone()));
        }
        if !trace || values.file.file.is_none() {
            return crate::graph::to_map(&values.plain);
        }
        // The plain reading went well, so this one does too.
        let traced = values.traced.get_or_init(|| match yaml::read_values(&values.file.yaml()) {
            Ok(table) => table,
            Err(_) => values.plain.clone(),
        });
        crate::graph::to_map(traced)
    }

    /// What only Helm 4 finds wrong in the default values of the chart and its subcharts, which it reads whole.
    pub(crate) fn check_documents(&self) -> Result<(), Error> {
        let file = self.values_file().filter(|file| documents::are_read_otherwise(&file.bytes));
        if let Some(file) = file {
            documents::read(&file.plain_yaml(), &file.bytes)
                .map_err(|error| error.into_error(ErrorKind::Load, file.whole()).wrap("cannot load values.yaml"))?;
        }
        self.dependencies.iter().try_for_each(Self::check_documents)
    }

    /// `version` and `appVersion` of `Chart.yaml`, with their places if wanted and known.
    pub(crate) fn versions(&self, trace: bool) -> [Text; 2] {
        let file = self.chart_file.as_ref().filter(|_| trace);
        let mut stated = file.and_then(|file| yaml::read_values(&file.yaml()).ok()).unwrap_or_default();
        let held = [("version", &self.metadata.version), ("appVersion", &self.metadata.app_version)];
        held.map(|(key, held)| match stated.remove(key) {
            Some(Tree::Str(text)) if text.as_str() == held => text,
            _ => Text::from(held.as_str()),
        })
    }

    /// The schema of the values, compiled once.
    pub(crate) fn compiled_schema(&self) -> Option<&Compiled> {
        let schema = self.schema.as_ref()?;
        Some(self.compiled.get_or_init(|| compile(&schema.bytes)))
    }

    /// [`ChartData::compiled_schema`], if `text` is what it was compiled from.
    pub(crate) fn compiled_schema_of(&self, text: &str) -> Option<&Compiled> {
        self.schema.as_ref().filter(|schema| *schema.bytes == *text.as_bytes())?;
        self.compiled_schema()
    }

    /// The untraced default values, if `text` is what they were read from.
    pub(crate) fn values_map_of(&self, text: &str) -> Option<Map> {
        let values = self.values.as_ref().filter(|values| *values.file.bytes == *text.as_bytes())?;
        Some(crate::graph::to_map(&values.plain))
    }

    /// The file of the default values, if there is one.
    pub(crate) fn values_file(&self) -> Option<&ChartFile> {
        self.values.as_ref().map(|values| &values.file)
    }
}

/// What comes up while a chart and its subcharts are loaded.
#[derive(Default)]
struct Loading {
    warnings: Vec<String>,
    /// Of [`MOST_VALUES`].
    values: usize,
}

/// Makes a chart of its files. The error is prefixed by the caller for subcharts.
fn assemble(entries: Vec<ChartFile>, depth: usize, loading: &mut Loading) -> Result<ChartData, Error> {
    if depth > DEEPEST_SUBCHART {
        return Err(Error::new(ErrorKind::Limit, format!("subcharts are nested deeper than {DEEPEST_SUBCHART}")));
    }
    let mut chart = ChartData::default();
    let mut has_metadata = false;
    for entry in entries.iter().filter(|entry| entry.name == "Chart.yaml") {
        has_metadata = true;
        read_metadata(&mut chart.metadata, entry, "Chart.yaml")?;
        // Helm 2 charts have none.
        if chart.metadata.api_version.is_empty() {
            "v1".clone_into(&mut chart.metadata.api_version);
        }
    }
    let mut subcharts: BTreeMap<String, Vec<ChartFile>> = BTreeMap::new();
    for entry in entries {
        match entry.name.as_str() {
            "Chart.yaml" => chart.chart_file = Some(entry),
            "Chart.lock" => check_lock(&entry, "Chart.lock")?,
            "values.yaml" => {
                let plain = yaml::read_values(&entry.plain_yaml()).map_err(|error| {
                    error.into_error(ErrorKind::Load, entry.whole()).wrap("cannot load values.yaml")
                })?;
                loading.values += plain.values().map(Tree::size).sum::<usize>();
                if loading.values > MOST_VALUES {
                    let message =
                        format!("values.yaml: a chart and its subcharts may have {MOST_VALUES} values in all");
                    return Err(Error::new(ErrorKind::Limit, message).at(entry.span(0)));
                }
                chart.values = Some(DefaultValues { file: entry, plain, traced: OnceLock::new() });
            }
            "values.schema.json" => chart.schema = Some(entry),
            "requirements.yaml" => {
                has_metadata = true;
                if chart.metadata.api_version != "v1" {
                    loading.warnings.push(
                        "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating \
                         dependencies to Chart.yaml."
                            .to_owned(),
                    );
                }
                read_metadata(&mut chart.metadata, &entry, "requirements.yaml")?;
                if chart.metadata.api_version == "v1" {
                    chart.files.push(entry);
                }
            }
            "requirements.lock" => {
                check_lock(&entry, "requirements.lock")?;
                has_metadata = true;
                if chart.metadata.api_version != "v1" {
                    loading.warnings.push(
                        "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend \
                         migrating to Chart.lock."
                            .to_owned(),
                    );
                }
                if chart.metadata.api_version == "v1" {
                    chart.files.push(entry);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(entry),
            name => match name.strip_prefix("charts/") {
                Some(_) if extension(name) == ".prov" => chart.files.push(entry),
                Some(below) => {
                    let below = below.to_owned();
                    let folder = below.split('/').next().unwrap_or_default().to_owned();
                    subcharts.entry(folder).or_default().push(ChartFile { name: below, ..entry });
                }
                None => chart.files.push(entry),
            },
        }
    }
    if !has_metadata {
        return Err(Error::new(ErrorKind::Load, "Chart.yaml file is missing"));
    }
    chart.metadata.validate().map_err(|message| Error::new(ErrorKind::Load, message))?;
    for (folder, entries) in subcharts {
        if folder.starts_with(['_', '.']) {
            continue;
        }
        let name = &chart.metadata.name;
        let subchart = subchart(name, &folder, entries, depth, loading)
            .map_err(|error| error.wrap(&format!("error unpacking subchart {folder} in {name}")))?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

fn subchart(
    parent: &str,
    folder: &str,
    entries: Vec<ChartFile>,
    depth: usize,
    loading: &mut Loading,
) -> Result<ChartData, Error> {
    if extension(folder) == ".tgz" {
        let Some(first) = entries.first() else { return assemble(Vec::new(), depth + 1, loading) };
        if first.name != folder {
            let message = format!("error unpacking subchart tar in {parent}: expected {folder}, got {}", first.name);
            return Err(Error::new(ErrorKind::Load, message));
        }
        return assemble(archive::read(&first.bytes)?, depth + 1, loading);
    }
    // Files that lie in `charts/` itself are no charts.
    let entries = entries
        .into_iter()
        .filter_map(|entry| {
            let name = entry.name.split_once('/')?.1.to_owned();
            Some(ChartFile { name, ..entry })
        })
        .collect();
    assemble(entries, depth + 1, loading)
}

/// Go's `filepath.Ext`.
pub(crate) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |at| &name[at..])
}

fn read_metadata(metadata: &mut Metadata, entry: &ChartFile, name: &str) -> Result<(), Error> {
    let outer = format!("cannot load {name}");
    let data = yaml::read_data(&entry.plain_yaml())
        .map_err(|error| error.into_error(ErrorKind::Load, entry.whole()).wrap(&outer))?;
    metadata.read(&data).map_err(|message| Error::new(ErrorKind::Load, message).wrap(&outer))
}

/// A lock file takes no part in rendering, but a malformed one stops Helm.
fn check_lock(entry: &ChartFile, name: &str) -> Result<(), Error> {
    let outer = format!("cannot load {name}");
    let data = yaml::read_data(&entry.plain_yaml())
        .map_err(|error| error.into_error(ErrorKind::Load, entry.whole()).wrap(&outer))?;
    crate::metadata::check_lock(&data).map_err(|message| Error::new(ErrorKind::Load, message).wrap(&outer))
}
