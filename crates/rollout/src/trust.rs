//! Whose keys are trusted, for what and how long: `trust.yaml`.
//!
//! Days are days in UTC. A key counts from the first day named to the last, both included. A revoked one does not count from the beginning of the
//! day of its revocation on, whatever a signature says of its time: whoever stole a key can write any date. What was recorded before
//! that day is doubtful for the same reason; the ledger's order is what speaks for it.

use std::collections::BTreeMap;

use release::{Date, Spanned};
use signing::{KeyError, PublicKey};
use source::FileId;
use yamlspan::NodeRef;
use yamlspan::strict::{Problem, Reader};

mod judge;
mod schema;

pub use judge::{ApprovalFault, Standing};
pub use schema::trust_schema;

pub(crate) const TRUST_KEYS: &[&str] = &["schema", "keys"];
pub(crate) const KEY_KEYS: &[&str] = &["name", "roles", "key", "from", "until", "revoked"];

/// The keys that are trusted, in written order.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub keys: Vec<TrustedKey>,
}

/// One key. Somebody may have several, one after the other; a key belongs to one.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    pub name: Spanned<String>,
    pub roles: Vec<Spanned<String>>,
    pub key: PublicKey,
    pub from: Spanned<Date>,
    /// The last day.
    pub until: Spanned<Date>,
    /// The first day on which it does not count any more.
    pub revoked: Option<Spanned<Date>>,
}

/// Why a key does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("key {0} is not among the trusted ones")]
    Unknown(signing::KeyId),
    #[error("the key of `{name}` is trusted from {from} on")]
    NotYet { name: String, from: Date },
    #[error("the key of `{name}` was trusted until {until}")]
    Expired { name: String, until: Date },
    #[error("the key of `{name}` was revoked on {on}")]
    Revoked { name: String, on: Date },
    #[error("`{name}` has not the role `{role}`, but {has}")]
    Role { name: String, role: String, has: String },
}

impl Trust {
    /// Reads the text of a `trust.yaml`.
    ///
    /// # Errors
    /// All problems, by place.
    pub fn parse(text: &str, file: FileId) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(&[]);
        let document = reader.document(text, file);
        let trust = document.and_then(|document| read(&mut reader, document.root()));
        let mut problems = reader.problems;
        problems.sort_by_key(|problem| problem.span.map(|span| (span.start, span.end)));
        match (trust, problems.is_empty()) {
            (Some(trust), true) => Ok(trust),
            _ => Err(problems),
        }
    }

    /// The entry of this very key.
    #[must_use]
    pub fn entry(&self, key: &PublicKey) -> Option<&TrustedKey> {
        self.keys.iter().find(|known| known.key == *key)
    }

    /// The keys of a name, one after the other.
    pub fn of<'t>(&'t self, name: &str) -> impl Iterator<Item = &'t TrustedKey> {
        self.keys.iter().filter(move |known| known.name.value == name)
    }

    /// Whether a key may act in this role on this day.
    ///
    /// # Errors
    /// The first reason against it, in the order of [`KeyFault`].
    pub fn judge(&self, key: &PublicKey, role: &str, day: Date) -> Result<&TrustedKey, KeyFault> {
        let entry = self.entry(key).ok_or_else(|| KeyFault::Unknown(key.id()))?;
        entry.counts_on(day)?;
        entry.may_be(role)?;
        Ok(entry)
    }
}

impl TrustedKey {
    /// Whether it is trusted on this day, whatever for.
    ///
    /// # Errors
    /// [`KeyFault::NotYet`], [`KeyFault::Expired`], [`KeyFault::Revoked`].
    pub fn counts_on(&self, day: Date) -> Result<(), KeyFault> {
        let name = self.name.value.clone();
        if let Some(revoked) = self.revoked.as_ref().filter(|revoked| revoked.value <= day) {
            return Err(KeyFault::Revoked { name, on: revoked.value });
        }
        if day < self.from.value {
            return Err(KeyFault::NotYet { name, from: self.from.value });
        }
        if self.until.value < day {
            return Err(KeyFault::Expired { name, until: self.until.value });
        }
        Ok(())
    }

    /// Whether it has a role.
    ///
    /// # Errors
    /// [`KeyFault::Role`].
    pub fn may_be(&self, role: &str) -> Result<(), KeyFault> {
        if self.roles.iter().any(|own| own.value == role) {
            return Ok(());
        }
        let has: Vec<String> = self.roles.iter().map(|own| format!("`{}`", own.value)).collect();
        Err(KeyFault::Role { name: self.name.value.clone(), role: role.to_owned(), has: has.join(", ") })
    }
}

fn read(reader: &mut Reader, root: NodeRef<'_>) -> Option<Trust> {
    let fields = reader.fields(root, "", TRUST_KEYS)?;
    reader.schema(&fields);
    let node = reader.required(&fields, "keys")?;
    let items = reader.items(node, "keys");
    let keys: Vec<TrustedKey> = items.into_iter().filter_map(|(path, node)| read_key(reader, &path, node)).collect();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for known in &keys {
        if let Some(owner) = owners.insert(known.key.to_pem(), &known.name.value) {
            // Two names for one key would let one person be two.
            let message = format!("this key stands twice: `{owner}` has it already");
            reader.problem(known.name.span, message, Some("write all roles of a key into one entry".to_owned()));
        }
    }
    Some(Trust { keys })
}

fn read_key(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<TrustedKey> {
    let fields = reader.fields(node, path, KEY_KEYS)?;
    let name = reader.required_text(&fields, "name").and_then(|name| plain(reader, name, &fields.path_of("name")));
    let before = reader.problems.len();
    let listed = reader.required(&fields, "roles").map(|_| reader.texts(&fields, "roles")).unwrap_or_default();
    if let (Some(node), true) = (fields.get("roles"), listed.is_empty() && reader.problems.len() == before) {
        let help = "name what the key may sign, such as `[lead]`".to_owned();
        reader.problem(node.span(), format!("`{}` is empty", fields.path_of("roles")), Some(help));
    }
    let count = listed.len();
    let roles: Vec<_> = listed.into_iter().filter_map(|role| plain(reader, role, &fields.path_of("roles"))).collect();
    let key = reader.required_text(&fields, "key").and_then(|text| {
        public(&text.value)
            .map_err(|error| {
                let message = format!("`{}` is no Ed25519 public key: {error}", fields.path_of("key"));
                let help = "write what `collimate key show FILE` prints".to_owned();
                reader.problem(text.span, message, Some(help));
            })
            .ok()
    });
    let from = reader.required_text(&fields, "from").and_then(|text| day(reader, text, &fields.path_of("from")));
    let until = reader.required_text(&fields, "until").and_then(|text| day(reader, text, &fields.path_of("until")));
    let revoked = match reader.optional_text(&fields, "revoked") {
        // A revocation that cannot be read must not be none.
        Some(text) => Some(day(reader, text, &fields.path_of("revoked"))?),
        None => None,
    };
    let key = TrustedKey { name: name?, roles, key: key?, from: from?, until: until?, revoked };
    if key.until.value < key.from.value {
        let help = "`until` is the last day of the key".to_owned();
        reader.problem(key.until.span, format!("`{path}` ends before it begins"), Some(help));
        return None;
    }
    (!key.roles.is_empty() && key.roles.len() == count).then_some(key)
}

/// Names and roles stand in tables and in what is signed.
fn plain(reader: &mut Reader, text: Spanned<String>, path: &str) -> Option<Spanned<String>> {
    if crate::entry::is_printable(&text.value) && text.value.trim() == text.value {
        return Some(text);
    }
    let help = "write one line without control characters and without spaces around it".to_owned();
    reader.problem(text.span, format!("`{path}` cannot be shown"), Some(help));
    None
}

fn day(reader: &mut Reader, text: Spanned<String>, path: &str) -> Option<Spanned<Date>> {
    match text.value.parse() {
        Ok(day) => Some(Spanned::new(day, text.span)),
        Err(_) => {
            let help = "write a day like `2026-03-01`".to_owned();
            reader.problem(text.span, format!("`{path}` is no day: `{}`", text.value), Some(help));
            None
        }
    }
}

/// PEM, the base64 line of it alone, or what minisign writes.
fn public(text: &str) -> Result<PublicKey, KeyError> {
    let text = text.trim();
    let known = text.parse();
    if known != Err(KeyError::Unknown) {
        return known;
    }
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").parse().map_err(|error| match error {
        KeyError::NotEd25519 => KeyError::Unknown,
        error => error,
    })
}

#[cfg(test)]
mod tests;
