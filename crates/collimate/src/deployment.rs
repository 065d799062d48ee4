//! What runs, held against what the release of a profile says should run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use alignment::{Rendering, Standing, Survey};
use release::{Digest, ImageRef};
use rollout::{Running, RunningImage};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::facts::DiskFacts;
use crate::rendering;
use crate::session::Session;

/// Names in a ledger entry's one line; the terminal shows all.
const MOST_NAMED: usize = 20;

/// One image that the profile may run.
struct Expected {
    /// The component, or the image's own name where no release owns it.
    title: String,
    /// Registry and repository, as the profile and as the release spell them.
    names: BTreeSet<String>,
    /// The release's digest, then those of single platforms, which some runtimes tell instead. Empty where any is right.
    digests: Vec<Digest>,
    /// Whether it runs as long as the profile is deployed.
    lasts: bool,
}

/// The images of a profile.
pub(crate) struct Expectation(Vec<Expected>);

/// How what runs compares.
#[derive(Default)]
pub(crate) struct Comparison {
    matched: usize,
    /// Component, what runs in its place, what should.
    other: Vec<(String, String, String)>,
    missing: Vec<(String, String)>,
    extra: Vec<String>,
    /// Containers without a digest.
    unknown: Vec<String>,
}

impl Expectation {
    /// Renders the profile; what overlays add may run, what its own files say should.
    pub(crate) fn of(ctx: &Ctx, session: &Session, profile: &release::Profile) -> Result<Self> {
        let rendered = rendering::render_all(session, &[profile], false, &|_| None);
        let facts = DiskFacts::of(ctx, session);
        let sources = session.files.sources();
        let inputs = session.inputs(&session.releases, &rendered, &sources, &facts);
        let survey = Survey::new(&inputs);
        let name = &profile.name.value;
        let Some(surveyed) = survey.profile(name) else {
            return Err(Failure::new(Exit::Bug, format!("`{name}` was not looked at")));
        };
        if !surveyed.is_rendered() {
            return Err(Failure::input(format!("cannot render `{name}`")).hint("`collimate check` shows why"));
        }
        let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
        for used in &surveyed.images {
            let Ok(reference) = &used.image.reference else { continue };
            let rendering: Option<&Rendering> =
                surveyed.profile.variants.get(used.image.variant).and_then(|variant| variant.rendering.as_ref().ok());
            let lasts = used.image.variant == 0
                && rendering.is_some_and(|rendering| alignment::is_lasting(rendering, &used.image));
            let (title, digests, own) = match used.standing {
                Standing::Component(component) => {
                    let platforms = component.platforms.iter().map(|(_, digest)| digest.value.clone());
                    let digests = component.digest.get().cloned().into_iter().chain(platforms).collect();
                    (component.name.value.clone(), digests, Some(component.image.name()))
                }
                _ => (reference.name(), reference.digest().cloned().into_iter().collect(), None),
            };
            let entry = expected.entry(title.clone()).or_insert_with(|| Expected {
                title,
                names: BTreeSet::new(),
                digests,
                lasts: false,
            });
            entry.names.extend(own.into_iter().chain([reference.name()]));
            entry.lasts |= lasts;
        }
        Ok(Self(expected.into_values().collect()))
    }

    /// Holds what runs against it. `others` are all releases that are known, for what runs in place of something.
    pub(crate) fn compare(&self, running: &Running, session: &Session) -> Result<Comparison> {
        let by_digest = |image: &RunningImage| self.0.iter().find(|known| known.digests.contains(&image.digest));
        let groups: BTreeSet<&str> = running
            .images
            .iter()
            .filter(|image| by_digest(image).is_some())
            .map(|image| image.group.as_str())
            .collect();
        let (mut comparison, mut told) = (Comparison::default(), BTreeSet::new());
        for image in &running.images {
            if let Some(known) = by_digest(image) {
                told.insert(known.title.as_str());
                comparison.matched += 1;
                continue;
            }
            if !image.group.is_empty() && groups.contains(image.group.as_str()) {
                continue;
            }
            if image.is_id {
                return Err(ids());
            }
            match self.by_name(image.name.as_deref()) {
                Some(known) if known.digests.is_empty() => {
                    told.insert(&known.title);
                    comparison.matched += 1;
                }
                Some(known) => {
                    told.insert(&known.title);
                    let now = format!("{}{}", image.digest, elsewhere(session, &known.title, &image.digest));
                    comparison.other.push((known.title.clone(), now, known.wanted()));
                }
                None => comparison.extra.push(match &image.name {
                    Some(name) => format!("{name}@{}", image.digest),
                    None => image.digest.to_string(),
                }),
            }
        }
        for name in &running.unknown {
            let plain = name.parse::<ImageRef>().ok().map(|reference| reference.name());
            match self.by_name(plain.as_deref()) {
                Some(known) if known.digests.is_empty() => {
                    told.insert(&known.title);
                    comparison.matched += 1;
                }
                found => {
                    told.extend(found.map(|known| known.title.as_str()));
                    comparison.unknown.push(name.clone());
                }
            }
        }
        let missing = self.0.iter().filter(|known| known.lasts && !told.contains(known.title.as_str()));
        comparison.missing = missing.map(|known| (known.title.clone(), known.wanted())).collect();
        Ok(comparison)
    }

    fn by_name(&self, name: Option<&str>) -> Option<&Expected> {
        let name = name?;
        self.0.iter().find(|known| known.names.contains(name))
    }
}

impl Expected {
    fn wanted(&self) -> String {
        self.digests.first().map_or_else(|| "any".to_owned(), Digest::to_string)
    }
}

/// ` (as `1.0.0` lists)`, where another release does.
fn elsewhere(session: &Session, component: &str, digest: &Digest) -> String {
    let mut releases = session.releases.iter().filter_map(|input| input.release());
    let found = releases
        .find(|release| release.component(component).and_then(|component| component.digest.get()) == Some(digest));
    found.map_or_else(String::new, |release| format!(" (as `{}` lists)", release.version.value))
}

fn ids() -> Failure {
    Failure::input(
        "the evidence names images by the engine's own IDs, and not all of them are digests that the release lists",
    )
    .because("an ID is the digest of what was pulled only where the engine keeps its images in containerd's store")
    .hint("take `docker image inspect $(docker compose images --quiet)` as evidence; nothing was recorded")
}

impl Comparison {
    pub(crate) fn is_as_released(&self) -> bool {
        self.other.is_empty() && self.missing.is_empty() && self.extra.is_empty() && self.unknown.is_empty()
    }

    /// One line per difference, and how many images are right.
    pub(crate) fn told(&self) -> String {
        let mut text = format!("  as listed  {}\n", findings::plural(self.matched, "image"));
        // Writing to a string cannot fail.
        for (title, now, wanted) in &self.other {
            let _ = writeln!(text, "  other      {title}: {now} in place of {wanted}");
        }
        for (title, wanted) in &self.missing {
            let _ = writeln!(text, "  missing    {title}: {wanted}");
        }
        for image in &self.extra {
            let _ = writeln!(text, "  extra      {image}");
        }
        for image in &self.unknown {
            let _ = writeln!(text, "  not known  {image}: the evidence has no digest of it");
        }
        source::redact(&text).to_string()
    }

    /// How the ledger tells it.
    pub(crate) fn result(&self) -> String {
        if self.is_as_released() {
            return "passed".to_owned();
        }
        let part = |word: &str, names: Vec<&str>| match names.len() {
            0 => None,
            few if few <= MOST_NAMED => Some(format!("{word} {}", names.join(", "))),
            many => Some(format!("{word} {many}")),
        };
        let parts = [
            part("other", self.other.iter().map(|(title, _, _)| title.as_str()).collect()),
            part("missing", self.missing.iter().map(|(title, _)| title.as_str()).collect()),
            (!self.extra.is_empty()).then(|| format!("extra {}", self.extra.len())),
            (!self.unknown.is_empty()).then(|| format!("not known {}", self.unknown.len())),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_names_few_components_and_counts_many() {
        let result = |count: usize| {
            let missing = (0..count).map(|number| (format!("c{number}"), String::new())).collect();
            Comparison { missing, ..Comparison::default() }.result()
        };
        assert_eq!(result(2), "missing c0, c1");
        assert!(result(20).ends_with(", c19"), "{}", result(20));
        assert_eq!(result(21), "missing 21");
    }
}
