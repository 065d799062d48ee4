//! Services of a Compose project as containers.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Node, Project, Value};
use release::ImageRef;
use source::normalize;

use crate::collector::container::{Argument, Container, MountPoint, Published, Source, may_be_collector};
use crate::collector::environment::{Variable, Variables};
use crate::compose::{Service, entries, items, services, string};
use crate::inputs::Inputs;
use crate::mounts::inside;
use crate::place::{Object, Path, Step};

/// Where Compose puts configs and secrets that name no target.
const GRANTS: [(&str, &str); 2] = [("configs", "/"), ("secrets", "/run/secrets")];

/// The services that may be collectors.
pub(super) fn containers(project: &Project, variant: usize, inputs: &Inputs<'_>) -> Vec<Container> {
    services(project).iter().filter_map(|service| container(service, project, variant, inputs)).collect()
}

fn container(service: &Service<'_>, project: &Project, variant: usize, inputs: &Inputs<'_>) -> Option<Container> {
    let node = service.node;
    let mut arguments = Vec::new();
    for key in ["entrypoint", "command"] {
        arguments.extend(words(node.get(key), &service.path.key(key)));
    }
    let image = string(node, "image").and_then(|image| image.parse::<ImageRef>().ok());
    let repository = image.map(|image| image.repository().to_owned()).unwrap_or_default();
    if !may_be_collector(&repository, arguments.iter().map(|argument| argument.text.as_str())) {
        return None;
    }
    let name = match service.path.0.last() {
        Some(Step::Key(name)) => name.to_string(),
        _ => String::new(),
    };
    Some(Container {
        title: service.title(),
        names: string(node, "container_name").map(str::to_owned).into_iter().chain([name]).collect(),
        variant,
        object: Object::Compose,
        path: service.path.clone(),
        repository,
        has_command: !arguments.is_empty(),
        arguments,
        working_dir: Utf8Path::new("/").join(string(node, "working_dir").unwrap_or_default()),
        variables: variables(service),
        mounts: mounts(service, project, inputs),
        published: published(service),
    })
}

/// The words of a command. Compose's own normal form is a list.
fn words(command: Option<&Node>, path: &Path) -> Vec<Argument> {
    let words = items(command).iter().enumerate();
    words
        .filter_map(|(index, word)| {
            Some(Argument { text: word.as_str()?.to_owned(), path: path.index(index), exact: true })
        })
        .collect()
}

fn variables(service: &Service<'_>) -> Variables {
    let list = service.path.key("environment");
    let all = entries(service.node.get("environment")).map(|(name, value)| {
        let text = match &value.value {
            // Passed on from the shell that starts it.
            Value::Null => None,
            _ => Some(value.to_go_text().to_arc()),
        };
        (Arc::from(name), Variable { text, path: Some(list.key(name)) })
    });
    Variables(all.collect::<BTreeMap<_, _>>())
}

fn mounts(service: &Service<'_>, project: &Project, inputs: &Inputs<'_>) -> Vec<MountPoint> {
    let mut out = Vec::new();
    for volume in items(service.node.get("volumes")) {
        let Some(target) = string(volume, "target") else { continue };
        let source = string(volume, "source").unwrap_or_default();
        let source = match string(volume, "type") {
            Some("bind") => of_host(source, inputs),
            Some("volume") if !source.is_empty() => Source::Elsewhere(format!("volume `{source}`")),
            Some(kind) => Source::Elsewhere(format!("a mount of type `{kind}`")),
            None => continue,
        };
        out.push(MountPoint { target: absolute(target), source });
    }
    for (group, folder) in GRANTS {
        for grant in items(service.node.get(group)) {
            let Some(name) = string(grant, "source").or_else(|| grant.as_str()) else { continue };
            let target = string(grant, "target").unwrap_or(name);
            let path = Path::keys(&[group, name]);
            let source = grant_source(project, group, name, &path, inputs);
            out.push(MountPoint { target: absolute(Utf8Path::new(folder).join(target).as_str()), source });
        }
    }
    out
}

/// What a top-level config or secret holds.
fn grant_source(project: &Project, group: &str, name: &str, path: &Path, inputs: &Inputs<'_>) -> Source {
    let declared = project.root.at_path([group, name]);
    if let Some(file) = declared.and_then(|declared| string(declared, "file")) {
        return of_host(file, inputs);
    }
    match declared.and_then(|declared| declared.get("content")).and_then(Node::as_text) {
        Some(content) => Source::Inline { text: content.to_arc(), object: Object::Compose, path: path.key("content") },
        None => Source::Elsewhere(format!("`{group}.{name}`, which is made elsewhere")),
    }
}

fn of_host(source: &str, inputs: &Inputs<'_>) -> Source {
    match inside(inputs.root, source) {
        Some(path) => Source::Workspace(path),
        None => Source::Elsewhere(format!("`{source}` of the host")),
    }
}

fn absolute(path: &str) -> Utf8PathBuf {
    normalize(&Utf8Path::new("/").join(path))
}

/// Ports that the host passes on.
fn published(service: &Service<'_>) -> Vec<Published> {
    let list = service.path.key("ports");
    let ports = items(service.node.get("ports")).iter().enumerate();
    ports
        .filter_map(|(index, port)| {
            let target = u16::try_from(port.get("target")?.as_int()?).ok()?;
            let path = list.index(index);
            let path = if port.get("published").is_some() { path.key("published") } else { path.key("target") };
            let label = "the host passes this port on to it".to_owned();
            Some(Published { port: target, object: Object::Compose, path, label })
        })
        .collect()
}
