//! The Compose specification's JSON schema, as tables, and a validator that finds the error that Compose reports.
//!
//! compose-go collects a tree of errors and prints the deepest one. Here only the deepest is kept on the way; the order
//! of visiting decides between equals, as it does there.

mod pattern;
mod table;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use source::Span;

pub(crate) use self::pattern::Pattern;
use crate::{Error, Map, Node, Value, go};

/// One schema of the table.
#[derive(Debug)]
pub(crate) struct Schema {
    types: Types,
    reference: Option<usize>,
    properties: &'static [(&'static str, usize)],
    patterns: &'static [(Pattern, usize)],
    additional: Additional,
    no_unevaluated: bool,
    required: &'static [&'static str],
    items: Option<usize>,
    unique: bool,
    one_of: &'static [usize],
    any_of: &'static [usize],
    all_of: &'static [usize],
    values: &'static [&'static str],
    minimum: Option<i32>,
    maximum: Option<i32>,
    pattern: Option<Pattern>,
}

/// Everything is allowed.
const NONE: Schema = Schema {
    types: Types(0),
    reference: None,
    properties: &[],
    patterns: &[],
    additional: Additional::Any,
    no_unevaluated: false,
    required: &[],
    items: None,
    unique: false,
    one_of: &[],
    any_of: &[],
    all_of: &[],
    values: &[],
    minimum: None,
    maximum: None,
    pattern: None,
};

/// What keys that are not named may hold.
#[derive(Clone, Copy, Debug)]
enum Additional {
    Any,
    No,
    #[expect(dead_code, reason = "the tables may need it when the specification changes")]
    Schema(usize),
}

/// A set of JSON types; empty allows all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NULL: u8 = 1;
    const BOOLEAN: u8 = 2;
    const NUMBER: u8 = 4;
    const INTEGER: u8 = 8;
    const STRING: u8 = 16;
    const ARRAY: u8 = 32;
    const OBJECT: u8 = 64;

    /// The types in words, as Compose lists them: by name, a mapping for an object.
    fn words(self) -> String {
        const NAMES: [(u8, &str); 7] = [
            (Types::ARRAY, "array"),
            (Types::BOOLEAN, "boolean"),
            (Types::INTEGER, "integer"),
            (Types::OBJECT, "mapping"),
            (Types::NULL, "null"),
            (Types::NUMBER, "number"),
            (Types::STRING, "string"),
        ];
        let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

/// Checks a tree against the specification.
///
/// # Errors
/// The deepest violation, in Compose's words.
pub(crate) fn validate(root: &Node) -> Result<(), Error> {
    if let Some(printed) = not_json(root) {
        return Err(Error::invalid(format!("json: unsupported value: {printed}")).at(root.span));
    }
    // Of alternatives all but one fail: words are made only where something is wrong.
    if check(0, root, &mut Vec::new(), &mut Worst::silent()).0 {
        return Ok(());
    }
    let mut worst = Worst::in_words();
    check(0, root, &mut Vec::new(), &mut worst);
    match worst.violation {
        None => Ok(()),
        Some(Violation { message, span, .. }) => Err(Error::invalid(message).at(span)),
    }
}

/// Infinities and NaN cannot become JSON.
fn not_json(node: &Node) -> Option<String> {
    match &node.value {
        Value::Float(value) if !value.is_finite() => Some(go::float(*value)),
        Value::Map(map) => map.iter().find_map(|(_, child)| not_json(child)),
        Value::Seq(items) => items.iter().find_map(not_json),
        _ => None,
    }
}

struct Violation {
    depth: usize,
    message: String,
    span: Option<Span>,
}

/// The deepest violation so far; the first among equals.
struct Worst {
    violation: Option<Violation>,
    /// Whether nobody asks which one it is.
    is_silent: bool,
}

impl Worst {
    fn silent() -> Self {
        Self { violation: None, is_silent: true }
    }

    fn in_words() -> Self {
        Self { violation: None, is_silent: false }
    }

    /// One of alternatives below this.
    fn beside(&self) -> Self {
        Self { violation: None, is_silent: self.is_silent }
    }

    fn add(&mut self, depth: usize, span: Option<Span>, message: impl FnOnce() -> String) {
        if !self.is_silent && self.violation.as_ref().is_none_or(|worst| depth > worst.depth) {
            self.violation = Some(Violation { depth, message: message(), span });
        }
    }

    fn absorb(&mut self, other: Self) {
        if let Some(other) = other.violation
            && self.violation.as_ref().is_none_or(|worst| other.depth > worst.depth)
        {
            self.violation = Some(other);
        }
    }
}

type Path<'n> = Vec<Cow<'n, str>>;

/// Keys of a mapping that some schema has judged.
type Evaluated = Option<Vec<bool>>;

fn json_type(value: &Value) -> u8 {
    match value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOLEAN,
        Value::Int(_) | Value::Uint(_) => Types::NUMBER | Types::INTEGER,
        #[expect(clippy::float_cmp, reason = "exactly whole is what counts")]
        Value::Float(value) if value.trunc() == *value => Types::NUMBER | Types::INTEGER,
        Value::Float(_) => Types::NUMBER,
        Value::Str(_) | Value::Time(_) => Types::STRING,
        Value::Seq(_) => Types::ARRAY,
        Value::Map(_) => Types::OBJECT,
    }
}

/// Checks `node` against schema `number`; whether it holds, and which keys were judged.
fn check<'n>(number: usize, node: &'n Node, path: &mut Path<'n>, worst: &mut Worst) -> (bool, Evaluated) {
    let Some(schema) = table::SCHEMAS.get(number) else { return (true, None) };
    let at = |path: &Path<'n>| path.join(".");
    let depth = path.len();
    let kind = json_type(&node.value);
    if schema.types.0 != 0 && schema.types.0 & kind == 0 {
        worst.add(depth, node.span, || format!("{} must be a {}", at(path), schema.types.words()));
        return (false, None);
    }
    if !schema.values.is_empty() && !node.as_str().is_some_and(|text| schema.values.contains(&text)) {
        worst.add(depth, node.span, || format!("{} {}", at(path), expected_values(schema.values)));
        return (false, None);
    }
    let mut holds = true;
    let mut evaluated: Evaluated = node.as_map().map(|map| vec![false; map.len()]);
    if let Some(reference) = schema.reference {
        let (ok, judged) = check(reference, node, path, worst);
        holds &= ok;
        merge(&mut evaluated, ok, judged);
    }
    match &node.value {
        Value::Map(map) => holds &= check_map(schema, node, map, path, worst, &mut evaluated),
        Value::Seq(items) => holds &= check_items(schema, node, items, path, worst),
        Value::Str(text) => {
            if let Some(pattern) = schema.pattern.filter(|pattern| !pattern.matches(text)) {
                holds = false;
                worst.add(depth, node.span, || {
                    format!("{} {} does not match pattern {}", at(path), quote(text), quote(pattern.expression()))
                });
            }
        }
        Value::Int(value) => holds &= check_range(schema, *value as f64, node, path, worst),
        Value::Uint(value) => holds &= check_range(schema, *value as f64, node, path, worst),
        Value::Float(value) => holds &= check_range(schema, *value, node, path, worst),
        _ => {}
    }
    for part in schema.all_of {
        let (ok, judged) = check(*part, node, path, worst);
        holds &= ok;
        merge(&mut evaluated, ok, judged);
    }
    holds &= check_alternatives(schema, node, path, worst, &mut evaluated);
    if schema.no_unevaluated
        && let Some(map) = node.as_map()
        && let Some(judged) = &mut evaluated
    {
        for ((key, entry), judged) in map.entries().zip(judged.iter_mut()) {
            if !*judged {
                holds = false;
                worst.add(depth + 1, entry.key_span.or(entry.node.span), || format!("{}.{key} false schema", at(path)));
                *judged = true;
            }
        }
    }
    (holds, evaluated)
}

fn merge(into: &mut Evaluated, ok: bool, judged: Evaluated) {
    if ok && let (Some(into), Some(judged)) = (into, judged) {
        for (into, judged) in into.iter_mut().zip(judged) {
            *into |= judged;
        }
    }
}

fn check_map<'n>(
    schema: &Schema,
    node: &'n Node,
    map: &'n Map,
    path: &mut Path<'n>,
    worst: &mut Worst,
    evaluated: &mut Evaluated,
) -> bool {
    let mut holds = true;
    let depth = path.len();
    let missing: Vec<&str> = schema.required.iter().filter(|key| !map.contains(key)).copied().collect();
    if !missing.is_empty() {
        holds = false;
        let noun = if missing.len() == 1 { "property" } else { "properties" };
        worst.add(depth, node.span, || format!("{} missing {noun} {}", path.join("."), quoted(&missing)));
    }
    let mut additional: Vec<&str> = Vec::new();
    let mut additional_span = None;
    for (index, (key, entry)) in map.entries().enumerate() {
        let mut judged = false;
        let mut judge = |number: usize, worst: &mut Worst| {
            path.push(Cow::Borrowed(key.as_str()));
            let (ok, _) = check(number, &entry.node, path, worst);
            path.pop();
            ok
        };
        if let Ok(at) = schema.properties.binary_search_by(|(name, _)| (*name).cmp(key.as_str())) {
            judged = true;
            holds &= schema.properties.get(at).is_none_or(|(_, number)| judge(*number, worst));
        }
        for (pattern, number) in schema.patterns {
            if pattern.matches(key) {
                judged = true;
                holds &= judge(*number, worst);
            }
        }
        if !judged {
            match schema.additional {
                Additional::Any => {}
                Additional::No => {
                    judged = true;
                    additional.push(key);
                    additional_span = additional_span.or(entry.key_span).or(entry.node.span);
                }
                Additional::Schema(number) => {
                    judged = true;
                    holds &= judge(number, worst);
                }
            }
        }
        if let Some(flag) = evaluated.as_mut().and_then(|flags| flags.get_mut(index)) {
            *flag |= judged;
        }
    }
    if !additional.is_empty() {
        holds = false;
        // Compose counts these as one level deeper than the mapping that has them.
        worst.add(depth + 1, additional_span, || {
            format!("{} additional properties {} not allowed", path.join("."), quoted(&additional))
        });
    }
    holds
}

fn check_items<'n>(schema: &Schema, node: &'n Node, items: &'n [Node], path: &mut Path<'n>, worst: &mut Worst) -> bool {
    let mut holds = true;
    if schema.unique
        && items.len() > 1
        && let Some((first, second)) = duplicates(items)
    {
        holds = false;
        let span = items.get(second).and_then(|item| item.span).or(node.span);
        worst.add(path.len(), span, || format!("{} items at {first} and {second} are equal", path.join(".")));
    }
    if let Some(number) = schema.items {
        for (index, item) in items.iter().enumerate() {
            path.push(Cow::Owned(index.to_string()));
            holds &= check(number, item, path, worst).0;
            path.pop();
        }
    }
    holds
}

fn check_range<'n>(schema: &Schema, value: f64, node: &'n Node, path: &Path<'n>, worst: &mut Worst) -> bool {
    if let Some(minimum) = schema.minimum.filter(|minimum| value < f64::from(*minimum)) {
        worst.add(path.len(), node.span, || format!("{} must be greater than or equal to {minimum}", path.join(".")));
        return false;
    }
    if let Some(maximum) = schema.maximum.filter(|maximum| value > f64::from(*maximum)) {
        worst.add(path.len(), node.span, || format!("{} must be less than or equal to {maximum}", path.join(".")));
        return false;
    }
    true
}

fn check_alternatives<'n>(
    schema: &Schema,
    node: &'n Node,
    path: &mut Path<'n>,
    worst: &mut Worst,
    evaluated: &mut Evaluated,
) -> bool {
    let mut holds = true;
    if !schema.any_of.is_empty() {
        let mut failures = worst.beside();
        let mut matched = false;
        for part in schema.any_of {
            let (ok, judged) = check(*part, node, path, &mut failures);
            matched |= ok;
            merge(evaluated, ok, judged);
        }
        if !matched {
            holds = false;
            worst.absorb(failures);
        }
    }
    if !schema.one_of.is_empty() {
        let mut failures = worst.beside();
        let mut matched: Option<usize> = None;
        for (index, part) in schema.one_of.iter().enumerate() {
            let (ok, judged) = check(*part, node, path, &mut failures);
            if !ok {
                continue;
            }
            merge(evaluated, ok, judged);
            match matched {
                None => matched = Some(index),
                Some(first) => {
                    holds = false;
                    worst.add(path.len(), node.span, || {
                        format!("{} 'oneOf' failed, subschemas {first}, {index} matched", path.join("."))
                    });
                    break;
                }
            }
        }
        if matched.is_none() {
            holds = false;
            worst.absorb(failures);
        }
    }
    holds
}

fn expected_values(values: &[&str]) -> String {
    match values {
        [one] => format!("value must be '{one}'"),
        _ => format!("value must be one of {}", quoted(values)),
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    names.join(", ")
}

/// Go's `%q` in single quotes.
fn quote(name: &str) -> String {
    let quoted = go::quote(name).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", quoted.get(1..quoted.len() - 1).unwrap_or_default())
}

/// Two equal items, as JSON counts equality: the earlier and the later.
fn duplicates(items: &[Node]) -> Option<(usize, usize)> {
    if let Some(texts) = items.iter().map(Node::as_str).collect::<Option<Vec<_>>>() {
        let mut seen = HashMap::with_capacity_and_hasher(texts.len(), foldhash::fast::RandomState::default());
        return texts
            .iter()
            .enumerate()
            .find_map(|(index, text)| seen.insert(*text, index).map(|first| (first, index)));
    }
    let mut seen = HashMap::with_capacity(items.len());
    items.iter().enumerate().find_map(|(index, item)| {
        let mut key = String::new();
        write_key(item, &mut key);
        seen.insert(key, index).map(|first| (first, index))
    })
}

/// A text that two values have in common if and only if JSON counts them as equal.
fn write_key(node: &Node, out: &mut String) {
    let number = match &node.value {
        Value::Int(value) => Some(*value as f64),
        Value::Uint(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    };
    // Writing to a string cannot fail.
    let _ = match (&node.value, number) {
        // Zero has one sign.
        (_, Some(number)) => write!(out, "{:e},", number + 0.0),
        (Value::Seq(items), _) => {
            out.push('[');
            items.iter().for_each(|item| write_key(item, out));
            write!(out, "],")
        }
        (Value::Map(map), _) => {
            let mut entries: Vec<(&str, &Node)> = map.iter().map(|(key, node)| (key.as_str(), node)).collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, node) in entries {
                let _ = write!(out, "{}:", go::quote(key));
                write_key(node, out);
            }
            write!(out, "}},")
        }
        (Value::Str(text), _) => write!(out, "{},", go::quote(text)),
        (Value::Time(text), _) => write!(out, "t{},", go::quote(text)),
        (Value::Bool(value), _) => write!(out, "{value},"),
        (Value::Null | Value::Int(_) | Value::Uint(_) | Value::Float(_), None) => write!(out, "null,"),
    };
}
