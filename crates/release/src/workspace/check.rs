//! Names in a workspace that must be defined in it.

use std::collections::BTreeSet;

use super::read::Whole;
use super::{ProfileSource, Workspace};
use crate::Spanned;
use crate::nearest;
use yamlspan::strict::Problem;

/// Every channel, ring, overlay and twin that is named must exist. Rules are known to the rules, not here. What a part with a problem
/// does not define may stand where the problem is.
pub(super) fn names(workspace: &Workspace, whole: &Whole, problems: &mut Vec<Problem>) {
    let channels: Vec<&str> = workspace.channels.iter().map(|channel| channel.name.value.as_str()).collect();
    let profiles: Vec<&str> = workspace.profiles.iter().map(|profile| profile.name.value.as_str()).collect();
    let overlays: Vec<&str> = workspace.overlays.iter().map(|overlay| overlay.name.value.as_str()).collect();
    for channel in &workspace.channels {
        if let Some(from) = &channel.promote_from {
            expect(from, "channel", &channels, whole.channels, problems);
            if from.value == channel.name.value {
                problems.push(Problem {
                    span: Some(from.span),
                    message: format!("channel `{}` is promoted from itself", channel.name.value),
                    help: Some("name the channel before it".to_owned()),
                });
            }
        }
        let mut rings: BTreeSet<&str> = BTreeSet::new();
        for ring in &channel.rings {
            if !rings.insert(&ring.name.value) {
                problems.push(Problem {
                    span: Some(ring.name.span),
                    message: format!("channel `{}` has ring `{}` twice", channel.name.value, ring.name.value),
                    help: Some("keep one of them".to_owned()),
                });
            }
        }
    }
    for profile in &workspace.profiles {
        expect(&profile.channel, "channel", &channels, whole.channels, problems);
        if let (Some(ring), Some(channel)) = (&profile.ring, workspace.channel(&profile.channel)) {
            let rings: Vec<&str> = channel.rings.iter().map(|ring| ring.name.value.as_str()).collect();
            expect(ring, "ring", &rings, whole.channels, problems);
        }
        if let Some(twin) = &profile.twin {
            let others: Vec<&str> =
                profiles.iter().copied().filter(|name| *name != profile.name.value.as_str()).collect();
            expect(twin, "other profile", &others, whole.profiles, problems);
        }
        if let ProfileSource::Compose(compose) = &profile.source {
            for overlay in &compose.overlays {
                expect(overlay, "overlay", &overlays, whole.overlays, problems);
            }
        }
    }
}

fn expect(name: &Spanned<String>, what: &str, known: &[&str], is_whole: bool, problems: &mut Vec<Problem>) {
    if !is_whole || known.contains(&name.value.as_str()) {
        return;
    }
    let help = match nearest(&name.value, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("no {what} is defined"),
        None => format!("defined here: {}", yamlspan::strict::list(known)),
    };
    problems.push(Problem {
        span: Some(name.span),
        message: format!("there is no {what} `{}`", name.value),
        help: Some(help),
    });
}
