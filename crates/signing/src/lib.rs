//! Ed25519 keys and the signature files that other tools verify.
//!
//! Start with [`PrivateKey`] and [`PublicKey`]. A signature comes in three spellings: 64 raw bytes (`openssl pkeyutl`), a
//! [`Minisig`] (`minisign -V`) and an [`Envelope`] (DSSE, around an in-toto statement). All of it is values in, values out:
//! this crate opens no file and knows no clock; the only thing it asks of the machine is randomness for a new key.
//!
//! Threats, and the answer to each:
//! - *A private key that shows up where people read*: [`PrivateKey`] cannot be displayed, its `Debug` is empty of it, its
//!   memory is overwritten when it is dropped, and no error repeats what was read.
//! - *A signature that verifies for two messages or keys*: verification is strict (no small-order points, no second spelling
//!   of the same signature), and a key of small order is refused when it is read.
//! - *Bytes of a signature file that nothing covers* (comments, white space, key ids, spare bits of base64): a file is accepted
//!   only in the one spelling that we write, so that every byte of it counts.
//! - *A signature taken for another kind of signature*: DSSE signs its type with the payload; minisign signs a BLAKE2b hash of
//!   64 bytes, which no archive is.

mod dsse;
mod error;
mod key;
mod minisign;

pub use dsse::Envelope;
pub use error::{FormatError, KeyError, VerifyError};
pub use key::{KeyId, PrivateKey, PublicKey, Signature};
pub use minisign::Minisig;
pub use zeroize::Zeroizing;
