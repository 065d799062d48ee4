//! `values.schema.json`: whether values meet it. The only module that knows the `jsonschema` crate.
//!
//! Verdicts are the crate's; the words are made to read like those of the validator in Helm, which reports a tree: errors of
//! one subschema are grouped, and `allOf`, `anyOf` and `oneOf` have their branches below them.
//!
//! Threat: a schema comes with a chart. Nothing is fetched; patterns run on an engine without backtracking.

mod words;

use gotemplate::{Map, Value};
use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value as Json;

use crate::graph::{ChartId, Graph};

/// A compiled schema, or why it could not be compiled.
pub(crate) type Compiled = Result<Validator, String>;

/// Checks the values of a chart and of all its subcharts. The error is Helm's whole report.
pub(crate) fn validate(graph: &Graph<'_>, chart: ChartId, values: &Map) -> Result<(), String> {
    let mut report = String::new();
    if let Some(schema) = graph.data(chart).compiled_schema()
        && let Err(message) = check(schema, values)
    {
        report.push_str(graph.name(chart));
        report.push_str(":\n");
        report.push_str(&message);
    }
    for child in graph.children(chart) {
        let name = graph.name(*child);
        match values.get(name) {
            None | Some(Value::Nil) => {}
            Some(Value::Map(below)) => {
                if let Err(message) = validate(graph, *child, &below) {
                    report.push_str(&message);
                }
            }
            Some(other) => {
                let found = other.type_name();
                report.push_str(&format!("{name}:\ninvalid type for values: expected object (map), got {found}\n"));
            }
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// Compiles a schema.
pub(crate) fn compile(bytes: &[u8]) -> Compiled {
    let schema: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    jsonschema::options()
        .with_retriever(Offline)
        .with_base_uri("file:///values.schema.json")
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| format!("\"file:///values.schema.json#\" is not valid against metaschema: {error}"))
}

/// Checks values against one schema.
pub(crate) fn check(schema: &Compiled, values: &Map) -> Result<(), String> {
    let validator = schema.as_ref().map_err(Clone::clone)?;
    let json = to_json(&Value::Map(values.clone()));
    if validator.is_valid(&json) {
        return Ok(());
    }
    Err(words::report(validator.iter_errors(&json)))
}

/// Looks nothing up. Unknown `urn:` schemas allow everything, as in Helm; the rest is missing.
struct Offline;

impl Retrieve for Offline {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        if uri.as_str().starts_with("urn:") {
            return Ok(Json::Bool(true));
        }
        Err(format!("{} is not fetched", uri.as_str()).into())
    }
}

/// Whole floats become integers, so that every validator takes `3.0` for an `integer`, as Helm's does.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(_, value) => (*value).into(),
        Value::Uint(_, value) => (*value).into(),
        Value::Float(value) => number(*value),
        Value::Str(text) => Json::String(text.to_string()),
        Value::List(list) => list.items().iter().map(to_json).collect(),
        Value::Map(map) => {
            let mut object = serde_json::Map::new();
            map.for_each(|key, value| {
                object.insert(key.to_string(), to_json(value));
            });
            Json::Object(object)
        }
        _ => Json::Null,
    }
}

/// The largest float below which every whole number is exact.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() <= LARGEST_WHOLE {
        return (value as i64).into();
    }
    serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number)
}
