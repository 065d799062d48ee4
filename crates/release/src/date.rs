//! Dates as release manifests and `until` write them; no clock and no time zone are needed.

use std::fmt;
use std::str::FromStr;

/// A day, such as `2026-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is written like `2026-03-01`")]
pub struct DateError;

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| -> Result<u16, DateError> {
            let part = parts.next().ok_or(DateError)?;
            let well_formed = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            if well_formed { part.parse().map_err(|_| DateError) } else { Err(DateError) }
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        if parts.next().is_some() {
            return Err(DateError);
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return Err(DateError),
        };
        if day == 0 || day > days {
            return Err(DateError);
        }
        let narrow = |number: u16| u8::try_from(number).map_err(|_| DateError);
        Ok(Self { year, month: narrow(month)?, day: narrow(day)? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Whether a text is a moment in UTC as manifests write it: `2025-09-20T00:00:00Z`.
pub(crate) fn is_moment(text: &str) -> bool {
    let Some((day, time)) = text.split_once('T') else { return false };
    let Some(time) = time.strip_suffix('Z') else { return false };
    let parts: Vec<&str> = time.split(':').collect();
    let limits = [23, 59, 59];
    day.parse::<Date>().is_ok()
        && parts.len() == limits.len()
        && parts.iter().zip(limits).all(|(part, limit)| {
            part.len() == 2
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse().is_ok_and(|n: u8| n <= limit)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_checked() {
        for good in ["2026-03-01", "2024-02-29", "2000-02-29"] {
            assert_eq!(good.parse::<Date>().unwrap().to_string(), good);
        }
        for bad in ["2026-3-1", "2026-02-29", "1900-02-29", "2026-13-01", "2026-04-31", "2026-01-01x", "", "2026-01-00"]
        {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
        assert!(is_moment("2025-09-20T00:00:00Z"));
        for bad in ["2025-09-20", "2025-09-20T24:00:00Z", "2025-09-20T00:00:00+01:00", "2025-09-20T0:00:00Z"] {
            assert!(!is_moment(bad), "{bad}");
        }
    }
}
