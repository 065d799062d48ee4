//! All entries, in the order in which one follows from the other, and whether they hang together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::entry::{self, Draft, Entry, EntryError};
use crate::{Hash, Moment};

/// Fewer digits of a hash name an entry by chance.
pub const FEWEST_DIGITS: usize = 6;

/// An entry with its name and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub name: String,
    pub hash: Hash,
    pub entry: Entry,
}

impl Recorded {
    /// Reads one file of the ledger's folder, by the name of an entry (see [`crate::is_entry_name`]).
    ///
    /// # Errors
    /// Bytes that are no entry, or those of another name.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let fault = |message: String| Fault { name: name.to_owned(), message };
        let hash = Hash::of(bytes);
        let entry = Entry::parse(bytes).map_err(|error| fault(error.to_string()))?;
        if !name.contains(hash.short()) {
            let short = hash.short();
            return Err(fault(format!("it was changed: its hash starts with `{short}`, not with what its name says")));
        }
        if name != entry.file_name(&hash) {
            return Err(fault(format!("it should be named `{}`", entry.file_name(&hash))));
        }
        Ok(Self { name: name.to_owned(), hash, entry })
    }
}

/// An entry to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The name of its file.
    pub name: String,
    pub text: String,
    pub hash: Hash,
}

/// Something that shows that the ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file that shows it.
    pub name: String,
    /// A lower-case fragment.
    pub message: String,
}

/// The entries that can be read, each after all that it follows. Where order is free, by time and hash.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Recorded>,
}

impl Ledger {
    /// The ledger of what was read, each file by itself. Faults come sorted by name.
    #[must_use]
    pub fn of(read: impl IntoIterator<Item = Result<Recorded, Fault>>) -> (Self, Vec<Fault>) {
        let mut faults: Vec<Fault> = Vec::new();
        let read = read.into_iter();
        let mut known: Vec<Recorded> = Vec::with_capacity(read.size_hint().0);
        for read in read {
            match read {
                Ok(recorded) => known.push(recorded),
                Err(fault) => faults.push(fault),
            }
        }
        let places = places(&known);
        let unusable: Vec<String> = faults.iter().map(|fault| fault.name.clone()).collect();
        for recorded in &known {
            for before in &recorded.entry.before {
                let Some(earlier) = places.get(before).and_then(|&place| known.get(place)) else {
                    // An entry that was changed has a fault of its own.
                    if !unusable.iter().any(|name| name.contains(before.short())) {
                        let message = format!("the entry before it, `{}`, is missing", before.short());
                        faults.push(Fault { name: recorded.name.clone(), message });
                    }
                    continue;
                };
                if earlier.entry.at > recorded.entry.at {
                    let message = format!("it is older than `{}`, which it follows", earlier.name);
                    faults.push(Fault { name: recorded.name.clone(), message });
                }
            }
        }
        faults.sort_by(|a, b| a.name.cmp(&b.name));
        (Self { entries: ordered(known) }, faults)
    }

    #[must_use]
    pub fn entries(&self) -> &[Recorded] {
        &self.entries
    }

    /// The entries that none follows: one, or several after branches were merged. None in an empty ledger.
    #[must_use]
    pub fn heads(&self) -> Vec<&Recorded> {
        let followed: BTreeSet<&Hash> = self.entries.iter().flat_map(|recorded| &recorded.entry.before).collect();
        self.entries.iter().filter(|recorded| !followed.contains(&recorded.hash)).collect()
    }

    /// The entry of this hash, or of the only one that starts so (at least [`FEWEST_DIGITS`]).
    #[must_use]
    pub fn find(&self, hash: &str) -> Option<&Recorded> {
        let mut found = self.entries.iter().filter(|recorded| recorded.hash.as_str().starts_with(hash));
        let first = found.next().filter(|_| hash.len() >= FEWEST_DIGITS)?;
        found.next().is_none().then_some(first)
    }

    /// How many entries came after the one of this hash, in whatever branch: those that it does not follow from.
    #[must_use]
    pub fn after(&self, hash: &Hash) -> usize {
        let mut known: BTreeSet<&Hash> = BTreeSet::new();
        let by_hash: BTreeMap<&Hash, &Recorded> =
            self.entries.iter().map(|recorded| (&recorded.hash, recorded)).collect();
        let mut open = vec![hash];
        while let Some(next) = open.pop() {
            if let Some(recorded) = by_hash.get(next)
                && known.insert(&recorded.hash)
            {
                open.extend(&recorded.entry.before);
            }
        }
        self.entries.len() - known.len()
    }

    /// The entries of these drafts, one after the other, the first one joining all heads. A clock that is behind the ledger is
    /// not believed: nothing is older than what it follows.
    ///
    /// # Errors
    /// A text that no entry may hold, or a field that the kind does not have.
    pub fn append(&self, drafts: Vec<Draft>, now: &Moment) -> Result<Vec<NewEntry>, EntryError> {
        let heads = self.heads();
        let newest = heads.iter().map(|recorded| &recorded.entry.at).max();
        let at = newest.filter(|newest| *newest > now).unwrap_or(now);
        let mut before: Vec<Hash> = heads.iter().map(|recorded| recorded.hash.clone()).collect();
        let mut new = Vec::new();
        for draft in drafts {
            let entry = Entry::of(draft, at.clone(), before);
            entry.check()?;
            let text = entry.to_json();
            entry::fits(&text)?;
            let hash = Hash::of(text.as_bytes());
            before = vec![hash.clone()];
            new.push(NewEntry { name: entry.file_name(&hash), text, hash });
        }
        Ok(new)
    }
}

/// Where each entry is in a list of them; of what stands there twice, the last.
fn places(known: &[Recorded]) -> BTreeMap<&Hash, usize> {
    known.iter().enumerate().map(|(place, recorded)| (&recorded.hash, place)).collect()
}

/// Kahn's order; among entries that are free to come next, the oldest comes first, then the one of the lower hash. Each once.
fn ordered(known: Vec<Recorded>) -> Vec<Recorded> {
    let places = places(&known);
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); known.len()];
    let mut waits = vec![0_usize; known.len()];
    let mut free: BinaryHeap<Reverse<(&Moment, &Hash, usize)>> = BinaryHeap::new();
    for (&hash, &place) in &places {
        let recorded = &known[place];
        // What is missing has a fault of its own and holds up nobody.
        let present: BTreeSet<usize> =
            recorded.entry.before.iter().filter_map(|before| places.get(before).copied()).collect();
        if present.is_empty() {
            free.push(Reverse((&recorded.entry.at, hash, place)));
        }
        waits[place] = present.len();
        present.iter().for_each(|&before| followers[before].push(place));
    }
    let mut order = Vec::with_capacity(known.len());
    while let Some(Reverse((_, _, next))) = free.pop() {
        order.push(next);
        for &follower in &followers[next] {
            waits[follower] -= 1;
            if waits[follower] == 0 {
                let recorded = &known[follower];
                free.push(Reverse((&recorded.entry.at, &recorded.hash, follower)));
            }
        }
    }
    let mut known: Vec<Option<Recorded>> = known.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| known[place].take()).collect()
}

#[cfg(test)]
impl Ledger {
    /// The ledger of a whole folder.
    pub(crate) fn read(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> (Self, Vec<Fault>) {
        let entries = files.into_iter().filter(|(name, _)| crate::is_entry_name(name));
        Self::of(entries.map(|(name, bytes)| Recorded::read(&name, &bytes)))
    }
}

#[cfg(test)]
mod tests;
