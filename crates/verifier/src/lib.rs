//! Whether a credential is right, asked by the gateway of a mirror for every request.
//!
//! nginx can check a bcrypt hash itself, and does it anew for every request: a core is busy with fifty of them a second. So the gateway
//! asks this server (`auth_request`), which runs bcrypt once for a tenant and remembers for a short time, under a keyed hash, that the
//! header was right. Start from [`serve()`]; [`survey()`] only looks at the files.
//!
//! It prints nothing and knows no exit code: what happens is an [`Event`] for whoever runs it. The clock, the random generator of the
//! system, the folder of secrets and one socket are all that it touches.
//!
//! Threats, and the answer to each:
//! - *A password that shows up where people read*: no event carries anything that a client sent. Credentials are overwritten when they
//!   have been used, also in the buffer they were received in, and the process leaves no core dump ([`harden`]).
//! - *A memory that lets the wrong one in*: it is kept under HMAC-SHA256 with a key made at the start. Whoever could find a second header
//!   of the same tag could break HMAC; whoever reads the memory of a finished process has no header to try.
//! - *A header in many spellings*, each of which would cost bcrypt and a place in memory: only canonical Base64 is read.
//! - *A removed tenant that stays in*: files are read again every second, and what they no longer say is forgotten at once. No answer
//!   rests on a look at the files that is older than the lifetime of the memory, also where the disk hangs.
//! - *A flood of wrong passwords*: bcrypt runs in a few threads behind a short queue, apart from the thread that answers. Who was right
//!   before has a queue of their own. The same wrong header costs bcrypt once in some seconds.
//! - *Names told apart by time*: an unknown name costs the same work as a wrong password (`mirror::htpasswd::File::verify`).
//! - *A damaged file*: its domain is closed until it is mended. Nothing is answered from what was known before.

mod basic;
mod desk;
mod door;
mod error;
mod event;
mod files;
mod head;
mod place;
mod refused;
mod serve;
mod tag;
#[cfg(test)]
mod tests;
mod work;

pub use error::{Error, ErrorKind};
pub use event::{Event, Kind, Level};
pub use files::{Domain, Surveyed, survey};
pub use place::Place;
pub use serve::{Settings, harden, serve};
