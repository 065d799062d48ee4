//! What one workspace file asks less of than another: a rule that is silenced, a profile that is not looked at, a gate that is gone.
//!
//! Threat: whoever proposes a change can propose to change the rules for it. A file that is protected better says what is asked; every key with
//! which today's file could make a red change green is held against it. What asks for more is silent. A change of what is rendered counts as
//! less, whatever it is: nobody can tell from here whether what is deployed moved too.

use findings::{Finding, Location, Severity};
use release::{Ignore, ImagesAt, Level, Unmanaged, Workspace};
use source::Span;

use crate::image::matches;
use crate::rules::{RULES, Rule};

mod channels;
mod gates;
mod profiles;

pub use gates::weaker_gates;

/// Something that today's file asks less of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// Where today's file says so; `None` where it says nothing any more.
    pub span: Option<Span>,
    /// What it is, as a whole clause.
    pub what: String,
}

impl Weakening {
    pub(crate) fn new(span: impl Into<Option<Span>>, what: impl Into<String>) -> Self {
        Self { span: span.into(), what: what.into() }
    }

    /// The finding of it. `protected` names the file that asks for more, `path` today's.
    #[must_use]
    pub fn finding(self, protected: &str, path: &camino::Utf8Path) -> Finding<Location> {
        let place = self.span.map_or_else(|| Location::File(path.to_owned()), Location::Span);
        let message = format!("`{path}` asks for less than that of `{protected}`: {}", self.what);
        Finding::new("policy-weakened", Severity::Error, place, message)
            .help(format!("take it back; where it is meant, bring it to `{protected}` first, in a change of its own"))
    }
}

/// Whether a ring holds what today's file says because a move brought it there: the names of the channel and of the ring.
pub type Moved<'m> = &'m dyn Fn(&str, &str) -> bool;

/// Everything that `own` asks less of than `protected`, in the order of the file's keys.
#[must_use]
pub fn weakened(protected: &Workspace, own: &Workspace, moved: Moved<'_>) -> Vec<Weakening> {
    let mut out = Vec::new();
    channels::compare(protected, own, moved, &mut out);
    profiles::compare(protected, own, &mut out);
    unmanaged(protected, own, &mut out);
    images_at(protected, own, &mut out);
    ignored(protected, own, &mut out);
    levels(protected, own, &mut out);
    paths(protected, own, &mut out);
    out
}

/// Images that only today's file lets nobody own.
fn unmanaged(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    for entry in &own.unmanaged {
        let known: Vec<&Unmanaged> =
            protected.unmanaged.iter().filter(|known| known.image.same_name(&entry.image)).collect();
        let name = entry.image.name();
        if known.iter().any(|known| known.tags.is_empty()) {
            continue;
        }
        if known.is_empty() {
            out.push(Weakening::new(entry.image.span, format!("`{name}` may be there without a release")));
        } else if entry.tags.is_empty() {
            out.push(Weakening::new(entry.image.span, format!("`{name}` may have any tag")));
        }
        for tag in entry.tags.iter().filter(|_| !known.is_empty()) {
            // A `*` of a pattern is matched by a `*` only, so that a pattern which matches a pattern matches all that it does.
            let is_known = known.iter().flat_map(|known| &known.tags).any(|known| matches(known, tag));
            if !is_known {
                out.push(Weakening::new(tag.span, format!("`{name}` may have the tag `{}`", tag.value)));
            }
        }
    }
}

/// Places of images that are not looked at any more.
fn images_at(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    let described = |at: &ImagesAt| match at {
        ImagesAt::Path { kind, path } => format!("images of `{}` at `{}` are not looked at", kind.value, path.value),
        ImagesAt::Args(pattern) => format!("images in arguments `{}` are not looked at", pattern.value),
    };
    let now: Vec<String> = own.images_at.iter().map(described).collect();
    let gone = protected.images_at.iter().map(described).filter(|known| !now.contains(known));
    out.extend(gone.map(|what| Weakening::new(None, what)));
}

/// Findings that only today's file accepts, or accepts for longer.
fn ignored(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    for entry in &own.ignore {
        let rule = &entry.rule.value;
        let covers_place = |known: &&Ignore| {
            known.rule.value == *rule
                && known.at.as_ref().is_none_or(|known| entry.at.as_ref().is_some_and(|at| at.value == known.value))
        };
        let covers_time = |known: &Ignore| match (&known.until, &entry.until) {
            (None, _) => true,
            (Some(known), Some(until)) => until.value <= known.value,
            (Some(_), None) => false,
        };
        let known: Vec<&Ignore> = protected.ignore.iter().filter(covers_place).collect();
        if known.iter().any(|known| covers_time(known)) {
            continue;
        }
        let at = entry.at.as_ref().map_or_else(|| "everywhere".to_owned(), |at| format!("at `{}`", at.value));
        let until =
            entry.until.as_ref().map_or_else(|| "for ever".to_owned(), |until| format!("until {}", until.value));
        let what = if known.is_empty() {
            format!("findings of `{rule}` are accepted {at}")
        } else {
            format!("findings of `{rule}` are accepted {at} {until}")
        };
        out.push(Weakening::new(entry.span, what));
    }
}

/// Rules that report less in today's file.
fn levels(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    for rule in RULES {
        if !is_lower(own.level(rule.id()), protected.level(rule.id()), *rule) {
            continue;
        }
        let id = rule.id();
        let setting = own.rules.iter().find(|setting| setting.rule.value == id);
        let asked = protected
            .level(id)
            .map_or_else(|| "what it is by itself".to_owned(), |level| format!("`{}`", level.as_str()));
        out.push(match setting {
            Some(setting) => {
                let what = format!("`{id}` reports `{}`, not {asked}", setting.level.value.as_str());
                Weakening::new(setting.level.span, what)
            }
            None => Weakening::new(None, format!("`{id}` reports what it is by itself, not {asked}")),
        });
    }
}

/// Whether some finding of the rule becomes less by one setting than by the other.
fn is_lower(own: Option<Level>, protected: Option<Level>, rule: &dyn Rule) -> bool {
    let becomes = |severity: Severity, level: Option<Level>| match level {
        None => Some(severity),
        Some(Level::Off) => None,
        Some(Level::Note) => Some(Severity::Note),
        Some(Level::Warning) => Some(Severity::Warning),
        Some(Level::Error) => Some(Severity::Error),
    };
    let severities = rule.severities();
    [Severity::Note, Severity::Warning, Severity::Error]
        .into_iter()
        .filter(|severity| severities.contains(severity))
        .any(|severity| becomes(severity, own) < becomes(severity, protected))
}

/// Files that are checked because the workspace names them. What `trust` names is held against its own protected text.
fn paths(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    if let Some(mirror) = &protected.mirror
        && own.mirror.as_ref().is_none_or(|own| own.value != mirror.value)
    {
        let what = format!("`mirror` does not name `{}`", mirror.value);
        out.push(Weakening::new(own.mirror.as_ref().map(|mirror| mirror.span), what));
    }
    let gone = protected.docs.iter().filter(|known| own.docs.iter().all(|own| own.value != known.value));
    out.extend(gone.map(|known| Weakening::new(None, format!("`docs` does not name `{}`", known.value))));
}
