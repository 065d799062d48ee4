//! Why a text was refused, in go-yaml's words.

use std::fmt;

use source::Span;

/// A refusal. `Display` is go-yaml's own wording, `yaml: line 3: …` included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    message: String,
    span: Option<Span>,
    limit: Option<Limit>,
}

/// A limit of ours (not of go-yaml) that a text went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The text has more than [`MOST_BYTES`](crate::MOST_BYTES) bytes.
    Size,
    /// The text has more than [`MOST_NODES`](crate::MOST_NODES) nodes.
    Nodes,
    /// Values nest deeper than we decode.
    Depth,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>, span: Option<Span>) -> Self {
        Self(Box::new(Inner { message: message.into(), span, limit: None }))
    }

    pub(crate) fn over(limit: Limit, message: impl Into<String>, span: Option<Span>) -> Self {
        Self(Box::new(Inner { message: message.into(), span, limit: Some(limit) }))
    }

    /// Where the problem was found: the true byte place, even where go-yaml's line in the message is off.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// Set when a limit of ours was the reason, so that go-yaml might have accepted the text.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        self.0.limit
    }

    /// The same error with words in front, as Go's `%w` wrapping does.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.0.message.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
