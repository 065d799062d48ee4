use super::{check, compile, fingerprint, to_json};
use crate::graph::to_map;
use crate::yaml;

/// What is said of values; nothing where they meet the schema.
fn said(schema: &str, values: &str) -> String {
    gotemplate::on_large_stack(|| {
        let values = yaml::read_values(&source::Text::new(values)).unwrap_or_else(|_| panic!("no YAML"));
        check(&compile(schema.as_bytes()), &to_map(&values), &mut 0)
            .map_or_else(|refusal| refusal.text, |()| String::new())
    })
}

#[track_caller]
fn refused(schema: &str, values: &str, part: &str) {
    let said = said(schema, values);
    assert!(said.contains(part), "{}", said.chars().take(2_000).collect::<String>());
}

#[track_caller]
fn accepted(schema: &str, values: &str) {
    assert_eq!(said(schema, values), "");
}

/// Definitions `a0` to `a{levels}`, each of which leads to the next one as `link` does; `@` in it stands for a reference.
fn levels(levels: usize, link: &str, last: &str) -> String {
    let definitions: String = (0..levels)
        .map(|level| {
            let next = format!(r##"{{"$ref": "#/definitions/a{}"}}"##, level + 1);
            format!(r#""a{level}": {}, "#, link.replace('@', &next))
        })
        .collect();
    format!(r##"{{"$ref": "#/definitions/a0", "definitions": {{{definitions}"a{levels}": {last}}}}}"##)
}

#[test]
fn values_are_compared_as_the_json_they_become() {
    let all = [
        "{}",
        "{a: 1}",
        "{a: 1.0}",
        "{a: 1.5}",
        "{a: \"1\"}",
        "{a: null}",
        "{a: true}",
        "{a: []}",
        "{a: {}}",
        "{a: [1, b]}",
        "{a: [b, 1]}",
        "{a: [1]}",
        "{b: 1}",
        "{a: 1, b: 1}",
        "{a: {b: c, d: [{e: f}]}}",
        "{a: {b: c, d: [{e: g}]}}",
        "{a: \"\"}",
        "{a: \"true\"}",
        "{a: [[1], b]}",
        "{a: [[1, b]]}",
        "{ab: \"\"}",
    ];
    let read = |text: &&str| yaml::read_values(&source::Text::new(*text)).unwrap_or_else(|_| panic!("no YAML"));
    let all = all.map(|text| gotemplate::Value::Map(to_map(&read(&text))));
    for value in &all {
        for other in &all {
            let (json, other_json) = (to_json(value), to_json(other));
            assert_eq!(fingerprint(value) == fingerprint(other), json == other_json, "{json} {other_json}");
        }
    }
}

const TOO_MANY: &str = "takes more than 1000000 steps";

#[test]
fn doubling_references_are_counted() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for last in ["{}", "false", r#"{"type": "string"}"#] {
            refused(&levels(40, &format!(r#"{{"{keyword}": [@, @]}}"#), last), "a: 1", TOO_MANY);
        }
    }
    refused(&levels(40, r#"{"if": @, "then": @, "else": @}"#, "{}"), "a: 1", TOO_MANY);
    refused(&levels(40, r#"{"not": {"allOf": [@, @]}}"#, "{}"), "a: 1", TOO_MANY);
    refused(&levels(40, r#"{"dependentSchemas": {"a": @, "b": @}}"#, "{}"), "a: 1", TOO_MANY);
    refused(&levels(40, r#"{"$id": "http://x/y", "allOf": [@, @]}"#, "{}"), "a: 1", "does not exist");
    // The same with few levels is what people write.
    accepted(&levels(8, r#"{"allOf": [@, @]}"#, "{}"), "a: 1");
    accepted(&levels(500, r#"{"allOf": [@]}"#, "{}"), "a: 1");
    // Doubling that no value is deep enough for.
    accepted(&levels(40, r#"{"properties": {"x": @, "y": @}}"#, "{}"), "x: {y: {x: 1}}");
}

#[test]
fn doubling_along_values_is_counted() {
    let deep = format!("x: {}1{}\n", "{x: ".repeat(60), "}".repeat(60));
    let shallow = "x: {x: {x: 1}}";
    let one = |reference: &str, head: &str| {
        format!(r#"{{{head} "properties": {{"x": {{"allOf": [{reference}, {reference}]}}}}}}"#)
    };
    for schema in [
        one(r##"{"$ref": "#"}"##, ""),
        one(
            r##"{"$dynamicRef": "#n"}"##,
            r#""$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicAnchor": "n","#,
        ),
        one(
            r##"{"$recursiveRef": "#"}"##,
            r#""$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": true,"#,
        ),
        one(r##"{"$ref": "#here"}"##, r#""$anchor": "here","#),
    ] {
        refused(&schema, &deep, TOO_MANY);
        accepted(&schema, shallow);
    }
    // Through lists, names and whatever is left.
    let list = format!("x: {}1{}\n", "[".repeat(60), "]".repeat(60));
    let items = r##"{"properties": {"x": {"$ref": "#/$defs/l"}}, "$defs": {"l": {"items": {"allOf": [{"$ref": "#/$defs/l"}, {"$ref": "#/$defs/l"}]}}}}"##;
    refused(items, &list, TOO_MANY);
    for keyword in ["additionalProperties", "unevaluatedProperties"] {
        refused(&format!(r##"{{"{keyword}": {{"anyOf": [{{"$ref": "#"}}, {{"$ref": "#"}}]}}}}"##), &deep, TOO_MANY);
    }
    refused(r##"{"patternProperties": {"x": {"oneOf": [{"$ref": "#"}, {"$ref": "#"}]}}}"##, &deep, TOO_MANY);
}

#[test]
fn what_asks_for_leftovers_applies_again() {
    let nested =
        (0..30).fold("{}".to_owned(), |inner, _| format!(r#"{{"allOf": [{inner}], "unevaluatedProperties": false}}"#));
    refused(&nested, "a: 1", TOO_MANY);
    for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
        let definitions: String = (0..40)
            .map(|level| {
                let next = format!(r##"{{"$ref": "#/$defs/a{}"}}"##, level + 1);
                format!(r#""a{level}": {{"allOf": [{next}, {next}]}}, "#)
            })
            .collect();
        let schema =
            format!(r##"{{"$ref": "#/$defs/a0", "{keyword}": false, "$defs": {{{definitions}"a40": {{}}}}}}"##);
        refused(&schema, "a: 1", "asked for in more than 20000 ways");
    }
    accepted(
        r##"{"$ref": "#/$defs/a", "unevaluatedProperties": false, "$defs": {"a": {"properties": {"a": {}}}}}"##,
        "a: 1",
    );
}

#[test]
fn circles() {
    for schema in [
        r##"{"$ref": "#"}"##.to_owned(),
        r##"{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}"##.to_owned(),
        levels(3, "@", r##"{"$ref": "#/definitions/a1"}"##),
    ] {
        refused(&schema, "a: 1", "- at '': the schema refers to itself in a circle");
    }
    refused(r##"{"properties": {"a": {"$ref": "#/properties/a"}}}"##, "a: 1", "- at '/a': the schema refers to itself");
    // Where a choice could end it, it is the validator's to say; each way around counts.
    accepted(r##"{"anyOf": [{"type": "object"}, {"$ref": "#"}]}"##, "a: 1");
    let all: Vec<String> = (0..14).map(|to| format!(r##"{{"$ref": "#/definitions/a{to}"}}"##)).collect();
    let definitions: Vec<String> = (0..14).map(|at| format!(r#""a{at}": {{"anyOf": [{}]}}"#, all.join(", "))).collect();
    let every = format!(r##"{{"$ref": "#/definitions/a0", "definitions": {{{}}}}}"##, definitions.join(", "));
    refused(&every, "a: 1", TOO_MANY);
}

#[test]
fn depth() {
    refused(&levels(5_000, "@", "{}"), "a: 1", "more than 1500 levels deep at ''");
    refused(&levels(5_000, r#"{"allOf": [@]}"#, "{}"), "a: 1", "more than 1500 levels deep at ''");
    let nested = format!("{}{{}}{}", r#"{"not": "#.repeat(120), "}".repeat(120));
    accepted(&nested, "a: 1");
}

#[test]
fn size() {
    refused(&format!(r#"{{"allOf": [{}]}}"#, vec!["true"; 150_000].join(",")), "a: 1", "more than 150000 values");
    let references: Vec<String> = (0..10_001).map(|name| format!(r##""p{name}": {{"$ref": "#/$defs/a"}}"##)).collect();
    refused(
        &format!(r#"{{"$defs": {{"a": {{}}}}, "properties": {{{}}}}}"#, references.join(",")),
        "a: 1",
        "more than 10000 references",
    );
    let dynamic = vec![r##"{"$dynamicRef": "#n"}"##; 150].join(",");
    let anchors: Vec<String> = (0..150).map(|name| format!(r#""d{name}": {{"$dynamicAnchor": "n{name}"}}"#)).collect();
    refused(
        &format!(
            r#"{{"$dynamicAnchor": "n", "properties": {{"a": {{"anyOf": [{dynamic}]}}, "b": {{"properties": {{{}}}}}}}}}"#,
            anchors.join(",")
        ),
        "a: 1",
        "dynamic references that may mean more than 10000 things",
    );
}

/// The validator keeps a subschema apart for every way through documents that leads to it.
#[test]
fn documents() {
    let documents = |count: usize| {
        let documents: Vec<String> = (0..count)
            .map(|at| {
                let others: Vec<String> =
                    (0..count).map(|to| format!(r#""p{to}": {{"$ref": "http://x/r{to}"}}"#)).collect();
                format!(r#""r{at}": {{"$id": "http://x/r{at}", "properties": {{{}}}}}"#, others.join(", "))
            })
            .collect();
        format!(r#"{{"$id": "http://x/r", "$ref": "http://x/r0", "$defs": {{{}}}}}"#, documents.join(", "))
    };
    refused(&documents(12), "a: 1", "more than 20000 ways");
    accepted(&documents(4), "p1: {p2: {p3: {p0: {}}}}");
}

#[test]
fn patterns() {
    let pattern = |pattern: &str| format!(r#"{{"properties": {{"a": {{"pattern": "{pattern}"}}}}}}"#);
    let too_large = "its patterns are too large";
    refused(&pattern(r"(\\p{L}{1000}){20}"), "a: b", too_large);
    refused(&pattern(r"((a{1000}){1000}){1000}"), "a: b", too_large);
    let many: Vec<String> = (0..400).map(|at| format!(r#""^k{at}\\p{{L}}{{30}}$": {{}}"#)).collect();
    refused(&format!(r#"{{"patternProperties": {{{}}}}}"#, many.join(", ")), "a: b", too_large);
    // A large pattern with a long text.
    let long = format!("a: {}", "a".repeat(300_000));
    refused(&pattern("^(a?){3000}a{3000}$"), &long, TOO_MANY);
    accepted(&pattern("^a+$"), &long);
    accepted(&pattern(r"^\\w{1,253}(\\.[a-z0-9-]{1,63}){0,8}$"), "a: b");
    refused(&pattern("(?=a)b"), "a: b", "is not a");
}

#[test]
fn choices_and_lists() {
    let options: Vec<String> = (0..50_000).map(|at| format!(r#""v{at}""#)).collect();
    let choice =
        |keyword: &str| format!(r#"{{"properties": {{"a": {{"{keyword}": {{"enum": [{}]}}}}}}}}"#, options.join(", "));
    refused(&choice("items"), &format!("a: [{}]", "b, ".repeat(2_000)), TOO_MANY);
    // One line shows what fits.
    let said = said(&choice("items"), "a: [b]");
    assert!(
        said.starts_with("- at '/a/0': value must be one of 'v0', 'v1', ") && said.len() < 10_000,
        "{}",
        said.len()
    );
    // Values that appear twice, far apart.
    let items: String = (0..30_000).map(|at| format!("{{k: {at}}}, ")).collect();
    refused(
        r#"{"properties": {"a": {"uniqueItems": true}}}"#,
        &format!("a: [{items}{{k: 29999}}, {{k: 1}}]"),
        "- at '/a': items at 29999 and 30000 are equal",
    );
}

#[test]
fn reports_are_short() {
    let keys = |count: usize| (0..count).map(|at| format!("k{at}: 1\n")).collect::<String>();
    let schema = r#"{"additionalProperties": {"type": "string"}}"#;
    assert_eq!(said(schema, &keys(2)), "- at '/k0': got number, want string\n- at '/k1': got number, want string\n");
    let report = said(schema, &keys(20_000));
    assert!(report.len() < 70_000 && report.starts_with("- at '/k0': got number, want string\n"));
    let shown = report.lines().count() - 1;
    assert!(
        report.ends_with(&format!("- {} more are not shown\n", 20_000 - shown)),
        "{}",
        &report[report.len() - 100..]
    );
    // What is wrong in a branch is copied with all that is in it.
    let branches = vec![r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#; 200].join(", ");
    refused(
        &format!(r#"{{"allOf": [{branches}]}}"#),
        &format!("a: [{}]", "b, ".repeat(2_000)),
        "- at '': validation failed, in more ways than can be listed",
    );
}

#[test]
fn numbers() {
    refused(r#"{"maximum": 1e400}"#, "a: 1", "number out of range at line 1 column 17");
    for tiny in ["1e-300", "5e-324"] {
        let schema = format!(r#"{{"properties": {{"a": {{"multipleOf": {tiny}}}}}}}"#);
        accepted(&schema, "a: 0");
        // Whatever it says, it ends.
        said(&schema, "a: 1.7e308");
    }
}

#[test]
fn places_in_the_schema() {
    let at = |schema: &str| compile(schema.as_bytes()).unwrap_err().at;
    assert_eq!(at("{\n  \"type\": }\n"), Some(12));
    assert_eq!(at("{"), Some(0));
    assert_eq!(at("{\"maximum\": 1e400}"), Some(16));
    assert_eq!(at("{\"type\": \"x\"}"), Some(0));
}
