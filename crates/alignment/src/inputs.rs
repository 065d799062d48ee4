//! What the rules look at. All of it comes from outside as values: this crate reads no file and knows no clock.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use release::{Date, Problem, Release, Workspace};
use source::{Entry, FileError, FileId, FileKind, SourceMap, Span, Text};
use yamlspan::Document;

use crate::kubernetes::KnownObject;

/// Everything that one check looks at.
pub struct Inputs<'a> {
    pub workspace: &'a Workspace,
    /// The absolute folder of the workspace, as it was given to the engines: rendered paths start with it.
    pub root: &'a Utf8Path,
    /// Every release manifest of the workspace: current ones, those that rings name, and the archive.
    pub releases: &'a [ReleaseInput],
    /// The profiles that are checked, in the workspace's order.
    pub profiles: &'a [Profile],
    /// All files that were read: for names and written text of values that an engine gives a span for.
    pub sources: &'a SourceMap,
    pub facts: &'a dyn Facts,
}

/// What only the outside knows.
pub trait Facts: Sync {
    /// What stands at a path of the workspace.
    fn kind(&self, path: &Utf8Path) -> Option<FileKind>;

    /// The text of a file of the workspace that no engine asks for, such as one that a service mounts.
    ///
    /// # Errors
    /// Any [`FileError`].
    fn text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError>;

    /// The names in a folder of the workspace, sorted by bytes.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `Outside`, `Io`.
    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError>;

    /// Whether version control holds a file of the workspace, or would: `true` where nothing keeps it out.
    fn is_tracked(&self, path: &Utf8Path) -> bool;

    /// Those of the tracked files that are `wanted` which hold a private key (see [`private_key`](crate::private_key)), with the key's place.
    fn private_keys(&self, wanted: &dyn Fn(&Utf8Path) -> bool) -> Vec<PrivateKey>;

    /// What `helm lint` says of a profile; nothing where it is no Helm profile or does not render, which lint would say once more.
    fn lint(&self, profile: &Profile) -> Arc<[LintMessage]>;

    /// Names of the variables that the shell exports.
    fn exported(&self) -> &BTreeSet<String>;

    /// Today, for `until`.
    fn today(&self) -> Option<Date>;
}

/// A private key in a tracked file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKey {
    pub path: Utf8PathBuf,
    /// Its first line, where the file is text in the source map.
    pub span: Option<Span>,
    /// Such as `RSA private key`.
    pub what: String,
}

/// One release manifest, which is taken apart when somebody first asks: of years of releases, a step looks at a few. Copies share it.
#[derive(Clone, Debug)]
pub struct ReleaseInput {
    pub path: Utf8PathBuf,
    pub role: Role,
    /// Absent where the file could not be read.
    pub file: Option<FileId>,
    /// Why the file could not be read.
    pub unreadable: Option<FileError>,
    manifest: Arc<LazyManifest>,
}

#[derive(Debug)]
struct LazyManifest {
    text: Arc<str>,
    parsed: OnceLock<(Option<Release>, Vec<Problem>)>,
}

/// Why a release is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A channel's current release.
    Current { channel: String },
    /// The release that a ring still runs.
    Ring { channel: String, ring: String },
    /// A kept release that no profile is held to.
    Archive,
    /// A manifest that was named on the command line.
    Named,
}

impl ReleaseInput {
    /// A manifest and what stands in its file, or why it could not be read.
    #[must_use]
    pub fn new(path: Utf8PathBuf, role: Role, read: Result<(FileId, Arc<str>), FileError>) -> Self {
        let (file, text, unreadable) = match read {
            Ok((file, text)) => (Some(file), text, None),
            Err(error) => (None, Arc::from(""), Some(error)),
        };
        Self { path, role, file, unreadable, manifest: Arc::new(LazyManifest { text, parsed: OnceLock::new() }) }
    }

    /// The same manifest, looked at for another reason.
    #[must_use]
    pub fn in_role(&self, role: Role) -> Self {
        Self { role, ..self.clone() }
    }

    fn parsed(&self) -> Option<&(Option<Release>, Vec<Problem>)> {
        let file = self.file?;
        Some(self.manifest.parsed.get_or_init(|| Release::parse(&self.manifest.text, file)))
    }

    /// What can be read of it.
    #[must_use]
    pub fn release(&self) -> Option<&Release> {
        self.parsed()?.0.as_ref()
    }

    /// The release, if nothing is wrong with its manifest.
    #[must_use]
    pub fn sound(&self) -> Option<&Release> {
        self.release().filter(|_| self.problems().is_empty())
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        self.parsed().map_or(&[], |(_, problems)| problems)
    }

    /// What stands in its file; empty where it could not be read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.manifest.text
    }
}

/// One profile with its renderings.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its entry in the workspace.
    pub declared: release::Profile,
    /// Index into [`Inputs::releases`] of the release that it is held to.
    pub release: Option<usize>,
    /// Renderings: the profile itself first, then with each overlay laid over all before.
    pub variants: Vec<Variant>,
    /// Whether the env file is an operator's real one (`check --env-file`): its values are meant to be secret.
    pub operator_env: bool,
}

/// One rendering of a profile.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Overlays laid over the profile, in order; empty for the profile itself.
    pub overlays: Vec<String>,
    pub rendering: Result<Rendering, Failure>,
}

/// What a profile renders to.
#[derive(Clone, Debug)]
pub enum Rendering {
    Compose(ComposeRendering),
    Kubernetes(Arc<KubernetesRendering>),
}

/// A rendered Compose project.
#[derive(Clone, Debug)]
pub struct ComposeRendering {
    /// With all Compose profiles active: every image counts.
    pub all: Arc<composefile::Project>,
    /// With the default selection: what runs, for ports and names. The same as `all` where no service is in a Compose profile.
    pub default: Arc<composefile::Project>,
}

/// Rendered Kubernetes documents: manifests, then hooks.
#[derive(Clone, Debug, Default)]
pub struct KubernetesRendering {
    pub documents: Vec<KubeDocument>,
    /// Calls of functions whose result differs from run to run.
    pub nondeterministic: Vec<(String, Option<Span>)>,
    /// The namespace that objects without one go to.
    pub namespace: String,
    /// The objects in the documents, looked up when the first rule asks.
    pub(crate) objects: OnceLock<Vec<KnownObject>>,
}

impl KubernetesRendering {
    /// Rendered documents of objects that go to `namespace` where they name none.
    #[must_use]
    pub fn new(documents: Vec<KubeDocument>, namespace: impl Into<String>) -> Self {
        Self { documents, nondeterministic: Vec::new(), namespace: namespace.into(), objects: OnceLock::new() }
    }
}

/// One rendered Kubernetes document.
#[derive(Clone, Debug)]
pub struct KubeDocument {
    /// The template that printed it, or the file that it stands in.
    pub template: String,
    /// What was parsed, with its trace if the rendering was traced.
    pub text: Text,
    pub document: Arc<Document>,
    /// Whether it is a hook.
    pub hook: bool,
}

/// A rendering that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The engine's words.
    pub message: String,
    pub span: Option<Span>,
    /// The place that the one of `span` contradicts, where both are of one rank.
    pub earlier: Option<Span>,
    pub help: Option<String>,
}

/// One message of `helm lint`.
#[derive(Clone, Debug)]
pub struct LintMessage {
    pub severity: findings::Severity,
    /// The path that the message names, relative to the chart.
    pub path: String,
    pub text: String,
    pub span: Option<Span>,
}

impl Inputs<'_> {
    /// The release that a profile is held to, if it could be read.
    #[must_use]
    pub fn release_of(&self, profile: &Profile) -> Option<&Release> {
        self.releases.get(profile.release?)?.release()
    }
}

/// The index of the release that a declared profile is held to: its ring's, else its channel's.
#[must_use]
pub fn release_index(workspace: &Workspace, releases: &[ReleaseInput], declared: &release::Profile) -> Option<usize> {
    let path = workspace.release_path(declared)?;
    releases.iter().position(|release| release.path == path.value)
}

impl Profile {
    /// The profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declared.name.value
    }

    /// Whether every variant rendered.
    #[must_use]
    pub fn is_rendered(&self) -> bool {
        self.variants.iter().all(|variant| variant.rendering.is_ok())
    }
}

impl Variant {
    /// The Compose project with everything active, if this is a Compose rendering that succeeded.
    #[must_use]
    pub fn compose(&self) -> Option<&ComposeRendering> {
        match &self.rendering {
            Ok(Rendering::Compose(compose)) => Some(compose),
            _ => None,
        }
    }

    /// The Kubernetes documents, if this is such a rendering that succeeded.
    #[must_use]
    pub fn kubernetes(&self) -> Option<&KubernetesRendering> {
        match &self.rendering {
            Ok(Rendering::Kubernetes(kubernetes)) => Some(kubernetes),
            _ => None,
        }
    }
}
