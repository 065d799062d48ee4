//! `check --policy-from`: what today's workspace file, keys and baseline ask less of than those of a git revision are findings at their places.

use alignment::Weakening;
use camino::Utf8Path;
use findings::plural;
use rollout::Hash;

use super::{Policy, Protected, keys, protected, revision};
use crate::baseline::{self, Baseline};
use crate::checking::Checked;
use crate::context::Ctx;
use crate::exit::Result;
use crate::records::{self, Records};
use crate::session::Session;

/// Adds the findings to those of a check, and gives lines for people.
pub(crate) fn hold_against(
    ctx: &Ctx,
    session: &Session,
    name: &str,
    baseline: Option<&Baseline>,
    checked: &mut Checked,
) -> Result<Vec<String>> {
    let revision = revision::open(session, name)?;
    let path = session.workspace_path();
    if !revision.has(&path)? {
        return Ok(vec![format!("`{name}` has no `{path}`: all that it says is new, and nothing is held against it")]);
    }
    let Protected { workspace, trust } = protected(ctx, session, name, &revision)?;
    let moved = moves(ctx, session);
    let mut weaker = vec![(path, alignment::weakened(&workspace, &session.workspace, &moved))];
    if let Some(path) = &session.workspace.trust {
        let own = Policy::glance(session);
        weaker.push((path.value.clone(), keys::weaker_keys(trust.as_ref(), own.as_ref())));
    }
    // What the command line names of outside the repository was not proposed with the change.
    if let Some(baseline) = baseline.filter(|baseline| revision.covers(&baseline.path)) {
        let known = revision.has(&baseline.path)?.then(|| revision.text(&baseline.path)).transpose()?;
        let shown = format!("{name}:{}", baseline.path);
        let known = known.map(|text| baseline::parse_shown(ctx, &shown, &text)).transpose()?.unwrap_or_default();
        weaker.push((baseline.path.clone(), more_accepted(&known, &baseline.entries)));
    }
    // Keys and baselines are files that no engine has read.
    checked.sources = session.files.sources();
    let found = weaker.into_iter().flat_map(|(path, weaker)| {
        weaker.into_iter().map(move |weakening| weakening.finding(name, &path)).collect::<Vec<_>>()
    });
    checked.findings.extend(found);
    findings::sort(&mut checked.findings, &checked.sources);
    Ok(Vec::new())
}

/// Entries of a baseline that only today's has, or that accept more.
fn more_accepted(known: &[baseline::Entry], own: &[baseline::Entry]) -> Vec<Weakening> {
    let known = baseline::counts(known);
    let more =
        |entry: &&baseline::Entry| entry.count as usize > known.get(&entry.id.value).copied().unwrap_or_default();
    let weakening = |entry: &baseline::Entry| Weakening {
        span: Some(entry.id.span),
        what: format!(
            "{} of `{}` accepted, not {}",
            plural(entry.count as usize, "finding"),
            entry.rule.value,
            known.get(&entry.id.value).copied().unwrap_or_default()
        ),
    };
    own.iter().filter(more).map(weakening).collect()
}

/// Whether the ledger says of a ring that it holds what today's file says: `promote`, `advance` and `rollback` write that there.
fn moves<'s>(ctx: &Ctx, session: &'s Session) -> impl Fn(&str, &str) -> bool + use<'s> {
    let ledger = Records::sound(session);
    let now = records::moment(ctx).ok();
    move |channel, ring| {
        let Some((ledger, now)) = ledger.as_ref().zip(now.as_ref()) else { return false };
        // A ring that has not moved yet holds what the channel held before its first move.
        let first = || ledger.entries().iter().find(|moved| moved.entry.channel == channel && moved.entry.kind.moves());
        let own = ledger.held_at(channel, Some(ring), now).map(|held| held.held);
        let Some(held) = own.or_else(|| first()?.entry.from.as_ref()) else { return false };
        let Some(declared) = session.workspace.channel(channel) else { return false };
        let ring = declared.ring(ring).and_then(|ring| ring.release.as_ref());
        let path: &Utf8Path = &ring.unwrap_or(&declared.release).value;
        let release = session.releases.iter().find(|input| input.path == path).and_then(|input| input.release());
        release.is_some_and(|release| Hash::from(&release.identity()) == held.sha256)
    }
}
