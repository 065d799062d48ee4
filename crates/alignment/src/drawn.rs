//! Values that a template draws on every run: nobody has written them anywhere.

use findings::Location;
use source::Span;

use crate::accept::Reported;
use crate::inputs::Profile;

/// Functions of templates whose result is drawn, whatever they are given.
fn draws(function: &str) -> bool {
    function.starts_with("rand") || function.starts_with("gen") || function == "uuidv4"
}

/// Whether a finding says that a value is committed which a template draws. In a traced rendering, what was drawn leads to the call. Where it
/// was made a number on its way (`randNumeric 4 | atoi`), its trace has ended, and all that is left is the empty text (`$key := ""`) to which
/// a loop adds: nothing of such a value is written anywhere, and what draws is in the same file.
pub(crate) fn is_drawn<'a>(reported: &Reported, traced: &dyn Fn(&str) -> Option<&'a Profile>) -> bool {
    let (place, profile) = (&reported.resolved.place, reported.symbolic.place.profile.as_deref());
    let (Location::Span(place), Some(profile)) = (place, profile.and_then(traced)) else { return false };
    let mut calls =
        profile.variants.iter().filter_map(|variant| variant.kubernetes()).flat_map(|found| &found.nondeterministic);
    reported.symbolic.rule == "secret-value-committed"
        && calls.any(|(function, at)| {
            let is_it = |at: Span| at.file == place.file && (at.start == place.start || place.start == place.end);
            draws(function) && at.is_some_and(is_it)
        })
}
