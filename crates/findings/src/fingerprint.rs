//! What stays the same of a finding while lines move and releases follow each other: for baselines and code scanners.

use sha2::{Digest as _, Sha256};
use source::SourceMap;

use crate::{Finding, Location};

/// Bytes of the hash that are kept: 64 bits, so that nobody finds a second finding that has the fingerprint of an accepted one.
const KEPT: usize = 8;

/// The fingerprint of a finding: its rule, its file, the very text that it points at, and its message without the version of a release, which is
/// another one every month. Where the text is a secret, the hash knows nothing of it.
#[must_use]
pub fn fingerprint(finding: &Finding<Location>, sources: &SourceMap) -> String {
    let path = finding.place.path(sources).unwrap_or_default();
    let text = match &finding.place {
        Location::Span(span) if !finding.is_secret => {
            sources.file(span.file).and_then(|file| file.text().get(span.range())).unwrap_or_default()
        }
        _ => "",
    };
    let mut hash = Sha256::new();
    for part in [finding.rule, &*path, text, &without_versions(&finding.message)] {
        // The length before it: two different findings never give the same bytes.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

/// Every message calls a release ``release `2025.09.2` ``.
fn without_versions(message: &str) -> String {
    const WORD: &str = "release `";
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(WORD) {
        let (before, after) = rest.split_at(at + WORD.len());
        let Some(end) = after.find('`') else { break };
        out.push_str(before);
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}
