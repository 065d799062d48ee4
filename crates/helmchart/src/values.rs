//! Values: what the user gives, what charts bring, and how they become one.

pub(crate) mod coalesce;
pub(crate) mod documents;
pub(crate) mod schema;
mod strvals;
pub(crate) mod tree;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use camino::{Utf8Path, Utf8PathBuf};
use source::{FileError, Files, Span, Text, octets};

use crate::chart::MOST_VALUES;
use crate::functions::url::Url;
use crate::{Error, ErrorKind, HelmVersion, RenderOptions, SetValue, yaml};
use tree::{Table, Tree, merge};

/// What `--values` and the `--set` flags say together.
///
/// # Errors
/// Unreadable files and malformed flags, in Helm's words.
pub(crate) fn of_user(options: &RenderOptions, files: &dyn Files) -> Result<Table, Error> {
    let mut all = Table::new();
    let named = Named { files, stdin_is_read: Cell::new(false), set_bytes: Cell::new(0) };
    for path in &options.values {
        let Some(path) = named.path(path.as_str()).map_err(|message| Error::new(ErrorKind::Values, message))? else {
            continue;
        };
        let (file, text) = files.read_decoded(path).map_err(|error| unreadable(path, &error))?;
        let text = if options.trace { Text::exact(&*text, Span::new(file, 0..text.len())) } else { Text::new(text) };
        let table = match options.helm {
            HelmVersion::V3 => yaml::read_values(&text),
            HelmVersion::V4 => {
                let (_, bytes) = files.read(path).map_err(|error| unreadable(path, &error))?;
                documents::read(&text, &bytes)
            }
        };
        let table = table.map_err(|error| {
            error.into_error(ErrorKind::Values, Some(file)).wrap(&format!("failed to parse {path}"))
        })?;
        merge(&mut all, table);
        if all.values().map(Tree::size).sum::<usize>() > MOST_VALUES {
            let message = format!("{path}: values files may have {MOST_VALUES} values in all");
            return Err(Error::new(ErrorKind::Limit, message).at(Some(Span::new(file, 0..0))));
        }
    }
    let read = |path: &str| named.content(path, options.trace);
    // The order of Helm, whatever the order of the flags.
    let readers = [
        strvals::Reader::Json,
        strvals::Reader::Typed,
        strvals::Reader::Text,
        strvals::Reader::File(&read),
        strvals::Reader::Literal,
    ];
    for reader in &readers {
        for flag in &options.set {
            let (text, name) = match (reader, flag) {
                (strvals::Reader::Json, SetValue::Json(text)) => (text, "json"),
                (strvals::Reader::Typed, SetValue::Set(text)) => (text, ""),
                (strvals::Reader::Text, SetValue::String(text)) => (text, "string"),
                (strvals::Reader::File(_), SetValue::File(text)) => (text, "file"),
                (strvals::Reader::Literal, SetValue::Literal(text)) => (text, "literal"),
                _ => continue,
            };
            if let (strvals::Reader::Json, HelmVersion::V4) = (reader, options.helm)
                && text.trim_start().starts_with('{')
            {
                merge(&mut all, object(text)?);
                continue;
            }
            // A character that would be taken for a mark is marked, as in files.
            strvals::parse_into(&octets::marked(text.as_bytes()), &mut all, reader).map_err(|message| {
                let message = match name {
                    "json" => format!("failed parsing --set-json data {text}"),
                    "" => format!("failed parsing --set data: {message}"),
                    name => format!("failed parsing --set-{name} data: {message}"),
                };
                Error::new(ErrorKind::Values, message)
            })?;
        }
    }
    Ok(all)
}

/// The paths that flags name with `--set-file`, `-` for stdin among them. What is wrong with the flags shows when they are applied.
#[must_use]
pub fn set_files(flags: &[SetValue]) -> Vec<Utf8PathBuf> {
    let paths = RefCell::new(Vec::new());
    let read = |path: &str| {
        paths.borrow_mut().push(Utf8PathBuf::from(if is_stdin(path) { STDIN } else { path }));
        Ok(Text::new(""))
    };
    for flag in flags {
        if let SetValue::File(text) = flag {
            let _ = strvals::parse_into(text, &mut Table::new(), &strvals::Reader::File(&read));
        }
    }
    paths.into_inner()
}

/// Bytes of all that `--set-file` reads: each use of a file is a value of its own, which templates may print.
const MOST_SET_BYTES: usize = 64 * 1024 * 1024;

/// Under this path the door to files has stdin, for whoever lets it be named.
const STDIN: &str = "-";

fn is_stdin(path: &str) -> bool {
    path.trim() == STDIN
}

/// Files that `--values` and `--set-file` name.
struct Named<'f> {
    files: &'f dyn Files,
    /// Only who asks first finds something on stdin.
    stdin_is_read: Cell<bool>,
    set_bytes: Cell<usize>,
}

impl Named<'_> {
    /// The path to ask for; `None` if nothing is left to read. Helm takes paths for addresses first.
    fn path<'p>(&self, path: &'p str) -> Result<Option<&'p Utf8Path>, String> {
        if is_stdin(path) {
            return Ok((!self.stdin_is_read.replace(true)).then(|| Utf8Path::new(STDIN)));
        }
        match Url::parse(path)?.scheme.as_str() {
            "http" | "https" | "oci" => {
                Err(format!("{path} is not fetched: nothing is; download it, and name the file"))
            }
            _ => Ok(Some(Utf8Path::new(path))),
        }
    }

    /// The content of a file, whatever bytes it has.
    fn content(&self, path: &str, trace: bool) -> Result<Text, String> {
        let Some(path) = self.path(path)? else { return Ok(Text::new("")) };
        if path.as_str().is_empty() {
            return Err(unreadable(path, &FileError::NotFound(path.to_owned())).to_string());
        }
        let (file, bytes) = self.files.read(path).map_err(|error| unreadable(path, &error).to_string())?;
        self.set_bytes.set(self.set_bytes.get().saturating_add(bytes.len()));
        if self.set_bytes.get() > MOST_SET_BYTES {
            return Err(format!("{path}: what files give as values may have {} MiB in all", MOST_SET_BYTES >> 20));
        }
        Ok(match octets::marked(&bytes) {
            // Only such a text is the one of the source map.
            Cow::Borrowed(text) if trace => Text::exact(text, Span::new(file, 0..text.len())),
            text => Text::new(text),
        })
    }
}

/// A whole object of values, which Helm 4 takes too.
fn object(text: &str) -> Result<Table, Error> {
    match serde_json::from_str(text.trim()).map(Tree::from_json) {
        Ok(Tree::Map(table)) => Ok(table),
        _ => Err(Error::new(ErrorKind::Values, format!("failed parsing --set-json data JSON: {text}"))),
    }
}

fn unreadable(path: &Utf8Path, error: &FileError) -> Error {
    let message = match error {
        FileError::NotFound(_) => format!("open {path}: no such file or directory"),
        FileError::IsDirectory(_) => format!("read {path}: is a directory"),
        other => other.to_string(),
    };
    Error::new(ErrorKind::Values, message)
}
