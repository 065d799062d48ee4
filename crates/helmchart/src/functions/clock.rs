//! Moments and durations as Go's `time` package has them: seconds and nanoseconds since 1970 and a place.
//!
//! `Local` is UTC here: what a chart renders to must not depend on the machine's zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Go's zero time, 0001-01-01T00:00:00Z, in seconds since 1970.
pub(crate) const ZERO_SECONDS: i64 = -62_135_596_800;

/// A moment with the place whose clock shows it.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    /// Nanoseconds in the second, below 10⁹.
    pub(crate) nanos: u32,
    pub(crate) zone: Zone,
}

/// Whose clock shows a [`Time`].
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Utc,
    /// The machine's zone: UTC under another name.
    Local,
    /// A name (may be empty) and seconds east of Greenwich.
    Fixed(String, i64),
    /// A zone of the time zone database.
    Named(String, TimeZone),
}

/// Year, month and so on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    /// Sunday is 0.
    pub(crate) weekday: usize,
    /// January 1 is 1.
    pub(crate) year_day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
}

impl Zone {
    /// What `time.LoadLocation` gives; `None` for an unknown name.
    pub(crate) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Self::Utc),
            "Local" => Some(Self::Local),
            _ if name.contains("..") || name.starts_with(['/', '\\']) => None,
            _ => TimeZone::get(name).ok().map(|zone| Self::Named(name.to_owned(), zone)),
        }
    }

    /// The name that `Location.String` prints.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Local => "Local",
            Self::Fixed(name, _) | Self::Named(name, _) => name,
        }
    }

    /// Abbreviation and seconds east of Greenwich at a moment.
    pub(crate) fn at(&self, seconds: i64) -> (String, i64) {
        match self {
            Self::Utc | Self::Local => ("UTC".to_owned(), 0),
            Self::Fixed(name, offset) => (name.clone(), *offset),
            Self::Named(_, zone) => {
                let Ok(moment) = Timestamp::from_second(seconds) else { return (String::new(), 0) };
                let info = zone.to_offset_info(moment);
                (info.abbreviation().to_owned(), i64::from(info.offset().seconds()))
            }
        }
    }
}

impl Time {
    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        Self { seconds: ZERO_SECONDS, nanos: 0, zone: Zone::Utc }
    }

    /// A moment on the machine's clock, as `time.Unix` gives it.
    pub(crate) fn unix(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos, zone: Zone::Local }
    }

    /// The same moment on another clock.
    pub(crate) fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    /// Later (or earlier) by a duration in nanoseconds.
    pub(crate) fn plus(&self, duration: i64) -> Self {
        let nanos = i64::from(self.nanos) + duration.rem_euclid(1_000_000_000);
        let carried = nanos.div_euclid(1_000_000_000);
        let seconds = self.seconds.wrapping_add(duration.div_euclid(1_000_000_000)).wrapping_add(carried);
        let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
        Self { seconds, nanos, zone: self.zone.clone() }
    }

    /// Nanoseconds from `other` to this, clamped as Go clamps them.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanos = seconds * 1_000_000_000 + i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// Abbreviation of the zone and its offset at this moment.
    pub(crate) fn zone_at(&self) -> (String, i64) {
        self.zone.at(self.seconds)
    }

    /// What the place's clock and calendar show.
    pub(crate) fn civil(&self) -> Civil {
        let local = self.seconds.saturating_add(self.zone_at().1);
        let (days, rest) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        let year_day = u32::try_from(days - days_before(year, 1, 1) + 1).unwrap_or(0);
        let part = |n: i64| u32::try_from(n).unwrap_or(0);
        Civil {
            year,
            month,
            day,
            // 1970-01-01 was a Thursday.
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            year_day,
            hour: part(rest / 3600),
            minute: part(rest / 60 % 60),
            second: part(rest % 60),
        }
    }

    /// A moment from what the clock of `zone` shows. Days and seconds beyond their range carry over.
    pub(crate) fn from_civil(date: (i64, u32, u32), seconds_of_day: i64, nanos: u32, zone: Zone) -> Self {
        let (year, month, day) = date;
        let shown = days_before(year, month, day).saturating_mul(DAY).saturating_add(seconds_of_day);
        // Guess with the offset before, then check with the offset found: what Go does around a change of clocks.
        let guess = shown - zone.at(shown).1;
        let offset = zone.at(guess).1;
        let seconds = if shown - offset == guess { guess } else { shown - zone.at(shown - offset).1 };
        Self { seconds, nanos, zone }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
pub(crate) fn days_before(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_of(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

/// Whether the year has a February 29.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1 to 12) of a year.
pub(crate) fn days_in(month: u32, year: i64) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `Duration.String`: `1h2m3.5s`, `1.5ms`, `0s`.
pub(crate) fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let amount = nanos.unsigned_abs();
    let fraction = |amount: u64, digits: u32| {
        let unit = 10_u64.pow(digits);
        let text = format!("{:0width$}", amount % unit, width = digits as usize);
        let text = text.trim_end_matches('0');
        let dot = if text.is_empty() || digits == 0 { "" } else { "." };
        (amount / unit, if digits == 0 { String::new() } else { format!("{dot}{text}") })
    };
    if amount == 0 {
        return "0s".to_owned();
    }
    if amount < 1_000_000_000 {
        let (digits, unit) = match amount {
            0..1_000 => (0, "ns"),
            1_000..1_000_000 => (3, "µs"),
            _ => (6, "ms"),
        };
        let (whole, rest) = fraction(amount, digits);
        return format!("{sign}{whole}{rest}{unit}");
    }
    let (seconds, rest) = fraction(amount, 9);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{sign}{hours}h{minutes}m{seconds}{rest}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m{seconds}{rest}s")
    } else {
        format!("{sign}{seconds}{rest}s")
    }
}

/// `Duration.Round`: to the nearest multiple, halves away from zero.
pub(crate) fn round_duration(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return duration;
    }
    let rest = (duration % multiple).unsigned_abs();
    let toward_zero = duration - duration % multiple;
    if rest.saturating_add(rest) < multiple.unsigned_abs() {
        toward_zero
    } else if duration < 0 {
        toward_zero.saturating_sub(multiple)
    } else {
        toward_zero.saturating_add(multiple)
    }
}

/// `time.ParseDuration`. The error is worded as in Go.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    const LIMIT: u64 = 1 << 63;
    let fail = |message: &str| format!("time: {message} {}", super::layout::quote(text));
    let invalid = || fail("invalid duration");
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            return Err(invalid());
        }
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let end = digits(rest);
        let whole = &rest[..end];
        rest = &rest[end..];
        let value = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| invalid())? };
        if value > LIMIT {
            return Err(invalid());
        }
        let mut fraction = "";
        if let Some(body) = rest.strip_prefix('.') {
            let end = digits(body);
            fraction = &body[..end];
            rest = &body[end..];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let unit: u64 = match name {
            "" => return Err(fail("missing unit in duration")),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(fail(&format!("unknown unit {} in duration", super::layout::quote(name)))),
        };
        if value > LIMIT / unit {
            return Err(invalid());
        }
        let (numerator, scale) = leading_fraction(fraction);
        let mut amount = value * unit;
        if numerator > 0 {
            amount = amount.saturating_add(to_u64(numerator as f64 * (unit as f64 / scale)));
        }
        total = total.saturating_add(amount);
        if amount > LIMIT || total > LIMIT {
            return Err(invalid());
        }
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn leading_fraction(digits: &str) -> (u64, f64) {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        if value > (i64::MAX / 10).unsigned_abs() {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    (value, scale)
}

fn to_u64(number: f64) -> u64 {
    number as u64
}
