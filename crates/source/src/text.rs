//! A string that can carry a trace: which source bytes each of its bytes came from.
//!
//! Without a trace a [`Text`] is a reference-counted string and nothing more. With one, every operation that keeps bytes
//! keeps their origin exactly, and every operation that makes new bytes from old ones records the union of what went in.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::Span;

/// Origins of one piece longer than this are cut: a value made from more places has no place that is worth naming.
const MOST_UNION_SPANS: usize = 16;

/// An immutable string with an optional trace. Cloning is cheap.
#[derive(Clone)]
pub struct Text {
    string: Arc<str>,
    trace: Option<Arc<[Segment]>>,
}

/// The origin of one byte range of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Byte range in the text. Segments are sorted, not empty and do not overlap; gaps have no known origin.
    pub range: Range<usize>,
    /// Where these bytes came from.
    pub origin: Origin,
    /// The template actions that carried them, innermost first in time: the head is the outermost one.
    pub via: Option<Arc<Via>>,
}

/// Where bytes came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The very same bytes stand at this span; its length is the segment's.
    Exact(Span),
    /// The bytes were made from these places.
    Union(Arc<[Span]>),
}

/// One template action on the way of a value to the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The action, such as `{{ include "image" . }}`.
    pub at: Span,
    /// The action that had printed the bytes before, such as the one inside the included template.
    pub inner: Option<Arc<Self>>,
}

impl Origin {
    /// All places of this origin.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        match self {
            Self::Exact(span) => std::slice::from_ref(span),
            Self::Union(spans) => spans,
        }
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Exact(span) => {
                let start = span.start as usize;
                Self::Exact(Span::new(span.file, start + from..start + to))
            }
            Self::Union(_) => self.clone(),
        }
    }
}

impl Text {
    /// A text without trace.
    #[must_use]
    pub fn new(string: impl Into<Arc<str>>) -> Self {
        Self { string: string.into(), trace: None }
    }

    /// A text whose bytes are exactly those at `span`. A length that differs makes it a union of `span`.
    #[must_use]
    pub fn exact(string: impl Into<Arc<str>>, span: Span) -> Self {
        let string = string.into();
        let origin = if string.len() == span.len() { Origin::Exact(span) } else { Origin::Union(Arc::from([span])) };
        Self::with_origin(string, origin)
    }

    /// A text made from `spans` by something that does not keep bytes.
    #[must_use]
    pub fn derived(string: impl Into<Arc<str>>, spans: &[Span]) -> Self {
        Self::with_origin(string.into(), Origin::Union(Arc::from(spans)))
    }

    /// A text made from `inputs` by something opaque, such as `sha256sum`: traced if any input is.
    #[must_use]
    pub fn derived_from<'a>(string: impl Into<Arc<str>>, inputs: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        let mut traced = false;
        for input in inputs {
            traced |= input.is_traced();
            spans.extend(input.segments().iter().flat_map(|segment| segment.origin.spans().iter().copied()));
        }
        if !traced {
            return Self::new(string);
        }
        spans.sort_unstable();
        spans.dedup();
        spans.truncate(MOST_UNION_SPANS);
        Self::derived(string, &spans)
    }

    fn with_origin(string: Arc<str>, origin: Origin) -> Self {
        let range = 0..string.len();
        // An empty text keeps its (empty) segment: `digest: ""` still has a place.
        Self { string, trace: Some(Arc::from([Segment { range, origin, via: None }])) }
    }

    /// The string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.string
    }

    /// The reference-counted string, for callers that keep it without its trace.
    #[must_use]
    pub fn to_arc(&self) -> Arc<str> {
        Arc::clone(&self.string)
    }

    /// Whether this text carries a trace.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// The trace; empty where there is none.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// The segments that overlap `range` (or touch it, if `range` is empty).
    pub fn segments_in(&self, range: Range<usize>) -> impl Iterator<Item = &Segment> {
        let segments = self.segments();
        let first = segments.partition_point(|segment| segment.range.end < range.start);
        segments[first..].iter().take_while(move |segment| segment.range.start <= range.end).filter(move |segment| {
            let overlaps = segment.range.start < range.end && range.start < segment.range.end;
            overlaps || range.is_empty() || segment.range.is_empty()
        })
    }

    /// The one contiguous source span whose bytes are exactly those of `range`, if there is one.
    #[must_use]
    pub fn exact_span(&self, range: Range<usize>) -> Option<Span> {
        let mut found: Option<Span> = None;
        let mut reached = range.start;
        for segment in self.segments_in(range.clone()) {
            if segment.range.is_empty() {
                continue;
            }
            if segment.range.start > reached {
                return None;
            }
            let from = range.start.max(segment.range.start) - segment.range.start;
            let to = range.end.min(segment.range.end) - segment.range.start;
            let Origin::Exact(piece) = segment.origin.slice(from, to) else { return None };
            found = match found {
                None => Some(piece),
                Some(span) if span.file == piece.file && span.end == piece.start => {
                    Some(Span { end: piece.end, ..span })
                }
                Some(_) => return None,
            };
            reached = segment.range.end;
        }
        found.filter(|_| reached >= range.end)
    }

    /// The bytes of `range` with their origins. `range` must lie on character boundaries of the text; else it is
    /// clamped to the text's end.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let range = range.start.min(self.string.len())..range.end.min(self.string.len());
        let Some(part) = self.string.get(range.clone()) else { return Self::derived_from("", [self]) };
        if part.len() == self.string.len() {
            return self.clone();
        }
        let Some(_) = &self.trace else { return Self::new(part) };
        let mut buf = TextBuf::new();
        buf.push_slice(self, range);
        buf.traced = true;
        buf.finish()
    }

    /// The same text, its bytes marked as carried by the template action at `at`. A no-op without a trace.
    #[must_use]
    pub fn carried_by(&self, at: Span) -> Self {
        let Some(trace) = &self.trace else { return self.clone() };
        let mut carried: Vec<Segment> = trace.to_vec();
        let mut last: Option<(Option<Arc<Via>>, Arc<Via>)> = None;
        for segment in &mut carried {
            let inner = segment.via.take();
            let via = match &last {
                Some((key, via)) if same_via(key.as_ref(), inner.as_ref()) => Arc::clone(via),
                _ => Arc::new(Via { at, inner: inner.clone() }),
            };
            last = Some((inner, Arc::clone(&via)));
            segment.via = Some(via);
        }
        Self { string: Arc::clone(&self.string), trace: Some(carried.into()) }
    }

    /// `trim_matches` and friends: keeps what lies between, with its origins.
    #[must_use]
    pub fn trimmed(&self, trim: impl FnOnce(&str) -> &str) -> Self {
        let kept = trim(self);
        let start = kept.as_ptr().addr().wrapping_sub(self.string.as_ptr().addr());
        if start <= self.string.len() && start + kept.len() <= self.string.len() {
            self.slice(start..start + kept.len())
        } else {
            Self::derived_from(kept, [self])
        }
    }

    /// Replaces every occurrence of the non-empty `from`; bytes that stay keep their origin.
    #[must_use]
    pub fn replaced(&self, from: &str, to: &Self) -> Self {
        if from.is_empty() {
            return Self::derived_from(self.string.replace(from, to), [self, to]);
        }
        if !self.is_traced() && !to.is_traced() {
            return Self::new(self.string.replace(from, to));
        }
        let mut buf = TextBuf::new();
        let mut kept = 0;
        for (at, _) in self.string.match_indices(from) {
            buf.push_slice(self, kept..at);
            buf.push(to);
            kept = at + from.len();
        }
        buf.push_slice(self, kept..self.string.len());
        buf.traced |= self.is_traced();
        buf.finish()
    }
}

fn same_via(a: Option<&Arc<Via>>, b: Option<&Arc<Via>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.string
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.string
    }
}

/// Sound because equality, order and hash of a text are those of its string.
impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.string
    }
}

impl From<&str> for Text {
    fn from(string: &str) -> Self {
        Self::new(string)
    }
}

impl From<String> for Text {
    fn from(string: String) -> Self {
        Self::new(string)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new("")
    }
}

/// Texts are equal if their strings are: a trace is no part of the value.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.string == other.string
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.string.cmp(&other.string)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.string.hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.string, formatter)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.string)
    }
}

/// A growing text. Without traced pieces it is a `String`.
#[derive(Clone, Debug, Default)]
pub struct TextBuf {
    string: String,
    segments: Vec<Segment>,
    traced: bool,
}

impl TextBuf {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for `bytes` bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { string: String::with_capacity(bytes), ..Self::default() }
    }

    /// Appends bytes without origin.
    pub fn push_str(&mut self, string: &str) {
        self.string.push_str(string);
    }

    /// Appends the bytes at `span`: a template literal in a traced rendering.
    pub fn push_exact(&mut self, string: &str, span: Span) {
        let start = self.string.len();
        self.string.push_str(string);
        self.traced = true;
        let origin = if string.len() == span.len() { Origin::Exact(span) } else { Origin::Union(Arc::from([span])) };
        self.push_segment(Segment { range: start..self.string.len(), origin, via: None });
    }

    /// Appends a text with its trace.
    pub fn push(&mut self, text: &Text) {
        if !text.is_traced() {
            self.string.push_str(text);
            return;
        }
        let start = self.string.len();
        self.string.push_str(text);
        self.traced = true;
        for segment in text.segments() {
            let range = segment.range.start + start..segment.range.end + start;
            self.push_segment(Segment { range, ..segment.clone() });
        }
    }

    /// Appends the bytes of `range` of a text with their origins. A range off character boundaries appends nothing.
    pub fn push_slice(&mut self, text: &Text, range: Range<usize>) {
        let Some(part) = text.as_str().get(range.clone()) else { return };
        let start = self.string.len();
        self.string.push_str(part);
        if !text.is_traced() {
            return;
        }
        self.traced = true;
        for segment in text.segments_in(range.clone()) {
            let from = range.start.max(segment.range.start);
            let to = range.end.min(segment.range.end);
            if from > to {
                continue;
            }
            let base = segment.range.start;
            let origin = segment.origin.slice(from - base, to - base);
            let range = from - range.start + start..to - range.start + start;
            self.push_segment(Segment { range, origin, via: segment.via.clone() });
        }
    }

    fn push_segment(&mut self, segment: Segment) {
        // Neighbours that continue each other become one: a long literal pushed in pieces stays one segment.
        if let Some(last) = self.segments.last_mut()
            && last.range.end == segment.range.start
            && same_via(last.via.as_ref(), segment.via.as_ref())
            && let (Origin::Exact(a), Origin::Exact(b)) = (&mut last.origin, &segment.origin)
            && a.file == b.file
            && a.end == b.start
        {
            a.end = b.end;
            last.range.end = segment.range.end;
            return;
        }
        self.segments.push(segment);
    }

    /// Number of bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.string.len()
    }

    /// Whether nothing was appended yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.string.is_empty()
    }

    /// What was appended so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.string
    }

    /// The text. It is traced if any appended piece was.
    #[must_use]
    pub fn finish(self) -> Text {
        let trace = self.traced.then(|| Arc::from(self.segments));
        Text { string: Arc::from(self.string), trace }
    }
}

impl fmt::Write for TextBuf {
    fn write_str(&mut self, string: &str) -> fmt::Result {
        self.push_str(string);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
