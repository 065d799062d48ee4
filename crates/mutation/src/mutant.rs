//! A mutant: which bytes of which files become which.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::operator::Operator;
use crate::place::{Place, What};
use crate::subject::Subject;

/// One change of one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub file: String,
    pub start: usize,
    pub end: usize,
    pub with: String,
    /// It makes the others possible, and no finding is expected at it.
    pub frame: bool,
}

impl Edit {
    pub fn new(file: &str, range: Range<usize>, with: impl Into<String>) -> Self {
        Self { file: file.to_owned(), start: range.start, end: range.end, with: with.into(), frame: false }
    }

    pub fn frame(self) -> Self {
        Self { frame: true, ..self }
    }
}

/// One thing done to a subject.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub subject: String,
    pub place: Place,
    pub operator: Operator,
    /// None over another.
    pub edits: Vec<Edit>,
}

impl Mutant {
    pub fn what(&self) -> What {
        self.place.what
    }

    /// What it is called: the same in every run.
    pub fn name(&self) -> String {
        format!(
            "{}: {}: {} `{}`: {}",
            self.subject,
            self.place.file,
            self.what().name(),
            self.place.path,
            self.operator.name()
        )
    }

    /// The changed files, and where in them the changes are.
    pub(crate) fn applied(&self, subject: &Subject) -> BTreeMap<String, Changed> {
        let mut files: BTreeMap<String, Changed> = BTreeMap::new();
        for edit in &self.edits {
            files
                .entry(edit.file.clone())
                .or_insert_with(|| Changed::new(subject.text(&edit.file)))
                .edits
                .push(edit.clone());
        }
        for changed in files.values_mut() {
            changed.apply();
        }
        files
    }
}

/// A file before and after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) before: String,
    pub(crate) after: String,
    edits: Vec<Edit>,
}

impl Changed {
    pub(crate) fn new(text: &str) -> Self {
        Self { before: text.to_owned(), ..Self::default() }
    }

    /// With one edit.
    #[cfg(test)]
    pub(crate) fn edit(&mut self, edit: Edit) {
        self.edits.push(edit);
        self.apply();
    }

    fn apply(&mut self) {
        self.edits.sort_by_key(|edit| edit.start);
        let mut at = 0;
        for edit in &self.edits {
            self.after.push_str(&self.before[at..edit.start]);
            self.after.push_str(&edit.with);
            at = edit.end;
        }
        self.after.push_str(&self.before[at..]);
    }

    /// Where the new bytes are; empty where bytes went away.
    pub(crate) fn spans(&self) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        let mut shift = 0isize;
        for edit in &self.edits {
            let start = edit.start.saturating_add_signed(shift);
            if !edit.frame {
                spans.push(start..start + edit.with.len());
            }
            shift += edit.with.len() as isize - (edit.end - edit.start) as isize;
        }
        spans
    }

    /// Where an offset of the text before is in the text after; within a change, its end.
    pub(crate) fn moved(&self, offset: usize) -> usize {
        let shift: isize = self
            .edits
            .iter()
            .filter(|edit| edit.end <= offset && edit.start < offset)
            .map(|edit| edit.with.len() as isize - (edit.end - edit.start) as isize)
            .sum();
        offset.saturating_add_signed(shift).min(self.after.len())
    }

    /// The words that the changes touch, as they were and as they are.
    pub(crate) fn words(&self) -> Vec<String> {
        let before = self.edits.iter().filter(|edit| !edit.frame).map(|edit| edit.start..edit.end);
        let mut found: Vec<String> = before.flat_map(|range| words(&self.before, range)).collect();
        found.extend(self.spans().into_iter().flat_map(|range| words(&self.after, range)));
        found
    }
}

/// What a name is made of, in every kind of file.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// The words that a range of a text touches, whole.
fn words(text: &str, range: Range<usize>) -> Vec<String> {
    let bytes = text.as_bytes();
    let start = bytes[..range.start].iter().rposition(|&byte| !is_word(byte)).map_or(0, |at| at + 1);
    let end = bytes[range.end..].iter().position(|&byte| !is_word(byte)).map_or(bytes.len(), |at| range.end + at);
    let inner = text.get(start..end).unwrap_or_default();
    inner.split(|character: char| !character.is_ascii() || !is_word(character as u8)).map(str::to_owned).collect()
}
