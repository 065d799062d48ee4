//! Durations as Compose reads them (`1w2d3h4m5s6ms`) and as Go prints them (`1m30s`).

/// Parses a duration to nanoseconds. The message is Go's.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration \"{text}\"");
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        if !rest.starts_with(|character: char| character == '.' || character.is_ascii_digit()) {
            return Err(invalid());
        }
        let (whole, after) = digits(rest);
        let mut value: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        rest = after;
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            (fraction, rest) = digits(after);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = rest.find(|character: char| character == '.' || character.is_ascii_digit()).unwrap_or(rest.len());
        if end == 0 {
            return Err(format!("time: missing unit in duration \"{text}\""));
        }
        let (unit, after) = rest.split_at(end);
        rest = after;
        let Some(scale) = unit_nanoseconds(unit) else {
            return Err(format!("time: unknown unit \"{unit}\" in duration \"{text}\""));
        };
        value = value.checked_mul(scale).ok_or_else(invalid)?;
        if !fraction.is_empty() {
            // As Go: digits beyond 18 add nothing.
            let kept = &fraction[..fraction.len().min(18)];
            let number: i64 = kept.parse().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as Go computes it")]
            let extra = (number as f64 * (scale as f64 / 10_f64.powi(i32::try_from(kept.len()).unwrap_or(0)))) as i64;
            value = value.checked_add(extra).ok_or_else(invalid)?;
        }
        total = total.checked_add(value).ok_or_else(invalid)?;
    }
    Ok(if negative { -total } else { total })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn unit_nanoseconds(unit: &str) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => 24 * 3_600 * SECOND,
        "w" => 168 * 3_600 * SECOND,
        _ => return None,
    })
}

/// `time.Duration.String`.
pub(crate) fn print(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    if all == 0 {
        return "0s".to_owned();
    }
    let with_fraction = |value: u64, unit: u64| {
        let digits = unit.to_string().len() - 1;
        let fraction = format!("{:0digits$}", value % unit);
        let fraction = fraction.trim_end_matches('0');
        let whole = value / unit;
        if fraction.is_empty() || digits == 0 { whole.to_string() } else { format!("{whole}.{fraction}") }
    };
    match all {
        ..1_000 => return format!("{sign}{all}ns"),
        1_000..1_000_000 => return format!("{sign}{}µs", with_fraction(all, 1_000)),
        1_000_000..1_000_000_000 => return format!("{sign}{}ms", with_fraction(all, 1_000_000)),
        _ => {}
    }
    let seconds = with_fraction(all % 60_000_000_000, 1_000_000_000);
    let minutes = all / 60_000_000_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_go_prints_them() {
        for (text, expected) in [
            ("90s", "1m30s"),
            ("1h30m", "1h30m0s"),
            ("1w2d", "216h0m0s"),
            ("1.5s", "1.5s"),
            ("1500us", "1.5ms"),
            ("10ns", "10ns"),
            ("-2m", "-2m0s"),
            ("0", "0s"),
            ("5 minutes", "time: unknown unit \" minutes\" in duration \"5 minutes\""),
            ("5", "time: missing unit in duration \"5\""),
            ("s", "time: invalid duration \"s\""),
            ("99999999999w", "time: invalid duration \"99999999999w\""),
        ] {
            assert_eq!(parse(text).map_or_else(|message| message, print), expected, "{text}");
        }
    }
}
