//! Where the gateway finds this server.
//!
//! Threats: a socket that anybody can connect to is a door to guess at; its mode is 0660 from the first moment, by the mask of new files.
//! What lies at the path and is not a dead socket of our own user is left alone. A socket that is removed under us makes us end, because
//! nobody can reach us any more and whoever runs us starts us anew.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::stat::{Mode, umask};
use source::system;
use tokio::net::{TcpListener, UnixListener};

use crate::error::{Error, ErrorKind};

/// What `sockaddr_un` holds on Linux, less the NUL at its end.
const MOST_PATH_BYTES: usize = 107;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket file, mode 0660.
    Socket(Utf8PathBuf),
    /// An address of this machine alone.
    Address(SocketAddr),
}

pub(crate) struct Listener {
    pub(crate) taking: Taking,
    /// Of a socket file, while it can be found.
    bound: Option<Bound>,
}

pub(crate) enum Taking {
    Socket(UnixListener),
    Address(TcpListener),
}

/// The socket file that we made. Removed when dropped, if it still is that one.
pub(crate) struct Bound {
    path: Utf8PathBuf,
    identity: (u64, u64),
}

impl Place {
    /// Listens. Within a runtime.
    pub(crate) async fn listen(&self) -> Result<Listener, Error> {
        match self {
            Self::Socket(path) => {
                make_room(path)?;
                // The mask is the whole process's; it is narrower than before for a moment, which harms no other thread.
                let before = umask(Mode::from_bits_truncate(0o117));
                let bound = UnixListener::bind(path);
                umask(before);
                let listener = bound.map_err(|error| Error::socket(path, &error))?;
                let identity = identity(path).map_err(|error| Error::socket(path, &error))?;
                let bound = Some(Bound { path: path.clone(), identity });
                Ok(Listener { taking: Taking::Socket(listener), bound })
            }
            Self::Address(address) if !address.ip().is_loopback() => {
                Err(Error::new(ErrorKind::NotLoopback { address: *address }))
            }
            Self::Address(address) => {
                let failed = |error: io::Error| {
                    Error::new(ErrorKind::Address { address: *address, reason: system::reason(&error) })
                };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                Ok(Listener { taking: Taking::Address(listener), bound: None })
            }
        }
    }
}

impl Listener {
    /// As people and logs call it.
    pub(crate) fn shown(&self) -> String {
        match (&self.bound, &self.taking) {
            (Some(bound), _) => bound.path.to_string(),
            (None, Taking::Address(listener)) => {
                listener.local_addr().map_or_else(|_| String::new(), |address| address.to_string())
            }
            (None, Taking::Socket(_)) => String::new(),
        }
    }

    /// # Errors
    /// If the socket is not the one that we made.
    pub(crate) fn is_ours(&self) -> Result<(), Error> {
        match &self.bound {
            Some(bound) if !bound.is_there() => Err(Error::new(ErrorKind::Replaced { path: bound.path.clone() })),
            _ => Ok(()),
        }
    }

    /// Removes the socket's file: nobody finds it any more, and who found it before can still be taken.
    pub(crate) fn hide(&mut self) {
        self.bound = None;
    }
}

impl Bound {
    fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|identity| identity == self.identity)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // A verifier that was started after us may have put its own there.
        if self.is_there() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Utf8Path) -> io::Result<(u64, u64)> {
    let metadata = path.symlink_metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Removes what a verifier left there that was killed.
fn make_room(path: &Utf8Path) -> Result<(), Error> {
    let length = path.as_str().len();
    if length > MOST_PATH_BYTES {
        return Err(Error::new(ErrorKind::LongPath { path: path.to_owned(), length, most: MOST_PATH_BYTES }));
    }
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::socket(path, &error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(Error::new(ErrorKind::NotASocket { path: path.to_owned() }));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        // It went by itself.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // It listens, or its queue is full, or we may not ask.
        _ => return Err(Error::new(ErrorKind::InUse { path: path.to_owned() })),
    }
    if metadata.uid() != nix::unistd::geteuid().as_raw() {
        return Err(Error::new(ErrorKind::Foreign { path: path.to_owned(), owner: metadata.uid() }));
    }
    std::fs::remove_file(path).map_err(|error| Error::socket(path, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use testkit::Sandbox;

    use super::*;

    fn listen(place: &Place) -> Result<Listener, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(place.listen());
        // A listener outlives its runtime as a file descriptor, which is all that these tests look at.
        listener
    }

    #[test]
    fn a_socket_is_narrow_and_goes_with_us() {
        let sandbox = Sandbox::new();
        let path = sandbox.path("s");
        let listener = listen(&Place::Socket(path.clone())).unwrap();
        assert_eq!(path.symlink_metadata().unwrap().permissions().mode() & 0o7777, 0o660);
        assert!(listener.is_ours().is_ok());
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_nothing_else() {
        let sandbox = Sandbox::new();
        let place = Place::Socket(sandbox.path("s"));
        drop(std::os::unix::net::UnixListener::bind(sandbox.path("s")).unwrap());
        let listener = listen(&place).unwrap();
        assert!(matches!(listen(&place).err().unwrap().kind(), ErrorKind::InUse { .. }));
        std::fs::remove_file(sandbox.path("s")).unwrap();
        assert!(matches!(listener.is_ours().unwrap_err().kind(), ErrorKind::Replaced { .. }));
        sandbox.write("s", "precious");
        assert!(matches!(listen(&place).err().unwrap().kind(), ErrorKind::NotASocket { .. }));
        drop(listener);
        assert_eq!(sandbox.read("s"), "precious");
    }

    #[test]
    fn paths_have_a_length() {
        let sandbox = Sandbox::new();
        let of = |length: usize| sandbox.path("x".repeat(length - sandbox.path("").as_str().len()));
        assert!(listen(&Place::Socket(of(107))).is_ok());
        let error = listen(&Place::Socket(of(108))).err().unwrap();
        assert!(error.to_string().ends_with("has 108 bytes; the system allows 107"), "{error}");
        let error = listen(&Place::Socket(sandbox.path("none/s"))).err().unwrap();
        assert!(error.to_string().ends_with("/none/s`: its folder does not exist"), "{error}");
    }

    #[test]
    fn only_this_machine_can_ask() {
        let error = listen(&Place::Address("0.0.0.0:0".parse().unwrap())).err().unwrap();
        assert_eq!(error.to_string(), "0.0.0.0:0 is not an address of this machine alone");
    }
}
