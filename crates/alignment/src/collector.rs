//! OpenTelemetry Collectors of a profile, and the configuration that each of them would load.
//!
//! No name of a service decides: a collector is a container whose `--config` leads to a text that reads like a collector's, or
//! whose image is one. The path is followed as the container would: through bind mounts, configs, ConfigMaps and
//! Secrets that the profile itself renders. Start with [`Collector`] and [`find`].

mod compose;
mod container;
mod environment;
mod kubernetes;
mod listening;
mod pipelines;
mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use release::nearest;
use source::{FileId, Span};

use crate::inputs::{Inputs, Profile, Rendering};
use crate::place::{At, Object, Path, Place, Rendered};
use crate::survey::ProfileSurvey;
use container::{Argument, Container, Content, is_collector_image};

pub(crate) use container::Published;
pub(crate) use environment::Variables;
pub(crate) use listening::{Host, Listener, is_dialled_url, listeners};
pub(crate) use pipelines::{Kind, Pipeline, Pipelines, References, normal_id};
pub(crate) use tree::{Entry, Node, Plain, Refused, Spot, Value};

/// One collector of one rendering of a profile.
pub(crate) struct Collector {
    /// ``service `otel-collector` ``
    pub(crate) title: String,
    /// What it is called: by this, twins find each other.
    pub(crate) names: Vec<String>,
    pub(crate) variant: usize,
    pub(crate) object: Object,
    /// The container.
    pub(crate) path: Path,
    /// All layers merged. Absent where a layer is out of sight or refused: what the others say is not the whole then.
    pub(crate) config: Option<Arc<Node>>,
    /// Layers that the collector would refuse.
    pub(crate) refused: Vec<Refused>,
    /// Layers that a check cannot look at.
    pub(crate) unseen: Vec<Unseen>,
    pub(crate) variables: Variables,
    pub(crate) published: Vec<Published>,
}

/// A configuration that is out of sight.
pub(crate) struct Unseen {
    /// Where it is named: an argument, or the image.
    pub(crate) path: Path,
    pub(crate) message: String,
}

impl Collector {
    /// The place of bytes of the configuration.
    pub(crate) fn place(&self, profile: &ProfileSurvey<'_>, spot: &Spot) -> Place {
        match &*spot.origin {
            tree::Origin::File(file) => Place::source(Span::new(*file, spot.start..spot.end)).of(profile.name()),
            tree::Origin::Rendered { variant, object, path, offset } => {
                let range = offset.map(|offset| offset + spot.start..offset + spot.end);
                let rendered = Rendered { variant: *variant, object: *object, path: path.clone(), range };
                Place { profile: None, at: At::Rendered(rendered) }.of(profile.name())
            }
        }
    }

    /// The place of the container itself.
    pub(crate) fn container(&self, profile: &ProfileSurvey<'_>) -> Place {
        profile.value(self.variant, self.object, self.path.clone())
    }
}

/// Layers that are parsed already: one file serves many profiles.
pub(crate) type Parsed = BTreeMap<FileId, Result<Arc<Node>, Refused>>;

/// The collectors of a profile, in rendered order, variant by variant.
pub(crate) fn find(inputs: &Inputs<'_>, profile: &Profile, parsed: &mut Parsed) -> Vec<Collector> {
    let mut out = Vec::new();
    for (variant, rendering) in profile.variants.iter().enumerate() {
        let containers = match &rendering.rendering {
            Ok(Rendering::Compose(rendering)) => compose::containers(&rendering.all, variant, inputs),
            Ok(Rendering::Kubernetes(rendering)) => kubernetes::containers(rendering, variant),
            Err(_) => continue,
        };
        out.extend(containers.into_iter().filter_map(|container| collector(container, inputs, parsed)));
    }
    out
}

fn collector(container: Container, inputs: &Inputs<'_>, parsed: &mut Parsed) -> Option<Collector> {
    let by_name = is_collector_image(&container.repository);
    let locations = locations(&container.arguments);
    if locations.is_empty() && !by_name {
        return None;
    }
    let mut layers = Layers::default();
    if locations.is_empty() {
        layers.of_image(&container, inputs, parsed);
    }
    for location in &locations {
        layers.add(location, &container, inputs, parsed);
    }
    // Many programs have a `--config`.
    if !by_name && !layers.looks_like_collector {
        return None;
    }
    layers.refused.extend(misspelt(&container));
    let complete = layers.unseen.is_empty() && layers.refused.is_empty();
    Some(Collector {
        title: container.title,
        names: container.names,
        variant: container.variant,
        object: container.object,
        path: container.path,
        config: layers.merged.filter(|_| complete),
        refused: layers.refused,
        unseen: layers.unseen,
        variables: container.variables,
        published: container.published,
    })
}

/// What a collector's command line may say. It ends at anything else; only what is nearly one of these is taken for a mistake,
/// because other programs that read such configurations have options of their own.
const OPTIONS: [&str; 3] = ["config", "set", "feature-gates"];

fn misspelt(container: &Container) -> Option<Refused> {
    container.arguments.iter().find_map(|argument| {
        let flag = argument.text.strip_prefix("--").filter(|flag| flag.contains('='))?;
        let name = flag.split('=').next()?;
        let near = nearest(name, OPTIONS).filter(|near| *near != name)?;
        let (variant, object, path) = (container.variant, container.object, argument.path.clone());
        let origin = tree::Origin::Rendered { variant, object, path, offset: argument.exact.then_some(0) };
        let spot = Spot { origin: Arc::new(origin), start: 0, end: "--".len() + name.len() };
        Some(Refused { message: format!("it has no option `--{name}`; did you mean `--{near}`?"), spot })
    })
}

/// One `--config` of a command line.
struct Location<'a> {
    /// What follows the flag.
    text: String,
    argument: &'a Argument,
    /// Where `text` starts in the argument; `None` where it was made (`--set`).
    start: Option<usize>,
}

/// What the command line names, in the order in which the collector merges: every `--config`, then every `--set`.
fn locations(arguments: &[Argument]) -> Vec<Location<'_>> {
    let mut configs = Vec::new();
    let mut sets = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.text.strip_prefix("--").or_else(|| word.text.strip_prefix('-')) else { continue };
        let (name, argument, value) = match flag.split_once('=') {
            Some((name, value)) => (name, word, value),
            None if matches!(flag, "config" | "set") => match words.next() {
                Some(next) => (flag, next, next.text.as_str()),
                None => continue,
            },
            None => continue,
        };
        let start = argument.exact.then(|| argument.text.len() - value.len());
        match name {
            "config" => configs.push(Location { text: value.to_owned(), argument, start }),
            // As the collector turns it into a layer of its own.
            "set" => {
                if let Some((key, value)) = value.split_once('=') {
                    let text = format!("yaml:{}: {}", key.trim().replace('.', "::"), value.trim());
                    sets.push(Location { text, argument, start: None });
                }
            }
            _ => {}
        }
    }
    configs.append(&mut sets);
    configs
}

/// The layers of one collector, merged as they come.
#[derive(Default)]
struct Layers {
    merged: Option<Arc<Node>>,
    refused: Vec<Refused>,
    unseen: Vec<Unseen>,
    looks_like_collector: bool,
}

impl Layers {
    /// What the image's own command names.
    fn of_image(&mut self, container: &Container, inputs: &Inputs<'_>, parsed: &mut Parsed) {
        let path = container.path.key("image");
        if container.has_command {
            let message = "names no `--config` in its command".to_owned();
            return self.unseen.push(Unseen { path, message });
        }
        let paths = container.default_configs();
        let found = paths.iter().find_map(|path| container.read(path, inputs.facts).ok());
        match found {
            Some(content) => self.push(content, parsed),
            None => {
                let message = "uses the configuration of its image".to_owned();
                self.unseen.push(Unseen { path, message });
            }
        }
    }

    fn add(&mut self, location: &Location<'_>, container: &Container, inputs: &Inputs<'_>, parsed: &mut Parsed) {
        let path = || location.argument.path.clone();
        let (scheme, rest) = match location.text.split_once(':') {
            Some((scheme, rest)) if scheme.len() > 1 => (scheme, rest),
            _ => ("file", location.text.as_str()),
        };
        let content = match scheme {
            "file" => {
                container.read(Utf8Path::new(rest), inputs.facts).map_err(|why| format!("loads `{rest}`, which {why}"))
            }
            "env" => match container.variables.0.get(rest) {
                Some(variable) => match (&variable.text, &variable.path) {
                    (Some(text), Some(path)) => Ok(Self::rendered(container, text, path.clone(), Some(0))),
                    (Some(text), None) => Ok(Self::rendered(container, text, path(), None)),
                    (None, _) => Err(format!("loads its variable `{rest}`, which only the running system knows")),
                },
                None => Err(format!("loads its variable `{rest}`, which this profile does not set")),
            },
            "yaml" => {
                let offset = location.start.map(|start| start + "yaml:".len());
                Ok(Self::rendered(container, &Arc::from(rest), path(), offset))
            }
            _ => Err(format!("loads a configuration by `{scheme}:`")),
        };
        match content {
            Ok(content) => self.push(content, parsed),
            Err(message) => self.unseen.push(Unseen { path: path(), message }),
        }
    }

    fn rendered(container: &Container, text: &Arc<str>, path: Path, offset: Option<usize>) -> Content {
        let origin = tree::Origin::Rendered { variant: container.variant, object: container.object, path, offset };
        Content { text: Arc::clone(text), origin }
    }

    fn push(&mut self, content: Content, parsed: &mut Parsed) {
        let Content { text, origin } = content;
        let read = |origin| tree::parse(&text, &Arc::new(origin)).map(Arc::new);
        let layer = match origin {
            tree::Origin::File(file) => parsed.entry(file).or_insert_with(|| read(origin)).clone(),
            rendered => read(rendered),
        };
        match layer {
            Ok(node) => {
                self.looks_like_collector |=
                    node.at(&["service", "pipelines"]).is_some() || node.get("receivers").is_some();
                match &mut self.merged {
                    Some(merged) => tree::merge(Arc::make_mut(merged), Arc::unwrap_or_clone(node)),
                    None => self.merged = Some(node),
                }
            }
            Err(refused) => {
                // What cannot be read has no keys to know it by.
                self.looks_like_collector |= text.contains("receivers:") && text.contains("pipelines:");
                self.refused.push(refused);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_the_collector_does() {
        let argument = |text: &str| Argument { text: text.to_owned(), path: Path::default(), exact: true };
        let words =
            ["/otelcol", "--config", "a.yaml", "--set=processors.batch.timeout=2s", "-config=file:b.yaml", "--x=y"];
        let arguments: Vec<Argument> = words.into_iter().map(argument).collect();
        let found: Vec<(String, Option<usize>)> =
            locations(&arguments).into_iter().map(|location| (location.text, location.start)).collect();
        assert_eq!(
            found,
            [
                ("a.yaml".to_owned(), Some(0)),
                ("file:b.yaml".to_owned(), Some(8)),
                ("yaml:processors::batch::timeout: 2s".to_owned(), None),
            ]
        );
    }
}
