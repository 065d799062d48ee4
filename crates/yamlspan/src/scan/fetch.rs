//! Which token comes next, and what may become a key.

use std::borrow::Cow;

use super::{BOM, Keys, LONGEST_SIMPLE_KEY, MOST_LEVELS, Mark, Scanned, Scanner, SimpleKey, Stage, Token, TokenKind};
use crate::{Dialect, Style};

/// A second BOM is taken for one at every line start of go-yaml's first buffer.
const FIRST_BUFFER: usize = 512;

/// go-yaml reads on when fewer than four characters are left: at most this many bytes.
const LAST_BUFFER: usize = 12;

/// v3 and v4 look this far for the next comment.
const FARTHEST_COMMENT: usize = 512;

impl Scanner<'_> {
    /// Fills the queue until its head cannot change any more.
    pub(super) fn fetch_more(&mut self) -> Scanned<()> {
        let ahead = if self.dialect == Dialect::GoYamlV2 { 0 } else { 2 };
        loop {
            if self.tokens.len() > ahead && !self.head_may_be_key()? {
                break;
            }
            self.fetch_next()?;
        }
        self.available = true;
        Ok(())
    }

    /// Whether a key token may still be put before the head of the queue.
    fn head_may_be_key(&mut self) -> Scanned<bool> {
        match &self.keys {
            Keys::Stack { possible, current, outer } => {
                let first = outer.first().or_else(|| Some(current).filter(|_| *possible));
                Ok(first.is_some_and(|key| key.token == self.taken))
            }
            Keys::Levels { by_token, .. } => {
                let Ok(found) = by_token.binary_search_by_key(&self.taken, |&(token, _)| token) else {
                    return Ok(false);
                };
                let level = by_token.get(found).map_or(0, |&(_, level)| level);
                self.level_key_is_valid(level)
            }
        }
    }

    fn fetch_next(&mut self) -> Scanned<()> {
        if !self.started {
            self.started = true;
            self.push(TokenKind::StreamStart, self.mark());
            return Ok(());
        }
        let before = self.mark();
        self.skip_to_token();
        if let Some(problem) = self.unreadable() {
            return Err(problem);
        }
        self.unroll(self.level(), before);
        if !self.ascii
            && self.source.get(self.at..).is_some_and(|rest| rest.len() <= LAST_BUFFER && rest.starts_with(BOM))
        {
            self.last_bom |= self.source.get(self.at..).is_some_and(|rest| rest.chars().nth(3).is_none());
        }
        let (at, byte) = (self.at, self.here());
        if byte == 0 {
            return self.fetch_stream_end();
        }
        if self.at - self.line_start == self.continuation {
            match byte {
                b'%' => return self.fetch_directive(),
                b'-' if self.is_document_marker() => return self.fetch_document_marker(TokenKind::DocumentStart),
                b'.' if self.is_document_marker() => return self.fetch_document_marker(TokenKind::DocumentEnd),
                _ => {}
            }
        }
        self.fetch_by_first(at, byte)?;
        if self.dialect != Dialect::GoYamlV2 {
            self.skip_line_comment();
        }
        Ok(())
    }

    fn fetch_by_first(&mut self, at: usize, byte: u8) -> Scanned<()> {
        let v4 = self.dialect == Dialect::GoYamlV4;
        let flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blank_or_end(at + 1) => self.fetch_block_entry(),
            b'?' if (flow && !v4) || self.is_blank_or_end(at + 1) => self.fetch_key(),
            b':' if self.is_blank_or_end(at + 1) || (flow && !(v4 && self.after_sequence_start())) => {
                self.fetch_value()
            }
            b'*' => self.fetch_anchor(TokenKind::Alias),
            b'&' => self.fetch_anchor(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if !flow => self.fetch_block_scalar(Style::Literal),
            b'>' if !flow => self.fetch_block_scalar(Style::Folded),
            b'\'' | b'"' => {
                self.save_key()?;
                self.key_allowed = false;
                self.scan_quoted(byte)
            }
            b'-' if !self.is_blank(at + 1) => self.fetch_plain(),
            b'?' | b':' if (v4 || !flow) && !self.is_blank_or_end(at + 1) => self.fetch_plain(),
            b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => Err(self.no_token()),
            _ if self.is_blank_or_end(at) => Err(self.no_token()),
            _ => self.fetch_plain(),
        }
    }

    fn no_token(&self) -> super::Problem {
        self.problem_in("while scanning for the next token", self.mark(), "found character that cannot start any token")
    }

    /// In v4 a `:` right after `[` or `,` does not start a value.
    fn after_sequence_start(&self) -> bool {
        matches!(self.last, Some((TokenKind::FlowEntry | TokenKind::FlowSequenceStart, _)))
    }

    /// `---` or `...` at the position, with nothing glued to it.
    pub(super) fn is_document_marker(&self) -> bool {
        matches!(self.bytes.get(self.at..self.at + 3), Some(b"---" | b"...")) && self.is_blank_or_end(self.at + 3)
    }

    /// Whether go-yaml takes what stands here for a BOM, whatever it is.
    pub(super) fn sees_second_bom(&self) -> bool {
        self.second_bom && self.at < FIRST_BUFFER
    }

    fn skip_to_token(&mut self) {
        loop {
            let line_start = self.at == self.line_start + self.continuation;
            if self.sees_second_bom() && line_start && self.here() != 0 {
                self.step();
            }
            let tabs = self.flow_level > 0 || !self.key_allowed;
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let space = |&byte: &u8| byte == b' ' || (tabs && byte == b'\t');
            self.at += rest.iter().position(|byte| !space(byte)).unwrap_or(rest.len());
            if self.here() == b'#' {
                self.skip_comments();
            }
            if !self.is_break(self.at) {
                break;
            }
            self.step_line();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Steps over comments that follow each other, to the end of the last one's line. v3 and v4 collect them, and do not
    /// mind tabs between them.
    fn skip_comments(&mut self) {
        self.skip_comment();
        while self.dialect != Dialect::GoYamlV2 {
            let mut at = self.at;
            loop {
                match self.break_width(at) {
                    0 if self.is_blank(at) => at += 1,
                    0 => break,
                    width => at += width,
                }
            }
            if self.byte(at) != b'#' || at - self.at >= FARTHEST_COMMENT {
                return;
            }
            while self.at < at {
                if self.is_break(self.at) {
                    self.step_line();
                } else {
                    self.at += 1;
                }
            }
            self.skip_comment();
        }
    }

    /// Steps to the end of the line.
    pub(super) fn skip_comment(&mut self) {
        let mut at = self.at;
        while !self.is_break_or_end(at) {
            at += 1;
        }
        self.step_to(at);
    }

    /// v3 and v4 read a comment right after a token even where no space is between. (Not after `- `, which comments belong to.)
    fn skip_line_comment(&mut self) {
        let same_line = |token: &&Token| token.kind != TokenKind::BlockEntry && token.end.line == self.line;
        if self.tokens.back().filter(same_line).is_none() {
            return;
        }
        let mut at = self.at;
        while self.is_blank(at) {
            at += 1;
        }
        if self.byte(at) == b'#' {
            self.at = at;
            self.skip_comment();
        }
    }

    fn fetch_stream_end(&mut self) -> Scanned<()> {
        if self.column() != 0 || self.last_bom {
            self.line += 1;
            self.line_start = self.at;
            self.continuation = 0;
        }
        self.unroll(-1, self.mark());
        self.remove_key()?;
        if let Keys::Stack { current, outer, .. } = &mut self.keys {
            *current = SimpleKey::NONE;
            outer.clear();
        }
        self.key_allowed = false;
        self.push(TokenKind::StreamEnd, self.mark());
        Ok(())
    }

    fn fetch_directive(&mut self) -> Scanned<()> {
        self.unroll(-1, self.mark());
        self.remove_key()?;
        self.key_allowed = false;
        self.scan_directive()
    }

    fn fetch_document_marker(&mut self, kind: TokenKind) -> Scanned<()> {
        self.unroll(-1, self.mark());
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.mark();
        self.at += 3;
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scanned<()> {
        self.save_key()?;
        self.flow_level += 1;
        let number = self.next_number();
        let mark = self.mark();
        let context = match &mut self.keys {
            Keys::Levels { levels, .. } => {
                levels.push(SimpleKey { token: number, mark, ..SimpleKey::default() });
                mark
            }
            Keys::Stack { current, .. } => current.mark,
        };
        if self.flow_level > MOST_LEVELS {
            return Err(self.too_deep("while increasing flow level", context));
        }
        if let Keys::Stack { possible, current, outer } = &mut self.keys {
            if *possible {
                outer.push(*current);
            }
            *current = SimpleKey::NONE;
        }
        self.key_allowed = true;
        self.one(kind);
        Ok(())
    }

    fn too_deep(&self, context: &'static str, from: Mark) -> super::Problem {
        let message: Cow<'static, str> = format!("exceeded max depth of {MOST_LEVELS}").into();
        super::Problem { stage: Stage::Scanner, context: Some((context, from)), message, mark: self.mark() }
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scanned<()> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            match &mut self.keys {
                Keys::Levels { levels, by_token } => {
                    if let Some(key) = levels.pop() {
                        forget(by_token, key.token);
                    }
                }
                Keys::Stack { possible, current, outer } => {
                    if let Some(key) = outer.last()
                        && key.flow_level == self.flow_level
                    {
                        *current = *key;
                        *possible = true;
                        outer.pop();
                    }
                }
            }
        }
        self.key_allowed = false;
        self.one(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Scanned<()> {
        self.remove_key()?;
        self.key_allowed = true;
        self.one(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.problem("block sequence entries are not allowed in this context"));
            }
            self.roll(self.mark(), None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.one(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context"));
            }
            self.roll(self.mark(), None, TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.one(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scanned<()> {
        if let Some(key) = self.take_key()? {
            self.insert(key.token, TokenKind::Key, key.mark);
            self.roll(key.mark, Some(key.token), TokenKind::BlockMappingStart)?;
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.problem("mapping values are not allowed in this context"));
                }
                self.roll(self.mark(), None, TokenKind::BlockMappingStart)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.one(TokenKind::Value);
        Ok(())
    }

    fn fetch_anchor(&mut self, kind: TokenKind) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        self.scan_anchor(kind)
    }

    fn fetch_tag(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        self.scan_tag()
    }

    fn fetch_block_scalar(&mut self, style: Style) -> Scanned<()> {
        self.remove_key()?;
        self.key_allowed = true;
        self.scan_block(style)
    }

    fn fetch_plain(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        self.scan_plain()
    }

    /// A token of one character.
    fn one(&mut self, kind: TokenKind) {
        let start = self.mark();
        self.at += 1;
        self.push(kind, start);
    }

    /// Opens a block level if `mark` is further in than the current one.
    fn roll(&mut self, mark: Mark, number: Option<usize>, kind: TokenKind) -> Scanned<()> {
        let column = i64::from(mark.column);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MOST_LEVELS {
            let from = match &self.keys {
                Keys::Levels { levels, .. } => levels.last().map_or_else(Mark::default, |key| key.mark),
                Keys::Stack { current, .. } => current.mark,
            };
            return Err(self.too_deep("while increasing indent level", from));
        }
        match number {
            Some(number) => self.insert(number, kind, mark),
            None => self.append(Token { kind, start: mark, end: mark }),
        }
        Ok(())
    }

    /// Closes block levels that are further in than `column`. v3 and v4 place the end where the space before the next token begins.
    fn unroll(&mut self, column: i64, before: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mark = if self.dialect == Dialect::GoYamlV2 { self.mark() } else { before };
        while self.indent > column {
            self.append(Token { kind: TokenKind::BlockEnd, start: mark, end: mark });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn save_key(&mut self) -> Scanned<()> {
        let required = self.flow_level == 0 && self.indent == self.level();
        if !self.key_allowed {
            return Ok(());
        }
        let key = SimpleKey {
            possible: true,
            required,
            token: self.next_number(),
            flow_level: self.flow_level,
            mark: self.mark(),
        };
        self.remove_key()?;
        match &mut self.keys {
            Keys::Levels { levels, by_token } => {
                let level = levels.len().saturating_sub(1);
                if let Some(last) = levels.last_mut() {
                    *last = key;
                }
                match by_token.binary_search_by_key(&key.token, |&(token, _)| token) {
                    Ok(found) => by_token[found].1 = level,
                    Err(place) => by_token.insert(place, (key.token, level)),
                }
            }
            Keys::Stack { possible, current, .. } => {
                *current = key;
                *possible = true;
            }
        }
        Ok(())
    }

    fn remove_key(&mut self) -> Scanned<()> {
        let missing = match &mut self.keys {
            Keys::Levels { levels, by_token } => match levels.last_mut() {
                Some(key) if key.possible && key.required => Some(key.mark),
                Some(key) if key.possible => {
                    key.possible = false;
                    forget(by_token, key.token);
                    None
                }
                _ => None,
            },
            Keys::Stack { current, .. } if current.required => Some(current.mark),
            Keys::Stack { possible, .. } => {
                *possible = false;
                None
            }
        };
        missing.map_or(Ok(()), |mark| Err(self.missing_colon(mark)))
    }

    fn missing_colon(&self, mark: Mark) -> super::Problem {
        self.problem_in("while scanning a simple key", mark, "could not find expected ':'")
    }

    /// The key that a `:` at the position belongs to, if it is a simple one. It is used up.
    fn take_key(&mut self) -> Scanned<Option<SimpleKey>> {
        let line = self.line;
        match &mut self.keys {
            Keys::Stack { possible, current, .. } => {
                if !*possible || current.mark.line != line {
                    return Ok(None);
                }
                let key = *current;
                *possible = false;
                current.required = false;
                Ok(Some(key))
            }
            Keys::Levels { levels, .. } => {
                let level = levels.len().saturating_sub(1);
                if !self.level_key_is_valid(level)? {
                    return Ok(None);
                }
                let Keys::Levels { levels, by_token } = &mut self.keys else { return Ok(None) };
                let Some(key) = levels.last_mut() else { return Ok(None) };
                key.possible = false;
                forget(by_token, key.token);
                Ok(Some(*key))
            }
        }
    }

    /// v2 and v3: whether the key of a flow level can still be one. A key is on one line and not long.
    fn level_key_is_valid(&mut self, level: usize) -> Scanned<bool> {
        let (line, column) = (self.line, super::narrow(self.column()));
        let Keys::Levels { levels, .. } = &mut self.keys else { return Ok(false) };
        let Some(key) = levels.get_mut(level).filter(|key| key.possible) else { return Ok(false) };
        if key.mark.line >= line && key.mark.column + LONGEST_SIMPLE_KEY >= column {
            return Ok(true);
        }
        let mark = key.mark;
        if key.required {
            return Err(self.missing_colon(mark));
        }
        key.possible = false;
        Ok(false)
    }
}

fn forget(by_token: &mut Vec<(usize, usize)>, token: usize) {
    if let Ok(found) = by_token.binary_search_by_key(&token, |&(token, _)| token) {
        by_token.remove(found);
    }
}
