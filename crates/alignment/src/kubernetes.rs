//! Reading rendered Kubernetes documents: objects, pods and the images in them.

use std::sync::Arc;

use release::{ImageRef, ImagesAt};
use yamlspan::{Kind, NodeRef, Scalar};

use crate::image::{Image, ImageRole, is_image_variable, match_argument};
use crate::inputs::KubernetesRendering;
use crate::place::{Object, Path};

/// Levels of a document that are walked: people write tens. YAML may have ten thousand, of which each would keep a path of all above it.
pub(crate) const DEEPEST: usize = 1_000;

/// Lists within lists deeper than this are not followed: the API server takes none.
const DEEPEST_LIST: usize = 4;

/// Nodes that an `images_at` path may visit in one document: a `*` over a hostile document must end.
const MOST_VISITED: usize = 100_000;

/// One object of a rendering: a document, or an item of a `List`.
#[derive(Clone, Debug)]
pub(crate) struct KubeObject<'a> {
    pub(crate) object: Object,
    /// The path of the object in its document: empty, or `items[n]`.
    pub(crate) path: Path,
    pub(crate) node: NodeRef<'a>,
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    /// Its own namespace, else that of the rendering.
    pub(crate) namespace: &'a str,
    pub(crate) hook: bool,
}

/// An object of a rendering as long as nobody looks at it.
#[derive(Clone, Debug)]
pub(crate) struct KnownObject {
    document: usize,
    path: Path,
    node: u32,
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
}

/// All objects of a rendering, lists taken apart.
pub(crate) fn objects(rendering: &KubernetesRendering) -> Vec<KubeObject<'_>> {
    let known = rendering.objects.get_or_init(|| {
        let mut known = Vec::new();
        for (index, document) in rendering.documents.iter().enumerate() {
            push_object(index, document.document.root(), Path::default(), 0, &mut known);
        }
        known
    });
    known.iter().filter_map(|known| known.in_rendering(rendering)).collect()
}

impl KnownObject {
    fn in_rendering<'a>(&'a self, rendering: &'a KubernetesRendering) -> Option<KubeObject<'a>> {
        let document = rendering.documents.get(self.document)?;
        Some(KubeObject {
            object: Object::Document(self.document),
            path: self.path.clone(),
            node: document.document.node(self.node)?,
            api_version: &self.api_version,
            kind: &self.kind,
            name: &self.name,
            namespace: self.namespace.as_ref().unwrap_or(&rendering.namespace),
            hook: document.hook,
        })
    }
}

fn push_object(document: usize, node: NodeRef<'_>, path: Path, depth: usize, out: &mut Vec<KnownObject>) {
    let target = node.target();
    if target.kind() != Kind::Mapping {
        return;
    }
    let text = |path: &[&str]| text(target, path).unwrap_or_default().to_owned();
    let kind = text(&["kind"]);
    if kind.ends_with("List")
        && depth < DEEPEST_LIST
        && let Some(items) = target.get("items")
    {
        let path = path.key("items");
        for (index, item) in items.items().enumerate() {
            push_object(document, item, path.index(index), depth + 1, out);
        }
        return;
    }
    out.push(KnownObject {
        document,
        path,
        node: node.id(),
        api_version: text(&["apiVersion"]),
        kind,
        name: text(&["metadata", "name"]),
        namespace: Some(text(&["metadata", "namespace"])).filter(|namespace| !namespace.is_empty()),
    });
}

/// The text of the scalar at a path of keys.
pub(crate) fn text<'a>(node: NodeRef<'a>, path: &[&str]) -> Option<&'a str> {
    scalar(node.at(path)?)
}

/// The text of a scalar that is not null.
pub(crate) fn scalar(node: NodeRef<'_>) -> Option<&str> {
    let node = node.target();
    (node.kind() == Kind::Scalar && !matches!(node.value(), Scalar::Null)).then(|| node.raw())
}

/// A pod template, or the pod itself.
#[derive(Clone, Debug)]
pub(crate) struct Pod<'a> {
    pub(crate) spec: NodeRef<'a>,
    pub(crate) spec_path: Path,
    pub(crate) metadata: Option<NodeRef<'a>>,
}

/// The containers of a pod, with the word for each kind.
pub(crate) const CONTAINERS: [(&str, &str); 3] =
    [("containers", "container"), ("initContainers", "init container"), ("ephemeralContainers", "ephemeral container")];

/// Where a container says what its kubelet connects to. A probe of `grpc` takes a number only.
pub(crate) const PROBES: [&[&str]; 13] = [
    &["startupProbe", "httpGet"],
    &["startupProbe", "tcpSocket"],
    &["startupProbe", "grpc"],
    &["readinessProbe", "httpGet"],
    &["readinessProbe", "tcpSocket"],
    &["readinessProbe", "grpc"],
    &["livenessProbe", "httpGet"],
    &["livenessProbe", "tcpSocket"],
    &["livenessProbe", "grpc"],
    &["lifecycle", "postStart", "httpGet"],
    &["lifecycle", "postStart", "tcpSocket"],
    &["lifecycle", "preStop", "httpGet"],
    &["lifecycle", "preStop", "tcpSocket"],
];

impl<'a> KubeObject<'a> {
    /// ``Deployment `authority` ``
    pub(crate) fn title(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    /// The path of keys below this object.
    pub(crate) fn path_of(&self, keys: &[&str]) -> Path {
        let mut path = self.path.clone();
        path.0.extend(Path::keys(keys).0);
        path
    }

    /// The group of the object's API, empty for the core.
    pub(crate) fn group(&self) -> &'a str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The pod that this object runs, by its kind.
    pub(crate) fn pod(&self) -> Option<Pod<'a>> {
        let at: &[&str] = match (self.kind, self.group()) {
            ("Pod", "") => &[],
            ("PodTemplate", "") => &["template"],
            ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet", "apps" | "extensions")
            | ("ReplicationController", "")
            | ("Job", "batch") => &["spec", "template"],
            ("CronJob", "batch") => &["spec", "jobTemplate", "spec", "template"],
            _ => return None,
        };
        let template = self.node.at(at)?;
        let spec = template.target().get("spec")?;
        Some(Pod { spec, spec_path: self.path_of(at).key("spec"), metadata: template.target().get("metadata") })
    }

    /// Whom a NetworkPolicy lets in and out.
    pub(crate) fn peers(&self) -> Vec<(Path, NodeRef<'a>)> {
        let mut out = Vec::new();
        for (direction, side) in [("ingress", "from"), ("egress", "to")] {
            let rules = self.node.at(&["spec", direction]).into_iter().flat_map(|rules| rules.target().items());
            for (index, rule) in rules.enumerate() {
                let peers = rule.target().get(side).into_iter().flat_map(|peers| peers.target().items());
                let path = self.path_of(&["spec", direction]).index(index).key(side);
                out.extend(peers.enumerate().map(|(position, peer)| (path.index(position), peer)));
            }
        }
        out
    }
}

impl<'a> Pod<'a> {
    /// Every container: its kind in words, its path and its node.
    pub(crate) fn containers(&self) -> Vec<(&'static str, Path, NodeRef<'a>)> {
        let mut out = Vec::new();
        for (key, word) in CONTAINERS {
            let Some(list) = self.spec.target().get(key) else { continue };
            let path = self.spec_path.key(key);
            out.extend(list.items().enumerate().map(|(index, node)| (word, path.index(index), node)));
        }
        out
    }

    /// Where its labels are, or would be.
    pub(crate) fn labels_path(&self) -> Option<Path> {
        let (_, template) = self.spec_path.0.split_last()?;
        Some(Path(template.to_vec()).key("metadata").key("labels"))
    }

    /// The pod's volumes.
    pub(crate) fn volumes(&self) -> Vec<(Path, NodeRef<'a>)> {
        let Some(list) = self.spec.target().get("volumes") else { return Vec::new() };
        let path = self.spec_path.key("volumes");
        list.items().enumerate().map(|(index, node)| (path.index(index), node)).collect()
    }
}

/// Every image of a rendering.
pub(crate) fn images(rendering: &KubernetesRendering, variant: usize, images_at: &[ImagesAt]) -> Vec<Image> {
    let mut out = Collector { variant, images: Vec::new() };
    for object in objects(rendering) {
        if let Some(pod) = object.pod() {
            pod_images(&object, &pod, images_at, &mut out);
        }
        for at in images_at {
            if let ImagesAt::Path { kind, path } = at
                && kind.value == object.kind
            {
                let steps: Vec<&str> = path.value.split('.').collect();
                let mut left = MOST_VISITED;
                custom_images(&object, object.node, object.path.clone(), &steps, &mut left, &mut out);
            }
        }
    }
    out.images
}

struct Collector {
    variant: usize,
    images: Vec<Image>,
}

impl Collector {
    fn push(&mut self, object: Object, path: Path, text: &str, offset: usize, user: String, role: ImageRole) {
        self.images.push(Image {
            text: Arc::from(text),
            reference: text.parse::<ImageRef>(),
            variant: self.variant,
            object,
            path,
            offset,
            user,
            runs_as: String::new(),
            role,
        });
    }
}

fn pod_images(object: &KubeObject<'_>, pod: &Pod<'_>, images_at: &[ImagesAt], out: &mut Collector) {
    for (word, path, container) in pod.containers() {
        let container = container.target();
        let name = text(container, &["name"]).unwrap_or_default();
        let user = format!("{word} `{name}` of {}", object.title());
        if let Some(image) = text(container, &["image"]) {
            out.push(object.object, path.key("image"), image, 0, user.clone(), ImageRole::Runs);
            out.images.last_mut().into_iter().for_each(|image| name.clone_into(&mut image.runs_as));
        }
        if let Some(env) = container.get("env") {
            for (index, entry) in env.items().enumerate() {
                let (Some(name), Some(value)) = (text(entry, &["name"]), text(entry, &["value"])) else { continue };
                if is_image_variable(name, value) {
                    let path = path.key("env").index(index).key("value");
                    out.push(object.object, path, value, 0, format!("variable `{name}` of {user}"), ImageRole::Named);
                }
            }
        }
        for key in ["command", "args"] {
            let Some(list) = container.get(key) else { continue };
            for (index, argument) in list.items().enumerate() {
                let Some(argument) = scalar(argument) else { continue };
                for pattern in images_at {
                    if let ImagesAt::Args(pattern) = pattern
                        && let Some(range) = match_argument(pattern, argument)
                    {
                        let path = path.key(key).index(index);
                        let user = format!("an argument of {user}");
                        out.push(object.object, path, &argument[range.clone()], range.start, user, ImageRole::Named);
                    }
                }
            }
        }
    }
    for (path, volume) in pod.volumes() {
        if let Some(image) = text(volume, &["image", "reference"]) {
            let name = text(volume, &["name"]).unwrap_or_default();
            let user = format!("volume `{name}` of {}", object.title());
            out.push(object.object, path.key("image").key("reference"), image, 0, user, ImageRole::Data);
        }
    }
}

fn custom_images(
    object: &KubeObject<'_>,
    node: NodeRef<'_>,
    path: Path,
    steps: &[&str],
    left: &mut usize,
    out: &mut Collector,
) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let node = node.target();
    let Some((step, rest)) = steps.split_first() else {
        if let Some(image) = scalar(node) {
            out.push(object.object, path, image, 0, object.title(), ImageRole::Named);
        }
        return;
    };
    match node.kind() {
        Kind::Sequence => {
            let wanted: Option<usize> = step.parse().ok();
            for (index, item) in node.items().enumerate() {
                if *step == "*" || wanted == Some(index) {
                    custom_images(object, item, path.index(index), rest, left, out);
                }
            }
        }
        Kind::Mapping if *step == "*" => {
            for (key, value) in node.entries() {
                custom_images(object, value, path.key(key.raw()), rest, left, out);
            }
        }
        Kind::Mapping => {
            if let Some(value) = node.get(step) {
                custom_images(object, value, path.key(step), rest, left, out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
