use jiff::{SignedDuration, Timestamp};

/// How far a certificate begins before it is made.
///
/// Clocks of other machines, and of virtual ones after a pause, lag by minutes; a certificate that begins in their future is
/// refused there. One hour is what public authorities use.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// From when to when a certificate is valid, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second. OpenSSL refuses a certificate in this second already, Go from the next one on.
    pub not_after: Timestamp,
}

impl Validity {
    /// This many days from `now` on, beginning a little before it.
    #[must_use]
    pub fn days(now: Timestamp, days: u32) -> Self {
        let now = whole_seconds(now);
        Self { not_before: before(now, BACKDATED), not_after: after(now, days) }
    }

    /// As long as this, but not longer than the issuer lives: what outlives its issuer is refused with it anyway, and says a
    /// date that is not true.
    #[must_use]
    pub fn within(self, issuer: Self) -> Self {
        Self { not_after: self.not_after.min(issuer.not_after), ..self }
    }

    /// Whether a certificate is too old at this moment.
    ///
    /// True in the last second itself: where peers differ, the stricter one counts.
    #[must_use]
    pub fn is_over(self, now: Timestamp) -> bool {
        now.as_second() >= self.not_after.as_second()
    }

    /// Whether a certificate is not valid yet at this moment.
    #[must_use]
    pub fn is_ahead(self, now: Timestamp) -> bool {
        now.as_second() < self.not_before.as_second()
    }

    /// Whether it is over when this many days have passed.
    #[must_use]
    pub fn ends_within(self, now: Timestamp, days: u32) -> bool {
        self.is_over(after(now, days))
    }

    /// Whole days that are left; negative where it is over.
    #[must_use]
    pub fn days_left(self, now: Timestamp) -> i64 {
        (self.not_after.as_second() - now.as_second()).div_euclid(24 * 60 * 60)
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn before(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

fn after(time: Timestamp, days: u32) -> Timestamp {
    time.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_of_each_boundary() {
        let now: Timestamp = "2025-09-20T12:00:00.75Z".parse().unwrap();
        let validity = Validity::days(now, 90);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            validity,
            Validity { not_before: at("2025-09-20T11:00:00Z"), not_after: at("2025-12-19T12:00:00Z") }
        );
        assert!(validity.is_ahead(at("2025-09-20T10:59:59Z")));
        assert!(!validity.is_ahead(at("2025-09-20T11:00:00Z")));
        assert!(!validity.is_over(at("2025-12-19T11:59:59Z")));
        assert!(validity.is_over(at("2025-12-19T12:00:00Z")));
        assert!(!validity.ends_within(at("2025-12-05T11:59:59Z"), 14));
        assert!(validity.ends_within(at("2025-12-05T12:00:00Z"), 14));
        assert_eq!(validity.days_left(at("2025-12-19T11:59:59Z")), 0);
        assert_eq!(validity.days_left(at("2025-12-18T12:00:00Z")), 1);
        assert_eq!(validity.days_left(at("2025-12-19T12:00:01Z")), -1);
    }
}
