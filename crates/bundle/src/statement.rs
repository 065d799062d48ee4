//! The in-toto statement about a bundle: which bytes it is, down to each file.
//!
//! Subjects are the archive's own bytes, the tar within (which stays the same should a library ever pack it differently) and every
//! file. The whole statement follows from the archive: a verifier makes it again and compares.

use serde_json::{Value, json};

use crate::manifest::{Manifest, sha256};
use crate::read::Contained;
use crate::{MANIFEST_PATH, SUMS_PATH};

pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Names what the predicate means; there is nothing to fetch.
const PREDICATE_TYPE: &str = "urn:collimate:offline-bundle:v1";

/// The statement, as the bytes that are signed.
pub(crate) fn statement(archive_sha256: &str, archive_size: u64, contained: &Contained) -> Vec<u8> {
    let manifest = &contained.manifest;
    let subject = |name: String, sha256: &str| json!({"name": name, "digest": {"sha256": sha256}});
    let mut subjects = vec![
        subject(manifest.archive_name(), archive_sha256),
        subject(format!("{}.tar", manifest.name), &contained.tar_sha256),
    ];
    let generated =
        [(MANIFEST_PATH, sha256(manifest.to_json().as_bytes())), (SUMS_PATH, sha256(manifest.sums().as_bytes()))];
    let listed = manifest.files.iter().map(|file| (file.path.as_str(), file.sha256.clone()));
    for (path, sha256) in generated.into_iter().chain(listed) {
        subjects.push(subject(format!("{}/{path}", manifest.name), &sha256));
    }
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate(manifest, archive_size),
    });
    statement.to_string().into_bytes()
}

fn predicate(manifest: &Manifest, size: u64) -> Value {
    let release = &manifest.release;
    json!({
        "bundle": manifest.name,
        "release": {"version": release.version, "channel": release.channel, "sha256": release.sha256},
        "sourceDate": manifest.source_date,
        "size": size,
    })
}

/// The archive's size by a statement that nobody has verified: for telling a cut file from a changed one, never for trust.
pub(crate) fn claimed_size(payload: &[u8]) -> Option<u64> {
    let statement: Value = serde_json::from_slice(payload).ok()?;
    statement.get("predicate")?.get("size")?.as_u64()
}

/// The first subject, or other part, in which two statements differ.
pub(crate) fn difference(found: &[u8], expected: &[u8]) -> String {
    let (Ok(found), Ok(expected)) = (serde_json::from_slice::<Value>(found), serde_json::from_slice::<Value>(expected))
    else {
        return "it is no JSON".to_owned();
    };
    for key in ["_type", "predicateType", "predicate"] {
        if found.get(key) != expected.get(key) {
            return format!("its `{key}` is another one");
        }
    }
    let subjects = |statement: &Value| statement.get("subject").and_then(Value::as_array).cloned().unwrap_or_default();
    let (found, expected) = (subjects(&found), subjects(&expected));
    let name = |subject: &Value| {
        let name = subject.get("name").and_then(Value::as_str).unwrap_or_default();
        crate::path::printable(name.as_bytes())
    };
    match expected.iter().zip(&found).find(|(expected, found)| expected != found) {
        Some((expected, found)) if name(expected) == name(found) => format!("`{}` has another sha256", name(found)),
        Some((expected, found)) => format!("it has `{}` in the place of `{}`", name(found), name(expected)),
        None => format!("it has {} subjects instead of {}", found.len(), expected.len()),
    }
}
