//! The parsed form of a template, and how Go spells its nodes in error messages.
//!
//! Nodes hold byte offsets of the template's text instead of copies of it.

use std::fmt::Write as _;
use std::sync::Arc;

use source::{Span, Text};

use crate::FunctionId;
use crate::exec::Builtin;

/// A half-open byte range of the template's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Piece {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One template's tree.
pub(crate) struct Tree {
    pub(crate) name: Arc<str>,
    /// The name under which the whole text was parsed: error messages begin with it.
    pub(crate) parse_name: Arc<str>,
    pub(crate) source: Text,
    pub(crate) root: Nodes,
    /// Whether there is nothing but space in it: it then never replaces another template.
    pub(crate) is_blank: bool,
}

pub(crate) type Nodes = Vec<Node>;

pub(crate) enum Node {
    Text(Piece),
    Action(Action),
    Break,
    Continue,
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Call>),
}

/// `{{pipeline}}`
pub(crate) struct Action {
    /// Where Go says it is: its first word.
    pub(crate) at: u32,
    pub(crate) pipe: Pipe,
    pub(crate) place: Place,
}

/// The whole `{{…}}`, and where its bytes stand if the text is traced.
pub(crate) struct Place {
    pub(crate) span: Option<Span>,
}

pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Nodes,
    pub(crate) otherwise: Option<Nodes>,
    pub(crate) place: Place,
}

/// `{{template "name" pipeline}}`
pub(crate) struct Call {
    pub(crate) at: u32,
    pub(crate) name: Arc<str>,
    pub(crate) pipe: Option<Pipe>,
    pub(crate) place: Place,
}

pub(crate) struct Pipe {
    pub(crate) at: u32,
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<Variable>,
    pub(crate) commands: Vec<Command>,
}

/// `$x`, or `$x.a.b` where it is used.
pub(crate) struct Variable {
    pub(crate) at: u32,
    /// With the `$`.
    pub(crate) name: Arc<str>,
    pub(crate) fields: Vec<Arc<str>>,
}

pub(crate) struct Command {
    pub(crate) at: u32,
    pub(crate) words: Vec<Word>,
}

/// What a command consists of.
pub(crate) enum Word {
    Bool(u32, bool),
    Dot(u32),
    Nil(u32),
    Number(Box<Number>),
    String(Box<StringWord>),
    /// `.a.b`
    Field(u32, Vec<Arc<str>>),
    Variable(Variable),
    /// `(pipeline).a.b`, `name.a`
    Chain(u32, Box<Self>, Vec<Arc<str>>),
    Function(u32, Function),
    Pipe(Box<Pipe>),
}

pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Added(FunctionId),
    Builtin(Builtin),
}

pub(crate) struct StringWord {
    /// With its quotes.
    pub(crate) piece: Piece,
    pub(crate) value: Constant,
    /// Whether `value` stands in the text byte for byte, between the quotes.
    pub(crate) is_verbatim: bool,
}

pub(crate) enum Constant {
    Text(Text),
    /// Escapes made it something that is not UTF-8.
    Bytes(Arc<[u8]>),
}

/// A number constant: everything that it could mean.
pub(crate) struct Number {
    pub(crate) piece: Piece,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    /// Whether it is spelled as a float: what it is where no type is asked for.
    pub(crate) looks_float: bool,
}

/// The node being run: named in errors.
#[derive(Clone, Copy)]
pub(crate) enum NodeRef<'t> {
    Node(&'t Node),
    Action(&'t Action),
    Call(&'t Call),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Word(&'t Word),
    Variable(&'t Variable),
}

impl Word {
    pub(crate) fn at(&self) -> u32 {
        match self {
            Self::Bool(at, _) | Self::Dot(at) | Self::Nil(at) | Self::Field(at, _) => *at,
            Self::Chain(at, ..) | Self::Function(at, _) => *at,
            Self::Number(number) => number.piece.start,
            Self::String(string) => string.piece.start,
            Self::Variable(variable) => variable.at,
            Self::Pipe(pipe) => pipe.at,
        }
    }
}

impl NodeRef<'_> {
    /// Where Go says the node is; for chains that is the last dot it reads.
    pub(crate) fn at(self) -> usize {
        let at = match self {
            Self::Node(Node::Text(piece)) => piece.start,
            Self::Node(Node::Action(action)) | Self::Action(action) => action.at,
            Self::Node(Node::Break | Node::Continue) => 0,
            Self::Node(Node::If(branch) | Node::With(branch) | Node::Range(branch)) => branch.pipe.at,
            Self::Node(Node::Template(call)) => call.at,
            Self::Call(call) => call.at,
            Self::Pipe(pipe) => pipe.at,
            Self::Command(command) => command.at,
            Self::Word(word) => word.at(),
            Self::Variable(variable) => variable.at,
        };
        at as usize
    }

    /// The bytes of the node, for spans; of longer nodes the first word.
    pub(crate) fn extent(self, tree: &Tree) -> std::ops::Range<usize> {
        let at = self.at();
        let fields_len = |fields: &[Arc<str>]| fields.iter().map(|field| field.len() + 1).sum::<usize>();
        let chained = |head: usize, fields: &[Arc<str>]| {
            // A chain says it begins at its second part.
            let start = at.saturating_sub(head);
            start..start + head + fields_len(fields)
        };
        match self {
            Self::Word(Word::Field(_, fields)) => match fields.split_first() {
                Some((first, rest)) if !rest.is_empty() => chained(first.len() + 1, rest),
                _ => at..at + fields_len(fields),
            },
            Self::Word(Word::Variable(variable)) | Self::Variable(variable) => {
                if variable.fields.is_empty() {
                    at..at + variable.name.len()
                } else {
                    chained(variable.name.len(), &variable.fields)
                }
            }
            Self::Word(Word::Chain(_, _, fields)) => at..at + fields_len(fields),
            _ => {
                let rest = tree.source.as_str().get(at..).unwrap_or_default();
                let spelled = self.spelled(tree);
                let end = |c: char| c.is_whitespace() || matches!(c, '|' | ')' | '}');
                let len = if rest.starts_with(&spelled) { spelled.len() } else { rest.find(end).unwrap_or(rest.len()) };
                at..at + len
            }
        }
    }

    /// The node in Go's spelling.
    pub(crate) fn spelled(self, tree: &Tree) -> String {
        let mut out = Speller { tree, out: String::new() };
        match self {
            Self::Node(node) => out.node(node),
            Self::Action(action) => out.action(action),
            Self::Call(call) => out.call(call),
            Self::Pipe(pipe) => out.pipe(pipe),
            Self::Command(command) => out.command(command),
            Self::Word(word) => out.word(word),
            Self::Variable(variable) => out.variable(variable),
        }
        out.out
    }
}

/// `word` in Go's spelling, while its tree is still being made.
pub(super) fn spell_word(word: &Word, source: &Text) -> String {
    let tree = Tree {
        name: Arc::from(""),
        parse_name: Arc::from(""),
        source: source.clone(),
        root: Vec::new(),
        is_blank: true,
    };
    NodeRef::Word(word).spelled(&tree)
}

struct Speller<'t> {
    tree: &'t Tree,
    out: String,
}

impl Speller<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn piece(&mut self, piece: Piece) {
        self.out.push_str(self.tree.source.as_str().get(piece.range()).unwrap_or_default());
    }

    fn nodes(&mut self, nodes: &Nodes) {
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(piece) => self.piece(*piece),
            Node::Action(action) => self.action(action),
            Node::Break => self.push("{{break}}"),
            Node::Continue => self.push("{{continue}}"),
            Node::If(branch) => self.branch("if", branch),
            Node::With(branch) => self.branch("with", branch),
            Node::Range(branch) => self.branch("range", branch),
            Node::Template(call) => self.call(call),
        }
    }

    fn action(&mut self, action: &Action) {
        self.push("{{");
        self.pipe(&action.pipe);
        self.push("}}");
    }

    fn branch(&mut self, word: &str, branch: &Branch) {
        let _ = write!(self.out, "{{{{{word} ");
        self.pipe(&branch.pipe);
        self.push("}}");
        self.nodes(&branch.list);
        if let Some(otherwise) = &branch.otherwise {
            self.push("{{else}}");
            self.nodes(otherwise);
        }
        self.push("{{end}}");
    }

    fn call(&mut self, call: &Call) {
        let _ = write!(self.out, "{{{{template {}", crate::format::quote(call.name.as_bytes()));
        if let Some(pipe) = &call.pipe {
            self.push(" ");
            self.pipe(pipe);
        }
        self.push("}}");
    }

    fn pipe(&mut self, pipe: &Pipe) {
        for (at, variable) in pipe.variables.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.variable(variable);
        }
        if !pipe.variables.is_empty() {
            self.push(if pipe.assigns { " = " } else { " := " });
        }
        for (at, command) in pipe.commands.iter().enumerate() {
            if at > 0 {
                self.push(" | ");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for (at, word) in command.words.iter().enumerate() {
            if at > 0 {
                self.push(" ");
            }
            self.in_parens(word);
        }
    }

    fn in_parens(&mut self, word: &Word) {
        if let Word::Pipe(pipe) = word {
            self.push("(");
            self.pipe(pipe);
            self.push(")");
        } else {
            self.word(word);
        }
    }

    fn word(&mut self, word: &Word) {
        match word {
            Word::Bool(_, value) => self.push(if *value { "true" } else { "false" }),
            Word::Dot(_) => self.push("."),
            Word::Nil(_) => self.push("nil"),
            Word::Number(number) => self.piece(number.piece),
            Word::String(string) => self.piece(string.piece),
            Word::Field(_, fields) => self.fields(fields),
            Word::Variable(variable) => self.variable(variable),
            Word::Chain(_, head, fields) => {
                self.in_parens(head);
                self.fields(fields);
            }
            Word::Function(_, function) => self.push(&function.name),
            Word::Pipe(pipe) => self.pipe(pipe),
        }
    }

    fn variable(&mut self, variable: &Variable) {
        self.push(&variable.name);
        self.fields(&variable.fields);
    }

    fn fields(&mut self, fields: &[Arc<str>]) {
        for field in fields {
            self.push(".");
            self.push(field);
        }
    }
}
