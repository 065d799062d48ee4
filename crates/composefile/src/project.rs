//! A loaded project and what can be asked of it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use source::{FileId, Text};

use crate::{EnvFile, Map, Node, ServiceFile, VariableUse, Warning};

/// A project as `docker compose config` sees it: one merged, normalised tree.
#[derive(Clone, Debug)]
pub struct Project {
    pub name: String,
    /// Absolute project folder.
    pub working_dir: Utf8PathBuf,
    /// `name`, `services`, `networks`, `volumes`, `secrets`, `configs`, `models`, `jobs` and `x-…` in the order of
    /// the printed output. Keys that Compose does not print are absent.
    pub root: Node,
    /// Services that no active Compose profile selects, as loaded.
    pub disabled_services: Map,
    /// The whole environment that variables were looked up in.
    pub environment: BTreeMap<String, Text>,
    /// Every use of a variable, in the order of evaluation.
    pub variables: Vec<VariableUse>,
    /// Env files read for variables.
    pub env_files: Vec<EnvFile>,
    /// `env_file:` and `label_file:` of services.
    pub service_files: Vec<ServiceFile>,
    pub warnings: Vec<Warning>,
    /// The Compose files read, in order, included and extended ones too.
    pub compose_files: Vec<(Utf8PathBuf, FileId)>,
    /// Whether `root` is the typed project (else the raw model of `--no-interpolate`).
    pub(crate) typed: bool,
    /// Whether variables were replaced: then `$` is doubled on the way out.
    pub(crate) interpolated: bool,
}

impl Project {
    /// The services by name.
    pub fn services(&self) -> impl Iterator<Item = (&Text, &Node)> {
        self.root.get("services").and_then(Node::as_map).into_iter().flat_map(Map::iter)
    }

    /// A service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Node> {
        self.root.get("services")?.get(name)
    }
}
