//! Files on disk, confined to the workspace.
//!
//! Threats, and the answer to each: a path or link that leads out of the workspace (every directory is resolved once and
//! must lie below the root; a file that is a link is resolved too), a file too large to hold ([`MOST_BYTES`]), a device or
//! pipe that never ends (only regular files are read), a file that changes while we look (each is read once).
//! Files that the operator named on the command line are let in by [`DiskFiles::allow`].

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use source::{Entry, EntryKind, FileError, FileId, FileKind, Files, SourceMap, normalize, system};

/// Largest file that is read: a packed chart may have 20 MiB (Helm's own cap), a Compose file never comes near.
pub(crate) const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// Bytes of all files that are read, which are kept while the program runs: with all else, it stays below 200 MB. The largest public charts have
/// ten megabytes.
const MOST_BYTES_IN_ALL: u64 = 112 * 1024 * 1024;

/// Names in one folder that are listed: a chart with a folder of a million files is no chart.
const MOST_ENTRIES: usize = 50_000;

/// Files below one root, read once and kept.
pub(crate) struct DiskFiles {
    root: Utf8PathBuf,
    /// What may be read, in words.
    border: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sources: SourceMap,
    /// By paths in the spelling of [`normalize`]. As texts: paths are compared part by part, which thousands of files feel. Never iterated
    /// for their order, nor are the others.
    read: HashMap<String, Result<Content, FileError>>,
    /// Directory → what it resolves to, if that is a place that may be read.
    inside: HashMap<String, Option<Utf8PathBuf>>,
    /// Folders and files outside the root that the operator named.
    allowed: BTreeSet<Utf8PathBuf>,
    /// What earlier looks read.
    before: HashMap<String, Before>,
    /// Bytes read up to now.
    total: u64,
    age: Age,
}

/// Stands for all that a door answers: while it is the same, so are the answers.
#[derive(Clone, Default)]
pub(crate) struct Age(Arc<()>);

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A file as an earlier look read it.
#[derive(Clone)]
struct Before {
    content: Content,
    /// Whether nothing has happened to it since.
    is_same: bool,
}

#[derive(Clone)]
struct Content {
    id: FileId,
    bytes: Arc<[u8]>,
    text: Option<Arc<str>>,
    /// Whether the file is reached through a link: then it can change where nobody looks.
    is_linked: bool,
}

impl DiskFiles {
    /// Files below `root`, which must be absolute and resolved.
    pub(crate) fn new(root: Utf8PathBuf) -> Self {
        Self { root, border: "the workspace", state: Mutex::new(State::default()) }
    }

    /// Files below the current folder, where there is no workspace.
    pub(crate) fn without_workspace(current: Utf8PathBuf) -> Self {
        let border = "the current folder and of what the command line names; run this in a folder that holds both ends";
        Self { border, ..Self::new(current) }
    }

    /// The same files as they were read up to now, under the same ids: for looking at them with other texts in some.
    pub(crate) fn fork(&self) -> Self {
        let state = self.lock();
        let state = State {
            sources: state.sources.clone(),
            read: state.read.clone(),
            inside: state.inside.clone(),
            allowed: state.allowed.clone(),
            before: state.before.clone(),
            total: state.total,
            age: Age::default(),
        };
        Self { root: self.root.clone(), border: self.border, state: Mutex::new(state) }
    }

    /// Begins a new look, which reads again only what is not the same: `is_same` is asked for absolute paths. A file has the same id while it has
    /// the same text, whether it is read again or not.
    pub(crate) fn look_again(&mut self, is_same: &dyn Fn(&Utf8Path) -> bool) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let State { mut sources, read, mut before, .. } = std::mem::take(state);
        let read = read.into_iter().filter_map(|(path, content)| Some((path, content.ok()?)));
        // Where it is reached through a link it can change where nobody looks.
        before.extend(read.map(|(path, content)| (path, Before { is_same: !content.is_linked, content })));
        for (path, before) in &mut before {
            before.is_same = before.is_same && is_same(&self.root.join(path));
        }
        sources.keep(&before.values().map(|before| before.content.id).collect());
        *state = State { sources, before, ..State::default() };
    }

    /// Forgets what earlier looks read and this one did not.
    pub(crate) fn forget_unread(&self) {
        self.lock().before.clear();
    }

    /// What stands for all answers up to now.
    pub(crate) fn age(&self) -> Age {
        self.lock().age.clone()
    }

    /// All folders that were looked into, absolute, whether they are there or not.
    pub(crate) fn folders(&self) -> Vec<Utf8PathBuf> {
        self.lock().inside.keys().map(Utf8PathBuf::from).collect()
    }

    /// The folder that everything is relative to.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Lets a path outside the root in, with everything below it. `path` is relative to the root or absolute.
    pub(crate) fn allow(&self, path: &Utf8Path) {
        let absolute = self.root.join(normalize(path));
        let resolved = absolute.canonicalize_utf8().unwrap_or(absolute);
        let mut state = self.lock();
        state.allowed.insert(resolved);
        state.inside.clear();
        state.read.retain(|_, content| content.is_ok());
        state.age = Age::default();
    }

    /// A copy of the source map as it stands: cheap, file contents are shared.
    pub(crate) fn sources(&self) -> SourceMap {
        self.lock().sources.clone()
    }

    /// The path on disk of a path of the workspace.
    pub(crate) fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.root.join(normalize(path))
    }

    /// What a look at the first bytes of a regular file tells, without keeping them: for looking at many files.
    pub(crate) fn peek<T>(&self, path: &Utf8Path, most: usize, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let path = normalize(path);
        let known = match self.lock().read.get(path.as_str()) {
            Some(Ok(content)) => Some(Arc::clone(&content.bytes)),
            _ => None,
        };
        if let Some(bytes) = known {
            return Some(look(&bytes[..most.min(bytes.len())]));
        }
        let real = self.resolve(&path).ok()?;
        let metadata = real.metadata().ok().filter(Metadata::is_file)?;
        let file = std::fs::File::open(&real.path).ok()?;
        // With room for one byte more, the second call finds the end.
        let length = usize::try_from(metadata.len()).unwrap_or(most).min(most);
        let mut bytes = Vec::with_capacity(length + 1);
        file.take(most as u64).read_to_end(&mut bytes).ok()?;
        Some(look(&bytes))
    }

    /// What stands in a file, without keeping it: for thousands that are looked at once.
    pub(crate) fn read_once(&self, path: &Utf8Path) -> Result<Vec<u8>, FileError> {
        let path = normalize(path);
        read_file(&path, &self.resolve(&path)?, MOST_BYTES)
    }

    /// Puts `text` in the place of what stands on disk at `path`, for this run only: an edit is proved before it is written.
    pub(crate) fn overlay(&self, path: &Utf8Path, text: &str) {
        let path = normalize(path);
        let text: Arc<str> = Arc::from(text);
        let is_linked = self.root.join(&path).is_symlink();
        let mut state = self.lock();
        let id = state.sources.add(path.clone(), Arc::clone(&text));
        let content = Content { id, bytes: Arc::from(Arc::clone(&text)), text: Some(text), is_linked };
        state.read.insert(path.into_string(), Ok(content));
        state.age = Age::default();
    }

    /// As [`Self::overlay`], of any bytes: what comes from elsewhere is read under a path.
    pub(crate) fn lay(&self, path: &Utf8Path, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => self.overlay(path, &text),
            Err(error) => {
                let (path, bytes) = (normalize(path), error.into_bytes());
                let mut state = self.lock();
                let id = state.sources.add_bytes(path.clone(), &bytes);
                let content = Content { id, bytes: Arc::from(bytes), text: None, is_linked: false };
                state.read.insert(path.into_string(), Ok(content));
                state.age = Age::default();
            }
        }
    }

    /// Whether anything was reached through a link. If not, every path is where it says.
    pub(crate) fn has_links(&self) -> bool {
        let state = self.lock();
        let is_elsewhere = |(directory, resolved): (&String, &Option<Utf8PathBuf>)| {
            resolved.as_ref().is_none_or(|resolved| resolved.as_str() != directory)
        };
        state.read.values().any(|content| content.as_ref().is_ok_and(|content| content.is_linked))
            || state.inside.iter().any(is_elsewhere)
    }

    /// Where a path of the workspace really lies, through links.
    pub(crate) fn real(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = normalize(path);
        let absolute = self.root.join(&path);
        let state = self.lock();
        if let Some(Ok(Content { is_linked: false, .. })) = state.read.get(path.as_str())
            && let (Some(directory), Some(name)) = (absolute.parent(), absolute.file_name())
            && let Some(Some(resolved)) = state.inside.get(directory.as_str())
        {
            return resolved.join(name);
        }
        drop(state);
        absolute.canonicalize_utf8().unwrap_or(absolute)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that another render panicked; the memo itself is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The real path of `path`, or why it may not be read.
    fn resolve(&self, path: &Utf8Path) -> Result<Real, FileError> {
        let absolute = self.root.join(path);
        let (directory, name) = match (absolute.parent(), absolute.file_name()) {
            (Some(directory), Some(name)) => (directory, Some(name)),
            _ => (absolute.as_path(), None),
        };
        if !self.is_inside(directory) && path != "." {
            // A single file that was let in, in a folder that was not.
            let real = absolute.canonicalize_utf8().map_err(|error| io_error(path, &error))?;
            if !self.may_read(&real) {
                return Err(FileError::Outside { path: path.to_owned(), border: self.border });
            }
            return Ok(Real { path: real, metadata: None });
        }
        let Some(_) = name else { return Ok(Real { path: absolute, metadata: None }) };
        let metadata = absolute.symlink_metadata().map_err(|error| io_error(path, &error))?;
        if metadata.is_symlink() {
            let target = absolute.canonicalize_utf8().map_err(|error| io_error(path, &error))?;
            // The folder that it leads into was looked into too.
            target.parent().map(|folder| self.is_inside(folder));
            if !self.may_read(&target) {
                return Err(FileError::Outside { path: path.to_owned(), border: self.border });
            }
            return Ok(Real { path: target, metadata: None });
        }
        Ok(Real { path: absolute, metadata: Some(metadata) })
    }

    /// Whether `path` is a link in a directory that may be read, wherever it leads.
    fn is_link_inside(&self, path: &Utf8Path) -> bool {
        let absolute = self.root.join(path);
        absolute.parent().is_some_and(|directory| self.is_inside(directory)) && absolute.is_symlink()
    }

    fn may_read(&self, resolved: &Utf8Path) -> bool {
        may_read(&self.root, &self.lock().allowed, resolved)
    }

    fn is_inside(&self, directory: &Utf8Path) -> bool {
        if let Some(known) = self.lock().inside.get(directory.as_str()) {
            return known.is_some();
        }
        // Within a folder that is where its name says, so is one that is no link. One that does not exist is judged by its name: reading below it
        // fails anyway, with the better message.
        let is_where_it_says = || {
            let above = directory.parent().map(Utf8Path::as_str).unwrap_or_default();
            let knows = matches!(self.lock().inside.get(above), Some(Some(resolved)) if resolved == above);
            knows && directory.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
        };
        let resolved = match is_where_it_says() {
            true => directory.to_owned(),
            false => directory.canonicalize_utf8().unwrap_or_else(|_| normalize(directory)),
        };
        let mut state = self.lock();
        let inside = may_read(&self.root, &state.allowed, &resolved);
        state.inside.insert(directory.as_str().to_owned(), inside.then_some(resolved));
        inside
    }

    fn load(&self, path: &Utf8Path) -> Result<Content, FileError> {
        let path = normalize(path);
        let (before, left) = {
            let state = self.lock();
            if let Some(known) = state.read.get(path.as_str()) {
                return known.clone();
            }
            let left = MOST_BYTES_IN_ALL - state.total.min(MOST_BYTES_IN_ALL);
            (state.before.get(path.as_str()).cloned(), left)
        };
        // Asked for what was kept too, for what the answer keeps in mind: which folders were looked into.
        let resolved = self.resolve(&path);
        // Several files are read at a time. Whoever comes first with the same one decides what stands in it.
        let content = match before {
            Some(Before { content, is_same: true }) if content.bytes.len() as u64 <= left => Ok(Read::Same(content)),
            before => resolved.and_then(|real| {
                let is_linked = real.path != self.root.join(&path);
                let bytes = read_file(&path, &real, left)?;
                Ok(match before {
                    Some(Before { content, .. }) if *content.bytes == *bytes => {
                        Read::Same(Content { is_linked, ..content })
                    }
                    _ => match String::from_utf8(bytes) {
                        Ok(text) => Read::Text(Arc::from(text), is_linked),
                        Err(error) => Read::Bytes(Arc::from(error.into_bytes()), is_linked),
                    },
                })
            }),
        };
        let mut state = self.lock();
        if let Some(known) = state.read.get(path.as_str()) {
            return known.clone();
        }
        let content = content.map(|read| match read {
            Read::Same(content) => content,
            Read::Text(text, is_linked) => {
                let id = state.sources.add(path.clone(), Arc::clone(&text));
                Content { id, bytes: Arc::from(Arc::clone(&text)), text: Some(text), is_linked }
            }
            Read::Bytes(bytes, is_linked) => {
                Content { id: state.sources.add_bytes(path.clone(), &bytes), bytes, text: None, is_linked }
            }
        });
        state.total += content.as_ref().map_or(0, |content| content.bytes.len() as u64);
        state.read.insert(path.into_string(), content.clone());
        content
    }
}

/// What stands in a file, and whether a link leads to it.
enum Read {
    /// What stood in it before.
    Same(Content),
    Text(Arc<str>, bool),
    Bytes(Arc<[u8]>, bool),
}

impl Files for DiskFiles {
    fn read(&self, path: &Utf8Path) -> Result<(FileId, Arc<[u8]>), FileError> {
        let content = self.load(path)?;
        Ok((content.id, content.bytes))
    }

    fn read_text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        let content = self.load(path)?;
        match content.text {
            Some(text) => Ok((content.id, text)),
            None => source::text_of(path, content.id, &content.bytes).map(|text| (content.id, Arc::from(text))),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        let path = normalize(path);
        let real = self.resolve(&path)?.path;
        // What appears in it changes the list.
        self.is_inside(&real);
        let mut entries = Vec::new();
        for entry in real.as_std_path().read_dir().map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => FileError::NotDirectory(path.clone()),
            _ => io_error(&path, &error),
        })? {
            let entry = entry.map_err(|error| io_error(&path, &error))?;
            let name = entry.file_name().into_string().map_err(|name| {
                let reason = format!("the name of `{}` in it is not UTF-8", source::printable(&name.to_string_lossy()));
                FileError::Io { path: path.clone(), reason }
            })?;
            if entries.len() == MOST_ENTRIES {
                let reason = format!("it has more than the {MOST_ENTRIES} entries that are listed");
                return Err(FileError::Io { path, reason });
            }
            let kind = match entry.file_type().map_err(|error| io_error(&path, &error))? {
                kind if kind.is_dir() => EntryKind::Directory,
                kind if kind.is_file() => EntryKind::File,
                kind if kind.is_symlink() => match self.kind(&path.join(&name)) {
                    Some(kind) => kind.into(),
                    None => match entry.path().metadata() {
                        Ok(target) if !target.is_dir() && !target.is_file() => EntryKind::Irregular,
                        _ => EntryKind::BrokenLink,
                    },
                },
                _ => EntryKind::Irregular,
            };
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        let path = normalize(path);
        if let Some(Ok(_)) = self.lock().read.get(path.as_str()) {
            return Some(FileKind::File);
        }
        let real = match self.resolve(&path) {
            Ok(real) => real.metadata().ok(),
            // What a link inside leads to is seen, so that reading it is refused with this reason and nothing is passed over.
            Err(FileError::Outside { .. }) if self.is_link_inside(&path) => self.root.join(&path).metadata().ok(),
            Err(_) => None,
        };
        let metadata = real?;
        if metadata.is_dir() { Some(FileKind::Directory) } else { metadata.is_file().then_some(FileKind::File) }
    }
}

fn may_read(root: &Utf8Path, allowed: &BTreeSet<Utf8PathBuf>, resolved: &Utf8Path) -> bool {
    resolved.starts_with(root) || allowed.iter().any(|allowed| resolved.starts_with(allowed))
}

/// Where a path leads.
struct Real {
    path: Utf8PathBuf,
    /// What was seen there on the way, if it is no link.
    metadata: Option<Metadata>,
}

impl Real {
    fn metadata(&self) -> io::Result<Metadata> {
        self.metadata.clone().map_or_else(|| self.path.metadata(), Ok)
    }
}

fn read_file(path: &Utf8Path, real: &Real, left: u64) -> Result<Vec<u8>, FileError> {
    let metadata = real.metadata().map_err(|error| io_error(path, &error))?;
    if metadata.is_dir() {
        return Err(FileError::IsDirectory(path.to_owned()));
    }
    if !metadata.is_file() {
        return Err(FileError::Io { path: path.to_owned(), reason: "not a regular file".to_owned() });
    }
    if metadata.len() > MOST_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned(), size: metadata.len(), limit: MOST_BYTES });
    }
    if metadata.len() > left {
        let reason = format!("with it, more than the {MOST_BYTES_IN_ALL} bytes that are kept would have been read");
        return Err(FileError::Io { path: path.to_owned(), reason });
    }
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    // With room for one byte more, one call shows that the file is as long as it was said to be.
    let mut bytes = vec![0; length + 1];
    let mut file = std::fs::File::open(&real.path).map_err(|error| io_error(path, &error))?;
    let read = file.read(&mut bytes).or_else(|error| match error.kind() {
        io::ErrorKind::Interrupted => Ok(0),
        _ => Err(io_error(path, &error)),
    })?;
    bytes.truncate(read);
    if read != length {
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| io_error(path, &error))?;
    }
    Ok(bytes)
}

fn io_error(path: &Utf8Path, error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::NotFound(path.to_owned()),
        _ => FileError::Io { path: path.to_owned(), reason: system::reason(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> (tempfile::TempDir, DiskFiles) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        std::fs::create_dir_all(root.join("inside/deep")).unwrap();
        std::fs::create_dir_all(root.join("elsewhere")).unwrap();
        std::fs::write(root.join("inside/a.yaml"), "a: 1\n").unwrap();
        std::fs::write(root.join("elsewhere/secret"), "x").unwrap();
        std::os::unix::fs::symlink("../elsewhere/secret", root.join("inside/link")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", root.join("inside/folder")).unwrap();
        std::os::unix::fs::symlink("a.yaml", root.join("inside/fine")).unwrap();
        let files = DiskFiles::new(root.join("inside"));
        (folder, files)
    }

    #[test]
    fn links_stay_inside() {
        let (_folder, files) = tree();
        let outside = |path: &str| matches!(files.read(Utf8Path::new(path)), Err(FileError::Outside { .. }));
        assert!(outside("link"));
        assert!(outside("folder/secret"));
        assert!(outside("../elsewhere/secret"));
        assert_eq!(&*files.read_text(Utf8Path::new("fine")).unwrap().1, "a: 1\n");
        // A link is there, wherever it leads; what lies behind it is not.
        assert_eq!(files.kind(Utf8Path::new("folder")), Some(FileKind::Directory));
        assert!(matches!(files.list(Utf8Path::new("folder")), Err(FileError::Outside { .. })));
        assert_eq!(files.kind(Utf8Path::new("folder/secret")), None);
        files.allow(Utf8Path::new("../elsewhere"));
        assert!(files.read(Utf8Path::new("../elsewhere/secret")).is_ok());
    }

    #[test]
    fn a_file_is_read_once_and_listed_sorted() {
        let (_folder, files) = tree();
        let first = files.read(Utf8Path::new("./a.yaml")).unwrap();
        std::fs::write(files.root().join("a.yaml"), "changed").unwrap();
        assert_eq!(files.read(Utf8Path::new("deep/../a.yaml")).unwrap(), first);
        let names: Vec<String> = files.list(Utf8Path::new(".")).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["a.yaml", "deep", "fine", "folder", "link"]);
        assert!(matches!(files.read(Utf8Path::new("deep")), Err(FileError::IsDirectory(_))));
        assert!(matches!(files.read(Utf8Path::new("none/x")), Err(FileError::NotFound(_))));
    }

    #[test]
    fn a_peek_sees_the_start_of_what_is_there_or_was_read() {
        let (_folder, files) = tree();
        let peek = |path: &str, most| files.peek(Utf8Path::new(path), most, <[u8]>::to_vec);
        assert_eq!(peek("a.yaml", 100), Some(b"a: 1\n".to_vec()));
        assert_eq!(peek("a.yaml", 3), Some(b"a: ".to_vec()));
        assert_eq!(peek("fine", 1), Some(b"a".to_vec()));
        for path in ["none", "deep", "link", "folder/secret", "../elsewhere/secret"] {
            assert_eq!(peek(path, 100), None, "{path}");
        }
        files.read(Utf8Path::new("a.yaml")).unwrap();
        std::fs::write(files.root().join("a.yaml"), "changed").unwrap();
        assert_eq!((peek("a.yaml", 100), peek("a.yaml", 3)), (Some(b"a: 1\n".to_vec()), Some(b"a: ".to_vec())));
    }
}
