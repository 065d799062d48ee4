//! What rules ask of the world outside the files that engines read.

use std::collections::BTreeSet;
use std::sync::Arc;

use alignment::{Facts, LintMessage, PrivateKey, Profile};
use camino::{Utf8Path, Utf8PathBuf};
use release::Date;
use source::{Entry, FileError, FileId, FileKind, Files as _};

use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::rendering;
use crate::session::Session;
use crate::tracked::tracked_files;

/// Only the start of a file is searched for a private key: key files are small, and a check must stay fast.
const KEY_SEARCH_BYTES: usize = 64 * 1024;

/// Facts from disk, environment and clock.
pub(crate) struct DiskFacts<'a> {
    session: &'a Session,
    /// Sorted. `None` where there is no repository.
    tracked: Option<Vec<String>>,
    private_keys: Vec<PrivateKey>,
    exported: BTreeSet<String>,
    today: Option<Date>,
}

impl<'a> DiskFacts<'a> {
    pub(crate) fn gather(ctx: &Ctx, session: &'a Session) -> Self {
        let tracked = tracked_files(session.files.root());
        let private_keys = private_keys(session, tracked.as_deref().unwrap_or_default());
        let tracked = tracked.map(|paths| {
            let mut paths: Vec<String> = paths.into_iter().map(Utf8PathBuf::into_string).collect();
            // An index has them in this order.
            paths.sort();
            paths
        });
        Self {
            session,
            private_keys,
            tracked,
            exported: ctx.environment().keys().cloned().collect(),
            today: ctx.today().parse().ok(),
        }
    }
}

impl Facts for DiskFacts<'_> {
    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        self.session.files.kind(path)
    }

    fn text(&self, path: &Utf8Path) -> Result<(FileId, Arc<str>), FileError> {
        self.session.files.read_text(path)
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<Entry>, FileError> {
        self.session.files.list(path)
    }

    /// Without a repository everything counts: what lies in an unpacked archive was published.
    fn is_tracked(&self, path: &Utf8Path) -> bool {
        let is_listed =
            |tracked: &Vec<String>| tracked.binary_search_by(|known| known.as_str().cmp(path.as_str())).is_ok();
        self.tracked.as_ref().is_none_or(is_listed)
    }

    fn private_keys(&self) -> &[PrivateKey] {
        &self.private_keys
    }

    fn lint(&self, profile: &Profile) -> Arc<[LintMessage]> {
        rendering::lint(self.session, profile)
    }

    fn exported(&self) -> &BTreeSet<String> {
        &self.exported
    }

    fn today(&self) -> Option<Date> {
        self.today
    }
}

/// Tracked files with a private key in them, in the top folders that the workspace names: a repository may hold much else.
fn private_keys(session: &Session, tracked: &[Utf8PathBuf]) -> Vec<PrivateKey> {
    let tops: BTreeSet<&str> = session.named_paths().filter_map(|path| path.as_str().split('/').next()).collect();
    tracked
        .iter()
        .filter(|path| path.as_str().split('/').next().is_some_and(|first| tops.contains(first)))
        .filter_map(|path| private_key(&session.files, path))
        .collect()
}

fn private_key(files: &DiskFiles, path: &Utf8Path) -> Option<PrivateKey> {
    let search = |start: &[u8]| {
        let may_have = alignment::may_have_private_key(start);
        may_have.then(|| alignment::private_key(&String::from_utf8_lossy(start))).flatten()
    };
    let (range, what) = files.peek(path, KEY_SEARCH_BYTES, search)??;
    let span = files.read_text(path).ok().map(|(file, _)| source::Span::new(file, range));
    Some(PrivateKey { path: path.to_owned(), span, what })
}
