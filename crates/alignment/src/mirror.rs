//! What of a managed mirror a rendering deploys: variables of Concelier and Excititor, words of the verifier's command, and the
//! gateway's configuration with how many gateways run it.
//!
//! No name of a service decides. Concelier is what has its variables, the verifier what runs `mirror auth`, and a gateway what mounts
//! a configuration that `collimate mirror render` wrote.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Node, Project, Value};
use mirror::MARK;
use source::{FileId, Span};
use yamlspan::NodeRef;

use crate::compose::{Service, entries, items, services};
use crate::inputs::{Inputs, KubernetesRendering, Rendering};
use crate::kubernetes::{KubeObject, Pod, objects, scalar, text};
use crate::mounts::{inside, mounts};
use crate::place::{At, Object, Path, Place};
use crate::survey::ProfileSurvey;

/// The file that a gateway starts from.
const FIRST_FILE: &str = "nginx.conf";

/// Everything of a mirror in one rendering.
#[derive(Default)]
pub(crate) struct Deployed {
    /// Those that have variables of a mirror or run the verifier.
    pub(crate) containers: Vec<Container>,
    pub(crate) gateways: Vec<Gateway>,
}

/// A container, as far as a mirror is concerned.
pub(crate) struct Container {
    /// ``service `concelier` ``
    pub(crate) title: String,
    pub(crate) place: Place,
    /// Those of the mirror.
    pub(crate) variables: Vec<Variable>,
    /// The verifier's command; empty for any other.
    pub(crate) words: Vec<(String, Place)>,
}

pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Of the value.
    pub(crate) place: Place,
    /// Of the name.
    pub(crate) named: Place,
}

/// A configuration of a gateway.
pub(crate) struct Gateway {
    /// ``service `gateway` ``, ``ConfigMap `mirror-gateway` ``
    pub(crate) title: String,
    /// Where it is named: a mount, or the object itself.
    pub(crate) place: Place,
    /// The folder of the workspace that is mounted.
    pub(crate) folder: Option<Utf8PathBuf>,
    /// Its files by name.
    pub(crate) files: BTreeMap<String, File>,
    /// How many run it, where that is said.
    pub(crate) counts: Vec<Count>,
}

/// A file of a gateway.
pub(crate) struct File {
    pub(crate) text: Arc<str>,
    home: Home,
}

enum Home {
    Disk(FileId, Arc<str>),
    Rendered(Place),
}

/// A number of gateways.
pub(crate) struct Count {
    pub(crate) number: i64,
    pub(crate) place: Place,
    /// ``Deployment `mirror-gateway` ``
    pub(crate) title: String,
}

impl File {
    /// The place of a line, counted from 1; of the last one where there are not so many.
    pub(crate) fn line(&self, line: usize) -> Place {
        let mut start = 0;
        let mut range = 0..0;
        for text in self.text.split_inclusive('\n').take(line) {
            range = start..start + text.trim_end().len();
            start += text.len();
        }
        match &self.home {
            Home::Disk(file, profile) => Place::source(Span::new(*file, range)).of(profile),
            Home::Rendered(place) => {
                let mut place = place.clone();
                if let At::Rendered(rendered) = &mut place.at {
                    rendered.range = Some(range);
                }
                place
            }
        }
    }
}

/// Whether a variable is one of a mirror's; a deployment has hundreds of others.
fn is_mirrors(name: &str) -> bool {
    name.contains("__MIRROR__")
}

/// The words of a command, with the key and the index that each stands at, if it is the verifier's: `collimate mirror auth …`.
fn verifiers<'w>(words: impl Iterator<Item = (&'w str, &'static str, usize)>) -> Vec<(&'w str, &'static str, usize)> {
    let words: Vec<_> = words.collect();
    let is_verifiers = words.windows(2).any(|pair| matches!(pair, [("mirror", ..), ("auth", ..)]));
    if is_verifiers { words } else { Vec::new() }
}

/// What of a mirror a variant of a profile deploys.
pub(crate) fn deployed(profile: &ProfileSurvey<'_>, variant: usize, inputs: &Inputs<'_>) -> Deployed {
    match profile.profile.variants.get(variant).map(|variant| &variant.rendering) {
        Some(Ok(Rendering::Compose(rendering))) => of_compose(profile, variant, &rendering.all, inputs),
        Some(Ok(Rendering::Kubernetes(rendering))) => of_kubernetes(profile, variant, rendering),
        _ => Deployed::default(),
    }
}

fn of_compose(profile: &ProfileSurvey<'_>, variant: usize, project: &Project, inputs: &Inputs<'_>) -> Deployed {
    let mut deployed = Deployed::default();
    let at = |path: Path| profile.value(variant, Object::Compose, path);
    for service in services(project) {
        let variables = entries(service.node.get("environment"));
        let is_set = |(name, value): &(&str, &Node)| is_mirrors(name) && !matches!(value.value, Value::Null);
        let variables: Vec<Variable> = variables
            .filter(is_set)
            .map(|(name, value)| {
                let list = service.path.key("environment");
                let (place, named) = (at(list.key(name)), at(list.name(name)));
                Variable { name: name.to_owned(), value: value.to_go_text().to_arc().to_string(), place, named }
            })
            .collect();
        let words = verifiers(["entrypoint", "command"].into_iter().flat_map(|key| {
            let words = items(service.node.get(key)).iter().enumerate();
            words.filter_map(move |(index, word)| Some((word.as_str()?, key, index)))
        }));
        if !variables.is_empty() || !words.is_empty() {
            let word =
                |(word, key, index): (&str, &str, usize)| (word.to_owned(), at(service.path.key(key).index(index)));
            deployed.containers.push(Container {
                title: service.title(),
                place: at(service.path.clone()),
                variables,
                words: words.into_iter().map(word).collect(),
            });
        }
        for mount in mounts(&service) {
            let Some(folder) = inside(inputs.root, mount.source) else { continue };
            let files = folder_files(&folder, profile, inputs);
            if is_gateway(&files) {
                deployed.gateways.push(Gateway {
                    title: service.title(),
                    place: at(mount.path),
                    folder: Some(folder),
                    files,
                    counts: compose_counts(&service, &at),
                });
            }
        }
    }
    deployed
}

/// `deploy.replicas`, or `scale`, which older files have.
fn compose_counts(service: &Service<'_>, at: &impl Fn(Path) -> Place) -> Vec<Count> {
    let replicas = service.node.get("deploy").and_then(|deploy| deploy.get("replicas"));
    let found = [
        (replicas, service.path.key("deploy").key("replicas")),
        (service.node.get("scale"), service.path.key("scale")),
    ];
    let counts = found
        .into_iter()
        .filter_map(|(node, path)| Some(Count { number: node?.as_int()?, place: at(path), title: service.title() }));
    counts.collect()
}

/// The files of a folder of the workspace that are text; none if it is not there.
fn folder_files(folder: &Utf8Path, profile: &ProfileSurvey<'_>, inputs: &Inputs<'_>) -> BTreeMap<String, File> {
    // Most folders are no gateway's, and may be large.
    if inputs.facts.text(&folder.join(FIRST_FILE)).is_err() {
        return BTreeMap::new();
    }
    let entries = inputs.facts.list(folder).unwrap_or_default();
    let files = entries.into_iter().filter(|entry| entry.kind == source::EntryKind::File);
    let files = files.filter_map(|entry| {
        let (id, text) = inputs.facts.text(&folder.join(&entry.name)).ok()?;
        Some((entry.name, File { text, home: Home::Disk(id, Arc::from(profile.name())) }))
    });
    files.collect()
}

fn is_gateway(files: &BTreeMap<String, File>) -> bool {
    files.get(FIRST_FILE).is_some_and(|file| file.text.starts_with(MARK))
}

fn of_kubernetes(profile: &ProfileSurvey<'_>, variant: usize, rendering: &KubernetesRendering) -> Deployed {
    let all = objects(rendering);
    let mut deployed = Deployed::default();
    for object in &all {
        let at = |path: Path| profile.value(variant, object.object, path);
        if let Some(pod) = object.pod() {
            for (word, path, container) in pod.containers() {
                deployed.containers.extend(kubernetes_container(profile, variant, &all, object, word, path, container));
            }
        }
        if object.kind == "ConfigMap" {
            let data = object.node.at(&["data"]).map(NodeRef::target);
            // Most hold no gateway's files, and may be large.
            let data = data.filter(|data| data.get(FIRST_FILE).is_some());
            let files = data.into_iter().flat_map(NodeRef::entries).filter_map(|(key, value)| {
                let home = Home::Rendered(at(object.path_of(&["data", key.raw()])));
                Some((key.raw().to_owned(), File { text: Arc::from(scalar(value)?), home }))
            });
            let files: BTreeMap<String, File> = files.collect();
            if is_gateway(&files) {
                deployed.gateways.push(Gateway {
                    title: object.title(),
                    place: at(object.path_of(&["metadata", "name"])),
                    folder: None,
                    files,
                    counts: kubernetes_counts(profile, variant, &all, object),
                });
            }
        }
    }
    deployed
}

fn kubernetes_container(
    profile: &ProfileSurvey<'_>,
    variant: usize,
    all: &[KubeObject<'_>],
    object: &KubeObject<'_>,
    word: &str,
    path: Path,
    container: NodeRef<'_>,
) -> Option<Container> {
    let container = container.target();
    let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
    let mut set = |name: String, value: &str, place: Place, named: Place| {
        variables.insert(name.clone(), Variable { name, value: value.to_owned(), place, named });
    };
    for source in container.get("envFrom").map(NodeRef::target).iter().flat_map(|list| list.items()) {
        let prefix = text(source, &["prefix"]).unwrap_or_default();
        let Some(map) = text(source, &["configMapRef", "name"]).and_then(|name| sibling(all, object, name)) else {
            continue;
        };
        let data = map.node.at(&["data"]).map(NodeRef::target);
        for (key, value) in data.into_iter().flat_map(NodeRef::entries) {
            // Nearly every key is none of a mirror's.
            if prefix.is_empty() && !is_mirrors(key.raw()) {
                continue;
            }
            let name = format!("{prefix}{}", key.raw());
            if is_mirrors(&name) {
                let at = |path: Path| profile.value(variant, map.object, path);
                let data = map.path_of(&["data"]);
                set(name, scalar(value).unwrap_or_default(), at(data.key(key.raw())), at(data.name(key.raw())));
            }
        }
    }
    for (index, entry) in container.get("env").map(NodeRef::target).iter().flat_map(|list| list.items()).enumerate() {
        let (Some(name), Some(value)) = (text(entry, &["name"]), text(entry, &["value"])) else { continue };
        if is_mirrors(name) {
            let at = |key: &str| profile.value(variant, object.object, path.key("env").index(index).key(key));
            set(name.to_owned(), value, at("value"), at("name"));
        }
    }
    let words = verifiers(["command", "args"].into_iter().flat_map(|key| {
        let words = container.get(key).map(NodeRef::target).into_iter().flat_map(NodeRef::items).enumerate();
        words.filter_map(move |(index, word)| Some((scalar(word)?, key, index)))
    }));
    if variables.is_empty() && words.is_empty() {
        return None;
    }
    let name = text(container, &["name"]).unwrap_or_default();
    let word_at = |(word, key, index): (&str, &str, usize)| {
        (word.to_owned(), profile.value(variant, object.object, path.key(key).index(index)))
    };
    Some(Container {
        title: format!("{word} `{name}` of {}", object.title()),
        words: words.into_iter().map(word_at).collect(),
        place: profile.value(variant, object.object, path),
        variables: variables.into_values().collect(),
    })
}

fn sibling<'o, 'a>(all: &'o [KubeObject<'a>], object: &KubeObject<'_>, name: &str) -> Option<&'o KubeObject<'a>> {
    let is_it = |other: &&KubeObject<'_>| {
        other.kind == "ConfigMap" && other.name == name && other.namespace == object.namespace
    };
    all.iter().find(is_it)
}

/// How many pods mount a ConfigMap, and how many an autoscaler may make of them.
fn kubernetes_counts(
    profile: &ProfileSurvey<'_>,
    variant: usize,
    all: &[KubeObject<'_>],
    map: &KubeObject<'_>,
) -> Vec<Count> {
    let mut counts = Vec::new();
    let mut count = |object: &KubeObject<'_>, path: &[&str]| {
        let number = text(object.node, path).and_then(|number| number.parse().ok());
        counts.extend(number.map(|number| Count {
            number,
            place: profile.value(variant, object.object, object.path_of(path)),
            title: object.title(),
        }));
    };
    let here = |object: &&KubeObject<'_>| object.namespace == map.namespace;
    for object in all.iter().filter(here) {
        if !object.pod().is_some_and(|pod| uses(&pod, map.name)) {
            continue;
        }
        count(object, &["spec", "replicas"]);
        for scaler in all.iter().filter(here).filter(|scaler| scaler.kind == "HorizontalPodAutoscaler") {
            let target = |key| text(scaler.node, &["spec", "scaleTargetRef", key]);
            if target("kind") == Some(object.kind) && target("name") == Some(object.name) {
                count(scaler, &["spec", "maxReplicas"]);
            }
        }
    }
    counts
}

fn uses(pod: &Pod<'_>, name: &str) -> bool {
    pod.volumes().iter().any(|(_, volume)| {
        let sources = volume.target().at(&["projected", "sources"]).map(NodeRef::target);
        let projected = sources.into_iter().flat_map(NodeRef::items);
        text(*volume, &["configMap", "name"]) == Some(name)
            || projected.into_iter().any(|source| text(source, &["configMap", "name"]) == Some(name))
    })
}
