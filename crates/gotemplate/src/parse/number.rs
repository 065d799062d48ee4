//! Number and character constants: everything that each of them could mean.

use super::lexer::{Token, TokenKind};
use super::tree::{Number, Piece};
use crate::format::{Unit, parse_float, parse_int, parse_uint, quote, unquote_char};

/// One more than the largest `int64`.
const TWO_TO_63: f64 = (1_u64 << 63) as f64;

/// A number or character constant; else what Go says about it.
pub(super) fn number(token: &Token<'_>) -> Result<Number, String> {
    let text = token.text;
    let piece = Piece::new(token.at, token.end());
    let mut number = Number { piece, int: None, uint: None, float: None, looks_float: false };
    if token.kind == TokenKind::CharConstant {
        let body = text.get(1..).unwrap_or_default();
        let (unit, tail) = unquote_char(body, '\'').ok_or("invalid syntax")?;
        if tail != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let code = match unit {
            Unit::Byte(byte) => u32::from(byte),
            Unit::Char(c) => u32::from(c),
        };
        number.int = Some(i64::from(code));
        number.uint = Some(u64::from(code));
        number.float = Some(f64::from(code));
        return Ok(number);
    }
    let is_imaginary = text.strip_suffix('i').is_some_and(|text| parse_float(text).is_some());
    if token.kind == TokenKind::Complex || is_imaginary {
        // Go has them; no chart does, and none of the functions takes one.
        return Err(format!("complex numbers are not supported: {}", quote(text.as_bytes())));
    }
    number.uint = parse_uint(text);
    number.int = parse_int(text);
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text.as_bytes())));
        }
        number.float = Some(float);
        if (-TWO_TO_63..TWO_TO_63).contains(&float) && float.fract() == 0.0 {
            number.int = Some(float as i64);
        }
        if (0.0..2.0 * TWO_TO_63).contains(&float) && float.fract() == 0.0 {
            number.uint = Some(float as u64);
        }
    }
    if number.float.is_none() {
        return Err(format!("illegal number syntax: {}", quote(text.as_bytes())));
    }
    let hex_int = text.len() > 2 && (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
    number.looks_float = !hex_int && text.contains(['.', 'e', 'E', 'p', 'P']);
    Ok(number)
}
