//! Traced renderings of profiles, and what they tell: where every image of every profile is set.

use std::collections::BTreeSet;

use alignment::{ProfileSurvey, ReleaseInput, Rendered, Resolved, Standing, Survey, Used};
use source::{SourceMap, Span};

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
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

/// What an answer about the profiles that `selected` wants by their names cannot know, a line each.
pub(crate) fn gaps(survey: &Survey<'_>, selected: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let profiles = || survey.profiles.iter().filter(|profile| selected(profile.name()));
    let unrendered = profiles().filter(|profile| !profile.is_rendered());
    let manifests = profiles().filter_map(|profile| survey.inputs.releases.get(profile.profile.release?));
    let unrendered = unrendered.map(|profile| format!("profile `{}` does not render", profile.name()));
    unrendered.chain(unsound(manifests)).collect()
}

/// Those of the manifests that have a problem, a line each.
pub(crate) fn unsound<'i>(manifests: impl Iterator<Item = &'i ReleaseInput>) -> impl Iterator<Item = String> {
    let unsound = manifests.filter(|input| input.sound().is_none());
    unsound.map(|input| format!("release manifest `{}` has a problem", input.path))
}

/// How a command ends whose answer has these gaps: nobody may take it for a whole one.
pub(crate) fn answered(gaps: BTreeSet<String>) -> Result<Exit> {
    if gaps.is_empty() {
        return Ok(Exit::Fine);
    }
    let failure = Failure::new(Exit::Findings, "not everything could be looked at");
    Err(gaps.into_iter().fold(failure, Failure::because).hint("`collimate check` shows what is wrong"))
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
