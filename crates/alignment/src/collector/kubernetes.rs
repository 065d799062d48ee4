//! Containers of Kubernetes pods, with what the profile's own ConfigMaps and Secrets give them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use release::ImageRef;
use source::normalize;
use yamlspan::{Kind, NodeRef};

use crate::collector::container::{Argument, Container, MountPoint, Published, Source, may_be_collector};
use crate::collector::environment::{Variable, Variables};
use crate::inputs::KubernetesRendering;
use crate::kubernetes::{KubeObject, Pod, objects, scalar, text};
use crate::place::Path;

/// The containers of all pods of a rendering.
pub(super) fn containers(rendering: &KubernetesRendering, variant: usize) -> Vec<Container> {
    let objects = objects(rendering);
    let mut out = Vec::new();
    for object in &objects {
        let Some(pod) = object.pod() else { continue };
        let reader = Reader { objects: &objects, object, pod: &pod, variant };
        out.extend(pod.containers().into_iter().filter_map(|(word, path, node)| reader.container(word, path, node)));
    }
    out
}

/// One pod among everything that is rendered with it.
struct Reader<'r, 'a> {
    objects: &'r [KubeObject<'a>],
    object: &'r KubeObject<'a>,
    pod: &'r Pod<'a>,
    variant: usize,
}

impl<'a> Reader<'_, 'a> {
    fn container(&self, word: &str, path: Path, node: NodeRef<'a>) -> Option<Container> {
        let image = text(node, &["image"]).and_then(|image| image.parse::<ImageRef>().ok());
        let repository = image.map(|image| image.repository().to_owned()).unwrap_or_default();
        let words = |key| node.target().get(key).map(NodeRef::target).into_iter().flat_map(NodeRef::items);
        if !may_be_collector(&repository, words("command").chain(words("args")).filter_map(scalar)) {
            return None;
        }
        let name = text(node, &["name"]).unwrap_or_default();
        let variables = self.variables(node, &path);
        let mut arguments = Vec::new();
        for key in ["command", "args"] {
            for (index, word) in words(key).enumerate() {
                let Some(written) = scalar(word) else { continue };
                let text = references(written, &variables);
                let exact = text == written;
                arguments.push(Argument { text, path: path.key(key).index(index), exact });
            }
        }
        Some(Container {
            title: format!("{word} `{name}` of {}", self.object.title()),
            names: vec![self.object.name.to_owned(), name.to_owned()],
            variant: self.variant,
            object: self.object.object,
            mounts: self.mounts(node),
            published: self.published(node, &path),
            path,
            repository,
            has_command: !arguments.is_empty(),
            arguments,
            working_dir: Utf8Path::new("/").join(text(node, &["workingDir"]).unwrap_or_default()),
            variables,
        })
    }

    /// An object of this kind and name in the pod's namespace.
    fn sibling(&self, kind: &str, name: &str) -> Option<&KubeObject<'a>> {
        self.objects.iter().find(|object| {
            object.kind == kind
                && object.name == name
                && object.namespace == self.object.namespace
                && object.group().is_empty()
        })
    }

    fn variables(&self, container: NodeRef<'a>, path: &Path) -> Variables {
        let mut all = BTreeMap::new();
        let container = container.target();
        for from in container.get("envFrom").map(NodeRef::target).iter().flat_map(|list| list.items()) {
            let prefix = text(from, &["prefix"]).unwrap_or_default();
            let map = text(from, &["configMapRef", "name"]).and_then(|name| self.sibling("ConfigMap", name));
            let data = map.and_then(|map| map.node.at(&["data"])).map(NodeRef::target);
            for (key, value) in data.iter().flat_map(|data| data.entries()) {
                let variable = Variable { text: scalar(value).map(Arc::from), path: None };
                all.insert(Arc::from(format!("{prefix}{}", key.raw())), variable);
            }
        }
        let list = path.key("env");
        for (index, entry) in container.get("env").map(NodeRef::target).iter().flat_map(|list| list.items()).enumerate()
        {
            let Some(name) = text(entry, &["name"]) else { continue };
            let variable = match entry.at(&["valueFrom"]) {
                Some(from) => Variable { text: self.value_from(from).map(Arc::from), path: None },
                // A variable that names others is left alone: their order decides.
                None => {
                    let value = text(entry, &["value"]).unwrap_or_default();
                    let text = (!value.contains("$(")).then(|| Arc::from(value));
                    Variable { text, path: Some(list.index(index).key("value")) }
                }
            };
            all.insert(Arc::from(name), variable);
        }
        Variables(all)
    }

    fn value_from(&self, from: NodeRef<'a>) -> Option<&'a str> {
        let map = self.sibling("ConfigMap", text(from, &["configMapKeyRef", "name"])?)?;
        text(map.node, &["data", text(from, &["configMapKeyRef", "key"])?])
    }

    fn mounts(&self, container: NodeRef<'a>) -> Vec<MountPoint> {
        let mut out = Vec::new();
        let volumes = self.pod.volumes();
        let mounts = container.target().get("volumeMounts").map(NodeRef::target);
        for mount in mounts.iter().flat_map(|list| list.items()) {
            let (Some(name), Some(at)) = (text(mount, &["name"]), text(mount, &["mountPath"])) else { continue };
            let volume =
                volumes.iter().map(|(_, volume)| *volume).find(|volume| text(*volume, &["name"]) == Some(name));
            let target = normalize(&Utf8Path::new("/").join(at));
            let sub_path = text(mount, &["subPath"]).filter(|path| !path.is_empty());
            let files = volume.map(|volume| self.files(volume)).unwrap_or_default();
            let what = format!("volume `{name}`, which holds no such file");
            match sub_path.map(|path| normalize(Utf8Path::new(path))) {
                None => {
                    out.push(MountPoint { target: target.clone(), source: Source::Elsewhere(what) });
                    out.extend(
                        files.into_iter().map(|(path, source)| MountPoint { target: target.join(path), source }),
                    );
                }
                Some(sub_path) => {
                    let mut found = false;
                    for (path, source) in files {
                        if path.as_str().is_empty() {
                            out.push(MountPoint { target: target.clone(), source });
                            found = true;
                        } else if let Ok(below) = path.strip_prefix(&sub_path) {
                            let target = if below.as_str().is_empty() { target.clone() } else { target.join(below) };
                            out.push(MountPoint { target, source });
                            found = true;
                        }
                    }
                    if !found {
                        out.push(MountPoint { target, source: Source::Elsewhere(what) });
                    }
                }
            }
        }
        out
    }

    /// The files of a volume, by their path in it. A volume that a check cannot look into is one file without a name.
    fn files(&self, volume: NodeRef<'a>) -> Vec<(Utf8PathBuf, Source)> {
        let volume = volume.target();
        if let Some(sources) = volume.at(&["projected", "sources"]) {
            return sources.target().items().flat_map(|source| self.of_object(source, &["name"], &["name"])).collect();
        }
        let found = self.of_object(volume, &["name"], &["secretName"]);
        if !found.is_empty() {
            return found;
        }
        let kind = volume.entries().map(|(key, _)| key.raw()).find(|key| *key != "name").unwrap_or("emptyDir");
        vec![(Utf8PathBuf::new(), Source::Elsewhere(format!("a volume of type `{kind}`")))]
    }

    /// The files of a `configMap` or `secret` entry.
    fn of_object(&self, entry: NodeRef<'a>, map_name: &[&str], secret_name: &[&str]) -> Vec<(Utf8PathBuf, Source)> {
        let entry = entry.target();
        for (key, kind, name, data) in
            [("configMap", "ConfigMap", map_name, "data"), ("secret", "Secret", secret_name, "stringData")]
        {
            let Some(spec) = entry.get(key) else { continue };
            let name = text(spec, name).unwrap_or_default();
            let Some(object) = self.sibling(kind, name) else {
                let what = format!("{kind} `{name}`, which this profile does not render");
                return vec![(Utf8PathBuf::new(), Source::Elsewhere(what))];
            };
            let values = object.node.at(&[data]).map(NodeRef::target);
            let values = values.into_iter().flat_map(NodeRef::entries);
            let items: Option<Vec<(&str, &str)>> = spec.target().get("items").map(|items| {
                let items = items.target().items();
                items.filter_map(|item| Some((text(item, &["key"])?, text(item, &["path"])?))).collect()
            });
            let mut out = Vec::new();
            for (key, value) in values {
                if value.target().kind() != Kind::Scalar {
                    continue;
                }
                let source = || Source::Inline {
                    text: Arc::from(value.raw()),
                    object: object.object,
                    path: object.path_of(&[data, key.raw()]),
                };
                match &items {
                    None => out.push((Utf8PathBuf::from(key.raw()), source())),
                    Some(items) => {
                        let wanted = items.iter().filter(|(item, _)| *item == key.raw());
                        out.extend(wanted.map(|(_, path)| (normalize(Utf8Path::new(path)), source())));
                    }
                }
            }
            return out;
        }
        Vec::new()
    }

    /// Services that lead to this pod; where none does, the ports that the container declares.
    fn published(&self, container: NodeRef<'a>, path: &Path) -> Vec<Published> {
        let labels = self.pod.metadata.and_then(|metadata| metadata.at(&["labels"])).map(NodeRef::target);
        let carries = |key: &str, value: NodeRef<'_>| {
            labels.and_then(|labels| labels.get(key)).is_some_and(|label| label.raw() == value.raw())
        };
        let named = |name: &str| {
            let ports = container.target().get("ports").map(NodeRef::target);
            let mut ports = ports.into_iter().flat_map(NodeRef::items);
            ports.find(|port| text(*port, &["name"]) == Some(name)).and_then(|port| number(port, "containerPort"))
        };
        let mut out = Vec::new();
        for service in self.objects.iter().filter(|object| object.kind == "Service" && object.group().is_empty()) {
            let Some(selector) = service.node.at(&["spec", "selector"]).map(NodeRef::target) else { continue };
            let selects = selector.entries().next().is_some()
                && selector.entries().all(|(key, value)| carries(key.raw(), value))
                && service.namespace == self.object.namespace;
            let Some(ports) = service.node.at(&["spec", "ports"]).filter(|_| selects) else { continue };
            for (index, port) in ports.target().items().enumerate() {
                let target = text(port, &["targetPort"]);
                let target = match target {
                    None => number(port, "port"),
                    Some(name) => name.parse().ok().or_else(|| named(name)),
                };
                let Some(target) = target else { continue };
                let path = service.path_of(&["spec", "ports"]).index(index).key("port");
                let label = format!("{} passes this port on to it", service.title());
                out.push(Published { port: target, object: service.object, path, label });
            }
        }
        let ports = container.target().get("ports").map(NodeRef::target);
        for (index, port) in ports.into_iter().flat_map(NodeRef::items).enumerate() {
            let Some(target) = number(port, "containerPort") else { continue };
            if out.iter().all(|published| published.port != target) {
                let path = path.key("ports").index(index).key("containerPort");
                let label = "the container declares this port".to_owned();
                out.push(Published { port: target, object: self.object.object, path, label });
            }
        }
        out
    }
}

fn number(node: NodeRef<'_>, key: &str) -> Option<u16> {
    text(node, &[key])?.parse().ok()
}

/// Replaces `$(NAME)` as the kubelet does in commands. `$$(NAME)` is an escaped one, and what is unknown stays.
fn references(written: &str, variables: &Variables) -> String {
    let mut out = String::new();
    let mut rest = written;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
            continue;
        }
        let reference = rest.strip_prefix("$(").and_then(|inner| inner.split_once(')'));
        let value = reference.and_then(|(name, after)| Some((variables.0.get(name)?.text.as_deref()?, after)));
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('$');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_as_the_kubelet_does() {
        let variable = Variable { text: Some(Arc::from("/etc/x")), path: None };
        let variables = Variables(BTreeMap::from([(Arc::from("DIR"), variable)]));
        for (written, expected) in [
            ("--config=$(DIR)/a.yaml", "--config=/etc/x/a.yaml"),
            ("$$(DIR)", "$(DIR)"),
            ("$(OTHER)$(", "$(OTHER)$("),
            ("yaml:a: ${env:B}", "yaml:a: ${env:B}"),
        ] {
            assert_eq!(references(written, &variables), expected, "{written}");
        }
    }
}
