//! What a template does not print any more is missed elsewhere: by the release that lists it, the twin that has it, the selector that looks for it.
//!
//! A template prints what it does because of values, and a value leaves no trace in what it merely switches: the finding is where something is
//! missed, or at the lines that were switched. Here is how it is known that these are about the change.

use std::ops::Range;

use crate::mutant::Mutant;
use crate::operator::Operator;
use crate::place::What;
use crate::subject::{Role, Subject};
use crate::told::{Spot, Told};

/// Rules that miss what is written elsewhere.
const MISSING: &[&str] = &["component-unused", "profiles-differ", "selector-mismatch"];

/// What opens a block of a template.
const OPENS: &[&str] = &["if", "with", "range", "define", "block"];

/// Whether a finding names what the changed template printed, or what stood below the key that has another name now.
pub(crate) fn is_listed(subject: &Subject, mutant: &Mutant, told: &Told) -> bool {
    let Some((role, text)) = subject.files.get(&mutant.place.file) else { return false };
    let texts = || [&told.message].into_iter().chain(&told.labels);
    let names = || {
        let names = texts().flat_map(|text| text.split('`').skip(1).step_by(2));
        names.map(|name| name.split(": ").next().unwrap_or(name))
    };
    match role {
        Role::Template if mutant.what() == What::Variable => {
            let key = mutant.place.path.rsplit(['.', ':']).next().unwrap_or_default();
            let values =
                || subject.files.values().filter(|(role, _)| *role == Role::Values).map(|(_, text)| text.as_str());
            let is_below = |name: &str| {
                values().any(|text| below(text, key).is_some_and(|block| keys_of(block).any(|key| key == name)))
            };
            MISSING.contains(&told.rule.as_str()) && names().any(|name| is_word_of(text, name) || is_below(name))
        }
        Role::Values if mutant.what() == What::Setting => {
            let below = mutant.place.entry.clone().and_then(|entry| text.get(entry)).unwrap_or_default();
            MISSING.contains(&told.rule.as_str()) && names().any(|name| keys_of(below).any(|key| key == name))
        }
        _ => false,
    }
}

/// Whether a finding shows lines of a template that are printed or not by a condition which asks for the changed value, or for one below it.
pub(crate) fn is_switched(subject: &Subject, mutant: &Mutant, told: &Told) -> bool {
    let Some((Role::Values, values)) = subject.files.get(&mutant.place.file) else { return false };
    let key = mutant.place.path.rsplit('.').next().unwrap_or_default();
    let entry = mutant.place.entry.clone().and_then(|entry| values.get(entry)).unwrap_or_default();
    // Of two that were exchanged, the other one may be what is asked for.
    let edits = mutant.edits.iter().filter(|edit| edit.file == mutant.place.file);
    let keys: Vec<&str> = keys_of(entry)
        .chain([key])
        .chain(edits.flat_map(|edit| [key_before(values, edit.start), &values[edit.start..edit.end]]))
        .filter(|key| !key.is_empty())
        .collect();
    let in_block = |spot: &Spot| {
        let Some((Role::Template, text)) = subject.files.get(&spot.file) else { return false };
        let at = spot.range(text).start;
        blocks(text).any(|(opening, block)| block.contains(&at) && keys.iter().any(|key| asks_for(opening, key)))
    };
    told.place.iter().chain(&told.related).any(in_block)
}

/// Whether a finding shows the line of a template that prints the changed value: a number, which leaves no trace in what is printed, or what is
/// shorter than a piece that the template itself writes beside it, where the longest is shown.
pub(crate) fn is_printed(subject: &Subject, mutant: &Mutant, told: &Told) -> bool {
    let Some((Role::Values, values)) = subject.files.get(&mutant.place.file) else { return false };
    let key = mutant.place.path.rsplit('.').next().unwrap_or_default();
    let value = mutant.place.text(values);
    let prints = |spot: &Spot| {
        let Some((Role::Template, text)) = subject.files.get(&spot.file) else { return false };
        let line = spot.lines(text);
        let is_asked_for = line.split("{{").skip(1).any(|action| asks_for(action, key));
        let mut pieces = line.split("{{").map(|piece| piece.split_once("}}").map_or(piece, |(_, after)| after).trim());
        // `key: {{ … }}` is the value alone.
        let is_part = !line.contains(": {{") && pieces.any(|piece| piece.len() > value.len() + "- ".len());
        is_asked_for && (is_part || value.parse::<f64>().is_ok())
    };
    !key.is_empty() && told.place.iter().any(prints)
}

/// The key of the value that begins at `at`, on its line.
fn key_before(text: &str, at: usize) -> &str {
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    line.split_once(':').map_or("", |(key, _)| key.trim())
}

/// Whether the changed variable of a template is one that an image is put together from.
pub(crate) fn is_part_of_image(subject: &Subject, mutant: &Mutant) -> bool {
    let Some((Role::Template, text)) = subject.files.get(&mutant.place.file) else { return false };
    let gone = mutant.operator.removes() || mutant.operator == Operator::Swap;
    let before = text.get(..mutant.place.span.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    gone && mutant.what() == What::Variable && before.trim_start().trim_start_matches("- ").starts_with("image:")
}

fn is_word_of(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    !word.is_empty() && text.split(|character: char| !is_part(character)).any(|known| known == word)
}

/// The keys that stand directly below the first line of an entry, or in its braces.
fn keys_of(entry: &str) -> impl Iterator<Item = &str> {
    let lines = || entry.lines().skip(1).filter(|line| !line.trim_start().starts_with('#'));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    lines().filter(move |line| indent(line) == least).filter_map(|line| Some(line.split_once(':')?.0.trim()))
}

/// The lines of a values file from a key to the next one that is indented no further.
fn below<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_key = |line: &&str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    let first = text.lines().find(is_key).filter(|_| !key.is_empty())?;
    let start = first.as_ptr() as usize - text.as_ptr() as usize;
    let is_next = |line: &&str| {
        let said = line.trim_start();
        !said.is_empty() && !said.starts_with('#') && indent(line) <= indent(first)
    };
    let end = text[start..]
        .lines()
        .skip(1)
        .find(is_next)
        .map_or(text.len(), |line| line.as_ptr() as usize - text.as_ptr() as usize);
    text.get(start..end)
}

fn asks_for(action: &str, key: &str) -> bool {
    action.match_indices(key).any(|(at, _)| {
        let after = action[at + key.len()..].chars().next();
        let ends = after.is_none_or(|character| !character.is_ascii_alphanumeric() && character != '_');
        ends && action[..at].ends_with(['.', '"'])
    })
}

/// Each block of a template: the action that opens it, and the bytes up to its end.
fn blocks(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|start| at + start) {
        let Some(end) = text[start..].find("}}").map(|end| start + end) else { break };
        let action = text[start + 2..end].trim_matches(['-', ' ', '\n']);
        at = end;
        match action.split_whitespace().next().unwrap_or_default() {
            word if OPENS.contains(&word) => open.push((action, end)),
            "end" => found.extend(open.pop().map(|(opening, from)| (opening, from..start))),
            _ => {}
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::{asks_for, below, blocks, key_before, keys_of};

    #[test]
    fn a_value_has_its_key_before_it() {
        let text = "a: 1\n  keys: signer # x\n";
        assert_eq!(["1", "signer", "a"].map(|part| key_before(text, text.find(part).unwrap())), ["a", "keys", ""]);
    }

    #[test]
    fn a_block_is_known_by_the_action_that_opens_it() {
        let text = "{{- if .a.public }}x{{ range .b }}y{{ end }}{{ else }}z{{- end }}";
        let found: Vec<(&str, &str)> = blocks(text).map(|(opening, block)| (opening, &text[block])).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, "range .b");
        assert_eq!(found[1].0, "if .a.public");
        assert!(found[1].1.contains('z'));
        assert!(asks_for(found[1].0, "public") && !asks_for(found[1].0, "pub") && !asks_for(found[1].0, "lic"));
    }

    #[test]
    fn keys_below_a_key_are_those_of_the_next_level() {
        let entry = "services:\n  # word\n  one: {a: 1}\n  two:\n    three: 4\n";
        assert_eq!(keys_of(entry).collect::<Vec<_>>(), ["one", "two"]);
        let values = format!("service: x\n# word\n{entry}\n# word\nother: 1\n");
        assert_eq!(keys_of(below(&values, "services").unwrap()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(keys_of(below(&values, "two").unwrap()).collect::<Vec<_>>(), ["three"]);
        assert_eq!(below(&values, "four"), None);
        assert_eq!(below(&values, "other"), Some("other: 1\n"));
    }
}
