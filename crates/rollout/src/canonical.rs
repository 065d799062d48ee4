//! JSON that has one spelling: what is hashed and signed is what is read.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entry::is_printable;

/// Why bytes are no file of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("it has {found} bytes; one has at most {most}")]
    TooLarge { found: usize, most: usize },
    #[error("it is no JSON of one: {0}")]
    Malformed(String),
    #[error("it has schema {found}; this program reads schema {known}")]
    Schema { found: u64, known: u32 },
    #[error("`{0}` must be one line without control characters")]
    Text(&'static str),
    #[error("it is not spelled as it is written: one field per line, in order, with nothing else")]
    Spelling,
}

/// The one spelling, with a line end.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    // Texts, numbers and lists of them: nothing that JSON cannot hold.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Reads the one spelling.
pub(crate) fn read<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    schema: u32,
    most: usize,
) -> Result<T, CanonicalError> {
    if bytes.len() > most {
        return Err(CanonicalError::TooLarge { found: bytes.len(), most });
    }
    let malformed = |error: serde_json::Error| CanonicalError::Malformed(error.to_string());
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(malformed)?;
    // Looked at first: a later schema has fields that this one does not know.
    if let Some(found) = value.get("schema").and_then(serde_json::Value::as_u64)
        && found != u64::from(schema)
    {
        return Err(CanonicalError::Schema { found, known: schema });
    }
    let read: T = serde_json::from_slice(bytes).map_err(malformed)?;
    if write(&read).as_bytes() == bytes { Ok(read) } else { Err(CanonicalError::Spelling) }
}

/// Texts that are shown to people before they consent must not hide anything.
pub(crate) fn printable<'t>(texts: impl IntoIterator<Item = (&'static str, &'t str)>) -> Result<(), CanonicalError> {
    match texts.into_iter().find(|(_, text)| !is_printable(text)) {
        Some((field, _)) => Err(CanonicalError::Text(field)),
        None => Ok(()),
    }
}
