//! The functions of the oracle program, and values from JSON.

use gotemplate::{
    Exec, FunctionError, FunctionId, Functions, IntKind, Kind, List, Map, Object, Signature, Type, UintKind, Value,
    deep_equal, format,
};
use source::Text;

/// The same functions as the oracle's, in the same signatures.
pub(crate) struct TestFunctions;

const NAMES: [&str; 23] = [
    "list", "strings", "dict", "set", "int", "int64", "uint8", "double", "unsign", "upper", "repeat", "fail", "yes",
    "bytes", "nilmap", "nillist", "nothing", "smap", "kindOf", "typeOf", "deep", "wait", "include",
];

impl Functions for TestFunctions {
    fn id(&self, name: &str) -> Option<FunctionId> {
        let at = NAMES.iter().position(|known| *known == name)?;
        u32::try_from(at).ok().map(FunctionId)
    }

    fn signature(&self, id: FunctionId) -> &'static Signature {
        const ANY: Type = Type::Any;
        match NAMES[id.0 as usize] {
            "list" | "dict" => &const { Signature::variadic(&[ANY]) },
            "strings" => &const { Signature::variadic(&[Type::String]) },
            "set" => &const { Signature::fixed(&[Type::MAP, Type::String, ANY]) },
            "int" | "int64" => &const { Signature::fixed(&[Type::Float64]) },
            "uint8" | "wait" => &const { Signature::fixed(&[Type::INT]) },
            "double" => &const { Signature::fixed(&[Type::INT64]) },
            "unsign" => &const { Signature::fixed(&[Type::Uint(UintKind::Uint64)]) },
            "upper" | "fail" | "bytes" => &const { Signature::fixed(&[Type::String]) },
            "repeat" => &const { Signature::fixed(&[Type::INT, Type::String]) },
            "yes" => &const { Signature::fixed(&[Type::Bool]) },
            "nilmap" | "nillist" | "nothing" => &const { Signature::fixed(&[]) },
            "smap" => &const { Signature::fixed(&[Type::String, Type::String]) },
            "deep" => &const { Signature::fixed(&[ANY, ANY]) },
            "include" => &const { Signature::fixed(&[Type::String, ANY]) },
            _ => &const { Signature::fixed(&[ANY]) },
        }
    }

    fn call(&self, id: FunctionId, exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
        let name = NAMES[id.0 as usize];
        // The oracle's output is JSON, where bytes that are not UTF-8 are lost as well.
        let args: Vec<Value> = args
            .into_iter()
            .map(|arg| match arg {
                Value::Binary(bytes) if matches!(name, "fail" | "upper" | "repeat" | "set" | "smap" | "include") => {
                    Value::from(String::from_utf8_lossy(&bytes).into_owned())
                }
                arg => arg,
            })
            .collect();
        Ok(match (name, args.as_slice()) {
            ("list", _) => Value::list(args),
            ("strings", _) => Value::List(List::typed(Type::STRINGS, args)),
            ("dict", _) => {
                let map = Map::new();
                for pair in args.chunks(2) {
                    let [key, value] = pair else { return Err("odd number of arguments".into()) };
                    map.insert(format::value_text(key), value.clone());
                }
                Value::Map(map)
            }
            ("set", [Value::Map(map), Value::Str(key), value]) => {
                if map.is_nil() {
                    return Err("assignment to entry in nil map".into());
                }
                map.insert(key.clone(), value.clone());
                Value::Map(map.clone())
            }
            ("int", [Value::Float(value)]) => Value::int(truncated(*value)),
            ("int64", [Value::Float(value)]) => Value::int64(truncated(*value)),
            ("uint8", [Value::Int(_, value)]) => Value::Uint(UintKind::Uint8, *value as u64 & 0xff),
            ("double", [Value::Int(IntKind::Int64, value)]) => Value::int64(value.wrapping_mul(2)),
            ("upper", [Value::Str(text)]) => Value::Str(Text::derived_from(text.to_uppercase(), [text])),
            ("repeat", [Value::Int(_, count), Value::Str(text)]) => {
                let Ok(count) = usize::try_from(*count) else { return Err("strings: negative Repeat count".into()) };
                exec.charge(count.saturating_mul(text.len()))?;
                Value::Str(Text::derived_from(text.repeat(count), [text]))
            }
            ("fail", [Value::Str(message)]) => return Err(message.as_str().into()),
            ("bytes", [text]) => Value::Bytes(text.string_bytes().unwrap().into()),
            ("nilmap", _) => Value::Map(Map::nil(Type::MAP)),
            ("nillist", _) => Value::List(List::nil(Type::LIST)),
            ("nothing", _) => Value::Nil,
            ("smap", [Value::Str(key), value]) => {
                let map = Map::typed(Type::STRING_MAP);
                map.insert(key.clone(), value.clone());
                Value::Map(map)
            }
            ("kindOf", [value]) => Value::from(value.kind().as_str()),
            ("typeOf", [value]) => Value::from(&*value.type_name()),
            ("deep", [a, b]) => Value::Bool(deep_equal(a, b)),
            ("wait", [Value::Int(_, nanoseconds)]) => Value::object(Duration(*nanoseconds)),
            ("include", [Value::Str(name), dot]) => exec.run(name, dot.clone())?.into(),
            ("unsign" | "yes", [value]) => value.clone(),
            _ => panic!("{name} got arguments that do not fit its signature"),
        })
    }
}

/// Go's conversion on amd64: what does not fit becomes the smallest number.
fn truncated(value: f64) -> i64 {
    if value >= 9.3e18 || value == 9_223_372_036_854_775_808.0 { i64::MIN } else { value as i64 }
}

/// A `time.Duration` of less than a microsecond, or of one.
struct Duration(i64);

impl Object for Duration {
    fn type_name(&self) -> std::borrow::Cow<'static, str> {
        "time.Duration".into()
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int64)
    }

    fn underlying(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }

    fn display(&self) -> Option<Text> {
        Some(Text::from(match self.0 {
            0 => "0s".to_owned(),
            1000 => "1µs".to_owned(),
            nanoseconds => format!("{nanoseconds}ns"),
        }))
    }

    fn method(&self, name: &str) -> Option<&'static Signature> {
        (name == "Seconds").then_some(&const { Signature::fixed(&[]) })
    }

    fn call_method(&self, _: &str, _: &mut Exec<'_>, _: Vec<Value>) -> Result<Value, FunctionError> {
        Ok(Value::Float(self.0 as f64 / 1e9))
    }
}

/// What Go's `encoding/json` makes of it: every number is a `float64`.
pub(crate) fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            Value::map(entries.iter().map(|(key, value)| (Text::from(key.as_str()), from_json(value))))
        }
    }
}
