//! Base64 as Go's `encoding/base64` reads and writes it.

use ::base64::Engine as _;
use ::base64::alphabet::STANDARD;
use ::base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Padded; unused bits may be set.
const GO: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Decodes; line breaks are skipped.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    GO.decode(text.replace(['\n', '\r'], "")).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    GO.encode(bytes)
}
