//! Strings that are not UTF-8, for functions that only look for texts and copy what is between them: such a function is given the texts with
//! a mark for each byte that is no part of a character ([`octets::marked`]), and the marks of what it answers are taken for the bytes again.

use gotemplate::{List, Map, Type, Value};
use source::{Text, octets};

/// Whether an argument is such a string, or a list with one.
pub(super) fn are_needed(args: &[Value]) -> bool {
    args.iter().any(|arg| match arg {
        Value::List(list) => list.items().iter().any(is_binary),
        arg => is_binary(arg),
    })
}

fn is_binary(value: &Value) -> bool {
    matches!(value, Value::Binary(_))
}

/// An argument with marks.
pub(super) fn set(value: Value) -> Value {
    match value {
        Value::List(list) if list.items().iter().any(is_binary) => {
            Value::List(List::typed(list.go_type(), list.items().iter().cloned().map(set).collect()))
        }
        Value::Str(_) | Value::Binary(_) => {
            Value::Str(Text::from(&*octets::marked(value.string_bytes().unwrap_or_default())))
        }
        other => other,
    }
}

/// An answer without them.
pub(super) fn taken(value: Value) -> Value {
    match value {
        Value::Str(text) => Value::string_from_marked(text),
        Value::List(list) if list.go_type() == Type::STRINGS && !list.is_nil() => {
            Value::List(List::typed(Type::STRINGS, list.items().iter().cloned().map(taken).collect()))
        }
        Value::Map(map) if map.go_type() == Type::STRING_MAP => {
            let of_bytes = Map::typed(Type::STRING_MAP);
            for (key, value) in map.entries() {
                of_bytes.insert(key, taken(value));
            }
            Value::Map(of_bytes)
        }
        other => other,
    }
}
