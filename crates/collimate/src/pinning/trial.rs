//! A plan, tried: its edits are made in memory and rendered, and every use must then hold what it was meant to.

use std::collections::{BTreeMap, BTreeSet};

use alignment::{Profile, Survey};
use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, TextOptions, plural};
use source::{SourceMap, Span};
use yamlspan::edit::Splice;

use super::beyond::{self, Change};
use super::{Attempt, Plan, UseName, Ways, empty};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::inputs::{self, Inputs};
use crate::rendering;
use crate::session::Session;
use crate::tracing;

/// A plan that works.
pub(crate) struct Tried {
    pub(crate) plan: Plan,
    /// As they were before.
    pub(crate) sources: SourceMap,
    /// The files that change, with their new texts.
    pub(crate) texts: BTreeMap<Utf8PathBuf, String>,
    /// The profiles as they were before, with their traces.
    profiles: Vec<Profile>,
}

/// Pins the profiles in `selected` in memory: the new texts lie over the files of `session`. All of it can be done, or the places where it
/// cannot are printed and refused. So is what does not render: it has places that nobody knows, and needs there what nobody knows.
pub(crate) fn pin(ctx: &Ctx, session: &Session, selected: &BTreeSet<&str>, tag_with_digest: bool) -> Result<Tried> {
    let mut ways = Ways { tag_with_digest, ..Ways::default() };
    let mut round = 0;
    loop {
        let tried = planned(ctx, session, selected, &ways)?;
        if tried.texts.is_empty() {
            return Ok(tried);
        }
        lay(session, &tried.sources, tried.texts.iter().map(|(path, text)| (path.as_path(), text.as_str())));
        let (unmet, pinned) = tracing::with_survey(ctx, session, |survey, sources| {
            (super::unmet(survey, sources, &session.files, selected, &tried.plan), profiles(survey))
        });
        // Shown as it is on disk. What was right before and is no longer shows in the check of the result.
        let in_vain = |name: &UseName| Some((name.clone(), tried.plan.attempts.get(name)?.in_vain.clone()));
        let mut beyond = beyond(session, &tried, &pinned)?;
        beyond.retain(|name, _| !unmet.contains(name));
        let mut refusals: BTreeMap<UseName, Finding<Location>> = unmet.iter().filter_map(in_vain).collect();
        refusals.extend(beyond.clone());
        if refusals.is_empty() {
            return Ok(tried);
        }
        if round == empty::WAYS {
            refuse(ctx, &refusals.into_values().collect::<Vec<_>>(), &tried.sources)?;
            return Ok(tried);
        }
        round += 1;
        for name in unmet.into_iter().chain(beyond.keys().cloned()).collect::<BTreeSet<_>>() {
            *ways.in_vain.entry(name).or_default() += 1;
        }
        ways.beyond.extend(beyond);
        lay_edited(session, &tried, &[])?;
    }
}

/// A plan that nothing speaks against yet, with its texts.
fn planned(ctx: &Ctx, session: &Session, selected: &BTreeSet<&str>, ways: &Ways) -> Result<Tried> {
    let (plan, gaps, profiles, sources) = tracing::with_survey(ctx, session, |survey, sources| {
        let gaps = tracing::gaps(survey, |name| selected.contains(name));
        (super::plan(survey, sources, &session.files, selected, ways), gaps, profiles(survey), sources.clone())
    });
    let answered = |gaps| {
        let hint = "nothing was written; `collimate check` shows what is wrong";
        tracing::answered(gaps).map_err(|failure| failure.hint(hint))
    };
    answered(gaps)?;
    // Where another way was tried first, what speaks against that one says more.
    let refusal = |(name, refusal): &(UseName, Finding<Location>)| ways.beyond.get(name).unwrap_or(refusal).clone();
    refuse(ctx, &plan.refusals.iter().map(refusal).collect::<Vec<_>>(), &sources)?;
    let texts = edited(&plan.splices, &sources)?;
    if !texts.is_empty() {
        let unheard = profiles.iter().filter(|profile| !profile.is_rendered());
        let unheard: BTreeSet<String> = unheard.map(|profile| profile.name().to_owned()).collect();
        let written: BTreeSet<Utf8PathBuf> = texts.keys().map(|path| session.files.real(path)).collect();
        let shared = |inputs: Inputs| {
            let path = inputs.paths().find(|path| written.contains(&session.files.real(path)))?;
            Some(format!("profile `{}` does not render, and is made from `{path}` too", inputs.profile))
        };
        answered(inputs::of(session, &unheard).into_iter().filter_map(shared).collect())?;
    }
    Ok(Tried { plan, sources, texts, profiles })
}

fn profiles(survey: &Survey<'_>) -> Vec<Profile> {
    survey.profiles.iter().map(|found| found.profile.clone()).collect()
}

/// What to say of the uses whose digest would change more than references. `pinned`: what the plan makes of the profiles.
///
/// Whose digest it is, is found by trying each alone, as only templates know what they look at.
fn beyond(session: &Session, tried: &Tried, pinned: &[Profile]) -> Result<BTreeMap<UseName, Finding<Location>>> {
    let plan = &tried.plan;
    let brings = plan.attempts.values().map(|attempt| &attempt.brings);
    let brought: BTreeSet<&BTreeSet<Span>> = brings.filter(|places| !places.is_empty()).collect();
    if brought.is_empty() {
        return Ok(BTreeMap::new());
    }
    let images_at = &session.workspace.images_at;
    let rendered = |splices: &[Splice], profiles: &[&release::Profile]| {
        lay_edited(session, tried, splices)?;
        Ok(rendering::render_all(session, profiles, false, &|_| None))
    };
    let bare = rendered(&plan.bare, &pinned.iter().map(|profile| &profile.declared).collect::<Vec<_>>())?;
    let compared = bare.iter().zip(pinned).map(|(bare, pinned)| (bare, beyond::changes(bare, pinned, images_at)));
    let changed: Vec<(&Profile, Vec<Change>)> = compared.filter(|(_, changes)| !changes.is_empty()).collect();
    let declared: Vec<&release::Profile> = changed.iter().map(|(bare, _)| &bare.declared).collect();
    let mut blamed: BTreeMap<&BTreeSet<Span>, Vec<(&str, Change)>> = BTreeMap::new();
    if !changed.is_empty() && brought.len() > 1 {
        for places in &brought {
            let splices = plan.splices.iter().filter(|splice| places.contains(&splice.span));
            let others = plan.bare.iter().filter(|splice| !places.contains(&splice.span));
            let alone = rendered(&splices.chain(others).cloned().collect::<Vec<_>>(), &declared)?;
            for (alone, (bare, _)) in alone.iter().zip(&changed) {
                let changes = beyond::changes(bare, alone, images_at);
                blamed.entry(places).or_default().extend(changes.into_iter().map(|change| (bare.name(), change)));
            }
        }
    }
    blamed.retain(|_, changes| !changes.is_empty());
    if blamed.is_empty() {
        // There is one alone, or only several together do it.
        let changes =
            || changed.iter().flat_map(|(bare, changes)| changes.iter().map(|change| (bare.name(), change.clone())));
        blamed.extend(brought.iter().filter(|_| !changed.is_empty()).map(|places| (*places, changes().collect())));
    }
    lay(session, &tried.sources, tried.texts.iter().map(|(path, text)| (path.as_path(), text.as_str())));
    let of_use = |(name, attempt): (&UseName, &Attempt)| {
        let mut finding = attempt.beyond.clone();
        for (profile, change) in blamed.get(&attempt.brings)? {
            finding = shown(finding, profile, change, tried);
        }
        Some((name.clone(), finding))
    };
    Ok(plan.attempts.iter().filter_map(of_use).collect())
}

/// With a change that its digest would make, at the line that makes it.
fn shown(finding: Finding<Location>, name: &str, change: &Change, tried: &Tried) -> Finding<Location> {
    let profile = tried.profiles.iter().find(|profile| profile.name() == name);
    let resolved = profile
        .zip(change.place.as_ref())
        .map(|(profile, place)| alignment::resolve(profile, place))
        .unwrap_or_default();
    let place = resolved.via.first().copied().or(resolved.primary).map_or(Location::Nowhere, Location::Span);
    let label = format!("in profile `{name}` {}", change.what);
    if finding.related.iter().any(|related| related.label == label) { finding } else { finding.related(place, label) }
}

fn edited(splices: &[Splice], sources: &SourceMap) -> Result<BTreeMap<Utf8PathBuf, String>> {
    super::apply(splices, sources)
        .map_err(|reason| Failure::new(Exit::Bug, "the planned edits do not fit together").because(reason))
}

/// Lays over the files that the plan changes what these of its splices make of them.
fn lay_edited(session: &Session, tried: &Tried, splices: &[Splice]) -> Result<()> {
    let edited = edited(splices, &tried.sources)?;
    let text = |path: &Utf8PathBuf| edited.get(path).map(String::as_str).or_else(|| tried.sources.text_of(path));
    let texts = tried.texts.keys().filter_map(|path| Some((path.as_path(), text(path)?)));
    lay(session, &tried.sources, texts);
    Ok(())
}

/// Lays texts over files, and over what is the same file through links.
fn lay<'t>(session: &Session, sources: &SourceMap, texts: impl Iterator<Item = (&'t Utf8Path, &'t str)>) {
    let has_links = session.files.has_links();
    for (path, text) in texts {
        if !has_links {
            session.files.overlay(path, text);
            continue;
        }
        let real = session.files.real(path);
        for (same, _) in sources.latest().filter(|(other, _)| session.files.real(other) == real) {
            session.files.overlay(same, text);
        }
    }
}

fn refuse(ctx: &Ctx, refusals: &[Finding<Location>], sources: &SourceMap) -> Result<()> {
    if refusals.is_empty() {
        return Ok(());
    }
    ctx.print(&findings::text(refusals, sources, TextOptions { colour: ctx.color() }))?;
    Err(Failure::new(Exit::Findings, format!("{} cannot be pinned", plural(refusals.len(), "place")))
        .hint("nothing was written; write what the findings above say, then run the command again"))
}
