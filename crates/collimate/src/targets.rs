//! `check --release MANIFEST --target FILE…`: files held against a manifest that is not (yet) their channel's.

use std::collections::BTreeSet;

use alignment::Role;
use camino::{Utf8Path, Utf8PathBuf};
use release::{Channel, External, ImageRef, Profile, ProfileSource, Spanned, Unmanaged, Workspace};
use source::{FileId, Files as _, Span, Text, TextBuf, system};
use yamlspan::{Document, Kind, NodeRef, Scalar};

use crate::checking::{self, Checked, Scope};
use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Failure, Result};
use crate::session::{self, Session};

/// The rules that hold images against a manifest, and those that say why that could not be done.
const IMAGE_RULES: &[&str] = &[
    "image-unlisted",
    "digest-mismatch",
    "image-unpinned",
    "tag-digest-conflict",
    "platform-digest",
    "compose-invalid",
    "helm-render",
    "release-schema",
    "release-duplicate-component",
];

/// The channel of searched files; its name only shows in the table of verdicts.
const NAMED_CHANNEL: &str = "named";

/// Checks targets. Remarks say of each how it was looked at.
pub(crate) fn check(
    ctx: &Ctx,
    manifest: &Utf8Path,
    targets: &[Utf8PathBuf],
    unmanaged: &[String],
) -> Result<(Checked, Vec<String>)> {
    let mut session = match Session::open(ctx) {
        Ok(session) => session,
        Err(failure) if ctx.workspace_file().is_none() && failure.is_missing_workspace() => without_workspace(ctx)?,
        Err(failure) => return Err(failure),
    };
    let manifest = session.named_path(ctx, manifest);
    let named = session::load_release(&session.files, &manifest, Role::Named);
    if let Some(why) = &named.unreadable {
        return Err(Failure::input("cannot read the release manifest").because(why));
    }
    // In place of a current one of the same path, so that every place in it is reported once.
    session.releases.retain(|release| release.path != manifest);
    session.releases.push(named);
    let mut paths = Vec::new();
    for target in targets {
        let path = session.named_path(ctx, target);
        session
            .files
            .read_text(&path)
            .map_err(|error| Failure::input(format!("cannot read `{target}`")).because(error))?;
        paths.push((target, path));
    }

    let mut remarks = Vec::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (target, path) in &paths {
        let users: Vec<&Profile> =
            session.workspace.profiles.iter().filter(|profile| uses(&session.workspace, profile, path)).collect();
        if users.is_empty() {
            remarks.push(format!("`{target}`: no profile uses it; its image references were searched"));
            session.searched.insert(path.clone());
        } else {
            let names: Vec<String> = users.iter().map(|profile| format!("`{}`", profile.name.value)).collect();
            remarks.push(format!("`{target}`: checked as rendered by {}", names.join(", ")));
            used.extend(users.iter().map(|profile| profile.name.value.clone()));
        }
    }
    hold_to_manifest(&mut session, &manifest, &used);
    allow(ctx, &mut session, unmanaged);
    let profiles = session.workspace.profiles.iter().collect();
    let scope = Scope { profiles, rules: IMAGE_RULES, ..Scope::default() };
    let mut checked = checking::check(ctx, &session, &scope);
    for finding in &mut checked.findings {
        // `pin` writes what a channel's own manifest lists, which this one need not be.
        if finding.help.as_ref().is_some_and(|help| help.contains("`collimate pin")) {
            finding.help = Some(
                "write what the manifest lists, or make it the manifest of the channel and run `collimate pin`"
                    .to_owned(),
            );
        }
    }
    Ok((checked, remarks))
}

/// A session of the current folder without a workspace file: everything is searched.
fn without_workspace(ctx: &Ctx) -> Result<Session> {
    let root = ctx
        .cwd()
        .canonicalize_utf8()
        .map_err(|error| Failure::outside("cannot resolve the current folder").because(system::reason(&error)))?;
    let workspace = Workspace {
        span: Span::new(FileId(0), 0..0),
        channels: Vec::new(),
        profiles_at: Span::new(FileId(0), 0..0),
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
    Ok(Session::of(ctx, DiskFiles::new(root), workspace))
}

/// Whether a profile is rendered from this file.
fn uses(workspace: &Workspace, profile: &Profile, path: &Utf8Path) -> bool {
    let is = |named: &Spanned<Utf8PathBuf>| source::normalize(named) == path;
    match &profile.source {
        ProfileSource::Compose(source) => {
            let overlays = source.overlays.iter().filter_map(|name| workspace.overlay(name));
            source.files.iter().chain(overlays.flat_map(|overlay| &overlay.files)).any(is)
        }
        ProfileSource::Helm(source) => source.values.iter().any(is),
        ProfileSource::Manifests(paths) => paths.iter().any(is),
    }
}

/// Makes the used profiles, and one profile per searched file, all that there is, held to the manifest.
fn hold_to_manifest(session: &mut Session, manifest: &Utf8Path, used: &BTreeSet<String>) {
    let span = session.workspace.span;
    let workspace = &mut session.workspace;
    workspace.channels.push(Channel {
        name: Spanned::new(NAMED_CHANNEL.to_owned(), span),
        release: Spanned::new(manifest.to_owned(), span),
        promote_from: None,
        rings: Vec::new(),
        gates: release::Gates::default(),
    });
    workspace.profiles.retain(|profile| used.contains(&profile.name.value));
    for channel in &mut workspace.channels {
        channel.release.value = manifest.to_owned();
        for ring in &mut channel.rings {
            ring.release = None;
        }
    }
    workspace.profiles.extend(session.searched.iter().map(|path| Profile {
        name: Spanned::new(path.to_string(), span),
        channel: Spanned::new(NAMED_CHANNEL.to_owned(), span),
        ring: None,
        source: ProfileSource::Manifests(vec![Spanned::new(path.clone(), span)]),
        twin: None,
        generated: Vec::new(),
        external: External::default(),
        hosts: None,
        registry_map: Vec::new(),
    }));
}

/// Takes images that `--unmanaged` names out of the release's hands.
fn allow(ctx: &Ctx, session: &mut Session, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let found: Vec<ImageRef> = checking::needs(ctx, session)
        .images
        .into_iter()
        .filter(|image| {
            names.iter().any(|name| *name == image.short_name() || *name == image.repository() || *name == image.name())
        })
        .collect();
    let span = session.workspace.span;
    session.workspace.unmanaged.extend(found.into_iter().map(|image| Unmanaged {
        image: Spanned::new(image, span),
        tags: Vec::new(),
        reason: Spanned::new("named by `--unmanaged`".to_owned(), span),
        span,
    }));
}

/// The images that a YAML file names, as a Pod with one container each, so that the rules see nothing new: an `image:` string, or a
/// map with `repository` and `digest` or `tag` (and `registry`). Texts keep their origin where `source` has one.
pub(crate) fn as_pod(source: &Text, documents: &[Document]) -> Text {
    let mut pod = TextBuf::new();
    pod.push_str("apiVersion: v1\nkind: Pod\nmetadata: {name: searched}\nspec:\n  containers:\n");
    for document in documents {
        search(document.root(), "", source, &mut pod);
    }
    pod.push_str("  - name: end\n");
    pod.finish()
}

fn search(node: NodeRef<'_>, path: &str, source: &Text, pod: &mut TextBuf) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match node.kind() {
        Kind::Sequence => {
            for (index, item) in node.items().enumerate() {
                search(item, &below(&index.to_string()), source, pod);
            }
        }
        Kind::Mapping => {
            let reference = split_reference(node, source);
            if let Some(reference) = &reference {
                push_container(path, reference, pod);
            }
            for (key, value) in node.entries() {
                let name = key.raw();
                if name == "image" && value.kind() == Kind::Scalar && reference.is_none() {
                    push_container(&below(name), &value.text(source), pod);
                }
                search(value, &below(name), source, pod);
            }
        }
        // What an alias stands for was searched where it is written.
        Kind::Scalar | Kind::Alias => {}
    }
}

/// `registry/repository:tag@digest` of a map with these keys.
fn split_reference(node: NodeRef<'_>, source: &Text) -> Option<Text> {
    let part = |key: &str| {
        let value = node.get(key).filter(|value| value.target().kind() == Kind::Scalar)?;
        let text = value.text(source);
        (!text.is_empty() && value.value() != Scalar::Null).then_some(text)
    };
    let repository = part("repository")?;
    let (tag, digest) = (part("tag"), part("digest"));
    if tag.is_none() && digest.is_none() {
        return None;
    }
    let mut reference = TextBuf::new();
    for (part, separator) in [(part("registry"), "/"), (Some(repository), "")] {
        if let Some(part) = part {
            reference.push(&part);
            reference.push_str(separator);
        }
    }
    for (separator, part) in [(":", tag), ("@", digest)] {
        if let Some(part) = part {
            reference.push_str(separator);
            reference.push(&part);
        }
    }
    Some(reference.finish())
}

fn push_container(path: &str, reference: &Text, pod: &mut TextBuf) {
    // What would need an escape is no image reference, and an empty one is no image.
    let plain =
        |text: &str| !text.is_empty() && !text.contains(['"', '\\', '\n', '\r']) && !text.contains(char::is_control);
    if plain(reference) && plain(path) {
        pod.push_str("  - name: \"");
        pod.push_str(path);
        pod.push_str("\"\n    image: \"");
        pod.push(reference);
        pod.push_str("\"\n");
    }
}
