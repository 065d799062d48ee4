//! YAML to plain values.

mod construct;
mod go_syntax;

use source::{FileId, Text};

use crate::{Data, Dialect, Document, Error, parse_first};
use construct::Constructor;

/// Values that nest deeper than this are refused. Go's own limits (10,000) would overflow a thread's stack here: values are
/// built, compared and dropped by recursion. Real files stay below 50.
pub const MOST_DEPTH: usize = 1_000;

/// How whole numbers come out of [`json_value`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// Every number is a `Float`, as Go's `encoding/json` gives.
    #[default]
    Floats,
    /// Whole numbers stay `Int` or `Uint`.
    Kept,
}

/// What the Go variable that is decoded into can hold. A mismatch is an error in `encoding/json`'s words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// `interface{}`
    #[default]
    Any,
    /// `map[string]interface{}`: null gives an empty map.
    Map,
    /// `[]interface{}`: null gives an empty list.
    Array,
}

/// Options of [`json_value`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub numbers: Numbers,
    pub target: Target,
    /// `UnmarshalStrict`: a key that is written twice is an error.
    pub strict: bool,
}

/// What `sigs.k8s.io/yaml.Unmarshal` makes of the first document: YAML (go-yaml v2) to JSON to plain values. Keys become strings,
/// merge keys and aliases are expanded, of duplicate keys the last wins (unless `strict`). Maps come out in byte order of their
/// keys. An empty text is `Null`. `file` is where spans of errors point.
///
/// # Errors
/// As sigs.k8s.io/yaml words them: `error converting YAML to JSON: yaml: line 2: …`.
pub fn json_value(text: &Text, file: FileId, options: Options) -> Result<Data, Error> {
    let wrap = |error: Error| error.within("error converting YAML to JSON: ");
    let document = parse_first(text.to_arc(), file, Dialect::GoYamlV2).map_err(wrap)?;
    json_from(document.as_ref(), text, options)
}

/// As [`json_value`], of a document (read as v2) that is parsed already. `source` is the text that was parsed.
///
/// # Errors
/// As [`json_value`], but for what the parser refuses.
pub fn json_from(document: Option<&Document>, source: &Text, options: Options) -> Result<Data, Error> {
    let wrap = |error: Error| error.within("error converting YAML to JSON: ");
    let data = match document {
        None => Data::Null,
        Some(document) => {
            let mut constructor = Constructor::new(source, document.dialect(), options.strict);
            constructor.for_json(options.numbers);
            constructor.document(document.root()).map_err(wrap)?
        }
    };
    let mismatch = |found: &str, wanted: &str| {
        let message = format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
        );
        Err(Error::new(message, document.map(|document| document.root().span())))
    };
    match (options.target, data) {
        (Target::Any, data) | (Target::Map, data @ Data::Map(_)) | (Target::Array, data @ Data::Seq(_)) => Ok(data),
        (Target::Map, Data::Null) => Ok(Data::Map(Vec::new())),
        (Target::Array, Data::Null) => Ok(Data::Seq(Vec::new())),
        (Target::Map, data) => mismatch(json_kind(&data), "map[string]interface {}"),
        (Target::Array, data) => mismatch(json_kind(&data), "[]interface {}"),
    }
}

/// `encoding/json`'s word for what a value is.
fn json_kind(data: &Data) -> &'static str {
    match data {
        Data::Null => "null",
        Data::Bool(_) => "bool",
        Data::Int(_) | Data::Uint(_) | Data::Float(_) => "number",
        Data::Str(_) => "string",
        Data::Seq(_) => "array",
        Data::Map(_) => "object",
    }
}

/// What go-yaml of the document's dialect decodes a document into (an empty interface), with keys as strings and maps in byte
/// order of their keys. Numbers stay whole; a timestamp is a string (in v2 as written, in v3 and v4 as Go prints it).
/// `source` is the text that was parsed; where it is traced, so are the strings.
///
/// # Errors
/// As go-yaml words them.
pub fn value(document: &Document, source: &Text) -> Result<Data, Error> {
    Constructor::new(source, document.dialect(), false).document(document.root())
}
