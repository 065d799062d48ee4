//! Values as Go's `%#v` prints them in go-yaml's messages.

use super::MOST_DEPTH;
use super::construct::is_string_key;
use crate::number::format_g;
use crate::{Dialect, Kind, NodeRef, Scalar};

/// What go-yaml makes of a node. Merge keys are left out: no message that anyone reads has one.
pub(super) fn print(node: NodeRef<'_>) -> String {
    let printed = print_inner(node, MOST_DEPTH);
    // At the top there is no variable whose type could be said.
    if printed == NIL { "<nil>".to_owned() } else { printed }
}

const NIL: &str = "interface {}(nil)";

fn print_inner(node: NodeRef<'_>, depth: usize) -> String {
    let node = node.target();
    // Only a node inside its own anchor gets there, and that was refused before.
    let Some(depth) = depth.checked_sub(1) else { return NIL.to_owned() };
    match node.kind() {
        Kind::Sequence => {
            let items: Vec<String> = node.items().map(|item| print_inner(item, depth)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Kind::Mapping => {
            let strings = node.dialect() != Dialect::GoYamlV2 && node.entries().all(|(key, _)| is_string_key(key));
            let key = if strings { "string" } else { "interface {}" };
            let mut entries: Vec<(String, String)> = node
                .entries()
                .filter(|(key, _)| !key.is_merge_key())
                .map(|(key, value)| (print_inner(key, depth), print_inner(value, depth)))
                .collect();
            entries.sort();
            let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("map[{key}]interface {{}}{{{}}}", entries.join(", "))
        }
        _ => match node.value() {
            Scalar::Null => NIL.to_owned(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Uint(value) => format!("{value:#x}"),
            Scalar::Float(value) => format_g(value),
            Scalar::Str | Scalar::Timestamp(_) | Scalar::Binary | Scalar::Merge => quote(node.raw()),
        },
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
