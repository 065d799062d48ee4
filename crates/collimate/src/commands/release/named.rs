//! Releases as a command line names them: a channel, a ring, a version, a file.

use std::io::Read as _;

use alignment::Words;
use camino::{Utf8Path, Utf8PathBuf};
use release::{Problem, Release};
use source::{FileId, octets, system};

use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::given;
use crate::place::{self, Place};
use crate::session::Session;

/// A manifest has a few dozen kilobytes; what is larger is something else.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// A release that a command line names. It has no problem.
pub(crate) struct Named {
    /// Relative to the workspace where it lies in it, else absolute.
    pub(crate) path: Utf8PathBuf,
    pub(crate) release: Release,
    /// Byte for byte as it is written.
    pub(crate) text: String,
    /// The channel, where one was named, or one of its rings.
    pub(crate) channel: Option<String>,
}

/// The workspace, if there is one: files can be looked at without.
pub(crate) fn session(ctx: &Ctx) -> Result<Option<Session>> {
    match Session::open(ctx) {
        Ok(session) => Ok(Some(session)),
        Err(failure) if failure.is_missing_workspace() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Finds what `name` names: a channel or a ring of it, a version that the workspace has, or a file.
pub(crate) fn find(ctx: &Ctx, session: Option<&Session>, name: &str) -> Result<Named> {
    let Some(session) = session else { return file(ctx, None, Utf8Path::new(name)) };
    if let Ok(place) = Place::parse(session, name) {
        let manifest = place.manifest(session)?;
        let channel = Some(place.channel.name.value.clone());
        return Ok(Named { channel, ..owned(manifest) });
    }
    let words = Words::new([name]);
    let mut versions = session
        .mentioning(&words)
        .into_iter()
        .filter(|input| input.sound().is_some_and(|release| release.version.value == name));
    if let Some(first) = versions.next() {
        let identity = |input: &alignment::ReleaseInput| input.release().map(Release::identity);
        if let Some(other) = versions.find(|input| identity(input) != identity(first)) {
            return Err(Failure::usage(format!("there are two releases `{name}`"))
                .because(format!("`{}` and `{}`", first.path, other.path))
                .hint("name one of the files"));
        }
        return Ok(owned(place::manifest(session, &first.path)?));
    }
    let looks_like_file = name.contains('/') || matches!(Utf8Path::new(name).extension(), Some("yaml" | "yml"));
    if looks_like_file || ctx.cwd().join(name).is_file() {
        return file(ctx, Some(session), Utf8Path::new(name));
    }
    Err(Failure::usage(format!("there is no release `{name}`"))
        .because("it is no channel, no ring of one, no version that is current or archived, and no file")
        .hint(format!("there are: {}", known(session).join(", "))))
}

/// Channels, rings and versions.
fn known(session: &Session) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for channel in &session.workspace.channels {
        known.push(channel.name.value.clone());
        known.extend(channel.rings.iter().map(|ring| place::label(&channel.name.value, Some(&ring.name.value))));
    }
    let versions = session.releases.iter().filter_map(|input| Some(input.release()?.version.value.clone()));
    for version in versions {
        if !known.contains(&version) {
            known.push(version);
        }
    }
    known
}

fn owned(manifest: place::Manifest<'_>) -> Named {
    Named { path: manifest.path.to_owned(), release: manifest.release.clone(), text: manifest.text, channel: None }
}

/// Reads a manifest that is named by its path.
fn file(ctx: &Ctx, session: Option<&Session>, name: &Utf8Path) -> Result<Named> {
    let text = text(ctx, name)?;
    let (release, problems) = Release::parse(&text, FileId(0));
    let bad = |why: String| Failure::input(format!("`{name}` is no release manifest")).because(why);
    if let Some(problem) = problems.first() {
        let failure = problems
            .iter()
            .take(MOST_PROBLEMS)
            .fold(Failure::input(format!("`{name}` is no release manifest")), |failure, problem| {
                failure.because(told(&text, problem))
            });
        return Err(match &problem.help {
            Some(help) => failure.hint(help.clone()),
            None => failure.hint("`collimate schema release` prints what a manifest may hold"),
        });
    }
    let release = release.ok_or_else(|| bad("it is empty".to_owned()))?;
    // Printed in tables and messages: a line break in a foreign file must not look like one of ours.
    if texts(&release).any(|text| text.chars().any(char::is_control)) {
        return Err(bad("a version, channel or component has control characters in its name".to_owned()));
    }
    let path = match session {
        Some(session) => session.named_path(ctx, name),
        None => source::normalize(&ctx.cwd().join(name)),
    };
    Ok(Named { path, release, text, channel: None })
}

/// What is printed of a release.
fn texts(release: &Release) -> impl Iterator<Item = &str> {
    let names = release.components.iter().map(|component| component.name.value.as_str());
    [release.version.value.as_str(), &release.channel.value].into_iter().chain(names)
}

/// How many problems of a manifest are named; `check` names all.
const MOST_PROBLEMS: usize = 3;

fn told(text: &str, problem: &Problem) -> String {
    let Some(span) = problem.span else { return problem.message.clone() };
    let before = text.get(..span.range().start).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, problem.message)
}

/// The text of a file that the command line names; `-` is stdin.
pub(crate) fn text(ctx: &Ctx, name: &Utf8Path) -> Result<String> {
    let unreadable = |why: &dyn std::fmt::Display| Failure::input(format!("cannot read `{name}`")).because(why);
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&system::reason(&error)))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(unreadable(&format!("it is larger than {} MiB", MOST_BYTES >> 20)));
        }
        bytes
    } else {
        std::mem::take(&mut *given::read(name, MOST_BYTES, ctx)?)
    };
    let text = octets::text(&bytes).map_err(|stray| unreadable(&stray.told(&name)).hint(octets::WAY_OUT))?;
    Ok(text.to_owned())
}
