//! Channels that are not the same in two workspace files, so that their gates would be those of something else.

use std::collections::{BTreeMap, BTreeSet};

use release::{Channel, Workspace};

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
