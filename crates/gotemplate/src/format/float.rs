//! `strconv.FormatFloat`.

use std::fmt::Write as _;

/// No `float64` has more decimal digits after the point than 1,074 (all further ones are zeros), and the standard library
/// panics when asked for more than 65,535.
const MOST_DIGITS: usize = 1100;

/// `strconv.FormatFloat(value, verb, precision, 64)`: verbs `e E f F g G b x X`; no precision is the shortest text that
/// reads back. An unknown verb gives `%` and the verb, as Go does.
#[must_use]
pub fn format_float(value: f64, verb: u8, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let magnitude = value.abs();
    let unsigned = match verb {
        b'e' | b'E' => exponent_form(&Digits::of(magnitude, precision), precision, verb),
        b'f' | b'F' => match precision {
            Some(precision) => {
                let exact = precision.min(MOST_DIGITS);
                format!("{magnitude:.exact$}") + &"0".repeat(precision - exact)
            }
            None => {
                let digits = Digits::of(magnitude, None);
                let after_point = usize::try_from(digits.len() - digits.point).unwrap_or(0);
                plain_form(&digits, after_point)
            }
        },
        b'g' | b'G' => general_form(magnitude, precision, verb),
        b'b' => binary_form(magnitude),
        b'x' | b'X' => hex_form(magnitude, precision, verb),
        _ => return format!("%{}", char::from(verb)),
    };
    format!("{sign}{unsigned}")
}

/// Decimal digits without trailing zeros, and where the point is: `0.d1d2d3… × 10^point`.
struct Digits {
    digits: String,
    point: i32,
}

impl Digits {
    /// All that are needed, or one more than `precision`, rounded.
    fn of(magnitude: f64, precision: Option<usize>) -> Self {
        let text = match precision {
            Some(precision) => format!("{magnitude:.precision$e}", precision = precision.min(MOST_DIGITS)),
            None => shortest(magnitude),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Self { digits, point: 0 };
        }
        Self { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
    }

    fn len(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }
}

/// The shortest digits that read back. Where two are equally near, Go takes the even one and the standard library the
/// larger one; that happens only to numbers with nearly all digits that a `float64` has.
fn shortest(magnitude: f64) -> String {
    const LEAST_DIGITS_OF_A_TIE: usize = 15;
    let text = format!("{magnitude:e}");
    let mantissa = text.find('e').unwrap_or(text.len());
    let digits = text.bytes().take(mantissa).filter(u8::is_ascii_digit).count();
    if digits < LEAST_DIGITS_OF_A_TIE {
        return text;
    }
    // Rounding to a given number of digits goes to the even one.
    let even = format!("{magnitude:.precision$e}", precision = digits - 1);
    if even.parse() == Ok(magnitude) { even } else { text }
}

/// `d.ddde±dd`
fn exponent_form(digits: &Digits, precision: Option<usize>, verb: u8) -> String {
    let precision = precision.unwrap_or(digits.digits.len().saturating_sub(1));
    let mut out = String::new();
    let mut all = digits.digits.chars().chain(std::iter::repeat('0'));
    out.extend(all.next());
    if precision > 0 {
        out.push('.');
        out.extend(all.take(precision));
    }
    let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "{}{sign}{:02}", char::from(verb), exponent.unsigned_abs());
    out
}

/// The shorter of both forms, by Go's rule.
fn general_form(magnitude: f64, precision: Option<usize>, verb: u8) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let digits = Digits::of(magnitude, precision.map(|precision| precision - 1));
    let wanted = precision.map(|precision| i32::try_from(precision).unwrap_or(i32::MAX));
    let mut threshold = wanted.unwrap_or(6);
    if wanted.is_some() && threshold > digits.len() && digits.len() >= digits.point {
        threshold = digits.len();
    }
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= threshold {
        let verb = if verb == b'G' { b'E' } else { b'e' };
        let precision = precision.map_or(digits.digits.len(), |precision| precision.min(digits.digits.len()));
        return exponent_form(&digits, Some(precision.saturating_sub(1)), verb);
    }
    let after_point = usize::try_from(digits.len() - digits.point).unwrap_or(0);
    plain_form(&digits, after_point)
}

/// `ddd.ddd`
fn plain_form(digits: &Digits, after_point: usize) -> String {
    let mut out = String::new();
    let before = usize::try_from(digits.point).unwrap_or(0);
    if before == 0 {
        out.push('0');
    } else {
        out.extend(digits.digits.chars().chain(std::iter::repeat('0')).take(before));
    }
    if after_point > 0 {
        out.push('.');
        let leading = usize::try_from(-digits.point).unwrap_or(0).min(after_point);
        out.extend(std::iter::repeat_n('0', leading));
        let rest = digits.digits.chars().skip(before).chain(std::iter::repeat('0'));
        out.extend(rest.take(after_point - leading));
    }
    out
}

/// Mantissa and binary exponent: `magnitude = mantissa × 2^exponent`.
fn parts(magnitude: f64) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52).unwrap_or(0);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `ddddp±dd`
fn binary_form(magnitude: f64) -> String {
    let (mantissa, exponent) = parts(magnitude);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.yyyyyyyyp±dd`
fn hex_form(magnitude: f64, precision: Option<usize>, verb: u8) -> String {
    let (mut mantissa, mut exponent) = parts(magnitude);
    if mantissa == 0 {
        exponent = 0;
    } else {
        exponent += 52;
        // The leading one goes to bit 60.
        mantissa <<= 8;
        while mantissa & (1 << 60) == 0 {
            mantissa <<= 1;
            exponent -= 1;
        }
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut out = format!("0x{}", (mantissa >> 60) & 1);
    let mut fraction = (mantissa << 4) & (u64::MAX << 4);
    if precision.is_none() && fraction != 0 || precision.is_some_and(|precision| precision > 0) {
        out.push('.');
        match precision {
            None => {
                while fraction != 0 {
                    let _ = write!(out, "{:x}", fraction >> 60);
                    fraction <<= 4;
                }
            }
            Some(precision) => {
                for _ in 0..precision {
                    let _ = write!(out, "{:x}", fraction >> 60);
                    fraction <<= 4;
                }
            }
        }
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "p{sign}{:02}", exponent.unsigned_abs());
    if verb == b'X' { out.to_uppercase() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results recorded from Go 1.26.
    #[test]
    fn formats_like_go() {
        for (value, verb, precision, expected) in [
            (1_000_000.0, b'g', None, "1e+06"),
            (999_999.0, b'g', None, "999999"),
            (1_234_567.5, b'g', None, "1.2345675e+06"),
            (0.0001, b'g', None, "0.0001"),
            (0.000_01, b'g', None, "1e-05"),
            (100.0, b'g', None, "100"),
            (0.0, b'g', None, "0"),
            (-0.0, b'g', None, "-0"),
            (1e21, b'f', None, "1000000000000000000000"),
            (2.5, b'f', Some(0), "2"),
            (3.5, b'f', Some(0), "4"),
            (0.0, b'e', Some(3), "0.000e+00"),
            (123_456.0, b'e', None, "1.23456e+05"),
            (400.0, b'g', Some(2), "4e+02"),
            (40.0, b'g', Some(2), "40"),
            (1e23, b'g', Some(17), "9.9999999999999992e+22"),
            (0.5, b'G', Some(0), "0.5"),
            (1e-10, b'G', None, "1E-10"),
            (214_555_923.556_640_63, b'g', None, "2.1455592355664062e+08"),
            (214_555_923.556_640_63, b'f', None, "214555923.55664062"),
            (1e21, b'f', Some(1), "1000000000000000000000.0"),
            (5e-324, b'b', None, "1p-1074"),
            (1.0, b'b', None, "4503599627370496p-52"),
            (1.0, b'x', None, "0x1p+00"),
            (0.1, b'x', None, "0x1.999999999999ap-04"),
            (0.1, b'X', Some(3), "0X1.99AP-04"),
            (f64::INFINITY, b'g', None, "+Inf"),
        ] {
            assert_eq!(format_float(value, verb, precision), expected, "{value} {}", char::from(verb));
        }
    }
}
