//! Signed statements: the Dead Simple Signing Envelope (DSSE 1.0).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::error::{FormatError, VerifyError};
use crate::key::{KeyId, PrivateKey, PublicKey, Signature};

/// A payload with its type and one signature over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    id: KeyId,
    signature: Signature,
}

impl Envelope {
    /// Signs `payload`.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &PrivateKey) -> Self {
        let signature = key.sign(&encoding(payload_type, &payload));
        Self { payload_type: payload_type.to_owned(), payload, id: key.public().id(), signature }
    }

    /// The key that the signature says it was made with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The media type, to be believed once [`Self::verify`] was content.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, to be believed once [`Self::verify`] was content.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Verifies payload and type.
    ///
    /// # Errors
    /// [`VerifyError::OtherKey`], [`VerifyError::Mismatch`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), VerifyError> {
        if self.id != key.id() {
            return Err(VerifyError::OtherKey { trusted: key.id(), found: self.id });
        }
        key.verify(&encoding(&self.payload_type, &self.payload), &self.signature)
    }
}

/// DSSE's pre-authentication encoding: lengths keep type and payload apart.
fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend(payload);
    bytes
}

/// One line of JSON with its end: a line of a JSON Lines file.
impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let envelope = json!({
            "payload": STANDARD.encode(&self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": self.id.to_string(), "sig": STANDARD.encode(self.signature.0)}],
        });
        writeln!(f, "{envelope}")
    }
}

/// Reads what [`fmt::Display`] writes, and no other spelling of it.
impl FromStr for Envelope {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let value: Value = serde_json::from_str(text).map_err(|_| FormatError::NotEnvelope)?;
        let string = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let signatures = value.get("signatures").and_then(Value::as_array).ok_or(FormatError::NotEnvelope)?;
        let [signature] = signatures.as_slice() else { return Err(FormatError::Signatures(signatures.len())) };
        let bytes = |value: &Value, key: &str, part| {
            let text = string(value, key).ok_or(FormatError::NotEnvelope)?;
            STANDARD.decode(text).map_err(|_| FormatError::Damaged { part })
        };
        let id = string(signature, "keyid").ok_or(FormatError::NotEnvelope)?;
        let read = Self {
            payload_type: string(&value, "payloadType").ok_or(FormatError::NotEnvelope)?,
            payload: bytes(&value, "payload", "payload")?,
            id: id.parse().map_err(|_| FormatError::Damaged { part: "key id" })?,
            signature: Signature::from_slice(&bytes(signature, "sig", "signature")?)
                .ok_or(FormatError::Damaged { part: "signature" })?,
        };
        if read.to_string() == text { Ok(read) } else { Err(FormatError::Spelling) }
    }
}
