//! Why a project cannot be loaded, in Docker Compose's words, with the place that Compose does not tell.

use std::fmt;

use source::Span;

/// Why a project cannot be loaded. `Display` is what `docker compose config` prints.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    earlier: Option<Span>,
    help: Option<String>,
}

/// What sort of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A file that was named cannot be read.
    Unreadable,
    /// Not YAML, or not the YAML that Compose reads.
    Syntax,
    /// A variable has no value, or a template is wrong.
    Interpolation,
    /// The project is not what the Compose specification describes.
    Invalid,
    /// One of our own limits ([`crate::Limits`]) was passed.
    Limit,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), span: None, earlier: None, help: None }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    /// Sets the place unless one nearer to the cause is known already.
    #[must_use]
    pub(crate) fn at(mut self, span: Option<Span>) -> Self {
        self.0.span = self.0.span.or(span);
        self
    }

    /// Names the earlier of two places that contradict each other; the place of the error is the later one.
    #[must_use]
    pub(crate) fn contradicting(mut self, earlier: Option<Span>) -> Self {
        self.0.earlier = self.0.earlier.or(earlier);
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
        self
    }

    /// Puts words before the message, as Go's `fmt.Errorf("…: %w", err)`.
    #[must_use]
    pub(crate) fn context(mut self, before: impl fmt::Display) -> Self {
        self.0.message = format!("{before}: {}", self.0.message);
        self
    }

    /// What sort of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The place that caused it, where one is known.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The place that the one of [`Self::span`] contradicts: which of both is wrong only people know.
    #[must_use]
    pub fn earlier(&self) -> Option<Span> {
        self.0.earlier
    }

    /// A way out, where we know one.
    #[must_use]
    pub fn way_out(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
