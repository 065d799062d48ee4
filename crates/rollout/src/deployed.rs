//! What the ledger knows beside manifests: what ran where, and what profiles were rendered from.

use crate::entry::{Deployed, Inputs};
use crate::{Hash, Ledger, Moment, Recorded};

impl Ledger {
    /// What was last seen to run at a site from a profile, at or before a moment. When it was seen counts, not when that was recorded.
    #[must_use]
    pub fn ran(&self, site: &str, profile: &str, at: &Moment) -> Option<(&Recorded, &Deployed)> {
        let seen = self
            .deployments()
            .filter(|(_, deployed)| deployed.site == site && deployed.profile == profile && deployed.seen <= *at);
        // Of two that were seen at once the one recorded later counts, which is the last one here.
        seen.max_by(|(_, a), (_, b)| a.seen.cmp(&b.seen))
    }

    /// All that was seen to run, in the ledger's order.
    pub fn deployments(&self) -> impl Iterator<Item = (&Recorded, &Deployed)> {
        self.entries().iter().filter_map(|recorded| Some((recorded, recorded.entry.deployed.as_ref()?)))
    }

    /// What a profile was rendered from when it was last moved away from a release, and the entry that says so.
    #[must_use]
    pub fn inputs_with(&self, release: &Hash, profile: &str) -> Option<(&Recorded, &Inputs)> {
        let left = self.entries().iter().rev().filter(|recorded| {
            recorded.entry.kind.moves() && recorded.entry.from.as_ref().is_some_and(|from| from.sha256 == *release)
        });
        left.flat_map(|recorded| recorded.entry.inputs.iter().map(move |inputs| (recorded, inputs)))
            .find(|(_, inputs)| inputs.profile == profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Evidence, Gate, Held, Kind};

    fn draft(site: &str, seen: &str, image: &str) -> Draft {
        let deployed = Deployed {
            site: site.to_owned(),
            profile: "prod".to_owned(),
            seen: seen.parse().unwrap(),
            images: vec![image.to_owned()],
            configuration: None,
        };
        let sha256 = Hash::of(image.as_bytes());
        Draft {
            to: Some(Held { version: "1".to_owned(), sha256: sha256.clone() }),
            gates: vec![Gate { gate: "as-released".to_owned(), result: "passed".to_owned(), output: None }],
            evidence: vec![Evidence { name: "x".to_owned(), sha256, probe: None, verdict: None }],
            deployed: Some(deployed),
            ..Draft::new(Kind::Deployment, "alice", "stable", vec!["prod".to_owned()])
        }
    }

    #[test]
    fn when_it_was_seen_counts() {
        let now: Moment = "2026-02-01T00:00:00Z".parse().unwrap();
        // Recorded in another order than seen: somebody carries the file by hand.
        let drafts = vec![
            draft("berlin", "2026-01-02T00:00:00Z", "b"),
            draft("berlin", "2026-01-01T00:00:00Z", "a"),
            draft("berlin", "2026-01-02T00:00:00Z", "c"),
            draft("paris", "2026-01-03T00:00:00Z", "d"),
        ];
        let entries = Ledger::default().append(drafts, &now).unwrap();
        let (ledger, faults) = Ledger::read(entries.into_iter().map(|entry| (entry.name, entry.text.into_bytes())));
        assert_eq!(faults, []);
        let ran = |site: &str, at: &str| {
            ledger.ran(site, "prod", &at.parse().unwrap()).map(|(_, deployed)| deployed.images[0].as_str())
        };
        assert_eq!(ran("berlin", "2025-12-31T23:59:59Z"), None);
        assert_eq!(ran("berlin", "2026-01-01T00:00:00Z"), Some("a"));
        assert_eq!(ran("berlin", "2026-01-05T00:00:00Z"), Some("c"));
        assert_eq!(ran("rome", "2026-01-05T00:00:00Z"), None);
    }
}
