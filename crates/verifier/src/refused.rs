//! Headers that were wrong a moment ago.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::tag::Tag;

/// How long a wrong header is known to be wrong. Files that change end it at once, so that a tenant who was added need not wait; short
/// all the same, because it is only there for clients that ask again and again.
const LIFETIME: Duration = Duration::from_secs(10);

/// How many are known, 100 bytes each. Whoever tries more different ones pays with bcrypt for each anyway.
const MOST: usize = 4096;

#[derive(Default)]
pub(crate) struct Refused {
    until: HashMap<Tag, Instant>,
    /// In the order of their ends, because all live equally long.
    order: VecDeque<(Instant, Tag)>,
}

impl Refused {
    pub(crate) fn has(&self, tag: &Tag, now: Instant) -> bool {
        self.until.get(tag).is_some_and(|until| now < *until)
    }

    pub(crate) fn add(&mut self, tag: Tag, now: Instant) {
        while let Some((until, oldest)) = self.order.front()
            && (*until <= now || self.order.len() >= MOST)
        {
            // One that was added again later has a later end, and a later place in the order.
            if self.until.get(oldest) == Some(until) {
                self.until.remove(oldest);
            }
            self.order.pop_front();
        }
        let until = now + LIFETIME;
        self.until.insert(tag, until);
        self.order.push_back((until, tag));
    }

    pub(crate) fn clear(&mut self) {
        self.until.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u32) -> Tag {
        let mut tag = Tag::default();
        tag[..4].copy_from_slice(&number.to_be_bytes());
        tag
    }

    #[test]
    fn they_end() {
        let (mut refused, start) = (Refused::default(), Instant::now());
        refused.add(tag(1), start);
        assert!(refused.has(&tag(1), start + LIFETIME / 2));
        assert!(!refused.has(&tag(1), start + LIFETIME));
        assert!(!refused.has(&tag(2), start));
        refused.add(tag(1), start + LIFETIME / 2);
        refused.add(tag(2), start + LIFETIME);
        assert!(refused.has(&tag(1), start + LIFETIME), "added again, so it lives on");
    }

    #[test]
    fn a_flood_takes_no_more_memory_than_it_may() {
        let (mut refused, start) = (Refused::default(), Instant::now());
        for number in 0..3 * 4096 {
            refused.add(tag(number), start);
        }
        assert_eq!((refused.until.len(), refused.order.len()), (4096, 4096));
        assert!(refused.has(&tag(3 * 4096 - 1), start) && refused.has(&tag(2 * 4096), start));
        assert!(!refused.has(&tag(2 * 4096 - 1), start));
    }
}
