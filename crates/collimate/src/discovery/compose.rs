//! Compose files as people run them: the base with its override, and each variant alone or over the base.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Node, Options, Profiles, Project, VariableSource};
use source::{FileKind, Files as _};

use super::committed::{Committed, Part};
use super::{Candidate, DraftSource, LeftOut, folder_names, names, words};
use crate::disk::DiskFiles;
use crate::laid_over::{self, BASES};

/// Names that it then lays over the base (`DefaultOverrideFileNames`).
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Env files of a variant, as repositories name them; `*` stands for the variant. Tried in this order.
const ENV_OF_VARIANT: [&str; 6] =
    ["*.env", ".env.*", "env/*.env", "env/*.env.example", "*.env.example", ".env.*.example"];

/// Env files of a folder that are committed in place of the operator's `.env`. Tried after those of the variant.
const ENV_EXAMPLES: [&str; 6] =
    [".env.example", "example.env", "env.example", ".env.sample", ".env.template", ".env.dist"];

/// Parts of a project that may be made elsewhere; the keys under `external` are the same words.
const EXTERNAL: [&str; 4] = ["networks", "volumes", "secrets", "configs"];

/// What a file is by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Base,
    Override,
    /// Such as `prod` for `docker-compose.prod.yaml` and `prod.compose.yml`.
    Variant(String),
}

impl Role {
    pub(super) fn of(name: &str) -> Option<Self> {
        if BASES.contains(&name) {
            return Some(Self::Base);
        }
        if OVERRIDES.contains(&name) {
            return Some(Self::Override);
        }
        let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
        let after = ["docker-compose", "compose"].into_iter().find_map(|word| {
            let rest = stem.strip_prefix(word)?;
            rest.strip_prefix(['.', '-', '_'])
        });
        let before =
            || [".docker-compose", "-docker-compose", ".compose"].iter().find_map(|end| stem.strip_suffix(end));
        let variant = after.or_else(before).filter(|variant| !variant.is_empty())?;
        Some(Self::Variant(variant.to_owned()))
    }
}

/// The Compose files of one folder.
#[derive(Default)]
struct Folder {
    base: Option<Utf8PathBuf>,
    laid_over: Option<Utf8PathBuf>,
    /// Path and variant.
    variants: Vec<(Utf8PathBuf, String)>,
}

/// Where file sets are loaded from.
struct Place<'f> {
    files: &'f DiskFiles,
    committed: &'f Committed,
}

/// A file set that loads.
struct Loaded {
    files: Vec<Utf8PathBuf>,
    env: Vec<Utf8PathBuf>,
    project: Project,
}

/// Profiles of all Compose files; those in none are added to `left_out`.
pub(super) fn candidates(
    paths: &[Utf8PathBuf],
    files: &DiskFiles,
    committed: &Committed,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Candidate> {
    let place = &Place { files, committed };
    let mut loaded: Vec<(Option<String>, Loaded)> = Vec::new();
    let mut refused: Vec<LeftOut> = Vec::new();
    for (folder, of_folder) in &by_folder(paths, left_out) {
        if let Some(base) = &of_folder.base {
            let set: Vec<Utf8PathBuf> = std::iter::once(base).chain(&of_folder.laid_over).cloned().collect();
            match load(folder, None, set, place) {
                Ok(base) => loaded.push((None, base)),
                Err(error) => refused.push(refusal(base, &error, files)),
            }
        }
        for (path, variant) in &of_folder.variants {
            let alone = load(folder, Some(variant), vec![path.clone()], place);
            let over_base = |error| match &of_folder.base {
                // What it says alone is shown where the base does not help: it is the file's own fault.
                Some(base) => load(folder, Some(variant), vec![base.clone(), path.clone()], place).map_err(|_| error),
                None => Err(error),
            };
            match alone.or_else(over_base) {
                Ok(found) => loaded.push((Some(variant.clone()), found)),
                Err(error) => {
                    let help = laid_over::way_out(&options(std::slice::from_ref(path), &[], files), &error, files);
                    let refusal = refusal(path, &error, files);
                    refused.push(LeftOut { help: help.or(refusal.help), ..refusal });
                }
            }
        }
    }
    // A file that others include or extend is part of them, whether it loads alone or not.
    let parts: BTreeMap<Utf8PathBuf, Utf8PathBuf> =
        loaded.iter().flat_map(|(_, found)| reached(found, files)).collect();
    let is_part =
        |path: &Utf8Path| !matches!(path.file_name().and_then(Role::of), Some(Role::Base)) && parts.contains_key(path);
    refused.retain(|refused| !is_part(&refused.path));
    left_out.extend(refused);
    loaded
        .into_iter()
        .filter(|(_, found)| !found.files.last().is_some_and(|path| is_part(path)))
        .map(|(variant, found)| candidate(variant, found, files))
        .collect()
}

fn by_folder(paths: &[Utf8PathBuf], left_out: &mut Vec<LeftOut>) -> BTreeMap<Utf8PathBuf, Folder> {
    let mut folders: BTreeMap<Utf8PathBuf, Folder> = BTreeMap::new();
    let rank = |path: &Utf8PathBuf, names: &[&str]| names.iter().position(|name| path.file_name() == Some(name));
    let mut bases: Vec<&Utf8PathBuf> = Vec::new();
    let mut overrides: Vec<&Utf8PathBuf> = Vec::new();
    for path in paths {
        match path.file_name().and_then(Role::of) {
            Some(Role::Base) => bases.push(path),
            Some(Role::Override) => overrides.push(path),
            Some(Role::Variant(variant)) => {
                folders.entry(folder_of(path)).or_default().variants.push((path.clone(), variant));
            }
            None => {}
        }
    }
    bases.sort_by_key(|path| rank(path, &BASES));
    overrides.sort_by_key(|path| rank(path, &OVERRIDES));
    for path in bases {
        let folder = folders.entry(folder_of(path)).or_default();
        match &folder.base {
            // Compose would not look at it either, but somebody may name it.
            Some(_) => folder.variants.push((path.clone(), path.file_stem().unwrap_or_default().to_owned())),
            None => folder.base = Some(path.clone()),
        }
    }
    for path in overrides {
        let folder = folders.entry(folder_of(path)).or_default();
        match (&folder.base, &folder.laid_over) {
            (Some(_), None) => folder.laid_over = Some(path.clone()),
            (Some(base), Some(first)) => {
                let reason = format!("Compose lays `{first}` over `{base}` and no second override");
                left_out.push(LeftOut::new(path.clone(), reason));
            }
            (None, _) => folder.variants.push((path.clone(), "override".to_owned())),
        }
    }
    for folder in folders.values_mut() {
        folder.variants.sort();
    }
    folders
}

fn folder_of(path: &Utf8Path) -> Utf8PathBuf {
    path.parent().unwrap_or(Utf8Path::new("")).to_owned()
}

/// Loads a file set: as Compose would by itself, and where that fails, leaves variables without value or takes them from a file that no clone
/// has, with the env file that mends most of it.
fn load(
    folder: &Utf8Path,
    variant: Option<&str>,
    set: Vec<Utf8PathBuf>,
    place: &Place<'_>,
) -> Result<Loaded, composefile::Error> {
    let files = place.files;
    let by_itself = project(&set, &[], files);
    let missing = |project: &Project| {
        let unset = project.variables.iter().filter(|variable| variable.from == VariableSource::Unset);
        unset.map(|variable| variable.name.as_str()).collect::<BTreeSet<_>>().len()
    };
    // Variables without value count first. Of what leaves as many, what a clone has is better, then what Compose would take by itself.
    let worth = |project: &Project| {
        (missing(project), read_env(project, files).iter().any(|(path, _)| !place.committed.has(path)))
    };
    let mut best = by_itself.map(|project| (worth(&project), Vec::new(), project));
    let better = |best: &mut Result<(_, Vec<Utf8PathBuf>, Project), _>, env: Vec<Utf8PathBuf>| {
        for env in env {
            if best.as_ref().is_ok_and(|(worth, _, _)| *worth == (0, false)) {
                break;
            }
            let Ok(project) = project(&set, std::slice::from_ref(&env), files) else { continue };
            let worth = worth(&project);
            if best.as_ref().map_or(true, |(best, _, _)| worth < *best) {
                *best = Ok((worth, vec![env], project));
            }
        }
    };
    better(&mut best, env_files(folder, variant, files));
    if best.is_err() {
        better(&mut best, all_env_files(folder, files));
    }
    best.map(|(_, env, project)| Loaded { files: set, env, project })
}

/// The env files that a project is made from and does not load without, each once: those of services first, whose names cannot be others.
fn read_env(project: &Project, files: &DiskFiles) -> Vec<(Utf8PathBuf, Part)> {
    let of_services = project.service_files.iter().filter(|file| file.required && file.file.is_some());
    let of_services = of_services.map(|file| (relative(&file.path, files), Part::OfService));
    let of_variables = project.env_files.iter().map(|file| (relative(&file.path, files), Part::Variables));
    let mut read: Vec<(Utf8PathBuf, Part)> = Vec::new();
    for (path, part) in of_services.chain(of_variables) {
        if !read.iter().any(|(known, _)| *known == path) {
            read.push((path, part));
        }
    }
    read
}

/// A path as an engine names it, from the folder that is looked at.
fn relative(path: &Utf8Path, files: &DiskFiles) -> Utf8PathBuf {
    source::normalize(path.strip_prefix(files.root()).unwrap_or(path))
}

/// The host's environment stays out: what is written must load the same for everybody.
fn options(set: &[Utf8PathBuf], env: &[Utf8PathBuf], files: &DiskFiles) -> Options {
    Options {
        current_dir: files.root().to_owned(),
        files: set.to_vec(),
        env_files: env.to_vec(),
        profiles: Profiles::All,
        ..Options::default()
    }
}

fn project(set: &[Utf8PathBuf], env: &[Utf8PathBuf], files: &DiskFiles) -> Result<Project, composefile::Error> {
    composefile::load(&options(set, env, files), files)
}

/// The env files beside a Compose file that may be meant for it.
fn env_files(folder: &Utf8Path, variant: Option<&str>, files: &DiskFiles) -> Vec<Utf8PathBuf> {
    let of_variant = variant.into_iter().flat_map(|variant| ENV_OF_VARIANT.map(|name| name.replace('*', variant)));
    let examples = ENV_EXAMPLES.map(str::to_owned);
    let paths = of_variant.chain(examples).map(|name| folder.join(name));
    paths.filter(|path| files.kind(path) == Some(FileKind::File)).collect()
}

/// Every env file beside a Compose file, whatever it is meant for.
fn all_env_files(folder: &Utf8Path, files: &DiskFiles) -> Vec<Utf8PathBuf> {
    let is_env = |name: &str| name.ends_with(".env") || name.starts_with(".env.") || name.ends_with(".env.example");
    let entries = files.list(folder).unwrap_or_default().into_iter();
    let mut paths: Vec<_> = entries.filter(|entry| is_env(&entry.name)).map(|entry| folder.join(entry.name)).collect();
    paths.retain(|path| files.kind(path) == Some(FileKind::File));
    paths.sort();
    paths
}

fn refusal(path: &Utf8Path, error: &composefile::Error, files: &DiskFiles) -> LeftOut {
    LeftOut { path: path.to_owned(), reason: words(error, files), help: error.way_out().map(str::to_owned) }
}

/// Files that a project reads beside its own, each with the file that leads there.
fn reached(found: &Loaded, files: &DiskFiles) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
    let Some(own) = found.files.first() else { return Vec::new() };
    let all = found.project.compose_files.iter().map(|(path, _)| relative(path, files));
    all.filter(|path| !found.files.contains(path)).map(|path| (path, own.clone())).collect()
}

fn candidate(variant: Option<String>, found: Loaded, files: &DiskFiles) -> Candidate {
    let path = found.files.last().cloned().unwrap_or_default();
    let folder = folder_of(&path);
    let above = folder_names(&folder);
    let mut short: Vec<String> = match variant.as_deref().map(names::slug) {
        Some(variant) => {
            let longer: Vec<String> = above.iter().map(|folder| format!("{folder}-{variant}")).collect();
            std::iter::once(variant).chain(longer).collect()
        }
        None if above.is_empty() => vec!["default".to_owned()],
        None => above,
    };
    let stem = names::slug(path.file_stem().unwrap_or_default());
    short.push(match folder_names(&folder).pop() {
        Some(folder) => format!("{folder}-{stem}"),
        None => stem,
    });
    Candidate {
        names: short.into_iter().map(|name| format!("compose/{name}")).collect(),
        source: DraftSource::Compose {
            external: external(&found.project),
            read_env: read_env(&found.project, files),
            files: found.files,
            env: found.env,
            // Known when all profiles are rendered together.
            generated: Vec::new(),
        },
    }
}

/// What the project says is made elsewhere.
fn external(project: &Project) -> Vec<(&'static str, Vec<String>)> {
    let names = |group: &'static str| {
        let entries = project.root.get(group).and_then(Node::as_map).into_iter().flat_map(composefile::Map::iter);
        let external = entries.filter(|(_, node)| node.get("external").and_then(Node::as_bool) == Some(true));
        let mut names: Vec<String> = external
            .map(|(key, node)| node.get("name").and_then(Node::as_str).unwrap_or(key.as_str()).to_owned())
            .collect();
        names.sort();
        names.dedup();
        (group, names)
    };
    EXTERNAL.into_iter().map(names).filter(|(_, names)| !names.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles() {
        let variant = |name: &str| Some(Role::Variant(name.to_owned()));
        for (name, expected) in [
            ("compose.yaml", Some(Role::Base)),
            ("docker-compose.yml", Some(Role::Base)),
            ("docker-compose.override.yml", Some(Role::Override)),
            ("docker-compose.prod.yaml", variant("prod")),
            ("docker-compose-prod.yml", variant("prod")),
            ("compose.prod.eu.yml", variant("prod.eu")),
            ("prod.docker-compose.yml", variant("prod")),
            ("dev-docker-compose.yml", variant("dev")),
            ("decompose.yml", None),
            ("compose..yml", None),
            ("compose.prod.json", None),
            ("values.yaml", None),
        ] {
            assert_eq!(Role::of(name), expected, "{name}");
        }
    }
}
