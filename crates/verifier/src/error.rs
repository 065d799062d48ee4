use std::io;
use std::net::SocketAddr;

use camino::{Utf8Path, Utf8PathBuf};
use source::system;

/// Why the verifier could not start, or had to end.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

/// The reasons. The program gives each an exit code.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// The folder of the htpasswd files cannot be read.
    #[error("cannot read the folder `{folder}`: {reason}")]
    Folder { folder: Utf8PathBuf, reason: String },
    /// Nothing says which domains there are.
    #[error("no domain is named, and `{folder}` holds no `mirror-<domain>.htpasswd`")]
    NoDomain { folder: Utf8PathBuf },
    /// What is at the socket's path was not put there by a verifier.
    #[error("`{path}` is there and is not a socket")]
    NotASocket { path: Utf8PathBuf },
    /// Somebody listens.
    #[error("another process listens on `{path}`")]
    InUse { path: Utf8PathBuf },
    /// It is stale, but it is not ours to remove.
    #[error("the socket `{path}` belongs to another user (uid {owner})")]
    Foreign { path: Utf8PathBuf, owner: u32 },
    /// The system allows so many bytes for the path of a socket.
    #[error("the path of the socket `{path}` has {length} bytes; the system allows {most}")]
    LongPath { path: Utf8PathBuf, length: usize, most: usize },
    /// The socket cannot be made.
    #[error("cannot listen on `{path}`: {reason}")]
    Socket { path: Utf8PathBuf, reason: String },
    /// The address cannot be used.
    #[error("cannot listen on {address}: {reason}")]
    Address { address: SocketAddr, reason: String },
    /// Passwords would cross a network without TLS.
    #[error("{address} is not an address of this machine alone")]
    NotLoopback { address: SocketAddr },
    /// The socket was removed or replaced while we listened on it: nobody can reach us any more.
    #[error("the socket `{path}` was removed or replaced while it was served")]
    Replaced { path: Utf8PathBuf },
    /// The system's generator gave nothing.
    #[error("the system gives no random bytes")]
    Random,
    /// The system gave no thread, timer or signal.
    #[error("cannot {what}: {reason}")]
    System { what: &'static str, reason: String },
    /// Our bug: a thread of ours ended although it never should.
    #[error("the thread `{name}` ended")]
    Ended { name: &'static str },
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }

    pub(crate) fn system(what: &'static str, error: &io::Error) -> Self {
        Self::new(ErrorKind::System { what, reason: system::reason(error) })
    }

    pub(crate) fn socket(path: &Utf8Path, error: &io::Error) -> Self {
        Self::new(ErrorKind::Socket { path: path.to_owned(), reason: system::reason_unwritten(error) })
    }

    /// Which reason.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
