//! Base64 as Go's `encoding/base64` reads and writes it.

use ::base64::Engine as _;
use ::base64::alphabet::STANDARD;
use ::base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Padded; unused bits may be set.
const GO: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The bytes; line breaks are skipped. `None` where it is no base64, or not padded.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    GO.decode(text.replace(['\n', '\r'], "")).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    GO.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_what_go_reads() {
        for text in ["", "YQ==", "YR==", "YWI=", "YWJj", "YWJj\nYWI=\n", "+/+/"] {
            assert!(decode(text).is_some(), "{text:?}");
        }
        for text in ["a", "YQ", "YQ=", "Y===", "====", "YW Jj", "YWJj-_--", "plain text", "YQ==YQ=="] {
            assert!(decode(text).is_none(), "{text:?}");
        }
    }
}
