//! Numbers as Go's `strconv` reads them and `spf13/cast` converts them.

use gotemplate::Value;

use super::objects::calendar_number;

/// `strconv.ParseInt`; base 0 takes the base from the prefix and allows underscores. `None` for every error.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut digits = body;
    let mut radix = base;
    if base == 0 {
        radix = 10;
        if body.len() > 1 && body.starts_with('0') {
            (radix, digits) = match body.as_bytes()[1] {
                b'b' | b'B' if body.len() >= 3 => (2, &body[2..]),
                b'o' | b'O' if body.len() >= 3 => (8, &body[2..]),
                b'x' | b'X' if body.len() >= 3 => (16, &body[2..]),
                _ => (8, &body[1..]),
            };
        }
    }
    let plain;
    if digits.contains('_') {
        if base != 0 || !underscores_ok(body) {
            return None;
        }
        plain = digits.replace('_', "");
        digits = &plain;
    }
    if digits.is_empty() || !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative { (value <= 1 << 63).then(|| (value as i64).wrapping_neg()) } else { i64::try_from(value).ok() }
}

/// Underscores must stand between digits, or after a base prefix.
fn underscores_ok(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    let prefixed = body.len() >= 2 && body[0] == b'0' && matches!(body[1].to_ascii_lowercase(), b'b' | b'o' | b'x');
    let hex = prefixed && body[1].eq_ignore_ascii_case(&b'x');
    let is_digit = |byte: u8| byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit());
    let mut before = if prefixed { b'0' } else { b'^' };
    for byte in &body[if prefixed { 2 } else { 0 }..] {
        let now = match byte {
            byte if is_digit(*byte) => b'0',
            b'_' if before == b'0' => b'_',
            _ if before == b'_' || *byte == b'_' => return false,
            _ => b'!',
        };
        before = now;
    }
    before != b'_'
}

/// `strconv.ParseFloat`; `None` for every error, a number out of range included.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let signed = |number: f64| if negative { -number } else { number };
    if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") {
        return Some(signed(f64::INFINITY));
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if body.contains('_') && !underscores_ok(body) {
        return None;
    }
    let plain = body.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return parse_hex_float(hex).map(signed);
    }
    if !plain.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
        return None;
    }
    plain.parse::<f64>().ok().filter(|number| number.is_finite()).map(signed)
}

fn parse_hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let number = value * 2.0_f64.powi(exponent.checked_sub(places)?);
    number.is_finite().then_some(number)
}

/// Go's `int64(f)` on amd64: what does not fit becomes the least number.
pub(crate) fn truncated(number: f64) -> i64 {
    // 2⁶³ is exact in a float64.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if (-BEYOND..BEYOND).contains(&number) { number as i64 } else { i64::MIN }
}

/// `cast` cuts `.0`, `.00` … off a text before reading it as a whole number.
fn without_zero_fraction(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// `cast.ToInt64` (and `ToInt`): 0 for what is no number.
pub(crate) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Float(number) => truncated(*number),
        Value::Str(text) => parse_int(without_zero_fraction(text), 0).unwrap_or(0),
        Value::Bool(value) => i64::from(*value),
        value => calendar_number(value).unwrap_or(0),
    }
}

/// `cast.ToFloat64`: 0 for what is no number.
pub(crate) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Str(text) => parse_float(text).unwrap_or(0.0),
        Value::Bool(value) => f64::from(u8::from(*value)),
        value => calendar_number(value).map_or(0.0, |number| number as f64),
    }
}
