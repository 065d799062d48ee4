//! Loading, from options to a project: the steps of `docker compose config` in their order.

use std::sync::Arc;

use camino::Utf8PathBuf;
use source::{FileKind, Files, Text};

use crate::environment::Environment;
use crate::layers::{Shared, Typed};
use crate::loader::{Fold, Loader, Scope, folder};
use crate::model::decode::decode;
use crate::model::shape::{DEPLOY, PROJECT, SERVICE, Shape};
use crate::pass_through::SECRET_VALUE;
use crate::volume::join;
use crate::{Error, ErrorKind, Map, Node, Options, Profiles, Project, consistency, normalize, selection};

/// Compose's names for its files, in order of preference.
const DEFAULT_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// And for what is laid over them.
const DEFAULT_OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Loads a project.
///
/// # Errors
/// Whatever makes `docker compose config` fail, in its words; and [`ErrorKind::Limit`].
pub fn load(options: &Options, files: &dyn Files) -> Result<Project, Error> {
    let mut opening = Opening::new(options, files)?;
    let mut fold = Fold::default();
    let paths = std::mem::take(&mut opening.paths);
    for path in &paths {
        opening.loader.fold(path, &opening.scope, &mut fold, &[])?;
    }
    opening.project(fold.root, None)
}

/// As [`load`] of the first files, for each of these numbers of files, in ascending order: what they share is loaded once.
///
/// # Errors
/// Each project has its own.
pub fn load_layers(options: &Options, depths: &[usize], files: &dyn Files) -> Vec<Result<Project, Error>> {
    if let Some(projects) = shared_layers(options, depths, files) {
        return projects.into_iter().map(Ok).collect();
    }
    let first = |depth: &usize| options.files.iter().take(*depth).cloned().collect();
    depths.iter().map(|depth| load(&Options { files: first(depth), ..options.clone() }, files)).collect()
}

/// `None` where a layer cannot be loaded, or where a later file names the project: then the layers have less in common.
fn shared_layers(options: &Options, depths: &[usize], files: &dyn Files) -> Option<Vec<Project>> {
    let first = *depths.first().filter(|first| **first > 0)?;
    let mut opening = Opening::new(options, files).ok()?;
    let paths = std::mem::take(&mut opening.paths);
    if opening.loader.is_named_in(paths.get(first..)?) {
        return None;
    }
    let mut fold = Fold::default();
    let mut projects = Vec::new();
    // One alone has nobody to share with.
    let mut typed = (depths.len() > 1).then(Typed::default);
    for (index, path) in paths.iter().enumerate() {
        opening.loader.fold(path, &opening.scope, &mut fold, &[]).ok()?;
        for depth in depths.iter().filter(|depth| **depth == index + 1) {
            // Nothing is laid over the last one any more.
            let is_last = projects.len() + 1 == depths.len() && *depth == paths.len();
            let root = if is_last { std::mem::take(&mut fold.root) } else { fold.root.clone() };
            projects.push(opening.clone().project(root, typed.as_mut()).ok()?);
        }
    }
    (projects.len() == depths.len()).then_some(projects)
}

/// A project before its files are laid over each other.
#[derive(Clone)]
struct Opening<'a> {
    loader: Loader<'a>,
    /// The files to load, absolute.
    paths: Vec<String>,
    scope: Scope,
    name: String,
    active: Vec<String>,
}

impl<'a> Opening<'a> {
    /// Reads the environment, finds the files and names the project.
    fn new(options: &'a Options, files: &'a dyn Files) -> Result<Self, Error> {
        let mut loader = Loader::new(options, files);
        let mut environment = Environment::of_host(&options.environment);
        let mut paths: Vec<String> = options.files.iter().map(|path| loader.absolute(path.as_str())).collect();
        let directory = |loader: &Loader<'_>, paths: &[String]| match (&options.project_directory, paths.first()) {
            (Some(directory), _) => loader.absolute(directory.as_str()),
            (None, Some(first)) => folder(first),
            (None, None) => options.current_dir.to_string(),
        };
        let env_files = env_files(&loader, &directory(&loader, &paths))?;
        let read = loader.env_files(&environment, &env_files)?;
        environment.complete(read, &mut loader.record);
        if paths.is_empty() {
            let start = directory(&loader, &paths);
            paths = default_files(&mut loader, &environment, &start);
            // A project found elsewhere brings its own `.env`.
            let env_files = self::env_files(&loader, &directory(&loader, &paths))?;
            let read = loader.env_files(&environment, &env_files)?;
            environment.complete(read, &mut loader.record);
        }
        if paths.is_empty() {
            return Err(Error::new(ErrorKind::Unreadable, "no configuration file provided: not found"));
        }
        let working_dir = directory(&loader, &paths);
        loader.check_files(&paths)?;
        let name = loader.name_project(&mut environment, &paths, &working_dir)?;
        let active = active_profiles(&mut loader, &environment);
        let scope = Scope {
            working_dir: working_dir.clone(),
            resource_dir: working_dir,
            environment: Arc::new(environment),
            resolve_paths: options.resolve_paths,
            is_base: false,
        };
        Ok(Self { loader, paths, scope, name, active })
    }

    /// The project of these files. `typed`: what became of services in a project of fewer of them; those of this one are added.
    fn project(self, mut root: Node, typed: Option<&mut Typed>) -> Result<Project, Error> {
        let Self { mut loader, scope, name, active, .. } = self;
        let environment = &scope.environment;
        let shared = typed.filter(|_| loader.options.interpolate).map(|typed| Shared::of(&mut root, typed));
        let model = loader.completed(root, &scope)?;
        if model.as_map().is_none_or(Map::is_empty) {
            return Err(Error::invalid("empty compose file"));
        }
        if name.is_empty() {
            return Err(Error::invalid("project name must not be empty"));
        }
        let finished = finish(&mut loader, model, &name, environment, &active, shared)?;
        let (options, record) = (loader.options, loader.record);
        Ok(Project {
            name,
            working_dir: Utf8PathBuf::from(scope.working_dir),
            root: finished.root,
            disabled_services: finished.disabled,
            environment: Environment::clone(environment).into_texts(),
            variables: record.variables,
            env_files: record.env_files,
            service_files: record.service_files,
            warnings: record.warnings,
            compose_files: record.compose_files,
            typed: options.interpolate,
            interpolated: options.interpolate,
        })
    }
}

struct Finished {
    root: Node,
    disabled: Map,
}

/// From the merged tree to what is printed.
fn finish(
    loader: &mut Loader<'_>,
    model: Node,
    name: &str,
    environment: &Environment,
    active: &[String],
    shared: Option<Shared<'_>>,
) -> Result<Finished, Error> {
    let options = loader.options;
    let span = model.span;
    let mut root = model.into_map();
    if options.normalize {
        root.set("name", Node::new(Text::new(name)));
        let apart = shared.iter().flat_map(Shared::merged);
        normalize::normalize(&mut root, apart, name, environment, &mut loader.record)?;
    }
    if !options.interpolate {
        return Ok(Finished { root: Node::at(root, span), disabled: Map::new() });
    }
    root.set("name", Node::new(Text::new(name)));
    name_jobs(&mut root);
    let record = &mut loader.record;
    let warnings = record.warnings.len();
    let mut typed = decode(Node::at(root, span), &PROJECT, &mut |warning| record.warn(warning, None))?;
    if let Some(shared) = shared {
        // Which service a warning is about is not told.
        shared.put_back(&mut typed, record.warnings.len() == warnings);
    }
    let mut root = typed.into_map();
    let mut disabled = selection::by_profiles(&mut root, active);
    if options.consistency {
        consistency::check(&mut root, &disabled)?;
    }
    if options.resolve_environment {
        resolve_environments(loader, &mut root, environment)?;
    }
    if let Some(services) = services(&mut root) {
        loader.resolve_labels(services)?;
    }
    let before = disabled.len();
    selection::by_names(&mut root, &mut disabled, &options.services, active)?;
    if options.resolve_environment && disabled.len() != before {
        resolve_environments(loader, &mut root, environment)?;
    }
    if options.prune {
        selection::prune(&mut root);
    }
    if options.consistency
        && let Some(services) = services(&mut root)
    {
        consistency::check_container_names(services)?;
    }
    hide_config_contents(&mut root);
    if let Some(services) = services(&mut root) {
        for (_, service) in services.iter_mut() {
            in_order(service, &SERVICE);
        }
    }
    let root = selection::order(root, PROJECT.fields.iter().map(|field| field.name));
    Ok(Finished { root: Node::at(root, span), disabled })
}

fn services(root: &mut Map) -> Option<&mut Map> {
    root.get_mut("services").and_then(Node::as_map_mut)
}

/// Puts back into their place what was set after decoding. What has its place is not touched: layers may share it.
fn in_order(node: &mut Node, shape: &'static Shape) {
    let is_ordered = |node: &Node, shape: &'static Shape| {
        node.as_map().is_none_or(|map| selection::is_ordered(map, shape.fields.iter().map(|field| field.name)))
    };
    if is_ordered(node, shape) && node.get("deploy").is_none_or(|deploy| is_ordered(deploy, &DEPLOY)) {
        return;
    }
    let Some(map) = node.as_map_mut() else { return };
    let ordered = selection::order(std::mem::take(map), shape.fields.iter().map(|field| field.name));
    *map = ordered;
    if let Some(deploy) = map.get_mut("deploy") {
        in_order(deploy, &DEPLOY);
    }
}

fn resolve_environments(loader: &mut Loader<'_>, root: &mut Map, environment: &Environment) -> Result<(), Error> {
    match services(root) {
        Some(services) => loader.resolve_environments(services, environment),
        None => Ok(()),
    }
}

/// Gives jobs their names, and takes secrets' values away: compose-go's types have the former and hide the latter.
fn name_jobs(root: &mut Map) {
    for (name, job) in root.get_mut("jobs").and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut) {
        let name = name.clone();
        if let Some(job) = job.as_map_mut() {
            job.set("name", Node::new(name));
        }
    }
    for (_, secret) in root.get_mut("secrets").and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut) {
        if let Some(secret) = secret.as_map_mut() {
            secret.remove(SECRET_VALUE);
        }
    }
}

/// A config that takes its content from the environment is printed without it.
fn hide_config_contents(root: &mut Map) {
    for section in ["configs", "secrets"] {
        let Some(resources) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (_, resource) in resources.iter_mut() {
            if resource.get("environment").is_some()
                && let Some(resource) = resource.as_map_mut()
            {
                resource.remove("content");
            }
        }
    }
}

fn env_files(loader: &Loader<'_>, working_dir: &str) -> Result<Vec<String>, Error> {
    let options = loader.options;
    if !options.env_files.is_empty() {
        return Ok(options.env_files.iter().map(|path| loader.absolute(path.as_str())).collect());
    }
    let named = options.environment.get("COMPOSE_ENV_FILES").map(String::as_str).unwrap_or_default();
    let named: Vec<String> =
        named.split(',').filter(|path| !path.is_empty()).map(|path| loader.absolute(path)).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    if let Some(disable) = options.environment.get("COMPOSE_DISABLE_ENV_FILE") {
        match disable.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => return Ok(Vec::new()),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => {}
            other => {
                let other = crate::go::quote(other);
                return Err(Error::invalid(format!("strconv.ParseBool: parsing {other}: invalid syntax")));
            }
        }
    }
    let default = join(working_dir, ".env");
    let found = loader.kind(&default) == Some(FileKind::File);
    Ok(if found { vec![default] } else { Vec::new() })
}

fn default_files(loader: &mut Loader<'_>, environment: &Environment, working_dir: &str) -> Vec<String> {
    if let Some(files) = environment.read("COMPOSE_FILE", &mut loader.record).cloned() {
        let separator = environment.read("COMPOSE_PATH_SEPARATOR", &mut loader.record).cloned();
        let separator = separator.filter(|separator| !separator.is_empty()).unwrap_or_else(|| Text::new(":"));
        return files.split(separator.as_str()).map(|path| loader.absolute(path)).collect();
    }
    let found = |directory: &str, names: &[&str]| {
        names.iter().map(|name| join(directory, name)).find(|path| loader.kind(path).is_some())
    };
    let mut directory = working_dir.to_owned();
    loop {
        if let Some(file) = found(&directory, &DEFAULT_FILES) {
            return std::iter::once(file).chain(found(&directory, &DEFAULT_OVERRIDES)).collect();
        }
        let parent = folder(&directory);
        if parent == directory {
            return Vec::new();
        }
        directory = parent;
    }
}

fn active_profiles(loader: &mut Loader<'_>, environment: &Environment) -> Vec<String> {
    match &loader.options.profiles {
        Profiles::All => vec!["*".to_owned()],
        Profiles::Named(names) if !names.is_empty() => names.clone(),
        Profiles::Named(_) => {
            let named = environment.read("COMPOSE_PROFILES", &mut loader.record).cloned();
            named.unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect()
        }
    }
}
