//! The short lists of `docker compose config`: `--services`, `--images`, `--volumes` and so on.
//!
//! Compose prints most of them in the random order of Go's maps; these are sorted.

use std::collections::BTreeSet;

use source::Text;

use crate::{Map, Node, Project};

impl Project {
    /// `--services`: names.
    #[must_use]
    pub fn service_names(&self) -> Vec<String> {
        self.names("services")
    }

    /// `--volumes`: keys.
    #[must_use]
    pub fn volume_names(&self) -> Vec<String> {
        self.names("volumes")
    }

    /// `--networks`: keys.
    #[must_use]
    pub fn network_names(&self) -> Vec<String> {
        self.names("networks")
    }

    /// `--models`: the models' references.
    #[must_use]
    pub fn model_names(&self) -> Vec<String> {
        let models = self.root.get("models").and_then(Node::as_map).into_iter().flat_map(Map::iter);
        let mut names: Vec<String> =
            models.filter_map(|(_, model)| model.get("model").and_then(Node::as_str).map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// `--profiles`: the Compose profiles that any service declares, enabled or not.
    #[must_use]
    pub fn profile_names(&self) -> Vec<String> {
        let services = self.services().chain(self.disabled_services.iter());
        let declared: BTreeSet<String> = services
            .filter_map(|(_, service)| service.get("profiles").and_then(Node::as_seq))
            .flatten()
            .filter_map(|profile| profile.as_str().map(str::to_owned))
            .collect();
        declared.into_iter().collect()
    }

    /// `--images`: of services, their `pre_start` hooks and jobs. A service that is built has the name Compose gives
    /// its image.
    #[must_use]
    pub fn images(&self) -> Vec<Text> {
        let jobs = self.root.get("jobs").and_then(Node::as_map).into_iter().flat_map(Map::iter);
        let mut images: Vec<Text> = Vec::new();
        for (name, service) in self.services().chain(jobs) {
            let image = match service.get("image").and_then(Node::as_text) {
                Some(image) => image.clone(),
                None => Text::derived_from(format!("{}-{name}", self.name), [name]),
            };
            for hook in service.get("pre_start").and_then(Node::as_seq).unwrap_or_default() {
                if let Some(own) = hook.get("image").and_then(Node::as_text)
                    && *own != image
                {
                    images.push(own.clone());
                }
            }
            images.push(image);
        }
        images.sort();
        images
    }

    /// `--environment`: `NAME=value` lines of everything that variables are looked up in, sorted.
    #[must_use]
    pub fn environment_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort();
        lines
    }

    fn names(&self, section: &str) -> Vec<String> {
        let section = self.root.get(section).and_then(Node::as_map).into_iter().flat_map(Map::keys);
        let mut names: Vec<String> = section.map(ToString::to_string).collect();
        names.sort();
        names
    }
}
