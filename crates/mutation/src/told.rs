//! What the program said: findings of `check`, or why the workspace cannot be read.

use std::collections::BTreeMap;
use std::ops::Range;

use camino::Utf8Path;
use serde_json::Value;
use testkit::Cli;

use crate::mutant::Changed;

/// An error or a warning; notes are not about the change.
#[derive(Clone, Debug)]
pub struct Told {
    pub rule: String,
    pub message: String,
    pub place: Option<Spot>,
    pub related: Vec<Spot>,
    /// What is said of these.
    pub labels: Vec<String>,
}

/// Lines and columns, from one; columns are characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub file: String,
    from: (usize, usize),
    to: (usize, usize),
}

impl Spot {
    /// Its bytes in the text of its file. A place that is only a file is all of it.
    pub(crate) fn range(&self, text: &str) -> Range<usize> {
        if self.from.0 == 0 {
            return 0..text.len();
        }
        let start = offset(text, self.from);
        start..offset(text, self.to).max(start)
    }

    /// The lines that it touches.
    pub(crate) fn lines<'t>(&self, text: &'t str) -> &'t str {
        if self.from.0 == 0 {
            return "";
        }
        let range = self.range(text);
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        &text[start..end]
    }
}

impl std::fmt::Display for Spot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.from.0, self.from.1)
    }
}

fn offset(text: &str, (line, column): (usize, usize)) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text[start..].lines().next().unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    start + within
}

/// Runs `check` in a folder.
pub(crate) fn check(program: &Utf8Path, root: &Utf8Path) -> Vec<Told> {
    let output = Cli::new(program).folder(root).args(["check", "--format", "json"]).output();
    match output.exit {
        0 | 1 => {
            let report: Value =
                serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
            let findings = report["findings"].as_array().map_or(&[][..], Vec::as_slice);
            findings.iter().filter(|finding| finding["severity"] != "note").map(finding).collect()
        }
        3 => refusal(&output.stderr),
        // An answer to nothing: wherever the change is, this is not about it.
        other => {
            let message = output.stderr;
            vec![Told {
                rule: format!("exit code {other}"),
                message,
                place: None,
                related: Vec::new(),
                labels: Vec::new(),
            }]
        }
    }
}

/// What was not said before the change. What was, is said again at the same place, as far as the change moved it; where the change touches
/// the place, either end of it tells.
pub(crate) fn since(before: &[Told], after: Vec<Told>, changed: &BTreeMap<String, Changed>) -> Vec<Told> {
    let mut left: Vec<&Told> = before.iter().collect();
    let is_said_again = |known: &Told, told: &Told| {
        let is_there = match (&known.place, &told.place) {
            (Some(known), Some(told)) => is_moved(known, told, changed.get(&told.file)),
            (known, told) => known.is_none() && told.is_none(),
        };
        known.rule == told.rule && known.message == told.message && is_there
    };
    let is_new = |told: &Told| {
        let known = left.iter().position(|known| is_said_again(known, told));
        known.map(|known| left.swap_remove(known)).is_none()
    };
    after.into_iter().filter(is_new).collect()
}

fn is_moved(known: &Spot, told: &Spot, changed: Option<&Changed>) -> bool {
    let Some(changed) = changed.filter(|_| known.file == told.file) else { return known == told };
    let (before, after) = (known.range(&changed.before), told.range(&changed.after));
    changed.moved(before.start) == after.start || changed.moved(before.end) == after.end
}

fn finding(finding: &Value) -> Told {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let related = finding["related"].as_array().map_or(&[][..], Vec::as_slice);
    Told {
        rule: text(&finding["rule"]),
        message: text(&finding["message"]),
        place: spot(&finding["place"]),
        related: related.iter().filter_map(|related| spot(&related["place"])).collect(),
        labels: related.iter().map(|related| text(&related["label"])).collect(),
    }
}

fn spot(place: &Value) -> Option<Spot> {
    let number = |name: &str| place[name].as_u64().map_or(0, |number| usize::try_from(number).unwrap_or(usize::MAX));
    Some(Spot {
        file: place["file"].as_str()?.to_owned(),
        from: (number("line"), number("column")),
        to: (number("end_line"), number("end_column")),
    })
}

/// `error[workspace]: message`, ` --> file:line:column`, and carets under what is meant.
fn refusal(text: &str) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for line in text.lines() {
        if let Some(message) = line.strip_prefix("error") {
            let (rule, message) = match message.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
                Some((rule, message)) => (rule, message),
                None => ("input", message.trim_start_matches(": ")),
            };
            told.push(Told {
                rule: rule.to_owned(),
                message: message.to_owned(),
                place: None,
                related: Vec::new(),
                labels: Vec::new(),
            });
        } else if let Some((_, place)) = line.split_once("--> ")
            && let [file, row, column] =
                place.rsplitn(3, ':').collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>()[..]
            && let (Ok(row), Ok(column)) = (row.parse(), column.parse())
            && let Some(last) = told.last_mut()
        {
            last.place = Some(Spot { file: file.to_owned(), from: (row, column), to: (row, column) });
        } else if let Some(carets) = line.split_once('|').map(|(_, rest)| rest.matches('^').count())
            && carets > 0
            && let Some(spot) = told.last_mut().and_then(|last| last.place.as_mut())
        {
            spot.to = (spot.from.0, spot.from.1 + carets);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::{Spot, Told, since};
    use crate::mutant::{Changed, Edit};

    fn told(message: &str, line: usize) -> Told {
        let place = Spot { file: "a.yaml".to_owned(), from: (line, 1), to: (line, 5) };
        Told {
            rule: "some-rule".to_owned(),
            message: message.to_owned(),
            place: Some(place),
            related: Vec::new(),
            labels: Vec::new(),
        }
    }

    #[test]
    fn what_was_said_before_and_has_moved_is_not_about_the_change() {
        let mut changed = Changed::new("a: 1\nb: 2\nc: 3\n");
        changed.edit(Edit::new("a.yaml", 5..5, "# word\n# word\n"));
        let changed = [("a.yaml".to_owned(), changed)].into();
        let before = [told("one", 1), told("three", 3)];
        let after = vec![told("one", 1), told("three", 3), told("three", 5), told("two", 4), told("one", 1)];
        let new = since(&before, after, &changed);
        let new: Vec<String> =
            new.iter().map(|told| format!("{} {}", told.message, told.place.as_ref().unwrap())).collect();
        assert_eq!(new, ["three a.yaml:3:1", "two a.yaml:4:1", "one a.yaml:1:1"]);
    }

    #[test]
    fn what_is_said_of_the_changed_value_in_other_words_is_new() {
        let mut changed = Changed::new("a: 1\nb: 2\n");
        changed.edit(Edit::new("a.yaml", 3..4, "10"));
        let changed = [("a.yaml".to_owned(), changed)].into();
        let before = [told("`1` is one", 1), told("any", 1)];
        let new = since(&before, vec![told("`10` is one", 1), told("any", 1)], &changed);
        assert_eq!(new.iter().map(|told| told.message.as_str()).collect::<Vec<_>>(), ["`10` is one"]);
    }
}
