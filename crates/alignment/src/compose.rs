//! Reading rendered Compose projects: services and the images that they use.

use std::sync::Arc;

use camino::Utf8Path;
use composefile::{Map, Node, Project};
use release::{Component, ImageRef};

use crate::image::{Image, ImageRole, is_image_variable};
use crate::inputs::{Profile, Variant};
use crate::place::{Object, Path, Step};

/// Parts of a project that run containers.
const RUNNING: [(&str, &str); 2] = [("services", "service"), ("jobs", "job")];

/// Commands around a service's life that may run in an image of their own.
const HOOKS: [&str; 4] = ["pre_start", "post_start", "pre_stop", "post_stop"];

/// One service of a project.
pub(crate) struct Service<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: Path,
    group: &'static str,
    word: &'static str,
    name: &'a str,
}

impl Service<'_> {
    /// ``service `authority` ``
    pub(crate) fn title(&self) -> String {
        format!("{} `{}`", self.word, self.name)
    }
}

/// All services (and jobs), by name.
pub(crate) fn services(project: &Project) -> Vec<Service<'_>> {
    let mut out = Vec::new();
    for (group, word) in RUNNING {
        for (name, node) in entries(project.root.get(group)) {
            out.push(Service { node, path: Path::keys(&[group, name]), group, word, name });
        }
    }
    out
}

/// The projects of a profile with the services (and jobs) of each that are not the very same already in the one before: what is wrong with
/// such a service alone has been said.
pub(crate) fn new_services(profile: &Profile) -> Vec<(usize, &Project, Vec<Service<'_>>)> {
    let mut out: Vec<(usize, &Project, Vec<Service<'_>>)> = Vec::new();
    let projects =
        profile.variants.iter().enumerate().filter_map(|(variant, rendering)| Some((variant, rendering.compose()?)));
    let mut before: Option<&Project> = None;
    for (variant, compose) in projects {
        let project = &*compose.all;
        let is_known = |service: &Service<'_>| {
            let earlier = before.and_then(|before| before.root.at_path([service.group, service.name])?.as_map());
            earlier.zip(service.node.as_map()).is_some_and(|(earlier, service)| service.is_same(earlier))
        };
        let mut services = services(project);
        services.retain(|service| !is_known(service));
        out.push((variant, project, services));
        before = Some(project);
    }
    out
}

/// The entries of a mapping; none if it is absent or something else.
pub(crate) fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    node.and_then(Node::as_map).into_iter().flat_map(Map::iter).map(|(key, node)| (key.as_str(), node))
}

/// The items of a sequence; none if it is absent or something else.
pub(crate) fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_seq).unwrap_or_default()
}

/// The string under a key.
pub(crate) fn string<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}

/// Whether an image is what its service, or another one of the profile that bears its name, builds.
#[must_use]
pub fn is_built(profile: &Profile, image: &Image) -> bool {
    let [Step::Key(_), Step::Key(_), Step::Key(key)] = image.path.0.as_slice() else { return false };
    let builds = |service: &Service<'_>| {
        service.node.get("build").is_some_and(|build| !build.is_null())
            && string(service.node, "image") == Some(&*image.text)
    };
    let mut projects = profile.variants.iter().filter_map(Variant::compose);
    image.object == Object::Compose
        && key == "image"
        && projects.any(|compose| services(&compose.all).iter().any(builds))
}

/// What to do about an image that is built where the release's digest is to stand: no builder takes a name with a digest.
#[must_use]
pub fn built_way_out(component: &Component, manifest: &Utf8Path) -> String {
    format!(
        "take `build:` away where the release's image is to run; else take `{}` out of `{manifest}` and allow what is built: \
         `unmanaged: [{{image: {}, reason: a service builds it}}]` in `collimate.yaml`",
        component.name.value,
        component.image.name()
    )
}

/// Every image of a project.
pub(crate) fn images(project: &Project, variant: usize) -> Vec<Image> {
    let mut out: Vec<Image> = Vec::new();
    let mut push = |path: Path, text: &str, user: String, role: ImageRole| {
        let runs_as = match path.0.as_slice() {
            [_, Step::Key(service), Step::Key(key)] if &**key == "image" => service.to_string(),
            _ => String::new(),
        };
        out.push(Image {
            text: Arc::from(text),
            reference: text.parse::<ImageRef>(),
            variant,
            object: Object::Compose,
            path,
            offset: 0,
            user,
            runs_as,
            role,
        });
    };
    for service in services(project) {
        if let Some(image) = string(service.node, "image") {
            push(service.path.key("image"), image, service.title(), ImageRole::Runs);
        }
        for hook in HOOKS {
            for (index, item) in items(service.node.get(hook)).iter().enumerate() {
                if let Some(image) = string(item, "image") {
                    let user = format!("`{hook}` of {}", service.title());
                    push(service.path.key(hook).index(index).key("image"), image, user, ImageRole::Runs);
                }
            }
        }
        for (index, volume) in items(service.node.get("volumes")).iter().enumerate() {
            if string(volume, "type") == Some("image")
                && let Some(image) = string(volume, "source")
            {
                let user = format!("a volume of {}", service.title());
                push(service.path.key("volumes").index(index).key("source"), image, user, ImageRole::Data);
            }
        }
        for (name, value) in entries(service.node.get("environment")) {
            if let Some(value) = value.as_str()
                && is_image_variable(name, value)
            {
                let user = format!("variable `{name}` of {}", service.title());
                push(service.path.key("environment").key(name), value, user, ImageRole::Named);
            }
        }
    }
    for (name, model) in entries(project.root.get("models")) {
        if let Some(image) = string(model, "model") {
            push(Path::keys(&["models", name, "model"]), image, format!("model `{name}`"), ImageRole::Data);
        }
    }
    out
}
