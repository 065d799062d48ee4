//! Amounts of resources as Kubernetes writes them: `500m`, `128Mi`, `1e3`.

/// An amount, in billionths: no smaller one is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Known(i128),
    /// One so large, or so small, that it is not compared.
    Extreme,
}

/// Reads an amount as the API server does.
pub(crate) fn parse(text: &str) -> Option<Quantity> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = digits(unsigned);
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
    let factor = Factor::of(suffix)?;
    Some(amount(whole, fraction, factor).map_or(Quantity::Extreme, |amount| Quantity::Known(sign * amount)))
}

/// The digits that a text begins with, and the rest. Without any the amount is nothing, as the API server takes most of these (`Gi`).
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// What an amount is multiplied by.
#[derive(Clone, Copy)]
enum Factor {
    Decimal(i64),
    Binary(u32),
}

impl Factor {
    fn of(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "n" => Self::Decimal(-9),
            "u" => Self::Decimal(-6),
            "m" => Self::Decimal(-3),
            "" => Self::Decimal(0),
            "k" => Self::Decimal(3),
            "M" => Self::Decimal(6),
            "G" => Self::Decimal(9),
            "T" => Self::Decimal(12),
            "P" => Self::Decimal(15),
            "E" => Self::Decimal(18),
            "Ki" => Self::Binary(10),
            "Mi" => Self::Binary(20),
            "Gi" => Self::Binary(30),
            "Ti" => Self::Binary(40),
            "Pi" => Self::Binary(50),
            "Ei" => Self::Binary(60),
            _ => Self::Decimal(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
        })
    }
}

/// Nothing if it does not fit.
fn amount(whole: &str, fraction: &str, factor: Factor) -> Option<i128> {
    let digits = format!("{whole}{fraction}");
    let digits: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let (exponent, times) = match factor {
        Factor::Decimal(exponent) => (exponent, 1),
        Factor::Binary(bits) => (0, 1_i128.checked_shl(bits)?),
    };
    let digits = digits.checked_mul(times)?;
    let shift = exponent.checked_add(9)?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
    if shift >= 0 {
        return digits.checked_mul(power);
    }
    // What is left of less than a billionth counts as one.
    Some(digits / power + i128::from(digits % power != 0))
}

/// What somebody may have meant by what is no amount: other units, other cases, blanks.
pub(crate) fn meant(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let number = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(number);
    let unit = unit.to_ascii_lowercase();
    let unit = unit.strip_suffix("bytes").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let unit = match unit {
        "" => "",
        "k" => "k",
        // `m` is a thousandth: asked for are millions, if any.
        "m" => "M",
        "g" => "G",
        "t" => "T",
        "ki" => "Ki",
        "mi" => "Mi",
        "gi" => "Gi",
        "ti" => "Ti",
        _ => return None,
    };
    let meant = format!("{number}{unit}");
    (!number.is_empty() && parse(&meant).is_some()).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i128 = 1_000_000_000;

    #[test]
    fn amounts_are_read_as_the_api_server_reads_them() {
        for (text, amount) in [
            ("1", ONE),
            ("0", 0),
            ("500m", ONE / 2),
            ("0.5", ONE / 2),
            (".5", ONE / 2),
            ("1.", ONE),
            ("128Mi", 128 * 1024 * 1024 * ONE),
            ("1.5Gi", 1536 * 1024 * 1024 * ONE),
            ("1k", 1000 * ONE),
            ("1e3", 1000 * ONE),
            ("1E3", 1000 * ONE),
            ("1e+3", 1000 * ONE),
            ("1e-3", ONE / 1000),
            ("1E", 1_000_000_000_000_000_000 * ONE),
            ("-1", -ONE),
            ("+1", ONE),
            (" 1Gi ", 1024 * 1024 * 1024 * ONE),
            ("0.1n", 1),
            ("Gi", 0),
        ] {
            assert_eq!(parse(text), Some(Quantity::Known(amount)), "{text}");
        }
        assert_eq!(parse("1e400"), Some(Quantity::Extreme));
        for text in ["", "128MB", "1 Gi", "1gb", "1K", "1g", "1e", "1.2.3", "abc", "1,5", "true", "--1", "1Gi1", "100%"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_an_amount() {
        for (text, expected) in [
            ("128MB", Some("128M")),
            ("128 MiB", Some("128Mi")),
            ("1 Gi", Some("1Gi")),
            ("1.5gb", Some("1.5G")),
            ("64K", Some("64k")),
            ("128mi", Some("128Mi")),
            ("100 bytes", Some("100")),
            ("much", None),
            ("100%", None),
            ("", None),
        ] {
            assert_eq!(meant(text).as_deref(), expected, "{text}");
        }
    }
}
