//! `collimate.yaml`: channels, profiles and what is allowed to be otherwise.

use camino::Utf8PathBuf;
use source::{FileId, Span};

use crate::manifest::Kind;
use crate::{Date, ImageRef, Spanned};
use yamlspan::strict::Problem;

mod check;
pub(crate) mod gates;
pub(crate) mod read;

pub use gates::{Approvals, CommandGate, Freeze, Gates};

/// The name of the file at the root of a workspace.
pub const WORKSPACE_FILE: &str = "collimate.yaml";

/// A workspace. Everything stands in written order.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The whole document.
    pub span: Span,
    pub channels: Vec<Channel>,
    /// What stands after `profiles:`.
    pub profiles_at: Span,
    pub profiles: Vec<Profile>,
    pub overlays: Vec<Overlay>,
    pub unmanaged: Vec<Unmanaged>,
    pub images_at: Vec<ImagesAt>,
    pub ignore: Vec<Ignore>,
    pub rules: Vec<RuleSetting>,
    /// The settings of a managed mirror, if the workspace has one.
    pub mirror: Option<Spanned<Utf8PathBuf>>,
    /// Whose keys are trusted, and for what.
    pub trust: Option<Spanned<Utf8PathBuf>>,
    /// Documents with marked blocks that say what releases hold.
    pub docs: Vec<Spanned<Utf8PathBuf>>,
}

/// A line of releases, such as `stable`.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: Spanned<String>,
    /// The current release's manifest.
    pub release: Spanned<Utf8PathBuf>,
    pub promote_from: Option<Spanned<String>>,
    pub rings: Vec<Ring>,
    /// Beside those that hold for every promotion.
    pub gates: Gates,
}

/// Profiles of a channel that move together.
#[derive(Clone, Debug)]
pub struct Ring {
    pub name: Spanned<String>,
    /// The archived release that the ring still runs; absent where it follows the channel.
    pub release: Option<Spanned<Utf8PathBuf>>,
    /// What a release must meet to advance to it.
    pub gates: Gates,
}

/// One deployable thing.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: Spanned<String>,
    pub channel: Spanned<String>,
    pub ring: Option<Spanned<String>>,
    pub source: ProfileSource,
    /// The profile that deploys the same by other means.
    pub twin: Option<Spanned<String>>,
    /// Path patterns of what tooling makes: may be absent.
    pub generated: Vec<Spanned<String>>,
    pub external: External,
    /// Suffixes of host names that count as local; `None` where the profile does not say.
    pub hosts: Option<Vec<Spanned<String>>>,
    /// Registry in the release → registry that the profile pulls from.
    pub registry_map: Vec<(Spanned<String>, Spanned<String>)>,
}

/// What a profile is rendered from.
#[derive(Clone, Debug)]
pub enum ProfileSource {
    Compose(ComposeSource),
    Helm(HelmSource),
    Manifests(Vec<Spanned<Utf8PathBuf>>),
}

/// A Compose file set with its env files.
#[derive(Clone, Debug)]
pub struct ComposeSource {
    pub files: Vec<Spanned<Utf8PathBuf>>,
    pub env: Vec<Spanned<Utf8PathBuf>>,
    /// Names of overlays, laid over the files in this order, each over all before.
    pub overlays: Vec<Spanned<String>>,
    pub project_name: Option<Spanned<String>>,
}

/// A chart with its values files.
#[derive(Clone, Debug)]
pub struct HelmSource {
    pub chart: Spanned<Utf8PathBuf>,
    pub values: Vec<Spanned<Utf8PathBuf>>,
    /// `path=value`, as for `helm template --set`.
    pub set: Vec<Spanned<String>>,
    pub release_name: Option<Spanned<String>>,
    pub namespace: Option<Spanned<String>>,
    pub kube_version: Option<Spanned<String>>,
    pub api_versions: Vec<Spanned<String>>,
}

/// What a profile uses but does not make. Names, by kind.
#[derive(Clone, Debug, Default)]
pub struct External {
    pub networks: Vec<Spanned<String>>,
    pub volumes: Vec<Spanned<String>>,
    pub secrets: Vec<Spanned<String>>,
    pub configs: Vec<Spanned<String>>,
    pub config_maps: Vec<Spanned<String>>,
    pub service_accounts: Vec<Spanned<String>>,
    pub volume_claims: Vec<Spanned<String>>,
    /// Objects of Kubernetes of any other kind, as `Kind/name`.
    pub objects: Vec<Spanned<String>>,
    /// Services whose image brings its own health check.
    pub healthchecks: Vec<Spanned<String>>,
    /// Variables of Compose files that only the operator's own env file or shell sets.
    pub variables: Vec<Spanned<String>>,
}

/// Compose files laid over a profile.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub name: Spanned<String>,
    pub files: Vec<Spanned<Utf8PathBuf>>,
    /// Env files that the overlay needs beside the profile's.
    pub env: Vec<Spanned<Utf8PathBuf>>,
}

/// An image that no release owns.
#[derive(Clone, Debug)]
pub struct Unmanaged {
    pub image: Spanned<ImageRef>,
    /// Patterns with `*`; empty: any tag.
    pub tags: Vec<Spanned<String>>,
    pub reason: Spanned<String>,
    pub span: Span,
}

/// Where custom resources hold images.
#[derive(Clone, Debug)]
pub enum ImagesAt {
    /// In objects of this kind, at this path of keys (`*` is any key or item).
    Path { kind: Spanned<String>, path: Spanned<String> },
    /// In an argument of a container that matches this pattern, at its `*`.
    Args(Spanned<String>),
}

/// A finding that is accepted, with a reason and mostly an end.
#[derive(Clone, Debug)]
pub struct Ignore {
    pub rule: Spanned<String>,
    /// A profile's name or a file's path; everywhere if absent.
    pub at: Option<Spanned<String>>,
    pub reason: Spanned<String>,
    /// The last day on which the finding is accepted.
    pub until: Option<Spanned<Date>>,
    pub span: Span,
}

/// How a rule reports in this workspace.
#[derive(Clone, Debug)]
pub struct RuleSetting {
    pub rule: Spanned<String>,
    pub level: Spanned<Level>,
}

/// What a rule's findings become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Off,
    Note,
    Warning,
    Error,
}

impl Level {
    pub(crate) const ALL: [(&'static str, Self); 4] =
        [("off", Self::Off), ("note", Self::Note), ("warning", Self::Warning), ("error", Self::Error)];

    /// The word that stands in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }
}

impl Workspace {
    /// Reads `collimate.yaml`.
    ///
    /// # Errors
    /// All problems of the file: unknown keys, missing values, names that nothing defines.
    pub fn parse(text: &str, file: FileId) -> Result<Self, Vec<Problem>> {
        let (workspace, whole, mut problems) = read::read(text, file);
        if let Some(workspace) = &workspace {
            check::names(workspace, &whole, &mut problems);
        }
        match workspace {
            Some(workspace) if problems.is_empty() => Ok(workspace),
            _ => Err(problems),
        }
    }

    /// What is wrong with a workspace in which there is nothing to hold against a release: no profile, no document, no mirror. For who
    /// checks one; releases can be kept and moved without.
    #[must_use]
    pub fn nothing_to_check(&self) -> Option<Problem> {
        let is_empty = self.profiles.is_empty() && self.docs.is_empty() && self.mirror.is_none();
        is_empty.then(|| Problem {
            span: Some(self.profiles_at),
            message: "there is no profile, so that nothing would be checked".to_owned(),
            help: Some(
                "add what is deployed, such as `web: {channel: …, compose: [compose.yaml]}`, or list documents under `docs`"
                    .to_owned(),
            ),
        })
    }

    #[must_use]
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name.value == name)
    }

    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name.value == name)
    }

    #[must_use]
    pub fn overlay(&self, name: &str) -> Option<&Overlay> {
        self.overlays.iter().find(|overlay| overlay.name.value == name)
    }

    /// The manifest that a profile is held to: its ring's, if the ring names one, else its channel's.
    #[must_use]
    pub fn release_path(&self, profile: &Profile) -> Option<&Spanned<Utf8PathBuf>> {
        let channel = self.channel(&profile.channel)?;
        let ring = profile.ring.as_ref().and_then(|ring| channel.ring(ring));
        Some(ring.and_then(|ring| ring.release.as_ref()).unwrap_or(&channel.release))
    }

    /// How findings of a rule are reported, where the workspace says so.
    #[must_use]
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.rules.iter().find(|setting| setting.rule.value == rule).map(|setting| setting.level.value)
    }
}

impl Channel {
    #[must_use]
    pub fn ring(&self, name: &str) -> Option<&Ring> {
        self.rings.iter().find(|ring| ring.name.value == name)
    }
}

impl Profile {
    /// The kind of the profile, as `only_in` names it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.source {
            ProfileSource::Compose(_) => Kind::Compose,
            ProfileSource::Helm(_) => Kind::Helm,
            ProfileSource::Manifests(_) => Kind::Manifests,
        }
    }

    /// The spellings under which a release may list an image that this profile uses: the image itself, and the image
    /// under every registry that the profile maps to its own.
    #[must_use]
    pub fn listed_spellings(&self, image: &ImageRef) -> Vec<ImageRef> {
        let mapped = self
            .registry_map
            .iter()
            .filter(|(_, to)| to.value == image.registry())
            .map(|(from, _)| image.with_registry(from));
        std::iter::once(image.clone()).chain(mapped).collect()
    }

    /// The spelling in which this profile is meant to use an image that a release lists.
    #[must_use]
    pub fn profile_spelling(&self, listed: &ImageRef) -> ImageRef {
        match self.registry_map.iter().find(|(from, _)| from.value == listed.registry()) {
            Some((_, to)) => listed.with_registry(to),
            None => listed.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
