//! Validation errors as Helm's validator prints them.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

/// The line above several errors of one subschema.
const GROUP: &str = "validation failed";

/// One error on its way into the tree.
struct Item {
    /// The way through the schema, keyword by keyword.
    path: Vec<String>,
    /// The way to the value.
    place: Vec<String>,
    kind: Leaf,
}

enum Leaf {
    Text(String),
    /// Missing properties of one `required` are reported together.
    Missing(String),
    /// `anyOf` and `oneOf` with what failed in each branch.
    Branches(&'static str, Vec<Vec<Item>>),
}

/// A printed line and what is below it.
struct Node {
    place: Vec<String>,
    text: String,
    below: Vec<Self>,
}

/// The report: a line per error, each with a line end.
pub(super) fn report<'e>(errors: impl Iterator<Item = ValidationError<'e>>) -> String {
    let items = errors.map(|error| item(&error, 0)).collect();
    let mut out = String::new();
    let mut nodes = build(items, 0, 0);
    // A group at the top is spread out.
    if let [only] = nodes.as_mut_slice()
        && only.text == GROUP
    {
        nodes = std::mem::take(&mut only.below);
    }
    for node in nodes {
        print(&node, 0, &mut out);
    }
    out
}

fn print(node: &Node, depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
    let pointer: String =
        node.place.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
    out.push_str(&format!("- at {}: {}\n", quote(&pointer), node.text));
    for node in &node.below {
        print(node, depth + 1, out);
    }
}

fn item(error: &ValidationError<'_>, skip: usize) -> Item {
    let path =
        tokens(error.evaluation_path().as_str()).split_off(skip.min(tokens(error.evaluation_path().as_str()).len()));
    let place = tokens(error.instance_path().as_str());
    let got = error.instance();
    let text = |text: String| Leaf::Text(text);
    let length = |value: &Json| match value {
        Json::String(value) => value.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(entries) => entries.len(),
        _ => 0,
    };
    let kind = match error.kind() {
        Kind::AdditionalItems { limit } => {
            text(format!("last {} additionalItem(s) not allowed", length(got).saturating_sub(*limit)))
        }
        Kind::AdditionalProperties { unexpected } => {
            text(format!("additional properties {} not allowed", quote_all(unexpected)))
        }
        Kind::AnyOf { context } => Leaf::Branches("'anyOf' failed", branches(context, error)),
        Kind::OneOfNotValid { context } => Leaf::Branches("'oneOf' failed, none matched", branches(context, error)),
        Kind::OneOfMultipleValid { context } => {
            let mut matched = context.iter().enumerate().filter(|(_, errors)| errors.is_empty()).map(|(at, _)| at);
            match (matched.next(), matched.next()) {
                (Some(a), Some(b)) => text(format!("'oneOf' failed, subschemas {a}, {b} matched")),
                _ => text("'oneOf' failed, subschemas 0, 1 matched".to_owned()),
            }
        }
        Kind::Constant { expected_value } => text(match &**expected_value {
            Json::Array(_) | Json::Object(_) => "'const' failed".to_owned(),
            other => format!("value must be {}", display(other)),
        }),
        Kind::Contains => text("no items match contains schema".to_owned()),
        Kind::Enum { options } => text(enumeration(options)),
        Kind::ExclusiveMaximum { limit } => text(format!("exclusiveMaximum: got {got}, want {limit}")),
        Kind::ExclusiveMinimum { limit } => text(format!("exclusiveMinimum: got {got}, want {limit}")),
        Kind::Maximum { limit } => text(format!("maximum: got {got}, want {limit}")),
        Kind::Minimum { limit } => text(format!("minimum: got {got}, want {limit}")),
        Kind::MultipleOf { multiple_of } => text(format!("multipleOf: got {got}, want {multiple_of}")),
        Kind::FalseSchema => text("false schema".to_owned()),
        Kind::Format { format } => text(format!("{} is not valid {format}: {error}", display(got))),
        Kind::MaxItems { limit } => text(format!("maxItems: got {}, want {limit}", length(got))),
        Kind::MinItems { limit } => text(format!("minItems: got {}, want {limit}", length(got))),
        Kind::MaxLength { limit } => text(format!("maxLength: got {}, want {limit}", length(got))),
        Kind::MinLength { limit } => text(format!("minLength: got {}, want {limit}", length(got))),
        Kind::MaxProperties { limit } => text(format!("maxProperties: got {}, want {limit}", length(got))),
        Kind::MinProperties { limit } => text(format!("minProperties: got {}, want {limit}", length(got))),
        Kind::Not { .. } => text("'not' failed".to_owned()),
        Kind::Pattern { pattern } => {
            let got = got.as_str().unwrap_or_default();
            text(format!("{} does not match pattern {}", quote(got), quote(pattern)))
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default();
            text(format!("invalid propertyName {}", quote(name)))
        }
        Kind::Required { property } => Leaf::Missing(property.as_str().unwrap_or_default().to_owned()),
        Kind::Type { kind } => {
            let want = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            text(format!("got {}, want {want}", type_of(got)))
        }
        Kind::UnevaluatedItems { .. } | Kind::UnevaluatedProperties { .. } => text("false schema".to_owned()),
        Kind::UniqueItems => text(match got.as_array().and_then(|items| duplicates(items)) {
            Some((a, b)) => format!("items at {a} and {b} are equal"),
            None => "items are equal".to_owned(),
        }),
        _ => text(error.to_string()),
    };
    Item { path, place, kind }
}

fn branches(context: &[Vec<ValidationError<'static>>], outer: &ValidationError<'_>) -> Vec<Vec<Item>> {
    // Paths of a branch's errors begin with the way to the branch: that of `anyOf` and the branch's number.
    let skip = tokens(outer.evaluation_path().as_str()).len() + 1;
    context.iter().map(|errors| errors.iter().map(|error| item(error, skip)).collect()).collect()
}

/// The errors of one evaluation of a subschema, whose way through the schema ends at `depth` of each item's path, and whose
/// value stands at `at` of its place.
fn build(items: Vec<Item>, depth: usize, at: usize) -> Vec<Node> {
    // A wrong type, constant or choice hides everything else that is wrong with a value.
    for keyword in ["type", "const", "enum", "format"] {
        if let Some(found) = items.iter().position(|item| item.path.len() == depth + 1 && item.path[depth] == keyword) {
            let mut items = items;
            return vec![leaf(items.swap_remove(found))];
        }
    }
    let mut groups: Vec<(Vec<String>, Option<String>, Vec<Item>)> = Vec::new();
    for item in items {
        let rest = item.path.get(depth..).unwrap_or_default();
        let steps = steps(rest);
        let key: Vec<String> = rest.get(..steps).unwrap_or(rest).to_vec();
        let token = if descends(&key) { item.place.get(at).cloned() } else { None };
        match groups.iter_mut().find(|(known, value, _)| *known == key && *value == token) {
            Some((_, _, items)) => items.push(item),
            None => groups.push((key, token, vec![item])),
        }
    }
    let mut nodes: Vec<Node> = Vec::new();
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
                    let below = child.into_iter().collect();
                    nodes.push(Node { place: place_here, text: "'allOf' failed".to_owned(), below });
                }
            }
        } else {
            nodes.extend(child);
        }
    }
    nodes
}

/// Several errors of one subschema go below one line.
fn wrap(mut nodes: Vec<Node>, place: Vec<String>) -> Option<Node> {
    if nodes.len() > 1 {
        return Some(Node { place, text: GROUP.to_owned(), below: nodes });
    }
    nodes.pop()
}

fn leaf(item: Item) -> Node {
    let at = item.place.len();
    match item.kind {
        Leaf::Text(text) => Node { place: item.place, text, below: Vec::new() },
        Leaf::Missing(name) => {
            Node { place: item.place, text: format!("missing property {}", quote(&name)), below: Vec::new() }
        }
        Leaf::Branches(text, branches) => {
            let place = item.place;
            let below = branches.into_iter().filter_map(|items| wrap(build(items, 0, at), place.clone())).collect();
            Node { place, text: text.to_owned(), below }
        }
    }
}

fn merge_missing(items: Vec<Item>) -> Vec<Node> {
    let mut missing: Vec<String> = Vec::new();
    let mut place = Vec::new();
    let mut nodes = Vec::new();
    for item in items {
        match item.kind {
            Leaf::Missing(name) => {
                place = item.place;
                missing.push(name);
            }
            _ => nodes.push(leaf(item)),
        }
    }
    let text = match missing.as_slice() {
        [] => return nodes,
        [one] => format!("missing property {}", quote(one)),
        many => format!("missing properties {}", quote_all(many)),
    };
    nodes.insert(0, Node { place, text, below: Vec::new() });
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

fn tokens(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
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
    (0..items.len()).find_map(|b| (0..b).find(|a| items[*a] == items[b]).map(|a| (a, b)))
}

fn quote(text: &str) -> String {
    let quoted = gotemplate::format::quote(text.as_bytes()).replace("\\\"", "\"").replace('\'', "\\'");
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
    format!("'{inner}'")
}

fn quote_all(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}
