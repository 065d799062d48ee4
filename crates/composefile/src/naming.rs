//! The project's name: given, from the environment, from `name:`, or from the folder.

use yamlspan::{Document, Kind, NodeRef};

use crate::environment::{EnvValue, Environment, Lookup};
use crate::interpolate::template::{self, Failure};
use crate::loader::{Loader, syntax, unreadable};
use crate::{Error, ErrorKind, VariableSource, go};

/// The variable that holds the name.
const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";

impl Loader<'_> {
    /// The name, which is then set in the environment too. May be empty, if a file names the project by a variable without value, or the folder's name has no letter to give.
    pub(crate) fn name_project(
        &mut self,
        environment: &mut Environment,
        files: &[String],
        working_dir: &str,
    ) -> Result<String, Error> {
        let name = self.find_name(environment, files, working_dir)?;
        let text = source::Text::new(name.as_str());
        environment.set(PROJECT_NAME, EnvValue { text, source: VariableSource::Compose, entry: None });
        Ok(name)
    }

    fn find_name(&mut self, environment: &Environment, files: &[String], working_dir: &str) -> Result<String, Error> {
        if let Some(name) = self.options.project_name.clone().filter(|name| !name.is_empty()) {
            return explicit(name);
        }
        let is_named = self.check_names(files)?;
        let from_environment = environment.read(PROJECT_NAME, &mut self.record).cloned();
        if let Some(name) = from_environment.filter(|name| !name.is_empty()) {
            return explicit(name.to_string());
        }
        let mut found = source::Text::new("");
        let mut span = None;
        for path in files {
            let parsed = self.looked_at(path)?;
            for document in parsed.documents.iter() {
                if let Some(name) = named(document).filter(|name| !name.raw().is_empty()) {
                    found = name.text(&parsed.text);
                    span = Some(name.span());
                }
            }
        }
        if self.options.interpolate {
            let mut lookup = Lookup { environment, record: &mut self.record, span };
            found = template::substitute(&found, &mut lookup, &self.budget).map_err(|failure| {
                let (kind, message) = match failure {
                    Failure::Invalid(template) => (
                        ErrorKind::Interpolation,
                        format!(
                            "invalid interpolation format for name.\nYou may need to escape any $ with another $.\n{template}"
                        ),
                    ),
                    Failure::Required { message } => {
                        (ErrorKind::Interpolation, format!("error while interpolating name: {message}"))
                    }
                    Failure::Limit(message) => (ErrorKind::Limit, message),
                };
                Error::new(kind, message).at(span)
            })?;
        }
        let name = if self.options.normalize { normalize(&found) } else { found.to_string() };
        // What a file says counts, even where it comes to nothing.
        if !name.is_empty() || is_named {
            return Ok(name);
        }
        Ok(normalize(working_dir.rsplit('/').next().unwrap_or_default()))
    }

    /// Whether one of these files, which were looked at before, names the project.
    pub(crate) fn is_named_in(&mut self, files: &[String]) -> bool {
        files.iter().any(|path| match self.looked_at(path) {
            Ok(parsed) => parsed.documents.iter().any(|document| named(document).is_some()),
            Err(_) => true,
        })
    }

    /// Whether the first document of a file names the project. Refuses what cannot be read for its name, in the words of that first reading.
    fn check_names(&mut self, files: &[String]) -> Result<bool, Error> {
        for path in files {
            let parsed = self.looked_at(path)?;
            let Some(document) = parsed.documents.first() else {
                match &parsed.broken {
                    Some(error) => return Err(syntax(error)),
                    None => continue,
                }
            };
            let root = document.root().target();
            match root.kind() {
                Kind::Mapping => check_top_level(document, root)?,
                Kind::Sequence => return Err(cannot_construct(document, root, "cli.named")),
                _ if root.value() == yamlspan::Scalar::Null => {}
                _ => return Err(cannot_construct(document, root, "cli.named")),
            }
            if named(document).is_some_and(|name| !name.raw().is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The files to load, absolute; refuses one that is not there.
    pub(crate) fn check_files(&mut self, files: &[String]) -> Result<(), Error> {
        for path in files {
            if let Err(error) = self.read(path) {
                let inner = match error {
                    source::FileError::IsDirectory(_) => {
                        Error::new(ErrorKind::Unreadable, format!("{path} is a directory"))
                    }
                    error => unreadable(path, &error),
                };
                return Err(inner.context(format!("compose file {} is invalid", go::quote(path))));
            }
        }
        Ok(())
    }
}

fn explicit(name: String) -> Result<String, Error> {
    if normalize(&name) == name {
        return Ok(name);
    }
    let rule = "must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number";
    Err(Error::invalid(format!("invalid project name {}: {rule}", go::quote(&name))))
}

/// Lower case letters, digits, `_` and `-`; the last two not at the start.
fn normalize(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String = lower
        .chars()
        .filter(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '_' | '-')
        })
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

fn named(document: &Document) -> Option<NodeRef<'_>> {
    let name = document.root().get("name")?.target();
    (name.kind() == Kind::Scalar && name.value() != yamlspan::Scalar::Null).then_some(name)
}

fn line_of(document: &Document, node: NodeRef<'_>) -> usize {
    let before = document.source().as_bytes().iter().take(node.span().start as usize);
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn check_top_level(document: &Document, root: NodeRef<'_>) -> Result<(), Error> {
    let mut seen = std::collections::HashMap::new();
    for (key, value) in root.entries() {
        if key.kind() != Kind::Scalar {
            continue;
        }
        if let Some(first) = seen.insert(key.raw(), key) {
            let message = format!(
                "yaml: construct errors: line {}: mapping key {} already defined at line {}",
                line_of(document, key),
                go::quote(key.raw()),
                line_of(document, first)
            );
            let error = Error::new(ErrorKind::Syntax, message).at(Some(key.span()));
            return Err(error.contradicting(Some(first.span())));
        }
        if key.raw() == "name" && value.target().kind() != Kind::Scalar {
            return Err(cannot_construct(document, value.target(), "string"));
        }
    }
    Ok(())
}

fn cannot_construct(document: &Document, node: NodeRef<'_>, into: &str) -> Error {
    let what = match node.kind() {
        Kind::Sequence => "!!seq".to_owned(),
        Kind::Mapping => "!!map".to_owned(),
        _ => {
            let tag = match node.value() {
                yamlspan::Scalar::Int(_) | yamlspan::Scalar::Uint(_) => "!!int",
                yamlspan::Scalar::Float(_) => "!!float",
                yamlspan::Scalar::Bool(_) => "!!bool",
                yamlspan::Scalar::Timestamp(_) => "!!timestamp",
                _ => "!!str",
            };
            format!("{tag} `{}`", short(node.raw()))
        }
    };
    let line = line_of(document, node);
    let message = format!("yaml: construct errors: line {line}: cannot construct {what} into {into}");
    Error::new(ErrorKind::Syntax, message).at(Some(node.span()))
}

/// As go-yaml shortens values in messages.
fn short(text: &str) -> String {
    if text.len() <= 10 {
        return text.to_owned();
    }
    let end = (0..=7).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", &text[..end])
}
