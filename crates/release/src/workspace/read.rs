//! From the YAML tree to a [`Workspace`].

use camino::{Utf8Path, Utf8PathBuf};
use source::FileId;
use yamlspan::{Kind as NodeKind, NodeRef};

use super::gates::{self, Gates};
use super::{
    Channel, ComposeSource, External, HelmSource, Ignore, ImagesAt, Level, Overlay, Profile, ProfileSource, Ring,
    RuleSetting, Unmanaged, Workspace,
};
use crate::belongs;
use crate::release::read_date;
use crate::{ImageRef, Spanned};
use yamlspan::strict::{Fields, Named, Problem, Reader, list};

pub(crate) const WORKSPACE_KEYS: &[&str] = &[
    "schema",
    "channels",
    "profiles",
    "overlays",
    "unmanaged",
    "images_at",
    "ignore",
    "rules",
    "mirror",
    "trust",
    "docs",
];
pub(crate) const CHANNEL_KEYS: &[&str] = &["release", "promote_from", "rings", "gates"];
pub(crate) const RING_KEYS: &[&str] = &["name", "release", "gates"];
pub(crate) const PROFILE_KEYS: &[&str] = &[
    "channel",
    "ring",
    "compose",
    "env",
    "overlays",
    "project_name",
    "chart",
    "values",
    "set",
    "release_name",
    "namespace",
    "kube_version",
    "api_versions",
    "manifests",
    "twin",
    "generated",
    "external",
    "hosts",
    "registry_map",
];
/// What `compose` lists, for messages.
const COMPOSE_FILES: &str = "Compose files";
/// Keys that only a Compose profile has.
const COMPOSE_ONLY: [&str; 3] = ["env", "overlays", "project_name"];
/// Keys that only a Helm profile has.
const HELM_ONLY: [&str; 6] = ["values", "set", "release_name", "namespace", "kube_version", "api_versions"];
pub(crate) const EXTERNAL_KEYS: &[&str] = &[
    "networks",
    "volumes",
    "secrets",
    "configs",
    "config_maps",
    "service_accounts",
    "volume_claims",
    "objects",
    "healthchecks",
    "variables",
];
pub(crate) const OVERLAY_KEYS: &[&str] = &["compose", "env"];
pub(crate) const UNMANAGED_KEYS: &[&str] = &["image", "tags", "reason"];
pub(crate) const IMAGES_AT_KEYS: &[&str] = &["kind", "path", "args"];
pub(crate) const IGNORE_KEYS: &[&str] = &["rule", "at", "reason", "until"];

/// Which parts of the file were read without a problem: only of these is it known what they do not define.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) channels: bool,
    pub(super) profiles: bool,
    pub(super) overlays: bool,
}

pub(super) fn read(text: &str, file: FileId) -> (Option<Workspace>, Whole, Vec<Problem>) {
    let mut reader = Reader::new(belongs::IN_A_WORKSPACE);
    let mut whole = Whole::default();
    let workspace = read_workspace(text, file, &mut reader, &mut whole);
    (workspace, whole, reader.problems)
}

fn read_workspace(text: &str, file: FileId, reader: &mut Reader, whole: &mut Whole) -> Option<Workspace> {
    let document = reader.document(text, file)?;
    let fields = reader.fields(document.root(), "", WORKSPACE_KEYS)?;
    reader.schema(&fields);
    let mut workspace = Workspace {
        span: fields.span,
        channels: Vec::new(),
        profiles_at: fields.get("profiles").map_or(fields.span, |node| node.span()),
        profiles: Vec::new(),
        overlays: Vec::new(),
        unmanaged: Vec::new(),
        images_at: Vec::new(),
        ignore: Vec::new(),
        rules: Vec::new(),
        mirror: None,
        trust: None,
        docs: Vec::new(),
    };
    reader.required(&fields, "channels");
    (workspace.channels, whole.channels) = named(reader, &fields, "channels", read_channel);
    reader.required(&fields, "profiles");
    (workspace.profiles, whole.profiles) = named(reader, &fields, "profiles", read_profile);
    (workspace.overlays, whole.overlays) = named(reader, &fields, "overlays", read_overlay);
    workspace.unmanaged = listed(reader, &fields, "unmanaged", read_unmanaged);
    workspace.images_at = listed(reader, &fields, "images_at", read_images_at);
    workspace.ignore = listed(reader, &fields, "ignore", read_ignore);
    (workspace.rules, _) = named(reader, &fields, "rules", read_rule);
    workspace.mirror = reader.optional_text(&fields, "mirror").and_then(|text| path_of(reader, text, "mirror"));
    workspace.trust = reader.optional_text(&fields, "trust").and_then(|text| path_of(reader, text, "trust"));
    workspace.docs = paths(reader, &fields, "docs");
    Some(workspace)
}

/// The entries under a key, and whether they are all that is there.
fn named<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &'static str,
    mut read: impl FnMut(&mut Reader, Named<'_>) -> Option<T>,
) -> (Vec<T>, bool) {
    let Some(node) = fields.get(key) else { return (Vec::new(), !fields.is_misspelt(key)) };
    let before = reader.problems.len();
    let entries = reader.entries(node, key).unwrap_or_default();
    let read = entries.into_iter().filter_map(|entry| read(reader, entry)).collect();
    (read, reader.problems.len() == before)
}

pub(super) fn listed<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &'static str,
    mut read: impl FnMut(&mut Reader, &str, NodeRef<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let items = reader.items(node, &fields.path_of(key));
    items.into_iter().filter_map(|(path, item)| read(reader, &path, item)).collect()
}

fn read_channel(reader: &mut Reader, entry: Named<'_>) -> Option<Channel> {
    let fields = reader.fields_of(&entry, CHANNEL_KEYS)?;
    let release = required_path(reader, &fields, "release");
    let promote_from = reader.optional_text(&fields, "promote_from");
    let mut rings = Vec::new();
    if let Some(node) = fields.get("rings") {
        for (path, item) in reader.items(node, &fields.path_of("rings")) {
            rings.extend(read_ring(reader, &path, item));
        }
    }
    let gates = gates::read(reader, &fields);
    Some(Channel { name: entry.name, release: release?, promote_from, rings, gates })
}

fn read_ring(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Ring> {
    if node.target().kind() == NodeKind::Scalar {
        return Some(Ring { name: reader.text(node, path)?, release: None, gates: Gates::default() });
    }
    let fields = reader.fields(node, path, RING_KEYS)?;
    let name = reader.required_text(&fields, "name");
    let release = reader.optional_text(&fields, "release").and_then(|text| path_of(reader, text, path));
    let gates = gates::read(reader, &fields);
    Some(Ring { name: name?, release, gates })
}

fn read_profile(reader: &mut Reader, entry: Named<'_>) -> Option<Profile> {
    let fields = reader.fields_of(&entry, PROFILE_KEYS)?;
    let channel = reader.required_text(&fields, "channel");
    let ring = reader.optional_text(&fields, "ring");
    let source = read_source(reader, &fields);
    let twin = reader.optional_text(&fields, "twin");
    let generated = reader.texts(&fields, "generated");
    let external = fields.get("external").and_then(|node| read_external(reader, node, &fields.path_of("external")));
    let hosts = fields.get("hosts").map(|_| reader.texts(&fields, "hosts"));
    let mut registry_map = Vec::new();
    if let Some(node) = fields.get("registry_map") {
        for entry in reader.entries(node, &fields.path_of("registry_map")).unwrap_or_default() {
            if let Some(to) = reader.text_of(&entry) {
                registry_map.push((entry.name, to));
            }
        }
    }
    Some(Profile {
        name: entry.name,
        channel: channel?,
        ring,
        source: source?,
        twin,
        generated,
        external: external.unwrap_or_default(),
        hosts,
        registry_map,
    })
}

fn read_source(reader: &mut Reader, fields: &Fields<'_>) -> Option<ProfileSource> {
    let kinds = ["compose", "chart", "manifests"];
    let given: Vec<&'static str> = kinds.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [kind] = given.as_slice() else {
        if given.is_empty() && kinds.into_iter().any(|key| fields.is_misspelt(key)) {
            return None;
        }
        let (message, help) = if given.is_empty() {
            ("says nothing to render", "add `compose: […]`, `chart: …` or `manifests: […]`")
        } else {
            ("is rendered in more than one way", "keep one of `compose`, `chart` and `manifests`")
        };
        reader.problem(fields.title, format!("`{}` {message}", fields.path()), Some(help.to_owned()));
        return None;
    };
    let foreign: &[&'static str] = match *kind {
        "compose" => &HELM_ONLY,
        "chart" => &COMPOSE_ONLY,
        _ => &[
            "env",
            "overlays",
            "project_name",
            "values",
            "set",
            "release_name",
            "namespace",
            "kube_version",
            "api_versions",
        ],
    };
    for key in foreign {
        if let Some(node) = fields.get(key) {
            let message = format!("`{}` means nothing beside `{kind}`", fields.path_of(key));
            reader.problem(node.span(), message, Some("remove it".to_owned()));
        }
    }
    match *kind {
        "compose" => Some(ProfileSource::Compose(ComposeSource {
            files: some_paths(reader, fields, "compose", COMPOSE_FILES),
            env: paths(reader, fields, "env"),
            overlays: reader.texts(fields, "overlays"),
            project_name: reader.optional_text(fields, "project_name"),
        })),
        "chart" => Some(ProfileSource::Helm(HelmSource {
            chart: required_path(reader, fields, "chart")?,
            values: paths(reader, fields, "values"),
            set: reader.texts(fields, "set"),
            release_name: reader.optional_text(fields, "release_name"),
            namespace: reader.optional_text(fields, "namespace"),
            kube_version: reader.optional_text(fields, "kube_version"),
            api_versions: reader.texts(fields, "api_versions"),
        })),
        _ => Some(ProfileSource::Manifests(some_paths(
            reader,
            fields,
            "manifests",
            "files with manifests of Kubernetes",
        ))),
    }
}

fn read_external(reader: &mut Reader, node: NodeRef<'_>, path: &str) -> Option<External> {
    let fields = reader.fields(node, path, EXTERNAL_KEYS)?;
    Some(External {
        networks: reader.texts(&fields, "networks"),
        volumes: reader.texts(&fields, "volumes"),
        secrets: reader.texts(&fields, "secrets"),
        configs: reader.texts(&fields, "configs"),
        config_maps: reader.texts(&fields, "config_maps"),
        service_accounts: reader.texts(&fields, "service_accounts"),
        volume_claims: reader.texts(&fields, "volume_claims"),
        objects: read_objects(reader, &fields),
        healthchecks: reader.texts(&fields, "healthchecks"),
        variables: reader.texts(&fields, "variables"),
    })
}

/// `Kind/name`: names of different kinds must not excuse each other.
fn read_objects(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Spanned<String>> {
    let mut objects = reader.texts(fields, "objects");
    objects.retain(|object| {
        let is_pair = object.value.split_once('/').is_some_and(|(kind, name)| {
            kind.starts_with(|first: char| first.is_ascii_uppercase()) && !name.is_empty() && !name.contains('/')
        });
        if !is_pair {
            let message = format!("`{}` must name kind and object", fields.path_of("objects"));
            let help = "write `Kind/name`, such as `Service/gateway`".to_owned();
            reader.problem(object.span, message, Some(help));
        }
        is_pair
    });
    objects
}

fn read_overlay(reader: &mut Reader, entry: Named<'_>) -> Option<Overlay> {
    let fields = reader.fields_of(&entry, OVERLAY_KEYS)?;
    reader.required(&fields, "compose");
    let files = some_paths(reader, &fields, "compose", COMPOSE_FILES);
    Some(Overlay { name: entry.name, files, env: paths(reader, &fields, "env") })
}

fn read_unmanaged(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Unmanaged> {
    let fields = reader.fields(node, path, UNMANAGED_KEYS)?;
    let image = reader.required_text(&fields, "image");
    let tags = reader.texts(&fields, "tags");
    let reason = reader.required_text(&fields, "reason");
    let image = image?;
    let image = match image.value.parse::<ImageRef>() {
        Ok(parsed) if parsed.tag().is_none() && parsed.digest().is_none() => Spanned::new(parsed, image.span),
        Ok(parsed) => {
            let help = format!("write `image: {}` and the tag under `tags`", parsed.name());
            reader.problem(image.span, format!("`{path}.image` carries a tag or a digest"), Some(help));
            return None;
        }
        Err(error) => {
            reader.problem(image.span, format!("`{path}.image` is no image: {error}"), None);
            return None;
        }
    };
    Some(Unmanaged { image, tags, reason: reason?, span: fields.span })
}

fn read_images_at(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<ImagesAt> {
    let fields = reader.fields(node, path, IMAGES_AT_KEYS)?;
    if fields.get("args").is_some() {
        let pattern = reader.optional_text(&fields, "args")?;
        if pattern.matches('*').count() != 1 {
            let help = "put one `*` where the image stands, such as `--image=*`".to_owned();
            reader.problem(pattern.span, format!("`{path}.args` must hold one `*`"), Some(help));
            return None;
        }
        for key in ["kind", "path"] {
            if let Some(node) = fields.get(key) {
                let message = format!("`{path}.{key}` means nothing beside `args`");
                reader.problem(node.span(), message, Some("remove it".to_owned()));
            }
        }
        return Some(ImagesAt::Args(pattern));
    }
    if fields.is_misspelt("args") {
        return None;
    }
    let kind = reader.required_text(&fields, "kind");
    let at = reader.required_text(&fields, "path");
    Some(ImagesAt::Path { kind: kind?, path: at? })
}

fn read_ignore(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Ignore> {
    let fields = reader.fields(node, path, IGNORE_KEYS)?;
    let rule = reader.required_text(&fields, "rule");
    let at = reader.optional_text(&fields, "at");
    let reason = reader.required_text(&fields, "reason");
    let until = reader.optional_text(&fields, "until");
    let until = until.and_then(|text| read_date(reader, text, &format!("{path}.until")));
    Some(Ignore { rule: rule?, at, reason: reason?, until, span: fields.span })
}

fn read_rule(reader: &mut Reader, entry: Named<'_>) -> Option<RuleSetting> {
    // `off` is a boolean in older YAML: any spelling of the word counts as written.
    let text = reader.any_text_of(&entry)?;
    let level = Level::ALL.into_iter().find(|(word, _)| *word == text.value);
    let Some((_, level)) = level else {
        let known = Level::ALL.map(|(word, _)| word);
        let message = format!("`{}` cannot be `{}`", entry.path, text.value);
        reader.problem(text.span, message, Some(format!("known here: {}", list(&known))));
        return None;
    };
    Some(RuleSetting { rule: entry.name, level: text.map(|_| level) })
}

fn required_path(reader: &mut Reader, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<Utf8PathBuf>> {
    let text = reader.required_text(fields, key)?;
    path_of(reader, text, &fields.path_of(key))
}

fn paths(reader: &mut Reader, fields: &Fields<'_>, key: &'static str) -> Vec<Spanned<Utf8PathBuf>> {
    let texts = reader.texts(fields, key);
    texts.into_iter().filter_map(|text| path_of(reader, text, &fields.path_of(key))).collect()
}

/// As [`paths`], of a list that says what there is to render: at least one.
fn some_paths(reader: &mut Reader, fields: &Fields<'_>, key: &'static str, what: &str) -> Vec<Spanned<Utf8PathBuf>> {
    if let Some(node) = fields.get(key)
        && node.target().kind() == NodeKind::Sequence
        && node.target().items().next().is_none()
    {
        let message = format!("`{}` is empty: there is nothing to render", fields.path_of(key));
        reader.problem(node.span(), message, Some(format!("name {what}, at least one")));
    }
    paths(reader, fields, key)
}

/// A path below the workspace's root.
fn path_of(reader: &mut Reader, text: Spanned<String>, path: &str) -> Option<Spanned<Utf8PathBuf>> {
    let normal = source::normalize(Utf8Path::new(&text.value));
    let reason = if text.value.is_empty() {
        "is empty"
    } else if normal.is_absolute() {
        "is absolute"
    } else if normal.starts_with("..") {
        "leads out of the workspace"
    } else {
        return Some(text.map(|_| normal));
    };
    let help = "write it relative to the folder of `collimate.yaml`".to_owned();
    reader.problem(text.span, format!("`{path}` {reason}: `{}`", text.value), Some(help));
    None
}
