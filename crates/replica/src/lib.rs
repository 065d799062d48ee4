//! Copies of one domain of a mirror: pulled, verified, switched, pruned, and carried across an air gap as one signed file.
//!
//! Start from [`pull()`], [`export()`] and [`import()`]. A copy is a [`Folder`] of *generations*: export trees as Concelier serves them,
//! each named by its moment and its content, none ever changed. The link `latest` names the one that counts; it is renamed into place
//! when everything behind it has been verified and is on the disk, and that rename is the only thing a reader can see happen.
//!
//! | threat | answer |
//! |---|---|
//! | a run is killed, the power fails | nothing below a generation's name is written in place: it is built aside, synced, renamed; only then the link is |
//! | the mirror switches generations during a pull | what names the others is read once more at the end; if it changed, the pull starts over |
//! | bytes change on the way or on the mirror's disk | size and sha256 of every file against what the manifest and index say, and the signature where a key is given |
//! | neither digest nor signature is there to hold a bundle against | refused, unless somebody types `--allow-unverified` |
//! | somebody replays an older generation | refused unless `--accept-older`, in a pull and in an import |
//! | a `created` in the future would make every later generation an older one | refused unless `--allow-future` |
//! | an endless or lying answer | every size has a limit before a byte is written; a body that is too slow ends |
//! | credentials go astray | no redirect is followed, no proxy of the environment is used, plain HTTP goes to loopback only; a password cannot be displayed |
//! | names that lead out of the folder, links planted in it | names are plain; nothing is opened through a link below the folder |
//! | two runs at once, a reader at work | a lock that ends with its process; a generation that is being read is not pruned |
//! | a hostile carried file | nothing that is not signed is parsed; what is signed has one spelling and is compared with it |
//!
//! The clock, the password and the words on the way come in as arguments.

mod carry;
mod check;
mod disk;
mod downloads;
mod error;
mod fault;
mod fetch;
mod folder;
mod generation;
mod limits;
mod lock;
mod parts;
mod pull;
mod record;
mod retry;
mod secret;
mod source;
mod stage;
mod transport;
mod trust;

pub use carry::{ExportRequest, Exported, ImportRequest, Imported, MOST_CARRIED_BYTES, export, import};
pub use check::Signed;
pub use error::{Class, Error};
pub use folder::{Folder, Pruned};
pub use generation::{Generation, Name};
pub use pull::{PullRequest, Pulled, Traffic, pull};
pub use record::{FileRecord, Record};
pub use secret::Password;
pub use source::Source;
pub use stage::Acceptance;
pub use trust::JwsKey;
