//! What a release is held by: a channel, or a ring of it, as commands name them.

use camino::{Utf8Path, Utf8PathBuf};
use release::{Channel, Release};
use rollout::{Hash, Held};
use source::Files as _;

use crate::exit::{Exit, Failure, Result};
use crate::session::{self, Session};

/// `CHANNEL` or `CHANNEL/RING`.
#[derive(Clone, Copy)]
pub(crate) struct Place<'s> {
    pub(crate) channel: &'s Channel,
    pub(crate) ring: Option<&'s str>,
}

/// A manifest that something holds.
pub(crate) struct Manifest<'s> {
    pub(crate) path: &'s Utf8Path,
    pub(crate) release: &'s Release,
    /// Byte for byte as it is written.
    pub(crate) text: String,
}

impl<'s> Place<'s> {
    /// Finds what a command line names.
    pub(crate) fn parse(session: &'s Session, text: &str) -> Result<Self> {
        let workspace = &session.workspace;
        if let Some(channel) = workspace.channel(text) {
            return Ok(Self { channel, ring: None });
        }
        let split = text.rsplit_once('/').and_then(|(channel, ring)| Some((workspace.channel(channel)?, ring)));
        let known: Vec<String> = workspace
            .channels
            .iter()
            .flat_map(|channel| {
                let rings = channel.rings.iter().map(|ring| format!("{}/{}", channel.name.value, ring.name.value));
                std::iter::once(channel.name.value.clone()).chain(rings)
            })
            .collect();
        let found = split
            .and_then(|(channel, ring)| Some(Self { channel, ring: Some(channel.ring(ring)?.name.value.as_str()) }));
        found.ok_or_else(|| session::unknown("channel or ring", text, known.iter().map(String::as_str).collect()))
    }

    /// `stable`, `stable/prod`.
    pub(crate) fn label(&self) -> String {
        label(&self.channel.name.value, self.ring)
    }

    /// The rings that it is about: the named one, or all that follow the channel's own manifest. Empty in a channel without rings.
    pub(crate) fn rings(&self) -> Result<Vec<String>> {
        let rings = match self.ring {
            Some(ring) => vec![ring.to_owned()],
            None => following(self.channel),
        };
        if rings.is_empty() && !self.channel.rings.is_empty() {
            let channel = &self.channel.name.value;
            return Err(Failure::usage(format!("no ring of `{channel}` follows its manifest"))
                .hint(format!("name one: `{channel}/RING`")));
        }
        Ok(rings)
    }

    /// The manifest that it holds now.
    pub(crate) fn manifest(&self, session: &'s Session) -> Result<Manifest<'s>> {
        let own = self.ring.and_then(|ring| self.channel.ring(ring)).and_then(|ring| ring.release.as_ref());
        manifest(session, own.unwrap_or(&self.channel.release))
    }
}

/// `stable`, `stable/prod`.
pub(crate) fn label(channel: &str, ring: Option<&str>) -> String {
    ring.map_or_else(|| channel.to_owned(), |ring| format!("{channel}/{ring}"))
}

/// The channel of this name; a ring is none.
pub(crate) fn channel<'s>(session: &'s Session, name: &str) -> Result<&'s Channel> {
    let place = Place::parse(session, name)?;
    match place.ring {
        None => Ok(place.channel),
        Some(_) => Err(Failure::usage(format!("`{name}` is a ring; a channel is meant here"))
            .hint(format!("name the channel: `{}`", place.channel.name.value))),
    }
}

/// The rings that name no release of their own.
pub(crate) fn following(channel: &Channel) -> Vec<String> {
    channel.rings.iter().filter(|ring| ring.release.is_none()).map(|ring| ring.name.value.clone()).collect()
}

/// Whether a profile belongs to one of these rings of a channel, or to the channel outside of its rings.
pub(crate) fn is_in(profile: &release::Profile, channel: &Channel, rings: &[String]) -> bool {
    profile.channel.value == channel.name.value && profile.ring.as_ref().is_none_or(|ring| rings.contains(&ring.value))
}

/// A release, by version and identity.
pub(crate) fn held(release: &Release) -> Held {
    Held { version: release.version.value.clone(), sha256: Hash::from(&release.identity()) }
}

/// A manifest without a problem. One that has some is no release to go on from, or back to.
pub(crate) fn manifest<'s>(session: &'s Session, path: &'s Utf8PathBuf) -> Result<Manifest<'s>> {
    let unusable = |why: String| {
        Failure::new(Exit::Findings, format!("the release manifest `{path}` cannot be used"))
            .because(why)
            .hint("`collimate check` shows what is wrong with it")
    };
    let input = session
        .releases
        .iter()
        .find(|input| input.path == *path)
        .ok_or_else(|| unusable("it was not read".to_owned()))?;
    if let Some(why) = &input.unreadable {
        return Err(unusable(why.to_string()));
    }
    match (input.release(), input.problems().first()) {
        (Some(release), None) => {
            let (_, text) = session.files.read_text(path).map_err(|error| unusable(error.to_string()))?;
            Ok(Manifest { path, release, text: text.to_string() })
        }
        (_, Some(problem)) => Err(unusable(problem.message.clone())),
        (None, None) => Err(unusable("it holds nothing".to_owned())),
    }
}
