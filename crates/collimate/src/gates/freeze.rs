use release::{Date, Freeze, Gates};

use super::{GateArgs, Verdict};
use crate::context::Ctx;

const GATE: &str = "freeze";

/// Nothing moves on the days of a freeze, but what somebody takes on himself. `None` where no freeze is declared.
pub(crate) fn freeze(ctx: &Ctx, gates: &[&Gates], args: &GateArgs) -> Option<Verdict> {
    gates.iter().flat_map(|gates| &gates.freezes).next()?;
    let Some(freeze) = standing(ctx, gates) else { return Some(Verdict::passed(GATE)) };
    let (until, reason) = (&freeze.until.value, source::redact(&freeze.reason.value));
    Some(match &args.break_glass {
        Some(why) => Verdict::passed_by(GATE, format!("BROKEN: {why} (frozen until {until}: {reason})")),
        None => Verdict::failed(
            GATE,
            format!("nothing moves until {until}: {reason}"),
            "wait, or `--break-glass REASON`, which the ledger records",
        ),
    })
}

/// Whether nothing moves today unless somebody breaks the glass.
pub(crate) fn is_frozen(ctx: &Ctx, gates: &[&Gates]) -> bool {
    standing(ctx, gates).is_some()
}

fn standing<'g>(ctx: &Ctx, gates: &[&'g Gates]) -> Option<&'g Freeze> {
    // The clock's own day is one.
    let today: Option<Date> = ctx.today().parse().ok();
    let mut freezes = gates.iter().flat_map(|gates| &gates.freezes);
    freezes.find(|freeze| today.is_none_or(|day| freeze.from.value <= day && day <= freeze.until.value))
}
