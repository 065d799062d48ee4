use camino::Utf8PathBuf;

use crate::Id;

/// Why something cannot be read from a repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("`{0}` lies in no git repository")]
    NoRepository(Utf8PathBuf),
    #[error("the repository stores its objects under `{0}` hashes, and only `sha1` is read")]
    ObjectFormat(String),
    #[error("the repository stores its references as `{0}`, and only files are read")]
    RefStorage(String),
    #[error("`{0}` is no branch, tag or full commit id of this repository")]
    Unknown(String),
    #[error("`{0}` cannot be the name of a branch or tag, nor is it a full commit id")]
    Name(String),
    #[error("`{name}` means several commits: {several}")]
    Ambiguous { name: String, several: String },
    #[error("the object {0} is not in this repository: it was not fetched, or is lost")]
    Missing(Id),
    #[error("there is no `{0}` in that revision")]
    NoFile(Utf8PathBuf),
    #[error("`{path}` is {what} in that revision, not a file")]
    NotFile { path: Utf8PathBuf, what: &'static str },
    #[error("cannot read the object {id}: {why}")]
    Damaged { id: Id, why: &'static str },
    #[error("cannot read `{path}`: {why}")]
    DamagedFile { path: Utf8PathBuf, why: &'static str },
    #[error("cannot read `{path}`: {why}")]
    Limit { path: Utf8PathBuf, why: String },
    #[error("cannot read `{path}`: {reason}")]
    Io { path: Utf8PathBuf, reason: String },
}

impl Error {
    pub(crate) fn io(path: &camino::Utf8Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), reason: source::system::reason(error) }
    }
}
