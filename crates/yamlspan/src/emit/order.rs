//! go-yaml's natural order of keys.

use std::cmp::Ordering;

use source::letters::is_letter;

use super::writer::Written;

/// Puts entries in the order in which go-yaml writes them.
///
/// go-yaml's comparison is no total order for some keys, so the standard sort must not be used with it: this is a plain
/// merge sort, which takes any comparison and always gives the same result.
pub(super) fn sort<T>(mut entries: Vec<(&str, T)>, written: Written) -> Vec<(&str, T)> {
    entries.sort_by_key(|(key, _)| *key);
    let mut runs: Vec<Vec<(&str, T)>> = entries.into_iter().map(|entry| vec![entry]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, written),
                None => left,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<'k, T>(left: Vec<(&'k str, T)>, right: Vec<(&'k str, T)>, written: Written) -> Vec<(&'k str, T)> {
    // Most maps are written in order already.
    let ordered = match (left.last(), right.first()) {
        (Some((last, _)), Some((first, _))) => !less(first, last, written),
        _ => true,
    };
    if ordered {
        let mut both = left;
        both.extend(right);
        return both;
    }
    let mut both = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        both.extend(if less(b, a, written) { right.next() } else { left.next() });
    }
    both.extend(left);
    both.extend(right);
    both
}

/// Whether `a` goes before `b`: letters after all else, numbers by value.
fn less(a: &str, b: &str, written: Written) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let mut at = same;
    while !a.is_char_boundary(at) || !b.is_char_boundary(at) {
        at -= 1;
    }
    let (Some(a_first), Some(b_first)) = (first(a, at), first(b, at)) else { return a.len() < b.len() };
    let before = a.get(..at).unwrap_or_default();
    match (is_letter(a_first), is_letter(b_first)) {
        (true, true) => return a_first < b_first,
        (false, false) => {}
        // v3 and v4 put `a1` before `ab` but `a1b` before `a12`.
        (a_letter, b_letter) if written != Written::V2 && before.ends_with(is_digit) => return a_letter && !b_letter,
        (_, b_letter) => return b_letter,
    }
    let (mut a_number, mut b_number) = (0i64, 0i64);
    if a_first == '0' || b_first == '0' {
        // Zeros inside a number count, zeros in front of it do not.
        let digits = before.chars().rev().take_while(|&letter| is_digit(letter));
        if digits.into_iter().any(|digit| digit != '0') {
            (a_number, b_number) = (1, 1);
        }
    }
    let a_digits = number(a, at, &mut a_number);
    let b_digits = number(b, at, &mut b_number);
    match a_number.cmp(&b_number).then(a_digits.cmp(&b_digits)) {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal => a_first < b_first,
    }
}

fn first(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

/// Adds the digits from `at` on to `value` (Go lets it overflow) and counts them.
fn number(text: &str, at: usize, value: &mut i64) -> usize {
    let digits = text.get(at..).unwrap_or_default().bytes().take_while(u8::is_ascii_digit);
    digits.map(|digit| *value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mark is no letter, though the standard library calls it alphabetic. Found by the fuzzer.
    #[test]
    fn letters_are_those_of_go() {
        let entries = vec![("tr|ap", ()), ("p", ()), ("\u{610}Ȟ0o&", ())];
        for written in [Written::V2, Written::V3, Written::V4] {
            let keys: Vec<&str> = sort(entries.clone(), written).into_iter().map(|(key, ())| key).collect();
            assert_eq!(keys, ["\u{610}Ȟ0o&", "p", "tr|ap"]);
        }
    }
}
