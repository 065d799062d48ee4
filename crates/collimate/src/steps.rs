//! Steps that change data, between the release that is held and the one that takes its place.

use std::collections::BTreeSet;

use findings::plural;
use release::{Channel, Migration};
use rollout::{Gate, Hash, Held, crossed};

use crate::archive;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::place::{self, Manifest};
use crate::records::Records;

/// Ids in a ledger entry; its texts are short.
const LONGEST_IDS: usize = 1_000;

/// Warns of steps that nobody can take back, before `new` takes the place of `base`.
pub(crate) fn warn_ahead(ctx: &Ctx, base: &release::Manifest, new: &release::Manifest) {
    for step in crossed(&[&new.migrations], &base.migrations).into_iter().filter(|step| !step.reversible) {
        let backup = indented(step.backup.as_deref().unwrap_or_default());
        ctx.say(&format!(
            "warning: `{}` takes the data through `{}`, which cannot be taken back; before it is deployed:\n{backup}",
            new.version, step.id
        ));
    }
}

/// What going back does to the data.
pub(crate) struct Back {
    /// Newest first, as they are taken back.
    steps: Vec<Migration>,
    /// Releases between that nobody can read any more.
    lost: Vec<String>,
    to: String,
    channel: String,
}

impl Back {
    /// The steps between `target` and what the rings hold: those of every release that one of them held since it last held `target`.
    pub(crate) fn find(
        records: &Records,
        channel: &Channel,
        rings: &[String],
        (from, manifest): (&Held, &Manifest<'_>),
        target: &Manifest<'_>,
    ) -> Result<Self> {
        let to = place::held(target.release);
        let names: Vec<Option<&str>> =
            if rings.is_empty() { vec![None] } else { rings.iter().map(|ring| Some(ring.as_str())).collect() };
        let mut known: BTreeSet<&Hash> = BTreeSet::new();
        let mut between: Vec<&Held> = names
            .iter()
            .flat_map(|ring| records.ledger.since(&channel.name.value, *ring, &to.sha256, from))
            .filter(|held| known.insert(&held.sha256))
            .collect();
        // Oldest first also where several rings took different ways; what is held now is the newest.
        between.retain(|held| held.sha256 != from.sha256);
        between.push(from);
        let (mut lists, mut lost) = (Vec::new(), Vec::new());
        for held in between {
            if held.sha256 == from.sha256 {
                lists.push(manifest.release.manifest().migrations);
                continue;
            }
            match archive::by_identity(&records.session, channel, held) {
                Ok(found) => lists.push(found.release.manifest().migrations),
                Err(failure) if failure.exit == Exit::Untrusted => return Err(failure),
                Err(_) => lost.push(held.version.clone()),
            }
        }
        let lists: Vec<&[Migration]> = lists.iter().map(Vec::as_slice).collect();
        let mut steps: Vec<Migration> =
            crossed(&lists, &target.release.manifest().migrations).into_iter().cloned().collect();
        steps.reverse();
        Ok(Self { steps, lost, to: to.version, channel: channel.name.value.clone() })
    }

    /// What there is to do with the data, in the order in which it is done; empty where nothing is.
    pub(crate) fn told(&self) -> String {
        let mut text = String::new();
        if !self.lost.is_empty() {
            text.push_str(&format!(
                "data: not known whether {} changed it: not in the archive\n",
                self.lost.iter().map(|version| format!("`{version}`")).collect::<Vec<_>>().join(", ")
            ));
        }
        if self.steps.is_empty() {
            return text;
        }
        let total = plural(self.steps.len(), "step");
        text.push_str(&format!("data: `{}` does not know {total}; in this order:\n", self.to));
        for step in &self.steps {
            let down = step.down.as_deref().unwrap_or_default();
            if step.reversible {
                text.push_str(&format!("  take back `{}`:\n{}", step.id, indented(down)));
                continue;
            }
            let backup = step.backup.as_deref().unwrap_or_default();
            text.push_str(&format!("  ONE-WAY `{}`, restore what was saved before it:\n{}", step.id, indented(backup)));
            if !down.is_empty() {
                text.push_str(&format!("    or, losing what it wrote:\n{}", indented(down)));
            }
        }
        text
    }

    fn one_way(&self) -> impl Iterator<Item = &Migration> {
        self.steps.iter().filter(|step| !step.reversible)
    }

    /// Whether data is lost.
    pub(crate) fn loses(&self) -> bool {
        self.one_way().next().is_some()
    }

    /// Why nobody goes back; `None` where nothing is lost, or somebody takes that upon them.
    pub(crate) fn refusal(&self, accepted: Option<&str>) -> Option<Failure> {
        if accepted.is_some() || !self.loses() {
            return None;
        }
        let ids: Vec<String> = self.one_way().map(|step| format!("`{}`", step.id)).collect();
        let channel = &self.channel;
        Some(
            Failure::new(Exit::Findings, format!("going back to `{}` crosses what cannot be taken back: {}", self.to, ids.join(", ")))
                .because(format!(
                    "go forward instead: `collimate release new VERSION --from {channel}`, mend it with `collimate release set COMPONENT=REF \
                     --release VERSION.yaml`, then `collimate promote --release VERSION.yaml {channel}`"
                ))
                .because("or stop what runs, restore the data as shown above, and say so with `--accept-data-loss REASON`: what was written since is lost")
                .hint("nothing was written"),
        )
    }

    /// How the ledger tells it; `None` where there is nothing to tell.
    pub(crate) fn gate(&self) -> Option<Gate> {
        if self.steps.is_empty() {
            return None;
        }
        let ids = |one_way: bool| -> String {
            let ids: Vec<&str> =
                self.steps.iter().filter(|step| step.reversible != one_way).map(|step| step.id.as_str()).collect();
            let text = ids.join(", ");
            if text.len() > LONGEST_IDS / 2 { plural(ids.len(), "step") } else { text }
        };
        let parts = [("to take back: ", ids(false)), ("lost: ", ids(true))];
        let told: Vec<String> =
            parts.iter().filter(|(_, ids)| !ids.is_empty()).map(|(word, ids)| format!("{word}{ids}")).collect();
        Some(Gate { gate: "data".to_owned(), result: told.join("; "), output: None })
    }
}

/// Lines of a manifest's text, secrets masked.
fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("    {}\n", source::redact(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_names_few_steps_and_counts_many() {
        let result = |count: usize| {
            let step = |number: usize| Migration {
                id: format!("{number:07}"),
                reversible: number.is_multiple_of(2),
                backup: None,
                down: None,
            };
            let back = Back {
                steps: (0..count).map(step).collect(),
                lost: Vec::new(),
                to: "1".to_owned(),
                channel: "stable".to_owned(),
            };
            back.gate().map(|gate| gate.result)
        };
        assert_eq!(result(0), None);
        assert_eq!(result(2).unwrap(), "to take back: 0000000; lost: 0000001");
        // Seven characters and a comma with a space: 55 of them are 493 characters, 56 are more than half of what there is room for.
        assert!(result(110).unwrap().ends_with(", 0000109"));
        assert_eq!(result(112).unwrap(), "to take back: 56 steps; lost: 56 steps");
    }
}
