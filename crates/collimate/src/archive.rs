//! The archive beside the manifests: every release that was promoted or marked good, under its version.

use std::collections::BTreeMap;

use alignment::ReleaseInput;
use camino::{Utf8Path, Utf8PathBuf};
use release::Channel;
use rollout::{Hash, Held, Ledger, is_version};
use source::{FileError, Files as _};

use crate::exit::{Exit, Failure, Result};
use crate::place::{self, Manifest};
use crate::session::{ARCHIVE, Session};

/// Where a release of this version is archived.
pub(crate) fn path(channel: &Channel, version: &str) -> Result<Utf8PathBuf> {
    if !is_version(version) {
        return Err(Failure::new(Exit::Findings, "a release cannot be archived")
            .because(rollout::VersionError(version.to_owned()))
            .hint("give it another version in its manifest"));
    }
    Ok(folder(channel).join(format!("{version}.yaml")))
}

fn folder(channel: &Channel) -> Utf8PathBuf {
    channel.release.value.parent().unwrap_or(Utf8Path::new("")).join(ARCHIVE)
}

/// Puts a release into the archive, unless it is there. Gives its path.
pub(crate) fn keep(
    session: &Session,
    channel: &Channel,
    (held, text): (&Held, &str),
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<Utf8PathBuf> {
    let path = path(channel, &held.version)?;
    let file = match session.files.read_text(&path) {
        Ok((file, archived)) => (file, archived),
        Err(FileError::NotFound(_)) => {
            texts.insert(path.clone(), text.to_owned());
            return Ok(path);
        }
        Err(error) => return Err(Failure::input("cannot read the archive").because(error)),
    };
    let archived = release::Release::parse(&file.1, file.0).0.map(|release| Hash::from(&release.identity()));
    if archived.as_ref() == Some(&held.sha256) {
        return Ok(path);
    }
    Err(Failure::new(Exit::Findings, format!("`{path}` holds another release `{}`", held.version))
        .because("a version names one release for ever")
        .hint("give the new release a version of its own"))
}

/// The archived release that is the same as a new one, made at another time.
pub(crate) fn again<'s>(
    session: &'s Session,
    channel: &Channel,
    new: &release::Manifest,
) -> Result<Option<Manifest<'s>>> {
    let path = path(channel, &new.version)?;
    let Some(input) = session.releases.iter().find(|input| input.path == path) else { return Ok(None) };
    let is_same = input.release().is_some_and(|release| {
        let archived = release.manifest();
        release::Manifest { date: archived.date.clone(), ..new.clone() } == archived
    });
    if is_same { place::manifest(session, &input.path).map(Some) } else { Ok(None) }
}

/// The archived release of this identity.
pub(crate) fn by_identity<'s>(session: &'s Session, channel: &Channel, held: &Held) -> Result<Manifest<'s>> {
    let folder = folder(channel);
    // The version is part of the identity, and quicker to tell.
    let is_held = |release: &release::Release| {
        release.version.value == held.version && place::held(release).sha256 == held.sha256
    };
    let found = in_order(session, &folder, &held.version).find(|input| input.release().is_some_and(is_held));
    match found {
        Some(input) => place::manifest(session, &input.path),
        None if by_version(session, channel, &held.version).is_ok() => Err(changed(&held.version, &folder)),
        None => Err(Failure::new(Exit::Findings, format!("release `{}` is not in the archive", held.version))
            .because(format!("no manifest in `{folder}` has the identity `{}`", held.sha256.short()))
            .hint("put its manifest back from version control, or name another release with `--to`")),
    }
}

/// As [`by_version`], where the ledger has nothing to say against it: a version that it recorded names one release for ever.
pub(crate) fn recorded<'s>(
    session: &'s Session,
    ledger: &Ledger,
    channel: &Channel,
    version: &str,
) -> Result<Manifest<'s>> {
    let found = by_version(session, channel, version)?;
    let held = place::held(found.release);
    let entries = ledger.entries().iter().filter(|recorded| recorded.entry.channel == channel.name.value);
    let known: Vec<&Held> = entries
        .flat_map(|recorded| recorded.entry.from.iter().chain(&recorded.entry.to))
        .filter(|known| known.version == held.version)
        .collect();
    if known.is_empty() || known.contains(&&held) { Ok(found) } else { Err(changed(version, &folder(channel))) }
}

/// The archived manifests, first the one that is named as it should be: mostly the others need not be taken apart.
fn in_order<'s>(session: &'s Session, folder: &Utf8Path, version: &str) -> impl Iterator<Item = &'s ReleaseInput> {
    let name = folder.join(format!("{version}.yaml"));
    let inputs: Vec<&ReleaseInput> = session.releases.iter().filter(|input| input.path.starts_with(folder)).collect();
    let (first, rest): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|input| input.path == name);
    first.into_iter().chain(rest)
}

fn changed(version: &str, folder: &Utf8Path) -> Failure {
    Failure::untrusted(format!("release `{version}` in the archive is not the one that the ledger recorded"))
        .because(format!("its manifest in `{folder}` was changed since"))
        .hint("put its manifest back from version control; nothing was changed")
}

/// The archived release of this version, made for this channel.
pub(crate) fn by_version<'s>(session: &'s Session, channel: &Channel, version: &str) -> Result<Manifest<'s>> {
    let folder = folder(channel);
    let archived = || {
        in_order(session, &folder, version).filter_map(|input| {
            let release = input.release()?;
            (release.channel.value == channel.name.value).then_some((&input.path, release.version.value.as_str()))
        })
    };
    match archived().find(|(_, found)| *found == version) {
        Some((path, _)) => place::manifest(session, path),
        None => {
            let what = format!("release of `{}` in `{folder}` called", channel.name.value);
            let known: Vec<&str> = archived().map(|(_, version)| version).collect();
            if known.is_empty() {
                return Err(Failure::usage(format!("there is no {what} `{version}`")).hint("the archive holds none"));
            }
            // No guess: two versions that are spelled alike are two releases.
            Err(Failure::usage(format!("there is no {what} `{version}`"))
                .hint(format!("there are: {}", known.join(", "))))
        }
    }
}
