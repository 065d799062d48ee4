//! Values as Go's `%#v` prints them in go-yaml's messages.

use crate::Data;
use crate::number::format_g;

/// How go-yaml's maps are typed in a message.
#[derive(Clone, Copy)]
pub(super) enum MapType {
    /// `map[interface {}]interface {}`
    General,
    /// `map[string]interface {}`
    Strings,
}

pub(super) fn print(data: &Data, maps: MapType) -> String {
    match data {
        Data::Null => "interface {}(nil)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => format!("{value:#x}"),
        Data::Float(value) => format_g(*value),
        Data::Str(text) => quote(text),
        Data::Seq(items) => {
            let items: Vec<String> = items.iter().map(|item| print(item, maps)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}:{}", quote(key), print(value, maps))).collect();
            let name = match maps {
                MapType::General => "map[interface {}]interface {}",
                MapType::Strings => "map[string]interface {}",
            };
            format!("{name}{{{}}}", entries.join(", "))
        }
    }
}

/// `strconv.Quote`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\0'..' ' | '\x7f' => quoted.push_str(&format!("\\x{:02x}", u32::from(letter))),
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
