//! The parts of an image reference.

use std::ops::Range;

use release::ImageRef;

use crate::place::{Place, What};

/// The reference in a text, if it is one that names more than a word: a value such as `nats` may be anything.
pub(crate) fn parse(text: &str) -> Option<ImageRef> {
    let reference: ImageRef = text.parse().ok()?;
    (reference.digest().is_some() || (reference.ranges().registry.is_some() && reference.tag().is_some()))
        .then_some(reference)
}

/// A whole reference and its parts, at `place`.
pub(crate) fn parts(place: &Place, reference: &ImageRef) -> Vec<Place> {
    let part = |what: What, range: &Range<usize>| Place {
        what,
        path: format!("{} ({})", place.path, what.name()),
        span: place.span.start + range.start..place.span.start + range.end,
        entry: None,
        scalar: None,
        ..place.clone()
    };
    let ranges = reference.ranges();
    let mut parts = vec![Place { what: What::Image, ..place.clone() }];
    parts.extend(ranges.registry.as_ref().map(|range| part(What::Registry, range)));
    parts.push(part(What::Repository, &ranges.repository));
    parts.extend(ranges.tag.as_ref().map(|range| part(What::Tag, range)));
    parts.extend(ranges.digest.as_ref().map(|range| part(What::Digest, range)));
    parts
}
