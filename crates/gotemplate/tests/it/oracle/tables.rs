//! Go's own test tables, as `tools/gotemplateoracle/tables/dump.sh` writes them.

use std::borrow::Cow;

use gotemplate::{
    Exec, FunctionError, FunctionId, Functions, IntKind, Kind, List, Map, Object, Options, Signature, TemplateSet,
    Type, UintKind, Value, execute, format, on_large_stack,
};
use serde_json::Value as Json;
use source::Text;

use super::peers;
use crate::functions::TestFunctions;

/// A struct, or a pointer to one.
struct Record {
    type_name: String,
    is_pointer: bool,
    is_nil: bool,
    fields: Vec<(&'static str, Value)>,
    display: Option<Text>,
    addressed: Option<Text>,
}

impl Object for Record {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.clone().into()
    }

    fn kind(&self) -> Kind {
        if self.is_pointer { Kind::Pointer } else { Kind::Struct }
    }

    fn is_nil(&self) -> bool {
        self.is_nil
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.clone()
    }

    fn display(&self) -> Option<Text> {
        self.display.clone()
    }

    fn display_addressed(&self) -> Option<Text> {
        self.addressed.clone().or_else(|| self.display.clone())
    }
}

/// Names of types and fields live as long as the tests.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn go_type(name: &str) -> Type {
    if let Some(element) = name.strip_prefix("[]") {
        return Type::Slice(leak(go_type(element)));
    }
    if let Some(element) = name.strip_prefix("map[string]") {
        return Type::Map(leak(go_type(element)));
    }
    match name {
        "interface {}" => Type::Any,
        "bool" => Type::Bool,
        "string" => Type::String,
        "float64" => Type::Float64,
        name => match (int_kind(name), uint_kind(name)) {
            (Some(kind), _) => Type::Int(kind),
            (_, Some(kind)) => Type::Uint(kind),
            _ => panic!("unknown type {name}"),
        },
    }
}

fn int_kind(name: &str) -> Option<IntKind> {
    let all = [IntKind::Int, IntKind::Int8, IntKind::Int16, IntKind::Int32, IntKind::Int64];
    all.into_iter().find(|kind| kind.as_str() == name)
}

fn uint_kind(name: &str) -> Option<UintKind> {
    let all = [UintKind::Uint, UintKind::Uint8, UintKind::Uint16, UintKind::Uint32, UintKind::Uint64];
    all.into_iter().find(|kind| kind.as_str() == name)
}

fn decode(node: &Json) -> Value {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let flag = |key: &str| node[key].as_bool().unwrap_or_default();
    let items = || node["items"].as_array().map(|items| items.iter().map(decode).collect()).unwrap_or_default();
    let names = || -> Vec<&str> {
        node["names"].as_array().map(|names| names.iter().filter_map(Json::as_str).collect()).unwrap_or_default()
    };
    match text("kind") {
        "nil" => Value::Nil,
        "bool" => Value::Bool(text("text") == "true"),
        "string" => Value::from(text("text")),
        "float64" => Value::Float(match text("text") {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            "NaN" => f64::NAN,
            number => number.parse().unwrap(),
        }),
        "slice" => {
            let items: Vec<Value> = items();
            let len = usize::try_from(node["len"].as_u64().unwrap_or(0)).unwrap();
            let go_type = go_type(text("type"));
            if go_type == Type::BYTES {
                let byte = |item: &Value| match item {
                    Value::Uint(_, byte) => u8::try_from(*byte).unwrap(),
                    _ => panic!("no byte"),
                };
                return Value::Bytes(items[..len].iter().map(byte).collect());
            }
            let list = if flag("nil") { List::nil(go_type) } else { List::typed(go_type, items) };
            Value::List(list.slice(0, len).unwrap())
        }
        "map" => {
            let go_type = go_type(text("type"));
            if flag("nil") {
                return Value::Map(Map::nil(go_type));
            }
            let map = Map::typed(go_type);
            for (name, item) in names().into_iter().zip(items()) {
                map.insert(name, item);
            }
            Value::Map(map)
        }
        kind @ ("ptr" | "struct") => {
            let names = names().into_iter().map(|name| leak(name.to_owned()).as_str());
            Value::object(Record {
                type_name: text("type").to_owned(),
                is_pointer: kind == "ptr",
                is_nil: flag("nil"),
                fields: names.zip(items()).collect(),
                display: node["string"].as_str().map(Text::from),
                addressed: node["addressed"].as_str().map(Text::from),
            })
        }
        kind => match (int_kind(kind), uint_kind(kind)) {
            (Some(kind), _) => Value::Int(kind, text("text").parse().unwrap()),
            (_, Some(kind)) => Value::Uint(kind, text("text").parse().unwrap()),
            _ => panic!("unknown kind {kind}"),
        },
    }
}

/// The functions that Go's exec tests add.
struct TableFunctions;

const NAMES: [&str; 11] = [
    "add",
    "dddArg",
    "echo",
    "makemap",
    "mapOfThree",
    "oneArg",
    "returnInt",
    "twoArgs",
    "typeOf",
    "valueString",
    "zeroArgs",
];

impl Functions for TableFunctions {
    fn id(&self, name: &str) -> Option<FunctionId> {
        NAMES.iter().position(|known| *known == name).map(|at| FunctionId(u32::try_from(at).unwrap()))
    }

    fn signature(&self, id: FunctionId) -> &'static Signature {
        match NAMES[id.0 as usize] {
            "add" => &const { Signature::variadic(&[Type::INT]) },
            "dddArg" => &const { Signature::variadic(&[Type::INT, Type::String]) },
            "echo" | "typeOf" => &const { Signature::fixed(&[Type::Any]) },
            "makemap" => &const { Signature::variadic(&[Type::String]) },
            "oneArg" | "valueString" => &const { Signature::fixed(&[Type::String]) },
            "twoArgs" => &const { Signature::fixed(&[Type::String, Type::String]) },
            _ => &const { Signature::fixed(&[]) },
        }
    }

    fn call(&self, id: FunctionId, _: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let text = |at: usize| args[at].as_text().unwrap().to_string();
        Ok(match NAMES[id.0 as usize] {
            "add" => Value::int(args.iter().map(|arg| if let Value::Int(_, number) = arg { *number } else { 0 }).sum()),
            "dddArg" => format::sprintln(&args).into(),
            "echo" => args[0].clone(),
            "typeOf" => Value::from(&*args[0].type_name()),
            "makemap" => {
                if !args.len().is_multiple_of(2) {
                    return Err("bad makemap".into());
                }
                let map = Map::typed(Type::STRING_MAP);
                for pair in args.chunks(2) {
                    map.insert(pair[0].as_text().unwrap().clone(), pair[1].clone());
                }
                Value::Map(map)
            }
            "mapOfThree" => {
                let map = Map::typed(Type::Map(&Type::INT));
                map.insert("three", Value::int(3));
                Value::Map(map)
            }
            "oneArg" => Value::from(format!("oneArg={}", text(0))),
            "twoArgs" => Value::from(format!("twoArgs={}{}", text(0), text(1))),
            "returnInt" => Value::int(7),
            "valueString" => Value::from("value is ignored"),
            _ => Value::from("zeroArgs"),
        })
    }
}

/// Runs `ours` over a table; it gives output and error.
fn check(table: &str, ours: impl Fn(&Json) -> (String, String)) {
    let Some(folder) = peers("gotemplate-tables") else { return };
    let text = std::fs::read_to_string(folder.join(format!("{table}.json"))).unwrap();
    let table_json: Json = serde_json::from_str(&text).unwrap();
    let cases = table_json["cases"].as_array().unwrap();
    let mut differ = 0;
    for case in cases {
        let expected = (case["output"].as_str().unwrap().to_owned(), case["error"].as_str().unwrap().to_owned());
        let got = ours(case);
        if got != expected {
            differ += 1;
            eprintln!("--- {} {:?}\n  go   {expected:?}\n  ours {got:?}", case["name"], case["input"]);
        }
    }
    let skipped = table_json["skipped"].as_array().map_or(0, Vec::len);
    eprintln!("Go's {table} table: {} cases, {differ} differ ({skipped} cannot be written as JSON)", cases.len());
    assert_eq!(differ, 0);
}

#[test]
fn exec_table_of_go() {
    check("template", |case| {
        let (name, input, data) = (case["name"].as_str().unwrap(), case["input"].as_str().unwrap(), &case["data"]);
        on_large_stack(|| {
            let mut set = TemplateSet::new();
            let result = set
                .parse(name, &Text::from(input), &TableFunctions)
                .and_then(|_| execute(&set, name, decode(data), &TableFunctions, Options::default()));
            match result {
                Ok(text) => (text.to_string(), String::new()),
                Err(error) => (String::new(), error.to_string()),
            }
        })
    });
}

#[test]
fn parse_table_of_go() {
    check("parse", |case| {
        let (name, input) = (case["name"].as_str().unwrap(), case["input"].as_str().unwrap());
        let result = on_large_stack(|| TemplateSet::new().parse(name, &Text::from(input), &TestFunctions).map(|_| ()));
        (String::new(), result.err().map(|error| error.to_string()).unwrap_or_default())
    });
}

#[test]
fn fmt_table_of_go() {
    check("fmt", |case| {
        let args: Vec<Value> =
            case["args"].as_array().map(|args| args.iter().map(decode).collect()).unwrap_or_default();
        (format::sprintf(&Text::from(case["input"].as_str().unwrap()), &args).to_string(), String::new())
    });
}
