//! Moments: milliseconds since 1970, because that is what ids of a stream are made of.

use jiff::Timestamp;

/// An id of a stream entry: when it came by Redis's clock, and a number within the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId {
    pub(crate) millis: i64,
    pub(crate) sequence: u64,
}

impl StreamId {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (millis, sequence) = text.split_once('-')?;
        Some(Self { millis: millis.parse().ok()?, sequence: sequence.parse().ok()? })
    }

    /// The first id of a moment.
    pub(crate) fn first_of(millis: i64) -> Self {
        Self { millis: millis.max(0), sequence: 0 }
    }

    /// `None` before the first of all.
    pub(crate) fn previous(self) -> Option<Self> {
        match (self.millis, self.sequence) {
            (millis, sequence @ 1..) => Some(Self { millis, sequence: sequence - 1 }),
            (1.., 0) => Some(Self { millis: self.millis - 1, sequence: u64::MAX }),
            _ => None,
        }
    }

    pub(crate) fn next(self) -> Self {
        match self.sequence.checked_add(1) {
            Some(sequence) => Self { sequence, ..self },
            None => Self { millis: self.millis.saturating_add(1), sequence: 0 },
        }
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

/// `2026-11-25T19:00:00.123Z`.
pub(crate) fn moment(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map_or_else(|_| format!("millisecond {millis}"), |time| format!("{time:.3}"))
}

/// `0.4 s`, `12 s`, `7 min`.
pub(crate) fn span(millis: i64) -> String {
    let millis = millis.max(0);
    match millis {
        0..10_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        10_000..300_000 => format!("{} s", millis / 1000),
        _ => format!("{} min", millis / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_neighbours() {
        let id = |text: &str| StreamId::parse(text.as_bytes()).unwrap();
        assert_eq!(id("5-1").previous(), Some(id("5-0")));
        assert_eq!(id("5-0").previous(), Some(id("4-18446744073709551615")));
        assert_eq!(id("0-0").previous(), None);
        assert_eq!(id("4-18446744073709551615").next(), id("5-0"));
        assert!(StreamId::parse(b"5").is_none() && StreamId::parse(b"a-b").is_none());
    }

    #[test]
    fn spans_are_short() {
        assert_eq!([span(0), span(1_450), span(61_000), span(600_000)], ["0.0 s", "1.4 s", "61 s", "10 min"]);
        assert_eq!(moment(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
    }
}
