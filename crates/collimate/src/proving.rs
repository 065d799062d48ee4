//! What a planned change would do, before it is written: which findings it brings, and its text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, Severity};
use similar::TextDiff;
use source::SourceMap;

use crate::checking::Checked;

/// Errors and warnings that are there after the change and were not before. Lines may have moved, so places do not count.
pub(crate) fn new_findings(before: &Checked, after: &Checked) -> Vec<Finding<Location>> {
    let key = |finding: &Finding<Location>, sources: &SourceMap| {
        (finding.rule, finding.message.clone(), finding.place.path(sources).map(Cow::into_owned))
    };
    added(before, after, key)
}

/// As [`new_findings`], where the change moves profiles to another release: an old finding may name the new version now, so messages do
/// not count either, only how many a rule has in a file.
pub(crate) fn new_findings_by_file(before: &Checked, after: &Checked) -> Vec<Finding<Location>> {
    added(before, after, |finding, sources| (finding.rule, finding.place.path(sources).map(Cow::into_owned)))
}

fn added<K: Ord>(
    before: &Checked,
    after: &Checked,
    key: impl Fn(&Finding<Location>, &SourceMap) -> K,
) -> Vec<Finding<Location>> {
    let mut known: BTreeMap<K, usize> = BTreeMap::new();
    for finding in &before.findings {
        *known.entry(key(finding, &before.sources)).or_default() += 1;
    }
    let is_new = |finding: &&Finding<Location>| match known.get_mut(&key(finding, &after.sources)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => finding.severity > Severity::Note,
    };
    after.findings.iter().filter(is_new).cloned().collect()
}

/// A unified diff of all files, secrets masked. A line of context is no command to a runner.
pub(crate) fn diff(original: impl Fn(&Utf8Path) -> String, edited: &BTreeMap<Utf8PathBuf, String>) -> String {
    let mut out = String::new();
    for (path, new) in edited {
        let old = original(path);
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let diff = diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string();
        out.push_str(&findings::disarmed(&source::redact(&diff)));
    }
    out
}
