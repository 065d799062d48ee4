//! YAML as Helm reads and writes it. The only module that calls `yamlspan`'s decoders and emitters.

use gotemplate::{Map, Value};
use source::{FileId, Span, Text, octets};
use yamlspan::decode::{Numbers, Options, Target};
use yamlspan::{Data, emit};

use crate::values::tree::{Table, Tree};
use crate::{Error, ErrorKind};

/// YAML that cannot be read, in the words of sigs.k8s.io/yaml.
pub(crate) struct BadYaml {
    message: String,
    span: Option<Span>,
}

impl BadYaml {
    pub(crate) fn new(message: String) -> Self {
        Self { message, span: None }
    }

    pub(crate) fn wrapped(self, outer: &str) -> Self {
        Self { message: format!("{outer}: {}", self.message), ..self }
    }

    /// Of a text that begins `offset` bytes behind the start of the file.
    pub(crate) fn behind(self, offset: usize) -> Self {
        let moved = |span: Span| {
            let range = span.range();
            Span::new(span.file, range.start + offset..range.end + offset)
        };
        Self { span: self.span.map(moved), ..self }
    }

    /// As this crate's error. `file` is the one that was read as it is, traced or not; the place is dropped where it is not known.
    pub(crate) fn into_error(self, kind: ErrorKind, file: Option<FileId>) -> Error {
        let span = file.and_then(|file| Some(Span { file, ..self.span? }));
        Error::new(kind, self.message).at(span)
    }
}

impl From<yamlspan::Error> for BadYaml {
    fn from(error: yamlspan::Error) -> Self {
        Self { message: error.to_string(), span: error.span() }
    }
}

/// The file of a traced text. Untraced texts have none; spans into them are never shown.
fn file_of(text: &Text) -> FileId {
    let span = text.segments().iter().find_map(|segment| segment.origin.spans().first().copied());
    span.map_or(FileId(u32::MAX), |span| span.file)
}

/// The first document, whole numbers kept: for `Chart.yaml`, where they may stand for strings.
pub(crate) fn read_data(text: &Text) -> Result<Data, BadYaml> {
    let options = Options { numbers: Numbers::Kept, ..Options::default() };
    Ok(yamlspan::decode::json_value(text, file_of(text), options)?)
}

/// The first document as values.
pub(crate) fn read_values(text: &Text) -> Result<Table, BadYaml> {
    let options = Options { target: Target::Map, ..Options::default() };
    let data = yamlspan::decode::json_value(text, file_of(text), options)?;
    match Tree::from_data(data) {
        Tree::Map(table) => Ok(table),
        _ => Ok(Table::new()),
    }
}

/// `toYaml` of a map of strings.
pub(crate) fn to_yaml_strings(map: &Map) -> Text {
    let entries = map
        .entries()
        .into_iter()
        .map(|(key, value)| {
            let value = match value {
                Value::Str(text) => text,
                other => Text::new(&*octets::with_replacements(other.string_bytes().unwrap_or_default())),
            };
            (key, Data::Str(value))
        })
        .collect();
    let text = emit::go_yaml_v2(&Data::Map(entries));
    text.trimmed(|text| text.strip_suffix('\n').unwrap_or(text))
}
