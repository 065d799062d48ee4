use findings::{Severity, TextOptions, Verdict as Profile, plural};
use release::Channel;

use super::Verdict;
use crate::checking::{self, Checked, Scope};
use crate::context::Ctx;
use crate::exit::Result;
use crate::session::Session;

const GATE: &str = "source-green";

/// What is taken must be right where it is. The errors of the channel's profiles are printed.
pub(crate) fn green(ctx: &Ctx, session: &Session, channel: &Channel, before: &Checked) -> Result<Verdict> {
    let name = &channel.name.value;
    let is_own = |verdict: &&findings::ProfileVerdict| verdict.channel == *name;
    if before.verdicts.iter().filter(is_own).all(|verdict| verdict.verdict != Profile::Failed) {
        return Ok(Verdict::passed(GATE));
    }
    let profiles = session.workspace.profiles.iter().filter(|profile| profile.channel.value == *name).collect();
    let checked = checking::check(ctx, session, &Scope { profiles, ..Scope::default() });
    let mut errors = checked.findings;
    errors.retain(|finding| finding.severity == Severity::Error);
    ctx.print(&findings::text(&errors, &checked.sources, TextOptions { colour: ctx.color() }))?;
    let what = plural(errors.len().max(1), "error");
    Ok(Verdict::failed(GATE, format!("`{name}` is not green: {what}"), format!("collimate check {name}")))
}
