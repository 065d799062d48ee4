//! `Chart.yaml`: what it says, decoded and checked as Helm does.

use yamlspan::Data;

/// The content of `Chart.yaml` (for charts of `apiVersion: v1` with the dependencies of `requirements.yaml`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) home: String,
    pub(crate) sources: Vec<String>,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) keywords: Vec<String>,
    /// `None` for a `null` entry, which makes the chart invalid.
    pub(crate) maintainers: Vec<Option<Maintainer>>,
    pub(crate) icon: String,
    pub(crate) api_version: String,
    pub(crate) condition: String,
    pub(crate) tags: String,
    pub(crate) app_version: String,
    pub(crate) deprecated: bool,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) kube_version: String,
    /// `None` where the key is absent: Helm then leaves the whole tree of `charts/` alone.
    pub(crate) dependencies: Option<Vec<Dependency>>,
    /// A `null` among the dependencies, which makes the chart invalid.
    pub(crate) null_dependency: bool,
    pub(crate) chart_type: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Maintainer {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) url: String,
}

/// One entry of `dependencies`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repository: String,
    pub(crate) condition: String,
    pub(crate) tags: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) import_values: Vec<ImportValue>,
    pub(crate) alias: String,
}

/// One entry of `import-values`.
#[derive(Clone, Debug)]
pub(crate) enum ImportValue {
    /// `{child: a.b, parent: c}`
    Pair { child: String, parent: String },
    /// `name`, short for the child's `exports.name`.
    Export(String),
}

impl Dependency {
    /// The name under which the chart goes here, if it is another than its own.
    pub(crate) fn alias(&self) -> Option<&str> {
        (!self.alias.is_empty()).then_some(self.alias.as_str())
    }

    /// Alias, or else name.
    pub(crate) fn key(&self) -> &str {
        self.alias().unwrap_or(&self.name)
    }
}

impl Metadata {
    /// Reads the file's data over what is there already. The error has `encoding/json`'s words.
    pub(crate) fn read(&mut self, data: &Data) -> Result<(), String> {
        let entries = match data {
            Data::Null => return Ok(()),
            Data::Map(entries) => entries,
            other => return Err(mismatch(other, "value", "chart.Metadata")),
        };
        for (key, value) in entries {
            let field = Field { path: "Metadata", name: field_name(key, METADATA_FIELDS) };
            match field.name {
                "name" => field.string(value, &mut self.name)?,
                "home" => field.string(value, &mut self.home)?,
                "sources" => field.strings(value, &mut self.sources)?,
                "version" => field.string(value, &mut self.version)?,
                "description" => field.string(value, &mut self.description)?,
                "keywords" => field.strings(value, &mut self.keywords)?,
                "maintainers" => self.maintainers = read_maintainers(field, value)?,
                "icon" => field.string(value, &mut self.icon)?,
                "apiVersion" => field.string(value, &mut self.api_version)?,
                "condition" => field.string(value, &mut self.condition)?,
                "tags" => field.string(value, &mut self.tags)?,
                "appVersion" => field.string(value, &mut self.app_version)?,
                "deprecated" => field.bool(value, &mut self.deprecated)?,
                "annotations" => self.annotations = read_annotations(field, value)?,
                "kubeVersion" => field.string(value, &mut self.kube_version)?,
                "dependencies" => self.read_dependencies(field, value)?,
                "type" => field.string(value, &mut self.chart_type)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_dependencies(&mut self, field: Field<'_>, value: &Data) -> Result<(), String> {
        let items = match value {
            Data::Null => {
                self.dependencies = None;
                return Ok(());
            }
            Data::Seq(items) => items,
            other => return Err(field.refuse(other, "[]*chart.Dependency")),
        };
        let mut dependencies = Vec::new();
        for item in items {
            match item {
                Data::Null => self.null_dependency = true,
                Data::Map(entries) => dependencies.push(read_dependency(entries)?),
                other => return Err(field.refuse(other, "chart.Dependency")),
            }
        }
        self.dependencies = Some(dependencies);
        Ok(())
    }

    /// Checks what loading checks, and cleans texts up as Helm does. The error has Helm's words.
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        if self.api_version.is_empty() {
            return Err("validation: chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return Err("validation: chart.metadata.name is required".to_owned());
        }
        let quoted = gotemplate::format::quote(self.name.as_bytes());
        if self.name == "." || self.name == ".." {
            return Err(format!("validation: chart.metadata.name {quoted} is not allowed"));
        }
        if go_base(&self.name) != self.name {
            return Err(format!("validation: chart.metadata.name {quoted} is invalid"));
        }
        if self.version.is_empty() {
            return Err("validation: chart.metadata.version is required".to_owned());
        }
        if crate::functions::version::Version::parse(&self.version).is_err() {
            let version = gotemplate::format::quote(self.version.as_bytes());
            return Err(format!("validation: chart.metadata.version {version} is invalid"));
        }
        if !matches!(self.chart_type.as_str(), "" | "application" | "library") {
            return Err("validation: chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in &mut self.maintainers {
            let Some(maintainer) = maintainer else {
                return Err("validation: maintainers must not contain empty or null nodes".to_owned());
            };
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
        }
        self.validate_dependencies()
    }

    fn validate_dependencies(&mut self) -> Result<(), String> {
        if self.null_dependency {
            return Err("validation: dependencies must not contain empty or null nodes".to_owned());
        }
        let mut seen: Vec<&str> = Vec::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            let Dependency { name, version, repository, condition, tags, alias, .. } = &mut *dependency;
            [name, version, repository, condition].into_iter().chain(tags).for_each(sanitize);
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !alias.chars().all(allowed) {
                let name = gotemplate::format::quote(dependency.name.as_bytes());
                return Err(format!("validation: dependency {name} has disallowed characters in the alias"));
            }
        }
        for dependency in self.dependencies.iter().flatten() {
            if seen.contains(&dependency.key()) {
                let key = gotemplate::format::quote(dependency.key().as_bytes());
                return Err(format!("validation: more than one dependency with name or alias {key}"));
            }
            seen.push(dependency.key());
        }
        Ok(())
    }

    /// Whether only partials of this chart count.
    pub(crate) fn is_library(&self) -> bool {
        self.chart_type.eq_ignore_ascii_case("library")
    }
}

/// Go's `filepath.Base`.
pub(crate) fn go_base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
}

/// Blanks become spaces; what cannot be printed goes.
fn sanitize(text: &mut String) {
    let keep = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}' | '\u{e000}'..='\u{f8ff}')
    };
    if text.chars().all(|c| c == ' ' || (keep(c) && !c.is_whitespace())) {
        return;
    }
    *text = text.chars().filter_map(|c| if c.is_whitespace() { Some(' ') } else { keep(c).then_some(c) }).collect();
}

const METADATA_FIELDS: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

/// The field that a key stands for: `encoding/json` takes an exact match, else one that differs in case only.
fn field_name<'f>(key: &str, fields: &[&'f str]) -> &'f str {
    fields
        .iter()
        .find(|field| **field == key)
        .or_else(|| fields.iter().find(|field| field.eq_ignore_ascii_case(key)))
        .copied()
        .unwrap_or_default()
}

/// A field being read: the struct's name with the path to it, for messages.
#[derive(Clone, Copy)]
struct Field<'f> {
    path: &'f str,
    name: &'f str,
}

impl Field<'_> {
    fn refuse(self, found: &Data, wanted: &str) -> String {
        mismatch(found, &format!("struct field {}.{}", self.path, self.name), wanted)
    }

    fn string(self, value: &Data, into: &mut String) -> Result<(), String> {
        if let Some(text) = scalar_text(value) {
            *into = text;
            return Ok(());
        }
        match value {
            Data::Null => Ok(()),
            other => Err(self.refuse(other, "string")),
        }
    }

    fn strings(self, value: &Data, into: &mut Vec<String>) -> Result<(), String> {
        let items = match value {
            Data::Null => {
                into.clear();
                return Ok(());
            }
            Data::Seq(items) => items,
            other => return Err(self.refuse(other, "[]string")),
        };
        into.clear();
        for item in items {
            let mut text = String::new();
            self.string(item, &mut text)?;
            into.push(text);
        }
        Ok(())
    }

    fn bool(self, value: &Data, into: &mut bool) -> Result<(), String> {
        match value {
            Data::Null => Ok(()),
            Data::Bool(value) => {
                *into = *value;
                Ok(())
            }
            other => Err(self.refuse(other, "bool")),
        }
    }
}

/// A scalar where a string is wanted: sigs.k8s.io/yaml writes numbers and booleans out.
pub(crate) fn scalar_text(value: &Data) -> Option<String> {
    match value {
        Data::Bool(value) => Some(value.to_string()),
        Data::Int(value) => Some(value.to_string()),
        Data::Uint(value) => Some(value.to_string()),
        Data::Float(value) => Some(gotemplate::format::format_float(*value, b'g', None)),
        Data::Str(text) => Some(text.to_string()),
        Data::Null | Data::Seq(_) | Data::Map(_) => None,
    }
}

fn mismatch(found: &Data, place: &str, wanted: &str) -> String {
    let found = match found {
        Data::Null => "null",
        Data::Bool(_) => "bool",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "number",
        Data::Str(_) => "string",
        Data::Seq(_) => "array",
        Data::Map(_) => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {place} of type {wanted}"
    )
}

fn read_maintainers(field: Field<'_>, value: &Data) -> Result<Vec<Option<Maintainer>>, String> {
    let items = match value {
        Data::Null => return Ok(Vec::new()),
        Data::Seq(items) => items,
        other => return Err(field.refuse(other, "[]*chart.Maintainer")),
    };
    let mut maintainers = Vec::new();
    for item in items {
        let entries = match item {
            Data::Null => {
                maintainers.push(None);
                continue;
            }
            Data::Map(entries) => entries,
            other => return Err(field.refuse(other, "chart.Maintainer")),
        };
        let mut maintainer = Maintainer::default();
        for (key, value) in entries {
            let field = Field { path: "Maintainer.maintainers", name: field_name(key, &["name", "email", "url"]) };
            match field.name {
                "name" => field.string(value, &mut maintainer.name)?,
                "email" => field.string(value, &mut maintainer.email)?,
                "url" => field.string(value, &mut maintainer.url)?,
                _ => {}
            }
        }
        maintainers.push(Some(maintainer));
    }
    Ok(maintainers)
}

fn read_annotations(field: Field<'_>, value: &Data) -> Result<Vec<(String, String)>, String> {
    let entries = match value {
        Data::Null => return Ok(Vec::new()),
        Data::Map(entries) => entries,
        other => return Err(field.refuse(other, "map[string]string")),
    };
    let mut annotations = Vec::new();
    for (key, value) in entries {
        let mut text = String::new();
        field.string(value, &mut text)?;
        annotations.push((key.to_string(), text));
    }
    annotations.sort();
    Ok(annotations)
}

fn read_dependency(entries: &[(source::Text, Data)]) -> Result<Dependency, String> {
    const FIELDS: &[&str] =
        &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];
    let mut dependency = Dependency::default();
    for (key, value) in entries {
        let field = Field { path: "Dependency.dependencies", name: field_name(key, FIELDS) };
        match field.name {
            "name" => field.string(value, &mut dependency.name)?,
            "version" => field.string(value, &mut dependency.version)?,
            "repository" => field.string(value, &mut dependency.repository)?,
            "condition" => field.string(value, &mut dependency.condition)?,
            "tags" => field.strings(value, &mut dependency.tags)?,
            "enabled" => field.bool(value, &mut dependency.enabled)?,
            "import-values" => dependency.import_values = read_imports(field, value)?,
            "alias" => field.string(value, &mut dependency.alias)?,
            _ => {}
        }
    }
    Ok(dependency)
}

fn read_imports(field: Field<'_>, value: &Data) -> Result<Vec<ImportValue>, String> {
    let items = match value {
        Data::Null => return Ok(Vec::new()),
        Data::Seq(items) => items,
        other => return Err(field.refuse(other, "[]interface {}")),
    };
    // Entries of other types are skipped without a word.
    Ok(items
        .iter()
        .filter_map(|item| match item {
            Data::Str(name) => Some(ImportValue::Export(name.to_string())),
            Data::Map(entries) => {
                let side = |name: &str| {
                    let value = entries.iter().find(|(key, _)| &**key == name).map(|(_, value)| value);
                    value.and_then(scalar_text).unwrap_or_else(|| "<nil>".to_owned())
                };
                Some(ImportValue::Pair { child: side("child"), parent: side("parent") })
            }
            _ => None,
        })
        .collect())
}

/// Checks the shape of a lock file, whose content takes no part in rendering.
pub(crate) fn check_lock(data: &Data) -> Result<(), String> {
    let entries = match data {
        Data::Null => return Ok(()),
        Data::Map(entries) => entries,
        other => return Err(mismatch(other, "value", "chart.Lock")),
    };
    for (key, value) in entries {
        let field = Field { path: "Lock", name: field_name(key, &["generated", "digest", "dependencies"]) };
        match field.name {
            "generated" => check_time(value)?,
            "digest" => field.string(value, &mut String::new())?,
            "dependencies" => Metadata::default().read_dependencies(field, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_time(value: &Data) -> Result<(), String> {
    let outer = "error unmarshaling JSON: while decoding JSON";
    match value {
        Data::Null => Ok(()),
        Data::Str(text) if text.parse::<jiff::Timestamp>().is_ok() && text.contains('T') => Ok(()),
        Data::Str(text) => {
            let text = gotemplate::format::quote(text.as_bytes());
            Err(format!(
                "{outer}: parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text} as \"2006\""
            ))
        }
        _ => Err(format!("{outer}: Time.UnmarshalJSON: input is not a JSON string")),
    }
}
