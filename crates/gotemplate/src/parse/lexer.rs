//! Text to tokens, exactly as Go's lexer cuts them: the parser's error messages depend on it.

use crate::format::{is_letter_or_digit, is_printable};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl TokenKind {
    fn is_keyword(self) -> bool {
        use TokenKind::{Block, Break, Continue, Define, Dot, Else, End, If, Nil, Range, Template, With};
        matches!(self, Block | Break | Continue | Dot | Define | Else | End | If | Nil | Range | Template | With)
    }
}

/// A piece of the text. What is wrong with an error token, the lexer knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) kind: TokenKind,
    /// Byte offset in the text.
    pub(super) at: usize,
    pub(super) text: &'s str,
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.at + if self.kind == TokenKind::Eof { 0 } else { self.text.len() }
    }

    /// As Go prints a token in messages.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            TokenKind::Eof => "EOF".to_owned(),
            kind if kind.is_keyword() => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                // Go compares bytes, then cuts at characters.
                let cut = self.text.char_indices().nth(10).map_or(self.text.len(), |(at, _)| at);
                format!("{}...", crate::format::quote(&self.text.as_bytes()[..cut]))
            }
            _ => crate::format::quote(self.text.as_bytes()),
        }
    }
}

/// What the lexer is in the middle of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Action,
}

pub(super) struct Lexer<'s> {
    input: &'s str,
    /// Where the next character is.
    at: usize,
    /// Where the token under way begins.
    start: usize,
    line: usize,
    start_line: usize,
    place: Place,
    open_parens: usize,
    /// What is wrong: of the first error token, for the parser does not go on after it.
    pub(super) wrong: Option<String>,
    /// Whether the words are keywords: not if there is a function of that name.
    pub(super) break_is_keyword: bool,
    pub(super) continue_is_keyword: bool,
}

const LEFT_DELIM: &str = "{{";
const RIGHT_DELIM: &str = "}}";
const LEFT_COMMENT: &str = "/*";
const RIGHT_COMMENT: &str = "*/";
/// A trim marker and the space beside it.
const MARKER_LEN: usize = 2;
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn has_left_marker(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    matches!(bytes, [b'-', space, ..] if is_space(char::from(*space)))
}

fn has_right_marker(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    matches!(bytes, [space, b'-', ..] if is_space(char::from(*space)))
}

/// As `find(LEFT_DELIM)`, without the set-up that a search for a string has: texts are short.
fn find_left_delim(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.find('{')?;
        if text.as_bytes().get(at + 1) == Some(&b'{') {
            return Some(at);
        }
        at += 1;
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

impl<'s> Lexer<'s> {
    pub(super) fn new(input: &'s str) -> Self {
        Self {
            input,
            at: 0,
            start: 0,
            line: 1,
            start_line: 1,
            place: Place::Text,
            open_parens: 0,
            wrong: None,
            break_is_keyword: true,
            continue_is_keyword: true,
        }
    }

    /// The next token; after the end, `Eof` for ever.
    pub(super) fn next_token(&mut self) -> Token<'s> {
        match self.place {
            Place::Text => self.text(),
            Place::Action => self.inside_action(),
        }
    }

    fn rest(&self) -> &'s str {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        match self.input.as_bytes().get(self.at) {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            _ => self.rest().chars().next(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    /// Steps over letters and digits.
    fn word(&mut self) {
        while self.peek().is_some_and(is_letter_or_digit) {
            self.next();
        }
    }

    fn back(&mut self) {
        let Some(last) = self.input.get(..self.at).and_then(|before| before.chars().next_back()) else { return };
        self.at -= last.len_utf8();
        if last == '\n' {
            self.line -= 1;
        }
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|next| valid.contains(next));
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn pending(&self) -> &'s str {
        self.input.get(self.start..self.at).unwrap_or_default()
    }

    fn emit(&mut self, kind: TokenKind) -> Token<'s> {
        let token = Token { kind, at: self.start, text: self.pending(), line: self.start_line };
        self.start = self.at;
        self.start_line = self.line;
        token
    }

    /// Drops what is pending; its line ends have not been counted yet.
    fn ignore(&mut self) {
        self.line += newlines(self.pending());
        self.start = self.at;
        self.start_line = self.line;
    }

    /// An error token. Nothing comes after it.
    fn error(&mut self, message: String) -> Token<'s> {
        let token = Token { kind: TokenKind::Error, at: self.start, text: "", line: self.start_line };
        self.wrong.get_or_insert(message);
        self.start = 0;
        self.at = 0;
        self.input = "";
        token
    }

    fn text(&mut self) -> Token<'s> {
        loop {
            let Some(before) = find_left_delim(self.rest()) else {
                self.at = self.input.len();
                if self.at > self.start {
                    self.line += newlines(self.pending());
                    return self.emit(TokenKind::Text);
                }
                return Token { kind: TokenKind::Eof, at: self.start, text: "EOF", line: self.start_line };
            };
            if before > 0 {
                self.at += before;
                let after = self.input.get(self.at + LEFT_DELIM.len()..).unwrap_or_default();
                let text = self.pending();
                let trimmed = if has_left_marker(after) { text.trim_end_matches(SPACES) } else { text };
                let trim = text.len() - trimmed.len();
                self.at -= trim;
                self.line += newlines(trimmed);
                let token = self.emit(TokenKind::Text);
                self.at += trim;
                self.ignore();
                if !token.text.is_empty() {
                    return token;
                }
            }
            self.at += LEFT_DELIM.len();
            let marker = if has_left_marker(self.rest()) { MARKER_LEN } else { 0 };
            let after = self.rest().get(marker..).unwrap_or_default();
            if !after.starts_with(LEFT_COMMENT) {
                let token = self.emit(TokenKind::LeftDelim);
                self.place = Place::Action;
                self.at += marker;
                self.ignore();
                self.open_parens = 0;
                return token;
            }
            self.at += marker;
            self.ignore();
            if let Some(error) = self.comment() {
                return error;
            }
        }
    }

    /// Skips a comment with its delimiters. Gives an error token if it is not closed.
    fn comment(&mut self) -> Option<Token<'s>> {
        self.at += LEFT_COMMENT.len();
        let Some(end) = self.rest().find(RIGHT_COMMENT) else {
            return Some(self.error("unclosed comment".to_owned()));
        };
        self.at += end + RIGHT_COMMENT.len();
        let Some(trim) = self.at_right_delim() else {
            return Some(self.error("comment ends before closing delimiter".to_owned()));
        };
        self.ignore();
        self.close(trim);
        self.ignore();
        None
    }

    /// Steps over a right delimiter and, with a trim marker, over the space on both sides.
    fn close(&mut self, trim: bool) {
        if trim {
            self.at += MARKER_LEN;
        }
        self.at += RIGHT_DELIM.len();
        if trim {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(SPACES).len();
        }
    }

    /// Whether a right delimiter comes next, and whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_marker(rest) && rest.get(MARKER_LEN..).is_some_and(|rest| rest.starts_with(RIGHT_DELIM)) {
            return Some(true);
        }
        rest.starts_with(RIGHT_DELIM).then_some(false)
    }

    fn right_delim(&mut self) -> Token<'s> {
        let trim = self.at_right_delim().unwrap_or_default();
        if trim {
            self.at += MARKER_LEN;
            self.ignore();
        }
        self.at += RIGHT_DELIM.len();
        let token = self.emit(TokenKind::RightDelim);
        if trim {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(SPACES).len();
            self.ignore();
        }
        self.place = Place::Text;
        token
    }

    fn inside_action(&mut self) -> Token<'s> {
        if self.at_right_delim().is_some() {
            if self.open_parens == 0 {
                return self.right_delim();
            }
            return self.error("unclosed left paren".to_owned());
        }
        let Some(next) = self.next() else { return self.error("unclosed action".to_owned()) };
        match next {
            _ if is_space(next) => {
                self.back();
                self.space()
            }
            '=' => self.emit(TokenKind::Assign),
            ':' => {
                if self.next() == Some('=') {
                    self.emit(TokenKind::Declare)
                } else {
                    self.error("expected :=".to_owned())
                }
            }
            '|' => self.emit(TokenKind::Pipe),
            '"' => self.quoted('"', TokenKind::String, "unterminated quoted string"),
            '`' => self.raw_quoted(),
            '$' => self.field_or_variable(TokenKind::Variable),
            '\'' => self.quoted('\'', TokenKind::CharConstant, "unterminated character constant"),
            // At the very end Go goes on as if it were a number.
            '.' if self.rest().bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) => {
                self.field_or_variable(TokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.back();
                self.number()
            }
            _ if is_letter_or_digit(next) => {
                self.back();
                self.identifier()
            }
            '(' => {
                self.open_parens += 1;
                self.emit(TokenKind::LeftParen)
            }
            ')' => {
                let Some(open) = self.open_parens.checked_sub(1) else {
                    return self.error("unexpected right paren".to_owned());
                };
                self.open_parens = open;
                self.emit(TokenKind::RightParen)
            }
            _ if next.is_ascii() && is_printable(next) => self.emit(TokenKind::Char),
            _ => self.error(format!("unrecognized character in action: {}", describe_char(next))),
        }
    }

    fn space(&mut self) -> Token<'s> {
        let mut count = 0;
        while self.peek().is_some_and(is_space) {
            self.next();
            count += 1;
        }
        // The last space may belong to a trim marker.
        let from_last = self.input.get(self.at - 1..).unwrap_or_default();
        if has_right_marker(from_last) && from_last.get(MARKER_LEN..).is_some_and(|rest| rest.starts_with(RIGHT_DELIM))
        {
            self.back();
            if count == 1 {
                return self.right_delim();
            }
        }
        self.emit(TokenKind::Space)
    }

    fn identifier(&mut self) -> Token<'s> {
        self.word();
        if let Some(error) = self.bad_end() {
            return error;
        }
        let kind = match self.pending() {
            "block" => TokenKind::Block,
            "break" if self.break_is_keyword => TokenKind::Break,
            "continue" if self.continue_is_keyword => TokenKind::Continue,
            "define" => TokenKind::Define,
            "else" => TokenKind::Else,
            "end" => TokenKind::End,
            "if" => TokenKind::If,
            "range" => TokenKind::Range,
            "nil" => TokenKind::Nil,
            "template" => TokenKind::Template,
            "with" => TokenKind::With,
            "true" | "false" => TokenKind::Bool,
            _ => TokenKind::Identifier,
        };
        self.emit(kind)
    }

    /// The `.` or `$` has been read.
    fn field_or_variable(&mut self, kind: TokenKind) -> Token<'s> {
        if self.at_terminator() {
            let alone = if kind == TokenKind::Field { TokenKind::Dot } else { kind };
            return self.emit(alone);
        }
        self.word();
        match self.bad_end() {
            Some(error) => error,
            None => self.emit(kind),
        }
    }

    fn bad_end(&mut self) -> Option<Token<'s>> {
        if self.at_terminator() {
            return None;
        }
        let bad = self.peek()?;
        Some(self.error(format!("bad character {}", describe_char(bad))))
    }

    /// Whether a word may end here.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(next) => is_space(next) || self.rest().starts_with(RIGHT_DELIM),
        }
    }

    fn quoted(&mut self, end: char, kind: TokenKind, unterminated: &str) -> Token<'s> {
        loop {
            let next = match self.next() {
                Some('\\') => self.next(),
                Some(next) if next == end => return self.emit(kind),
                next => next,
            };
            if matches!(next, None | Some('\n')) {
                return self.error(unterminated.to_owned());
            }
        }
    }

    fn raw_quoted(&mut self) -> Token<'s> {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string".to_owned()),
                Some('`') => return self.emit(TokenKind::RawString),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token<'s> {
        let good = self.scan_number();
        if good && !matches!(self.peek(), Some('+' | '-')) {
            return self.emit(TokenKind::Number);
        }
        if good && self.scan_number() && self.pending().ends_with('i') {
            return self.emit(TokenKind::Complex);
        }
        self.error(format!("bad number syntax: {}", crate::format::quote(self.pending().as_bytes())))
    }

    /// Accepts somewhat more than numbers; the parser refuses the rest.
    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEX: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEX;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = if digits == DECIMAL {
            "eE"
        } else if digits == HEX {
            "pP"
        } else {
            ""
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_letter_or_digit) {
            self.next();
            return false;
        }
        true
    }
}

/// Go's `%#U`: `U+00E9 'é'`.
fn describe_char(c: char) -> String {
    let code = u32::from(c);
    if is_printable(c) { format!("U+{code:04X} '{c}'") } else { format!("U+{code:04X}") }
}
