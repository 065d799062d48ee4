//! Values that the API server reads as base64.

use findings::Severity;
use yamlspan::Scalar;

use super::{Wrong, is_left_open};
use crate::secrets::asks_for_a_value;

impl Wrong<'_, '_, '_> {
    /// One finding for each object: where the kind is wrong, or the part that the values stand in, all of them are.
    pub(super) fn encoded(&mut self) {
        let object = self.object;
        let (part, plain) = match (object.kind, object.group()) {
            ("Secret", "") => ("data", "stringData"),
            ("ConfigMap", "") => ("binaryData", "data"),
            _ => return,
        };
        let Some(data) = object.node.target().get(part) else { return };
        let wrong = data.target().entries().find(|(_, value)| {
            let value = value.target();
            let text = value.raw();
            value.value() == Scalar::Str && !is_base64(text) && !is_left_open(text) && !asks_for_a_value(text)
        });
        let Some((key, _)) = wrong else { return };
        let key = key.raw();
        let message = format!("`{key}` under `{part}` of {} is no base64", object.title());
        let help = format!("encode it, or write it as it is under `{plain}`");
        let path = object.path_of(&[part]).key(key);
        let mut finding = self.finding(Severity::Error, path, message, &help);
        finding.is_secret = object.kind == "Secret";
        self.out.push(finding);
    }
}

/// Whether Go's decoder reads a text: it passes over ends of lines, and asks for `=` up to a multiple of four.
fn is_base64(text: &str) -> bool {
    let text = text.trim_end_matches(['\r', '\n']);
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    let ends = letters.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'\r' | b'\n');
    padding <= 2 && (text.len() - ends).is_multiple_of(4) && letters.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::is_base64;

    #[test]
    fn base64_is_what_the_api_server_reads() {
        for text in ["", "YQ==", "YWI=", "YWJj", "YWJj\nYWI=\n", "+/+/"] {
            assert!(is_base64(text), "{text:?}");
        }
        for text in ["a", "YQ", "YQ=", "Y===", "====", "YW Jj", "YWJj-_--", "plain text", "YQ==YQ=="] {
            assert!(!is_base64(text), "{text:?}");
        }
    }
}
