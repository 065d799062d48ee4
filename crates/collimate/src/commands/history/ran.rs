//! What ran at a site, as against what was held.

use rollout::{Deployed, Held, Moment, Recorded};
use serde_json::json;

use super::{Format, JSON_SCHEMA, entry_json, json_text};
use crate::columns;
use crate::context::Ctx;
use crate::exit::Result;
use crate::place::{self, Place};
use crate::records::Records;

/// Answers, for every profile that was ever seen at the site, what ran there at a moment: the last thing that somebody saw. What was promoted
/// since is held, and nobody knows whether it ran. A site of which nothing is recorded has all profiles: any of them may be there.
pub(super) fn ran_at(
    records: &Records,
    asked: Option<&Place<'_>>,
    (site, at): (&str, &Moment),
    format: Format,
    ctx: &Ctx,
) -> Result<()> {
    let ledger = &records.ledger;
    let is_seen = |profile: &str| ledger.deployments().any(|(_, known)| known.site == site && known.profile == profile);
    let is_known = ledger.deployments().any(|(_, known)| known.site == site);
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for profile in &records.session.workspace.profiles {
        let (name, channel) = (&profile.name.value, &profile.channel.value);
        let ring = profile.ring.as_ref().map(|ring| ring.value.as_str());
        let is_asked = asked
            .is_none_or(|asked| asked.channel.name.value == *channel && (asked.ring.is_none() || asked.ring == ring));
        if !is_asked || (is_known && !is_seen(name)) {
            continue;
        }
        let held = ledger.held_at(channel, ring, at).map(|held| held.held);
        let ran = ledger.ran(site, name, at);
        let mut row = vec![name.clone(), place::label(channel, ring)];
        row.push(held.map_or_else(|| "held: not known".to_owned(), |held| format!("held {}", held.version)));
        row.push(ran.map_or_else(|| "not known to have run".to_owned(), |ran| told(ran, held)));
        rows.push(row);
        values.push(json!({
            "profile": name,
            "channel": channel,
            "ring": ring,
            "held": held,
            "ran": ran.map(|(recorded, _)| entry_json(recorded)),
        }));
    }
    if format == Format::Json {
        return ctx.print(&json_text(&json!({"schema": JSON_SCHEMA, "at": at, "site": site, "profiles": values})));
    }
    let known: std::collections::BTreeSet<&str> =
        ledger.deployments().map(|(_, deployed)| deployed.site.as_str()).collect();
    if !is_known {
        let others: Vec<&str> = known.into_iter().collect();
        let others = if others.is_empty() { "no site".to_owned() } else { others.join(", ") };
        ctx.say(&format!("note: nothing is recorded of `{site}`; something is of: {others}\n"));
    }
    ctx.print(&format!("at {at}, site `{site}`\n{}", columns::align(&rows)))
}

fn told((recorded, deployed): (&Recorded, &Deployed), held: Option<&Held>) -> String {
    let entry = &recorded.entry;
    let result = entry.gates.iter().find(|gate| gate.gate == "as-released").map_or("not compared", |gate| &gate.result);
    let version = entry.to.as_ref().map_or("", |to| to.version.as_str());
    let what =
        if result == "passed" { format!("ran {version}") } else { format!("ran NOT as {version} lists ({result})") };
    let seen = format!("{what}, seen {}, by {}", deployed.seen, entry.by);
    match held {
        Some(held) if entry.to.as_ref() != Some(held) => format!("{seen}; {} not known to have run", held.version),
        _ => seen,
    }
}

/// What an entry of a deployment says in one line.
pub(super) fn line(recorded: &rollout::Entry) -> String {
    let Some(deployed) = &recorded.deployed else { return String::new() };
    let version = recorded.to.as_ref().map_or("", |to| to.version.as_str());
    let result = recorded.gates.first().map_or("", |gate| gate.result.as_str());
    let verdict = if result == "passed" { "as" } else { "NOT as" };
    let detail = if result == "passed" { String::new() } else { format!(" ({result})") };
    format!("`{}` ran {} at {} {verdict} {version} lists{detail}", deployed.site, deployed.profile, deployed.seen)
}
