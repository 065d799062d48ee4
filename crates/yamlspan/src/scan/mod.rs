//! Text to tokens, by the rules that go-yaml took over from libyaml.
//!
//! The three versions share most rules. They differ in how far they look ahead (v3 and v4 collect comments), in how they
//! remember what may become a key, and in a few characters. Columns count characters from zero in all of them here;
//! v4 counts from one, which shows in its messages and in block scalars at the top level.

mod chars;
mod fetch;
mod problem;
mod properties;
mod scalars;
mod token;

use std::borrow::Cow;
use std::collections::VecDeque;

pub(crate) use problem::{Problem, Stage};
pub(crate) use token::{Decoded, Made, Maker, Mark, TagText, Token, TokenKind, narrow};

use crate::Dialect;

/// go-yaml's own limit for open brackets and for open block levels.
const MOST_LEVELS: usize = 10_000;

/// A simple key must end within this many characters (v2 and v3).
const LONGEST_SIMPLE_KEY: u32 = 1024;

/// go-yaml decodes its input in chunks of this many bytes, so a bad character is found while a chunk is filled.
const CHUNK: usize = 512;

/// Pieces of scalars in one text whose places are kept exactly: a line of a block scalar is one, and each weighs more than a short
/// line does. The files that charts carry in ConfigMaps have some ten thousand lines.
pub(crate) const MOST_PIECES: usize = 500_000;

const BOM: &str = "\u{feff}";

pub(crate) struct Scanner<'s> {
    source: &'s str,
    /// What may be read: the source, or its start up to the chunk with a forbidden character.
    bytes: &'s [u8],
    pub(crate) dialect: Dialect,
    /// The forbidden character after `bytes`, if any.
    forbidden: Option<(usize, u32)>,
    at: usize,
    line: u32,
    line_start: usize,
    /// Bytes since the start of the line that are not the first of their character.
    continuation: usize,
    ascii: bool,
    /// go-yaml looks for a BOM at the start of its buffer instead of at the line's start.
    second_bom: bool,
    /// So it takes the end for a BOM if the last token starts with one and is short.
    last_bom: bool,

    started: bool,
    ended: bool,
    tokens: VecDeque<Token>,
    /// Number of tokens that were taken from the queue.
    taken: usize,
    available: bool,
    last: Option<(TokenKind, Mark)>,
    /// -1 for none.
    indent: i64,
    indents: Vec<i64>,
    flow_level: usize,
    key_allowed: bool,
    keys: Keys,

    /// Tags and `%TAG` directives.
    pub(crate) tags: Vec<TagText>,
    /// Scalars that were put together.
    pub(crate) made: Vec<Made>,
    /// Of [`MOST_PIECES`].
    pieces_left: usize,
}

/// A place where a key without `?` may have started.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    flow_level: usize,
    mark: Mark,
}

impl SimpleKey {
    /// The empty key of v4, which is nowhere.
    const NONE: Self = Self {
        possible: false,
        required: false,
        token: 0,
        flow_level: 0,
        mark: Mark { line: Mark::NO_LINE, at: 0, column: 0 },
    };
}

enum Keys {
    /// v2 and v3: one per flow level, and an index by token number.
    Levels { levels: Vec<SimpleKey>, by_token: Vec<(usize, usize)> },
    /// v4: the current one, and those of outer flow levels. Whether the current one is possible is a state of its own, which
    /// an opening bracket does not reset.
    Stack { possible: bool, current: SimpleKey, outer: Vec<SimpleKey> },
}

type Scanned<T> = Result<T, Problem>;

impl<'s> Scanner<'s> {
    pub(crate) fn new(source: &'s str, dialect: Dialect) -> Self {
        let at = if source.starts_with(BOM) { BOM.len() } else { 0 };
        let forbidden = first_forbidden(source, dialect);
        let readable = forbidden.map_or(source.len(), |(offset, code)| match char::from_u32(code) {
            Some(end) if source::octets::is_cut(end) => offset,
            _ => chunk_start(source, at, offset),
        });
        let bytes = source.as_bytes();
        Self {
            source,
            bytes: bytes.get(..readable).unwrap_or(bytes),
            dialect,
            forbidden,
            at,
            line: 0,
            line_start: at,
            continuation: 0,
            ascii: source.is_ascii(),
            second_bom: source.get(at..).is_some_and(|rest| rest.starts_with(BOM)),
            last_bom: false,
            started: false,
            ended: false,
            tokens: VecDeque::new(),
            taken: 0,
            available: false,
            last: None,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            key_allowed: true,
            keys: match dialect {
                Dialect::GoYamlV2 | Dialect::GoYamlV3 => {
                    Keys::Levels { levels: vec![SimpleKey::default()], by_token: Vec::new() }
                }
                Dialect::GoYamlV4 => Keys::Stack { possible: false, current: SimpleKey::NONE, outer: Vec::new() },
            },
            tags: Vec::new(),
            made: Vec::new(),
            pieces_left: MOST_PIECES,
        }
    }

    /// The next token, which stays in the queue.
    #[inline]
    pub(crate) fn peek(&mut self) -> Scanned<Token> {
        if let Some(token) = self.ready() {
            return Ok(*token);
        }
        self.fetch_head()
    }

    /// The next token, if it was made already.
    #[inline]
    pub(crate) fn ready(&self) -> Option<&Token> {
        if self.available { self.tokens.front() } else { None }
    }

    #[inline(never)]
    fn fetch_head(&mut self) -> Scanned<Token> {
        if !self.available {
            self.fetch_more()?;
        }
        self.tokens.front().copied().ok_or_else(|| self.problem("the stream has ended"))
    }

    /// Drops the token that [`Scanner::peek`] gave.
    pub(crate) fn skip(&mut self) {
        self.available = false;
        self.taken += 1;
        if let Some(token) = self.tokens.pop_front() {
            self.ended = token.kind == TokenKind::StreamEnd;
        }
    }

    fn mark(&self) -> Mark {
        Mark { at: narrow(self.at), line: self.line, column: narrow(self.column()) }
    }

    #[inline]
    fn column(&self) -> usize {
        self.at - self.line_start - self.continuation
    }

    /// The column as a signed number, to compare with the indentation.
    #[inline]
    fn level(&self) -> i64 {
        i64::try_from(self.column()).unwrap_or(i64::MAX)
    }

    /// Steps over one character that is no line break.
    #[inline]
    fn step(&mut self) {
        let width = if self.ascii { 1 } else { chars::width(self.here()) };
        self.at += width;
        self.continuation += width - 1;
    }

    /// Steps to `to` on the same line.
    #[inline]
    fn step_to(&mut self, to: usize) {
        if !self.ascii {
            let passed = self.bytes.get(self.at..to).unwrap_or_default();
            self.continuation += passed.iter().filter(|&&byte| byte & 0xc0 == 0x80).count();
        }
        self.at = to;
    }

    /// Steps over the line break at the position, if there is one.
    #[inline]
    fn step_line(&mut self) {
        let width = self.break_width(self.at);
        if width > 0 {
            self.at += width;
            self.line += 1;
            self.line_start = self.at;
            self.continuation = 0;
        }
    }

    /// Steps over a line break and gives what it means: LF, but LS and PS stay.
    fn take_break(&mut self) -> &'static str {
        let meaning = match (self.here(), self.byte(self.at + 2)) {
            (0xe2, 0xa8) => "\u{2028}",
            (0xe2, _) => "\u{2029}",
            _ => "\n",
        };
        self.step_line();
        meaning
    }

    /// The problem `message` at the position; or the forbidden character, if go-yaml had met it by now.
    fn problem(&self, message: impl Into<Cow<'static, str>>) -> Problem {
        match self.unreadable() {
            Some(problem) => problem,
            None => Problem { stage: Stage::Scanner, context: None, message: message.into(), mark: self.mark() },
        }
    }

    fn problem_in(&self, context: &'static str, from: Mark, message: impl Into<Cow<'static, str>>) -> Problem {
        match self.unreadable() {
            Some(problem) => problem,
            None => Problem { context: Some((context, from)), ..self.problem(message) },
        }
    }

    /// After a token that ends where the next character ends it: go-yaml has read that one by now.
    fn next_is_readable(&self) -> Scanned<()> {
        let is_cut = self.forbidden.is_some() && self.at >= self.bytes.len();
        self.unreadable().filter(|_| is_cut).map_or(Ok(()), Err)
    }

    /// Set when the next four characters reach into a chunk with a forbidden character.
    fn unreadable(&self) -> Option<Problem> {
        let (offset, value) = self.forbidden?;
        let rest = self.source.get(self.at..self.bytes.len()).unwrap_or_default();
        if rest.chars().nth(3).is_some() {
            return None;
        }
        let message = match self.dialect {
            _ if self.source[offset..].starts_with(source::octets::is_mark) => {
                unreadable_octets(&self.source[offset..]).into()
            }
            Dialect::GoYamlV4 => format!("control characters are not allowed (value: {value})").into(),
            _ => "control characters are not allowed".into(),
        };
        let mark = Mark { at: narrow(offset), ..Mark::default() };
        Some(Problem { stage: Stage::Reader, context: None, message, mark })
    }

    fn push(&mut self, kind: TokenKind, start: Mark) {
        let token = Token { kind, start, end: self.mark() };
        self.append(token);
    }

    fn append(&mut self, token: Token) {
        self.last = Some((token.kind, token.start));
        self.tokens.push_back(token);
    }

    /// Puts a token before the one with number `number`. As in go-yaml, it goes to the end if that one is gone already.
    fn insert(&mut self, number: usize, kind: TokenKind, mark: Mark) {
        let token = Token { kind, start: mark, end: mark };
        match number.checked_sub(self.taken).filter(|&place| place < self.tokens.len()) {
            Some(place) => self.tokens.insert(place, token),
            None => self.append(token),
        }
    }

    /// The number that the next token will have.
    fn next_number(&self) -> usize {
        self.taken + self.tokens.len()
    }
}

/// The first character that go-yaml's reader refuses, with its code.
fn first_forbidden(source: &str, dialect: Dialect) -> Option<(usize, u32)> {
    let bytes = source.as_bytes();
    // DEL and the C1 controls other than NEL are fine in v4.
    let c1 = dialect != Dialect::GoYamlV4;
    let mut from = 0;
    while let Some(at) = next_suspicious(bytes, from) {
        from = at + 1;
        let next = |ahead: usize| bytes.get(at + ahead).copied().unwrap_or(0);
        match next(0) {
            0x7f if !c1 => {}
            0xc2 if !c1 || next(1) >= 0xa0 || next(1) == 0x85 => {}
            0xef if !(next(1) == 0xbf && next(2) >= 0xbe) => {}
            // Most characters that begin so are no marks.
            0xf4 if !source[at..].starts_with(source::octets::is_mark) => {}
            _ => return Some((at, source.get(at..)?.chars().next()?.into())),
        }
    }
    None
}

/// What go-yaml's reader says of bytes that begin no character.
fn unreadable_octets(rest: &str) -> &'static str {
    if let Some(fault) = rest.chars().next().and_then(source::octets::fault) {
        return fault;
    }
    let few: String = rest.chars().take(4).collect();
    let bytes = source::octets::unmarked(&few);
    let lead = bytes.first().copied().unwrap_or_default();
    let (width, low) = match lead {
        0xc0..=0xdf => (2, lead & 0x1f),
        0xe0..=0xef => (3, lead & 0x0f),
        0xf0..=0xf7 => (4, lead & 0x07),
        _ => return "invalid leading UTF-8 octet",
    };
    let Some(trailing) = bytes.get(1..width) else { return "incomplete UTF-8 octet sequence" };
    if trailing.iter().any(|octet| octet & 0xc0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    let code = trailing.iter().fold(u32::from(low), |code, octet| code << 6 | u32::from(octet & 0x3f));
    let is_short = code < [0x80, 0x800, 0x1_0000][width - 2];
    match char::from_u32(code) {
        _ if is_short => "invalid length of a UTF-8 sequence",
        None => "invalid Unicode character",
        // Which no file should have, nor has one that is known.
        Some(_) => "the characters from U+10FF00 on cannot be read",
    }
}

/// The first byte from `from` on with which a forbidden character may begin. It looks at whole blocks without branches
/// first, which the compiler turns into vector instructions: nearly all texts have none.
fn next_suspicious(bytes: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 64;
    let suspicious = |byte: u8| {
        ((byte < 0x20) & (byte != b'\n') & (byte != b'\r') & (byte != b'\t'))
            | (byte == 0x7f)
            | (byte == 0xc2)
            | (byte == 0xef)
            | (byte == 0xf4)
    };
    let mut at = from;
    for block in bytes.get(from..)?.chunks(BLOCK) {
        if block.iter().fold(false, |any, &byte| any | suspicious(byte)) {
            return block.iter().position(|&byte| suspicious(byte)).map(|step| at + step);
        }
        at += block.len();
    }
    None
}

/// Start of the chunk in which go-yaml's reader meets the byte at `offset`.
fn chunk_start(source: &str, first: usize, offset: usize) -> usize {
    let mut start = first;
    let mut reach = CHUNK;
    loop {
        let mut end = reach.min(source.len());
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        if offset < end || end <= start {
            return start;
        }
        start = end;
        reach = end + CHUNK;
    }
}
