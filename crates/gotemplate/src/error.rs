//! Template errors in Go's words, with a place.

use std::fmt;
use std::sync::Arc;

use source::Span;

/// A template could not be parsed or run. Displays as Go prints it:
/// `template: x:1:2: executing "x" at <.a.b>: nil pointer evaluating interface {}.b`. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Error(Arc<Inner>);

/// Causes that an error remembers below its own; then the innermost. Each has the words of all below it, so that of the thousand levels
/// that `include` may have, all would take a hundred megabytes.
const MOST_CAUSES: usize = 20;

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
    /// How many causes there are below it.
    causes: usize,
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
        let (line, column, span, limit, cause, causes) = (0, None, None, false, None, 0);
        Self(Arc::new(Inner { stage, message, template, line, column, span, limit, cause, causes }))
    }

    pub(crate) fn at(mut self, line: usize, column: Option<usize>, span: Option<Span>) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.line = line;
        inner.column = column;
        inner.span = span;
        self
    }

    pub(crate) fn because_of(mut self, cause: Option<Self>) -> Self {
        let cause = cause.map(|cause| if cause.0.causes < MOST_CAUSES { cause } else { cause.root().clone() });
        let inner = Arc::make_mut(&mut self.0);
        inner.causes = cause.as_ref().map_or(0, |cause| cause.0.causes + 1);
        inner.cause = cause;
        self
    }

    pub(crate) fn with_limit(mut self, limit: bool) -> Self {
        Arc::make_mut(&mut self.0).limit = limit;
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
