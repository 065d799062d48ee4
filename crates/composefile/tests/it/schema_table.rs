//! The schema tables are made from compose-go's `compose-spec.json`; this makes them and holds that they are fresh.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The version that the tables are of.
const MODULE: &str = "github.com/compose-spec/compose-go/v2@v2.16.1/schema/compose-spec.json";

#[test]
fn tables_are_those_of_the_peer() {
    let Some(path) = schema_file() else {
        testkit::skip(&format!("no {MODULE} in the Go module cache (set GOMODCACHE)"));
        return;
    };
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let made = generate(&schema);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema/table.rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&committed, &made).unwrap();
    }
    assert!(std::fs::read_to_string(&committed).unwrap() == made, "run this test with UPDATE_EXPECT=1");
}

fn schema_file() -> Option<PathBuf> {
    let cache = std::env::var_os("GOMODCACHE").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join("go/pkg/mod"))
    })?;
    Some(cache.join(MODULE)).filter(|path| path.exists())
}

#[derive(Default)]
struct Generator {
    schemas: Vec<String>,
    definitions: BTreeMap<String, usize>,
}

fn generate(root: &Value) -> String {
    let mut generator = Generator::default();
    // Definitions refer to each other, so each has its number before any is written.
    let definitions = root["$defs"].as_object().unwrap();
    generator.schemas.push(String::new());
    for name in definitions.keys() {
        generator.definitions.insert(name.clone(), generator.schemas.len());
        generator.schemas.push(String::new());
    }
    for (name, schema) in definitions {
        let text = generator.schema(schema);
        let index = generator.definitions[name];
        generator.schemas[index] = text;
    }
    generator.schemas[0] = generator.schema(root);
    let mut out = String::from(
        "//! Made from compose-go's `compose-spec.json` by the test `schema_table`. Do not edit.\n\n\
         use super::{Additional, NONE, Pattern, Schema, Types};\n\n\
         /// All schemas; the first is that of a Compose file.\n\
         #[rustfmt::skip]\n\
         pub(super) static SCHEMAS: &[Schema] = &[\n",
    );
    for schema in &generator.schemas {
        writeln!(out, "    {schema},").unwrap();
    }
    out.push_str("];\n");
    out
}

impl Generator {
    fn number(&mut self, schema: &Value) -> usize {
        if let Some(reference) = schema.get("$ref").filter(|_| schema.as_object().unwrap().len() == 1) {
            return self.definition(reference);
        }
        let text = self.schema(schema);
        if let Some(same) = self.schemas.iter().position(|earlier| *earlier == text) {
            return same;
        }
        self.schemas.push(text);
        self.schemas.len() - 1
    }

    fn definition(&self, reference: &Value) -> usize {
        self.definitions[reference.as_str().unwrap().strip_prefix("#/$defs/").unwrap()]
    }

    fn schema(&mut self, schema: &Value) -> String {
        let object = schema.as_object().unwrap();
        let mut fields = String::new();
        for (key, value) in object {
            let field = match key.as_str() {
                "type" => format!("types: Types({})", types(value)),
                "$ref" => format!("reference: Some({})", self.definition(value)),
                "properties" => {
                    let mut entries: Vec<(&String, &Value)> = value.as_object().unwrap().iter().collect();
                    entries.sort_by_key(|(name, _)| name.as_str());
                    let entries: Vec<String> =
                        entries.iter().map(|(name, schema)| format!("({name:?}, {})", self.number(schema))).collect();
                    format!("properties: &[{}]", entries.join(", "))
                }
                "patternProperties" => {
                    let entries: Vec<String> = value
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(|(text, schema)| format!("(Pattern::{}, {})", pattern(text), self.number(schema)))
                        .collect();
                    format!("patterns: &[{}]", entries.join(", "))
                }
                "additionalProperties" => match value {
                    Value::Bool(false) => "additional: Additional::No".to_owned(),
                    Value::Bool(true) => continue,
                    _ => format!("additional: Additional::Schema({})", self.number(value)),
                },
                "unevaluatedProperties" => "no_unevaluated: true".to_owned(),
                "required" => format!("required: &{value}"),
                "items" => format!("items: Some({})", self.number(value)),
                "uniqueItems" => format!("unique: {value}"),
                "oneOf" | "anyOf" | "allOf" => {
                    let numbers: Vec<String> =
                        value.as_array().unwrap().iter().map(|schema| self.number(schema).to_string()).collect();
                    let name = match key.as_str() {
                        "oneOf" => "one_of",
                        "anyOf" => "any_of",
                        _ => "all_of",
                    };
                    format!("{name}: &[{}]", numbers.join(", "))
                }
                "enum" => format!("values: &{value}"),
                "minimum" => format!("minimum: Some({value})"),
                "maximum" => format!("maximum: Some({value})"),
                "pattern" => format!("pattern: Some(Pattern::{})", pattern(value.as_str().unwrap())),
                "$schema" | "$id" | "title" | "description" | "$defs" | "deprecated" | "default" => continue,
                other => panic!("the schema has a keyword that the tables do not know: {other}"),
            };
            write!(fields, "{field}, ").unwrap();
        }
        format!("Schema {{ {fields}..NONE }}")
    }
}

fn types(value: &Value) -> String {
    let names: Vec<&str> = match value {
        Value::String(name) => vec![name],
        _ => value.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect(),
    };
    names.iter().map(|name| format!("Types::{}", name.to_uppercase())).collect::<Vec<_>>().join(" | ")
}

fn pattern(text: &str) -> &'static str {
    match text {
        "^[a-zA-Z0-9._-]+$" => "Name",
        "^x-" => "Extension",
        "^.+$" => "OneLine",
        ".+" => "NotEmpty",
        "^[a-z]+$" => "LowerCase",
        "[a-zA-Z0-9][a-zA-Z0-9_.-]+" => "ContainerName",
        "^(always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+)$" => "PullPolicy",
        other => panic!("the schema has a pattern that the tables do not know: {other}"),
    }
}
