//! Whether a text is a known document with other words in it.
//!
//! Programs print the same document for two names. What is known of the one is then known of the other, but for the words that differ, and
//! a look for these takes a tenth of the time of reading it.

use crate::document::{Content, Document, Node};
use crate::resolve::resolve;
use crate::scan::Decoded;
use crate::{Kind, MOST_BYTES, Scalar, Style};

/// A scalar that says something else in the other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reworded<'t> {
    /// The [`NodeRef::id`](crate::NodeRef::id) of the scalar in the document.
    pub id: u32,
    /// What it says in the other text; `None` for a block of text.
    pub text: Option<&'t str>,
}

impl Document {
    /// Where `other` differs from the text of this document, if it is known to be one of the same nodes in which some strings are others: values of one
    /// line, or lines of literal blocks. Then it is read without an error too. `None` is no answer, not even that it differs.
    #[must_use]
    pub fn reworded<'t>(&self, other: &'t str) -> Option<Vec<Reworded<'t>>> {
        if !self.is_simple() || other.len() > MOST_BYTES {
            return None;
        }
        let text = self.source();
        let mut scalars = self.tree.nodes.iter().zip(0..).filter(|(node, _)| node.kind == Kind::Scalar).peekable();
        let mut found: Vec<Reworded<'t>> = Vec::new();
        let (mut at, mut other_at) = (0, 0);
        loop {
            let same = common(&text.as_bytes()[at..], &other.as_bytes()[other_at..]);
            if at + same == text.len() && other_at + same == other.len() {
                return Some(found);
            }
            // The line that differs.
            let before = memchr::memrchr(b'\n', &text.as_bytes()[at..at + same]).map_or(0, |end| end + 1);
            let (start, other_start) = (at + before, other_at + before);
            let line = Line { start, old: line_at(text, start)?, new: line_at(other, other_start)? };
            (at, other_at) = (start + line.old.len(), other_start + line.new.len());
            let words = Words::of(line)?;
            let start = line.start + words.start;
            while scalars.next_if(|(node, _)| node.end as usize <= start).is_some() {}
            let (node, id) = *scalars.peek()?;
            let text = self.reworded_scalar(node, line, words)?;
            if found.last().is_none_or(|last| last.id != id) {
                found.push(Reworded { id, text });
            }
        }
    }

    /// What a scalar says in the other text, with other words.
    fn reworded_scalar<'t>(&self, node: &Node, line: Line<'_, 't>, words: Words<'_, 't>) -> Option<Option<&'t str>> {
        let start = line.start + words.start;
        let end = start + words.old.len();
        if node.style == Style::Literal {
            // What differs begins with a word, so the line is as deep as it was.
            let is_text = words.new.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            return (is_text && (node.start as usize) < line.start && end <= node.end as usize).then_some(None);
        }
        let Content::Text(Decoded::Range { start: from, end: to }) = node.content else { return None };
        let (from, to) = (from as usize, to as usize);
        // A key may be found under its name, or be too long.
        let is_key = self.source().as_bytes().get(node.end as usize) == Some(&b':');
        if is_key || !words.have_same_signs() || from < line.start || start < from || to < end {
            return None;
        }
        let rest = line.old.len() - (to - line.start);
        let text = &line.new[from - line.start..line.new.len() - rest];
        let is_string = |text| matches!(resolve("", text, self.dialect()), Ok(Scalar::Str));
        let begins = start > from || !text.starts_with('-');
        let stays = node.style != Style::Plain || (begins && is_string(text) && is_string(&self.source()[from..to]));
        stays.then_some(Some(text))
    }
}

/// A line of both texts.
#[derive(Clone, Copy)]
struct Line<'a, 't> {
    /// Where it starts in the known text.
    start: usize,
    old: &'a str,
    new: &'t str,
}

/// How many bytes are the same at the start.
fn common(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

/// The line at a place, with its line feed; `None` at the end.
fn line_at(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    rest.get(..memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1))
}

/// The part of a line that differs, to the ends of words.
#[derive(Clone, Copy)]
struct Words<'a, 't> {
    /// Where it starts in the line.
    start: usize,
    old: &'a str,
    new: &'t str,
}

impl<'a, 't> Words<'a, 't> {
    /// `None` if what differs does not begin and end with words.
    fn of(line: Line<'a, 't>) -> Option<Self> {
        let (old, new) = (line.old.as_bytes(), line.new.as_bytes());
        let same = |(a, b): &(&u8, &u8)| a == b;
        let least = old.len().min(new.len());
        let mut start = common(old, new);
        let mut after = old.iter().rev().zip(new.iter().rev()).take(least - start).take_while(same).count();
        // To the ends of words: a word that is only longer differs in nothing that the other has.
        start -= old[..start].iter().rev().take_while(|byte| is_word(**byte)).count();
        after -= old[old.len() - after..].iter().take_while(|byte| is_word(**byte)).count();
        let (old, new) = (line.old.get(start..old.len() - after)?, line.new.get(start..new.len() - after)?);
        let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
        let has_edges = |text: &str| is_edge(text.as_bytes().first()) && is_edge(text.as_bytes().last());
        (has_edges(old) && has_edges(new)).then_some(Self { start, old, new })
    }

    /// Whether both are words with the same signs between them, none of which means something beside a word.
    fn have_same_signs(self) -> bool {
        let mut signs = self.old.bytes().filter(|byte| !is_word(*byte));
        signs.clone().eq(self.new.bytes().filter(|byte| !is_word(*byte)))
            && signs.all(|sign| matches!(sign, b'.' | b'/' | b'_' | b':' | b'@' | b'='))
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests;
