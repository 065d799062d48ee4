//! `values.schema.json`: whether values meet it. The only module that knows the `jsonschema` crate.
//!
//! Verdicts are the crate's; the words are made to read like those of the validator in Helm, which reports a tree: errors of
//! one subschema are grouped, and `allOf`, `anyOf` and `oneOf` have their branches below them.
//!
//! Threat: a schema comes with a chart. Nothing is fetched; patterns run on an engine without backtracking. What the validator makes
//! of a schema, and how long it takes with the values, is counted before (`web`, `work`), for it has no limits of its own.

mod pattern;
pub(crate) mod place;
#[cfg(test)]
mod tests;
mod web;
mod words;
mod work;

use std::hash::{BuildHasher as _, Hash as _, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::quality::RandomState;
use gotemplate::{Map, Value};
use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::Value as Json;
use source::Span;

use self::place::Way;
use self::web::Web;
use self::work::Excess;
use crate::chart::{ChartData, ChartFile};
use crate::graph::{ChartId, Graph};
use crate::{Error, ErrorKind};

/// Where a schema is said to lie. Helm shows it too.
const BASE: &str = "file:///values.schema.json";

/// Bytes that one pattern may take when it is compiled; `web` knows the states of all. Helm's engine takes as large ones.
const LARGEST_PATTERN: usize = 10 << 20;

/// JSON values, or what looks like one, in the schemas of a chart and all its subcharts.
const MOST_VALUES_IN_ALL: usize = 2 * web::MOST_VALUES;

/// A schema, or why it is none.
pub(crate) type Compiled = Result<Schema, Refusal>;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Validator,
    web: Web,
    /// Fingerprints of values that meet it, and the steps that it took to see so: `helm lint` asks about the same ones as `helm template`, and twice.
    met: Mutex<Vec<(u64, u64)>>,
}

/// So many values that meet a schema are kept: those of the profiles that are rendered at the time.
const MOST_MET: usize = 8;

/// Why values do not meet a schema, or cannot be held against it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Helm's report, or which limit was passed.
    pub(crate) text: String,
    /// Whether it is a limit of this program that was passed.
    is_limit: bool,
    /// Where in the schema, if it is the schema that is wrong.
    at: Option<usize>,
    /// The ways to what is wrong with the values, in the order of the validator.
    ways: Vec<Way>,
}

impl Refusal {
    fn unmet(text: String) -> Self {
        Self { text, is_limit: false, at: None, ways: Vec::new() }
    }

    fn malformed(text: String, at: usize) -> Self {
        Self { text, is_limit: false, at: Some(at), ways: Vec::new() }
    }

    fn limit(text: String) -> Self {
        let text = format!("the schema of the values asks too much: {text}");
        Self { text, is_limit: true, at: Some(0), ways: Vec::new() }
    }
}

/// Checks the values of a chart and of all its subcharts. The error is Helm's whole report, at the first of what is wrong that `set_at`
/// knows the place of.
pub(crate) fn validate(
    graph: &Graph<'_>,
    chart: ChartId,
    values: &Map,
    set_at: &dyn Fn(&Way) -> Option<Span>,
) -> Result<(), Error> {
    let mut report = Report::default();
    report.add(graph, chart, values, &[])?;
    if report.text.is_empty() {
        return Ok(());
    }
    let outer = "values don't meet the specifications of the schema(s) in the following chart(s)";
    Err(Error::new(ErrorKind::Schema, format!("{outer}:\n{}", report.text))
        .at(report.span.or_else(|| report.ways.iter().find_map(set_at))))
}

/// What is wrong with the values of a chart and its subcharts.
#[derive(Default)]
struct Report {
    text: String,
    /// Of the first schema that is none.
    span: Option<Span>,
    /// The ways to what is wrong with the values of the root.
    ways: Vec<Way>,
    /// The steps that were taken so far.
    steps: u64,
    /// The values in schemas so far.
    values: usize,
}

impl Report {
    /// `above`: the names of the charts that lead to this one. The error is that a limit was passed.
    fn add(&mut self, graph: &Graph<'_>, chart: ChartId, values: &Map, above: &[String]) -> Result<(), Error> {
        let data = graph.data(chart);
        if let Some(file) = &data.schema
            && let Err(refusal) = self.check(data, file, values)
        {
            let span = refusal.at.and_then(|at| file.span(at));
            if refusal.is_limit {
                return Err(Error::new(ErrorKind::Limit, format!("{}: {}", graph.name(chart), refusal.text)).at(span));
            }
            self.span = self.span.or(span);
            self.text.push_str(&format!("{}:\n{}", graph.name(chart), refusal.text));
            self.ways.extend(refusal.ways.into_iter().map(|way| way.below(above)));
        }
        for child in graph.children(chart) {
            let name = graph.name(*child);
            let above = [above, &[name.to_owned()]].concat();
            match values.get(name) {
                None | Some(Value::Nil) => {}
                Some(Value::Map(below)) => self.add(graph, *child, &below, &above)?,
                Some(other) => {
                    let found = other.type_name();
                    let text = format!("{name}:\ninvalid type for values: expected object (map), got {found}\n");
                    self.text.push_str(&text);
                    self.ways.push(Way::default().below(&above));
                }
            }
        }
        Ok(())
    }

    fn check(&mut self, data: &ChartData, file: &ChartFile, values: &Map) -> Result<(), Refusal> {
        self.values += values_at_most(&file.bytes);
        if self.values > MOST_VALUES_IN_ALL {
            return Err(too_many_in_all());
        }
        match data.compiled_schema() {
            Some(schema) => check(schema, values, &mut self.steps),
            None => Ok(()),
        }
    }
}

/// The values of a schema, or more: each but the first follows one of these.
fn values_at_most(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count()
}

fn too_many_in_all() -> Refusal {
    Refusal::limit(format!("the schemas have more than {MOST_VALUES_IN_ALL} values in all"))
}

/// Compiles a schema.
pub(crate) fn compile(bytes: &[u8]) -> Compiled {
    if values_at_most(bytes) > MOST_VALUES_IN_ALL {
        return Err(too_many_in_all());
    }
    // Go reads what is no UTF-8 as U+FFFD.
    let schema: Json = serde_json::from_str(&source::octets::with_replacements(bytes))
        .map_err(|error| Refusal::malformed(error.to_string(), offset(bytes, error.line(), error.column())))?;
    let web = Web::of(&schema).map_err(Refusal::limit)?;
    let validator = jsonschema::options()
        .with_retriever(Offline)
        .with_base_uri(BASE)
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
        .build(&schema)
        .map_err(|error| Refusal::malformed(format!("\"{BASE}#\" is not valid against metaschema: {error}"), 0))?;
    match web {
        Some(web) => Ok(Schema { validator, web, met: Mutex::default() }),
        // The validator found what is not there.
        None => Err(Refusal::malformed(format!("\"{BASE}#\" has references that lead nowhere"), 0)),
    }
}

/// Where a line and column are, both from 1; the column counts bytes.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

/// Checks values against one schema. `steps`: what was taken of [`work::MOST_STEPS`] before.
pub(crate) fn check(schema: &Compiled, values: &Map, steps: &mut u64) -> Result<(), Refusal> {
    let Schema { validator, web, met } = schema.as_ref().map_err(Clone::clone)?;
    let values = Value::Map(values.clone());
    let known = || met.lock().unwrap_or_else(PoisonError::into_inner);
    let fingerprint = fingerprint(&values);
    let taken = known().iter().find(|(known, _)| *known == fingerprint).map(|(_, taken)| *taken);
    if let Some(all) = taken.and_then(|taken| steps.checked_add(taken)).filter(|all| *all <= work::MOST_STEPS) {
        *steps = all;
        return Ok(());
    }
    let before = *steps;
    let json = to_json(&values);
    let work = work::count(web, &json, steps).map_err(|(excess, place)| refusal(&excess, &place))?;
    if validator.is_valid(&json) {
        let mut met = known();
        if met.len() == MOST_MET {
            met.remove(0);
        }
        met.push((fingerprint, *steps - before));
        return Ok(());
    }
    if !work.is_worded() {
        return Err(Refusal::unmet(words::line(&[], "validation failed, in more ways than can be listed")));
    }
    let errors: Vec<_> = validator.iter_errors(&json).collect();
    let ways = errors.iter().map(Way::new).collect();
    Err(Refusal { ways, ..Refusal::unmet(words::report(&errors)) })
}

/// `place`: the way to the value.
fn refusal(excess: &Excess, place: &[String]) -> Refusal {
    let at = words::pointer(place);
    match excess {
        Excess::Steps => Refusal::limit(format!(
            "holding the values against it takes more than {} steps, too many of them at {at}; let fewer subschemas apply to one value",
            work::MOST_STEPS
        )),
        Excess::Depth => Refusal::limit(format!(
            "subschemas in it lead to each other more than {} levels deep at {at}",
            work::DEEPEST
        )),
        Excess::Circle => {
            Refusal { at: Some(0), ..Refusal::unmet(words::line(place, "the schema refers to itself in a circle")) }
        }
    }
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
        Value::Binary(bytes) => Json::String(source::octets::with_replacements(bytes).into_owned()),
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

/// What tells the JSON of a value from that of another while this process runs: nobody can make two values beforehand for which it is the same.
fn fingerprint(value: &Value) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    let mut hasher = SEED.build_hasher();
    hash(value, &mut hasher);
    hasher.finish()
}

/// Hashes [`to_json`] of a value, which is much larger than the value, without making it.
fn hash(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Str(text) => ("string", text.as_str()).hash(hasher),
        Value::List(list) => {
            ("list", list.len()).hash(hasher);
            list.items().iter().for_each(|item| hash(item, hasher));
        }
        Value::Map(map) => {
            ("map", map.len()).hash(hasher);
            map.for_each(|key, value| {
                key.as_str().hash(hasher);
                hash(value, hasher);
            });
        }
        other => ("other", to_json(other).to_string()).hash(hasher),
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
