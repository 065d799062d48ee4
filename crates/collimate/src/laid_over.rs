//! The Compose file that another one, which does not load alone, is meant to be laid over.

use camino::{Utf8Path, Utf8PathBuf};
use source::{FileKind, Files};

/// Names that Compose finds by itself, in its order of preference (`DefaultFileNames` of compose-go).
pub(crate) const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The way out for a file set that does not load, where it does over the nearest base: in the folder of its first file, or in one above.
pub(crate) fn way_out(options: &composefile::Options, error: &composefile::Error, files: &dyn Files) -> Option<String> {
    let first = options.files.first()?;
    let base = nearest(first, files).filter(|base| !options.files.contains(base))?;
    let set: Vec<Utf8PathBuf> = std::iter::once(base.clone()).chain(options.files.iter().cloned()).collect();
    let over_base = composefile::Options { files: set.clone(), trace: false, ..options.clone() };
    composefile::load(&over_base, files).ok()?;
    let otherwise = error.way_out().map(|help| format!("{help}; ")).unwrap_or_default();
    let set: Vec<&str> = set.iter().map(|path| path.as_str()).collect();
    Some(format!("{otherwise}if `{first}` is laid over `{base}`, name both: `compose: [{}]`", set.join(", ")))
}

fn nearest(path: &Utf8Path, files: &dyn Files) -> Option<Utf8PathBuf> {
    let folders = path.ancestors().skip(1);
    let paths = folders.flat_map(|folder| BASES.map(|name| folder.join(name)));
    paths.into_iter().find(|path| files.kind(path) == Some(FileKind::File))
}
