//! Values: what the user gives, what charts bring, and how they become one.

pub(crate) mod coalesce;
pub(crate) mod documents;
pub(crate) mod schema;
mod strvals;
pub(crate) mod tree;

use camino::Utf8Path;
use source::{FileError, Files, Span, Text};

use crate::chart::MOST_VALUES;
use crate::{Error, ErrorKind, HelmVersion, RenderOptions, SetValue, yaml};
use tree::{Table, Tree, merge};

/// What `--values` and the `--set` flags say together.
///
/// # Errors
/// Unreadable files and malformed flags, in Helm's words.
pub(crate) fn of_user(options: &RenderOptions, files: &dyn Files) -> Result<Table, Error> {
    let mut all = Table::new();
    for path in &options.values {
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
    let read = |path: &str| -> Result<Text, String> {
        let path = Utf8Path::new(path);
        let (file, text) = files.read_text(path).map_err(|error| unreadable(path, &error).to_string())?;
        Ok(if options.trace { Text::exact(&*text, Span::new(file, 0..text.len())) } else { Text::new(text) })
    };
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
            strvals::parse_into(text, &mut all, reader).map_err(|message| {
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

fn unreadable(path: &Utf8Path, error: &FileError) -> Error {
    let message = match error {
        FileError::NotFound(_) => format!("open {path}: no such file or directory"),
        FileError::IsDirectory(_) => format!("read {path}: is a directory"),
        other => other.to_string(),
    };
    Error::new(ErrorKind::Values, message)
}
