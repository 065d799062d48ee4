//! Plain, quoted and block scalars. A scalar whose decoded bytes stand in the source in one piece is not copied.

use super::chars::hex;
use super::token::{Decoded, Maker, narrow};
use super::{Mark, Scanned, Scanner, Token, TokenKind};
use crate::{Dialect, Style};

/// Bytes at which a plain scalar may end, in one of the contexts and dialects.
const MAY_END_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        table[at] = matches!(
            byte,
            0 | b' ' | b'\t' | b'\n' | b'\r' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'?' | 0xc2 | 0xe2
        );
        at += 1;
    }
    table
};

/// Line breaks inside a scalar that wait for what follows them.
#[derive(Default)]
struct Breaks {
    /// The first one: empty, LF, LS or PS.
    first: &'static str,
    rest: String,
    from: usize,
}

impl Breaks {
    /// What the breaks fold to: one becomes a space, of more the first is dropped. LS and PS do not fold.
    fn fold(&self, maker: &mut Maker, to: usize) {
        if self.first == "\n" {
            let text = if self.rest.is_empty() { " " } else { &self.rest };
            maker.derived(text, self.from, to);
        } else {
            maker.derived(&format!("{}{}", self.first, self.rest), self.from, to);
        }
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) -> Scanned<()> {
        let start = self.mark();
        let indent = self.indent + 1;
        let mut maker: Option<Maker> = None;
        // The part that is not in the maker yet; its end is where the last character that counts ends.
        let (mut from, mut end, mut end_mark) = (self.at, self.at, start);
        let mut leading_blanks = false;
        let mut breaks = Breaks::default();
        loop {
            let line_start = self.at == self.line_start + self.continuation;
            if (line_start && self.is_document_marker()) || self.here() == b'#' {
                break;
            }
            let word = self.plain_end();
            if word > self.at {
                if leading_blanks {
                    let maker = maker.get_or_insert_with(|| Maker::with_room(self.pieces_left));
                    maker.exact(self.source, from, end);
                    breaks.fold(maker, self.at);
                    breaks = Breaks::default();
                    leading_blanks = false;
                    from = self.at;
                }
                self.step_to(word);
                end = word;
                end_mark = self.mark();
            }
            if !(self.is_blank(self.at) || self.is_break(self.at)) {
                break;
            }
            loop {
                if self.is_blank(self.at) {
                    if leading_blanks && self.level() < indent && self.here() == b'\t' {
                        let message = "found a tab character that violates indentation";
                        return Err(self.problem_in("while scanning a plain scalar", start, message));
                    }
                    self.at += 1;
                } else if self.is_break(self.at) {
                    let taken = self.take_break();
                    if leading_blanks {
                        breaks.rest.push_str(taken);
                    } else {
                        breaks = Breaks { first: taken, rest: String::new(), from: end };
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && self.level() < indent {
                break;
            }
        }
        let decoded = match maker {
            None => Decoded::Range { start: narrow(from), end: narrow(end) },
            Some(mut maker) => {
                maker.exact(self.source, from, end);
                self.made_scalar(maker, start.at as usize, end)
            }
        };
        self.append(Token { kind: TokenKind::Scalar(Style::Plain, decoded), start, end: end_mark });
        if leading_blanks {
            self.key_allowed = true;
        }
        self.next_is_readable()
    }

    /// Where the run of characters that a plain scalar can have ends: at a blank, a break or an indicator.
    fn plain_end(&self) -> usize {
        let v4 = self.dialect == Dialect::GoYamlV4;
        let mut at = self.at;
        loop {
            // Most characters can be told by their byte alone.
            let rest = self.bytes.get(at..).unwrap_or_default();
            at += rest.iter().position(|&byte| MAY_END_PLAIN[usize::from(byte)]).unwrap_or(rest.len());
            match self.byte(at) {
                0 | b' ' | b'\t' | b'\n' | b'\r' => return at,
                b':' if self.is_blank_or_end(at + 1) => return at,
                b',' | b'[' | b']' | b'{' | b'}' if self.flow_level > 0 => return at,
                b'?' if self.flow_level > 0 && (!v4 || self.is_blank_or_end(at + 1)) => return at,
                b':' if self.flow_level > 0 && v4 && matches!(self.byte(at + 1), b',' | b']' | b'}') => return at,
                0xc2 | 0xe2 if self.is_break(at) => return at,
                _ => {}
            }
            at += 1;
        }
    }

    fn made_scalar(&mut self, maker: Maker, from: usize, to: usize) -> Decoded {
        let index = narrow(self.made.len());
        let made = maker.finish((from, to));
        self.pieces_left = self.pieces_left.saturating_sub(made.pieces.len());
        self.made.push(made);
        Decoded::Made(index)
    }

    pub(super) fn scan_quoted(&mut self, quote: u8) -> Scanned<()> {
        const CONTEXT: &str = "while scanning a quoted scalar";
        let start = self.mark();
        self.at += 1;
        let content = self.at;
        let mut maker: Option<Maker> = None;
        let mut from = self.at;
        loop {
            let line_start = self.at == self.line_start + self.continuation;
            if line_start && self.is_document_marker() {
                return Err(self.problem_in(CONTEXT, start, "found unexpected document indicator"));
            }
            if self.here() == 0 {
                return Err(self.problem_in(CONTEXT, start, "found unexpected end of stream"));
            }
            let mut breaks = Breaks { from: self.at, ..Breaks::default() };
            let mut leading_blanks = false;
            loop {
                self.step_to(self.quoted_end(quote));
                if self.here() == quote && quote == b'\'' && self.byte(self.at + 1) == b'\'' {
                    let maker = maker.get_or_insert_with(|| Maker::with_room(self.pieces_left));
                    maker.exact(self.source, from, self.at);
                    maker.derived("'", self.at, self.at + 2);
                    self.at += 2;
                    from = self.at;
                } else if self.here() == b'\\' && quote == b'"' {
                    let maker = maker.get_or_insert_with(|| Maker::with_room(self.pieces_left));
                    maker.exact(self.source, from, self.at);
                    if self.is_break(self.at + 1) {
                        breaks.from = self.at;
                        self.at += 1;
                        self.step_line();
                        from = self.at;
                        leading_blanks = true;
                        break;
                    }
                    self.scan_escape(start, maker)?;
                    from = self.at;
                } else {
                    break;
                }
            }
            if self.here() == quote {
                break;
            }
            let blanks = self.at;
            let escaped = leading_blanks;
            loop {
                if self.is_blank(self.at) {
                    self.at += 1;
                } else if self.is_break(self.at) {
                    if !leading_blanks {
                        breaks.from = blanks;
                    }
                    let taken = self.take_break();
                    if leading_blanks {
                        breaks.rest.push_str(taken);
                    } else {
                        breaks.first = taken;
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if leading_blanks {
                let maker = maker.get_or_insert_with(|| Maker::with_room(self.pieces_left));
                if !escaped {
                    maker.exact(self.source, from, blanks);
                }
                breaks.fold(maker, self.at);
                from = self.at;
            }
        }
        let end = self.at;
        self.at += 1;
        let decoded = match maker {
            None => Decoded::Range { start: narrow(from), end: narrow(end) },
            Some(mut maker) => {
                maker.exact(self.source, from, end);
                self.made_scalar(maker, content, end)
            }
        };
        let style = if quote == b'"' { Style::DoubleQuoted } else { Style::SingleQuoted };
        self.push(TokenKind::Scalar(style, decoded), start);
        Ok(())
    }

    /// Where the run of characters that mean themselves in quotes ends.
    fn quoted_end(&self, quote: u8) -> usize {
        let mut at = self.at;
        loop {
            match self.byte(at) {
                0 | b' ' | b'\t' | b'\n' | b'\r' => return at,
                byte if byte == quote => return at,
                b'\\' if quote == b'"' => return at,
                0xc2 | 0xe2 if self.is_break(at) => return at,
                _ => at += 1,
            }
        }
    }

    /// A backslash escape that is no line break.
    fn scan_escape(&mut self, start: Mark, maker: &mut Maker) -> Scanned<()> {
        // v2 and v3 call it parsing, and cannot spell `hexadecimal`.
        let (context, number) = match self.dialect {
            Dialect::GoYamlV4 => ("while scanning a quoted scalar", "did not find expected hexadecimal number"),
            _ => ("while parsing a quoted scalar", "did not find expected hexdecimal number"),
        };
        let from = self.at;
        let (text, digits) = match self.byte(self.at + 1) {
            b'0' => ("\0", 0),
            b'a' => ("\x07", 0),
            b'b' => ("\x08", 0),
            b't' | b'\t' => ("\t", 0),
            b'n' => ("\n", 0),
            b'v' => ("\x0b", 0),
            b'f' => ("\x0c", 0),
            b'r' => ("\r", 0),
            b'e' => ("\x1b", 0),
            b' ' => (" ", 0),
            b'"' => ("\"", 0),
            b'\'' => ("'", 0),
            b'\\' => ("\\", 0),
            b'N' => ("\u{85}", 0),
            b'_' => ("\u{a0}", 0),
            b'L' => ("\u{2028}", 0),
            b'P' => ("\u{2029}", 0),
            b'x' => ("", 2),
            b'u' => ("", 4),
            b'U' => ("", 8),
            _ => return Err(self.problem_in(context, start, "found unknown escape character")),
        };
        self.at += 2;
        if digits == 0 {
            maker.derived(text, from, self.at);
            return Ok(());
        }
        let mut value: u32 = 0;
        for ahead in 0..digits {
            let Some(digit) = hex(self.byte(self.at + ahead)) else {
                return Err(self.problem_in(context, start, number));
            };
            value = (value << 4) | digit;
        }
        let Some(meant) = char::from_u32(value) else {
            return Err(self.problem_in(context, start, "found invalid Unicode character escape code"));
        };
        self.at += digits;
        maker.derived(meant.encode_utf8(&mut [0; 4]), from, self.at);
        Ok(())
    }

    pub(super) fn scan_block(&mut self, style: Style) -> Scanned<()> {
        const CONTEXT: &str = "while scanning a block scalar";
        let start = self.mark();
        self.at += 1;
        let (chomp, increment) = self.scan_block_header(start)?;
        self.skip_blanks();
        if self.here() == b'#' {
            self.skip_comment();
        }
        if !self.is_break_or_end(self.at) {
            return Err(self.problem_in(CONTEXT, start, "did not find expected comment or line break"));
        }
        self.step_line();
        let content = self.at;
        let mut maker = Maker::with_room(self.pieces_left);
        let mut indent = increment.map(|increment| self.indent.max(0) + i64::from(increment));
        let mut end;
        let mut first: (&str, usize) = ("", self.at);
        let mut rest = Breaks { from: self.at, ..Breaks::default() };
        end = self.scan_block_breaks(&mut indent, &mut rest, start)?;
        let mut leading_blank = false;
        while Some(self.level()) == indent && self.here() != 0 {
            let trailing_blank = self.is_blank(self.at);
            if style == Style::Folded && !leading_blank && !trailing_blank && first.0 == "\n" {
                if rest.rest.is_empty() {
                    maker.derived(" ", first.1, self.at);
                }
            } else {
                self.take_in_break(&mut maker, first);
            }
            self.take_in_breaks(&mut maker, &rest);
            leading_blank = trailing_blank;
            let from = self.at;
            let mut at = self.at;
            while !self.is_break_or_end(at) {
                at += 1;
            }
            self.step_to(at);
            maker.exact(self.source, from, at);
            first = ("", at);
            if self.is_break(at) {
                first = (self.take_break(), at);
            }
            rest = Breaks { from: self.at, ..Breaks::default() };
            end = self.scan_block_breaks(&mut indent, &mut rest, start)?;
        }
        if chomp != Chomp::Strip {
            self.take_in_break(&mut maker, first);
        }
        if chomp == Chomp::Keep {
            self.take_in_breaks(&mut maker, &rest);
        }
        let decoded = self.made_scalar(maker, content, end.at as usize);
        self.append(Token { kind: TokenKind::Scalar(style, decoded), start, end });
        self.next_is_readable()
    }

    /// A break at `at` of the source, exact where it is a lone LF.
    fn take_in_break(&self, maker: &mut Maker, (text, at): (&str, usize)) {
        if text == "\n" && self.byte(at) == b'\n' {
            maker.exact(self.source, at, at + 1);
        } else {
            maker.derived(text, at, at + self.break_width(at));
        }
    }

    fn take_in_breaks(&self, maker: &mut Maker, breaks: &Breaks) {
        let to = breaks.from + breaks.rest.len();
        if self.source.get(breaks.from..to) == Some(&breaks.rest) {
            maker.exact(self.source, breaks.from, to);
        } else {
            maker.derived(&breaks.rest, breaks.from, self.at);
        }
    }

    fn scan_block_header(&mut self, start: Mark) -> Scanned<(Chomp, Option<u8>)> {
        let mut chomp = self.scan_chomp();
        let mut increment = None;
        if self.here().is_ascii_digit() {
            if self.here() == b'0' {
                let message = "found an indentation indicator equal to 0";
                return Err(self.problem_in("while scanning a block scalar", start, message));
            }
            increment = Some(self.here() - b'0');
            self.at += 1;
            if chomp == Chomp::Clip {
                chomp = self.scan_chomp();
            }
        }
        Ok((chomp, increment))
    }

    fn scan_chomp(&mut self) -> Chomp {
        let chomp = match self.here() {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return Chomp::Clip,
        };
        self.at += 1;
        chomp
    }

    /// Eats indentation and empty lines, and finds out the indentation if it is not known. Gives the end of the last line eaten.
    fn scan_block_breaks(&mut self, indent: &mut Option<i64>, breaks: &mut Breaks, start: Mark) -> Scanned<Mark> {
        let mut end = self.mark();
        let mut most = 0;
        loop {
            while indent.is_none_or(|indent| self.level() < indent) && self.here() == b' ' {
                self.at += 1;
            }
            most = most.max(self.level());
            if indent.is_none_or(|indent| self.level() < indent) && self.here() == b'\t' {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.problem_in("while scanning a block scalar", start, message));
            }
            if !self.is_break(self.at) {
                break;
            }
            breaks.rest.push_str(self.take_break());
            end = self.mark();
        }
        if indent.is_none() {
            // v4 counts columns from one, which lets a block scalar at the top level go without indentation.
            let least = i64::from(self.dialect != Dialect::GoYamlV4);
            *indent = Some(most.max(self.indent + 1).max(least));
        }
        Ok(end)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Clip,
    Strip,
    Keep,
}
