//! Number literals of Go: `strconv.ParseUint`, `ParseInt` (base 0) and `ParseFloat`.

/// `strconv.ParseUint(text, 0, 64)`: decimal, `0x`, `0o`, `0b`, or octal after a plain `0`; underscores between digits.
#[must_use]
pub fn parse_uint(text: &str) -> Option<u64> {
    if !underscores_fit(text) {
        return None;
    }
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, text.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, text.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, text.get(2..)?),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

/// `strconv.ParseInt(text, 0, 64)`.
#[must_use]
pub fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// `strconv.ParseFloat(text, 64)` of a number literal, also in hexadecimal; `None` if it is none or too large.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    if !underscores_fit(text) {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (negative, magnitude) = match plain.as_bytes().first()? {
        b'-' => (true, plain.get(1..)?),
        b'+' => (false, plain.get(1..)?),
        _ => (false, plain.as_str()),
    };
    let value = if magnitude.starts_with("0x") || magnitude.starts_with("0X") {
        parse_hex(magnitude.get(2..)?)?
    } else {
        if !magnitude.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
            return None;
        }
        magnitude.parse().ok()?
    };
    value.is_finite().then_some(if negative { -value } else { value })
}

/// `1.8p3`: Go demands the exponent.
fn parse_hex(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if exponent_digits.is_empty() || !exponent_digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Larger ones are zero or infinite anyway.
    let mut power = exponent_digits.parse::<i64>().unwrap_or(1 << 20).min(1 << 20);
    if exponent.starts_with('-') {
        power = -power;
    }
    let mut mantissa: u64 = 0;
    let mut lost = false;
    for (at, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            power -= if at >= whole.len() { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            power += if at < whole.len() { 4 } else { 0 };
        }
    }
    // The lost digits only break ties.
    let mantissa = (mantissa | u64::from(lost)) as f64;
    Some(scale(mantissa, power))
}

/// `mantissa * 2^power`, in steps that do not leave the range on the way.
fn scale(mut value: f64, mut power: i64) -> f64 {
    while power > 0 && value.is_finite() && value != 0.0 {
        let step = power.min(1000);
        value *= 2.0_f64.powi(i32::try_from(step).unwrap_or(i32::MAX));
        power -= step;
    }
    while power < 0 && value != 0.0 {
        let step = power.max(-1000);
        value *= 2.0_f64.powi(i32::try_from(step).unwrap_or(i32::MIN));
        power -= step;
    }
    value
}

/// Whether each underscore stands between digits (a base prefix counts as one).
fn underscores_fit(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = text.as_bytes();
    let prefixed = matches!(bytes, [b'0', b'x' | b'X' | b'b' | b'B' | b'o' | b'O', ..]);
    let hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let mut before = if prefixed { b'0' } else { b'^' };
    for byte in bytes.iter().skip(if prefixed { 2 } else { 0 }) {
        if byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit() {
            before = b'0';
        } else if *byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else if before == b'_' {
            return false;
        } else {
            before = b'!';
        }
    }
    before != b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_in_all_spellings() {
        for (text, expected) in [
            ("0", Some(0)),
            ("017", Some(15)),
            ("0o17", Some(15)),
            ("0x_1F", Some(31)),
            ("0b10_01", Some(9)),
            ("7_3", Some(73)),
            ("-0x10", Some(-16)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("08", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("0x", None),
            ("", None),
            ("+-1", None),
        ] {
            assert_eq!(parse_int(text), expected, "{text}");
        }
    }

    #[test]
    fn floats_in_all_spellings() {
        for (text, expected) in [
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("1_2.3_4e1_0", Some(12.34e10)),
            ("0x1p4", Some(16.0)),
            ("0x_1.8P-1", Some(0.75)),
            ("-0x1p-1074", Some(-5e-324)),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1p1024", None),
            ("1e400", None),
            ("0x1.8", None),
            (".", None),
            ("inf", None),
            ("1e", None),
        ] {
            assert_eq!(parse_float(text), expected, "{text}");
        }
    }
}
