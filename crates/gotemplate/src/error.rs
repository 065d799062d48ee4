//! Template errors in Go's words, with a place.

use std::fmt;

use source::Span;

/// A template could not be parsed or run. Displays as Go prints it:
/// `template: x:1:2: executing "x" at <.a.b>: nil pointer evaluating interface {}.b`.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    stage: Stage,
    message: String,
    template: String,
    line: usize,
    column: Option<usize>,
    span: Option<Span>,
    limit: bool,
    cause: Option<Error>,
}

/// When a template failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Parse,
    /// While it ran (Go: an `ExecError`).
    Execute,
    /// Before it could run: there is no template of that name.
    Lookup,
}

impl Error {
    pub(crate) fn new(stage: Stage, template: &str, message: String) -> Self {
        let template = template.to_owned();
        let (line, column, span, limit, cause) = (0, None, None, false, None);
        Self(Box::new(Inner { stage, message, template, line, column, span, limit, cause }))
    }

    pub(crate) fn at(mut self, line: usize, column: Option<usize>, span: Option<Span>) -> Self {
        self.0.line = line;
        self.0.column = column;
        self.0.span = span;
        self
    }

    pub(crate) fn because_of(mut self, cause: Option<Self>) -> Self {
        self.0.cause = cause;
        self
    }

    pub(crate) fn with_limit(mut self, limit: bool) -> Self {
        self.0.limit = limit;
        self
    }

    /// When it happened.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.0.stage
    }

    /// The name of the template text it happened in: the file's, also inside a `define`.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.0.template
    }

    /// The line, from 1; 0 if there is no place.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// The column as Go counts (bytes; from 0 after the first line break). Parse errors have none.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.column
    }

    /// The source bytes of the node (execution) or of the offending token (parsing), if the text's origin is known.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// Whether one of our own limits was passed.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.0.limit
    }

    /// The error of the template that was run from here by a function such as `include`.
    #[must_use]
    pub fn cause(&self) -> Option<&Self> {
        self.0.cause.as_ref()
    }

    /// The innermost error: where it went wrong first.
    #[must_use]
    pub fn root(&self) -> &Self {
        let mut root = self;
        while let Some(cause) = root.cause() {
            root = cause;
        }
        root
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

/// The cause is no `source`: Go's words already carry its text.
impl std::error::Error for Error {}
