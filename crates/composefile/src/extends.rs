//! `extends`: a service laid on another one, of this file or of another.

use source::Span;

use crate::absolute::{self, Base as PathBase};
use crate::include::{refuse_remote, resource};
use crate::loader::{ExtendsCache, Loader, Scope, folder};
use crate::{Error, Map, Node, Value, go, merge, reset};

/// The services of a file that others extend.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    services: Map,
    resets: Vec<Vec<String>>,
}

/// What a chain of `extends` shares.
struct Chain<'c> {
    /// The file at the start of the chain; compose-go names it in every message.
    file: &'c str,
    scope: &'c Scope,
    cache: &'c mut ExtendsCache,
}

impl Loader<'_> {
    /// Resolves the `extends` of all services of a file.
    pub(crate) fn extend(
        &mut self,
        tree: &mut Node,
        file: &str,
        scope: &Scope,
        resets: &[Vec<String>],
        cache: &mut ExtendsCache,
    ) -> Result<(), Error> {
        let Some(root) = tree.as_map_mut() else { return Ok(()) };
        let mut chain = Chain { file, scope, cache };
        for section in ["services", "jobs"] {
            let Some(services) = root.get_mut(section) else { continue };
            let span = services.span;
            let Some(services) = services.as_map_mut() else {
                return Err(Error::invalid(format!("{section} must be a mapping")).at(span));
            };
            let extending: Vec<String> = services
                .iter()
                .filter(|(_, service)| !service.is_null() && service.get("extends").is_some() || !is_mapping(service))
                .map(|(name, _)| name.to_string())
                .collect();
            for name in extending {
                let merged = self.extended(&name, services, &[], resets, &mut chain)?;
                services.set(name, merged);
            }
        }
        Ok(())
    }

    fn extended(
        &mut self,
        name: &str,
        services: &mut Map,
        tracker: &[(String, String)],
        resets: &[Vec<String>],
        chain: &mut Chain<'_>,
    ) -> Result<Node, Error> {
        let Some(service) = services.get(name).cloned() else { return Ok(Node::default()) };
        if service.is_null() {
            return Ok(service);
        }
        if service.as_map().is_none() {
            return Err(Error::invalid(format!("services.{name} must be a mapping")).at(service.span));
        }
        let Some(extends) = service.get("extends") else { return Ok(service) };
        let span = extends.span;
        let (reference, file) = match &extends.value {
            Value::Map(map) => match map.get("service").and_then(Node::as_str) {
                Some(reference) => (reference.to_owned(), map.get("file").filter(|file| !file.is_null())),
                None => return Err(Error::invalid(format!("extends.{name}.service is required")).at(span)),
            },
            Value::Str(reference) => (reference.to_string(), None),
            _ => (String::new(), None),
        };
        let mut from_file;
        let (base_services, base_resets, file) = match file {
            Some(file) => {
                let path = file.to_go_text().to_string();
                from_file = self.base_of(name, &reference, &path, chain).map_err(|error| error.at(file.span))?;
                (&mut from_file.services, from_file.resets.clone(), path)
            }
            None => {
                if !services.contains(&reference) {
                    let message = format!(
                        "cannot extend service {} in {}: service {} not found",
                        go::quote(name),
                        chain.file,
                        go::quote(&reference)
                    );
                    return Err(Error::invalid(message).at(span));
                }
                (&mut *services, resets.to_vec(), chain.file.to_owned())
            }
        };
        let tracker = self.track(tracker, &file, name, span)?;
        let mut base = self.extended(&reference, base_services, &tracker, &base_resets, chain)?;
        if base.is_null() {
            return Ok(service);
        }
        self.budget.extended(size(&base)).map_err(|message| Error::limit(message).at(span))?;
        if !resets.is_empty() {
            let mut named = Map::new();
            named.set(name, base);
            let mut root = Map::new();
            root.set("services", Node::new(named));
            let mut root = Node::new(root);
            reset::apply(&mut root, resets);
            let mut named = root.into_map().remove("services").unwrap_or_default().into_map();
            base = named.remove(name).unwrap_or_default();
        }
        let mut merged = merge::extend_service(base, service)?;
        if let Some(map) = merged.as_map_mut() {
            map.remove("extends");
        }
        services.set(name.to_owned(), merged.clone());
        Ok(merged)
    }

    fn track(
        &self,
        tracker: &[(String, String)],
        file: &str,
        name: &str,
        span: Option<Span>,
    ) -> Result<Vec<(String, String)>, Error> {
        let here = (file.to_owned(), name.to_owned());
        let mut tracker = tracker.to_vec();
        let is_cycle = tracker.contains(&here);
        tracker.push(here);
        if is_cycle {
            let mut lines = vec!["Circular reference:".to_owned()];
            for (index, (file, service)) in tracker.iter().enumerate() {
                let verb = if index == 0 { "" } else { "extends " };
                lines.push(format!("  {verb}{service} in {file}"));
            }
            return Err(Error::invalid(lines.join("\n")).at(span));
        }
        if tracker.len() > self.options.limits.extends_depth {
            let message = format!("services extend each other more than {} levels deep", tracker.len() - 1);
            return Err(Error::limit(message).at(span));
        }
        Ok(tracker)
    }

    fn base_of(&mut self, name: &str, reference: &str, path: &str, chain: &mut Chain<'_>) -> Result<Base, Error> {
        refuse_remote(path)?;
        let resource_dir = &chain.scope.resource_dir;
        let local = resource(resource_dir, path);
        let working_dir = self.resource_folder(resource_dir, path);
        let key = (local.clone(), working_dir.clone());
        let base = match chain.cache.get(&key) {
            Some(base) => base.clone(),
            None => {
                let base = self.load_base(name, &local, working_dir, chain)?;
                chain.cache.insert(key, base.clone());
                base
            }
        };
        if !base.services.contains(reference) {
            let message = format!(
                "cannot extend service {} in {}: service {} not found in {path}",
                go::quote(name),
                chain.file,
                go::quote(reference)
            );
            return Err(Error::invalid(message));
        }
        Ok(base)
    }

    fn load_base(
        &mut self,
        name: &str,
        local: &str,
        working_dir: String,
        chain: &mut Chain<'_>,
    ) -> Result<Base, Error> {
        let scope = Scope {
            working_dir,
            resource_dir: folder(local),
            environment: chain.scope.environment.clone(),
            resolve_paths: false,
            is_base: true,
        };
        let mut unused = ExtendsCache::new();
        let (mut root, resets) = self.file(local, &scope, Node::new(Map::new()), &[], &mut unused)?;
        let cannot =
            |reason: &str| Error::invalid(format!("cannot extend service {} in {local}: {reason}", go::quote(name)));
        match root.get("services") {
            None => return Err(cannot("no services section")),
            Some(services) if services.as_map().is_none() => {
                return Err(cannot("services must be a mapping").at(services.span));
            }
            Some(_) => {}
        }
        absolute::resolve(&mut root, PathBase { folder: &scope.working_dir, home: self.home() })?;
        let services = root.into_map().remove("services").unwrap_or_default().into_map();
        Ok(Base { services, resets })
    }
}

/// How many values there are in a tree.
fn size(node: &Node) -> usize {
    let below: usize = match &node.value {
        Value::Map(map) => map.iter().map(|(_, value)| size(value)).sum(),
        Value::Seq(items) => items.iter().map(size).sum(),
        _ => 0,
    };
    below + 1
}

fn is_mapping(service: &Node) -> bool {
    service.is_null() || service.as_map().is_some()
}
