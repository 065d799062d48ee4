//! The built-in objects of a template: `.Chart`, `.Capabilities`, `.Files`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use gotemplate::{Exec, FunctionError, Kind, List, Map, Named, Object, Signature, Type, Value};
use source::{Text, octets};

use crate::chart::{ChartData, ChartFile, Seen};
use crate::glob::Glob;
use crate::metadata::{Dependency, ImportValue};
use crate::{HelmVersion, yaml};

static VERSION_SET_V3: Named = Named { name: "chartutil.VersionSet", underlying: Type::STRINGS, methods: &[] };
static VERSION_SET_V4: Named = Named { name: "common.VersionSet", underlying: Type::STRINGS, methods: &[] };
static FILES: Named = Named { name: "engine.files", underlying: Type::Map(&Type::BYTES), methods: &[] };

/// A Go struct that only has fields.
struct Struct {
    type_name: &'static str,
    pointer: bool,
    fields: Vec<Field>,
    /// The name of an embedded struct, whose fields count as the outer one's.
    embedded: Option<&'static str>,
    /// What a `String` method on the pointer prints.
    string: Option<Text>,
}

struct Field {
    name: &'static str,
    /// The name in JSON; empty: the field's own. Absent where empty, if `omit`.
    json: &'static str,
    omit: bool,
    value: Value,
}

impl Struct {
    fn value(type_name: &'static str, fields: Vec<Field>) -> Value {
        Value::object(Self { type_name, pointer: false, fields, embedded: None, string: None })
    }

    fn embedded(&self) -> Option<&Self> {
        let name = self.embedded?;
        self.fields.iter().find(|field| field.name == name)?.value.downcast::<Self>()
    }
}

impl Object for Struct {
    fn type_name(&self) -> Cow<'static, str> {
        if self.pointer { Cow::Owned(format!("*{}", self.type_name)) } else { Cow::Borrowed(self.type_name) }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Pointer } else { Kind::Struct }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.iter().map(|field| (field.name, field.value.clone())).collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let own = self.fields.iter().find(|field| field.name == name).map(|field| field.value.clone());
        own.or_else(|| self.embedded().and_then(|embedded| embedded.field(name)))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static NONE: Signature = Signature::fixed(&[]);
        (self.string.is_some() && matches!(name, "String" | "GitVersion")).then_some(&NONE)
    }

    fn call_method(&self, name: &str, _: &mut Exec<'_>, _: Vec<Value>) -> Result<Value, FunctionError> {
        // `GitVersion` gives the whole version, also where Helm 4's `String` cuts it.
        let text = match name {
            "GitVersion" => self.field("Version").and_then(|version| version.as_text().cloned()),
            _ => self.string.clone(),
        };
        text.map(Value::Str).ok_or_else(|| FunctionError::new(format!("method {name} is not callable")))
    }

    fn display_addressed(&self) -> Option<Text> {
        self.string.clone()
    }
}

/// What `encoding/json` prints of a built-in object: names and values of a struct in its order. `None` for all other values.
pub(crate) fn json_fields(value: &Value) -> Option<Vec<(&'static str, Value)>> {
    let object = value.downcast::<Struct>()?;
    let mut fields = Vec::new();
    for field in &object.fields {
        if object.embedded == Some(field.name) {
            fields.extend(json_fields(&field.value).unwrap_or_default());
            continue;
        }
        if field.omit && !field.value.is_true() {
            continue;
        }
        fields.push((if field.json.is_empty() { field.name } else { field.json }, field.value.clone()));
    }
    Some(fields)
}

fn field(name: &'static str, json: &'static str, value: impl Into<Value>) -> Field {
    Field { name, json, omit: true, value: value.into() }
}

fn plain(name: &'static str, value: impl Into<Value>) -> Field {
    Field { name, json: "", omit: false, value: value.into() }
}

fn strings(items: &[String]) -> Value {
    if items.is_empty() {
        return Value::List(List::nil(Type::STRINGS));
    }
    Value::strings(items.iter().map(|item| Text::from(item.as_str())))
}

/// `.Chart`.
pub(crate) fn chart(
    data: &ChartData,
    name: &str,
    dependencies: Option<Vec<&Dependency>>,
    is_root: bool,
    helm: HelmVersion,
    trace: bool,
) -> Value {
    let metadata = &data.metadata;
    let [version, app_version] = data.versions(trace);
    let maintainers: Vec<Value> = metadata
        .maintainers
        .iter()
        .flatten()
        .map(|maintainer| {
            let fields = vec![
                field("Name", "name", maintainer.name.as_str()),
                field("Email", "email", maintainer.email.as_str()),
                field("URL", "url", maintainer.url.as_str()),
            ];
            pointer("chart.Maintainer", fields)
        })
        .collect();
    let dependencies: Vec<Value> = dependencies.unwrap_or_default().into_iter().map(dependency).collect();
    let annotations = if metadata.annotations.is_empty() {
        Map::nil(Type::STRING_MAP)
    } else {
        let map = Map::typed(Type::STRING_MAP);
        for (key, value) in &metadata.annotations {
            map.insert(key.as_str(), Value::from(value.as_str()));
        }
        map
    };
    let fields = vec![
        field("Name", "name", name),
        field("Home", "home", metadata.home.as_str()),
        field("Sources", "sources", strings(&metadata.sources)),
        field("Version", "version", version),
        field("Description", "description", metadata.description.as_str()),
        field("Keywords", "keywords", strings(&metadata.keywords)),
        field("Maintainers", "maintainers", list_of("[]*chart.Maintainer", maintainers)),
        field("Icon", "icon", metadata.icon.as_str()),
        field("APIVersion", "apiVersion", metadata.api_version.as_str()),
        field("Condition", "condition", metadata.condition.as_str()),
        field("Tags", "tags", metadata.tags.as_str()),
        field("AppVersion", "appVersion", app_version),
        field("Deprecated", "deprecated", metadata.deprecated),
        field("Annotations", "annotations", annotations),
        field("KubeVersion", "kubeVersion", metadata.kube_version.as_str()),
        field("Dependencies", "dependencies", list_of("[]*chart.Dependency", dependencies)),
        field("Type", "type", metadata.chart_type.as_str()),
    ];
    if helm.chart_is_map() {
        let map = Map::new();
        for field in fields {
            map.insert(field.name, as_plain(field.value));
        }
        map.insert("IsRoot", Value::Bool(is_root));
        return Value::Map(map);
    }
    let metadata = Struct::value("chart.Metadata", fields);
    Value::object(Struct {
        type_name: "struct { chart.Metadata; IsRoot bool }",
        pointer: false,
        fields: vec![plain("Metadata", metadata), plain("IsRoot", is_root)],
        embedded: Some("Metadata"),
        string: None,
    })
}

fn pointer(type_name: &'static str, fields: Vec<Field>) -> Value {
    Value::object(Struct { type_name, pointer: true, fields, embedded: None, string: None })
}

/// A slice of pointers. The element type is only a name, and few look at it.
fn list_of(type_name: &'static str, items: Vec<Value>) -> Value {
    static MAINTAINERS: Type = Type::Object("*chart.Maintainer");
    static DEPENDENCIES: Type = Type::Object("*chart.Dependency");
    let element = if type_name == "[]*chart.Maintainer" { &MAINTAINERS } else { &DEPENDENCIES };
    let go_type = Type::Slice(element);
    Value::List(if items.is_empty() { List::nil(go_type) } else { List::typed(go_type, items) })
}

/// Structs as maps, as Helm 4 shows them.
fn as_plain(value: Value) -> Value {
    match &value {
        Value::List(list) if matches!(list.element_type(), Type::Object(_)) => {
            Value::list(list.items().iter().cloned().map(as_plain).collect())
        }
        Value::Object(_) => match value.downcast::<Struct>() {
            Some(object) => {
                let map = Map::new();
                for (name, value) in object.fields() {
                    map.insert(name, as_plain(value));
                }
                Value::Map(map)
            }
            None => value,
        },
        _ => value,
    }
}

fn dependency(dependency: &Dependency) -> Value {
    let imports: Vec<Value> = dependency
        .import_values
        .iter()
        .map(|import| match import {
            ImportValue::Export(name) => Value::from(name.as_str()),
            ImportValue::Pair { child, parent } => Value::map([
                (Text::from("child"), Value::from(child.as_str())),
                (Text::from("parent"), Value::from(parent.as_str())),
            ]),
        })
        .collect();
    let always = |name, json, value: &str| Field { name, json, omit: false, value: value.into() };
    let fields = vec![
        always("Name", "name", dependency.name.as_str()),
        field("Version", "version", dependency.version.as_str()),
        always("Repository", "repository", dependency.repository.as_str()),
        field("Condition", "condition", dependency.condition.as_str()),
        field("Tags", "tags", strings(&dependency.tags)),
        field("Enabled", "enabled", dependency.enabled),
        field("ImportValues", "import-values", Value::list(imports)),
        field("Alias", "alias", dependency.alias.as_str()),
    ];
    pointer("chart.Dependency", fields)
}

/// The Kubernetes that templates see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeVersion {
    /// `v1.20.0`
    pub(crate) version: String,
    /// The numbers of `version`, against which constraints are checked.
    normalized: String,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl KubeVersion {
    /// What Helm assumes without `--kube-version`.
    pub(crate) fn default_of(helm: HelmVersion) -> Self {
        let (major, minor) = helm.default_kube();
        let version = format!("v{major}.{minor}.0");
        Self { normalized: version.clone(), version, major, minor }
    }

    /// The version that constraints are checked against, and that `{{ .Capabilities.KubeVersion }}` prints.
    pub(crate) fn normalized(&self) -> &str {
        &self.normalized
    }

    /// Reads `--kube-version`: at least two numbers, perhaps after `v`. Helm 3 drops what follows them.
    pub(crate) fn parse(text: &str, helm: HelmVersion) -> Result<Self, String> {
        let refuse = |reason: String| format!("invalid kube version '{text}': {reason}");
        let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(trimmed);
        if end == 0 {
            return Err(refuse(format!("could not parse {} as version", quoted(text))));
        }
        while trimmed[end..].starts_with('.') && digits(&trimmed[end + 1..]) > 0 {
            end += 1 + digits(&trimmed[end + 1..]);
        }
        let parts: Vec<&str> = trimmed[..end].split('.').collect();
        if parts.len() < 2 {
            return Err(refuse(format!("illegal version string {}", quoted(text))));
        }
        if parts[0].len() > 1 && parts[0].starts_with('0') {
            let (part, text) = (quoted(parts[0]), quoted(text));
            return Err(refuse(format!("illegal zero-prefixed version component {part} in {text}")));
        }
        let mut numbers = Vec::new();
        for part in parts {
            numbers.push(part.parse::<u32>().map_err(|_| {
                let (part, text) = (quoted(part), quoted(text));
                refuse(format!("illegal non-numeric version component {part} in {text}"))
            })?);
        }
        let version: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let normalized = format!("v{}", version.join("."));
        let version = match helm {
            HelmVersion::V3 => normalized.clone(),
            HelmVersion::V4 if text.starts_with('v') => text.to_owned(),
            HelmVersion::V4 => format!("v{text}"),
        };
        Ok(Self { version, normalized, major: numbers[0], minor: numbers[1] })
    }
}

fn quoted(text: &str) -> String {
    gotemplate::format::quote(text.as_bytes())
}

/// The API versions that Helm assumes; taken from the Kubernetes client library of the pinned Helm.
const API_VERSIONS: &str = include_str!("../data/api-versions.txt");

/// `.Capabilities`.
pub(crate) fn capabilities(kube: &KubeVersion, extra: &[String], helm: HelmVersion) -> Value {
    let package = helm.values_package();
    let normalized = Text::from(kube.normalized());
    let kube_fields = vec![
        plain("Version", kube.version.as_str()),
        plain("Major", kube.major.to_string()),
        plain("Minor", kube.minor.to_string()),
    ];
    let kube = Value::object(Struct {
        type_name: if package == "chartutil" { "chartutil.KubeVersion" } else { "common.KubeVersion" },
        pointer: false,
        fields: kube_fields,
        embedded: None,
        string: Some(normalized),
    });
    let mut build = vec![
        field("Version", "version", helm.version()),
        field("GitCommit", "git_commit", ""),
        field("GitTreeState", "git_tree_state", ""),
        field("GoVersion", "go_version", helm.go_version()),
    ];
    if let Some(client) = helm.kube_client_version() {
        build.push(field("KubeClientVersion", "kube_client_version", client));
    }
    let versions: Vec<Text> =
        API_VERSIONS.lines().map(Text::from).chain(extra.iter().map(|version| Text::from(version.as_str()))).collect();
    let named = if package == "chartutil" { &VERSION_SET_V3 } else { &VERSION_SET_V4 };
    pointer(
        if package == "chartutil" { "chartutil.Capabilities" } else { "common.Capabilities" },
        vec![
            plain("KubeVersion", kube),
            plain("APIVersions", Value::object(VersionSet { go_type: named, versions: versions.into() })),
            plain("HelmVersion", Struct::value("version.BuildInfo", build)),
        ],
    )
}

/// `.Capabilities.APIVersions`.
struct VersionSet {
    go_type: &'static Named,
    versions: Rc<[Text]>,
}

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.go_type.name)
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::strings(self.versions.iter().cloned()))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static HAS: Signature = Signature::fixed(&[Type::String]);
        (name == "Has").then_some(&HAS)
    }

    fn call_method(&self, name: &str, _: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let Some(wanted) = args.first().and_then(Value::as_text) else {
            return Err(FunctionError::new(format!("method {name} is not callable")));
        };
        Ok(Value::Bool(self.versions.contains(wanted)))
    }
}

/// `.Files`: what lies in the chart and is neither template nor chart.
pub(crate) struct FilesObject {
    files: BTreeMap<Text, FileContent>,
}

#[derive(Clone)]
struct FileContent {
    file: ChartFile,
    trace: bool,
    seen: Seen,
}

impl FileContent {
    /// What `Get` gives: a text with its place, if it is UTF-8.
    fn value(&self) -> Value {
        self.seen.note(&self.file);
        match std::str::from_utf8(&self.file.bytes) {
            Ok(text) if octets::first_mark(text).is_some() => Value::string(text),
            Ok(_) if self.trace => Value::Str(self.file.text()),
            Ok(_) => Value::Str(self.file.plain_text()),
            Err(_) => Value::string_from_bytes(self.file.bytes.to_vec()),
        }
    }
}

impl FilesObject {
    /// The files of one chart.
    pub(crate) fn new(files: &[ChartFile], trace: bool, seen: &Seen) -> Self {
        let content = |file: &ChartFile| FileContent { file: file.clone(), trace, seen: seen.clone() };
        Self { files: files.iter().map(|file| (Text::from(file.name.as_str()), content(file))).collect() }
    }

    fn content(&self, name: &str) -> Option<Value> {
        self.files.get(name).map(FileContent::value)
    }

    /// The last element of each path with its content, encoded by `encode`, as YAML.
    fn as_map(&self, encode: impl Fn(&Value) -> Value) -> Value {
        let map = Map::typed(Type::STRING_MAP);
        for (path, content) in &self.files {
            let base = path.trimmed(crate::metadata::go_base);
            map.remove(&base);
            map.insert(base, encode(&content.value()));
        }
        Value::Str(yaml::to_yaml_strings(&map))
    }
}

impl Object for FilesObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(FILES.name)
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn underlying(&self) -> Option<Value> {
        let map = Map::typed(Type::Named(&FILES));
        for (name, content) in &self.files {
            let value = content.value();
            map.insert(name.clone(), Value::Bytes(Rc::from(value.string_bytes().unwrap_or_default())));
        }
        Some(Value::Map(map))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        static ONE: Signature = Signature::fixed(&[Type::String]);
        static NONE: Signature = Signature::fixed(&[]);
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(&ONE),
            "AsConfig" | "AsSecrets" => Some(&NONE),
            _ => None,
        }
    }

    fn call_method(&self, name: &str, exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let path = args.first().and_then(Value::as_text).cloned().unwrap_or_default();
        match name {
            "Get" => Ok(self.content(&path).unwrap_or_else(|| Value::from(""))),
            "GetBytes" => {
                let content = self.content(&path);
                Ok(Value::Bytes(Rc::from(content.as_ref().and_then(Value::string_bytes).unwrap_or_default())))
            }
            "Glob" => {
                let glob = Glob::new(&path).ok();
                let matches = |name: &str| glob.as_ref().is_none_or(|glob| glob.matches(name));
                let files =
                    self.files.iter().filter(|(name, _)| matches(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
                Ok(Value::object(Self { files }))
            }
            "Lines" => Ok(lines(self.content(&path).as_ref())),
            "AsConfig" => {
                self.charge(exec)?;
                Ok(self.as_map(Clone::clone))
            }
            "AsSecrets" => {
                self.charge(exec)?;
                Ok(self.as_map(|value| {
                    let encoded =
                        base64::engine::general_purpose::STANDARD.encode(value.string_bytes().unwrap_or_default());
                    Value::Str(match value {
                        Value::Str(text) => Text::derived_from(encoded, [text]),
                        _ => Text::new(encoded),
                    })
                }))
            }
            _ => Err(FunctionError::new(format!("method {name} is not callable"))),
        }
    }
}

impl FilesObject {
    /// Takes the size of all files off the budget.
    fn charge(&self, exec: &mut Exec<'_>) -> Result<(), FunctionError> {
        let size = self.files.values().map(|content| content.file.bytes.len()).sum();
        exec.charge(size)
    }
}

fn lines(content: Option<&Value>) -> Value {
    match content {
        Some(Value::Str(text)) if !text.is_empty() => {
            let text = text.trimmed(|text| text.strip_suffix('\n').unwrap_or(text));
            let mut lines = Vec::new();
            let mut start = 0;
            for line in text.split('\n') {
                lines.push(text.slice(start..start + line.len()));
                start += line.len() + 1;
            }
            Value::strings(lines)
        }
        Some(value) if value.string_bytes().is_some_and(|bytes| !bytes.is_empty()) => {
            let bytes = value.string_bytes().unwrap_or_default();
            let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            let items =
                bytes.split(|byte| *byte == b'\n').map(|line| Value::string_from_bytes(line.to_vec())).collect();
            Value::List(List::typed(Type::STRINGS, items))
        }
        _ => Value::strings([]),
    }
}
