//! One place in a file pins an image for profiles whose releases list different digests.

use std::collections::BTreeMap;

use findings::{Finding, Severity};
use source::Span;

use crate::pins::Pin;
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct SharedPinConflict;

impl Rule for SharedPinConflict {
    fn id(&self) -> &'static str {
        "shared-pin-conflict"
    }

    fn summary(&self) -> &'static str {
        "one place pins an image for profiles whose releases list different digests"
    }

    /// Nothing is known of source places yet: see `check_pins`.
    fn check(&self, _survey: &Survey<'_>, _out: &mut Vec<Finding<Place>>) {}

    fn check_pins(&self, pins: &[Pin<'_>], out: &mut Vec<Finding<Place>>) {
        let mut by_place: BTreeMap<Span, Vec<&Pin<'_>>> = BTreeMap::new();
        for pin in pins {
            if let Some(digest) = &pin.digest
                && let Some(span) = digest.primary.filter(|_| digest.exact)
                && pin.component.digest.get().is_some()
            {
                by_place.entry(span).or_default().push(pin);
            }
        }
        for (span, pins) in by_place {
            let Some((first, others)) = pins.split_first() else { continue };
            let wants = |pin: &Pin<'_>| pin.component.digest.get().cloned();
            let Some(other) = others.iter().find(|other| wants(other) != wants(first)) else { continue };
            let name = &first.component.name.value;
            let wish = |pin: &Pin<'_>| {
                format!("profile `{}` needs this, from release `{}`", pin.profile, pin.release.version.value)
            };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    Place::source(span).of(first.profile),
                    format!(
                        "profiles `{}` and `{}` share this digest of `{name}`, but their releases list different ones",
                        first.profile, other.profile
                    ),
                )
                .label("shared")
                .related(Place::source(first.component.digest.span).of(first.profile), wish(first))
                .related(Place::source(other.component.digest.span).of(other.profile), wish(other))
                .help(
                    "take the digest out of the shared file and give each profile its own, in its values or env file; then run `collimate pin`",
                ),
            );
        }
    }
}
