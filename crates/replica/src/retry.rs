//! How long a mirror that is busy or broken is waited for.

use std::time::Duration;

/// The first wait; each one after it is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// No wait is longer, unless the mirror asks for it.
const LONGEST: Duration = Duration::from_secs(30);

/// All waits of one run come out of one purse, so that a run ends.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    step: u32,
}

impl Patience {
    pub(crate) fn new(whole: Duration) -> Self {
        Self { left: whole, step: 0 }
    }

    /// How long to wait now, at least as long as somebody `asked` for; `None` if that is more than what is left.
    pub(crate) fn next(&mut self, asked: Duration) -> Option<Duration> {
        let wait = FIRST.saturating_mul(1 << self.step.min(16)).min(LONGEST).max(asked);
        self.left = self.left.checked_sub(wait)?;
        self.step += 1;
        Some(wait)
    }

    /// Something arrived: the next wait is short again. What was waited stays spent.
    pub(crate) fn progress(&mut self) {
        self.step = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_their_sum_is_bounded() {
        let mut patience = Patience::new(Duration::from_secs(10));
        let waits: Vec<u128> =
            std::iter::from_fn(|| patience.next(Duration::ZERO)).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000]);
        let mut patience = Patience::new(Duration::from_secs(10));
        assert_eq!(patience.next(Duration::from_secs(9)), Some(Duration::from_secs(9)));
        assert_eq!(patience.next(Duration::from_secs(2)), None);
    }

    #[test]
    fn a_wait_has_a_longest_time_unless_more_is_asked_for() {
        let mut patience = Patience::new(Duration::from_secs(1_000));
        let waits: Vec<u128> =
            std::iter::from_fn(|| patience.next(Duration::ZERO)).map(|wait| wait.as_millis()).take(10).collect();
        assert_eq!(waits[6..], [16_000, 30_000, 30_000, 30_000]);
        assert_eq!(patience.next(Duration::from_secs(45)), Some(Duration::from_secs(45)));
    }

    #[test]
    fn a_mirror_that_gives_one_byte_a_time_is_not_waited_for_for_ever() {
        let mut patience = Patience::new(Duration::from_secs(10));
        let tries = std::iter::from_fn(|| {
            patience.progress();
            patience.next(Duration::ZERO)
        });
        assert_eq!(tries.count(), 40);
    }
}
