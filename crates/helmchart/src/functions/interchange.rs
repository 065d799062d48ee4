//! Between template values and the plain data that the YAML readers and writers speak.

use gotemplate::Value;
use source::{Text, octets};
use yamlspan::Data;

use super::go::DEEPEST;
use super::json;
use super::objects::{self, Plain};

/// How numbers and objects become data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through JSON, as sigs.k8s.io/yaml does: whole floats become integers.
    Json,
    /// As go-yaml v3 looks at Go values itself.
    Direct,
}

/// A value as data. `None` where Go's encoder fails: a number that JSON cannot say, or a value that contains itself.
pub(crate) fn data(value: &Value, way: Way) -> Option<Data> {
    nested(value, way, 0)
}

fn nested(value: &Value, way: Way, depth: usize) -> Option<Data> {
    if depth > DEEPEST {
        return None;
    }
    Some(match value {
        Value::Nil => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Int(_, number) => Data::Int(*number),
        Value::Uint(_, number) => i64::try_from(*number).map_or(Data::Uint(*number), Data::Int),
        Value::Float(number) if way == Way::Direct => Data::Float(*number),
        Value::Float(number) => json_number(*number)?,
        Value::Str(text) => Data::Str(checked(text, way)?),
        Value::Binary(bytes) if way == Way::Direct => Data::Str(Text::from(&*octets::marked(bytes))),
        Value::Binary(bytes) => Data::Str(Text::from(&*octets::with_replacements(bytes))),
        Value::Bytes(bytes) if way == Way::Json => Data::Str(Text::from(super::base_n::base64(bytes))),
        Value::List(list) if list.is_nil() && way == Way::Json => Data::Null,
        Value::Bytes(_) | Value::List(_) => {
            let list = value.as_list()?;
            Data::Seq(list.items().iter().map(|item| nested(item, way, depth + 1)).collect::<Option<_>>()?)
        }
        Value::Map(map) if map.is_nil() && way == Way::Json => Data::Null,
        Value::Map(map) => entries(&map.entries(), way, depth)?,
        Value::Object(_) => match objects::plain(value) {
            Plain::Value(value) => nested(&value, way, depth + 1)?,
            Plain::Fields(fields) => entries(&fields, way, depth)?,
        },
        Value::Twin(twin) => nested(twin.first(), way, depth)?,
    })
}

fn entries(entries: &[(Text, Value)], way: Way, depth: usize) -> Option<Data> {
    let pairs = entries.iter().map(|(key, value)| Some((checked(key, way)?, nested(value, way, depth + 1)?)));
    Some(Data::Map(pairs.collect::<Option<_>>()?))
}

/// JSON text is read as YAML on this way, and YAML does not take every character: Go's `toYaml` then gives up.
fn checked(text: &Text, way: Way) -> Option<Text> {
    let refused = |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    (way == Way::Direct || text.is_ascii() && !text.contains('\x7f') || !text.contains(refused)).then(|| text.clone())
}

/// A float as its JSON text is read by YAML.
fn json_number(number: f64) -> Option<Data> {
    let text = json::number_text(number).ok()?;
    if text.contains(['.', 'e']) {
        return Some(Data::Float(number));
    }
    Some(match (text.parse::<i64>(), text.parse::<u64>()) {
        (Ok(whole), _) => Data::Int(whole),
        (_, Ok(whole)) => Data::Uint(whole),
        _ => Data::Float(number),
    })
}

/// Data as a template sees it.
pub(crate) fn value(data: Data) -> Value {
    match data {
        Data::Null => Value::Nil,
        Data::Bool(value) => Value::Bool(value),
        Data::Int(number) => Value::int64(number),
        Data::Uint(number) => Value::Uint(gotemplate::UintKind::Uint64, number),
        Data::Float(number) => Value::Float(number),
        Data::Str(text) => Value::Str(text),
        Data::Seq(items) => Value::list(items.into_iter().map(value).collect()),
        Data::Map(entries) => Value::map(entries.into_iter().map(|(key, inner)| (key, value(inner)))),
    }
}
