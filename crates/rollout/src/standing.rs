//! What follows from the ledger: which holds stand, what is known good, what was held when.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Approval, Held, Kind};
use crate::{Hash, Ledger, Moment, Recorded};

/// What a channel or ring held at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAt<'l> {
    pub held: &'l Held,
    pub since: Since<'l>,
}

/// How it is known that something was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since<'l> {
    /// This promotion or rollback brought it.
    Entry(&'l Recorded),
    /// It was there when this entry marked it good; what brought it is not recorded.
    Seen(&'l Recorded),
    /// This later one says that it took its place: it was there before the first entry.
    Before(&'l Recorded),
}

/// Consent that is owed for a move that was made without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt<'l> {
    pub recorded: &'l Recorded,
    pub role: &'l str,
    /// How many are missing still.
    pub count: u32,
}

impl Ledger {
    /// What is still owed for moves of a channel. An approval that came later counts if it is about the same plan and base, by somebody else than
    /// whoever moved it or approved it before, and `counts` trusts it.
    pub fn due<'l>(&'l self, channel: &str, counts: impl Fn(&Recorded, &Approval) -> bool) -> Vec<Debt<'l>> {
        let mut debts = Vec::new();
        let moved = self.entries().iter().filter(|recorded| recorded.entry.channel == channel);
        for recorded in moved.filter(|recorded| recorded.entry.kind.moves()) {
            let entry = &recorded.entry;
            let mut known: BTreeSet<&str> = entry.approvals.iter().map(|approval| approval.by.as_str()).collect();
            known.insert(&entry.by);
            let base = entry.from.as_ref().map(|held| &held.sha256);
            for due in &entry.due {
                let later = self.entries().iter().filter(|later| {
                    later.entry.kind == Kind::Approval && later.entry.approves.as_ref() == Some(&recorded.hash)
                });
                let given = later.flat_map(|later| later.entry.approvals.iter().map(move |approval| (later, approval)));
                let names: BTreeSet<&str> = given
                    .filter(|(later, approval)| {
                        approval.role == due.role
                            && Some(&approval.plan) == entry.plan.as_ref()
                            && Some(&approval.base) == base
                            && !known.contains(approval.by.as_str())
                            && counts(later, approval)
                    })
                    .map(|(_, approval)| approval.by.as_str())
                    .collect();
                // Nobody counts twice, in whatever role.
                known.extend(&names);
                let count = due.count.saturating_sub(u32::try_from(names.len()).unwrap_or(u32::MAX));
                if count > 0 {
                    debts.push(Debt { recorded, role: &due.role, count });
                }
            }
        }
        debts
    }

    /// The holds of a channel that no lift has ended. A hold ends only by a lift that names it, so that a merge of two branches
    /// cannot lose one.
    #[must_use]
    pub fn holds(&self, channel: &str) -> Vec<&Recorded> {
        let lifted: BTreeSet<&Hash> = self.entries().iter().flat_map(|recorded| &recorded.entry.lifts).collect();
        self.entries()
            .iter()
            .filter(|recorded| recorded.entry.kind == Kind::Hold && recorded.entry.channel == channel)
            .filter(|recorded| !lifted.contains(&recorded.hash))
            .collect()
    }

    /// The entries that mark releases good for a channel or one of its rings, the newest last; only the newest of each
    /// release. Going back from a release takes its mark away. With `at`, as it was at that moment.
    #[must_use]
    pub fn good(&self, channel: &str, ring: Option<&str>, at: Option<&Moment>) -> Vec<&Recorded> {
        let told = |(_, recorded): &(usize, &Recorded)| {
            recorded.entry.is_about(channel, ring) && at.is_none_or(|at| recorded.entry.at <= *at)
        };
        // Release → place of the entry that marks it.
        let mut marks: BTreeMap<&Hash, usize> = BTreeMap::new();
        for (index, recorded) in self.entries().iter().enumerate().filter(told) {
            match (recorded.entry.kind, &recorded.entry.from, &recorded.entry.to) {
                (Kind::MarkGood, _, Some(good)) => {
                    marks.insert(&good.sha256, index);
                }
                (Kind::Rollback, Some(bad), _) => {
                    marks.remove(&bad.sha256);
                }
                _ => {}
            }
        }
        let places: BTreeSet<usize> = marks.into_values().collect();
        places.into_iter().filter_map(|index| self.entries().get(index)).collect()
    }

    /// What a channel or ring held at a moment, as far as the ledger knows.
    #[must_use]
    pub fn held_at(&self, channel: &str, ring: Option<&str>, at: &Moment) -> Option<HeldAt<'_>> {
        let about = || self.entries().iter().filter(|recorded| recorded.entry.is_about(channel, ring));
        let moves = || about().filter(|recorded| recorded.entry.kind.moves());
        let is_past = |recorded: &&Recorded| recorded.entry.at <= *at;
        if let Some(recorded) = moves().rfind(is_past) {
            return Some(HeldAt { held: recorded.entry.to.as_ref()?, since: Since::Entry(recorded) });
        }
        if let Some(recorded) = about().filter(|recorded| recorded.entry.kind == Kind::MarkGood).rfind(is_past) {
            return Some(HeldAt { held: recorded.entry.to.as_ref()?, since: Since::Seen(recorded) });
        }
        let first = moves().next()?;
        Some(HeldAt { held: first.entry.from.as_ref()?, since: Since::Before(first) })
    }
}
