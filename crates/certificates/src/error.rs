use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

/// Why something could not be done with certificates. What is wrong *with* certificates is no error: see [`crate::examine()`].
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

/// The reasons. The program gives each an exit code.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// The system gave no random bytes, or a text cannot stand in a certificate.
    #[error("cannot {what}: {reason}")]
    Crypto { what: &'static str, reason: String },
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{path}`: {reason}")]
    Files { action: &'static str, path: Utf8PathBuf, reason: String },
    /// What is there is no folder.
    #[error("`{path}` is not a folder")]
    NoFolder { path: Utf8PathBuf },
    /// The clock is before the authority was made. What is renewed now would be worth nothing once the clock is right.
    #[error("by this machine's clock it is {now}, and the CA in `{folder}` is valid only from {from} on")]
    Clock { folder: Utf8PathBuf, now: jiff::Timestamp, from: jiff::Timestamp },
    /// Another run holds the folder.
    #[error("another run{} is at work in `{folder}`", .process.map_or_else(String::new, |id| format!(" (process {id})")))]
    Locked { folder: Utf8PathBuf, process: Option<u32> },
    /// A file lies where this program would put a link: it was made by somebody else.
    #[error("`{path}` was not made by this program")]
    Foreign { path: Utf8PathBuf },
    /// Only root may give files away.
    #[error("cannot give `{path}` to {owner}: {reason}")]
    Owner { path: Utf8PathBuf, owner: String, reason: String },
    /// The authority is there but cannot sign.
    #[error("the CA in `{folder}` cannot be used: {reason}")]
    Authority { folder: Utf8PathBuf, reason: String },
    /// A component's certificate and key cannot be used as they are.
    #[error("certificate and key in `{folder}` do not belong together or cannot be read")]
    Damaged { folder: Utf8PathBuf },
    /// There is no authority to rotate.
    #[error("there is no CA in `{folder}`")]
    NoAuthority { folder: Utf8PathBuf },
    /// The phases of a rotation have an order.
    #[error("`{phase}` is not what comes now: {state}")]
    Order { phase: &'static str, state: String, next: String },
    /// A path to examine is not there, or cannot be looked at.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable { path: Utf8PathBuf, reason: String },
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }

    /// What could not be done with a file or folder.
    pub(crate) fn files(action: &'static str, path: &Utf8Path, error: &io::Error) -> Self {
        let reason = match action {
            "create" | "write" => system::reason_unwritten(error),
            _ => system::reason(error),
        };
        Self::new(ErrorKind::Files { action, path: path.to_owned(), reason })
    }

    /// Which reason.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self.kind() {
            ErrorKind::NoFolder { .. } => Some("name a folder; it is made if it is not there".to_owned()),
            ErrorKind::Clock { .. } => Some("set this machine's clock, then run the command again".to_owned()),
            ErrorKind::Locked { .. } => Some("wait until it is done, then run the command again".to_owned()),
            ErrorKind::Foreign { path } => {
                let folder = path.parent().unwrap_or(Utf8Path::new("."));
                Some(format!("it is not overwritten; move `{folder}` away, or name another folder"))
            }
            ErrorKind::Owner { .. } => Some(
                "only root may give files to another user; run as root, or use `--group-readable` and a group that both are in"
                    .to_owned(),
            ),
            ErrorKind::Authority { folder, .. } => {
                let folder = folder.parent().unwrap_or(Utf8Path::new("."));
                Some(format!(
                    "restore its files from a backup; without one, remove `{folder}` and run `collimate tls generate` for everything new"
                ))
            }
            ErrorKind::Damaged { .. } => Some("`collimate tls generate` makes new ones, then run this again".to_owned()),
            ErrorKind::NoAuthority { .. } => Some("`collimate tls generate` makes one".to_owned()),
            ErrorKind::Order { next, .. } => Some(next.clone()),
            ErrorKind::Crypto { .. } | ErrorKind::Files { .. } | ErrorKind::Unreadable { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Error {}
