//! The greater part of all YAML read line by line: block mappings and lists of scalars and small flow collections that each stand on one
//! line, in ASCII, and literal blocks of any text.
//!
//! It makes the nodes that the scanner and the grammar would make, for a fraction of the work, or it makes none: whatever it does not
//! know, an error among it, is left to them. So there is one meaning, which a test holds it to.

use crate::document::{Content, Node, Parts, Root};
use crate::scan::{Decoded, narrow};
use crate::{Kind, MOST_NODES, Style};

mod flow;
mod literal;

/// Deeper nesting than anybody writes is left to the grammar, which has a limit of its own.
const MOST_OPEN: usize = 100;

/// Longer keys are left to the scanner: v2 and v3 refuse a key that is longer than 1024 characters.
const LONGEST_KEY: usize = 1000;

/// The nodes of a text of this kind, which is one document. It has no tag, anchor, alias or merge key.
pub(crate) fn read(text: &str) -> Option<(Parts, Root)> {
    let is_ascii = match texture(text.as_bytes()) {
        Texture::Ascii => true,
        Texture::Mixed => false,
        Texture::Strange => return None,
    };
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        is_ascii,
        parts: Parts::with_room(text.len()),
        open: Vec::with_capacity(16),
        waiting: Vec::with_capacity(32),
        last_end: 0,
        next: (0, 0),
        pieces: 0,
    };
    while reader.next.0 < text.len() {
        let (start, number) = reader.next;
        let end = reader.find(start, b'\n');
        reader.next = (end + 1, number + 1);
        reader.line(Line { start, end, number })?;
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    let root = *reader.waiting.first()?;
    let range = (reader.parts.nodes.get(root as usize)?.start, reader.last_end);
    (reader.parts.nodes.len() <= MOST_NODES).then_some((reader.parts, (root, range)))
}

/// What a text is made of.
enum Texture {
    /// Printable ASCII and line feeds.
    Ascii,
    /// Also tabs and characters of other languages.
    Mixed,
    /// Also other line ends, or control characters.
    Strange,
}

/// Blocks without branches become vector instructions.
fn texture(bytes: &[u8]) -> Texture {
    const BLOCK: usize = 64;
    let any = |test: fn(u8) -> bool| {
        !bytes.chunks(BLOCK).all(|block| !block.iter().fold(false, |any, &byte| any | test(byte)))
    };
    if !any(|byte| (byte != b'\n') & !(b' '..=b'~').contains(&byte)) {
        return Texture::Ascii;
    }
    // C1 control characters, NEL and the byte order mark begin with these; so do some good characters.
    let is_strange = |byte| {
        ((byte < b' ') & (byte != b'\n') & (byte != b'\t'))
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte == 0xef)
            | (byte == 0xf4)
    };
    let separators = [&[0xe2, 0x80, 0xa8], &[0xe2, 0x80, 0xa9]];
    if any(is_strange) || separators.iter().any(|mark| memchr::memmem::find(bytes, *mark).is_some()) {
        return Texture::Strange;
    }
    Texture::Mixed
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
    text: &'s str,
    bytes: &'s [u8],
    /// Whether all of it is printable ASCII; else only comments and literal blocks may have what is not.
    is_ascii: bool,
    parts: Parts,
    open: Vec<Open>,
    /// Finished children of open collections.
    waiting: Vec<u32>,
    /// Where the last token ended.
    last_end: u32,
    /// The line to read next: its start and number.
    next: (usize, u32),
    /// How many pieces literal blocks have so far.
    pieces: usize,
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

    fn line(&mut self, line: Line) -> Option<()> {
        let at = self.skip_spaces(line.start);
        if at >= line.end || self.byte(at) == b'#' {
            return Some(());
        }
        if !self.is_ascii && !self.bytes.get(at..line.end)?.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return None;
        }
        let column = at - line.start;
        let is_item = self.is_item(at);
        self.make_room(column, is_item)?;
        if is_item {
            return self.item(at, line);
        }
        let colon = self.key_end(at, line)?;
        self.pair(at, colon, line)
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
        match self.key_end(content, line) {
            Some(colon) => self.pair(content, colon, line),
            None => self.value(content, line),
        }
    }

    /// A key, the place of its `:`, and, if it stands on the line, its value.
    fn pair(&mut self, at: usize, colon: usize, line: Line) -> Option<()> {
        self.collection(Kind::Mapping, at, line)?;
        self.word(at, colon, line);
        let value = self.skip_spaces(colon + 1);
        if value < line.end && self.byte(value) != b'#' {
            return self.value(value, line);
        }
        if let Some(last) = self.open.last_mut() {
            last.owes = Some((colon + 1, line.number));
        }
        Some(())
    }

    /// Where the `:` of a key is.
    fn key_end(&self, at: usize, line: Line) -> Option<usize> {
        let first = self.byte(at);
        let colon = match first {
            b'"' | b'\'' => self.quoted_end(at, line).filter(|end| self.byte(*end) == b':' && self.ends(end + 1))?,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'$' => self.plain_key_end(at, line)?,
            _ => return None,
        };
        (colon - at <= LONGEST_KEY && self.byte(colon - 1) != b' ').then_some(colon)
    }

    fn plain_key_end(&self, at: usize, line: Line) -> Option<usize> {
        let rest = self.bytes.get(at..line.end)?;
        for place in memchr::memchr2_iter(b':', b'#', rest).map(|step| at + step) {
            match self.byte(place) {
                b':' if self.ends(place + 1) => return Some(place),
                b'#' if self.byte(place - 1) == b' ' => return None,
                _ => {}
            }
        }
        None
    }

    /// After the closing quote. What a backslash or a doubled quote means is for the scanner.
    fn quoted_end(&self, at: usize, line: Line) -> Option<usize> {
        let quote = self.byte(at);
        let end = at + 1 + memchr::memchr2(quote, b'\\', self.bytes.get(at + 1..line.end)?)?;
        (self.byte(end) == quote && self.byte(end + 1) != quote).then_some(end + 1)
    }

    /// A scalar from `at` to `end`, of the style that its first byte says.
    fn word(&mut self, at: usize, end: usize, line: Line) {
        let (style, text) = match self.byte(at) {
            b'"' => (Style::DoubleQuoted, (at + 1, end - 1)),
            b'\'' => (Style::SingleQuoted, (at + 1, end - 1)),
            _ => (Style::Plain, (at, end)),
        };
        self.scalar(style, (at, end), text, line.number, at - line.start);
    }

    /// Whether a space or the end of the line is at a place.
    fn ends(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\n')
    }

    /// A scalar or a collection in brackets that stands on its line, with nothing but a comment after it; or a literal block.
    fn value(&mut self, at: usize, line: Line) -> Option<()> {
        match self.byte(at) {
            b'"' | b'\'' => {
                let end = self.quoted_end(at, line).filter(|end| self.is_rest(*end, line))?;
                self.word(at, end, line);
            }
            b'{' | b'[' => {
                let end = self.flow(at, line, 0)?;
                if !self.is_rest(end, line) {
                    return None;
                }
            }
            b'|' => self.literal(at, line)?,
            _ => {
                let end = self.plain_end(at, line)?;
                self.word(at, end, line);
            }
        }
        Some(())
    }

    /// Whether a line ends at a place, but for a comment.
    fn is_rest(&self, at: usize, line: Line) -> bool {
        let next = self.skip_spaces(at);
        next >= line.end || (next > at && self.byte(next) == b'#')
    }

    fn can_start_plain(&self, at: usize) -> bool {
        match self.byte(at) {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'$' | b'.' | b'(' | b'+' | b'^' | b'~' | b'<' => {
                true
            }
            b'-' => !self.ends(at + 1),
            _ => false,
        }
    }

    /// Where a plain scalar ends.
    fn plain_end(&self, at: usize, line: Line) -> Option<usize> {
        if !self.can_start_plain(at) {
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
        let (start, end, column) = (narrow(start), narrow(end), narrow(column));
        self.parts.nodes.push(Node { kind, style, line, column, start, end, content, prefix: None });
        id
    }
}

#[cfg(test)]
pub(crate) mod tests;
