//! Charts that lie in a folder.

use std::sync::Arc;

use camino::Utf8Path;
use source::{EntryKind, FileKind, Files};

use super::{ChartFile, LARGEST_FILE};
use crate::ignore::Ignore;
use crate::{Error, ErrorKind};

/// Nesting of folders in a chart, so that links that lead in a circle end.
const DEEPEST_FOLDER: usize = 64;

/// All files of the chart in `folder` that `.helmignore` leaves, in Helm's order.
pub(crate) fn read(folder: &Utf8Path, files: &dyn Files) -> Result<Vec<ChartFile>, Error> {
    let ignore = folder.join(".helmignore");
    let rules = match files.kind(&ignore) {
        Some(FileKind::File | FileKind::Directory) => {
            let (_, bytes) = files.read(&ignore).map_err(load_error)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::new(),
    };
    let ignore = Ignore::new(&rules).map_err(|message| Error::new(ErrorKind::Load, message))?;
    let mut entries = Vec::new();
    walk(folder, "", 0, &ignore, files, &mut entries)?;
    Ok(entries)
}

fn walk(
    folder: &Utf8Path,
    below: &str,
    depth: usize,
    ignore: &Ignore,
    files: &dyn Files,
    entries: &mut Vec<ChartFile>,
) -> Result<(), Error> {
    if depth > DEEPEST_FOLDER {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("folders of the chart are nested deeper than {DEEPEST_FOLDER}"),
        ));
    }
    let path = if below.is_empty() { folder.to_owned() } else { folder.join(below) };
    for entry in files.list(&path).map_err(load_error)? {
        let name = if below.is_empty() { entry.name.clone() } else { format!("{below}/{}", entry.name) };
        // Helm follows links before it asks what is ignored.
        if entry.kind == EntryKind::BrokenLink {
            let message = format!("`{}` is a link that leads nowhere or in a circle", folder.join(&name));
            return Err(Error::new(ErrorKind::Load, message));
        }
        let directory = entry.kind == EntryKind::Directory;
        if ignore.ignores(&name, directory) {
            continue;
        }
        if directory {
            walk(folder, &name, depth + 1, ignore, files, entries)?;
            continue;
        }
        if entry.kind == EntryKind::Irregular {
            let path = folder.join(&name);
            let message = format!("cannot load irregular file {path} as it has file mode type bits set");
            return Err(Error::new(ErrorKind::Load, message));
        }
        let (file, bytes) = files.read(&folder.join(&name)).map_err(load_error)?;
        if bytes.len() as u64 > LARGEST_FILE {
            let message = format!("chart file {:?} is larger than the maximum file size {LARGEST_FILE}", entry.name);
            return Err(Error::new(ErrorKind::Load, message));
        }
        entries.push(without_mark(ChartFile { name, bytes, file: Some(file), before: 0 }));
    }
    Ok(())
}

fn load_error(error: source::FileError) -> Error {
    Error::new(ErrorKind::Load, error.to_string())
}

/// Cuts off a UTF-8 byte order mark.
pub(crate) fn without_mark(file: ChartFile) -> ChartFile {
    match file.bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => ChartFile { bytes: Arc::from(rest), before: file.bytes.len() - rest.len(), ..file },
        None => file,
    }
}
