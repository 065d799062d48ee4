//! Channels, rings and their releases, as today's file and the protected one have them.

use release::{Channel, Ring, Workspace};

use super::{Moved, Weakening, gates};

pub(super) fn compare(protected: &Workspace, own: &Workspace, moved: Moved<'_>, out: &mut Vec<Weakening>) {
    for channel in &protected.channels {
        match own.channel(&channel.name) {
            None => out.push(Weakening::new(None, format!("the channel `{}` is gone", channel.name.value))),
            Some(now) => one(channel, now, moved, out),
        }
    }
    let asked = gates::weaker_gates(protected, own).into_iter();
    out.extend(asked.map(|gate| Weakening { what: format!("a gate is gone, {}", gate.what), ..gate }));
}

fn one(channel: &Channel, now: &Channel, moved: Moved<'_>, out: &mut Vec<Weakening>) {
    let name = &channel.name.value;
    if now.release.value != channel.release.value {
        let what = format!("`{name}` is held to `{}`, not to `{}`", now.release.value, channel.release.value);
        out.push(Weakening::new(now.release.span, what));
    }
    if let Some(from) = &channel.promote_from
        && now.promote_from.as_ref().is_none_or(|now| now.value != from.value)
    {
        let span = now.promote_from.as_ref().map_or(now.name.span, |now| now.span);
        out.push(Weakening::new(span, format!("`{name}` is not promoted from `{}`", from.value)));
    }
    rings(channel, now, moved, out);
}

/// Each ring waits for the one before it: what counts is their order, also where others come between them.
fn rings(channel: &Channel, now: &Channel, moved: Moved<'_>, out: &mut Vec<Weakening>) {
    let name = &channel.name.value;
    let place = |ring: &Ring| now.rings.iter().position(|now| now.name.value == ring.name.value);
    let mut before = None;
    for ring in &channel.rings {
        let (label, at) = (&ring.name.value, place(ring));
        let Some(ring_now) = at.and_then(|at| now.rings.get(at)) else {
            out.push(Weakening::new(now.name.span, format!("the ring `{label}` of `{name}` is gone")));
            continue;
        };
        if at < before {
            let what = format!("the ring `{label}` of `{name}` does not wait for the rings before it");
            out.push(Weakening::new(ring_now.name.span, what));
        }
        before = before.max(at);
        let path = |ring: &Ring| ring.release.as_ref().map(|release| release.value.clone());
        if path(ring) != path(ring_now) && !moved(name, label) {
            let span = ring_now.release.as_ref().map_or(ring_now.name.span, |release| release.span);
            let held = path(ring_now).map_or_else(|| "the channel's release".to_owned(), |path| format!("`{path}`"));
            out.push(Weakening::new(
                span,
                format!("the ring `{label}` of `{name}` is held to {held}, and no move brought it there"),
            ));
        }
    }
}
