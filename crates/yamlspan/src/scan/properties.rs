//! Anchors, aliases, tags and directives.

use super::chars::{FlowIndicators, hex, is_tag_punctuation, is_word, width};
use super::token::{TagText, narrow};
use super::{Mark, Problem, Scanned, Scanner, Token, TokenKind};
use crate::Dialect;

/// A version number in `%YAML` has at most this many digits.
const MOST_VERSION_DIGITS: usize = 2;

impl Scanner<'_> {
    pub(super) fn scan_anchor(&mut self, kind: TokenKind) -> Scanned<()> {
        let start = self.mark();
        self.at += 1;
        let from = self.at;
        let v4 = self.dialect == Dialect::GoYamlV4;
        // Where v4 takes every character for a BOM, none is one of an anchor. With fewer than four it has read on, and its buffer begins here.
        let none =
            v4 && self.sees_second_bom() && self.source.get(from..).is_some_and(|rest| rest.chars().nth(2).is_some());
        while !none && (is_word(self.here()) || (v4 && is_v4_anchor(self.here()))) {
            self.at += 1;
        }
        let ends = self.is_blank_or_end(self.at)
            || matches!(self.here(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if self.at == from || !ends {
            let context = match kind {
                TokenKind::Anchor => "while scanning an anchor",
                _ => "while scanning an alias",
            };
            return Err(self.problem_in(context, start, "did not find expected alphabetic or numeric character"));
        }
        self.push(kind, start);
        self.next_is_readable()
    }

    pub(super) fn scan_tag(&mut self) -> Scanned<()> {
        let start = self.mark();
        let by_dialect = match self.dialect {
            Dialect::GoYamlV4 => FlowIndicators::None,
            _ => FlowIndicators::Some,
        };
        let tag = if self.byte(self.at + 1) == b'<' {
            self.at += 2;
            let suffix = self.scan_uri(false, self.verbatim(), "", start)?;
            if self.here() != b'>' {
                return Err(self.problem_in("while scanning a tag", start, "did not find the expected '>'"));
            }
            self.at += 1;
            TagText { handle: String::new(), suffix }
        } else {
            let handle = self.scan_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_uri(false, by_dialect, "", start)?;
                TagText { handle, suffix }
            } else {
                // It was no handle but the start of the tag itself.
                let suffix = self.scan_uri(false, by_dialect, &handle, start)?;
                match suffix.is_empty() {
                    true => TagText { handle: String::new(), suffix: "!".to_owned() },
                    false => TagText { handle: "!".to_owned(), suffix },
                }
            }
        };
        if !self.is_blank_or_end(self.at) {
            let message = "did not find expected whitespace or line break";
            return Err(self.problem_in("while scanning a tag", start, message));
        }
        let index = narrow(self.tags.len());
        self.tags.push(tag);
        self.push(TokenKind::Tag(index), start);
        self.next_is_readable()
    }

    fn verbatim(&self) -> FlowIndicators {
        match self.dialect {
            Dialect::GoYamlV4 => FlowIndicators::All,
            _ => FlowIndicators::Some,
        }
    }

    fn tag_problem(&self, directive: bool, start: Mark, message: String) -> Problem {
        let context = if directive { "while parsing a %TAG directive" } else { "while parsing a tag" };
        self.problem_in(context, start, message)
    }

    fn scan_handle(&mut self, directive: bool, start: Mark) -> Scanned<String> {
        let missing = "did not find expected '!'";
        if self.here() != b'!' {
            return Err(self.tag_problem(directive, start, missing.to_owned()));
        }
        let from = self.at;
        self.at += 1;
        while is_word(self.here()) {
            self.at += 1;
        }
        if self.here() == b'!' {
            self.at += 1;
        } else if directive && self.at - from != 1 {
            return Err(self.tag_problem(directive, start, missing.to_owned()));
        }
        Ok(self.source.get(from..self.at).unwrap_or_default().to_owned())
    }

    /// The rest of a tag after `head`, whose leading `!` is not part of it.
    fn scan_uri(&mut self, directive: bool, flow: FlowIndicators, head: &str, start: Mark) -> Scanned<String> {
        let mut uri: Vec<u8> = head.bytes().skip(1).collect();
        let mut found = !head.is_empty();
        while is_word(self.here()) || is_tag_punctuation(self.here(), flow) {
            if self.here() == b'%' {
                self.scan_escaped_char(directive, start, &mut uri)?;
            } else {
                uri.push(self.here());
                self.at += 1;
            }
            found = true;
        }
        if self.dialect == Dialect::GoYamlV4 && flow == FlowIndicators::None && matches!(self.here(), 0x21..=0x7e) {
            let found = char::from(self.here());
            let message = format!("found character '{found}' that is not allowed in a YAML tag");
            return Err(self.tag_problem(directive, start, message));
        }
        if !found {
            return Err(self.tag_problem(directive, start, "did not find expected tag URI".to_owned()));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// The `%XX` escapes of one UTF-8 character.
    fn scan_escaped_char(&mut self, directive: bool, start: Mark, uri: &mut Vec<u8>) -> Scanned<()> {
        let mut left: Option<usize> = None;
        while left != Some(0) {
            let digits = (hex(self.byte(self.at + 1)), hex(self.byte(self.at + 2)));
            let (b'%', (Some(high), Some(low))) = (self.here(), digits) else {
                return Err(self.tag_problem(directive, start, "did not find URI escaped octet".to_owned()));
            };
            let octet = u8::try_from(high * 16 + low).unwrap_or(0);
            left = match left {
                None if matches!(octet, 0x80..=0xbf | 0xf8..) => {
                    let message = "found an incorrect leading UTF-8 octet";
                    return Err(self.tag_problem(directive, start, message.to_owned()));
                }
                None => Some(width(octet) - 1),
                Some(_) if octet & 0xc0 != 0x80 => {
                    let message = "found an incorrect trailing UTF-8 octet";
                    return Err(self.tag_problem(directive, start, message.to_owned()));
                }
                Some(left) => Some(left - 1),
            };
            uri.push(octet);
            self.at += 3;
        }
        Ok(())
    }

    pub(super) fn scan_directive(&mut self) -> Scanned<()> {
        const CONTEXT: &str = "while scanning a directive";
        let start = self.mark();
        self.at += 1;
        let from = self.at;
        while is_word(self.here()) {
            self.at += 1;
        }
        if self.at == from {
            return Err(self.problem_in(CONTEXT, start, "could not find expected directive name"));
        }
        if !self.is_blank_or_end(self.at) {
            return Err(self.problem_in(CONTEXT, start, "found unexpected non-alphabetical character"));
        }
        let kind = match self.source.get(from..self.at) {
            Some("YAML") => self.scan_version(start)?,
            Some("TAG") => self.scan_tag_directive(start)?,
            _ => return Err(self.problem_in(CONTEXT, start, "found unknown directive name")),
        };
        let token = Token { kind, start, end: self.mark() };
        self.skip_blanks();
        if self.here() == b'#' {
            self.skip_comment();
        }
        if !self.is_break_or_end(self.at) {
            return Err(self.problem_in(CONTEXT, start, "did not find expected comment or line break"));
        }
        self.step_line();
        self.append(token);
        Ok(())
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.is_blank(self.at) {
            self.at += 1;
        }
    }

    fn scan_version(&mut self, start: Mark) -> Scanned<TokenKind> {
        self.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.here() != b'.' {
            let message = "did not find expected digit or '.' character";
            return Err(self.problem_in("while scanning a %YAML directive", start, message));
        }
        self.at += 1;
        let minor = self.scan_version_number(start)?;
        Ok(TokenKind::VersionDirective { known: (major, minor) == (1, 1) })
    }

    fn scan_version_number(&mut self, start: Mark) -> Scanned<u8> {
        const CONTEXT: &str = "while scanning a %YAML directive";
        let from = self.at;
        let mut value = 0;
        while self.here().is_ascii_digit() {
            if self.at - from == MOST_VERSION_DIGITS {
                return Err(self.problem_in(CONTEXT, start, "found extremely long version number"));
            }
            value = value * 10 + (self.here() - b'0');
            self.at += 1;
        }
        if self.at == from {
            return Err(self.problem_in(CONTEXT, start, "did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Scanned<TokenKind> {
        const CONTEXT: &str = "while scanning a %TAG directive";
        self.skip_blanks();
        let handle = self.scan_handle(true, start)?;
        if !self.is_blank(self.at) {
            return Err(self.problem_in(CONTEXT, start, "did not find expected whitespace"));
        }
        self.skip_blanks();
        let suffix = self.scan_uri(true, self.verbatim(), "", start)?;
        if !self.is_blank_or_end(self.at) {
            return Err(self.problem_in(CONTEXT, start, "did not find expected whitespace or line break"));
        }
        let index = narrow(self.tags.len());
        self.tags.push(TagText { handle, suffix });
        Ok(TokenKind::TagDirective(index))
    }
}

/// v4 takes any printable ASCII character but flow indicators and the colon.
fn is_v4_anchor(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'[' | b']' | b'{' | b'}' | b',' | b':')
}
