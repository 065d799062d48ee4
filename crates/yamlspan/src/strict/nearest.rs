//! The known name that somebody probably meant.

use std::cell::Cell;

/// Pairs of letters that are compared within one [`guessing`]. Fifty misspelt names of twenty letters beside a thousand known ones have two thirds of them; what
/// is hostile has as many of both as it likes.
const MOST_COMPARED: usize = 30_000_000;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Does `work`, in which [`nearest`] compares so much and finds none after that: whoever has so much to mend is not helped by a guess. What is left
/// elsewhere stays as it is, so that the same work has the same guesses, whatever else this thread does.
pub fn guessing<T>(work: impl FnOnce() -> T) -> T {
    let outside = LEFT.replace(MOST_COMPARED);
    let done = work();
    LEFT.set(outside);
    done
}

/// Names longer than this are not compared: no key of ours comes near.
const LONGEST: usize = 64;

/// The nearest of `known` to `name`, if it is near enough to be meant: a third of its letters may differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let mut left = LEFT.get();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        left = left.checked_sub(name.len() * candidate.len() + 1)?;
        LEFT.set(left);
        let found = (distance(name, candidate), candidate);
        best = Some(best.map_or(found, |best| best.min(found)));
    }
    let best = best?;
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

    #[test]
    fn what_is_too_much_to_compare_has_no_guess() {
        let known: Vec<String> = (0..1_000).map(|number| format!("name-{number}")).collect();
        let guess = || nearest("nam-7", known.iter().map(String::as_str)).is_some();
        let guesses = || (0..1_000).filter(|_| guess()).count();
        let (first, again) = guessing(|| (guesses(), guess()));
        assert!((500..1_000).contains(&first) && !again, "{first}");
        // Each has its own, one within another too.
        assert!(guessing(|| (guesses(), guessing(guess), guess())).1);
        assert!(guess());
    }
}
