//! Tokens to trees, with the look-ahead that Go's parser has: its messages name the line of the token that it read last.

use std::sync::Arc;

use source::{Span, Text};

use super::lexer::{Lexer, Token, TokenKind};
use super::number::number;
use super::tree::{
    Action, Branch, Call, Command, Constant, Function, Node, Nodes, Piece, Pipe, Place, StringWord, Target, Tree,
    Variable, Word, spell_word,
};
use crate::error::Stage;
use crate::exec::Builtin;
use crate::format::{quote, unquote};
use crate::limits::MOST_NESTED;
use crate::stack::Stack;
use crate::{Error, Functions};

/// What [`parse`] found in a text.
pub(crate) struct Parsed {
    /// The text itself.
    pub(crate) main: Arc<Tree>,
    /// The text and all `define`s and `block`s in it that count, one of each name.
    pub(crate) trees: Vec<Arc<Tree>>,
}

/// Parses a text.
pub(crate) fn parse(name: &str, text: &Text, functions: &dyn Functions) -> Result<Parsed, Error> {
    let name: Arc<str> = Arc::from(name);
    let mut lexer = Lexer::new(text.as_str());
    lexer.break_is_keyword = functions.id("break").is_none();
    lexer.continue_is_keyword = functions.id("continue").is_none();
    let mut parser = Parser {
        parse_name: Arc::clone(&name),
        source: text,
        whole: text.exact_span(0..text.len()),
        functions,
        lexer,
        stack: Stack::here(),
        depth: 0,
        trees: Vec::new(),
        template: Template::default(),
        last_end: 0,
    };
    let root = parser.top()?;
    let main = parser.add(name, root)?;
    Ok(Parsed { main, trees: parser.trees })
}

struct Parser<'s> {
    parse_name: Arc<str>,
    source: &'s Text,
    /// The span of the whole text, if it is one piece of one file.
    whole: Option<Span>,
    functions: &'s dyn Functions,
    lexer: Lexer<'s>,
    stack: Stack,
    /// Control structures and parentheses around what is being parsed.
    depth: usize,
    trees: Vec<Arc<Tree>>,
    template: Template<'s>,
    /// Where the last right delimiter ended.
    last_end: usize,
}

/// What belongs to the template being parsed; a `define` inside a text has its own.
struct Template<'s> {
    tokens: [Token<'s>; 3],
    peeked: usize,
    variables: Vec<&'s str>,
    /// Line where the action under way began; 0 outside of actions.
    action_line: usize,
    action_start: usize,
    ranges: usize,
}

impl Default for Template<'_> {
    fn default() -> Self {
        let none = || Token { kind: TokenKind::Error, at: 0, text: "", line: 0 };
        Self {
            tokens: [none(), none(), none()],
            peeked: 0,
            variables: vec!["$"],
            action_line: 0,
            action_start: 0,
            ranges: 0,
        }
    }
}

/// What ends a list of nodes.
enum End {
    End,
    /// With the token after it pending, if that is `if` or `with`.
    Else,
}

impl End {
    fn spelled(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

impl<'s> Parser<'s> {
    fn next(&mut self) -> Token<'s> {
        let template = &mut self.template;
        if template.peeked > 0 {
            template.peeked -= 1;
        } else {
            template.tokens[0] = self.lexer.next_token();
        }
        template.tokens[template.peeked]
    }

    fn back(&mut self) {
        self.template.peeked += 1;
    }

    fn back2(&mut self, first: Token<'s>) {
        self.template.tokens[1] = first;
        self.template.peeked = 2;
    }

    fn back3(&mut self, first: Token<'s>, second: Token<'s>) {
        self.template.tokens[1] = second;
        self.template.tokens[2] = first;
        self.template.peeked = 3;
    }

    fn peek(&mut self) -> &Token<'s> {
        let template = &mut self.template;
        if template.peeked == 0 {
            template.peeked = 1;
            template.tokens[0] = self.lexer.next_token();
        }
        &template.tokens[template.peeked - 1]
    }

    fn next_word(&mut self) -> Token<'s> {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_word(&mut self) -> &Token<'s> {
        self.next_word();
        self.back();
        &self.template.tokens[self.template.peeked - 1]
    }

    /// An error at the line of the token read last.
    fn error(&self, message: &str) -> Error {
        let token = &self.template.tokens[0];
        let message = format!("template: {}:{}: {message}", self.parse_name, token.line);
        let (start, end) = (token.at, token.end());
        Error::new(Stage::Parse, &self.parse_name, message).at(token.line, None, self.span(start, end))
    }

    fn unexpected(&self, token: &Token<'_>, context: &str) -> Error {
        if token.kind != TokenKind::Error {
            return self.error(&format!("unexpected {} in {context}", token.describe()));
        }
        let mut message = self.lexer.wrong.clone().unwrap_or_default();
        if self.template.action_line != 0 && self.template.action_line != token.line {
            // Go avoids "action in action".
            let link = if message.ends_with(" action") { "" } else { " in action" };
            message = format!("{message}{link} started at {}:{}", self.parse_name, self.template.action_line);
        }
        self.error(&message)
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token<'s>, Error> {
        let token = self.next_word();
        if token.kind == kind {
            return Ok(token);
        }
        Err(self.unexpected(&token, context))
    }

    /// The source bytes of a range of the text.
    fn span(&self, start: usize, end: usize) -> Option<Span> {
        if let Some(whole) = self.whole {
            let base = whole.start as usize;
            return Some(Span::new(whole.file, base + start..base + end.max(start)));
        }
        if !self.source.is_traced() {
            return None;
        }
        // A text made by the templates themselves: what is nearest.
        self.source.exact_span(start..end).or_else(|| {
            let segment = self.source.segments_in(start..end).next()?;
            segment.origin.spans().first().copied()
        })
    }

    fn place(&self, start: usize) -> Place {
        Place { span: self.span(start, self.last_end) }
    }

    /// Enters a control structure or parenthesis.
    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MOST_NESTED || !self.stack.has_room() {
            let message = format!("templates may be nested {MOST_NESTED} levels deep");
            return Err(self.error(&message).with_limit(true));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    fn add(&mut self, name: Arc<str>, root: Nodes) -> Result<Arc<Tree>, Error> {
        let is_blank = root.iter().all(|node| match node {
            Node::Text(piece) => self.source.as_str().get(piece.range()).unwrap_or_default().trim().is_empty(),
            _ => false,
        });
        let old = self.trees.iter().position(|tree| tree.name == name);
        if let Some(old) = old
            && !self.trees[old].is_blank
            && !is_blank
        {
            let name = quote(name.as_bytes());
            return Err(self.error(&format!("template: multiple definition of template {name}")));
        }
        let parse_name = Arc::clone(&self.parse_name);
        let tree = Arc::new(Tree { name, parse_name, source: self.source.clone(), root, is_blank });
        match old {
            None => self.trees.push(Arc::clone(&tree)),
            Some(old) if self.trees[old].is_blank => self.trees[old] = Arc::clone(&tree),
            Some(_) => {}
        }
        Ok(tree)
    }

    /// The whole text, with `define`s.
    fn top(&mut self) -> Result<Nodes, Error> {
        let mut nodes = Nodes::new();
        while self.peek().kind != TokenKind::Eof {
            if self.peek().kind == TokenKind::LeftDelim {
                let delim = self.next();
                if self.next_word().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.back2(delim);
            }
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::End(end) => return Err(self.error(&format!("unexpected {}", end.spelled()))),
            }
        }
        Ok(nodes)
    }

    /// `{{define "name"}}…{{end}}`, after the `define`.
    fn definition(&mut self) -> Result<(), Error> {
        let outer = std::mem::take(&mut self.template);
        let context = "define clause";
        let token = self.next_word();
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(&token, context));
        }
        let name = self.unquoted_name(&token)?;
        self.expect(TokenKind::RightDelim, context)?;
        let (root, end) = self.list()?;
        if matches!(end, End::Else) {
            return Err(self.error(&format!("unexpected {} in {context}", end.spelled())));
        }
        self.add(name, root)?;
        self.template = outer;
        Ok(())
    }

    fn unquoted_name(&self, token: &Token<'s>) -> Result<Arc<str>, Error> {
        let bytes = unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?;
        Ok(Arc::from(String::from_utf8_lossy(&bytes)))
    }

    /// Nodes up to an `end` or `else`.
    fn list(&mut self) -> Result<(Nodes, End), Error> {
        let mut nodes = Nodes::new();
        while self.peek_word().kind != TokenKind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::End(end) => return Ok((nodes, end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Item, Error> {
        let token = self.next_word();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text(Piece::new(token.at, token.end())))),
            TokenKind::LeftDelim => {
                self.template.action_line = token.line;
                self.template.action_start = token.at;
                let item = self.action()?;
                self.template.action_line = 0;
                Ok(item)
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Result<Item, Error> {
        let start = self.template.action_start;
        let token = self.next_word();
        let node = match token.kind {
            TokenKind::Block => self.block(start)?,
            TokenKind::Break => self.loop_exit(Node::Break, "{{break}}")?,
            TokenKind::Continue => self.loop_exit(Node::Continue, "{{continue}}")?,
            TokenKind::Else => return self.otherwise(),
            TokenKind::End => {
                self.expect(TokenKind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            TokenKind::If => Node::If(self.control("if", start)?),
            TokenKind::Range => Node::Range(self.control("range", start)?),
            TokenKind::With => Node::With(self.control("with", start)?),
            TokenKind::Template => self.call(start)?,
            _ => {
                self.back();
                let at = Piece::new(self.peek().at, 0).start;
                let pipe = self.pipeline("command", TokenKind::RightDelim)?;
                Node::Action(Action { at, pipe, place: self.place(start) })
            }
        };
        Ok(Item::Node(node))
    }

    fn loop_exit(&mut self, node: Node, spelled: &str) -> Result<Node, Error> {
        let token = self.next_word();
        if token.kind != TokenKind::RightDelim {
            return Err(self.unexpected(&token, spelled));
        }
        if self.template.ranges == 0 {
            return Err(self.error(&format!("{spelled} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    fn otherwise(&mut self) -> Result<Item, Error> {
        // `{{else if` and `{{else with` are read as `{{else}}{{if`.
        if !matches!(self.peek_word().kind, TokenKind::If | TokenKind::With) {
            self.expect(TokenKind::RightDelim, "else")?;
        }
        Ok(Item::End(End::Else))
    }

    /// `if`, `range` or `with`, after the word.
    fn control(&mut self, context: &'static str, start: usize) -> Result<Box<Branch>, Error> {
        self.enter()?;
        let variables = self.template.variables.len();
        let pipe = self.pipeline(context, TokenKind::RightDelim)?;
        let place = self.place(start);
        let in_range = usize::from(context == "range");
        self.template.ranges += in_range;
        let (list, end) = self.list()?;
        self.template.ranges -= in_range;
        let otherwise = match end {
            End::End => None,
            End::Else => Some(self.else_list(context)?),
        };
        self.template.variables.truncate(variables);
        self.leave();
        Ok(Box::new(Branch { pipe, list, otherwise, place }))
    }

    fn else_list(&mut self, context: &'static str) -> Result<Nodes, Error> {
        let start = self.template.action_start;
        let next = self.peek().kind;
        if context == "if" && next == TokenKind::If {
            self.next();
            return Ok(vec![Node::If(self.control("if", start)?)]);
        }
        if context == "with" && next == TokenKind::With {
            self.next();
            return Ok(vec![Node::With(self.control("with", start)?)]);
        }
        let (list, end) = self.list()?;
        if matches!(end, End::Else) {
            return Err(self.error(&format!("expected end; found {}", end.spelled())));
        }
        Ok(list)
    }

    fn template_name(&mut self, context: &str) -> Result<(u32, Arc<str>), Error> {
        let token = self.next_word();
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(&token, context));
        }
        Ok((Piece::new(token.at, 0).start, self.unquoted_name(&token)?))
    }

    /// `{{block "name" pipeline}}…{{end}}`: a definition and a call of it.
    fn block(&mut self, start: usize) -> Result<Node, Error> {
        let context = "block clause";
        let (at, name) = self.template_name(context)?;
        let pipe = Some(self.pipeline(context, TokenKind::RightDelim)?);
        let place = self.place(start);
        self.enter()?;
        let outer = std::mem::take(&mut self.template);
        let (root, end) = self.list()?;
        if matches!(end, End::Else) {
            // Unlike for a `define`, Go names the line where the outer template stands.
            self.template = outer;
            return Err(self.error(&format!("unexpected {} in {context}", end.spelled())));
        }
        self.add(Arc::clone(&name), root)?;
        self.template = outer;
        self.leave();
        Ok(Node::Template(Box::new(Call { at, name, pipe, place })))
    }

    /// `{{template "name" pipeline}}`
    fn call(&mut self, start: usize) -> Result<Node, Error> {
        let context = "template clause";
        let (at, name) = self.template_name(context)?;
        let next = self.next_word();
        let pipe = if next.kind == TokenKind::RightDelim {
            self.last_end = next.end();
            None
        } else {
            self.back();
            Some(self.pipeline(context, TokenKind::RightDelim)?)
        };
        Ok(Node::Template(Box::new(Call { at, name, pipe, place: self.place(start) })))
    }

    fn pipeline(&mut self, context: &'static str, end: TokenKind) -> Result<Pipe, Error> {
        let at = Piece::new(self.peek_word().at, 0).start;
        let mut pipe = Pipe { at, assigns: false, variables: Vec::new(), commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            use TokenKind as T;
            let token = self.next_word();
            match token.kind {
                kind if kind == end => {
                    self.last_end = token.end();
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                T::Bool
                | T::CharConstant
                | T::Complex
                | T::Dot
                | T::Field
                | T::Identifier
                | T::Number
                | T::Nil
                | T::RawString
                | T::String
                | T::Variable
                | T::LeftParen => {
                    self.back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), Error> {
        loop {
            let variable = *self.peek_word();
            if variable.kind != TokenKind::Variable {
                return Ok(());
            }
            self.next();
            // Space is a token: in "$x foo" three tokens must be seen to know that nothing is declared.
            let after = *self.peek();
            let next = *self.peek_word();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    pipe.assigns = next.kind == TokenKind::Assign;
                    self.next_word();
                    self.declare(pipe, &variable);
                    return Ok(());
                }
                TokenKind::Char if next.text == "," => {
                    self.next_word();
                    self.declare(pipe, &variable);
                    if context == "range" && pipe.variables.len() < 2 {
                        match self.peek_word().kind {
                            TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => continue,
                            _ => return Err(self.error("range can only initialize variables")),
                        }
                    }
                    return Err(self.error(&format!("too many declarations in {context}")));
                }
                _ if after.kind == TokenKind::Space => self.back3(variable, after),
                _ => self.back2(variable),
            }
            return Ok(());
        }
    }

    fn declare(&mut self, pipe: &mut Pipe, token: &Token<'s>) {
        pipe.variables.push(variable(token));
        self.template.variables.push(token.text);
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Result<(), Error> {
        if pipe.commands.is_empty() {
            return Err(self.error(&format!("missing value for {context}")));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.words.first(),
                Some(Word::Bool(..) | Word::Dot(_) | Word::Nil(_) | Word::Number(_) | Word::String(_))
            ) {
                return Err(self.error(&format!("non executable command in pipeline stage {}", at + 1)));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command, Error> {
        let at = Piece::new(self.peek_word().at, 0).start;
        let mut words = Vec::new();
        loop {
            self.peek_word();
            if let Some(word) = self.operand()? {
                words.push(word);
            }
            let token = self.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelim | TokenKind::RightParen => {
                    self.back();
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if words.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { at, words })
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Word>, Error> {
        let Some(word) = self.term()? else { return Ok(None) };
        if self.peek().kind != TokenKind::Field {
            return Ok(Some(word));
        }
        // Go gives the whole chain the place of the first field that it adds.
        let at = Piece::new(self.peek().at, 0).start;
        let mut added = Vec::new();
        while self.peek().kind == TokenKind::Field {
            added.push(field(&self.next()));
        }
        Ok(Some(match word {
            Word::Field(_, mut fields) => {
                fields.extend(added);
                Word::Field(at, fields)
            }
            Word::Variable(mut variable) => {
                variable.fields.extend(added);
                Word::Variable(Variable { at, ..variable })
            }
            Word::Bool(..) | Word::String(_) | Word::Number(_) | Word::Nil(_) | Word::Dot(_) => {
                let term = quote(spell_word(&word, self.source).as_bytes());
                return Err(self.error(&format!("unexpected . after term {term}")));
            }
            word => Word::Chain(at, Box::new(word), added),
        }))
    }

    fn term(&mut self) -> Result<Option<Word>, Error> {
        let token = self.next_word();
        let at = Piece::new(token.at, 0).start;
        Ok(Some(match token.kind {
            TokenKind::Identifier => Word::Function(at, self.function(&token)?),
            TokenKind::Dot => Word::Dot(at),
            TokenKind::Nil => Word::Nil(at),
            TokenKind::Variable => {
                if !self.template.variables.contains(&token.text) {
                    let name = quote(token.text.as_bytes());
                    return Err(self.error(&format!("undefined variable {name}")));
                }
                Word::Variable(variable(&token))
            }
            TokenKind::Field => Word::Field(at, vec![field(&token)]),
            TokenKind::Bool => Word::Bool(at, token.text == "true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let number = number(&token).map_err(|message| self.error(&message))?;
                Word::Number(Box::new(number))
            }
            TokenKind::LeftParen => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.leave();
                Word::Pipe(Box::new(pipe))
            }
            TokenKind::String | TokenKind::RawString => {
                let bytes = unquote(token.text).ok_or_else(|| self.error("invalid syntax"))?;
                let verbatim = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
                let is_verbatim = verbatim.as_bytes() == bytes;
                let value = match String::from_utf8(bytes) {
                    Ok(string) => Constant::Text(Text::from(string)),
                    Err(error) => Constant::Bytes(Arc::from(error.into_bytes())),
                };
                let piece = Piece::new(token.at, token.end());
                Word::String(Box::new(StringWord { piece, value, is_verbatim }))
            }
            _ => {
                self.back();
                return Ok(None);
            }
        }))
    }

    fn function(&self, token: &Token<'s>) -> Result<Function, Error> {
        let target = match self.functions.id(token.text) {
            Some(id) => Some(Target::Added(id)),
            None => Builtin::named(token.text).map(Target::Builtin),
        };
        let Some(target) = target else {
            let name = quote(token.text.as_bytes());
            return Err(self.error(&format!("function {name} not defined")));
        };
        Ok(Function { name: Arc::from(token.text), target })
    }
}

fn variable(token: &Token<'_>) -> Variable {
    Variable { at: Piece::new(token.at, 0).start, name: Arc::from(token.text), fields: Vec::new() }
}

fn field(token: &Token<'_>) -> Arc<str> {
    Arc::from(token.text.strip_prefix('.').unwrap_or(token.text))
}
