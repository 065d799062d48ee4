//! Where a finding is, for writers.

use std::borrow::Cow;

use camino::Utf8PathBuf;
use source::{SourceMap, Span, printable};

/// A resolved place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Bytes of a file in the source map.
    Span(Span),
    /// A whole file, or a path where nothing is.
    File(Utf8PathBuf),
    /// Nothing that stands in a file.
    Nowhere,
}

/// A place as people count: lines and columns from 1, columns in characters, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

impl Location {
    /// The path of the file, if the place is in one, as it may be printed.
    #[must_use]
    pub fn path<'a>(&'a self, sources: &'a SourceMap) -> Option<Cow<'a, str>> {
        match self {
            Self::Span(span) => Some(printable(sources.path(span.file).as_str())),
            Self::File(path) => Some(printable(path.as_str())),
            Self::Nowhere => None,
        }
    }

    /// Lines and columns, if the place is a span.
    #[must_use]
    pub fn range(&self, sources: &SourceMap) -> Option<Range> {
        let Self::Span(span) = self else { return None };
        let (start, end) = sources.positions(*span);
        Some(Range { line: start.line, column: start.column, end_line: end.line, end_column: end.column })
    }
}

impl From<Span> for Location {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}
