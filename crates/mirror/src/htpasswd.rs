//! The tenants of a domain: an htpasswd file, read as nginx and Apache read it, and edited one line at a time.
//!
//! Start with [`File::parse`]. A file is bytes in, bytes out: this crate opens nothing, and what is random (a salt, a generated
//! password) comes in as a value.
//!
//! Threats, and the answer to each:
//! - *A hash or password that shows up where people read*: [`Password`] cannot be displayed, the `Debug` of [`struct@Hash`] is empty of it,
//!   and no [`Problem`] repeats what stands in the line, only where it stands.
//! - *A file that asks for days of work*: bcrypt's cost is an exponent, and up to 31 can be written. Above [`MOST_COST`] a hash is not
//!   tried at all.
//! - *Names told apart by time*: [`File::verify`] does the work of the file's most expensive entry, whoever asks and however it ends.
//! - *A password that is not the one it looks like*: bcrypt stops at 72 bytes and at the first NUL, so that others would open the same
//!   door. Such a password is never right.
//! - *A revoked tenant that stays*: a name that stands twice is a problem, and removing it removes every line of it.

mod file;
mod hash;
mod password;
mod secret;
#[cfg(test)]
mod tests;

pub use file::{Entry, File, MOST_FILE_BYTES, NameError, Problem, ProblemKind, check_name};
pub use hash::{DEFAULT_COST, Form, Hash, LEAST_COST, MOST_COST, MOST_PASSWORD_BYTES, Weakness, spend};
pub use password::{KNOWN_PASSWORDS, LEAST_CHARACTERS, Password, PasswordError, RANDOM_BYTES, is_known};
pub use secret::kubernetes_secret;
pub use zeroize::Zeroizing;
