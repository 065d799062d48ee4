//! Small pieces of Go that several families of functions need: what a runtime panic says, how a value becomes a text.

use std::borrow::Cow;

use gotemplate::{FunctionError, Kind, List, Map, Type, Value};
use source::{Text, TextBuf, octets};

/// What every function gives back.
pub(crate) type Answer = Result<Value, FunctionError>;

/// Deepest nesting of values that is followed: written, copied, merged. Charts nest a dozen deep; what is deeper contains
/// itself. Bounded by the stack of the smallest thread that may render, not by taste.
pub(crate) const DEEPEST: usize = 200;

/// What Go's runtime says when a nil is looked into, such as `reflect.TypeOf(nil).Kind()`.
pub(crate) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

/// `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    gotemplate::format::quote(text.as_bytes())
}

/// sprig's `strval`: strings as they are, errors and `Stringer`s by their method, everything else as `%v`.
pub(crate) fn text_of(value: &Value) -> Text {
    match value {
        Value::Str(text) => text.clone(),
        Value::Binary(bytes) | Value::Bytes(bytes) => Text::from(&*octets::with_replacements(bytes)),
        _ => gotemplate::format::value_text(value),
    }
}

/// sprig's `strval`, kept as a value so that bytes that are not UTF-8 survive.
pub(crate) fn string_of(value: &Value) -> Value {
    match value {
        Value::Str(_) | Value::Binary(_) => value.clone(),
        Value::Bytes(bytes) => Value::string_from_bytes(bytes.to_vec()),
        _ => Value::string_from_marked(gotemplate::format::value_text(value)),
    }
}

/// sprig's `strslice`: the texts of a list's items, nils left out; anything else is a list of one.
pub(crate) fn strings_of(value: &Value) -> Vec<Text> {
    if let Some(list) = value.as_list() {
        return list.items().iter().filter(|item| !matches!(item, Value::Nil)).map(text_of).collect();
    }
    match value {
        Value::Nil => Vec::new(),
        _ => vec![text_of(value)],
    }
}

/// sprig's `empty`.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => match (object.underlying(), object.kind()) {
            (Some(value), _) => is_empty(&value),
            (None, Kind::Struct) => false,
            (None, _) => object.is_nil(),
        },
        _ => !value.is_true(),
    }
}

/// Items of a slice, for functions that take any value and look at its kind.
pub(crate) fn slice_of(value: &Value, complaint: &str) -> Result<List, FunctionError> {
    if matches!(value, Value::Nil) {
        return Err(FunctionError::new(NIL_DEREFERENCE));
    }
    value.as_list().ok_or_else(|| FunctionError::new(format!("{complaint} {}", value.kind())))
}

/// Go's message for `x.(T)` with the wrong dynamic type.
pub(crate) fn wrong_assertion(value: &Value, wanted: Type) -> FunctionError {
    let found = if matches!(value, Value::Nil) { Cow::Borrowed("nil") } else { value.type_name() };
    FunctionError::new(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
}

/// Go's message for `s[from:to]` out of range; `None` stands for an end that was left out.
pub(crate) fn out_of_range(from: Option<i64>, to: i64, length: usize) -> FunctionError {
    let bounds = match from {
        _ if to < 0 => format!("[:{to}]"),
        Some(from) if from > to => format!("[{from}:{to}]"),
        _ => format!("[:{to}] with length {length}"),
    };
    FunctionError::new(format!("runtime error: slice bounds out of range {bounds}"))
}

/// A part of a string, by bytes; what is cut within a character is kept as bytes.
pub(crate) fn part(value: &Value, from: usize, to: usize) -> Value {
    match value {
        Value::Str(text) if text.is_char_boundary(from) && text.is_char_boundary(to) => {
            Value::Str(text.slice(from..to))
        }
        _ => {
            let bytes = value.string_bytes().unwrap_or_default();
            Value::string_from_bytes(bytes.get(from..to).unwrap_or_default().to_vec())
        }
    }
}

/// A string made from others by something that does not keep bytes.
pub(crate) fn derived(bytes: Vec<u8>, from: &[&Value]) -> Value {
    match String::from_utf8(bytes) {
        Ok(string) => Value::Str(Text::derived_from(string, from.iter().filter_map(|value| value.as_text()))),
        Err(error) => Value::string_from_bytes(error.into_bytes()),
    }
}

/// A text made from another by something that does not keep bytes; the same text if nothing changed.
pub(crate) fn derived_text(string: String, from: &Text) -> Value {
    if string == from.as_str() { Value::Str(from.clone()) } else { Value::Str(Text::derived_from(string, [from])) }
}

/// Texts one after another.
pub(crate) fn joined(pieces: &[Text], separator: &Text) -> Text {
    if let [single] = pieces {
        return single.clone();
    }
    let mut buf = TextBuf::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            buf.push(separator);
        }
        buf.push(piece);
    }
    buf.finish()
}

/// A `map[string]string`.
pub(crate) fn string_map(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    let map = Map::typed(Type::STRING_MAP);
    for (key, value) in entries {
        map.insert(key, value);
    }
    Value::Map(map)
}
