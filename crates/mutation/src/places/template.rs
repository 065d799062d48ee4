//! Templates: no YAML yet, so lines are read by their indentation, and actions by their words.

use std::ops::Range;

use super::{image, kubernetes};
use crate::place::{Place, What};

pub(crate) fn places(file: &str, text: &str) -> Vec<Place> {
    let mut places = lines(file, text);
    places.extend(actions(file, text));
    places
}

/// `key: value` and `- key: value`, each line an entry.
fn lines(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let entry = start..start + line.len();
        start = entry.end;
        let content = line.trim_start();
        let dashed = content.strip_prefix("- ").unwrap_or(content);
        let indent = line.len() - dashed.len();
        let Some((key, value)) = dashed.trim_end().split_once(':') else {
            if content.starts_with("---") {
                above.clear();
            }
            continue;
        };
        if !key.chars().all(|character| character.is_ascii_alphanumeric() || "._/-".contains(character)) {
            continue;
        }
        above.retain(|(at, _)| *at < indent);
        above.push((indent, key.to_owned()));
        let value = value.strip_prefix(' ').unwrap_or(value);
        let at = entry.start + line.trim_end().len() - value.len();
        if value.is_empty() || value.starts_with("{{-") {
            continue;
        }
        let path: Vec<&str> = above.iter().map(|(_, key)| key.as_str()).collect();
        let place = Place {
            file: file.to_owned(),
            what: kubernetes::what(&path),
            path: format!("{}:{}", line_number(text, entry.start), path.join(".")),
            span: at..at + value.len(),
            // The first key of an item cannot go without the item's dash.
            entry: (dashed.len() == content.len()).then_some(entry.clone()),
            scalar: Some(at..at + value.len()),
            parent: entry.clone(),
        };
        match image::parse(value) {
            Some(reference) => places.extend(image::parts(&place, &reference)),
            None => places.push(place),
        }
    }
    places
}

/// What stands in `{{ … }}`: paths of values, and names of included templates.
fn actions(file: &str, text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|start| at + start) {
        let Some(end) = text[start..].find("}}").map(|end| start + end) else { break };
        at = end;
        if text[start..].starts_with("{{/*") || text[start..].starts_with("{{- /*") {
            continue;
        }
        let number = line_number(text, start);
        let place = |what, span: Range<usize>| Place {
            file: file.to_owned(),
            what,
            path: format!("{number}:{}", &text[span.clone()]),
            span,
            entry: None,
            scalar: None,
            parent: start..end + 2,
        };
        let mut from = start;
        while let Some(found) = text[from..end].find(".Values.").map(|found| from + found + ".Values.".len()) {
            let word = |character: char| !character.is_ascii_alphanumeric() && character != '.';
            let length = text[found..end].find(word).unwrap_or(end - found);
            places.push(place(What::Variable, found..found + length));
            from = found + length;
        }
        if let Some(found) = text[start..end].find("include \"").map(|found| start + found + "include \"".len())
            && let Some(length) = text[found..end].find('"')
        {
            places.push(place(What::Include, found..found + length));
        }
    }
    places
}

fn line_number(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
