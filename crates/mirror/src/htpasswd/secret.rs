//! The same files for Kubernetes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A Secret that holds these files, each under its name, in the order given.
///
/// `data`, not `stringData`: the bytes stay what they are (line ends, what is not UTF-8), a tool that compares the object with the
/// cluster's finds the same field there, and a file that is gone from one apply to the next is gone from the Secret too.
#[must_use]
pub fn kubernetes_secret(name: &str, namespace: Option<&str>, files: &[(String, Vec<u8>)]) -> String {
    // In quotes: Kubernetes takes `2025` and `true` as names, and YAML as something else.
    let namespace = namespace.map_or_else(String::new, |namespace| format!("  namespace: \"{namespace}\"\n"));
    let mut text = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{name}\"\n{namespace}type: Opaque\n");
    if files.is_empty() {
        text.push_str("data: {}\n");
        return text;
    }
    text.push_str("data:\n");
    for (file, bytes) in files {
        // Nothing at all would be null, which takes the key out.
        let packed = if bytes.is_empty() { "\"\"".to_owned() } else { STANDARD.encode(bytes) };
        text.push_str(&format!("  {file}: {packed}\n"));
    }
    text
}
