use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

/// A folder of one test, removed when the test ends.
///
/// Its path is absolute and resolved, so that what a program prints of it can be replaced.
#[derive(Debug)]
pub struct Sandbox {
    root: Utf8PathBuf,
    _folder: TempDir,
}

impl Sandbox {
    /// An empty folder.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("collimate-test-").tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("a temporary folder has a real path");
        let root = Utf8PathBuf::from_path_buf(root).expect("the temporary folder's path is UTF-8");
        Self { root, _folder: folder }
    }

    /// A copy of a folder, such as a fixture: `Sandbox::of(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/x"))`.
    #[must_use]
    #[track_caller]
    pub fn of(folder: impl AsRef<Utf8Path>) -> Self {
        let sandbox = Self::new();
        sandbox.copy(folder, "");
        sandbox
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Where a path of this folder is on disk.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.root.join(path)
    }

    /// Copies a file or folder to `path`. Links are copied as links.
    #[track_caller]
    pub fn copy(&self, from: impl AsRef<Utf8Path>, path: impl AsRef<Utf8Path>) -> &Self {
        let (from, to) = (from.as_ref(), self.root.join(path));
        copy(from, &to).unwrap_or_else(|error| panic!("cannot copy `{from}` to `{to}`: {error}"));
        self
    }

    /// Writes a file, and the folders above it.
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Utf8Path>, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot create `{folder}`: {error}"));
        }
        fs::write(&path, content).unwrap_or_else(|error| panic!("cannot write `{path}`: {error}"));
        self
    }

    /// The text of a file.
    #[must_use]
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Utf8Path>) -> String {
        let path = self.root.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
    }

    /// Replaces a text that stands in a file exactly once: a mutation that misses its mark must not pass for one.
    #[track_caller]
    pub fn replace(&self, path: impl AsRef<Utf8Path>, old: &str, new: &str) -> &Self {
        let path = path.as_ref();
        let text = self.read(path);
        let count = text.matches(old).count();
        assert_eq!(count, 1, "`{old}` stands {count} times in `{path}`");
        self.write(path, text.replacen(old, new, 1))
    }

    /// Removes a file or folder.
    #[track_caller]
    pub fn remove(&self, path: impl AsRef<Utf8Path>) -> &Self {
        let path = self.root.join(path);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap_or_else(|error| panic!("cannot remove `{path}`: {error}"));
        self
    }

    /// All files, relative and sorted.
    #[must_use]
    #[track_caller]
    pub fn files(&self) -> Vec<Utf8PathBuf> {
        let mut files = Vec::new();
        list(&self.root, &mut files);
        let mut files: Vec<_> =
            files.iter().filter_map(|file| file.strip_prefix(&self.root).ok()).map(Utf8Path::to_owned).collect();
        files.sort();
        files
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let kind = from.symlink_metadata()?.file_type();
    if kind.is_dir() {
        fs::create_dir_all(to)?;
        for entry in from.read_dir_utf8()? {
            let entry = entry?;
            copy(entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    #[cfg(unix)]
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    fs::copy(from, to).map(drop)
}

#[track_caller]
fn list(folder: &Utf8Path, into: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap_or_else(|error| panic!("cannot list `{folder}`: {error}")) {
        let entry = entry.unwrap_or_else(|error| panic!("cannot list `{folder}`: {error}"));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(entry.path(), into);
        } else {
            into.push(entry.path().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_and_apart() {
        let original = Sandbox::new();
        original.write("a/b.txt", "one").write("c.txt", "two");
        let copy = Sandbox::of(original.root());
        assert_eq!(copy.files(), ["a/b.txt", "c.txt"]);
        copy.replace("a/b.txt", "one", "three").remove("c.txt");
        assert_eq!(copy.read("a/b.txt"), "three");
        assert_eq!(original.read("a/b.txt"), "one");
        assert_eq!(copy.files(), ["a/b.txt"]);
    }

    #[test]
    #[should_panic(expected = "stands 2 times")]
    fn an_ambiguous_mutation_is_refused() {
        Sandbox::new().write("a", "x x").replace("a", "x", "y");
    }
}
