//! What the program said: findings of `check`, or why the workspace cannot be read.

use std::ops::Range;

use camino::Utf8Path;
use serde_json::Value;
use testkit::Cli;

/// An error or a warning; notes are not about the change.
#[derive(Clone, Debug)]
pub struct Told {
    pub rule: String,
    pub message: String,
    pub place: Option<Spot>,
    pub related: Vec<Spot>,
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
        other => panic!("`check` ends with {other}: {output}"),
    }
}

fn finding(finding: &Value) -> Told {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let related = finding["related"].as_array().map_or(&[][..], Vec::as_slice);
    Told {
        rule: text(&finding["rule"]),
        message: text(&finding["message"]),
        place: spot(&finding["place"]),
        related: related.iter().filter_map(|related| spot(&related["place"])).collect(),
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
            told.push(Told { rule: rule.to_owned(), message: message.to_owned(), place: None, related: Vec::new() });
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
