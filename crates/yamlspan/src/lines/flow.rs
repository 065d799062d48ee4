//! Flow collections that stand on one line: `{cpu: 10m, memory: 16Mi}`, `["a", "b"]`.

use super::{Line, Reader};
use crate::document::Content;
use crate::scan::narrow;
use crate::{Kind, Style};

/// Deeper nesting in brackets is left to the grammar.
const DEEPEST: usize = 8;

impl Reader<'_> {
    /// A collection in brackets; gives the place after it.
    pub(super) fn flow(&mut self, at: usize, line: Line, depth: usize) -> Option<usize> {
        let (kind, close) = if self.byte(at) == b'{' { (Kind::Mapping, b'}') } else { (Kind::Sequence, b']') };
        if depth > DEEPEST {
            return None;
        }
        let id =
            self.add(kind, Style::Flow, (at, at), Content::Children { from: 0, to: 0 }, line.number, at - line.start);
        let first = self.waiting.len();
        let mut here = self.skip_spaces(at + 1);
        if self.byte(here) != close {
            loop {
                here = self.flow_entry(here, line, kind, depth)?;
                match self.byte(here) {
                    b',' => here = self.skip_spaces(here + 1),
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        let from = narrow(self.parts.children.len());
        self.parts.children.extend(self.waiting.drain(first..));
        let to = narrow(self.parts.children.len());
        let end = narrow(here + 1);
        let node = self.parts.nodes.get_mut(id as usize)?;
        node.content = Content::Children { from, to };
        node.end = end;
        self.last_end = end;
        self.waiting.push(id);
        Some(here + 1)
    }

    /// An item, or a key and its value; gives the place of what follows, spaces skipped.
    fn flow_entry(&mut self, at: usize, line: Line, kind: Kind, depth: usize) -> Option<usize> {
        if kind == Kind::Sequence {
            return self.flow_node(at, line, depth);
        }
        let end = self.flow_word_end(at, line)?;
        let is_merge = self.bytes.get(at..end)? == b"<<";
        if is_merge || self.byte(end) != b':' || self.byte(end + 1) != b' ' {
            return None;
        }
        self.word(at, end, line);
        self.flow_node(self.skip_spaces(end + 1), line, depth)
    }

    fn flow_node(&mut self, at: usize, line: Line, depth: usize) -> Option<usize> {
        let end = match self.byte(at) {
            b'{' | b'[' => self.flow(at, line, depth + 1)?,
            _ => {
                let end = self.flow_word_end(at, line)?;
                self.word(at, end, line);
                end
            }
        };
        Some(self.skip_spaces(end))
    }

    /// Where a scalar in brackets ends.
    fn flow_word_end(&self, at: usize, line: Line) -> Option<usize> {
        if matches!(self.byte(at), b'"' | b'\'') {
            return self.quoted_end(at, line);
        }
        if !self.can_start_plain(at) {
            return None;
        }
        let mut end = at;
        for place in at..line.end {
            match self.byte(place) {
                b',' | b']' | b'}' => return Some(end),
                b':' if self.ends(place + 1) => return (end == place).then_some(end),
                // Dialects differ here.
                b':' if matches!(self.byte(place + 1), b',' | b'[' | b']' | b'{' | b'}') => return None,
                b'[' | b'{' | b'?' | b'#' => return None,
                b' ' => {}
                _ => end = place + 1,
            }
        }
        None
    }
}
