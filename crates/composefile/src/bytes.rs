//! Byte sizes such as `1.5g`, as docker/go-units reads them.

use crate::interpolate::cast;

/// Parses a size to bytes. The message is Go's.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    if let Ok(number) = cast::parse_int(text, "ParseInt") {
        return Ok(number);
    }
    let Some(last) = text.rfind(|character: char| character.is_ascii_digit() || matches!(character, '.' | ' ')) else {
        return Err(format!("invalid size: '{text}'"));
    };
    let suffix = &text[last + 1..];
    let number = if text.as_bytes()[last] == b' ' { &text[..last] } else { &text[..=last] };
    let mut size = cast::parse_float(number)?;
    if size < 0.0 {
        return Err(format!("invalid size: '{text}'"));
    }
    let bad_suffix = |suffix: &str| Err(format!("invalid suffix: '{suffix}'"));
    if suffix.len() > 3 {
        return bad_suffix(suffix);
    }
    let suffix = suffix.to_lowercase();
    let exponent = match suffix.as_bytes().first() {
        None => 0,
        Some(b'b') if suffix.len() == 1 => 0,
        Some(b'k') => 1,
        Some(b'm') => 2,
        Some(b'g') => 3,
        Some(b't') => 4,
        Some(b'p') => 5,
        _ => return bad_suffix(&suffix),
    };
    if !matches!(suffix.get(1..), None | Some("" | "b" | "ib")) {
        return bad_suffix(&suffix);
    }
    size *= 1024_f64.powi(exponent);
    #[expect(clippy::cast_possible_truncation, reason = "as Go does; sizes are far below")]
    let bytes = size as i64;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, expected) in
            [("1g", Ok(1 << 30)), ("1.5KiB", Ok(1536)), ("64 mb", Ok(64 << 20)), ("10b", Ok(10)), ("-1", Ok(-1))]
        {
            assert_eq!(parse(text), expected, "{text}");
        }
        for (text, expected) in
            [("x", "invalid size: 'x'"), ("1x", "invalid suffix: 'x'"), ("1kbb", "invalid suffix: 'kbb'")]
        {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }
}
