use release::Channel;
use rollout::Kind;

use super::Verdict;
use crate::archive;
use crate::place::Manifest;
use crate::records::Records;

const GATE: &str = "hotfixes";

/// What becomes of the components that a channel got by itself.
pub(crate) struct Decisions<'a> {
    /// Components of the target that this promotion would lose.
    undecided: Vec<String>,
    own: Vec<String>,
    keep: &'a [String],
    take: &'a [String],
}

impl<'a> Decisions<'a> {
    /// Finds the target's own components. Known only where the ledger and the archive tell what its last promotion brought.
    pub(crate) fn of(
        records: &Records,
        to: &Channel,
        source: &Manifest<'_>,
        current: &Manifest<'_>,
        keep: &'a [String],
        take: &'a [String],
    ) -> Self {
        let origin = current.release.promoted_from.as_ref().map(|origin| origin.sha256.value.as_str());
        let brought = records.ledger.entries().iter().rev().find(|recorded| {
            recorded.entry.kind == Kind::Promotion
                && recorded.entry.channel == to.name.value
                && recorded.entry.source.as_ref().map(|source| source.sha256.as_str()) == origin
        });
        let base = brought
            .and_then(|recorded| recorded.entry.to.as_ref())
            .and_then(|held| archive::by_identity(&records.session, to, held).ok());
        let own = base.map_or_else(Vec::new, |base| {
            rollout::hotfixes(&base.release.manifest(), &current.release.manifest(), &source.release.manifest())
        });
        let is_decided = |name: &&String| keep.iter().chain(take).any(|decided| decided == *name);
        let undecided = own.iter().filter(|name| !is_decided(name)).cloned().collect();
        Self { undecided, own, keep, take }
    }

    /// A name on the command line that there is nothing to decide about.
    pub(crate) fn needless(&self) -> Option<&String> {
        self.keep.iter().chain(self.take).find(|name| !self.own.contains(name))
    }

    pub(crate) fn own(&self) -> &[String] {
        &self.own
    }
}

/// A hotfix made in the target meanwhile must not be lost unseen.
pub(crate) fn hotfixes(to: &str, decisions: &Decisions<'_>) -> Verdict {
    if !decisions.undecided.is_empty() {
        return Verdict::failed(
            GATE,
            format!("`{to}` got components by itself: {}", decisions.undecided.join(", ")),
            "`--keep COMPONENT` or `--take COMPONENT` for each",
        );
    }
    if decisions.own.is_empty() {
        return Verdict::passed(GATE);
    }
    let named = |verb: &str, names: &[String]| names.iter().map(|name| format!("{verb} {name}")).collect::<Vec<_>>();
    let decided = [named("kept", decisions.keep), named("took", decisions.take)].concat().join(", ");
    Verdict::passed_by(GATE, format!("decided: {decided}"))
}
