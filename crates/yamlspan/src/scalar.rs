//! What a scalar means.

use std::fmt;

/// The value of a scalar as its dialect resolves it. For `Str`, `Timestamp` and `Binary` the text is
/// [`NodeRef::raw`](crate::NodeRef::raw).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Only for whole numbers above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Str,
    /// Looks like a timestamp (and is not quoted). v2 gives a string to whoever asks for any type; v3 and v4 give Go's `time.Time`.
    Timestamp(Timestamp),
    /// `!!binary`: the raw text is base64.
    Binary,
    /// A plain `<<`, which merges where it is a key; v2 and v3 take it for a string elsewhere.
    Merge,
}

/// A point in time as Go's `time.Time` holds it. `Display` is Go's `Time.String()` on a machine whose zone is UTC, such as
/// `2001-12-14 21:59:43.1 +0000 UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub nanosecond: u32,
    /// Offset from UTC in seconds.
    pub offset: i32,
}

impl Timestamp {
    /// Reads what go-yaml takes for a timestamp: a date, or a date and time with `T`, `t` and a zone, or with a space and no zone.
    /// Days, months, hours, minutes and seconds may have one digit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.get(4..)?;
        if !text.bytes().take(4).all(|byte| byte.is_ascii_digit()) || !rest.starts_with('-') {
            return None;
        }
        let year = text.get(..4)?.parse().ok()?;
        let (month, rest) = one_or_two(rest.get(1..)?)?;
        let (day, rest) = one_or_two(rest.strip_prefix('-')?)?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in(month, year) {
            return None;
        }
        let date = Self { year, month, day, hour: 0, minute: 0, second: 0, nanosecond: 0, offset: 0 };
        let zoned = match rest.chars().next() {
            None => return Some(date),
            Some('T' | 't') => true,
            Some(' ') => false,
            Some(_) => return None,
        };
        let rest = if zoned { rest.get(1..)? } else { rest.trim_start_matches(' ') };
        let (hour, rest) = one_or_two(rest)?;
        let (minute, rest) = one_or_two(rest.strip_prefix(':')?)?;
        let (second, rest) = one_or_two(rest.strip_prefix(':')?)?;
        if hour >= 24 || minute >= 60 || second >= 60 {
            return None;
        }
        let (nanosecond, rest) = fraction(rest)?;
        let offset = match (zoned, rest) {
            (false, "") | (true, "Z") => 0,
            (true, rest) => zone(rest)?,
            _ => return None,
        };
        Some(Self { hour, minute, second, nanosecond, offset, ..date })
    }
}

/// A number of one digit, or of two where two stand.
fn one_or_two(text: &str) -> Option<(u8, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Some((text.get(..length)?.parse().ok()?, text.get(length..)?))
}

fn days_in(month: u8, year: u16) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A fraction of a second after `.` or `,`. Digits past the ninth are dropped.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return Some((0, text)) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let kept = rest.get(..length.min(9))?;
    let scale = 10u32.pow(u32::try_from(9 - kept.len()).ok()?);
    Some((kept.parse::<u32>().ok()? * scale, rest.get(length..)?))
}

/// `+hh:mm` in seconds.
fn zone(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let both = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !both(hours) || !both(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    // Go's own bounds are this generous.
    (hours <= 24 && minutes <= 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, nanosecond, offset } = self;
        write!(formatter, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if *nanosecond > 0 {
            write!(formatter, ".{}", format!("{nanosecond:09}").trim_end_matches('0'))?;
        }
        let sign = if *offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        write!(formatter, " {sign}{:02}{:02}", minutes / 60, minutes % 60)?;
        match offset {
            0 => formatter.write_str(" UTC"),
            _ => write!(formatter, " {sign}{:02}{:02}", minutes / 60, minutes % 60),
        }
    }
}
