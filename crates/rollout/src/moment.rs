//! A moment in UTC with whole seconds, as manifests and the ledger write it. Text order is time order.

use std::fmt;
use std::str::FromStr;

use release::Date;
use serde::{Deserialize, Serialize};

/// A moment, such as `2026-03-03T10:00:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(String);

/// The text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a moment is written in UTC, like `2026-03-03T10:00:00Z`")]
pub struct MomentError;

impl Moment {
    /// The last second of a day.
    #[must_use]
    pub fn end_of(day: Date) -> Self {
        Self(format!("{day}T23:59:59Z"))
    }

    /// Its day.
    #[must_use]
    pub fn day(&self) -> Date {
        // A moment begins with a day: what is not there is far away, so that nothing would be valid then.
        let never = Date { year: 9999, month: 12, day: 31 };
        self.0.get(..10).and_then(|day| day.parse().ok()).unwrap_or(never)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 8601 basic format, which file names can hold everywhere: `20260303T100000Z`.
    #[must_use]
    pub fn basic(&self) -> String {
        self.0.chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let (day, time) = text.split_once('T').ok_or(MomentError)?;
        let time = time.strip_suffix('Z').ok_or(MomentError)?;
        let parts: Vec<&str> = time.split(':').collect();
        let limits = [23, 59, 59];
        let fits = |part: &str, limit: u8| {
            part.len() == 2
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse().is_ok_and(|number: u8| number <= limit)
        };
        let good = day.parse::<Date>().is_ok()
            && parts.len() == limits.len()
            && parts.iter().zip(limits).all(|(part, limit)| fits(part, limit));
        if good { Ok(Self(text.to_owned())) } else { Err(MomentError) }
    }
}

impl TryFrom<String> for Moment {
    type Error = MomentError;

    fn try_from(text: String) -> Result<Self, MomentError> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_checked_and_ordered() {
        let moment: Moment = "2026-03-03T10:00:00Z".parse().unwrap();
        assert_eq!(moment.basic(), "20260303T100000Z");
        assert!(moment < Moment::end_of("2026-03-03".parse().unwrap()));
        assert!(moment > Moment::end_of("2026-03-02".parse().unwrap()));
        for bad in
            ["2026-03-03", "2026-03-03T10:00Z", "2026-03-03T10:00:60Z", "2026-02-30T10:00:00Z", "2026-03-03T10:00:00"]
        {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
