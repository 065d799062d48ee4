//! TOML as `BurntSushi/toml` writes it; read by the `toml` crate, whose words for errors are its own.

use gotemplate::{List, Map, Type, Value};
use source::{Text, TextBuf};

use super::go::{DEEPEST, text_of};
use super::objects::{self, DurationObject, Plain, TimeObject, VersionObject};
use super::{clock, layout};

/// What a value is in TOML. `None`: nothing, it is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar,
    Array,
    Table,
    /// A non-empty array of nothing but tables.
    Tables,
}

/// `toml.Encoder.Encode`.
pub(crate) fn write(value: &Value) -> Result<Text, String> {
    let mut writer = Writer { buf: TextBuf::new() };
    writer.item(&[], value)?;
    Ok(writer.buf.finish())
}

/// The entries of a map or struct.
fn entries(value: &Value) -> Option<Vec<(Text, Value)>> {
    match value {
        Value::Map(map) => Some(map.entries()),
        Value::Object(_) if is_text(value) || value.downcast::<DurationObject>().is_some() => None,
        Value::Object(object) => match object.underlying() {
            Some(value) => entries(&value),
            // Go's field names: this encoder does not know the JSON ones.
            None => Some(object.fields().into_iter().map(|(name, value)| (Text::from(name), value)).collect()),
        },
        _ => None,
    }
}

/// Whether the Go type has a `MarshalText`.
fn is_text(value: &Value) -> bool {
    value.downcast::<TimeObject>().is_some() || value.downcast::<VersionObject>().is_some()
}

fn shape(value: &Value, depth: usize) -> Result<Option<Shape>, String> {
    if depth > DEEPEST {
        return Err("toml: values are nested too deeply".to_owned());
    }
    if value.is_nil() {
        return Ok(None);
    }
    if entries(value).is_some() {
        return Ok(Some(Shape::Table));
    }
    let Some(list) = value.as_list() else { return Ok(Some(Shape::Scalar)) };
    let mut only_tables = !list.is_empty();
    for item in list.items() {
        match shape(item, depth + 1)? {
            None => return Err("toml: cannot encode array with nil element".to_owned()),
            Some(shape) => only_tables &= shape == Shape::Table,
        }
    }
    Ok(Some(if only_tables { Shape::Tables } else { Shape::Array }))
}

struct Writer {
    buf: TextBuf,
}

impl Writer {
    fn item(&mut self, key: &[Text], value: &Value) -> Result<(), String> {
        if key.len() > DEEPEST {
            return Err("toml: values are nested too deeply".to_owned());
        }
        match shape(value, 0)? {
            // A nil slice is an array without items; a nil map or pointer is nothing.
            None if value.as_list().is_some() => self.key_value(key, value, false),
            None => Ok(()),
            Some(Shape::Scalar | Shape::Array) => self.key_value(key, value, false),
            Some(Shape::Table) => {
                if key.len() == 1 {
                    self.line_end();
                }
                if !key.is_empty() {
                    self.header(key, "[", "]");
                    self.line_end();
                }
                self.table(key, value, false)
            }
            Some(Shape::Tables) => {
                if key.is_empty() {
                    return Err("toml: top-level values must be Go maps or structs".to_owned());
                }
                for table in value.as_list().as_ref().map(List::items).unwrap_or_default() {
                    self.line_end();
                    self.header(key, "[[", "]]");
                    self.line_end();
                    self.table(key, table, false)?;
                }
                Ok(())
            }
        }
    }

    /// A line end, but not at the very start.
    fn line_end(&mut self) {
        if !self.buf.is_empty() {
            self.buf.push_str("\n");
        }
    }

    fn header(&mut self, key: &[Text], open: &str, close: &str) {
        self.indent(key);
        self.buf.push_str(open);
        for (index, part) in key.iter().enumerate() {
            if index > 0 {
                self.buf.push_str(".");
            }
            self.key(part);
        }
        self.buf.push_str(close);
    }

    fn indent(&mut self, key: &[Text]) {
        self.buf.push_str(&"  ".repeat(key.len().saturating_sub(1)));
    }

    fn key(&mut self, key: &Text) {
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !key.is_empty() && key.bytes().all(is_bare) { self.buf.push(key) } else { self.quoted(key) }
    }

    fn quoted(&mut self, text: &Text) {
        self.buf.push_str("\"");
        let mut start = 0;
        for (at, c) in text.char_indices() {
            let escaped = match c {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                '\x08' => "\\b".to_owned(),
                '\t' => "\\t".to_owned(),
                '\n' => "\\n".to_owned(),
                '\x0c' => "\\f".to_owned(),
                '\r' => "\\r".to_owned(),
                '\0'..='\x1f' | '\x7f' => format!("\\u{:04x}", u32::from(c)),
                _ => continue,
            };
            self.buf.push_slice(text, start..at);
            self.buf.push_str(&escaped);
            start = at + c.len_utf8();
        }
        self.buf.push_slice(text, start..text.len());
        self.buf.push_str("\"");
    }

    fn key_value(&mut self, key: &[Text], value: &Value, inline: bool) -> Result<(), String> {
        let Some(last) = key.last() else { return self.element(value) };
        self.indent(key);
        self.key(last);
        self.buf.push_str(" = ");
        self.element(value)?;
        if !inline {
            self.line_end();
        }
        Ok(())
    }

    fn table(&mut self, key: &[Text], value: &Value, inline: bool) -> Result<(), String> {
        let mut direct = Vec::new();
        let mut below = Vec::new();
        for (name, value) in entries(value).unwrap_or_default() {
            let is_table = matches!(shape(&value, 0)?, Some(Shape::Table | Shape::Tables));
            if is_table { below.push((name, value)) } else { direct.push((name, value)) }
        }
        if inline {
            self.buf.push_str("{");
        }
        let more = !below.is_empty();
        for (group, more) in [(direct, more), (below, false)] {
            let count = group.len();
            for (index, (name, value)) in group.into_iter().enumerate() {
                if value.is_nil() {
                    continue;
                }
                if inline {
                    self.key_value(&[name], &value, true)?;
                    if more || index + 1 != count {
                        self.buf.push_str(", ");
                    }
                } else {
                    let path: Vec<Text> = key.iter().cloned().chain([name]).collect();
                    self.item(&path, &value)?;
                }
            }
        }
        if inline {
            self.buf.push_str("}");
        }
        Ok(())
    }

    fn element(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Bool(value) => self.buf.push_str(if *value { "true" } else { "false" }),
            Value::Int(_, number) => self.buf.push_str(&number.to_string()),
            Value::Uint(_, number) => self.buf.push_str(&number.to_string()),
            Value::Float(number) => self.buf.push_str(&float_text(*number)),
            Value::Str(_) | Value::Binary(_) => self.quoted(&text_of(value)),
            Value::Object(_) if value.downcast::<TimeObject>().is_some() => match objects::plain(value) {
                Plain::Value(time) => self.buf.push(&text_of(&time)),
                Plain::Fields(_) => {}
            },
            Value::Object(_) if is_text(value) || value.downcast::<DurationObject>().is_some() => {
                self.quoted(&text_of(value));
            }
            _ if entries(value).is_some() => self.table(&[], value, true)?,
            _ => {
                let list = value.as_list().unwrap_or_else(|| List::new(Vec::new()));
                self.buf.push_str("[");
                for (index, item) in list.items().iter().enumerate() {
                    if index > 0 {
                        self.buf.push_str(", ");
                    }
                    self.element(item)?;
                }
                self.buf.push_str("]");
            }
        }
        Ok(())
    }
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = gotemplate::format::format_float(number, b'g', None);
    if text.contains(['e', '.']) { text } else { format!("{text}.0") }
}

/// `toml.Unmarshal` into a map.
pub(crate) fn read(text: &Text) -> Result<Value, String> {
    let table: ::toml::Table = text.as_str().parse().map_err(|error: ::toml::de::Error| {
        let message = error.message().trim_end();
        match error.span() {
            Some(span) => {
                let line = text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count() + 1;
                format!("toml: line {line}: {message}")
            }
            None => format!("toml: {message}"),
        }
    })?;
    Ok(table_value(table, text))
}

fn table_value(table: ::toml::Table, text: &Text) -> Value {
    let map = Map::new();
    for (key, inner) in table {
        map.insert(key, value(inner, text));
    }
    map.into()
}

fn value(inner: ::toml::Value, text: &Text) -> Value {
    use ::toml::Value as Toml;
    match inner {
        Toml::String(string) => Text::derived_from(string, [text]).into(),
        Toml::Integer(number) => Value::int64(number),
        Toml::Float(number) => Value::Float(number),
        Toml::Boolean(value) => Value::Bool(value),
        Toml::Datetime(time) => {
            let layouts = [
                "2006-01-02T15:04:05.999999999Z07:00",
                "2006-01-02T15:04:05.999999999",
                "2006-01-02",
                "15:04:05.999999999",
            ];
            let text = time.to_string();
            let parsed = layouts.iter().find_map(|pattern| layout::parse(pattern, &text).ok());
            Value::object(TimeObject(parsed.unwrap_or_else(clock::Time::zero)))
        }
        Toml::Array(items) => {
            let of_tables = !items.is_empty() && items.iter().all(Toml::is_table) && text.contains("[[");
            let items = items.into_iter().map(|item| value(item, text)).collect();
            let go_type = if of_tables { Type::Slice(&Type::MAP) } else { Type::LIST };
            List::typed(go_type, items).into()
        }
        Toml::Table(table) => table_value(table, text),
    }
}
