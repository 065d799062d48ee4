//! Files of a git revision, by their path in the workspace.

use camino::{Utf8Path, Utf8PathBuf};
use gitobjects::{Error, Id, Repository};
use source::octets;

use crate::exit::{Exit, Failure, Result};
use crate::session::Session;

pub(super) struct Revision {
    repository: Repository,
    commit: Id,
    name: String,
    /// Where the workspace lies in the repository.
    folder: Utf8PathBuf,
}

/// Finds the commit of a name in the repository that the workspace lies in.
pub(super) fn open(session: &Session, name: &str) -> Result<Revision> {
    let root = session.files.root();
    let repository = Repository::of(root).map_err(|error| failed(name, &error))?;
    let commit = repository.resolve(name).map_err(|error| failed(name, &error))?;
    let folder = root.strip_prefix(repository.root()).unwrap_or(Utf8Path::new("")).to_owned();
    Ok(Revision { repository, commit, name: name.to_owned(), folder })
}

impl Revision {
    /// Whether a path, from the workspace's root or absolute, lies in the repository.
    pub(super) fn covers(&self, path: &Utf8Path) -> bool {
        path.is_relative() || path.starts_with(self.repository.root())
    }

    /// Whether the revision has this file.
    pub(super) fn has(&self, path: &Utf8Path) -> Result<bool> {
        match self.bytes(path) {
            Ok(_) => Ok(true),
            Err(Error::NoFile(_)) => Ok(false),
            Err(error) => Err(failed(&self.name, &error)),
        }
    }

    /// The text of a file, by its path in the workspace, or an absolute one in the repository.
    pub(super) fn text(&self, path: &Utf8Path) -> Result<String> {
        let bytes = self.bytes(path).map_err(|error| failed(&self.name, &error))?;
        let text = octets::text(&bytes).map_err(|stray| {
            Failure::input(stray.told(&format_args!("{}:{path}", self.name)))
                .hint("bring it to that revision as UTF-8 first")
        })?;
        Ok(text.to_owned())
    }

    fn bytes(&self, path: &Utf8Path) -> std::result::Result<Vec<u8>, Error> {
        let path = match path.strip_prefix(self.repository.root()) {
            Ok(below) => below.to_owned(),
            Err(_) => self.folder.join(path),
        };
        self.repository.file(self.commit, &path)
    }
}

fn failed(name: &str, error: &Error) -> Failure {
    let (exit, hint) = match error {
        Error::Unknown(_) | Error::Name(_) | Error::Ambiguous { .. } => (
            Exit::Usage,
            "name a branch, a tag or a full commit id; `refs/heads/NAME` and `refs/tags/NAME` tell two apart, and a clone of one branch knows no \
             other until `git fetch origin NAME`",
        ),
        Error::Missing(_) => (Exit::Outside, "`git fetch` brings what is missing"),
        Error::Damaged { .. } | Error::DamagedFile { .. } => (Exit::Untrusted, "`git fsck` shows what is wrong"),
        Error::Limit { .. } => (Exit::Input, "without `--policy-from`, the working tree's rules count"),
        Error::NoFile(_) | Error::NotFile { .. } => (Exit::Input, "bring it to that revision first"),
        _ => (Exit::Outside, "without `--policy-from`, the working tree's rules count"),
    };
    Failure::new(exit, format!("cannot take the rules from `{name}`")).because(error).hint(hint)
}
