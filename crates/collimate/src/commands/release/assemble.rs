//! A new manifest from an older one: its images, what a build made, and what was decided about the rest.

use std::collections::BTreeMap;

use release::{ImageRef, Listed, Manifest};

use super::built::Built;

/// What the command line decides about components and images.
#[derive(Clone, Copy, Default)]
pub(super) struct Decisions<'a> {
    /// Components that stay as they are.
    pub(super) keep: &'a [String],
    /// Components that the new release does not have.
    pub(super) drop: &'a [String],
    /// New components, with their images.
    pub(super) add: &'a [(String, ImageRef)],
    /// Images that are built and belong to no component.
    pub(super) skip: &'a [ImageRef],
    /// Which tag counts where an image was built with several.
    pub(super) tag: &'a str,
}

/// What has to be decided first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    /// Fragments, each with its way out.
    pub(super) reasons: Vec<String>,
}

/// Version, channel and date of the new release, and what follows from them.
pub(super) fn head(manifest: &mut Manifest, version: &str, channel: &str, date: &str) {
    if manifest.channel != channel {
        // Said of the channel that it was for.
        manifest.promoted_from = None;
        manifest.support = None;
    }
    if manifest.calendar.is_some()
        && let Some(calendar) = calendar_of(version)
    {
        manifest.calendar = Some(calendar.to_owned());
    }
    version.clone_into(&mut manifest.version);
    channel.clone_into(&mut manifest.channel);
    manifest.date = Some(date.to_owned());
    manifest.digests = manifest.fitting_digests();
}

/// `2025.10` of `2025.10.3-edge`.
fn calendar_of(version: &str) -> Option<&str> {
    let calendar = version.get(..7)?;
    let (year, month) = calendar.split_once('.')?;
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = month.parse().is_ok_and(|month: u8| (1..=12).contains(&month));
    let ends = !version.get(7..).unwrap_or_default().starts_with(|letter: char| letter.is_ascii_digit());
    (digits(year, 4) && digits(month, 2) && is_month && ends).then_some(calendar)
}

/// Gives all services another tag; infrastructure has tags of its own.
pub(super) fn retag(manifest: &mut Manifest, tag: &str) {
    manifest.components.values_mut().for_each(|listed| listed.retag(tag));
}

/// Takes over what was built. Infrastructure is made by others: it stays where nothing is said of it. Services must be there or decided about.
pub(super) fn take(manifest: &mut Manifest, built: &[Built], decisions: Decisions<'_>) -> Result<(), Open> {
    let mut open = Open::default();
    let mut images: BTreeMap<String, Vec<&Built>> = BTreeMap::new();
    for image in built {
        images.entry(image.image.name()).or_default().push(image);
    }
    let skipped = |name: &str| decisions.skip.iter().any(|image| image.name() == name);
    images.retain(|name, _| !skipped(name));
    add(manifest, &images, decisions.add, &mut open);
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    for (image, candidates) in &images {
        let chosen = match choose(image, candidates, decisions.tag) {
            Ok(chosen) => chosen,
            Err(reason) => {
                open.reasons.push(reason);
                // It is there, whichever it is.
                let names = manifest.components.iter().chain(&manifest.infrastructure);
                let of_image = names.filter(|(_, listed)| listed.image == *image);
                given.extend(of_image.map(|(name, _)| (name.clone(), "several".to_owned())));
                continue;
            }
        };
        let mut is_known = false;
        for (name, listed) in manifest.components.iter_mut().chain(&mut manifest.infrastructure) {
            if listed.image == *image {
                is_known = true;
                listed.take(&chosen.tag, &chosen.digest);
                given.insert(name.clone(), chosen.place.clone());
            }
        }
        if !is_known {
            open.reasons.push(format!(
                "`{image}` ({}) is the image of no component (`--add COMPONENT={image}`, or `--skip {image}`)",
                chosen.place
            ));
        }
    }
    decide(manifest, &given, decisions, &mut open);
    if open.reasons.is_empty() { Ok(()) } else { Err(open) }
}

/// New components, with a tag and digest that [`take`] then gives them.
fn add(manifest: &mut Manifest, images: &BTreeMap<String, Vec<&Built>>, added: &[(String, ImageRef)], open: &mut Open) {
    for (name, image) in added {
        let image = image.name();
        if manifest.components.contains_key(name) || manifest.infrastructure.contains_key(name) {
            open.reasons.push(format!("there is a component `{name}` already (leave `--add {name}` out)"));
        } else if let Some(first) = images.get(&image).and_then(|images| images.first()) {
            let listed = Listed {
                image,
                tag: first.tag.clone(),
                digest: first.digest.to_string(),
                only_in: Vec::new(),
                platforms: BTreeMap::new(),
                availability: None,
                reason: None,
            };
            manifest.components.insert(name.clone(), listed);
        } else {
            open.reasons.push(format!("`{image}` of the new component `{name}` is not among the images"));
        }
    }
}

/// The one that counts of all names that an image was built with.
fn choose<'b>(image: &str, candidates: &[&'b Built], tag: &str) -> Result<&'b Built, String> {
    let mut by_tag: BTreeMap<&str, &'b Built> = BTreeMap::new();
    for candidate in candidates {
        let first = *by_tag.entry(&candidate.tag).or_insert(candidate);
        if first.digest != candidate.digest {
            let tag = &first.tag;
            return Err(format!("`{image}:{tag}` has two digests: {} and {}", first.place, candidate.place));
        }
    }
    let tags: Vec<String> = by_tag.keys().map(|tag| format!("`{tag}`")).collect();
    let mut chosen = by_tag.values();
    match (chosen.next(), chosen.next()) {
        (Some(only), None) => Ok(only),
        _ => by_tag.get(tag).copied().ok_or_else(|| {
            format!("`{image}` has several tags: {} (`--tag TAG` says which one counts)", tags.join(", "))
        }),
    }
}

/// What becomes of components that are not among the images.
fn decide(manifest: &mut Manifest, given: &BTreeMap<String, String>, decisions: Decisions<'_>, open: &mut Open) {
    for (option, names) in [("--keep", decisions.keep), ("--drop", decisions.drop)] {
        for name in names {
            if let Some(place) = given.get(name) {
                open.reasons.push(format!("`{name}` is among the images ({place}) (leave `{option} {name}` out)"));
            } else if !manifest.components.contains_key(name) && !manifest.infrastructure.contains_key(name) {
                let known = manifest.components.keys().chain(manifest.infrastructure.keys()).map(String::as_str);
                let way_out = match release::nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("leave `{option} {name}` out"),
                };
                open.reasons.push(format!("there is no component `{name}` ({way_out})"));
            }
        }
    }
    if let Some(both) = decisions.keep.iter().find(|name| decisions.drop.contains(name)) {
        open.reasons.push(format!("`{both}` cannot be kept and dropped (leave one of the two out)"));
    }
    let is_decided =
        |name: &String| given.contains_key(name) || [decisions.keep, decisions.drop].concat().contains(name);
    let undecided: Vec<&str> =
        manifest.components.keys().filter(|name| !is_decided(name)).map(String::as_str).collect();
    if !undecided.is_empty() {
        open.reasons.push(format!(
            "not among the images: {} (`--keep COMPONENT` or `--drop COMPONENT` for each)",
            undecided.join(", ")
        ));
    }
    manifest.components.retain(|name, _| !decisions.drop.contains(name));
    manifest.infrastructure.retain(|name, _| !decisions.drop.contains(name));
}

#[cfg(test)]
mod tests {
    use release::{DigestKind, Release};
    use source::FileId;

    use super::super::built;
    use super::*;

    fn base() -> Manifest {
        let text = "schema: 1\nversion: 2025.09.2\ncalendar: \"2025.09\"\nchannel: stable\n\
                    promoted_from: {version: \"1\", sha256: \"0000000000000000000000000000000000000000000000000000000000000000\"}\n\
                    digests: sample\ncomponents:\n  web: {image: r.example/web, tag: v1, digest: unresolved}\n  \
                    api: {image: r.example/api, tag: v1, digest: unresolved}\n\
                    infrastructure:\n  db: {image: docker.io/library/db, tag: v7, digest: unresolved}\n";
        let (release, problems) = Release::parse(text, FileId(0));
        assert_eq!(problems, []);
        release.unwrap().manifest()
    }

    fn line(reference: &str, digit: char) -> String {
        format!("{reference}@sha256:{}\n", digit.to_string().repeat(64))
    }

    fn took(lines: &str, decisions: Decisions<'_>) -> Result<Manifest, Vec<String>> {
        let mut manifest = base();
        match take(&mut manifest, &built::read(lines).unwrap(), decisions) {
            Ok(()) => Ok(manifest),
            Err(open) => Err(open.reasons),
        }
    }

    #[test]
    fn services_are_taken_and_infrastructure_stays() {
        let lines = line("r.example/web:v2", 'a') + &line("r.example/api:v2", 'b');
        let mut manifest = took(&lines, Decisions::default()).unwrap();
        assert_eq!(manifest.components["web"].tag, "v2");
        assert_eq!(manifest.infrastructure, base().infrastructure);
        assert_eq!(manifest.fitting_digests(), DigestKind::Sample);
        let lines = lines + &line("db:v8", 'c');
        manifest = took(&lines, Decisions::default()).unwrap();
        assert_eq!(manifest.fitting_digests(), DigestKind::Resolved);
    }

    #[test]
    fn nothing_is_decided_by_itself() {
        let image = |text: &str| text.parse::<ImageRef>().unwrap();
        let lines = line("r.example/web:v2", 'a') + &line("r.example/new:v1", 'b');
        assert_eq!(
            took(&lines, Decisions::default()).unwrap_err(),
            [
                "`r.example/new` (line 2) is the image of no component \
                 (`--add COMPONENT=r.example/new`, or `--skip r.example/new`)",
                "not among the images: api (`--keep COMPONENT` or `--drop COMPONENT` for each)",
            ]
        );
        let add = [("new".to_owned(), image("r.example/new"))];
        let (api, db) = (["api".to_owned()], ["api".to_owned(), "db".to_owned()]);
        let kept = took(&lines, Decisions { add: &add, keep: &api, ..Decisions::default() }).unwrap();
        assert_eq!((kept.components.len(), kept.components["new"].tag.as_str()), (3, "v1"));
        let skip = [image("r.example/new")];
        let dropped = took(&lines, Decisions { skip: &skip, drop: &db, ..Decisions::default() }).unwrap();
        assert_eq!((dropped.components.len(), dropped.infrastructure.len()), (1, 0));
    }

    #[test]
    fn decisions_that_contradict_are_named() {
        let image = |text: &str| text.parse::<ImageRef>().unwrap();
        let lines = line("r.example/web:v2", 'a') + &line("r.example/api:v2", 'b');
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (keep, drop) = (names(&["web", "wbe", "db"]), names(&["db"]));
        let add = [("api".to_owned(), image("x")), ("y".to_owned(), image("y"))];
        assert_eq!(
            took(&lines, Decisions { keep: &keep, drop: &drop, add: &add, ..Decisions::default() }).unwrap_err(),
            [
                "there is a component `api` already (leave `--add api` out)",
                "`docker.io/library/y` of the new component `y` is not among the images",
                "`web` is among the images (line 1) (leave `--keep web` out)",
                "there is no component `wbe` (did you mean `web`?)",
                "`db` cannot be kept and dropped (leave one of the two out)",
            ]
        );
    }

    #[test]
    fn of_several_tags_the_named_one_counts() {
        let lines = [
            line("r.example/web:v2", 'a'),
            line("r.example/web:latest", 'a'),
            line("r.example/api:v2", 'b'),
            line("r.example/api:v2", 'c'),
        ]
        .concat();
        assert_eq!(
            took(&lines, Decisions::default()).unwrap_err(),
            [
                "`r.example/api:v2` has two digests: line 3 and line 4",
                "`r.example/web` has several tags: `latest`, `v2` (`--tag TAG` says which one counts)",
            ]
        );
        let lines = lines.replace(&line("r.example/api:v2", 'c'), "");
        let manifest = took(&lines, Decisions { tag: "v2", ..Decisions::default() }).unwrap();
        assert_eq!(manifest.components["web"].tag, "v2");
    }

    #[test]
    fn the_head_says_what_follows_from_version_and_channel() {
        let mut same = base();
        head(&mut same, "2025.10.0", "stable", "2026-01-01T00:00:00Z");
        assert_eq!(same.calendar.as_deref(), Some("2025.10"));
        assert!(same.promoted_from.is_some(), "what a hotfix goes back to is not forgotten");
        let mut other = base();
        head(&mut other, "7", "edge", "2026-01-01T00:00:00Z");
        assert_eq!((other.calendar.as_deref(), other.promoted_from.is_some()), (Some("2025.09"), false));
        for (version, expected) in [("2025.10", true), ("2025.100", false), ("2025.13.1", false), ("v2025.10", false)] {
            assert_eq!(calendar_of(version).is_some(), expected, "{version}");
        }
    }

    #[test]
    fn a_tag_for_all_services_forgets_their_digests() {
        let mut manifest = base();
        retag(&mut manifest, "v2");
        assert_eq!(manifest.components["web"].reference(), "r.example/web:v2");
        assert_eq!(manifest.infrastructure["db"].tag, "v7");
    }
}
