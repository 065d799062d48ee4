//! What two releases do not have in common.

use std::collections::BTreeMap;

use crate::manifest::{Listed, Manifest};
use crate::release::Group;

/// How one release differs from another one before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the manifests say of the releases as a whole, in the order of the manifest.
    pub about: Vec<About>,
    /// By name; those that are the same are left out.
    pub components: Vec<Differing>,
}

/// One thing that a manifest says of its release, where the two do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The key in the manifest.
    pub key: &'static str,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A component that is not the same in both. At least one side is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// What it is called after; before, where it is gone.
    pub name: String,
    /// What it was called before, where that is another name.
    pub former_name: Option<String>,
    pub change: Change,
    pub before: Option<Listed>,
    pub after: Option<Listed>,
}

/// What happened to a component; where several things did, the one that matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Added,
    Removed,
    /// The same image and tag have another digest: what was tested is not what the tag gives now.
    Moved,
    /// Another image.
    Image,
    /// Another tag of the same image.
    Tag,
    /// A digest where a stand-in was, or none.
    Resolved,
    /// A stand-in or nothing where a digest was.
    Unresolved,
    /// The same image under another name.
    Name,
    /// The same image with something else said about it.
    Description,
}

impl Change {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Image => "image",
            Self::Tag => "changed",
            Self::Resolved => "resolved",
            Self::Unresolved => "unresolved",
            Self::Name => "renamed",
            Self::Description => "described",
        }
    }
}

impl Difference {
    /// From `before` to `after`. Components are paired by name; those that are left, by image.
    #[must_use]
    pub fn between(before: &Manifest, after: &Manifest) -> Self {
        let about = ABOUT
            .iter()
            .map(|(key, told)| About { key, before: told(before), after: told(after) })
            .filter(|about| about.before != about.after)
            .collect();
        let (mut old, mut new) = (components(before), components(after));
        let mut found = Vec::new();
        let same_name: Vec<&String> = old.keys().copied().filter(|name| new.contains_key(*name)).collect();
        for name in same_name {
            if let (Some(old), Some(new)) = (old.remove(name), new.remove(name)) {
                found.extend(pair(name, None, old, new));
            }
        }
        let left: Vec<&String> = new.keys().copied().collect();
        for name in left {
            let image = new.get(name).map(|(_, listed)| &listed.image);
            let former = old.iter().find(|(_, (_, listed))| Some(&listed.image) == image).map(|(former, _)| *former);
            if let Some(former) = former
                && let (Some(old), Some(new)) = (old.remove(former), new.remove(name))
            {
                found.extend(pair(name, Some(former), old, new));
            }
        }
        let alone = |name: &String, change: Change, before: Option<&Listed>, after: Option<&Listed>| Differing {
            name: name.clone(),
            former_name: None,
            change,
            before: before.cloned(),
            after: after.cloned(),
        };
        found.extend(old.iter().map(|(name, (_, listed))| alone(name, Change::Removed, Some(listed), None)));
        found.extend(new.iter().map(|(name, (_, listed))| alone(name, Change::Added, None, Some(listed))));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Self { about, components: found }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.about.is_empty() && self.components.is_empty()
    }
}

type Told = fn(&Manifest) -> Option<String>;

/// What a manifest says beside its components.
const ABOUT: &[(&str, Told)] = &[
    ("version", |manifest| Some(manifest.version.clone())),
    ("calendar", |manifest| manifest.calendar.clone()),
    ("channel", |manifest| Some(manifest.channel.clone())),
    ("support", |manifest| {
        let support = manifest.support.as_ref()?;
        Some(support.until.as_ref().map_or_else(|| support.line.clone(), |day| format!("{} until {day}", support.line)))
    }),
    ("date", |manifest| manifest.date.clone()),
    ("promoted_from", |manifest| {
        manifest.promoted_from.as_ref().map(|origin| format!("{} (sha256 {})", origin.version, origin.sha256))
    }),
    ("digests", |manifest| Some(manifest.digests.as_str().to_owned())),
    ("migrations", |manifest| {
        let told = |step: &crate::Migration| {
            if step.reversible { step.id.clone() } else { format!("{} (one-way)", step.id) }
        };
        let steps: Vec<String> = manifest.migrations.iter().map(told).collect();
        (!steps.is_empty()).then(|| steps.join(", "))
    }),
];

type Components<'m> = BTreeMap<&'m String, (Group, &'m Listed)>;

fn components(manifest: &Manifest) -> Components<'_> {
    let services = manifest.components.iter().map(|(name, listed)| (name, (Group::Service, listed)));
    let others = manifest.infrastructure.iter().map(|(name, listed)| (name, (Group::Infrastructure, listed)));
    // A service and an infrastructure image of one name are a finding; here the service counts.
    others.chain(services).collect()
}

fn pair(
    name: &str,
    former: Option<&String>,
    (old_group, old): (Group, &Listed),
    (new_group, new): (Group, &Listed),
) -> Option<Differing> {
    let change = if old.image != new.image {
        Change::Image
    } else if old.tag != new.tag {
        Change::Tag
    } else if old.digest != new.digest {
        match (old.is_resolved(), new.is_resolved()) {
            (true, true) => Change::Moved,
            (true, false) => Change::Unresolved,
            (false, _) => Change::Resolved,
        }
    } else if former.is_some() {
        Change::Name
    } else if old != new || old_group != new_group {
        Change::Description
    } else {
        return None;
    };
    Some(Differing {
        name: name.to_owned(),
        former_name: former.cloned(),
        change,
        before: Some(old.clone()),
        after: Some(new.clone()),
    })
}

#[cfg(test)]
mod tests;
