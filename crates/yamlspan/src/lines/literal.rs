//! Literal blocks: `|` or `|-`, and below it lines that are further in.

use super::{Line, Reader};
use crate::document::Content;
use crate::scan::{Decoded, MOST_PIECES, Maker, narrow};
use crate::{Kind, Style};

impl Reader<'_> {
    /// A literal block whose header is at `at`. One that starts with an empty line, or has spaces in an empty line, is left to the scanner.
    pub(super) fn literal(&mut self, at: usize, line: Line) -> Option<()> {
        let strips = match self.bytes.get(at..line.end)? {
            b"|" => false,
            b"|-" => true,
            _ => return None,
        };
        let (content, mut number) = self.next;
        let indent = self.skip_spaces(content) - content;
        // A tab there would be indentation.
        if indent <= self.open.last()?.column || self.byte(content + indent) == b'\t' {
            return None;
        }
        let mut maker = Maker::with_room(MOST_PIECES);
        let mut start = content;
        // After the last line that is no empty one, and after its line feed.
        let (mut end, mut line_end) = (content, content);
        while start < self.bytes.len() {
            let text = self.skip_spaces(start).min(start + indent);
            let next = self.find(start, b'\n');
            if text == next {
                if start != next {
                    return None;
                }
            } else if text - start < indent {
                break;
            } else {
                // The line feed and empty lines before this one.
                maker.exact(self.text, end, start);
                maker.exact(self.text, text, next);
                (end, line_end) = (next, (next + 1).min(self.bytes.len()));
            }
            (start, number) = ((next + 1).min(self.bytes.len()), number + 1);
        }
        // A tab in the indentation, or nothing at all.
        if self.byte(start) == b'\t' || end == content {
            return None;
        }
        if !strips {
            maker.exact(self.text, end, line_end);
        }
        self.pieces += maker.pieces();
        if self.pieces > MOST_PIECES {
            return None;
        }
        let text = Decoded::Made(narrow(self.parts.made.len()));
        self.parts.made.push(maker.finish((content, start)));
        let id = self.add(Kind::Scalar, Style::Literal, (at, start), Content::Text(text), line.number, at - line.start);
        self.last_end = narrow(start);
        self.waiting.push(id);
        self.next = (start, number);
        Some(())
    }
}
