//! What must hold between the parts of a project: references, exclusive attributes, cycles.

use std::collections::{HashMap, HashSet};

use crate::{Error, Map, Node, Value, go};

/// Checks the typed project; `disabled` are the services that no active Compose profile selects. Where a service has
/// both `scale` and `deploy`, the replicas are set to the scale.
pub(crate) fn check(root: &mut Map, disabled: &Map) -> Result<(), Error> {
    let mut services = root.remove("services").unwrap_or_default();
    let project = Project { root, disabled };
    let mut result = Ok(());
    if let Some(map) = services.as_map_mut() {
        let names: HashSet<String> = map.keys().map(ToString::to_string).collect();
        let buildable: HashSet<String> = map
            .iter()
            .chain(disabled.iter())
            .filter(|(_, service)| service.get("build").is_some())
            .map(|(name, _)| name.to_string())
            .collect();
        let known = Known { names, buildable };
        for (name, service) in map.iter_mut() {
            let span = service.span;
            result = project.service(name, service, &known).map_err(|error| error.at(span));
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            result = project.rest(map);
        }
    }
    // The section's place in the output is the printer's business, not the order of this map.
    root.set("services", services);
    result
}

struct Project<'p> {
    root: &'p Map,
    disabled: &'p Map,
}

struct Known {
    names: HashSet<String>,
    buildable: HashSet<String>,
}

fn invalid(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("{message}: invalid compose project"))
}

fn text<'n>(service: &'n Node, key: &str) -> &'n str {
    service.get(key).and_then(Node::as_str).unwrap_or_default()
}

fn entries<'n>(service: &'n Node, key: &str) -> impl Iterator<Item = (&'n source::Text, &'n Node)> {
    service.get(key).and_then(Node::as_map).into_iter().flat_map(Map::iter)
}

fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_seq).unwrap_or_default()
}

fn float(node: Option<&Node>) -> f64 {
    match node.map(|node| &node.value) {
        Some(Value::Float(value)) => *value,
        #[expect(clippy::cast_precision_loss, reason = "numbers of processors are small")]
        Some(Value::Int(value)) => *value as f64,
        _ => 0.0,
    }
}

impl Project<'_> {
    fn has(&self, section: &str, name: &str) -> bool {
        self.root.get(section).and_then(Node::as_map).is_some_and(|map| map.contains(name))
    }

    fn service(&self, name: &str, service: &mut Node, known: &Known) -> Result<(), Error> {
        let quoted = go::quote(name);
        let has_image = !text(service, "image").is_empty();
        if service.get("build").is_none() && !has_image && service.get("provider").is_none() {
            return Err(invalid(format!("service {quoted} has neither an image nor a build context specified"))
                .help("add `image:` or `build:`"));
        }
        build(name, service, known)?;
        self.references(name, service, known)?;
        scale(name, service)?;
        limits(name, service)?;
        let replicas = service
            .get("scale")
            .or_else(|| service.at_path(["deploy", "replicas"]))
            .and_then(Node::as_int)
            .unwrap_or(1);
        if replicas > 1 && !text(service, "container_name").is_empty() {
            let attribute = if service.get("scale").is_none() { "deploy.replicas" } else { "scale" };
            return Err(invalid(format!(
                "services.{attribute}: can't set container_name and {name} as container name must be unique"
            ))
            .at(service.get("container_name").and_then(|node| node.span)));
        }
        for watch in items(service.at_path(["develop", "watch"])) {
            let needs_target = !matches!(text(watch, "action"), "rebuild" | "restart");
            if needs_target && text(watch, "target").is_empty() {
                let message = format!("services.{name}.develop.watch: target is required for non-rebuild actions");
                return Err(invalid(message).at(watch.span));
            }
        }
        mounts(name, service)
    }

    fn references(&self, name: &str, service: &Node, known: &Known) -> Result<(), Error> {
        let quoted = go::quote(name);
        let network_mode = text(service, "network_mode");
        if !network_mode.is_empty() && entries(service, "networks").next().is_some() {
            return Err(invalid(format!("service {name} declares mutually exclusive `network_mode` and `networks`"))
                .at(service.get("network_mode").and_then(|node| node.span)));
        }
        for (network, node) in entries(service, "networks") {
            if !self.has("networks", network) {
                return Err(invalid(format!("service {quoted} refers to undefined network {network}")).at(node.span));
            }
        }
        if let Some(first) = items(service.at_path(["healthcheck", "test"])).first()
            && !matches!(first.as_str(), Some("CMD" | "CMD-SHELL" | "NONE"))
        {
            let message = "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"";
            return Err(Error::invalid(message).at(first.span));
        }
        for (depended, dependency) in entries(service, "depends_on") {
            if known.names.contains(depended.as_str()) {
                continue;
            }
            let required = dependency.get("required").and_then(Node::as_bool).unwrap_or(false);
            if self.disabled.contains(depended) && !required {
                continue;
            }
            let other = go::quote(depended);
            let message = if self.has("jobs", depended) {
                format!("service {quoted} cannot depend on job {other}: services can only depend on other services")
            } else {
                format!("service {quoted} depends on undefined service {other}")
            };
            return Err(invalid(message).at(dependency.span));
        }
        if let Some(other) = network_mode.strip_prefix("service:")
            && !known.names.contains(other)
        {
            let message = format!("service {} not found for network_mode 'service:{other}'", go::quote(other));
            return Err(Error::invalid(message).at(service.get("network_mode").and_then(|node| node.span)));
        }
        for volume in items(service.get("volumes")) {
            let source = text(volume, "source");
            if text(volume, "type") == "volume" && !source.is_empty() && !self.has("volumes", source) {
                return Err(invalid(format!("service {quoted} refers to undefined volume {source}")).at(volume.span));
            }
        }
        let lists = [
            (service.at_path(["build", "secrets"]), "secrets", "build secret"),
            (service.get("configs"), "configs", "config"),
        ];
        for (list, section, noun) in lists {
            self.sources(&quoted, list, section, noun)?;
        }
        for (model, node) in entries(service, "models") {
            if !self.has("models", model) {
                return Err(invalid(format!("service {quoted} refers to undefined model {model}")).at(node.span));
            }
        }
        self.sources(&quoted, service.get("secrets"), "secrets", "secret")
    }

    fn sources(&self, service: &str, list: Option<&Node>, section: &str, noun: &str) -> Result<(), Error> {
        for item in items(list) {
            let source = text(item, "source");
            if !self.has(section, source) {
                let message = format!("service {service} refers to undefined {noun} {source}");
                return Err(invalid(message).at(item.span));
            }
        }
        Ok(())
    }

    fn rest(&self, services: &Map) -> Result<(), Error> {
        let jobs = self.root.get("jobs").and_then(Node::as_map);
        for (name, job) in jobs.into_iter().flat_map(Map::iter) {
            if services.contains(name) || self.disabled.contains(name) {
                let message = format!(
                    "{} is declared both as a service and a job: service and job names must be unique",
                    go::quote(name)
                );
                return Err(invalid(message).at(job.span));
            }
        }
        for (name, job) in jobs.into_iter().flat_map(Map::iter) {
            for (depended, dependency) in entries(job, "depends_on") {
                let required = dependency.get("required").and_then(Node::as_bool).unwrap_or(false);
                let optional = self.disabled.contains(depended) && !required;
                if !self.has("jobs", depended) && !services.contains(depended) && !optional {
                    let message =
                        format!("job {} depends on undefined service or job {}", go::quote(name), go::quote(depended));
                    return Err(invalid(message).at(dependency.span));
                }
            }
        }
        for (name, secret) in self.root.get("secrets").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            let external = secret.get("external").and_then(Node::as_bool).unwrap_or(false);
            if !external && text(secret, "file").is_empty() && text(secret, "environment").is_empty() {
                let message = format!("secret {} must declare either `file` or `environment`", go::quote(name));
                return Err(invalid(message).at(secret.span));
            }
        }
        cycles(services)
    }
}

fn build(name: &str, service: &Node, known: &Known) -> Result<(), Error> {
    let Some(build) = service.get("build") else { return Ok(()) };
    let quoted = go::quote(name);
    if !text(build, "dockerfile_inline").is_empty() && !text(build, "dockerfile").is_empty() {
        let message = format!("service {quoted} declares mutualy exclusive dockerfile and dockerfile_inline");
        return Err(invalid(message).at(build.span));
    }
    for (context, node) in entries(build, "additional_contexts") {
        let Some(target) = node.as_str().and_then(|text| text.strip_prefix("service:")) else { continue };
        let target_quoted = go::quote(target);
        if known.buildable.contains(target) {
            continue;
        }
        let problem = if known.names.contains(target) { "non-buildable" } else { "unknown" };
        let message =
            format!("service {quoted} declares {problem} service {target_quoted} as additional contexts {context}");
        return Err(Error::invalid(message).at(node.span));
    }
    let platform = text(service, "platform");
    let platforms = items(build.get("platforms"));
    if !platform.is_empty() && !platforms.is_empty() && !platforms.iter().any(|item| item.as_str() == Some(platform)) {
        let message = format!("service.build.platforms MUST include service.platform {}", go::quote(platform));
        return Err(invalid(message).at(build.span));
    }
    Ok(())
}

fn scale(name: &str, service: &mut Node) -> Result<(), Error> {
    let scale = service.get("scale").cloned();
    let replicas = service.at_path(["deploy", "replicas"]).and_then(Node::as_int);
    if let Some(scale) = &scale
        && let Some(deploy) = service.as_map_mut().and_then(|map| map.get_mut("deploy")).and_then(Node::as_map_mut)
    {
        if replicas.is_some() && replicas != scale.as_int() {
            let message = format!("services.{name}: can't set distinct values on 'scale' and 'deploy.replicas'");
            return Err(invalid(message).at(scale.span));
        }
        deploy.set("replicas", scale.clone());
    }
    let negative = |node: Option<&Node>| node.and_then(Node::as_int).is_some_and(|value| value < 0);
    if negative(scale.as_ref()) {
        return Err(Error::invalid(format!("services.{name}.scale: must be greater than or equal to 0")));
    }
    if negative(service.at_path(["deploy", "replicas"])) {
        return Err(Error::invalid(format!("services.{name}.deploy.replicas: must be greater than or equal to 0")));
    }
    Ok(())
}

fn limits(name: &str, service: &Node) -> Result<(), Error> {
    let distinct = |own: &str, other: &str| {
        let message = format!("services.{name}: can't set distinct values on '{own}' and '{other}'");
        Err(invalid(message).at(service.get(own).and_then(|node| node.span)))
    };
    let limits = service.at_path(["deploy", "resources", "limits"]);
    let reservations = service.at_path(["deploy", "resources", "reservations"]);
    if let (Some(cpus), Some(limits)) = (service.get("cpus"), limits)
        && (float(Some(cpus)) - float(limits.get("cpus"))).abs() > 0.0
    {
        return distinct("cpus", "deploy.resources.limits.cpus");
    }
    if let (Some(memory), Some(limits)) = (service.get("mem_limit"), limits)
        && memory.as_str() != Some(limits.get("memory").and_then(Node::as_str).unwrap_or("0"))
    {
        return distinct("mem_limit", "deploy.resources.limits.memory");
    }
    if let (Some(memory), Some(reservations)) = (service.get("mem_reservation"), reservations)
        && memory.as_str() != Some(reservations.get("memory").and_then(Node::as_str).unwrap_or("0"))
    {
        return distinct("mem_reservation", "deploy.resources.reservations.memory");
    }
    if let (Some(pids), Some(limits)) = (service.get("pids_limit"), limits)
        && pids.as_int() != Some(limits.get("pids").and_then(Node::as_int).unwrap_or(0))
    {
        return distinct("pids_limit", "deploy.resources.limits.pids");
    }
    Ok(())
}

fn mounts(name: &str, service: &Node) -> Result<(), Error> {
    let mut seen: HashMap<&str, String> = HashMap::new();
    let tmpfs = items(service.get("tmpfs")).iter().enumerate().map(|(index, item)| {
        let target = item.as_str().unwrap_or_default().split(':').next().unwrap_or_default();
        (format!("services.{name}.tmpfs[{index}]"), target, item.span)
    });
    let volumes = items(service.get("volumes"))
        .iter()
        .enumerate()
        .map(|(index, item)| (format!("services.{name}.volumes[{index}]"), text(item, "target"), item.span));
    for (place, target, span) in tmpfs.chain(volumes) {
        if let Some(earlier) = seen.get(target) {
            let message = format!("{place}: target {target} already mounted as {earlier}");
            return Err(Error::invalid(message).at(span));
        }
        seen.insert(target, place);
    }
    Ok(())
}

/// Looks for services that depend on themselves, in order of their names.
fn cycles(services: &Map) -> Result<(), Error> {
    let children = |name: &str| -> Vec<&str> {
        let mut names: Vec<&str> = services
            .get(name)
            .into_iter()
            .flat_map(|service| entries(service, "depends_on"))
            .map(|(name, _)| name.as_str())
            .filter(|name| services.contains(name))
            .collect();
        names.sort_unstable();
        names
    };
    let mut done: HashSet<&str> = HashSet::new();
    for (start, _) in services.sorted() {
        // A stack of our own: chains are as long as a file likes.
        let mut path: Vec<(&str, std::vec::IntoIter<&str>)> = Vec::new();
        let mut on_path: HashSet<&str> = HashSet::new();
        if done.contains(start.as_str()) {
            continue;
        }
        on_path.insert(start);
        path.push((start, children(start).into_iter()));
        while let Some((name, rest)) = path.last_mut() {
            let name = *name;
            match rest.next() {
                None => {
                    done.insert(name);
                    on_path.remove(name);
                    path.pop();
                }
                Some(next) if on_path.contains(next) => {
                    let cycle: Vec<&str> =
                        path.iter().map(|(name, _)| *name).skip_while(|name| *name != next).chain([next]).collect();
                    let span = services.get(name).and_then(|service| service.get("depends_on")?.get(next)?.span);
                    return Err(Error::invalid(format!("dependency cycle detected: {}", cycle.join(" -> "))).at(span));
                }
                Some(next) if done.contains(next) => {}
                Some(next) => {
                    on_path.insert(next);
                    path.push((next, children(next).into_iter()));
                }
            }
        }
    }
    Ok(())
}

/// Refuses two services that ask for the same container name.
pub(crate) fn check_container_names(services: &Map) -> Result<(), Error> {
    let mut seen: HashSet<&str> = HashSet::new();
    for (name, service) in services.iter() {
        let container = text(service, "container_name");
        if !container.is_empty() && !seen.insert(container) {
            // Compose prints its (empty) set entry where the other service's name should be.
            let message =
                format!("services.{name}: container name {} is already in use by service {{}}\"", go::quote(container));
            return Err(Error::invalid(message).at(service.get("container_name").and_then(|node| node.span)));
        }
    }
    Ok(())
}
