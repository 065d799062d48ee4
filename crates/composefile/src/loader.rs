//! From files to one merged tree: read, interpolate, include, extend, merge, validate, make canonical.

use std::collections::HashMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use source::{FileError, FileId, FileKind, Files, Span, Text, octets};
use yamlspan::{Dialect, Document};

use crate::absolute::{self, Base};
use crate::budget::Budget;
use crate::environment::{EnvFileScope, EnvValue, Environment, Lookup};
use crate::layers::Settled;
use crate::path::Path;
use crate::record::Record;
use crate::volume::{clean, join};
use crate::{
    EnvFile, Error, ErrorKind, Map, Node, Options, VariableSource, aliases, canonical, defaults, document, dotenv,
    interpolate, merge, reset, schema, unicity,
};

/// What one loading shares: files, options and the record.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    pub(crate) options: &'a Options,
    files: &'a dyn Files,
    pub(crate) budget: Budget,
    pub(crate) record: Record,
    parsed: HashMap<String, Parsed>,
    ports: usize,
    pub(crate) include_depth: usize,
    /// Models of included files, by what they were loaded from.
    pub(crate) included: Vec<crate::include::Cached>,
    settled: Settled,
}

/// A file read and parsed once.
#[derive(Clone)]
pub(crate) struct Parsed {
    file: FileId,
    pub(crate) text: Text,
    pub(crate) documents: Arc<[Document]>,
    /// Why what follows the documents cannot be read.
    pub(crate) broken: Option<yamlspan::Error>,
}

/// What the files of one model share.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// What relative paths in the output start from; relative itself below an include.
    pub(crate) working_dir: String,
    /// What paths of `include` and `extends` start from.
    pub(crate) resource_dir: String,
    pub(crate) environment: Arc<Environment>,
    pub(crate) resolve_paths: bool,
    /// The base of an `extends`: taken as it stands.
    pub(crate) is_base: bool,
}

/// The files of one model that are laid over each other so far.
pub(crate) struct Fold {
    pub(crate) root: Node,
    bases: ExtendsCache,
}

impl Default for Fold {
    fn default() -> Self {
        Self { root: Node::new(Map::new()), bases: ExtendsCache::new() }
    }
}

/// Bases of `extends` by file, within one model.
pub(crate) type ExtendsCache = HashMap<(String, String), crate::extends::Base>;

impl<'a> Loader<'a> {
    pub(crate) fn new(options: &'a Options, files: &'a dyn Files) -> Self {
        Self {
            options,
            files,
            budget: Budget::new(options.limits),
            record: Record::default(),
            parsed: HashMap::new(),
            ports: 0,
            include_depth: 0,
            included: Vec::new(),
            settled: Settled::default(),
        }
    }

    /// An absolute path.
    pub(crate) fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') { clean(path) } else { join(self.options.current_dir.as_str(), path) }
    }

    /// The path to ask [`Files`] for.
    fn asked(&self, path: &str) -> Utf8PathBuf {
        let absolute = Utf8PathBuf::from(self.absolute(path));
        match absolute.strip_prefix(&self.options.current_dir) {
            Ok(below) if below.as_str().is_empty() => Utf8PathBuf::from("."),
            Ok(below) => below.to_owned(),
            Err(_) => absolute,
        }
    }

    pub(crate) fn kind(&self, path: &str) -> Option<FileKind> {
        self.files.kind(&self.asked(path))
    }

    /// Why a file cannot be read, if so.
    pub(crate) fn read_error(&self, path: &str) -> Option<FileError> {
        self.files.read(&self.asked(path)).err()
    }

    /// The folder that `~` stands for.
    pub(crate) fn home(&self) -> Option<&'a str> {
        self.options.environment.get("HOME").map(String::as_str).filter(|home| !home.is_empty())
    }

    /// A file's text, traced if the load is.
    pub(crate) fn read(&self, path: &str) -> Result<(FileId, Text), FileError> {
        let (file, content) = self.files.read_decoded(&self.asked(path))?;
        Ok((file, self.placed(file, content)))
    }

    fn placed(&self, file: FileId, content: Arc<str>) -> Text {
        let length = content.len();
        if self.options.trace { Text::exact(content, Span::new(file, 0..length)) } else { Text::new(content) }
    }

    /// An env file's text. Any bytes may stand in comments and values.
    pub(crate) fn read_env(&self, path: &str) -> Result<(FileId, Text), Error> {
        let asked = self.asked(path);
        let (file, bytes) = self.files.read(&asked).map_err(|error| unreadable(path, &error))?;
        if let Some(at) = std::str::from_utf8(&bytes).ok().and_then(octets::first_mark) {
            let message = format!("failed to read {path}: the characters from U+10FF00 on cannot be read");
            return Err(Error::new(ErrorKind::Unreadable, message).at(Some(Span::new(file, at..at + 4))));
        }
        let content = octets::marked(&bytes);
        Ok(match octets::is_utf_16(&bytes) {
            // Compose knows no UTF-16 here, and refuses it where it begins.
            true => (file, Text::new(&*content)),
            false => (file, self.placed(file, content.into())),
        })
    }

    /// A Compose file that is part of the project.
    pub(crate) fn parsed(&mut self, path: &str) -> Result<Parsed, Error> {
        let parsed = self.looked_at(path)?;
        if !self.record.compose_files.iter().any(|(known, _)| known == path) {
            self.record.compose_files.push((Utf8PathBuf::from(path), parsed.file));
        }
        Ok(parsed)
    }

    /// A Compose file, parsed once however often it is reached.
    pub(crate) fn looked_at(&mut self, path: &str) -> Result<Parsed, Error> {
        if let Some(parsed) = self.parsed.get(path) {
            return Ok(parsed.clone());
        }
        if self.parsed.len() >= self.options.limits.files {
            let message = format!("more than {} files are included or extended", self.options.limits.files);
            return Err(Error::limit(message));
        }
        let (file, text) = self.read(path).map_err(|error| unreadable(path, &error))?;
        let (documents, broken) = match yamlspan::parse(text.to_arc(), file, Dialect::GoYamlV4) {
            Ok(documents) => (documents, None),
            // Compose works on the first document before it reads the second.
            Err(error) => match yamlspan::parse_first(text.to_arc(), file, Dialect::GoYamlV4) {
                Ok(first) => (first.into_iter().collect(), Some(error)),
                Err(_) => (Vec::new(), Some(error)),
            },
        };
        let parsed = Parsed { file, text, documents: documents.into(), broken };
        self.parsed.insert(path.to_owned(), parsed.clone());
        Ok(parsed)
    }

    /// The values of env files that `environment` does not hold, later files winning.
    pub(crate) fn env_files(&mut self, environment: &Environment, paths: &[String]) -> Result<Environment, Error> {
        let mut read = Environment::default();
        for path in paths {
            let path = self.absolute(path);
            match self.kind(&path) {
                None => {
                    let message = format!("couldn't find env file: {path}");
                    return Err(Error::new(ErrorKind::Unreadable, message));
                }
                Some(FileKind::Directory) => {
                    return Err(Error::new(ErrorKind::Unreadable, format!("{path} is a directory")));
                }
                Some(FileKind::File) => {}
            }
            let (file, text) = self.read_env(&path)?;
            let mut scope = EnvFileScope { outer: environment, earlier: &read, record: &mut self.record };
            let entries = dotenv::parse(&text, file, &mut scope, &self.budget).map_err(|refusal| {
                let kind = if refusal.is_limit { ErrorKind::Limit } else { ErrorKind::Syntax };
                Error::new(kind, format!("failed to read {path}: {}", refusal.message)).at(Some(refusal.span))
            })?;
            let known = self
                .record
                .env_files
                .iter()
                .position(|known| known.file == file && known.entries.len() == entries.len());
            let number = known.unwrap_or(self.record.env_files.len());
            for (index, entry) in entries.iter().enumerate() {
                if let Some((file, entry)) = read.get(&entry.name).and_then(|value| value.entry)
                    && let Some(earlier) =
                        self.record.env_files.get_mut(file).and_then(|file| file.entries.get_mut(entry))
                {
                    earlier.overridden = true;
                }
                let value = EnvValue {
                    text: entry.value.clone(),
                    source: VariableSource::EnvFile(entry.value_span),
                    entry: Some((number, index)),
                };
                read.set(&entry.name, value);
            }
            if known.is_none() {
                self.record.env_files.push(EnvFile { path: Utf8PathBuf::from(path), file, entries });
            }
        }
        Ok(read)
    }

    /// The merged tree of some files, with defaults and absolute paths.
    pub(crate) fn model(&mut self, files: &[String], scope: &Scope, included: &[String]) -> Result<Node, Error> {
        let mut fold = Fold::default();
        for file in files {
            self.fold(file, scope, &mut fold, included)?;
        }
        self.completed(fold.root, scope)
    }

    /// Lays one more file of a model on those before it.
    pub(crate) fn fold(
        &mut self,
        file: &str,
        scope: &Scope,
        fold: &mut Fold,
        included: &[String],
    ) -> Result<(), Error> {
        let root = std::mem::take(&mut fold.root);
        self.settled.settle(&root);
        fold.root = self.file(file, scope, root, included, &mut fold.bases)?.0;
        Ok(())
    }

    /// A merged tree with defaults and absolute paths.
    pub(crate) fn completed(&mut self, mut root: Node, scope: &Scope) -> Result<Node, Error> {
        // Nothing is laid over it any more: what is not shared need not be copied to be changed.
        self.settled = Settled::default();
        defaults::set_defaults(&mut root)?;
        defaults::check(&mut root)?;
        if scope.resolve_paths {
            absolute::resolve(&mut root, Base { folder: &scope.working_dir, home: self.home() })?;
        }
        crate::pass_through::resolve(&mut root, &scope.environment, &mut self.record);
        Ok(root)
    }

    /// Lays the documents of a file on `root`. Also gives the `!reset` paths of its last document.
    pub(crate) fn file(
        &mut self,
        path: &str,
        scope: &Scope,
        mut root: Node,
        included: &[String],
        cache: &mut ExtendsCache,
    ) -> Result<(Node, Vec<Vec<String>>), Error> {
        let parsed = self.parsed(path)?;
        let mut included = included.to_vec();
        let mut resets = Vec::new();
        for document in parsed.documents.iter() {
            let loaded = document::load(document, &parsed.text, path, &self.options.limits)?;
            resets = loaded.resets;
            root = self.document(path, scope, root, loaded.root, &resets, &mut included, cache)?;
        }
        match &parsed.broken {
            Some(error) => Err(syntax(error).context(format!("failed to parse {path}"))),
            None => Ok((root, resets)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call, from the loop above")]
    fn document(
        &mut self,
        path: &str,
        scope: &Scope,
        mut root: Node,
        mut tree: Node,
        resets: &[Vec<String>],
        included: &mut Vec<String>,
        cache: &mut ExtendsCache,
    ) -> Result<Node, Error> {
        document::refuse_other_keys(&tree, "")?;
        if tree.as_map().is_none() {
            return Err(Error::invalid("top-level object must be a mapping").at(tree.span));
        }
        if self.options.interpolate {
            let mut lookup = Lookup { environment: &scope.environment, record: &mut self.record, span: None };
            interpolate::interpolate(&mut tree, &mut lookup, &self.budget)?;
        }
        aliases::promote(&mut tree)?;
        if !scope.is_base {
            included.push(path.to_owned());
            self.include(&mut tree, scope, included, resets)?;
        }
        reset::apply(&mut root, resets);
        if !scope.is_base {
            self.extend(&mut tree, path, scope, resets, cache)?;
        }
        root = merge::merge(root, tree, &Path::ROOT)?;
        let aside = self.settled.set_aside(&mut root);
        unicity::enforce(&mut root, &Path::ROOT)?;
        if !scope.is_base {
            schema::validate(&self.settled.to_judge(&root, &aside))
                .map_err(|error| error.context(format!("validating {path}")))?;
            self.settled.judge(&aside);
            if let Some(map) = root.as_map_mut()
                && let Some(version) = map.remove("version")
            {
                let message = format!(
                    "{path}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"
                );
                self.record.warn(message, version.span);
            }
        }
        let record = &mut self.record;
        let mut context = canonical::Context {
            lenient: !self.options.interpolate,
            limits: &self.options.limits,
            ports: &mut self.ports,
            warn: &mut |message, span| record.warn(message, span),
        };
        let mut root = canonical::canonical(root, &Path::ROOT, &mut context)?;
        reset::omit_empty(&mut root);
        unicity::enforce(&mut root, &Path::ROOT)?;
        aside.put_back_as_they_were(&mut root);
        Ok(root)
    }
}

/// A file that cannot be read, in Go's words.
pub(crate) fn unreadable(path: &str, error: &FileError) -> Error {
    Error::new(ErrorKind::Unreadable, io_message("open", path, error))
}

/// What Go's `os` package says.
pub(crate) fn io_message(operation: &str, path: &str, error: &FileError) -> String {
    match error {
        FileError::NotFound(_) => format!("{operation} {path}: no such file or directory"),
        FileError::NotDirectory(_) => format!("{operation} {path}: not a directory"),
        FileError::IsDirectory(_) => format!("read {path}: is a directory"),
        other => other.to_string(),
    }
}

/// An error of the YAML parser.
pub(crate) fn syntax(error: &yamlspan::Error) -> Error {
    let kind = if error.limit().is_some() { ErrorKind::Limit } else { ErrorKind::Syntax };
    Error::new(kind, error.to_string()).at(error.span())
}

/// The folder of a file.
pub(crate) fn folder(path: &str) -> String {
    Utf8Path::new(path).parent().map_or_else(|| "/".to_owned(), |parent| parent.as_str().to_owned())
}
