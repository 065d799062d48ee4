//! How Go prints values: `fmt.Sprint`, `strconv.Quote`, floats.

use source::octets;

use crate::{Node, Value};

/// `fmt.Sprint` of one value.
pub(crate) fn sprint(node: &Node) -> String {
    match &node.value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::Str(text) => text.to_string(),
        Value::Time(text) => time(text),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(sprint).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.sorted().into_iter().map(|(key, node)| format!("{key}:{}", sprint(node))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// `%#v` of one value.
pub(crate) fn syntax(node: &Node) -> String {
    match &node.value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Str(text) => quote(text),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<String> =
                map.sorted().into_iter().map(|(key, node)| format!("{}:{}", quote(key), syntax(node))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        _ => sprint(node),
    }
}

/// `time.Time.String` of an RFC 3339 text.
fn time(text: &str) -> String {
    let Some((date, rest)) = text.split_once('T') else { return text.to_owned() };
    if let Some(clock) = rest.strip_suffix('Z') {
        return format!("{date} {clock} +0000 UTC");
    }
    match rest.rfind(['+', '-']) {
        Some(at) => {
            let (clock, zone) = rest.split_at(at);
            let zone = zone.replace(':', "");
            format!("{date} {clock} {zone} {zone}")
        }
        None => text.to_owned(),
    }
}

/// `%v` of a float64: the shortest digits, an exponent below 1e-4 and from 1e6 on.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let exponent = format!("{value:e}");
    let Some((digits, power)) = exponent.split_once('e') else { return exponent };
    let power: i32 = power.parse().unwrap_or(0);
    if (-4..6).contains(&power) {
        return format!("{value}");
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

/// `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if let Some(byte) = octets::byte(character) {
            out.push_str(&format!("\\x{byte:02x}"));
            continue;
        }
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            control if (control as u32) < 0x20 || control == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", control as u32));
            }
            other if other.is_control() || (other.is_whitespace() && other != ' ') => {
                out.push_str(&format!("\\u{:04x}", other as u32));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
