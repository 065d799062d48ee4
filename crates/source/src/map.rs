//! All files that were read, with their lines; and excerpts of them that are safe to print.
//!
//! Threat: a source line may hold a secret, terminal escapes, or text that a log viewer takes for a command. Writers get
//! lines only through [`SourceMap::excerpt`], which masks values under secret-named keys and userinfo in URLs and
//! replaces control characters.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{FileId, Span};

/// One file of the map.
#[derive(Debug)]
pub struct SourceFile {
    path: Utf8PathBuf,
    text: Arc<str>,
    /// Whether the text is what stands in the file.
    is_as_written: bool,
    /// Made when a place of this file is first printed: most files never need it, and one of many short lines has more of them
    /// than text.
    line_starts: OnceLock<Arc<[u32]>>,
    /// Whether characters are bytes, so that columns need no counting.
    is_ascii: OnceLock<bool>,
    /// Masked lines longer than [`LONG_LINE`], by number: a thousand findings may stand on one.
    long_lines: Mutex<BTreeMap<usize, Arc<Masked>>>,
}

/// A line of more bytes is shown in part, around the place, and masked once only. Minified files are one line.
const LONG_LINE: usize = 4096;

/// So many bytes of a long line are shown before the place and after it.
const SHOWN_AROUND: usize = 400;

/// An excerpt has no more lines: a whole file is no place.
const MOST_LINES: usize = 50;

/// Stands for what is not shown of a long line.
const ELLIPSIS: &str = "…";

/// A place as people count: both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Masked source lines around a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Whole lines, without the last line end.
    pub text: String,
    /// Number of the first line, from 1.
    pub first_line: usize,
    /// The span's byte range within `text`.
    pub highlight: Range<usize>,
}

/// Files by id, in the order they were added. A copy shares them.
///
/// No id is given twice among a map and all its copies, not even where a file was forgotten: an id that two of them know stands for the same
/// text in both.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: BTreeMap<FileId, Arc<SourceFile>>,
    next: Arc<AtomicU32>,
}

impl SourceFile {
    /// The path under which the file was read.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The whole text, as engines read it (see [`crate::octets`]). Not for printing: see [`SourceMap::excerpt`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text is what stands in the file, byte for byte. If not, nobody may edit it and write it back.
    #[must_use]
    pub fn is_as_written(&self) -> bool {
        self.is_as_written
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let is_end = |byte: &u8| *byte == b'\n';
            let mut starts = Vec::with_capacity(self.text.bytes().filter(is_end).count() + 1);
            starts.push(0);
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| is_end(byte));
            starts.extend(ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)));
            starts.into()
        })
    }

    fn line_of(&self, offset: usize) -> usize {
        self.line_starts().partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    fn is_ascii(&self) -> bool {
        *self.is_ascii.get_or_init(|| self.text.is_ascii())
    }

    /// A line without its end, masked.
    fn masked(&self, line: usize, raw: &str) -> Arc<Masked> {
        if raw.len() <= LONG_LINE {
            return Arc::new(mask::line(raw));
        }
        let mut known = self.long_lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(line).or_insert_with(|| Arc::new(mask::line(raw))))
    }

    fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.line_starts().get(line).map_or(self.text.len(), |start| *start as usize);
        let end = self.line_starts().get(line + 1).map_or(self.text.len(), |start| *start as usize);
        start..end
    }
}

impl SourceMap {
    /// Adds a file. Equal paths are not merged: an edited file is a new one.
    pub fn add(&mut self, path: impl Into<Utf8PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        self.add_file(path.into(), text.into(), true)
    }

    /// Adds a file whose bytes are no UTF-8, with the text that engines read of them.
    pub fn add_bytes(&mut self, path: impl Into<Utf8PathBuf>, bytes: &[u8]) -> FileId {
        self.add_file(path.into(), crate::octets::decoded(bytes).into(), false)
    }

    fn add_file(&mut self, path: Utf8PathBuf, text: Arc<str>, is_as_written: bool) -> FileId {
        // Only the number counts: whoever learns an id learns it together with the map.
        let id = FileId(self.next.fetch_add(1, Ordering::Relaxed));
        let file = SourceFile {
            path,
            text,
            is_as_written,
            line_starts: OnceLock::new(),
            is_ascii: OnceLock::new(),
            long_lines: Mutex::default(),
        };
        self.files.insert(id, Arc::new(file));
        id
    }

    /// Forgets all files but these.
    pub fn keep(&mut self, ids: &BTreeSet<FileId>) {
        self.files.retain(|id, _| ids.contains(id));
    }

    /// The file, if `id` came from this map.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(&id).map(Arc::as_ref)
    }

    /// The text last read under this path.
    #[must_use]
    pub fn text_of(&self, path: &Utf8Path) -> Option<&str> {
        self.file(self.id_of(path)?).map(SourceFile::text)
    }

    /// The file last read under this path.
    #[must_use]
    pub fn id_of(&self, path: &Utf8Path) -> Option<FileId> {
        self.files.iter().rev().find(|(_, file)| file.path == path).map(|(id, _)| *id)
    }

    /// Every path with its file as it was last read, sorted by the path's bytes.
    pub fn latest(&self) -> impl Iterator<Item = (&Utf8Path, FileId)> {
        let latest: BTreeMap<&str, FileId> = self.files.iter().map(|(id, file)| (file.path.as_str(), *id)).collect();
        latest.into_iter().map(|(path, file)| (Utf8Path::new(path), file))
    }

    /// The path of a span's file; empty for a foreign id.
    #[must_use]
    pub fn path(&self, id: FileId) -> &Utf8Path {
        self.file(id).map_or(Utf8Path::new(""), SourceFile::path)
    }

    /// Start and end of a span as people count.
    #[must_use]
    pub fn positions(&self, span: Span) -> (Position, Position) {
        (self.position(span.file, span.start as usize), self.position(span.file, span.end as usize))
    }

    /// A byte offset as people count. Offsets inside a character count as its start.
    #[must_use]
    pub fn position(&self, file: FileId, offset: usize) -> Position {
        let Some(file) = self.file(file) else { return Position { line: 1, column: 1 } };
        let offset = floor_boundary(&file.text, offset);
        let line = file.line_of(offset);
        let start = file.line_range(line).start;
        let before = file.text[start..offset].trim_start_matches('\u{feff}');
        let column = if file.is_ascii() { before.len() } else { before.chars().count() };
        Position { line: line + 1, column: column + 1 }
    }

    /// The lines that a span touches, made safe to print.
    #[must_use]
    pub fn excerpt(&self, span: Span) -> Option<Excerpt> {
        self.excerpt_of(span, false)
    }

    /// The same without what stands in the span itself: the place of a secret.
    #[must_use]
    pub fn excerpt_hiding(&self, span: Span) -> Option<Excerpt> {
        self.excerpt_of(span, true)
    }

    fn excerpt_of(&self, span: Span, is_secret: bool) -> Option<Excerpt> {
        let file = self.file(span.file)?;
        let (start, end) =
            (floor_boundary(&file.text, span.start as usize), floor_boundary(&file.text, span.end as usize));
        let first = file.line_of(start);
        let last = file.line_of(end.max(start + 1) - 1).clamp(first, first + MOST_LINES - 1);
        let mut text = String::new();
        let (mut from, mut to) = (None, None);
        for line in first..=last {
            let range = file.line_range(line);
            let raw = file.text[range.clone()].trim_end_matches(['\n', '\r']);
            let within = |offset: usize| offset.saturating_sub(range.start).min(raw.len());
            let masked = file.masked(line, raw);
            let place = masked.map(within(start))..masked.map(within(end));
            let (shown, place) = if is_secret && !place.is_empty() {
                masked.hiding(place)
            } else {
                (Cow::Borrowed(masked.text.as_str()), place)
            };
            let (shown, place) = part(&shown, place);
            if line > first {
                text.push('\n');
            }
            if line == first {
                from = Some(text.len() + place.start);
            }
            if line == last {
                to = Some(text.len() + place.end);
            }
            text.push_str(&shown);
        }
        let from = from.unwrap_or(0);
        Some(Excerpt { first_line: first + 1, highlight: from..to.unwrap_or(from).max(from), text })
    }
}

/// The part of a long line around a place in it, and where the place is in the part.
fn part(line: &str, place: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    if line.len() <= LONG_LINE {
        return (Cow::Borrowed(line), place);
    }
    let from = floor_boundary(line, place.start.saturating_sub(SHOWN_AROUND));
    let to = floor_boundary(line, place.end.min(place.start + LONG_LINE) + SHOWN_AROUND);
    let before = if from == 0 { "" } else { ELLIPSIS };
    let after = if to == line.len() { "" } else { ELLIPSIS };
    let shift = |offset: usize| before.len() + offset.min(to) - from;
    (Cow::Owned(format!("{before}{}{after}", &line[from..to])), shift(place.start)..shift(place.end))
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

mod mask;
use mask::Masked;
pub use mask::{is_plain_address, is_secret_name, printable, quoted, redact, words_of_name};

#[cfg(test)]
mod tests;
