//! Traced renderings of profiles, and what they tell: where every image of every profile is set.

use alignment::{ProfileSurvey, Rendered, Resolved, Standing, Survey, Used};
use source::{SourceMap, Span};

use crate::context::Ctx;
use crate::facts::DiskFacts;
use crate::rendering;
use crate::session::Session;

/// Renders all profiles with their traces and hands the survey over them to `look`.
pub(crate) fn with_survey<T>(ctx: &Ctx, session: &Session, look: impl FnOnce(&Survey<'_>, &SourceMap) -> T) -> T {
    let all: Vec<&release::Profile> = session.workspace.profiles.iter().collect();
    let profiles = rendering::render_all(session, &all, true, &|_| None);
    let facts = DiskFacts::of(ctx, session);
    let sources = session.files.sources();
    let inputs = session.inputs(&session.releases, &profiles, &sources, &facts);
    look(&Survey::new(&inputs), &sources)
}

/// Where an image's digest is set; where it has none, its tag; else the whole reference.
pub(crate) fn set_at(profile: &ProfileSurvey<'_>, used: &Used<'_>) -> Resolved {
    let ranges = used.image.reference.as_ref().ok().map(|reference| reference.ranges());
    let range = ranges.and_then(|ranges| ranges.digest.clone().or_else(|| ranges.tag.clone()));
    resolve(profile, &used.image.place(range))
}

pub(crate) fn resolve(profile: &ProfileSurvey<'_>, place: &Rendered) -> Resolved {
    alignment::resolve(profile.profile, place)
}

/// `file:line:column`.
pub(crate) fn position(sources: &SourceMap, span: Span) -> String {
    let (start, _) = sources.positions(span);
    format!("{}:{}:{}", sources.path(span.file), start.line, start.column)
}

/// What an image is to its release, in a few words.
pub(crate) fn standing(standing: &Standing<'_>) -> String {
    match standing {
        Standing::Component(component) => format!("component `{}`", component.name.value),
        Standing::Unmanaged(entry) => format!("unmanaged: {}", entry.reason.value),
        Standing::OtherTag(_) => "unmanaged under another tag".to_owned(),
        Standing::Ambiguous(_) => "listed by the release under other tags".to_owned(),
        Standing::Unlisted => "not listed by the release".to_owned(),
        Standing::Damaged => "no image reference".to_owned(),
        Standing::Unjudged => "no release to hold it against".to_owned(),
    }
}
