//! Differences between releases in words, for plans, change tickets and commit messages.

use release::{Change, Difference, Differing, Digest, Listed};

use crate::columns;

/// What happened to a component, without its name: `1.1 → 1.2`.
pub(crate) fn what(found: &Differing) -> String {
    let (before, after) = (found.before.as_ref(), found.after.as_ref());
    let both = |show: fn(&Listed) -> String| match (before.map(show), after.map(show)) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (only, None) | (None, only) => only.unwrap_or_default(),
    };
    let tagged = |listed: &Listed| format!("{}:{}", listed.image, listed.tag);
    match found.change {
        Change::Added | Change::Removed | Change::Image => both(tagged),
        Change::Tag => both(|listed| listed.tag.clone()),
        Change::Moved | Change::Resolved | Change::Unresolved => {
            format!("{}: {}", after.map(tagged).unwrap_or_default(), both(|listed| short(&listed.digest)))
        }
        Change::Name => format!("was `{}`", found.former_name.as_deref().unwrap_or_default()),
        Change::Description => "the same image, described otherwise".to_owned(),
    }
}

/// One line per component, moved tags first.
pub(crate) fn lines(difference: &Difference) -> String {
    let mut sorted: Vec<&Differing> = difference.components.iter().collect();
    sorted.sort_by_key(|found| found.change != Change::Moved);
    let rows: Vec<Vec<String>> =
        sorted.into_iter().map(|found| vec![word(found), found.name.clone(), what(found)]).collect();
    source::redact(&columns::align(&rows))
}

/// The word for a change; loud where what was tested is not what the tag gives now.
pub(crate) fn word(found: &Differing) -> String {
    match found.change {
        Change::Moved => "MOVED".to_owned(),
        change => change.as_str().to_owned(),
    }
}

/// A digest by its first digits; `unresolved` as it is.
pub(crate) fn short(digest: &str) -> String {
    digest.parse::<Digest>().map_or_else(|_| digest.to_owned(), |digest| digest.short())
}
