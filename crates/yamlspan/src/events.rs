//! Tokens to events: the grammar of libyaml as a state machine, so that nesting costs no stack.

use crate::scan::{Decoded, Mark, Problem, Scanner, Stage, TagText, Token, TokenKind, narrow};
use crate::{Dialect, Style};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    StreamEnd,
    DocumentStart {
        start: u32,
    },
    DocumentEnd {
        end: u32,
    },
    /// Where the token starts and ends.
    Alias {
        start: Mark,
        end: u32,
    },
    Scalar {
        node: Properties,
        style: Style,
        text: Decoded,
        start: u32,
        end: u32,
    },
    SequenceStart {
        node: Properties,
        style: Style,
        start: u32,
    },
    SequenceEnd {
        end: u32,
    },
    MappingStart {
        node: Properties,
        style: Style,
        start: u32,
    },
    MappingEnd {
        end: u32,
    },
}

/// What a node can have in front of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Properties {
    /// Where its token starts and ends.
    pub(crate) anchor: Option<(u32, u32)>,
    /// Index into [`Events::tags`].
    pub(crate) tag: Option<u32>,
    /// Where the first of them starts, or else the node.
    pub(crate) mark: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequencePairKey,
    FlowSequencePairValue,
    FlowSequencePairEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

pub(crate) struct Events<'s> {
    pub(crate) scanner: Scanner<'s>,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    handles: Vec<TagText>,
    /// Full tags, such as `tag:yaml.org,2002:str`.
    pub(crate) tags: Vec<String>,
    /// End of the last token with content.
    last_end: u32,
}

type Parsed = Result<Event, Problem>;

impl<'s> Events<'s> {
    pub(crate) fn new(source: &'s str, dialect: Dialect) -> Self {
        Self {
            scanner: Scanner::new(source, dialect),
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            handles: Vec::new(),
            tags: Vec::new(),
            last_end: 0,
        }
    }

    pub(crate) fn next(&mut self) -> Parsed {
        if self.state == State::StreamStart {
            self.scanner.peek()?;
            self.skip();
            self.state = State::ImplicitDocumentStart;
        }
        match self.state {
            State::StreamStart | State::End => Ok(Event::StreamEnd),
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequencePairKey => self.flow_sequence_pair_key(),
            State::FlowSequencePairValue => self.flow_sequence_pair_value(),
            State::FlowSequencePairEnd => self.flow_sequence_pair_end(),
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
        }
    }

    #[inline]
    fn peek(&mut self) -> Result<Token, Problem> {
        self.scanner.peek()
    }

    /// Drops the head token and remembers where content ends.
    fn skip(&mut self) {
        if self.scanner.ready().is_none() {
            // What is wrong with the token that is dropped does not matter.
            self.scanner.peek().ok();
        }
        if let Some(token) = self.scanner.ready() {
            let structural = matches!(token.kind, TokenKind::BlockEnd | TokenKind::StreamEnd | TokenKind::DocumentEnd);
            if !structural {
                self.last_end = self.last_end.max(token.end.at);
            }
        }
        self.scanner.skip();
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn document_start(&mut self, implicit: bool) -> Parsed {
        let mut token = self.peek()?;
        if !implicit || self.scanner.dialect == Dialect::GoYamlV4 {
            while token.kind == TokenKind::DocumentEnd {
                self.skip();
                token = self.peek()?;
            }
        }
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                self.skip();
                Ok(Event::StreamEnd)
            }
            TokenKind::VersionDirective { .. } | TokenKind::TagDirective(_) | TokenKind::DocumentStart => {
                self.explicit_document(token.start.at)
            }
            _ if implicit => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                Ok(Event::DocumentStart { start: token.start.at })
            }
            _ => self.explicit_document(token.start.at),
        }
    }

    fn explicit_document(&mut self, start: u32) -> Parsed {
        self.directives()?;
        let token = self.peek()?;
        if token.kind != TokenKind::DocumentStart {
            return Err(problem("did not find expected <document start>", token.start));
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.skip();
        Ok(Event::DocumentStart { start })
    }

    fn directives(&mut self) -> Result<(), Problem> {
        let mut version = false;
        let mut token = self.peek()?;
        loop {
            match token.kind {
                TokenKind::VersionDirective { .. } if version => {
                    return Err(problem("found duplicate %YAML directive", token.start));
                }
                TokenKind::VersionDirective { known: false } => {
                    return Err(problem("found incompatible YAML document", token.start));
                }
                TokenKind::VersionDirective { known: true } => version = true,
                TokenKind::TagDirective(index) => {
                    let Some(tag) = self.scanner.tags.get(index as usize).cloned() else { break };
                    if self.handles.iter().any(|known| known.handle == tag.handle) {
                        return Err(problem("found duplicate %TAG directive", token.start));
                    }
                    self.handles.push(tag);
                }
                _ => break,
            }
            self.skip();
            token = self.peek()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.handles.iter().any(|known| known.handle == handle) {
                self.handles.push(TagText { handle: handle.to_owned(), suffix: prefix.to_owned() });
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Parsed {
        let token = self.peek()?;
        match token.kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective(_)
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                self.pop();
                Ok(empty(token.start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Parsed {
        let token = self.peek()?;
        let mut end = self.last_end;
        if token.kind == TokenKind::DocumentEnd {
            end = token.end.at;
            self.skip();
        }
        self.handles.clear();
        self.state = State::DocumentStart;
        Ok(Event::DocumentEnd { end })
    }

    fn node(&mut self, block: bool, indentless: bool) -> Parsed {
        let first = self.peek()?;
        if first.kind == TokenKind::Alias {
            self.pop();
            self.skip();
            return Ok(Event::Alias { start: first.start, end: first.end.at });
        }
        let (node, token, end) = self.properties(first)?;
        let start = token.start.at;
        match token.kind {
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(Event::SequenceStart { node, style: Style::Block, start })
            }
            TokenKind::Scalar(style, text) => {
                self.pop();
                self.skip();
                Ok(Event::Scalar { node, style, text, start, end: token.end.at })
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                Ok(Event::SequenceStart { node, style: Style::Flow, start })
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                Ok(Event::MappingStart { node, style: Style::Flow, start })
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                Ok(Event::SequenceStart { node, style: Style::Block, start })
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                Ok(Event::MappingStart { node, style: Style::Block, start })
            }
            _ if node.anchor.is_some() || node.tag.is_some() => {
                self.pop();
                let text = Decoded::Range { start: end, end };
                Ok(Event::Scalar { node, style: Style::Plain, text, start: end, end })
            }
            _ => {
                let context = if block { "while parsing a block node" } else { "while parsing a flow node" };
                let wrong = problem("did not find expected node content", token.start);
                Err(Problem { context: Some((context, node.mark)), ..wrong })
            }
        }
    }

    /// Anchor and tag in any order, the token after them, and where they end.
    fn properties(&mut self, first: Token) -> Result<(Properties, Token, u32), Problem> {
        let mut token = first;
        let (mut anchor, mut tag) = (None, None);
        let mut end = first.start.at;
        loop {
            match token.kind {
                TokenKind::Anchor if anchor.is_none() => anchor = Some((token.start.at, token.end.at)),
                TokenKind::Tag(index) if tag.is_none() => tag = Some((index, token.start)),
                _ => break,
            }
            end = token.end.at;
            self.skip();
            token = self.peek()?;
        }
        let tag = match tag {
            None => None,
            Some((index, mark)) => self.full_tag(index, first.start, mark)?,
        };
        Ok((Properties { anchor, tag, mark: first.start }, token, end))
    }

    fn full_tag(&mut self, index: u32, start: Mark, mark: Mark) -> Result<Option<u32>, Problem> {
        let Some(TagText { handle, suffix }) = self.scanner.tags.get(index as usize) else { return Ok(None) };
        let full = if handle.is_empty() {
            suffix.clone()
        } else {
            let known = self.handles.iter().find(|known| known.handle == *handle);
            let full = known.map(|known| format!("{}{suffix}", known.suffix)).unwrap_or_default();
            if full.is_empty() {
                let wrong = problem("found undefined tag handle", mark);
                return Err(Problem { context: Some(("while parsing a node", start)), ..wrong });
            }
            full
        };
        if full.is_empty() {
            return Ok(None);
        }
        let index = narrow(self.tags.len());
        self.tags.push(full);
        Ok(Some(index))
    }

    /// Opens a collection: its start token goes.
    fn open(&mut self) -> Result<(), Problem> {
        let token = self.peek()?;
        self.marks.push(token.start);
        self.skip();
        Ok(())
    }

    /// Closes a collection whose end token is at the head.
    fn close(&mut self) {
        self.pop();
        self.marks.pop();
        self.skip();
    }

    fn unexpected(&mut self, context: &'static str, message: &'static str, token: Token) -> Parsed {
        let from = self.marks.pop().unwrap_or_default();
        Err(Problem { context: Some((context, from)), ..problem(message, token.start) })
    }

    fn block_sequence_entry(&mut self, first: bool) -> Parsed {
        if first {
            self.open()?;
        }
        let token = self.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                self.skip();
                let next = self.peek()?;
                if matches!(next.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return Ok(empty(token.end));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            TokenKind::BlockEnd => {
                self.close();
                Ok(Event::SequenceEnd { end: self.last_end })
            }
            _ => self.unexpected("while parsing a block collection", "did not find expected '-' indicator", token),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Parsed {
        let token = self.peek()?;
        if token.kind != TokenKind::BlockEntry {
            self.pop();
            return Ok(Event::SequenceEnd { end: self.last_end });
        }
        self.skip();
        let next = self.peek()?;
        let nothing =
            matches!(next.kind, TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd);
        if nothing {
            self.state = State::IndentlessSequenceEntry;
            return Ok(empty(token.end));
        }
        self.states.push(State::IndentlessSequenceEntry);
        self.node(true, false)
    }

    fn block_mapping_key(&mut self, first: bool) -> Parsed {
        if first {
            self.open()?;
        }
        let token = self.peek()?;
        match token.kind {
            TokenKind::Key => {
                self.skip();
                self.block_mapping_part(token, State::BlockMappingValue)
            }
            TokenKind::BlockEnd => {
                self.close();
                Ok(Event::MappingEnd { end: self.last_end })
            }
            _ => self.unexpected("while parsing a block mapping", "did not find expected key", token),
        }
    }

    fn block_mapping_value(&mut self) -> Parsed {
        let token = self.peek()?;
        if token.kind != TokenKind::Value {
            self.state = State::BlockMappingKey;
            return Ok(empty(token.start));
        }
        self.skip();
        self.block_mapping_part(token, State::BlockMappingKey)
    }

    /// What follows a `?` or `:` (`indicator`) of a block mapping.
    fn block_mapping_part(&mut self, indicator: Token, then: State) -> Parsed {
        let next = self.peek()?;
        if matches!(next.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.state = then;
            return Ok(empty(indicator.end));
        }
        self.states.push(then);
        self.node(true, true)
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Parsed {
        if first {
            self.open()?;
        }
        let mut token = self.peek()?;
        if token.kind != TokenKind::FlowSequenceEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let message = "did not find expected ',' or ']'";
                    return self.unexpected("while parsing a flow sequence", message, token);
                }
                self.skip();
                token = self.peek()?;
            }
            if token.kind == TokenKind::Key {
                self.state = State::FlowSequencePairKey;
                self.skip();
                let node = Properties { anchor: None, tag: None, mark: token.start };
                return Ok(Event::MappingStart { node, style: Style::Flow, start: token.start.at });
            }
            if token.kind != TokenKind::FlowSequenceEnd {
                self.states.push(State::FlowSequenceEntry);
                return self.node(false, false);
            }
        }
        self.close();
        Ok(Event::SequenceEnd { end: token.end.at })
    }

    fn flow_sequence_pair_key(&mut self) -> Parsed {
        let token = self.peek()?;
        let nothing = matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd);
        if !nothing {
            self.states.push(State::FlowSequencePairValue);
            return self.node(false, false);
        }
        // go-yaml drops the token here, whatever it is.
        self.skip();
        self.state = State::FlowSequencePairValue;
        Ok(empty(token.end))
    }

    fn flow_sequence_pair_value(&mut self) -> Parsed {
        let token = self.peek()?;
        if token.kind == TokenKind::Value {
            self.skip();
            let next = self.peek()?;
            if !matches!(next.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowSequencePairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequencePairEnd;
        Ok(empty(token.start))
    }

    fn flow_sequence_pair_end(&mut self) -> Parsed {
        self.peek()?;
        self.state = State::FlowSequenceEntry;
        Ok(Event::MappingEnd { end: self.last_end })
    }

    fn flow_mapping_key(&mut self, first: bool) -> Parsed {
        if first {
            self.open()?;
        }
        let mut token = self.peek()?;
        if token.kind != TokenKind::FlowMappingEnd {
            if !first {
                if token.kind != TokenKind::FlowEntry {
                    let message = "did not find expected ',' or '}'";
                    return self.unexpected("while parsing a flow mapping", message, token);
                }
                self.skip();
                token = self.peek()?;
            }
            if token.kind == TokenKind::Key {
                self.skip();
                token = self.peek()?;
                let nothing = matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd);
                if nothing {
                    self.state = State::FlowMappingValue;
                    return Ok(empty(token.start));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if token.kind != TokenKind::FlowMappingEnd {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        self.close();
        Ok(Event::MappingEnd { end: token.end.at })
    }

    fn flow_mapping_value(&mut self, nothing: bool) -> Parsed {
        let mut token = self.peek()?;
        if !nothing && token.kind == TokenKind::Value {
            self.skip();
            token = self.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(empty(token.start))
    }
}

fn problem(message: &'static str, mark: Mark) -> Problem {
    Problem { stage: Stage::Parser, context: None, message: message.into(), mark }
}

/// The scalar that is not written at `mark`.
fn empty(mark: Mark) -> Event {
    let node = Properties { anchor: None, tag: None, mark };
    let text = Decoded::Range { start: mark.at, end: mark.at };
    Event::Scalar { node, style: Style::Plain, text, start: mark.at, end: mark.at }
}
