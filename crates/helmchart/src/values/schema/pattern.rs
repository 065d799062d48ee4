//! How large a pattern becomes, before it is compiled.

use regex_syntax::hir::{Class, Hir, HirKind};

/// States for a range of characters: one for each of the bytes that they are written in.
const STATES_OF_A_RANGE: u64 = 4;

/// States of a pattern, or more. What is no pattern has none: the validator refuses it.
pub(super) fn states(pattern: &str) -> u64 {
    // As the validator reads it.
    let Ok(pattern) = jsonschema_regex::to_rust_regex(pattern) else { return 0 };
    regex_syntax::parse(&pattern).map_or(0, |hir| of(&hir))
}

fn of(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len() as u64 * STATES_OF_A_RANGE,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Capture(capture) => of(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
            of(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(of).fold(1, |sum, states| sum.saturating_add(states))
        }
    }
}
