//! What became of each component, and how that is told.

use camino::Utf8PathBuf;
use registry::{Fault, Resolved, Shape};
use release::{Component, Digest};
use serde::Serialize;

use super::super::json_text;
use super::super::named::Named;
use crate::columns;

/// The version of the JSON report. Raised when a field is added or changes.
const SCHEMA: u32 = 1;

/// One component, asked for.
pub(super) struct Outcome<'r> {
    pub(super) component: &'r Component,
    pub(super) state: State,
    answer: Option<Resolved>,
    /// What another release lists for the same image and tag, where it is not what was found.
    other: Option<&'r (Digest, Utf8PathBuf)>,
}

pub(super) enum State {
    /// The manifest lists what the registry has.
    Unchanged,
    /// Not asked for: its registry serves it no longer.
    Kept,
    /// The manifest listed none, or a stand-in.
    Resolved,
    /// The manifest listed the digest of one platform of the index.
    Platform(String),
    /// The manifest lists another one.
    Moved,
    /// The same, and it is accepted.
    MovedAccepted,
    Failed(Fault),
}

impl<'r> Outcome<'r> {
    pub(super) fn kept(component: &'r Component) -> Self {
        Self { component, state: State::Kept, answer: None, other: None }
    }

    /// `listed` is what another release lists for the same image and tag.
    pub(super) fn judge(
        component: &'r Component,
        answer: Result<Resolved, Fault>,
        listed: Option<&'r (Digest, Utf8PathBuf)>,
        accept_moved: bool,
    ) -> Self {
        let resolved = match answer {
            Ok(resolved) => resolved,
            Err(fault) => return Self { component, state: State::Failed(fault), answer: None, other: None },
        };
        let other = listed.filter(|(digest, _)| *digest != resolved.digest);
        let moved = || if accept_moved { State::MovedAccepted } else { State::Moved };
        let state = match component.digest.get() {
            Some(listed) if *listed == resolved.digest => State::Unchanged,
            Some(_) if !component.is_sample() => match &resolved.believed_platform {
                Some(platform) => State::Platform(platform.clone()),
                None => moved(),
            },
            // No digest of a registry: another release knows better what the tag was.
            _ if other.is_some() => moved(),
            _ => State::Resolved,
        };
        Self { component, state, answer: Some(resolved), other }
    }

    /// The digest to write, where it is another one.
    pub(super) fn new_digest(&self) -> Option<&Digest> {
        match self.state {
            State::Resolved | State::Platform(_) | State::MovedAccepted => Some(&self.answer.as_ref()?.digest),
            State::Unchanged | State::Kept | State::Moved | State::Failed(_) => None,
        }
    }

    /// A name for machines.
    fn name(&self) -> &'static str {
        match &self.state {
            State::Unchanged => "unchanged",
            State::Kept => "kept",
            State::Resolved => "resolved",
            State::Platform(_) => "platform-digest",
            State::Moved => "moved",
            State::MovedAccepted => "moved-accepted",
            State::Failed(fault) => fault.name(),
        }
    }

    /// What there is to say of it.
    pub(super) fn told(&self) -> String {
        let found = self.answer.as_ref().map(|answer| answer.digest.short()).unwrap_or_default();
        let listed = self.component.digest.get().map(Digest::short).unwrap_or_default();
        match &self.state {
            State::Unchanged => found,
            State::Kept => format!("{listed}; its registry serves it no longer, and no mirror is named"),
            State::Resolved if self.component.digest.get().is_none() => format!("{found}; none was listed"),
            State::Resolved => format!("{found}; a stand-in was listed"),
            State::Platform(platform) => format!("{found}; {listed} was listed, which is {platform} alone"),
            State::Moved | State::MovedAccepted => {
                let tag = &self.component.tag.value;
                match self.other.filter(|_| self.component.is_sample() || self.component.digest.get().is_none()) {
                    Some((digest, path)) => {
                        format!("the tag `{tag}` was moved: `{path}` lists {}, and it is {found} now", digest.short())
                    }
                    None => format!("the tag `{tag}` was moved: {listed} is listed, and it is {found} now"),
                }
            }
            State::Failed(fault) => fault.message.clone(),
        }
    }

    /// What is worth knowing besides.
    fn notes(&self) -> String {
        let Some(answer) = &self.answer else { return String::new() };
        let mut notes = Vec::new();
        if answer.shape == Shape::Image {
            notes.push("one image, no index of platforms".to_owned());
        }
        if answer.answered_by != self.component.image.registry() {
            notes.push(format!("from `{}`", answer.answered_by));
        }
        if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) }
    }
}

/// One line for each component.
pub(super) fn text(outcomes: &[Outcome<'_>]) -> String {
    let row = |outcome: &Outcome<'_>| {
        let component = outcome.component;
        vec![
            component.name.value.clone(),
            component.tag.value.clone(),
            outcome.name().to_owned(),
            format!("{}{}", outcome.told(), outcome.notes()),
        ]
    };
    source::redact(&columns::align(&outcomes.iter().map(row).collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    version: &'a str,
    manifest: &'a str,
    /// What `digests:` says after this.
    digests: &'static str,
    written: bool,
    components: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    image: String,
    tag: &'a str,
    state: &'static str,
    /// Absent where none was listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<&'a str>,
    /// Absent where none was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    message: String,
    help: &'a str,
}

pub(super) fn json(named: &Named, edited: &str, written: bool, outcomes: &[Outcome<'_>]) -> String {
    let digests = release::Release::parse(edited, source::FileId(0)).0;
    let digests = digests.map_or(named.release.digests.value, |release| release.digests.value);
    json_text(&Report {
        schema: SCHEMA,
        version: &named.release.version.value,
        manifest: named.path.as_str(),
        digests: digests.as_str(),
        written,
        components: outcomes.iter().map(entry).collect(),
    })
}

fn entry<'a>(outcome: &'a Outcome<'_>) -> Entry<'a> {
    let component = outcome.component;
    let answer = outcome.answer.as_ref();
    Entry {
        name: &component.name.value,
        image: component.image.name(),
        tag: &component.tag.value,
        state: outcome.name(),
        listed: component.digest.get().map(Digest::as_str),
        found: answer.map(|answer| answer.digest.as_str()),
        index: answer.map(|answer| answer.shape == Shape::Index),
        platform: match &outcome.state {
            State::Platform(platform) => Some(platform),
            _ => None,
        },
        answered_by: answer.map(|answer| answer.answered_by.as_str()),
        fault: match &outcome.state {
            State::Failed(fault) => Some(Told { message: source::redact(&fault.message), help: fault.hint() }),
            _ => None,
        },
    }
}
