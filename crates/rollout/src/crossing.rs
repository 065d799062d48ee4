//! Which steps that change data lie between two releases.

use std::collections::BTreeSet;

use release::Migration;

use crate::{Hash, Held, Ledger};

impl Ledger {
    /// The releases that a place has held since it last held `target`, oldest first: what lies between that one and `now`. Only the one
    /// that it holds now where the ledger does not know that it ever held `target`.
    #[must_use]
    pub fn since<'l>(&'l self, channel: &str, ring: Option<&str>, target: &Hash, now: &'l Held) -> Vec<&'l Held> {
        let moves: Vec<&Held> = self
            .entries()
            .iter()
            .filter(|recorded| recorded.entry.kind.moves() && recorded.entry.is_about(channel, ring))
            .flat_map(|recorded| recorded.entry.from.iter().chain(&recorded.entry.to))
            .collect();
        let after = moves.iter().rposition(|held| held.sha256 == *target).map(|last| &moves[last + 1..]);
        let mut known = BTreeSet::new();
        let held = after.unwrap_or_default().iter().copied().chain([now]);
        held.filter(|held| held.sha256 != *target && known.insert(&held.sha256)).collect()
    }
}

/// The steps that `lists` have and `target` has not, each once, in the order in which they happened: going from one to the other
/// crosses them. `lists` are those of the releases between, oldest first.
#[must_use]
pub fn crossed<'m>(lists: &[&'m [Migration]], target: &[Migration]) -> Vec<&'m Migration> {
    let mut known: BTreeSet<&str> = target.iter().map(|step| step.id.as_str()).collect();
    lists.iter().flat_map(|list| list.iter()).filter(|step| known.insert(&step.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Kind, Moment, Source};

    fn step(id: &str) -> Migration {
        Migration { id: id.to_owned(), reversible: true, backup: None, down: Some("undo".to_owned()) }
    }

    #[test]
    fn a_step_is_crossed_once_and_in_order() {
        let (first, second, third) = (step("1"), step("2"), step("3"));
        let lists = [vec![first.clone(), second.clone()], vec![second.clone(), third.clone()]];
        let lists: Vec<&[Migration]> = lists.iter().map(Vec::as_slice).collect();
        let ids = |target: &[Migration]| -> Vec<String> {
            crossed(&lists, target).into_iter().map(|step| step.id.clone()).collect()
        };
        assert_eq!(ids(&[]), ["1", "2", "3"]);
        assert_eq!(ids(std::slice::from_ref(&first)), ["2", "3"]);
        // A list that was cut off at its beginning says nothing of what the target went through.
        assert_eq!(ids(&[second, third]), ["1"]);
        assert_eq!(crossed(&[], &[first]), Vec::<&Migration>::new());
    }

    fn held(version: &str) -> Held {
        Held { version: version.to_owned(), sha256: Hash::of(version.as_bytes()) }
    }

    /// Promotions of the first ring, through these releases.
    fn ledger(releases: &[&str]) -> Ledger {
        let now: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
        let drafts = releases
            .windows(2)
            .map(|pair| {
                let source = Source {
                    channel: "edge".to_owned(),
                    version: "x".to_owned(),
                    sha256: Hash::of(pair[1].as_bytes()),
                };
                Draft {
                    from: Some(held(pair[0])),
                    to: Some(held(pair[1])),
                    source: Some(source),
                    ..Draft::new(Kind::Promotion, "alice", "stable", vec!["stage".to_owned()])
                }
            })
            .collect();
        let entries = Ledger::default().append(drafts, &now).unwrap();
        Ledger::read(entries.into_iter().map(|entry| (entry.name, entry.text.into_bytes()))).0
    }

    #[test]
    fn what_lies_between_is_what_was_held_since() {
        let ledger = ledger(&["1", "2", "3", "2", "4", "5"]);
        let now = held("5");
        let since = |ring: &str, target: &str| -> Vec<&str> {
            let held = ledger.since("stable", Some(ring), &Hash::of(target.as_bytes()), &now);
            held.into_iter().map(|held| held.version.as_str()).collect()
        };
        assert_eq!(since("stage", "1"), ["2", "3", "4", "5"]);
        assert_eq!(since("stage", "2"), ["4", "5"], "since it was held last");
        assert_eq!(since("stage", "5"), Vec::<&str>::new());
        assert_eq!(since("stage", "9"), ["5"], "never held: only the two can be compared");
        assert_eq!(since("prod", "1"), ["5"]);
    }
}
