//! What one workspace asks for and another does not: approvals, signatures, commands, freezes, and the limits of keys.

use std::collections::{BTreeMap, BTreeSet};

use release::{Channel, Gates, Workspace};
use rollout::Trust;

/// One line for each thing that `own` makes easier than `protected`.
pub(super) fn lines(
    (protected, trusted): (&Workspace, Option<&Trust>),
    (own, own_trust): (&Workspace, Option<&Trust>),
) -> Vec<String> {
    let none = Gates::default();
    let mut lines = Vec::new();
    for channel in &protected.channels {
        let name = &channel.name.value;
        let now = own.channel(name);
        compare(name, &channel.gates, now.map_or(&none, |now| &now.gates), &mut lines);
        for ring in &channel.rings {
            let now = now.and_then(|now| now.ring(&ring.name.value)).map_or(&none, |now| &now.gates);
            compare(&format!("{name}/{}", ring.name.value), &ring.gates, now, &mut lines);
        }
    }
    keys(trusted, own_trust, &mut lines);
    lines
}

fn compare(label: &str, protected: &Gates, own: &Gates, lines: &mut Vec<String>) {
    if let Some(role) = &protected.signed_by
        && own.signed_by.as_ref().is_none_or(|own| own.value != role.value)
    {
        lines.push(format!("`{label}`: `signed_by: {}`", role.value));
    }
    for wanted in &protected.approvals {
        let role = &wanted.role.value;
        let now = own.approvals.iter().filter(|own| own.role.value == *role).map(|own| own.count).max().unwrap_or(0);
        if now < wanted.count {
            lines.push(format!(
                "`{label}`: {} by `{role}`, not {now}",
                findings::plural(wanted.count as usize, "approval")
            ));
        }
    }
    for command in &protected.commands {
        let words =
            |command: &release::CommandGate| command.run.iter().map(|word| word.value.clone()).collect::<Vec<_>>();
        if !own.commands.iter().any(|own| own.name.value == command.name.value && words(own) == words(command)) {
            lines.push(format!("`{label}`: the command `{}`", command.name.value));
        }
    }
    for freeze in &protected.freezes {
        let covers =
            |own: &release::Freeze| own.from.value <= freeze.from.value && freeze.until.value <= own.until.value;
        if !own.freezes.iter().any(covers) {
            lines.push(format!("`{label}`: the freeze from {} until {}", freeze.from.value, freeze.until.value));
        }
    }
}

/// Keys that only the working tree trusts, or trusts for more or longer.
fn keys(trusted: Option<&Trust>, own: Option<&Trust>, lines: &mut Vec<String>) {
    for key in own.iter().flat_map(|own| &own.keys) {
        let name = &key.name.value;
        let Some(known) = trusted.and_then(|trusted| trusted.entry(&key.key)) else {
            lines.push(format!("the key {} of `{name}` is trusted", key.key.id()));
            continue;
        };
        if known.name.value != *name {
            lines.push(format!("the key {} is of `{name}`, not of `{}`", key.key.id(), known.name.value));
        }
        for role in key.roles.iter().filter(|role| known.may_be(&role.value).is_err()) {
            lines.push(format!("`{name}` may be `{}`", role.value));
        }
        if key.from.value < known.from.value || known.until.value < key.until.value {
            lines.push(format!("the key {} of `{name}` is trusted for longer", key.key.id()));
        }
        let end = |key: &rollout::TrustedKey| key.revoked.as_ref().map(|day| day.value);
        if let Some(revoked) = end(known)
            && end(key).is_none_or(|own| own > revoked)
        {
            lines.push(format!("the key {} of `{name}` is not revoked on {revoked}", key.key.id()));
        }
    }
}

/// Channels that are not the same in both: where releases come from and lie, its rings in their order, and which profile is in which. Else a profile
/// could be moved by the gates of another ring, and a ring by those of none.
pub(super) fn moved(protected: &Workspace, own: &Workspace) -> BTreeMap<String, String> {
    let mut moved = BTreeMap::new();
    for channel in &protected.channels {
        let name = &channel.name.value;
        let Some(now) = own.channel(name) else { continue };
        if let Some(why) = difference((protected, channel), (own, now)) {
            moved.insert(name.clone(), why);
        }
    }
    moved
}

fn difference((protected, channel): (&Workspace, &Channel), (own, now): (&Workspace, &Channel)) -> Option<String> {
    let from = |channel: &Channel| channel.promote_from.as_ref().map(|from| from.value.clone());
    if from(channel) != from(now) || channel.release.value != now.release.value {
        return Some("the working tree says otherwise where its releases lie or come from".to_owned());
    }
    let rings = |channel: &Channel| channel.rings.iter().map(|ring| ring.name.value.clone()).collect::<Vec<_>>();
    if rings(channel) != rings(now) {
        return Some(format!("its rings are {}, not {}", rings(channel).join(", "), rings(now).join(", ")));
    }
    let profiles = |workspace: &Workspace| -> BTreeSet<(String, Option<String>)> {
        let own = workspace.profiles.iter().filter(|profile| profile.channel.value == channel.name.value);
        own.map(|profile| (profile.name.value.clone(), profile.ring.as_ref().map(|ring| ring.value.clone()))).collect()
    };
    let (known, found) = (profiles(protected), profiles(own));
    let (name, ring) = known.symmetric_difference(&found).next()?;
    let of = ring.as_ref().map_or_else(|| "outside of the rings".to_owned(), |ring| format!("in ring `{ring}`"));
    let whose = if found.contains(&(name.clone(), ring.clone())) {
        "only the working tree has"
    } else {
        "the working tree has not"
    };
    Some(format!("{whose} the profile `{name}` {of}"))
}
