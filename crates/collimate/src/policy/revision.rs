//! Files of a git revision, by their path in the workspace.

use camino::{Utf8Path, Utf8PathBuf};
use gitobjects::{Error, Id, Repository};

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
    pub(super) fn text(&self, path: &Utf8Path) -> Result<String> {
        let bytes =
            self.repository.file(self.commit, &self.folder.join(path)).map_err(|error| failed(&self.name, &error))?;
        String::from_utf8(bytes).map_err(|_| Failure::input(format!("`{}:{path}` is not UTF-8", self.name)))
    }
}

fn failed(name: &str, error: &Error) -> Failure {
    let (exit, hint) = match error {
        Error::Unknown(_) | Error::Name(_) | Error::Ambiguous { .. } => (
            Exit::Usage,
            "name a branch, a tag or a full commit id; `refs/heads/NAME` and `refs/tags/NAME` tell two apart",
        ),
        Error::Missing(_) => (Exit::Outside, "`git fetch` brings what is missing"),
        Error::Damaged { .. } | Error::DamagedFile { .. } => (Exit::Untrusted, "`git fsck` shows what is wrong"),
        Error::NoFile(_) | Error::NotFile { .. } => (Exit::Input, "bring it to that revision first"),
        _ => (Exit::Outside, "without `--policy-from`, the working tree's rules count"),
    };
    Failure::new(exit, format!("cannot take the rules from `{name}`")).because(error).hint(hint)
}
