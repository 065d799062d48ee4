//! A place: a stretch of a file that means something.

use std::ops::Range;

/// What a place is. The words are those of `docs/mutations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A whole image reference.
    Image,
    Registry,
    Repository,
    Tag,
    Digest,
    /// The digest of one platform, in a release manifest.
    Platform,
    /// A component of a release manifest, or a service of a Compose file.
    Component,
    /// `${NAME}`, or `.Values.name` in a template.
    Variable,
    /// What a variable takes its value from: the name in an env file.
    Setting,
    /// `include "name"` in a template.
    Include,
    /// The name of a variable of a container.
    Environment,
    Port,
    Volume,
    Network,
    Label,
    /// A label that names the release.
    ReleaseLabel,
    Selector,
    /// A label of a pod, which selectors look for.
    PodLabel,
    /// A ConfigMap, Secret, ServiceAccount or claim, where it is used.
    Reference,
    /// The same, where it is made.
    Name,
    Dependency,
    Healthcheck,
    /// `*name`.
    Alias,
    /// A path of another file.
    Source,
    /// `channel`, `ring`, `twin` or `overlays` of a profile, `promote_from` of a channel.
    Follows,
    /// What a workspace says is made elsewhere.
    External,
    Unmanaged,
    RegistryMap,
    /// Version, channel or date of a release manifest.
    Identity,
    /// `apiVersion` and `kind`.
    Kind,
    /// Any other value.
    Value,
    /// A whole file.
    File,
}

impl What {
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Registry => "registry",
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Digest => "digest",
            Self::Platform => "digest of a platform",
            Self::Component => "component or service",
            Self::Variable => "variable, used",
            Self::Setting => "variable, set",
            Self::Include => "include",
            Self::Environment => "variable of a container",
            Self::Port => "port",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Label => "label",
            Self::ReleaseLabel => "label of the release",
            Self::Selector => "selector",
            Self::PodLabel => "label of a pod",
            Self::Reference => "reference",
            Self::Name => "name of an object",
            Self::Dependency => "dependency",
            Self::Healthcheck => "health check",
            Self::Alias => "alias",
            Self::Source => "path of a file",
            Self::Follows => "what a profile follows",
            Self::External => "declared external",
            Self::Unmanaged => "unmanaged image",
            Self::RegistryMap => "mapped registry",
            Self::Identity => "identity of a release",
            Self::Kind => "kind of an object",
            Self::Value => "other value",
            Self::File => "file",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug)]
pub struct Place {
    pub file: String,
    pub what: What,
    /// Keys and indices that lead to it: the same in files of the same shape.
    pub path: String,
    /// The bytes that say it, without quotes.
    pub span: Range<usize>,
    /// What goes away with it: whole lines, or an item of a flow collection with its comma. None where it cannot go alone.
    pub entry: Option<Range<usize>>,
    /// The whole scalar with its quotes, if the place is one.
    pub scalar: Option<Range<usize>>,
    /// The collection that holds it.
    pub parent: Range<usize>,
}

impl Place {
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.clone()).unwrap_or_default()
    }
}
