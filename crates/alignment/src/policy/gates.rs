//! Gates that one workspace file has and another has not.

use findings::plural;
use release::{CommandGate, Freeze, Gates, Workspace};
use source::Span;

use super::Weakening;

/// Approvals, signatures, commands and freezes that `own` asks less of, by channel and ring.
#[must_use]
pub fn weaker_gates(protected: &Workspace, own: &Workspace) -> Vec<Weakening> {
    let none = Gates::default();
    let mut out = Vec::new();
    for channel in &protected.channels {
        let name = &channel.name.value;
        let now = own.channel(name);
        let gates = now.map_or(&none, |now| &now.gates);
        compare(name, &channel.gates, (gates, now.map(|now| now.name.span)), &mut out);
        for ring in &channel.rings {
            let now = now.and_then(|now| now.ring(&ring.name.value));
            let gates = now.map_or(&none, |now| &now.gates);
            let label = format!("{name}/{}", ring.name.value);
            compare(&label, &ring.gates, (gates, now.map(|now| now.name.span)), &mut out);
        }
    }
    out
}

/// `place`: where the channel or ring is, for a gate that is gone.
fn compare(label: &str, protected: &Gates, (own, place): (&Gates, Option<Span>), out: &mut Vec<Weakening>) {
    if let Some(role) = &protected.signed_by
        && own.signed_by.as_ref().is_none_or(|own| own.value != role.value)
    {
        let span = own.signed_by.as_ref().map(|own| own.span).or(place);
        out.push(Weakening::new(span, format!("`{label}`: `signed_by: {}`", role.value)));
    }
    for wanted in &protected.approvals {
        let role = &wanted.role.value;
        let of_role = own.approvals.iter().filter(|own| own.role.value == *role).max_by_key(|own| own.count);
        let now = of_role.map_or(0, |own| own.count);
        if now < wanted.count {
            let what = format!("`{label}`: {} by `{role}`, not {now}", plural(wanted.count as usize, "approval"));
            out.push(Weakening::new(of_role.map(|own| own.role.span).or(place), what));
        }
    }
    for command in &protected.commands {
        let words = |command: &CommandGate| command.run.iter().map(|word| word.value.clone()).collect::<Vec<_>>();
        let named = own.commands.iter().find(|own| own.name.value == command.name.value);
        if named.is_none_or(|own| words(own) != words(command)) {
            let what = format!("`{label}`: the command `{}`", command.name.value);
            out.push(Weakening::new(named.map(|own| own.name.span).or(place), what));
        }
    }
    for freeze in &protected.freezes {
        let covers = |own: &Freeze| own.from.value <= freeze.from.value && freeze.until.value <= own.until.value;
        if !own.freezes.iter().any(covers) {
            let what = format!("`{label}`: the freeze from {} until {}", freeze.from.value, freeze.until.value);
            out.push(Weakening::new(own.freezes.first().map(|own| own.from.span).or(place), what));
        }
    }
}
