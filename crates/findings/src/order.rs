//! The one order in which findings are printed.

use std::borrow::Cow;

use source::SourceMap;

use crate::{Finding, Location};

/// A value that fifty objects share is one finding; the places of the first few tell enough.
const MOST_RELATED: usize = 4;

/// Sorts by file, place, rule and message, and drops what says the same at the same place: an anchor that two services
/// share is one finding. Of what is dropped, the profiles are kept, and related places up to a few.
pub fn sort(findings: &mut Vec<Finding<Location>>, sources: &SourceMap) {
    findings.sort_by_cached_key(|finding| {
        let path = finding.place.path(sources).map(Cow::into_owned);
        // Findings without a file come last.
        (path.is_none(), path, finding.place.range(sources), finding.rule, finding.message.clone())
    });
    findings.dedup_by(|later, kept| {
        let same = later.rule == kept.rule && later.place == kept.place && later.message == kept.message;
        if same {
            for related in later.related.drain(..) {
                if kept.related.len() < MOST_RELATED && !kept.related.contains(&related) {
                    kept.related.push(related);
                }
            }
            kept.severity = kept.severity.max(later.severity);
            kept.profiles.append(&mut later.profiles);
        }
        same
    });
}
