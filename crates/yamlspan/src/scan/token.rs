//! What the scanner hands to the parser.

use crate::Style;

/// A place as go-yaml counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Byte offset.
    pub(crate) at: u32,
    /// From zero.
    pub(crate) line: u32,
    /// In characters, from zero.
    pub(crate) column: u32,
}

impl Mark {
    /// The line of a place that is not known.
    pub(crate) const NO_LINE: u32 = u32::MAX;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    StreamStart,
    StreamEnd,
    /// `%YAML`; whether it says 1.1.
    VersionDirective {
        known: bool,
    },
    /// `%TAG`; index into [`super::Scanned::tags`].
    TagDirective(u32),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    /// Index into [`super::Scanned::tags`].
    Tag(u32),
    Scalar(Style, Decoded),
}

/// The decoded text of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// It stands in the source as it is.
    Range { start: u32, end: u32 },
    /// Index into [`super::Scanned::made`].
    Made(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: Mark,
    /// Byte offset.
    pub(crate) end: Mark,
}

/// A tag (`handle` may be empty) or the arguments of a `%TAG` directive (`suffix` is the prefix).
#[derive(Clone, Debug)]
pub(crate) struct TagText {
    pub(crate) handle: String,
    pub(crate) suffix: String,
}

/// A scalar whose decoded text does not stand in the source as one piece.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) text: Box<str>,
    /// Where its bytes come from, in order and without gaps.
    pub(crate) pieces: Box<[Piece]>,
    /// The source range inside quotes, or below a block header.
    pub(crate) content: (u32, u32),
}

/// The decoded bytes from `at` up to the next piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) at: u32,
    pub(crate) source: (u32, u32),
    /// Whether the source bytes are the decoded bytes.
    pub(crate) exact: bool,
}

/// Puts a scalar together from pieces.
pub(crate) struct Maker {
    pub(super) text: String,
    pieces: Vec<Piece>,
    room: usize,
}

impl Maker {
    /// With so many exact pieces; what comes after them is one piece that says no more than where all of it stands.
    pub(crate) fn with_room(room: usize) -> Self {
        Self { text: String::new(), pieces: Vec::new(), room }
    }

    /// Appends the source bytes `from..to` as they are.
    pub(crate) fn exact(&mut self, source: &str, from: usize, to: usize) {
        let Some(part) = source.get(from..to).filter(|part| !part.is_empty()) else { return };
        self.push(part, from, to, true);
    }

    /// How many pieces there are.
    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Appends `text`, which the source bytes `from..to` stand for.
    pub(super) fn derived(&mut self, text: &str, from: usize, to: usize) {
        if !text.is_empty() {
            self.push(text, from, to, false);
        }
    }

    fn push(&mut self, part: &str, from: usize, to: usize, exact: bool) {
        let (at, source) = (narrow(self.text.len()), (narrow(from), narrow(to)));
        self.text.push_str(part);
        let is_full = self.pieces.len() > self.room;
        match self.pieces.last_mut() {
            Some(last) if exact && last.exact && last.source.1 == source.0 => last.source.1 = source.1,
            Some(last) if is_full => {
                last.source.1 = source.1;
                last.exact = false;
            }
            _ => self.pieces.push(Piece { at, source, exact }),
        }
    }

    pub(crate) fn finish(self, content: (usize, usize)) -> Made {
        let content = (narrow(content.0), narrow(content.1));
        Made { text: self.text.into(), pieces: self.pieces.into(), content }
    }
}

/// Offsets fit: texts are limited to [`crate::MOST_BYTES`].
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl Made {
    /// Pieces with the ranges of decoded bytes that they are.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (std::ops::Range<usize>, Piece)> {
        let ends = self.pieces.iter().skip(1).map(|piece| piece.at as usize).chain([self.text.len()]);
        self.pieces.iter().zip(ends).map(|(piece, end)| (piece.at as usize..end, *piece))
    }
}
