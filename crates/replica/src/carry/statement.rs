//! What a carried file says of itself: signed, in one spelling.

use jiff::Timestamp;
use mirror::exports::is_domain_id;
use serde::{Deserialize, Serialize};
use signing::{Envelope, PrivateKey, PublicKey};

use crate::error::{Error, Result, printable};
use crate::generation::{Generation, Name};
use crate::limits::MOST_GENERATION_BYTES;
use crate::record::{FileRecord, files_problem, is_sha256};

const SCHEMA: u32 = 1;

/// The signature covers it: no statement of another kind can be taken for this one.
const PAYLOAD_TYPE: &str = "application/vnd.collimate.mirror-generation+json";

/// About 200 bytes a file, in base64.
pub(super) const MOST_ENVELOPE_BYTES: u64 = 16 * 1024 * 1024;

/// A carried file. Deflate makes what it cannot compress larger by less than a thousandth.
pub const MOST_CARRIED_BYTES: u64 = MOST_GENERATION_BYTES + MOST_GENERATION_BYTES / 1000 + 2 * MOST_ENVELOPE_BYTES;

/// What is signed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    schema: u32,
    generation: String,
    domain: String,
    created: String,
    archive: Archive,
    files: Vec<FileRecord>,
}

/// The second entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// A statement that somebody vouches for.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) name: Name,
    pub(super) domain: String,
    pub(super) created: Timestamp,
    pub(super) archive: Archive,
    /// Without validators.
    pub(super) files: Vec<FileRecord>,
}

/// The signed statement of a generation, as text.
pub(super) fn sign(generation: &Generation, archive: Archive, key: &PrivateKey) -> String {
    let bare = |file: &FileRecord| FileRecord { validators: Default::default(), ..file.clone() };
    let payload = Payload {
        schema: SCHEMA,
        generation: generation.name.to_string(),
        domain: generation.record.domain.clone(),
        created: generation.record.created.clone(),
        archive,
        files: generation.record.files.iter().map(bare).collect(),
    };
    Envelope::sign(PAYLOAD_TYPE, payload.to_json(), key).to_string()
}

impl Payload {
    fn to_json(&self) -> Vec<u8> {
        // Strings and numbers always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reads a statement that the holder of `key` signed.
pub(super) fn verify(text: &str, key: &PublicKey) -> Result<Statement> {
    let damaged = |why: String| {
        Error::untrusted("the file is not trusted").because(why).hint("copy it again and compare `sha256sum`")
    };
    let envelope: Envelope = text.parse().map_err(|error| damaged(format!("its statement is damaged: {error}")))?;
    if envelope.verify(key).is_err() {
        let found = envelope.key_id();
        let (why, hint) = if found == key.id() {
            ("its statement was changed after it was signed".to_owned(), "copy it again and compare `sha256sum`")
        } else {
            (
                format!("it was signed with key {found}, not with the trusted key {}", key.id()),
                "do not use it unless its maker tells you, by another way, that the key was changed",
            )
        };
        return Err(Error::untrusted("the file is not trusted").because(why).hint(hint));
    }
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(damaged(format!("what is signed is something else: `{}`", printable(envelope.payload_type()))));
    }
    parse(envelope.payload())
}

fn parse(bytes: &[u8]) -> Result<Statement> {
    let bad = |why: String| {
        Error::input("the file cannot be imported")
            .because(format!("its statement {why}"))
            .hint("it may be of a newer program: import it with the one that exported it")
    };
    let payload: Payload = serde_json::from_slice(bytes)
        .map_err(|error| bad(format!("cannot be read: line {}, column {}", error.line(), error.column())))?;
    if payload.schema != SCHEMA {
        return Err(bad(format!("has schema {}; this program knows {SCHEMA}", payload.schema)));
    }
    if payload.to_json() != bytes || payload.files.iter().any(|file| file.validators != Default::default()) {
        return Err(bad("is not spelled as it is written".to_owned()));
    }
    if let Some(why) = files_problem(&payload.files) {
        return Err(bad(format!("cannot be used: {why}")));
    }
    let created: Timestamp =
        payload.created.parse().map_err(|_| bad("has a `created` that is no moment".to_owned()))?;
    let name = Name::of(created, &payload.files);
    if name.as_str() != payload.generation {
        return Err(bad("has a name that is not that of its files".to_owned()));
    }
    if !is_domain_id(&payload.domain)
        || !is_sha256(&payload.archive.sha256)
        || payload.archive.size > MOST_CARRIED_BYTES
    {
        return Err(bad("has a domain or an archive that cannot be".to_owned()));
    }
    Ok(Statement { name, domain: payload.domain, created, archive: payload.archive, files: payload.files })
}
