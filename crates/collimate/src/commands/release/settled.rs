//! What must not change any more, and what must not be said twice.

use std::collections::{BTreeMap, BTreeSet};

use alignment::Words;
use camino::{Utf8Path, Utf8PathBuf};
use release::{Manifest, Release};
use rollout::{Kind, Ledger};

use super::named::Named;
use crate::exit::{Exit, Failure, Result};
use crate::session::{ARCHIVE, Session};

/// The folder of the manifest of a channel; of the first one where the workspace does not have it.
pub(super) fn folder(session: &Session, channel: &str) -> Utf8PathBuf {
    let channels = &session.workspace.channels;
    let found = session.workspace.channel(channel).or_else(|| channels.first());
    found.and_then(|channel| channel.release.value.parent()).unwrap_or(Utf8Path::new("")).to_owned()
}

/// Why a release must stay as it is: it is archived, was promoted, or is known good. `None` where it may be edited.
pub(super) fn reason(session: &Session, ledger: &Ledger, named: &Named) -> Option<String> {
    let version = &named.release.version.value;
    let is_archive = |path: &Utf8Path| path.parent().is_some_and(|folder| folder.file_name() == Some(ARCHIVE));
    let has_version = |release: &Release| release.version.value == *version;
    let words = Words::new([version.as_str()]);
    let archived = session.mentioning(&words).into_iter().find(|input| {
        is_archive(&input.path) && (input.path == named.path || input.release().is_some_and(has_version))
    });
    if let Some(archived) = archived {
        return Some(format!("it is in the archive: `{}`", archived.path));
    }
    let recorded = ledger.entries().iter().find(|recorded| {
        let entry = &recorded.entry;
        let is_held =
            entry.kind != Kind::ReleaseNew && entry.from.iter().chain(&entry.to).any(|held| held.version == *version);
        is_held || entry.source.as_ref().is_some_and(|source| source.version == *version)
    });
    if let Some(recorded) = recorded {
        let entry = &recorded.entry;
        return Some(format!("the ledger has it since {}: {} of `{}`", entry.at, entry.kind, entry.channel));
    }
    let is_current = session.releases.iter().any(|input| input.path == named.path);
    let origin = named.release.promoted_from.as_ref().filter(|_| is_current)?;
    Some(format!("it was promoted from `{}`", origin.version.value))
}

/// A version names one release for ever.
pub(super) fn is_free_beside(session: &Session, manifest: &Manifest) -> Result<()> {
    let has_version = |release: &&Release| release.version.value == manifest.version;
    let words = Words::new([manifest.version.as_str()]);
    let taken = session.mentioning(&words).into_iter().find(|input| input.release().filter(has_version).is_some());
    taken.map_or(Ok(()), |taken| {
        Err(Failure::usage(format!("there is a release `{}` already: `{}`", manifest.version, taken.path))
            .because("a version names one release for ever")
            .hint("give the new one a version of its own"))
    })
}

/// No other release may list the same image and tag with another digest. `except` is a file that is about to be replaced.
pub(super) fn one_digest_per_tag(session: &Session, manifest: &Manifest, except: Option<&Utf8Path>) -> Result<()> {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for listed in manifest.listed() {
        wanted.entry(&listed.tag).or_default().insert(&listed.image);
    }
    let mut known: BTreeMap<(String, &str), (&str, &Utf8Path)> = BTreeMap::new();
    // Years of releases list thousands of images; few of them have a tag of these.
    let words = Words::new(wanted.keys().copied());
    let mentioning = session.mentioning(&words).into_iter();
    for input in mentioning.filter(|input| Some(input.path.as_path()) != except) {
        for component in input.release().iter().flat_map(|release| &release.components) {
            let Some((images, digest)) = wanted.get(component.tag.as_str()).zip(component.digest.get()) else {
                continue;
            };
            let name = component.image.name();
            if images.contains(name.as_str()) {
                known.entry((name, &component.tag)).or_insert((digest.as_str(), &input.path));
            }
        }
    }
    let mut moved = manifest.listed().filter(|listed| listed.has_digest()).filter_map(|listed| {
        let (digest, path) = known.get(&(listed.image.clone(), listed.tag.as_str()))?;
        (*digest != listed.digest).then(|| {
            let digest = crate::differing::short(digest);
            format!(
                "`{}:{}` is {digest} in `{path}`, not {}",
                listed.image,
                listed.tag,
                crate::differing::short(&listed.digest)
            )
        })
    });
    let Some(first) = moved.next() else { return Ok(()) };
    let failure = Failure::new(Exit::Findings, "a tag was moved: another release lists it with another digest");
    Err(moved
        .fold(failure.because(first), Failure::because)
        .hint("nothing was written; find out which digest is meant, and give the new image a tag of its own"))
}
