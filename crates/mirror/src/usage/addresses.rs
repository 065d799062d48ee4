//! Addresses with a count each, in memory that does not grow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

/// Beyond this, what is kept is a sample. About 8 MiB.
const MOST: usize = 65_536;

/// How often each address came, by day.
///
/// Up to 65,536 pairs of day and address all are kept. Of more, those whose hash is smallest are: which ones that are does not depend
/// on the order in which they come, and each of them was kept from its first line on, so that its count is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    counts: BTreeMap<(Date, String), u64>,
    /// The same pairs by their hash.
    by_hash: BTreeSet<(u64, Date, String)>,
    most: usize,
    attempts: u64,
    is_sample: bool,
}

impl Default for Addresses {
    fn default() -> Self {
        Self::holding(MOST)
    }
}

impl Addresses {
    pub(super) fn holding(most: usize) -> Self {
        Self { counts: BTreeMap::new(), by_hash: BTreeSet::new(), most, attempts: 0, is_sample: false }
    }

    pub(super) fn add(&mut self, day: Date, address: &str) {
        self.attempts += 1;
        let key = (day, address.to_owned());
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
            return;
        }
        let hashed = (hash(day, address), day, address.to_owned());
        if self.counts.len() >= self.most {
            self.is_sample = true;
            // One that was given up once has a larger hash than all that are kept, and never comes back.
            match self.by_hash.last() {
                Some(last) if hashed < *last => {
                    if let Some((_, day, address)) = self.by_hash.pop_last() {
                        self.counts.remove(&(day, address));
                    }
                }
                _ => return,
            }
        }
        self.by_hash.insert(hashed);
        self.counts.insert(key, 1);
    }

    /// All attempts, also of addresses that are not kept.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Whether there were more than are kept.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.is_sample
    }

    /// Most attempts first, then by day and address.
    #[must_use]
    pub fn sorted(&self) -> Vec<(Date, &str, u64)> {
        let mut all: Vec<_> =
            self.counts.iter().map(|((day, address), count)| (*day, address.as_str(), *count)).collect();
        all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (a.0, a.1).cmp(&(b.0, b.1))));
        all
    }
}

/// FNV-1a, then SplitMix64's finish, so that near addresses are far apart. Nobody gains by choosing an address for its hash.
fn hash(day: Date, address: &str) -> u64 {
    let day = [day.year().to_be_bytes()[0], day.year().to_be_bytes()[1], day.month() as u8, day.day() as u8];
    let bytes = day.into_iter().chain(address.bytes());
    let mut hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
