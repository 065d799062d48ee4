//! What a value becomes on sigs.k8s.io/yaml's way to YAML: it is written as JSON, and that is read by go-yaml v2.
//!
//! For nearly all values this changes only numbers. Where a string has characters that go-yaml v2 folds or refuses, or a key
//! is very long, the trip is made for real.

use std::borrow::Cow;

use source::{FileId, Text, TextBuf, octets};

use crate::number::{format_e_json, format_f, format_g, parse_int, parse_uint};
use crate::{Data, Dialect, Error, decode, parse_first};

/// A key with more characters in JSON than this, with its quotes, is too long for go-yaml v2. An escape has up to six.
const LONGEST_HARMLESS_KEY: usize = 1024 / 6 - 2;

/// `encoding/json` writes an exponent from here on, and below the next.
const FIRST_EXPONENT: f64 = 1e21;
const LAST_NEGATIVE_EXPONENT: f64 = 1e-6;

/// The value after the trip; the same one if nothing changes.
pub(super) fn through_json(data: &Data) -> Result<Cow<'_, Data>, Error> {
    match change_of(data) {
        Change::None => Ok(Cow::Borrowed(data)),
        Change::Numbers => whole_numbers(data).map(Cow::Owned),
        Change::Strings => {
            let mut json = TextBuf::new();
            write_json(data, &mut json)?;
            let json = json.finish();
            match parse_first(json.to_arc(), FileId(0), Dialect::GoYamlV2)? {
                Some(document) => decode::value(&document, &json).map(Cow::Owned),
                None => Ok(Cow::Owned(Data::Null)),
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    Numbers,
    Strings,
}

fn change_of(data: &Data) -> Change {
    match data {
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Uint(_) => Change::None,
        Data::Float(_) => Change::Numbers,
        Data::Str(text) if is_suspicious(text) => Change::Strings,
        Data::Str(_) => Change::None,
        Data::Seq(items) => items.iter().map(change_of).max().unwrap_or(Change::None),
        Data::Map(entries) => {
            let change = |(key, value): &(Text, Data)| match key.len() > LONGEST_HARMLESS_KEY || is_suspicious(key) {
                true => Change::Strings,
                false => change_of(value),
            };
            entries.iter().map(change).max().unwrap_or(Change::None)
        }
    }
}

/// JSON leaves these as they are, and go-yaml v2 refuses or folds them; and bytes that are no characters, which JSON cannot hold.
fn is_suspicious(text: &str) -> bool {
    let forbidden = |letter| matches!(letter, '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    text.as_bytes().contains(&0x7f)
        || (!text.is_ascii() && (text.contains(forbidden) || octets::first_mark(text).is_some()))
}

fn whole_numbers(data: &Data) -> Result<Data, Error> {
    Ok(match data {
        Data::Float(value) => number(*value)?,
        Data::Seq(items) => Data::Seq(items.iter().map(whole_numbers).collect::<Result<_, _>>()?),
        Data::Map(entries) => {
            let entry = |(key, value): &(Text, Data)| Ok((key.clone(), whole_numbers(value)?));
            Data::Map(entries.iter().map(entry).collect::<Result<_, Error>>()?)
        }
        other => other.clone(),
    })
}

/// A whole number becomes an integer if its JSON digits fit in 64 bits.
fn number(value: f64) -> Result<Data, Error> {
    if !value.is_finite() {
        let message = format!("error marshaling into JSON: json: unsupported value: {}", format_g(value));
        return Err(Error::new(message, None));
    }
    // JSON has the shortest digits here, then zeros.
    if value.abs() < FIRST_EXPONENT {
        let digits = format_f(value);
        if let Some(whole) = parse_int(&digits) {
            return Ok(Data::Int(whole));
        }
        if let Some(whole) = parse_uint(&digits) {
            return Ok(Data::Uint(whole));
        }
    }
    Ok(Data::Float(value))
}

/// What `encoding/json` writes, with the trace of strings.
fn write_json(data: &Data, json: &mut TextBuf) -> Result<(), Error> {
    match data {
        Data::Null => json.push_str("null"),
        Data::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Data::Int(value) => json.push_str(&value.to_string()),
        Data::Uint(value) => json.push_str(&value.to_string()),
        Data::Float(value) => {
            number(*value)?;
            let exponent = *value != 0.0 && !(LAST_NEGATIVE_EXPONENT..FIRST_EXPONENT).contains(&value.abs());
            json.push_str(&if exponent { format_e_json(*value) } else { format_f(*value) });
        }
        Data::Str(text) => write_string(text, json),
        Data::Seq(items) => {
            json.push_str("[");
            for (index, item) in items.iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write_json(item, json)?;
            }
            json.push_str("]");
        }
        Data::Map(entries) => {
            let mut entries: Vec<&(Text, Data)> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            json.push_str("{");
            for (index, (key, value)) in entries.into_iter().enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write_string(key, json);
                json.push_str(":");
                write_json(value, json)?;
            }
            json.push_str("}");
        }
    }
    Ok(())
}

fn write_string(text: &Text, json: &mut TextBuf) {
    let replaced = match octets::replaced(text) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(replaced) => Cow::Owned(Text::derived_from(replaced, [text])),
    };
    let text = &*replaced;
    json.push_str("\"");
    let mut copied = 0;
    for (at, letter) in text.char_indices() {
        let escape = match letter {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(letter)),
            _ => continue,
        };
        json.push_slice(text, copied..at);
        copied = at + letter.len_utf8();
        json.push(&Text::derived_from(escape, [&text.slice(at..copied)]));
    }
    json.push_slice(text, copied..text.len());
    json.push_str("\"");
}
