//! `include`: other projects' files, loaded on their own and taken in.

use std::sync::Arc;

use source::FileKind;

use crate::environment::Environment;
use crate::loader::{Loader, Scope};
use crate::path::Path;
use crate::volume::{dir, join, relative};
use crate::{Error, ErrorKind, Map, Node, Value, merge, reset};

/// The model of an include, by all that decides it.
#[derive(Clone)]
pub(crate) struct Cached {
    files: Vec<String>,
    working_dir: String,
    project_dir: String,
    environment: Arc<Environment>,
    model: Node,
}

/// One entry of `include`.
struct Entry {
    paths: Vec<String>,
    project_directory: String,
    env_files: Vec<String>,
    span: Option<source::Span>,
}

impl Loader<'_> {
    /// Replaces `include` of a file's tree by what it brings.
    pub(crate) fn include(
        &mut self,
        tree: &mut Node,
        scope: &Scope,
        included: &mut [String],
        resets: &[Vec<String>],
    ) -> Result<(), Error> {
        let Some(map) = tree.as_map_mut() else { return Ok(()) };
        let Some(list) = map.remove("include") else { return Ok(()) };
        for entry in entries(list)? {
            let span = entry.span;
            if self.include_depth >= self.options.limits.include_depth {
                let message = format!("files include each other more than {} levels deep", self.include_depth);
                return Err(Error::limit(message).at(span));
            }
            self.include_depth += 1;
            let model = self.included_model(entry, scope, included);
            self.include_depth -= 1;
            import(model.map_err(|error| error.at(span))?, map, resets)?;
        }
        Ok(())
    }

    fn included_model(&mut self, mut entry: Entry, scope: &Scope, included: &mut [String]) -> Result<Node, Error> {
        let mut working_dir = String::new();
        for (index, path) in entry.paths.iter_mut().enumerate() {
            refuse_remote(path)?;
            *path = resource(&scope.resource_dir, path);
            if index > 0 {
                continue;
            }
            if entry.project_directory.is_empty() {
                working_dir = self.resource_folder(&scope.resource_dir, path);
                entry.project_directory = dir(path);
            } else if entry.project_directory.starts_with('/') {
                working_dir.clone_from(&entry.project_directory);
            } else {
                working_dir = self.resource_folder(&scope.resource_dir, &entry.project_directory);
                entry.project_directory = join(&scope.working_dir, &entry.project_directory);
            }
            if included.contains(path) {
                let mut chain = included.to_vec();
                chain.push(path.clone());
                let first = chain.remove(0);
                let message = format!("include cycle detected:\n{first}\n include {}", chain.join("\n include "));
                return Err(Error::invalid(message));
            }
        }
        let env_files = self.include_env_files(&entry, scope)?;
        let read = self.env_files(&scope.environment, &env_files)?;
        let mut environment = Environment::clone(&scope.environment);
        environment.complete(read, &mut self.record);
        let environment = Arc::new(environment);
        let known = self.included.iter().find(|cached| {
            cached.files == entry.paths
                && cached.working_dir == working_dir
                && cached.project_dir == entry.project_directory
                && cached.environment == environment
        });
        if let Some(known) = known {
            return Ok(known.model.clone());
        }
        let inner = Scope {
            working_dir: working_dir.clone(),
            resource_dir: entry.project_directory.clone(),
            environment: Arc::clone(&environment),
            resolve_paths: true,
            is_base: false,
        };
        let model = self.model(&entry.paths, &inner, included)?;
        self.included.push(Cached {
            files: entry.paths,
            working_dir,
            project_dir: entry.project_directory,
            environment,
            model: model.clone(),
        });
        Ok(model)
    }

    fn include_env_files(&self, entry: &Entry, scope: &Scope) -> Result<Vec<String>, Error> {
        if entry.env_files.is_empty() {
            let default = join(&entry.project_directory, ".env");
            let found = self.kind(&default) == Some(FileKind::File);
            return Ok(if found { vec![default] } else { Vec::new() });
        }
        let mut paths = Vec::new();
        for path in &entry.env_files {
            if path == "/dev/null" {
                continue;
            }
            let mut path = path.clone();
            if !path.starts_with('/') {
                path = join(&scope.working_dir, &path);
                match self.kind(&path) {
                    Some(FileKind::File) => {}
                    Some(FileKind::Directory) => {
                        return Err(Error::new(ErrorKind::Unreadable, format!("{path} is not a file")));
                    }
                    None => {
                        let message = format!("stat {path}: no such file or directory");
                        return Err(Error::new(ErrorKind::Unreadable, message));
                    }
                }
            }
            paths.push(path);
        }
        Ok(paths)
    }

    /// The folder of a resource (itself, if it is one), relative to where resources are looked for.
    pub(crate) fn resource_folder(&self, resource_dir: &str, path: &str) -> String {
        let full = resource(resource_dir, path);
        let full =
            if self.kind(&full) == Some(FileKind::Directory) { full } else { resource(resource_dir, &dir(path)) };
        relative(resource_dir, &full)
    }
}

/// A resource's path.
pub(crate) fn resource(resource_dir: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { join(resource_dir, path) }
}

/// What Compose would fetch, we do not.
pub(crate) fn refuse_remote(path: &str) -> Result<(), Error> {
    let is_remote = path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/");
    if !is_remote {
        return Ok(());
    }
    let message = format!("remote resource {path} is not fetched");
    Err(Error::new(ErrorKind::Unreadable, message).help("copy it into the project and name the copy"))
}

fn entries(list: Node) -> Result<Vec<Entry>, Error> {
    let span = list.span;
    let items = match list.value {
        Value::Null => return Ok(Vec::new()),
        Value::Seq(items) => items,
        _ => {
            let message = format!("`include` must be a list, got {}", list.to_go_text());
            return Err(Error::invalid(message).at(span));
        }
    };
    let strings = |node: Option<&Node>| -> Result<Vec<String>, Error> {
        match node.map(|node| (&node.value, node.span)) {
            None | Some((Value::Null, _)) => Ok(Vec::new()),
            Some((Value::Str(text), _)) => Ok(vec![text.to_string()]),
            Some((Value::Seq(items), span)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| Error::invalid("invalid type []interface {} for string list").at(span)),
            Some((_, span)) => {
                let kind = node.map_or("<nil>", Node::go_type);
                Err(Error::invalid(format!("invalid type {kind} for string list")).at(span))
            }
        }
    };
    items
        .into_iter()
        .map(|item| {
            let span = item.span;
            if let Some(path) = item.as_str() {
                let paths = vec![path.to_owned()];
                return Ok(Entry { paths, project_directory: String::new(), env_files: Vec::new(), span });
            }
            let Some(map) = item.as_map() else {
                let message = format!("include expected a map or struct, got {:?}", item.go_type());
                return Err(Error::invalid(message).at(span));
            };
            let directory = map.get("project_directory").and_then(Node::as_str).unwrap_or_default().to_owned();
            let (paths, env_files) = (strings(map.get("path"))?, strings(map.get("env_file"))?);
            Ok(Entry { paths, project_directory: directory, env_files, span })
        })
        .collect()
}

/// Adds the resources of an included model; what is there already is laid over it.
fn import(model: Node, into: &mut Map, resets: &[Vec<String>]) -> Result<(), Error> {
    let mut model = model.into_map();
    for section in ["services", "jobs", "volumes", "networks", "secrets", "configs", "models"] {
        let Some(from) = model.remove(section).filter(|from| !from.is_null()) else { continue };
        let root = Path::ROOT.next(section);
        if !into.contains(section) {
            into.set(section, Node::at(Map::new(), from.span));
        }
        let Some(target) = into.get_mut(section) else { continue };
        let at = target.span;
        let Some(target) = target.as_map_mut() else {
            return Err(Error::invalid(format!("{section} must be a mapping")).at(at));
        };
        for (name, entry) in from.into_map() {
            let Some(own) = target.get_mut(&name) else {
                target.set_entry(name, entry);
                continue;
            };
            if own.same(&entry.node) {
                continue;
            }
            // What the including file resets is taken from what it includes.
            let mut imported = Map::new();
            imported.set(name.clone(), entry.node);
            let mut wrapped = Map::new();
            wrapped.set(section, Node::new(imported));
            let mut wrapped = Node::new(wrapped);
            reset::apply(&mut wrapped, resets);
            let mut section_map = wrapped.into_map().remove(section).unwrap_or_default().into_map();
            let imported = section_map.remove(&name).unwrap_or_default();
            let own_node = std::mem::take(own);
            *own = merge::merge(imported, own_node, &root.next(&name))?;
        }
    }
    Ok(())
}
