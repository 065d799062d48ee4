//! The greater part of all YAML read line by line: block mappings and lists of scalars that each stand on one line, in ASCII.
//!
//! It makes the nodes that the scanner and the grammar would make, for a fraction of the work, or it makes none: whatever it does not
//! know, an error among it, is left to them. So there is one meaning, which a test holds it to.

use crate::document::{Content, Node, Parts, Root};
use crate::scan::{Decoded, narrow};
use crate::{Kind, MOST_NODES, Style};

/// Deeper nesting than anybody writes is left to the grammar, which has a limit of its own.
const MOST_OPEN: usize = 100;

/// Longer keys are left to the scanner: v2 and v3 refuse a key that is longer than 1024 characters.
const LONGEST_KEY: usize = 1000;

/// The nodes of a text of this kind, which is one document.
pub(crate) fn read(text: &str) -> Option<(Parts, Root)> {
    if !is_plain(text.as_bytes()) {
        return None;
    }
    let mut reader = Reader {
        bytes: text.as_bytes(),
        parts: Parts::with_room(text.len()),
        open: Vec::new(),
        waiting: Vec::new(),
        last_end: 0,
    };
    let (mut start, mut line) = (0, 0);
    while start < text.len() {
        let end = reader.find(start, b'\n');
        reader.line(start, end, line)?;
        (start, line) = (end + 1, line + 1);
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    let root = *reader.waiting.first()?;
    let range = (reader.parts.nodes.get(root as usize)?.start, reader.last_end);
    (reader.parts.nodes.len() <= MOST_NODES).then_some((reader.parts, (root, range)))
}

/// Whether a text is made of printable ASCII and line feeds. Blocks without branches become vector instructions.
fn is_plain(bytes: &[u8]) -> bool {
    const BLOCK: usize = 64;
    let is_strange = |byte: u8| (byte != b'\n') & !(b' '..=b'~').contains(&byte);
    bytes.chunks(BLOCK).all(|block| !block.iter().fold(false, |any, &byte| any | is_strange(byte)))
}

/// A collection that has not ended.
struct Open {
    node: u32,
    kind: Kind,
    /// Of its keys, or of the `-` of its items.
    column: usize,
    /// Where its children start in [`Reader::waiting`].
    first: usize,
    /// A mapping's last key has no value yet: where its `:` ends, and on which line.
    owes: Option<(usize, u32)>,
}

struct Reader<'s> {
    bytes: &'s [u8],
    parts: Parts,
    open: Vec<Open>,
    /// Finished children of open collections.
    waiting: Vec<u32>,
    /// Where the last token ended.
    last_end: u32,
}

/// A line: its bounds and its number from zero.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    number: u32,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    /// The first place from `at` on of a byte; the end of the text if there is none.
    fn find(&self, at: usize, byte: u8) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + memchr::memchr(byte, rest).unwrap_or(rest.len())
    }

    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == b' ' {
            at += 1;
        }
        at
    }

    fn line(&mut self, start: usize, end: usize, number: u32) -> Option<()> {
        let line = Line { start, end, number };
        let at = self.skip_spaces(start);
        if at >= end || self.byte(at) == b'#' {
            return Some(());
        }
        let column = at - start;
        let is_item = self.is_item(at);
        self.make_room(column, is_item)?;
        if is_item { self.item(at, line) } else { self.pair(at, line) }
    }

    fn is_item(&self, at: usize) -> bool {
        self.byte(at) == b'-' && self.byte(at + 1) == b' '
    }

    /// Closes what ends before a line at `column`; afterwards its collection is the innermost, or a new one may begin.
    fn make_room(&mut self, column: usize, is_item: bool) -> Option<()> {
        while let Some(last) = self.open.last() {
            let is_of_last = last.column == column && (last.kind == Kind::Sequence) == is_item;
            if let Some(colon) = last.owes {
                // Items may stand below the column of their key, or right at it.
                if column > last.column || (column == last.column && is_item) {
                    return Some(());
                }
                self.settle(colon);
            } else if is_of_last {
                return Some(());
            } else if last.column >= column {
                self.close();
            } else {
                return None;
            }
        }
        // Only the first line opens the root.
        self.waiting.is_empty().then_some(())
    }

    /// Gives the innermost mapping's last key its value, which is not written.
    fn settle(&mut self, (at, line): (usize, u32)) {
        let column = at - self.line_start(at);
        self.scalar(Style::Plain, (at, at), (at, at), line, column);
        if let Some(last) = self.open.last_mut() {
            last.owes = None;
        }
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.bytes.get(..at).unwrap_or_default();
        before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1)
    }

    /// The innermost collection if it is of this kind and at this column, else a new one that starts at `at`.
    fn collection(&mut self, kind: Kind, at: usize, line: Line) -> Option<()> {
        let column = at - line.start;
        if self.open.last().is_some_and(|last| last.column == column && last.kind == kind) {
            return Some(());
        }
        if self.open.len() >= MOST_OPEN {
            return None;
        }
        if let Some(last) = self.open.last_mut() {
            last.owes = None;
        }
        let content = Content::Children { from: 0, to: 0 };
        let node = self.add(kind, Style::Block, (at, at), content, line.number, column);
        self.open.push(Open { node, kind, column, first: self.waiting.len(), owes: None });
        Some(())
    }

    fn close(&mut self) {
        if let Some(colon) = self.open.last().and_then(|last| last.owes) {
            self.settle(colon);
        }
        let Some(Open { node: id, first, .. }) = self.open.pop() else { return };
        let from = narrow(self.parts.children.len());
        self.parts.children.extend(self.waiting.drain(first..));
        let to = narrow(self.parts.children.len());
        if let Some(node) = self.parts.nodes.get_mut(id as usize) {
            node.content = Content::Children { from, to };
            node.end = self.last_end;
        }
        self.waiting.push(id);
    }

    /// An item: `- ` and a scalar or the first pair of a mapping.
    fn item(&mut self, at: usize, line: Line) -> Option<()> {
        self.collection(Kind::Sequence, at, line)?;
        let content = self.skip_spaces(at + 1);
        if content >= line.end || self.byte(content) == b'#' || self.is_item(content) {
            return None;
        }
        if self.key_end(content, line).is_some() { self.pair(content, line) } else { self.value(content, line) }
    }

    /// A key and, if it stands on the line, its value.
    fn pair(&mut self, at: usize, line: Line) -> Option<()> {
        let colon = self.key_end(at, line)?;
        self.collection(Kind::Mapping, at, line)?;
        self.scalar(Style::Plain, (at, colon), (at, colon), line.number, at - line.start);
        let value = self.skip_spaces(colon + 1);
        if value < line.end && self.byte(value) != b'#' {
            return self.value(value, line);
        }
        if let Some(last) = self.open.last_mut() {
            last.owes = Some((colon + 1, line.number));
        }
        Some(())
    }

    /// Where the `:` of a plain key is.
    fn key_end(&self, at: usize, line: Line) -> Option<usize> {
        if !matches!(self.byte(at), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'$') {
            return None;
        }
        let rest = self.bytes.get(at..line.end)?;
        for place in memchr::memchr2_iter(b':', b'#', rest).map(|step| at + step) {
            match self.byte(place) {
                b':' if self.ends(place + 1) => {
                    let is_simple = place - at <= LONGEST_KEY && self.byte(place - 1) != b' ';
                    return is_simple.then_some(place);
                }
                b'#' if self.byte(place - 1) == b' ' => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether a space or the end of the line is at a place.
    fn ends(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\n')
    }

    /// A scalar that stands on its line, with nothing but a comment after it; or an empty collection in brackets.
    fn value(&mut self, at: usize, line: Line) -> Option<()> {
        let column = at - line.start;
        match self.byte(at) {
            quote @ (b'"' | b'\'') => {
                let end = at + 1 + memchr::memchr2(quote, b'\\', self.bytes.get(at + 1..line.end)?)?;
                // What a backslash or a doubled quote means is for the scanner.
                if self.byte(end) != quote || !self.is_rest(end + 1, line) {
                    return None;
                }
                let style = if quote == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted };
                self.scalar(style, (at, end + 1), (at + 1, end), line.number, column);
            }
            b'{' | b'[' => {
                let kind = match self.bytes.get(at..at + 2)? {
                    b"{}" => Kind::Mapping,
                    b"[]" => Kind::Sequence,
                    _ => return None,
                };
                if !self.is_rest(at + 2, line) {
                    return None;
                }
                let none = narrow(self.parts.children.len());
                let content = Content::Children { from: none, to: none };
                let id = self.add(kind, Style::Flow, (at, at + 2), content, line.number, column);
                self.last_end = narrow(at + 2);
                self.waiting.push(id);
            }
            _ => {
                let end = self.plain_end(at, line)?;
                self.scalar(Style::Plain, (at, end), (at, end), line.number, column);
            }
        }
        Some(())
    }

    /// Whether a line ends at a place, but for a comment.
    fn is_rest(&self, at: usize, line: Line) -> bool {
        let next = self.skip_spaces(at);
        next >= line.end || (next > at && self.byte(next) == b'#')
    }

    /// Where a plain scalar ends.
    fn plain_end(&self, at: usize, line: Line) -> Option<usize> {
        let can_start = match self.byte(at) {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'$' | b'.' | b'(' | b'+' | b'^' | b'~' | b'<' => {
                true
            }
            b'-' => !self.ends(at + 1),
            _ => false,
        };
        if !can_start {
            return None;
        }
        let mut end = line.end;
        let rest = self.bytes.get(at..line.end)?;
        for place in memchr::memchr2_iter(b':', b'#', rest).map(|step| at + step) {
            match self.byte(place) {
                b':' if self.ends(place + 1) => return None,
                b'#' if self.byte(place - 1) == b' ' => {
                    end = place;
                    break;
                }
                _ => {}
            }
        }
        while self.byte(end - 1) == b' ' {
            end -= 1;
        }
        Some(end)
    }

    fn scalar(&mut self, style: Style, (start, end): (usize, usize), text: (usize, usize), line: u32, column: usize) {
        let text = Decoded::Range { start: narrow(text.0), end: narrow(text.1) };
        let id = self.add(Kind::Scalar, style, (start, end), Content::Text(text), line, column);
        self.last_end = narrow(end);
        self.waiting.push(id);
    }

    fn add(
        &mut self,
        kind: Kind,
        style: Style,
        (start, end): (usize, usize),
        content: Content,
        line: u32,
        column: usize,
    ) -> u32 {
        let id = narrow(self.parts.nodes.len());
        let (start, end) = (narrow(start), narrow(end));
        let column = narrow(column);
        self.parts.nodes.push(Node {
            kind,
            style,
            line,
            column,
            outer_start: start,
            start,
            end,
            content,
            tag: None,
            anchor: None,
        });
        id
    }
}

#[cfg(test)]
mod tests;
