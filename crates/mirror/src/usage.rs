//! What tenants used, from the gateway's access logs.
//!
//! Start with [`Usage::add`], one [`Line`] at a time: what is kept does not grow with the log but with its tenants and days, and it is the
//! same in whatever order the lines come and however they are spread over files.
//!
//! Threats, and the answer to each:
//! - *A log that fills the memory*: reasons are a closed list, hours are 24, and of addresses (which anybody can have many of) a fixed
//!   number is kept: see [`Addresses`].
//! - *Text that a client wrote into the log* (a path, a name): names are shown as they are only by formats that escape; whoever prints
//!   them as text masks control characters.

mod addresses;
mod line;
mod overrun;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;

pub use addresses::Addresses;
pub use line::{Kind, Line, LineError, MOST_LINE_BYTES, REFUSALS, Refusal};
pub use overrun::{Budgets, Overrun};

/// More tenants and days than a report can be read for, and a bound for its memory.
const MOST_ROWS: usize = 100_000;

/// What a set of log lines says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    rows: BTreeMap<Key, Row>,
    wrong_credentials: Addresses,
    lines: u64,
    damaged: u64,
}

/// Whose numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// In UTC.
    pub day: Date,
    /// Empty where the server name was none of ours.
    pub domain: String,
    /// Empty where the gateway did not know, because it refused before it asked.
    pub tenant: String,
}

/// One tenant of one domain on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// All requests, refused ones too.
    pub requests: u64,
    /// Bodies sent.
    pub bytes: u64,
    /// Answered from the cache, without asking upstream for the content.
    pub hits: u64,
    /// Answered through the cache in any way: what hits are a part of.
    pub cacheable: u64,
    /// By reason, in the order of [`REFUSALS`].
    pub refused: [u64; REFUSALS.len()],
    /// Requests that were not refused, by kind and hour of the day.
    pub index: [u64; 24],
    pub downloads: [u64; 24],
}

impl Row {
    /// How many were refused, for whatever reason.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refused.iter().sum()
    }

    /// The busiest hour of a kind and its requests; of several the first.
    #[must_use]
    pub fn busiest(&self, kind: Kind) -> Option<(usize, u64)> {
        let hours = match kind {
            Kind::Index => &self.index,
            Kind::Download => &self.downloads,
            Kind::Other => return None,
        };
        let busiest =
            hours.iter().copied().enumerate().max_by_key(|(hour, count)| (*count, std::cmp::Reverse(*hour)))?;
        (busiest.1 > 0).then_some(busiest)
    }
}

/// A report holds no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl std::fmt::Display for TooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it has more than {MOST_ROWS} pairs of a tenant and a day")
    }
}

impl Usage {
    /// Counts a line.
    ///
    /// # Errors
    /// If there are too many tenants and days.
    pub fn add(&mut self, line: &Line<'_>) -> Result<(), TooMany> {
        self.lines += 1;
        if line.refusal == Some(Refusal::Credentials) {
            self.wrong_credentials.add(line.day, &line.address);
        }
        let key = Key { day: line.day, domain: line.domain.to_string(), tenant: line.tenant.to_string() };
        if self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&key) {
            return Err(TooMany);
        }
        let row = self.rows.entry(key).or_default();
        row.requests += 1;
        row.bytes = row.bytes.saturating_add(line.bytes);
        row.hits += u64::from(line.is_hit);
        row.cacheable += u64::from(line.is_cacheable);
        match line.refusal {
            Some(refusal) => row.refused[refusal as usize] += 1,
            None => match line.kind {
                Kind::Index => row.index[line.hour] += 1,
                Kind::Download => row.downloads[line.hour] += 1,
                Kind::Other => {}
            },
        }
        Ok(())
    }

    /// Counts a line that cannot be read.
    pub fn add_damaged(&mut self) {
        self.damaged += 1;
    }

    /// Lines that were read.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Sorted by day, domain and tenant.
    pub fn rows(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.iter()
    }

    /// Who came without credentials that are right.
    #[must_use]
    pub fn wrong_credentials(&self) -> &Addresses {
        &self.wrong_credentials
    }
}
