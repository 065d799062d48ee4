//! Values: what the user gives, what charts bring, and how they become one.

pub(crate) mod coalesce;
pub(crate) mod schema;
mod strvals;
pub(crate) mod tree;

use camino::Utf8Path;
use source::{FileError, Files, Span, Text, octets};

use crate::chart::{ChartData, MOST_VALUES};
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
        let table = yaml::read_values(&text).map_err(|error| {
            let error = error.into_error(ErrorKind::Values, Some(file));
            let error = if options.helm == HelmVersion::V4 { error.wrap(OF_HELM_4) } else { error };
            error.wrap(&format!("failed to parse {path}"))
        })?;
        if options.helm == HelmVersion::V4 {
            let (_, bytes) = files.read(path).map_err(|error| unreadable(path, &error))?;
            check_line_end(&bytes, &format!("failed to parse {path}"))?;
        }
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

/// What Helm 4 says before.
const OF_HELM_4: &str = "cannot unmarshal yaml document";

/// Helm 4 ends the last line of every values file with a line feed, as one byte: in UTF-16 that is half a character, unless it was there.
fn check_line_end(bytes: &[u8], outer: &str) -> Result<(), Error> {
    if !octets::is_utf_16(bytes) || bytes.ends_with(b"\n") {
        return Ok(());
    }
    let read = yaml::read_values(&Text::new(&*octets::decoded(&[bytes, b"\n"].concat())));
    let wrapped = |error: yaml::BadYaml| error.into_error(ErrorKind::Values, None).wrap(OF_HELM_4).wrap(outer);
    read.map(drop).map_err(wrapped)
}

/// [`check_line_end`] of the values of a chart and its subcharts.
pub(crate) fn check_line_ends(chart: &ChartData) -> Result<(), Error> {
    if let Some(file) = chart.values_file() {
        check_line_end(&file.bytes, "cannot load values.yaml")?;
    }
    chart.dependencies.iter().try_for_each(check_line_ends)
}

fn unreadable(path: &Utf8Path, error: &FileError) -> Error {
    let message = match error {
        FileError::NotFound(_) => format!("open {path}: no such file or directory"),
        FileError::IsDirectory(_) => format!("read {path}: is a directory"),
        other => other.to_string(),
    };
    Error::new(ErrorKind::Values, message)
}
