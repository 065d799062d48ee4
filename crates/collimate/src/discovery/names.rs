//! Names that tell everything apart and are as short as that allows.

use std::collections::BTreeMap;

/// A text as part of a name: what is no letter, digit, `.`, `_` or `-` becomes `-`.
pub(super) fn slug(text: &str) -> String {
    let keep = |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-');
    text.chars().map(|character| if keep(character) { character } else { '-' }).collect()
}

/// One name for each, in order: its first where no other wants that, else a later one, else its last with a number.
///
/// Each list goes from short to certain and is not empty. The last name of a list is ugly: it is taken only where all
/// others have become as long as they can and it still clashes.
pub(super) fn unique<'a>(wanted: impl IntoIterator<Item = &'a [String]>) -> Vec<String> {
    let wanted: Vec<&[String]> = wanted.into_iter().collect();
    let mut levels = vec![0_usize; wanted.len()];
    for kept_back in [1, 0] {
        while raise(&wanted, &mut levels, kept_back) {}
    }
    let mut names: Vec<String> = Vec::new();
    for (candidates, level) in wanted.iter().zip(levels) {
        let name = candidates.get(level).cloned().unwrap_or_default();
        let mut numbered = name.clone();
        let mut number = 1;
        while names.contains(&numbered) {
            number += 1;
            numbered = format!("{name}-{number}");
        }
        names.push(numbered);
    }
    names
}

/// Gives a longer name to all that clash and have one, not counting the last `kept_back`. False if none has.
fn raise(wanted: &[&[String]], levels: &mut [usize], kept_back: usize) -> bool {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (names, level)) in wanted.iter().zip(levels.iter()).enumerate() {
        by_name.entry(names.get(*level).map_or("", String::as_str)).or_default().push(index);
    }
    let clashing = by_name.into_values().filter(|indices| indices.len() > 1).flatten();
    let raised: Vec<usize> = clashing.filter(|index| levels[*index] + 1 + kept_back < wanted[*index].len()).collect();
    raised.iter().for_each(|index| levels[*index] += 1);
    !raised.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &[&[&str]], expected: &[&str]) {
        let wanted: Vec<Vec<String>> =
            wanted.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect();
        assert_eq!(unique(wanted.iter().map(Vec::as_slice)), expected);
    }

    #[test]
    fn names_are_short_until_they_clash() {
        check(&[&["a", "x-a"], &["b", "x-b"]], &["a", "b"]);
        check(&[&["a", "x-a"], &["a", "y-a"]], &["x-a", "y-a"]);
        check(&[&["a"], &["a", "y-a"]], &["a", "y-a"]);
        check(&[&["a", "ugly"], &["a", "y-a", "uglier"]], &["a", "y-a"]);
        check(&[&["a", "ugly"], &["a", "uglier"]], &["ugly", "uglier"]);
        check(&[&["a", "x-a"], &["a", "x-a"]], &["x-a", "x-a-2"]);
        check(&[&["a"], &["a"], &["a-2"]], &["a", "a-2", "a-2-2"]);
    }

    #[test]
    fn slugs_keep_what_is_plain() {
        assert_eq!(slug("localhost:5000/a b_c.d"), "localhost-5000-a-b_c.d");
    }
}
