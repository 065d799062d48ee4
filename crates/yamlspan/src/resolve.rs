//! What an untagged or tagged plain scalar means, by go-yaml's tables.

use crate::number::{parse_float, parse_int, parse_int_radix, parse_uint, parse_uint_radix};
use crate::{Dialect, Scalar, Timestamp};

pub(crate) const STR: &str = "!!str";
pub(crate) const BINARY: &str = "!!binary";
pub(crate) const MERGE: &str = "!!merge";
const BOOL: &str = "!!bool";
const INT: &str = "!!int";
const FLOAT: &str = "!!float";
const NULL: &str = "!!null";
const TIMESTAMP: &str = "!!timestamp";

/// The meaning of `text` under `tag` (short form, empty for none). The error is go-yaml's message.
pub(crate) fn resolve(tag: &str, text: &str, dialect: Dialect) -> Result<Scalar, String> {
    if !matches!(tag, "" | BOOL | INT | FLOAT | NULL | TIMESTAMP) {
        return Ok(Scalar::Str);
    }
    let meaning = untagged(tag, text, dialect);
    let meant = match meaning {
        Scalar::Null => NULL,
        Scalar::Bool(_) => BOOL,
        Scalar::Int(_) | Scalar::Uint(_) => INT,
        Scalar::Float(_) => FLOAT,
        Scalar::Timestamp(_) => TIMESTAMP,
        Scalar::Merge => MERGE,
        Scalar::Str | Scalar::Binary => STR,
    };
    match (tag, meaning) {
        ("", _) => Ok(meaning),
        _ if tag == meant => Ok(meaning),
        #[expect(clippy::cast_precision_loss, reason = "Go converts so too")]
        (FLOAT, Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
        _ if dialect == Dialect::GoYamlV4 => Err(format!(
            "go-yaml load error in resolver at <unknown position>: cannot construct {meant} `{text}` as a {tag}"
        )),
        _ => Err(format!("yaml: cannot decode {meant} `{text}` as a {tag}")),
    }
}

fn untagged(tag: &str, text: &str, dialect: Dialect) -> Scalar {
    let Some(&first) = text.as_bytes().first() else { return Scalar::Null };
    // Most scalars are words that mean themselves.
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text, dialect),
        b'<' if dialect == Dialect::GoYamlV4 && text == "<<" => Scalar::Merge,
        b'.' => match word(text, dialect) {
            Scalar::Str => dotted(text),
            meaning => meaning,
        },
        b'+' | b'-' | b'0'..=b'9' => match word(text, dialect) {
            Scalar::Str => number_or_time(tag, text, dialect),
            meaning => meaning,
        },
        _ => Scalar::Str,
    }
}

fn word(text: &str, dialect: Dialect) -> Scalar {
    match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        "-0" | "-0.0" if dialect == Dialect::GoYamlV4 => Scalar::Float(-0.0),
        _ if dialect == Dialect::GoYamlV2 => match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Scalar::Bool(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Scalar::Bool(false),
            _ => Scalar::Str,
        },
        _ => Scalar::Str,
    }
}

/// `.5` and the like. Go's own parser reads these, which takes an underscore between digits.
fn dotted(text: &str) -> Scalar {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let misplaced = |(at, _): (usize, &str)| at == 0 || !is_digit(at - 1) || !is_digit(at + 1);
    if text.match_indices('_').any(misplaced) {
        return Scalar::Str;
    }
    parse_float(&text.replace('_', "")).map_or(Scalar::Str, Scalar::Float)
}

fn number_or_time(tag: &str, text: &str, dialect: Dialect) -> Scalar {
    if matches!(tag, "" | TIMESTAMP)
        && let Some(time) = Timestamp::parse(text)
    {
        return Scalar::Timestamp(time);
    }
    let stripped: String;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        &stripped
    } else {
        text
    };
    if let Some(value) = parse_int(plain) {
        return Scalar::Int(value);
    }
    if let Some(value) = parse_uint(plain) {
        return Scalar::Uint(value);
    }
    if let Some(value) = parse_float(plain) {
        return Scalar::Float(value);
    }
    let (binary, octal) = (dialect != Dialect::GoYamlV4, dialect == Dialect::GoYamlV3);
    for (wanted, prefix, radix) in [(binary, "0b", 2), (octal, "0o", 8)] {
        if !wanted {
            continue;
        }
        // A second sign may stand after the prefix.
        if let Some(rest) = plain.strip_prefix(prefix) {
            let value = parse_int_radix(rest, radix).map(Scalar::Int);
            return value.or_else(|| parse_uint_radix(rest, radix).map(Scalar::Uint)).unwrap_or(Scalar::Str);
        }
        if let Some(rest) = plain.strip_prefix('-').and_then(|rest| rest.strip_prefix(prefix)) {
            return parse_int_radix(&format!("-{rest}"), radix).map_or(Scalar::Str, Scalar::Int);
        }
    }
    Scalar::Str
}
