//! The JSON Schema of `trust.yaml`, generated from types. A test holds that these types and the reader agree.

use schemars::JsonSchema;
use serde::Deserialize;

/// The JSON Schema of `trust.yaml`, indented, with a line end.
#[must_use]
pub fn trust_schema() -> String {
    // Values always serialise.
    let mut out = serde_json::to_string_pretty(&schemars::schema_for!(TrustFile).to_value()).unwrap_or_default();
    out.push('\n');
    out
}

/// `trust.yaml`: whose keys are trusted, for what and how long.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields are the schema; the reader keeps the places that these types lose")]
pub(crate) struct TrustFile {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    keys: Vec<KeyEntry>,
}

/// One key. Somebody may have several, one after the other; a key belongs to one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
pub(crate) struct KeyEntry {
    /// Who has it.
    name: String,
    /// What it may sign: the roles that gates name.
    #[schemars(length(min = 1))]
    roles: Vec<String>,
    /// The Ed25519 public key: PEM as `collimate key new` writes it, or its base64 line alone.
    key: String,
    /// The first day (UTC).
    from: String,
    /// The last day.
    until: String,
    /// The first day on which it does not count any more.
    revoked: Option<String>,
}
