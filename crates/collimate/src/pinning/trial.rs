//! A plan, tried: its edits are made in memory and rendered, and every use must then hold what it was meant to.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Location, TextOptions, plural};
use source::SourceMap;

use super::{Plan, Ways, empty};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::inputs::{self, Inputs};
use crate::session::Session;
use crate::tracing;

/// A plan that works.
pub(crate) struct Tried {
    pub(crate) plan: Plan,
    /// As they were before.
    pub(crate) sources: SourceMap,
    /// The files that change, with their new texts.
    pub(crate) texts: BTreeMap<Utf8PathBuf, String>,
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
        let unmet = tracing::with_survey(ctx, session, |survey, sources| super::unmet(survey, sources, selected));
        // Shown as it is on disk. What was right before and is no longer shows in the check of the result.
        let refusals: Vec<Finding<Location>> =
            unmet.iter().filter_map(|name| tried.plan.in_vain.get(name).cloned()).collect();
        if refusals.is_empty() {
            return Ok(tried);
        }
        if round == empty::WAYS {
            refuse(ctx, &refusals, &tried.sources)?;
        }
        round += 1;
        for name in unmet {
            *ways.in_vain.entry(name).or_default() += 1;
        }
        let before = tried.texts.keys().filter_map(|path| Some((path.as_path(), tried.sources.text_of(path)?)));
        lay(session, &tried.sources, before);
    }
}

/// A plan that nothing speaks against yet, with its texts.
fn planned(ctx: &Ctx, session: &Session, selected: &BTreeSet<&str>, ways: &Ways) -> Result<Tried> {
    let (plan, gaps, unheard, sources) = tracing::with_survey(ctx, session, |survey, sources| {
        let gaps = tracing::gaps(survey, |name| selected.contains(name));
        let unheard = survey.profiles.iter().filter(|profile| !profile.is_rendered());
        let unheard: BTreeSet<String> = unheard.map(|profile| profile.name().to_owned()).collect();
        (super::plan(survey, sources, &session.files, selected, ways), gaps, unheard, sources.clone())
    });
    let answered = |gaps| {
        let hint = "nothing was written; `collimate check` shows what is wrong";
        tracing::answered(gaps).map_err(|failure| failure.hint(hint))
    };
    answered(gaps)?;
    refuse(ctx, &plan.refusals, &sources)?;
    let texts = super::apply(&plan.splices, &sources)
        .map_err(|reason| Failure::new(Exit::Bug, "the planned edits do not fit together").because(reason))?;
    if !texts.is_empty() {
        let written: BTreeSet<Utf8PathBuf> = texts.keys().map(|path| session.files.real(path)).collect();
        let shared = |inputs: Inputs| {
            let path = inputs.paths().find(|path| written.contains(&session.files.real(path)))?;
            Some(format!("profile `{}` does not render, and is made from `{path}` too", inputs.profile))
        };
        answered(inputs::of(session, &unheard).into_iter().filter_map(shared).collect())?;
    }
    Ok(Tried { plan, sources, texts })
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
