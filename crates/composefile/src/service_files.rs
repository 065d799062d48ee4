//! `env_file` and `label_file` of services: read, and laid under `environment` and `labels`.

use camino::Utf8PathBuf;
use source::{FileError, FileId, FileKind, Span, Text, octets};

use crate::budget::Budget;
use crate::dotenv::{self, Refusal};
use crate::environment::Environment;
use crate::interpolate::template::{Found, Use};
use crate::loader::{Loader, unreadable};
use crate::node::Entry;
use crate::{EnvEntry, Error, ErrorKind, Map, Node, ServiceFile, Value, VariableSource};

/// What `env_file` values look up: the project's environment, then the service's own, then what was read so far.
struct ServiceScope<'s> {
    project: Option<&'s Environment>,
    own: &'s Map,
    read: &'s Map,
    record: &'s mut crate::record::Record,
}

impl dotenv::Scope for ServiceScope<'_> {
    fn lookup(&mut self, name: &str) -> Option<Found> {
        if let Some(project) = self.project
            && let Some(value) = project.get(name)
        {
            let source = value.source;
            return project.read(name, self.record).map(|text| Found { text: text.clone(), source });
        }
        let node = [self.own, self.read].into_iter().find_map(|map| map.get(name).filter(|node| !node.is_null()))?;
        let source = node.span.map_or(VariableSource::HostEnvironment, VariableSource::EnvFile);
        Some(Found { text: node.to_go_text(), source })
    }

    fn used(&mut self, variable: &Use<'_>, fallback: Span) {
        self.record.variable(crate::VariableUse {
            name: variable.name.to_owned(),
            span: variable.template.exact_span(variable.place.clone()).or(Some(fallback)),
            default: None,
            required: false,
            presence: false,
            from: variable.source,
        });
    }

    fn unset(&mut self, name: &str, span: Span) {
        let message = format!("The \"{name}\" variable is not set. Defaulting to a blank string.");
        self.record.warn(message, Some(span));
    }
}

/// Whether a service has all its variables with their values, if it has any.
fn says_all(service: &Map) -> bool {
    let has_values =
        |own: &Node| own.as_map().is_some_and(|own| !own.is_empty() && own.iter().all(|(_, node)| !node.is_null()));
    !service.contains("env_file") && service.get("environment").is_none_or(has_values)
}

impl Loader<'_> {
    /// Reads the env files of every service into its `environment`, and forgets `env_file`.
    pub(crate) fn resolve_environments(&mut self, services: &mut Map, environment: &Environment) -> Result<(), Error> {
        for (name, service) in services.iter_mut() {
            let Some(service) = service.as_map_mut().filter(|service| !says_all(service)) else { continue };
            let mut own = service.remove("environment").unwrap_or_default();
            if let Some(map) = own.as_map_mut() {
                for (name, node) in map.iter_mut().filter(|(_, node)| node.is_null()) {
                    if let Some(text) = environment.read(name, &mut self.record) {
                        node.value = Value::Str(text.clone());
                    }
                }
            }
            let span = own.span;
            let own = own.into_map();
            let mut read = Map::new();
            if let Some(files) = service.remove("env_file") {
                for file in files.as_seq().unwrap_or_default() {
                    self.env_file(name, file, &own, &mut read, environment)?;
                }
            }
            // What the service says wins, also where it names a variable without value.
            for (name, entry) in own {
                read.set_entry(name, entry);
            }
            if !read.is_empty() {
                service.set("environment", Node::at(read, span));
            }
        }
        Ok(())
    }

    fn env_file(
        &mut self,
        service: &str,
        file: &Node,
        own: &Map,
        read: &mut Map,
        environment: &Environment,
    ) -> Result<(), Error> {
        let text = |key: &str| file.get(key).and_then(Node::as_str).unwrap_or_default();
        let path = text("path");
        let span = file.get("path").and_then(|path| path.span).or(file.span);
        let required = file.get("required").and_then(Node::as_bool).unwrap_or(true);
        let mut known = ServiceFile {
            service: service.to_owned(),
            key: "env_file",
            path: Utf8PathBuf::from(self.absolute(path)),
            span,
            required,
            file: None,
            entries: Vec::new(),
        };
        if self.kind(path).is_none() {
            self.record.service_files.push(known);
            if required {
                return Err(self.missing("env", path, span));
            }
            return Ok(());
        }
        let (id, content) = self.service_file(path, span)?;
        let mut scope = ServiceScope { project: Some(environment), own, read, record: &mut self.record };
        let entries = match text("format") {
            "" | ".env" => dotenv::parse(&content, id, &mut scope, &self.budget)
                .map_err(|refusal| refused(&refusal, format!("failed to read {path}")))?,
            "raw" => raw(&content, id, &mut scope, &self.budget)
                .map_err(|refusal| refused(&refusal, format!("failed to parse env_file {path}")))?,
            other => {
                let message = format!("unsupported env_file format {}", crate::go::quote(other));
                return Err(Error::invalid(message).at(span));
            }
        };
        lay(&entries, read);
        known.file = Some(id);
        known.entries = entries;
        self.record.service_files.push(known);
        Ok(())
    }

    /// Reads the label files of every service into its `labels`.
    pub(crate) fn resolve_labels(&mut self, services: &mut Map) -> Result<(), Error> {
        for (name, service) in services.iter_mut() {
            let files = service.get("label_file").and_then(Node::as_seq).unwrap_or_default().to_vec();
            if files.is_empty() {
                continue;
            }
            let mut labels = Map::new();
            for file in files {
                let path = file.as_str().unwrap_or_default();
                let mut known = ServiceFile {
                    service: name.to_string(),
                    key: "label_file",
                    path: Utf8PathBuf::from(self.absolute(path)),
                    span: file.span,
                    required: true,
                    file: None,
                    entries: Vec::new(),
                };
                if self.kind(path).is_none() {
                    self.record.service_files.push(known);
                    return Err(self.missing("label", path, file.span));
                }
                let (id, content) = self.service_file(path, file.span)?;
                let own = Map::new();
                let mut scope = ServiceScope { project: None, own: &own, read: &labels, record: &mut self.record };
                let entries = dotenv::parse(&content, id, &mut scope, &self.budget)
                    .map_err(|refusal| refused(&refusal, format!("failed to read {path}")))?;
                lay(&entries, &mut labels);
                known.file = Some(id);
                known.entries = entries;
                self.record.service_files.push(known);
            }
            let Some(service) = service.as_map_mut() else { continue };
            let own = service.remove("labels").unwrap_or_default();
            let span = own.span;
            for (name, entry) in own.into_map() {
                labels.set_entry(name, entry);
            }
            if !labels.is_empty() {
                service.set("labels", Node::at(labels, span));
            }
        }
        Ok(())
    }

    /// Why there is no file to read, in Compose's words. What is there and may not be read (it lies outside, or is a pipe) is refused for that.
    fn missing(&self, what: &str, path: &str, span: Option<Span>) -> Error {
        let error = match self.read_error(path) {
            Some(error @ (FileError::Outside { .. } | FileError::Io { .. })) => unreadable(path, &error),
            _ => {
                let message = format!("{what} file {path} not found: stat {path}: no such file or directory");
                Error::new(ErrorKind::Unreadable, message)
            }
        };
        error.at(span)
    }

    fn service_file(&self, path: &str, span: Option<Span>) -> Result<(FileId, Text), Error> {
        if self.kind(path) == Some(FileKind::Directory) {
            let message = format!("failed to read {path}: read {path}: is a directory");
            return Err(Error::new(ErrorKind::Unreadable, message).at(span));
        }
        self.read_env(path).map_err(|error| if error.span().is_some() { error } else { error.at(span) })
    }
}

fn refused(refusal: &Refusal, before: String) -> Error {
    let kind = if refusal.is_limit { ErrorKind::Limit } else { ErrorKind::Syntax };
    Error::new(kind, format!("{before}: {}", refusal.message)).at(Some(refusal.span))
}

fn lay(entries: &[EnvEntry], on: &mut Map) {
    for entry in entries {
        let node = Node::at(entry.value.clone(), Some(entry.value_span));
        on.set_entry(entry.name.clone(), Entry { key_span: Some(entry.name_span), node });
    }
}

/// `format: raw`: lines of `NAME=value`, taken as they are, as `docker run --env-file` reads them.
fn raw(source: &Text, file: FileId, scope: &mut dyn dotenv::Scope, budget: &Budget) -> Result<Vec<EnvEntry>, Refusal> {
    let mut entries = Vec::new();
    let mut at = 0;
    for (number, full) in source.split_inclusive('\n').enumerate() {
        let start = at;
        at += full.len();
        let line = full.strip_suffix('\n').unwrap_or(full);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(mark) = octets::first_mark(line) {
            let bytes: Vec<String> = octets::unmarked(line).iter().map(u8::to_string).collect();
            let message = format!("invalid utf8 bytes at line {}: [{}]", number + 1, bytes.join(" "));
            return Err(Refusal { message, span: Span::new(file, start + mark..start + line.len()), is_limit: false });
        }
        let trimmed = line.trim_start_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let start = start + line.len() - trimmed.len();
        let refuse =
            |message: String| Refusal { message, span: Span::new(file, start..start + trimmed.len()), is_limit: false };
        budget.variable().map_err(|message| Refusal { is_limit: true, ..refuse(message) })?;
        let (name, value) = match trimmed.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (trimmed, None),
        };
        if name.is_empty() {
            return Err(refuse(format!("no variable name on line '{trimmed}'")));
        }
        if name.contains([' ', '\t']) {
            return Err(refuse(format!("variable '{name}' contains whitespaces")));
        }
        let name_range = start..start + name.len();
        let (value, value_range) = match value {
            Some(value) => {
                let range = name_range.end + 1..name_range.end + 1 + value.len();
                (source.slice(range.clone()), range)
            }
            None => match scope.lookup(name) {
                Some(found) => (found.text, name_range.end..name_range.end),
                None => continue,
            },
        };
        entries.push(EnvEntry {
            name: source.slice(name_range.clone()),
            value,
            name_span: Span::new(file, name_range),
            value_span: Span::new(file, value_range),
            used: false,
            overridden: false,
        });
    }
    Ok(entries)
}
