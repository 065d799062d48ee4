//! Validation errors as Helm's validator prints them.
//!
//! Each is put into words when it is printed, and no more is printed than anybody reads: an error shows the value, which may be
//! large, and all that it may be.

use std::collections::BTreeMap;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

/// Bytes of a report. What is below a line that is no longer printed is not printed either.
const LONGEST_REPORT: usize = 64 << 10;

/// Bytes of one line of it.
const LONGEST_LINE: usize = 8 << 10;

/// One error on its way into the tree.
struct Item<'e> {
    /// The way through the schema, keyword by keyword.
    path: Vec<String>,
    /// The way to the value.
    place: Vec<String>,
    error: &'e ValidationError<'e>,
    /// Of `anyOf` and `oneOf`: what failed in each branch.
    branches: Vec<Vec<Self>>,
}

/// A printed line and what is below it.
struct Node<'e> {
    place: Vec<String>,
    text: Text<'e>,
    below: Vec<Self>,
}

enum Text<'e> {
    /// Stands above several errors of one subschema.
    Group,
    AllOf,
    Error(&'e ValidationError<'e>),
    /// Missing properties of one `required` are reported together.
    Missing(Vec<&'e str>),
}

/// The report: a line per error, each with a line end.
pub(super) fn report<'e>(errors: &'e [ValidationError<'e>]) -> String {
    let items = errors.iter().map(|error| item(error, 0)).collect();
    let mut out = String::new();
    let mut nodes = build(items, 0, 0);
    // A group at the top is spread out.
    if let [Node { text: Text::Group, below, .. }] = nodes.as_mut_slice() {
        nodes = std::mem::take(below);
    }
    let mut left_out = 0;
    for node in nodes {
        print(&node, 0, &mut out, &mut left_out);
    }
    if left_out > 0 {
        let more = if left_out == 1 { "one more is" } else { &format!("{left_out} more are") };
        out.push_str(&format!("- {more} not shown\n"));
    }
    out
}

/// One line of a report.
pub(super) fn line(place: &[String], text: &str) -> String {
    format!("- at {}: {}\n", pointer(place), shortened(text))
}

/// A way to a value.
pub(super) fn pointer(place: &[String]) -> String {
    let pointer: String =
        place.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
    quote(&pointer)
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_LINE {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST_LINE)])
}

fn print(node: &Node<'_>, depth: usize, out: &mut String, left_out: &mut usize) {
    if out.len() > LONGEST_REPORT {
        *left_out += 1;
        return;
    }
    let text = match &node.text {
        Text::Group => "validation failed".to_owned(),
        Text::AllOf => "'allOf' failed".to_owned(),
        Text::Error(error) => said(error),
        Text::Missing(names) => match names.as_slice() {
            [one] => format!("missing property {}", quote(one)),
            many => format!("missing properties {}", quote_all(many)),
        },
    };
    out.push_str(&"  ".repeat(depth));
    out.push_str(&line(&node.place, &text));
    for node in &node.below {
        print(node, depth + 1, out, left_out);
    }
}

fn item<'e>(error: &'e ValidationError<'e>, skip: usize) -> Item<'e> {
    let path = error.evaluation_path();
    let path = tokens(path.as_str()).skip(skip).collect();
    let branches = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => branches(context, error),
        _ => Vec::new(),
    };
    Item { path, place: tokens(error.instance_path().as_str()).collect(), error, branches }
}

/// An error in Helm's words.
fn said(error: &ValidationError<'_>) -> String {
    let got = error.instance();
    let length = |value: &Json| match value {
        Json::String(value) => value.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(entries) => entries.len(),
        _ => 0,
    };
    match error.kind() {
        Kind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", length(got).saturating_sub(*limit))
        }
        Kind::AdditionalProperties { unexpected } => {
            format!("additional properties {} not allowed", quote_all(unexpected))
        }
        Kind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        Kind::OneOfMultipleValid { context } => {
            let mut matched = context.iter().enumerate().filter(|(_, errors)| errors.is_empty()).map(|(at, _)| at);
            match (matched.next(), matched.next()) {
                (Some(a), Some(b)) => format!("'oneOf' failed, subschemas {a}, {b} matched"),
                _ => "'oneOf' failed, subschemas 0, 1 matched".to_owned(),
            }
        }
        Kind::Constant { expected_value } => match &**expected_value {
            Json::Array(_) | Json::Object(_) => "'const' failed".to_owned(),
            other => format!("value must be {}", display(other)),
        },
        Kind::Contains => "no items match contains schema".to_owned(),
        Kind::Enum { options } => enumeration(options),
        Kind::ExclusiveMaximum { limit } => format!("exclusiveMaximum: got {got}, want {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("exclusiveMinimum: got {got}, want {limit}"),
        Kind::Maximum { limit } => format!("maximum: got {got}, want {limit}"),
        Kind::Minimum { limit } => format!("minimum: got {got}, want {limit}"),
        Kind::MultipleOf { multiple_of } => format!("multipleOf: got {got}, want {multiple_of}"),
        Kind::FalseSchema => "false schema".to_owned(),
        Kind::Format { format } => format!("{} is not valid {format}: {error}", display(got)),
        Kind::MaxItems { limit } => format!("maxItems: got {}, want {limit}", length(got)),
        Kind::MinItems { limit } => format!("minItems: got {}, want {limit}", length(got)),
        Kind::MaxLength { limit } => format!("maxLength: got {}, want {limit}", length(got)),
        Kind::MinLength { limit } => format!("minLength: got {}, want {limit}", length(got)),
        Kind::MaxProperties { limit } => format!("maxProperties: got {}, want {limit}", length(got)),
        Kind::MinProperties { limit } => format!("minProperties: got {}, want {limit}", length(got)),
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::Pattern { pattern } => {
            let got = got.as_str().unwrap_or_default();
            format!("{} does not match pattern {}", quote(got), quote(pattern))
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default();
            format!("invalid propertyName {}", quote(name))
        }
        Kind::Required { property } => {
            format!("missing property {}", quote(property.as_str().unwrap_or_default()))
        }
        Kind::Type { kind } => {
            let want = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("got {}, want {want}", type_of(got))
        }
        Kind::UnevaluatedItems { .. } | Kind::UnevaluatedProperties { .. } => "false schema".to_owned(),
        Kind::UniqueItems => match got.as_array().and_then(|items| duplicates(items)) {
            Some((a, b)) => format!("items at {a} and {b} are equal"),
            None => "items are equal".to_owned(),
        },
        _ => error.to_string(),
    }
}

fn branches<'e>(context: &'e [Vec<ValidationError<'static>>], outer: &ValidationError<'_>) -> Vec<Vec<Item<'e>>> {
    // Paths of a branch's errors begin with the way to the branch: that of `anyOf` and the branch's number.
    let skip = tokens(outer.evaluation_path().as_str()).count() + 1;
    context.iter().map(|errors| errors.iter().map(|error| item(error, skip)).collect()).collect()
}

/// The errors of one evaluation of a subschema, whose way through the schema ends at `depth` of each item's path, and whose
/// value stands at `at` of its place.
fn build(mut items: Vec<Item<'_>>, depth: usize, at: usize) -> Vec<Node<'_>> {
    // A wrong type, constant or choice hides everything else that is wrong with a value.
    for keyword in ["type", "const", "enum", "format"] {
        if let Some(found) = items.iter().position(|item| item.path.len() == depth + 1 && item.path[depth] == keyword) {
            return vec![leaf(items.swap_remove(found))];
        }
    }
    let mut known: BTreeMap<(Vec<String>, Option<String>), usize> = BTreeMap::new();
    let mut groups: Vec<(Vec<String>, Option<String>, Vec<Item<'_>>)> = Vec::new();
    for item in items {
        let rest = item.path.get(depth..).unwrap_or_default();
        let key: Vec<String> = rest.get(..steps(rest)).unwrap_or(rest).to_vec();
        let token = if descends(&key) { item.place.get(at).cloned() } else { None };
        let group = *known.entry((key.clone(), token.clone())).or_insert(groups.len());
        match groups.get_mut(group) {
            Some((_, _, items)) => items.push(item),
            None => groups.push((key, token, vec![item])),
        }
    }
    let mut nodes: Vec<Node<'_>> = Vec::new();
    let mut all_of: Option<usize> = None;
    for (key, token, items) in groups {
        let ends = items.iter().all(|item| item.path.len() <= depth + key.len());
        if ends {
            nodes.extend(merge_missing(items));
            continue;
        }
        let place = items.first().map(|item| item.place.clone()).unwrap_or_default();
        let below = build(items, depth + key.len(), at + usize::from(token.is_some()));
        let place_here: Vec<String> = place.into_iter().take(at + usize::from(token.is_some())).collect();
        let child = wrap(below, place_here.clone());
        if key.first().is_some_and(|keyword| keyword == "allOf") {
            match all_of.and_then(|at| nodes.get_mut(at)) {
                Some(node) => node.below.extend(child),
                None => {
                    all_of = Some(nodes.len());
                    nodes.push(Node { place: place_here, text: Text::AllOf, below: child.into_iter().collect() });
                }
            }
        } else {
            nodes.extend(child);
        }
    }
    nodes
}

/// Several errors of one subschema go below one line.
fn wrap<'e>(mut nodes: Vec<Node<'e>>, place: Vec<String>) -> Option<Node<'e>> {
    if nodes.len() > 1 {
        return Some(Node { place, text: Text::Group, below: nodes });
    }
    nodes.pop()
}

fn leaf(item: Item<'_>) -> Node<'_> {
    let (at, place) = (item.place.len(), &item.place);
    let below = item.branches.into_iter().filter_map(|items| wrap(build(items, 0, at), place.clone())).collect();
    Node { text: Text::Error(item.error), below, place: item.place }
}

fn merge_missing(items: Vec<Item<'_>>) -> Vec<Node<'_>> {
    let mut missing: Vec<&str> = Vec::new();
    let mut place = Vec::new();
    let mut nodes = Vec::new();
    for item in items {
        match item.error.kind() {
            Kind::Required { property } => {
                place = item.place;
                missing.push(property.as_str().unwrap_or_default());
            }
            _ => nodes.push(leaf(item)),
        }
    }
    if !missing.is_empty() {
        nodes.insert(0, Node { place, text: Text::Missing(missing), below: Vec::new() });
    }
    nodes
}

/// How many tokens lead to the next subschema.
fn steps(path: &[String]) -> usize {
    let number = path.get(1).is_some_and(|token| token.bytes().all(|byte| byte.is_ascii_digit()));
    match path.first().map(String::as_str) {
        Some("properties" | "patternProperties" | "dependentSchemas" | "dependencies" | "allOf" | "prefixItems") => 2,
        Some("items") if number => 2,
        _ => 1,
    }
}

/// Whether a keyword's subschema is about a part of the value.
fn descends(key: &[String]) -> bool {
    matches!(
        key.first().map(String::as_str),
        Some(
            "properties"
                | "patternProperties"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "items"
                | "prefixItems"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains"
        )
    )
}

pub(super) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

fn enumeration(options: &Json) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    if options.iter().any(|option| option.is_array() || option.is_object()) {
        return "'enum' failed".to_owned();
    }
    match options {
        [one] => format!("value must be {}", display(one)),
        many => {
            let many: Vec<String> = many.iter().map(display).collect();
            format!("value must be one of {}", many.join(", "))
        }
    }
}

fn display(value: &Json) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Array(_) | Json::Object(_) => "value".to_owned(),
        Json::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn duplicates(items: &[Json]) -> Option<(usize, usize)> {
    // Entries are sorted, so that equal values are equal texts.
    let mut known = BTreeMap::new();
    items.iter().enumerate().find_map(|(b, item)| known.insert(item.to_string(), b).map(|a| (a, b)))
}

fn quote(text: &str) -> String {
    let quoted = gotemplate::format::quote(text.as_bytes()).replace("\\\"", "\"").replace('\'', "\\'");
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
    format!("'{inner}'")
}

fn quote_all(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| quote(name.as_ref())).collect::<Vec<_>>().join(", ")
}
