//! Numbers as Go's `strconv` reads and writes them.

/// Go's `%g` with shortest digits writes an exponent from this power of ten on.
const FIRST_EXPONENT: i32 = 6;

/// And below this one.
const LAST_PLACES: i32 = -4;

/// `strconv.FormatFloat(value, 'g', -1, 64)`: shortest digits, exponent form below 1e-4 and from 1e6. Infinities are
/// `+Inf` and `-Inf`.
pub(crate) fn format_g(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format_digits(&shortest(value))
}

/// `value` as `d.ddde-x` with the fewest digits that read back as it. Where two of that length are equally near, Go takes the
/// even one and Rust's `{:e}` the larger; with a precision, Rust rounds to even as well.
fn shortest(value: f64) -> String {
    let digits = format!("{value:e}");
    let count = digits.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{value:.*e}", count.saturating_sub(1));
    if rounded.parse() == Ok(value) { rounded } else { digits }
}

/// A finite number without exponent, as `strconv.FormatFloat(value, 'f', -1, 64)` has it.
pub(crate) fn format_f(value: f64) -> String {
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    place_point(mantissa, exponent.parse().unwrap_or(0))
}

/// A finite number with exponent, as `encoding/json` writes it: `1e+21`, `1e-7`.
pub(crate) fn format_e_json(value: f64) -> String {
    let scientific = shortest(value);
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => format!("{mantissa}e+{exponent}"),
        _ => scientific,
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`.
pub(crate) fn format_g32(value: f64) -> String {
    if !value.is_finite() {
        return format_g(value);
    }
    // The cast rounds to nearest, as Go's does.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is what is asked for")]
    let narrow = value as f32;
    if narrow.is_infinite() {
        return if narrow > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format_digits(&format!("{narrow:e}"))
}

/// From `d.ddde-x` to Go's `%g`.
fn format_digits(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (LAST_PLACES..FIRST_EXPONENT).contains(&exponent) {
        return place_point(mantissa, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `d.ddd` times ten to the power of `exponent`, without exponent.
fn place_point(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    match digits.split_at_checked(point) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, part)) => format!("{sign}{whole}.{part}"),
        None => format!("{sign}{digits}{}", "0".repeat(point.saturating_sub(digits.len()))),
    }
}

/// `strconv.ParseInt(text, 0, 64)` of a text without underscores: `0x`, `0o`, `0b` and a leading `0` name the base.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    signed(negative, parse_uint(rest)?)
}

fn signed(negative: bool, value: u64) -> Option<i64> {
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// `strconv.ParseInt(text, radix, 64)`.
pub(crate) fn parse_int_radix(text: &str, radix: u32) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    signed(negative, parse_uint_radix(rest, radix)?)
}

/// `strconv.ParseUint(text, 0, 64)` of a text without underscores.
pub(crate) fn parse_uint(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.get(1).map(u8::to_ascii_lowercase)) {
        (Some(b'0'), Some(b'x')) => parse_uint_radix(text.get(2..)?, 16),
        (Some(b'0'), Some(b'o')) => parse_uint_radix(text.get(2..)?, 8),
        (Some(b'0'), Some(b'b')) => parse_uint_radix(text.get(2..)?, 2),
        (Some(b'0'), Some(_)) => parse_uint_radix(text.get(1..)?, 8),
        _ => parse_uint_radix(text, 10),
    }
}

/// `strconv.ParseUint(text, radix, 64)`: digits only.
pub(crate) fn parse_uint_radix(text: &str, radix: u32) -> Option<u64> {
    if text.is_empty() || !text.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(text, radix).ok()
}

/// A decimal float as go-yaml's regular expression has it: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`. Out of range is none.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digits_from = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits_from(at);
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let part = digits_from(at + 1);
        if whole == 0 && part == 0 {
            return None;
        }
        at += 1 + part;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits_from(at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    if at != bytes.len() {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_go_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (1e6, "1e+06"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.234567e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (100_000.0, "100000"),
            (1e100, "1e+100"),
            // Two texts of 16 digits are equally near: the even one.
            (-4_651_758.5 / 8192.0, "-567.8416137695312"),
        ] {
            assert_eq!(format_g(value), text);
        }
        assert_eq!(format_g32(0.1), "0.1");
        assert_eq!(format_g32(16_777_217.0), "1.6777216e+07");
    }

    #[test]
    fn reads_as_go_does() {
        assert_eq!(parse_int("-0x1f"), Some(-31));
        assert_eq!(parse_int("0755"), Some(493));
        assert_eq!(parse_int("08"), None);
        assert_eq!(parse_int("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_uint("18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_float("08"), Some(8.0));
        assert_eq!(parse_float("1e400"), None);
        assert_eq!(parse_float("."), None);
        assert_eq!(parse_float("+.5e-1"), Some(0.05));
    }
}
