//! One container as a collector sees it: its arguments, its variables, and which files of it the profile provides.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use source::normalize;

use crate::collector::environment::Variables;
use crate::collector::tree::Origin;
use crate::inputs::Facts;
use crate::place::{Object, Path};

/// A container of a rendering, Compose's or Kubernetes'.
pub(crate) struct Container {
    /// ``service `otel-collector` ``
    pub(crate) title: String,
    /// What it is called: by this, twins find each other.
    pub(crate) names: Vec<String>,
    pub(crate) variant: usize,
    pub(crate) object: Object,
    pub(crate) path: Path,
    /// The repository of its image, such as `otel/opentelemetry-collector`.
    pub(crate) repository: String,
    /// Whether it says itself what it runs. Else the image does.
    pub(crate) has_command: bool,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) working_dir: Utf8PathBuf,
    pub(crate) variables: Variables,
    pub(crate) mounts: Vec<MountPoint>,
    pub(crate) published: Vec<Published>,
}

/// One word of the command line.
pub(crate) struct Argument {
    pub(crate) text: String,
    pub(crate) path: Path,
    /// Whether `text` is the rendered value as it stands, so that ranges in it mean something.
    pub(crate) exact: bool,
}

/// What stands at a path of the container.
pub(crate) struct MountPoint {
    pub(crate) target: Utf8PathBuf,
    pub(crate) source: Source,
}

/// Where a mount's content comes from.
pub(crate) enum Source {
    /// A file or folder of the workspace.
    Workspace(Utf8PathBuf),
    /// A text in the rendering itself.
    Inline { text: Arc<str>, object: Object, path: Path },
    /// Something that a check cannot look at, in words.
    Elsewhere(String),
}

/// A port of the container that is reachable from outside of it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// Its number inside the container.
    pub(crate) port: u16,
    pub(crate) object: Object,
    pub(crate) path: Path,
    /// Who publishes it, for a related place.
    pub(crate) label: String,
}

/// The text of one configuration, and where it stands.
pub(crate) struct Content {
    pub(crate) text: Arc<str>,
    pub(crate) origin: Origin,
}

impl Container {
    /// The file at a path of the container.
    ///
    /// # Errors
    /// Why a check cannot look at it, in words that follow the path.
    pub(crate) fn read(&self, path: &Utf8Path, facts: &dyn Facts) -> Result<Content, String> {
        let path = normalize(&self.working_dir.join(path));
        // The deepest mount hides the others; of two at one place the later one does.
        let mount = self.mounts.iter().filter(|mount| path.starts_with(&mount.target)).reduce(|best, mount| {
            let deeper = mount.target.components().count() >= best.target.components().count();
            if deeper { mount } else { best }
        });
        let Some(mount) = mount else { return Err("is in the image or not there at all".to_owned()) };
        match &mount.source {
            Source::Workspace(source) => {
                let below = path.strip_prefix(&mount.target).unwrap_or(Utf8Path::new(""));
                let file = if below.as_str().is_empty() { source.clone() } else { source.join(below) };
                match facts.text(&file) {
                    Ok((id, text)) => Ok(Content { text, origin: Origin::File(id) }),
                    Err(error) => Err(format!("cannot be read: {error}")),
                }
            }
            Source::Inline { text, object, path: at } if path == mount.target => {
                let origin =
                    Origin::Rendered { variant: self.variant, object: *object, path: at.clone(), offset: Some(0) };
                Ok(Content { text: Arc::clone(text), origin })
            }
            Source::Inline { .. } => Err(format!("lies below the file `{}`", mount.target)),
            Source::Elsewhere(what) => Err(format!("comes from {what}")),
        }
    }

    /// Where the official images look if nothing names a configuration: a folder for each distribution.
    pub(crate) fn default_configs(&self) -> Vec<Utf8PathBuf> {
        let name = self.repository.rsplit('/').next().unwrap_or_default();
        let distribution = name.strip_prefix("opentelemetry-collector").unwrap_or_default();
        let mut paths = vec![Utf8PathBuf::from(format!("/etc/otelcol{distribution}/config.yaml"))];
        if !distribution.is_empty() {
            paths.push("/etc/otelcol/config.yaml".into());
        }
        paths
    }
}

/// Whether an image's repository says that it is a collector.
pub(crate) fn is_collector_image(repository: &str) -> bool {
    let name = repository.rsplit('/').next().unwrap_or_default();
    name.contains("opentelemetry-collector") || name.starts_with("otelcol") || name.starts_with("otel-collector")
}

/// Whether a container is worth a closer look: most of a profile's are not, and a check must stay fast.
pub(crate) fn may_be_collector<'a>(repository: &str, mut words: impl Iterator<Item = &'a str>) -> bool {
    is_collector_image(repository) || words.any(|word| word.trim_start_matches('-').starts_with("config"))
}
