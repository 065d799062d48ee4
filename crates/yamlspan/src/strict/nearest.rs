//! The known name that somebody probably meant.

/// Names longer than this are not compared: no key of ours comes near.
const LONGEST: usize = 64;

/// The nearest of `known` to `name`, if it is near enough to be meant: a third of its letters may differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let best = known.into_iter().map(|candidate| (distance(name, candidate), candidate)).min()?;
    let allowed = (best.1.chars().count() / 3).max(1);
    (best.0 <= allowed).then_some(best.1)
}

/// Insertions, deletions, replacements and swaps of neighbours between two names.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in b.iter().enumerate() {
            let replaced = last[column] + usize::from(from != to);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *from == b[column - 1] && a[row - 1] == *to {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slips_are_found() {
        let known = ["channels", "profiles", "overlays", "rules", "ignore"];
        for (name, expected) in [
            ("chanels", Some("channels")),
            ("profile", Some("profiles")),
            ("ingore", Some("ignore")),
            ("rule", Some("rules")),
            ("x", None),
            ("services", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        // What takes longest to compare is not: a name may be a megabyte long.
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        assert_eq!(nearest(&format!("{long}b"), [longer.as_str()]), Some(longer.as_str()));
        assert_eq!(nearest(&format!("{long}bb"), [longer.as_str()]), None);
    }
}
