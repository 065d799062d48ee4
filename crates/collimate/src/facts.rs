//! What rules ask of the world outside the files that engines read.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use alignment::{Facts, LintMessage, PrivateKey, Profile};
use camino::{Utf8Path, Utf8PathBuf};
use release::Date;
use source::{Entry, FileError, FileId, FileKind, Files as _};

use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::parallel;
use crate::rendering;
use crate::session::Session;
use crate::tracked::tracked_files;

/// Only the start of a file is searched for a private key: key files are small, and a check must stay fast.
const KEY_SEARCH_BYTES: usize = 64 * 1024;

/// Facts from disk, environment and clock. Looked up when the first rule asks: by then engines have read most of the files.
pub(crate) struct DiskFacts<'a> {
    session: &'a Session,
    /// Sorted. `None` where there is no repository.
    tracked: OnceLock<Option<Vec<Utf8PathBuf>>>,
    exported: BTreeSet<String>,
    today: Option<Date>,
}

impl<'a> DiskFacts<'a> {
    pub(crate) fn of(ctx: &Ctx, session: &'a Session) -> Self {
        Self {
            session,
            tracked: OnceLock::new(),
            exported: ctx.environment().keys().cloned().collect(),
            today: ctx.today().parse().ok(),
        }
    }

    fn tracked(&self) -> Option<&[Utf8PathBuf]> {
        let tracked = self.tracked.get_or_init(|| {
            let mut paths = tracked_files(self.session.files.root())?;
            // An index has them in this order. As texts: paths are compared part by part.
            paths.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            Some(paths)
        });
        tracked.as_deref()
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
            |tracked: &[Utf8PathBuf]| tracked.binary_search_by(|known| known.as_str().cmp(path.as_str())).is_ok();
        self.tracked().is_none_or(is_listed)
    }

    fn private_keys(&self, wanted: &dyn Fn(&Utf8Path) -> bool) -> Vec<PrivateKey> {
        let tracked = self.tracked().unwrap_or_default().iter();
        let wanted: Vec<&Utf8PathBuf> = tracked.filter(|path| wanted(path)).collect();
        let found = parallel::map(&wanted, |path| private_key(&self.session.files, path));
        found.into_iter().flatten().collect()
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

fn private_key(files: &DiskFiles, path: &Utf8Path) -> Option<PrivateKey> {
    let search = |start: &[u8]| {
        let may_have = alignment::may_have_private_key(start);
        may_have.then(|| alignment::private_key(&String::from_utf8_lossy(start))).flatten()
    };
    let (range, what) = files.peek(path, KEY_SEARCH_BYTES, search)??;
    let span = files.read_text(path).ok().map(|(file, _)| source::Span::new(file, range));
    Some(PrivateKey { path: path.to_owned(), span, what })
}
