use rollout::{Approval, Ledger, Recorded, Trust};

use super::Verdict;
use crate::policy::Policy;
use crate::records::Records;

const GATE: &str = "approvals-due";

/// What was moved in an emergency is approved before anything else moves. `None` where nothing ever was due.
pub(crate) fn due(records: &Records, policy: &Policy, channel: &str) -> Option<Verdict> {
    let mut entries = records.ledger.entries().iter();
    entries.find(|recorded| recorded.entry.channel == channel && !recorded.entry.due.is_empty())?;
    let Some((told, way_out)) = owed(&records.ledger, policy.trust(), channel) else {
        return Some(Verdict::passed(GATE));
    };
    Some(Verdict::failed(GATE, told, way_out))
}

/// The approvals that are still due in a channel, and the command that gives the first one.
pub(crate) fn owed(ledger: &Ledger, trust: Option<&Trust>, channel: &str) -> Option<(String, String)> {
    let debts = ledger.due(channel, |later, approval| counts(trust, later, approval));
    let first = debts.first()?.recorded.hash.short();
    let told: Vec<String> = debts
        .iter()
        .map(|debt| format!("{} of `{}` for `{}`", debt.count, debt.role, debt.recorded.hash.short()))
        .collect();
    Some((
        format!("approvals are due for what was moved in an emergency: {}", told.join(", ")),
        format!("collimate approve --for {first} --key KEY"),
    ))
}

/// Whether an approval of the ledger was signed by whom it names, with a key that counted then and still does.
pub(crate) fn counts(trust: Option<&Trust>, recorded: &Recorded, approval: &Approval) -> bool {
    let judged = trust.map(|trust| trust.judge_approval(approval, &recorded.entry.at));
    matches!(judged, Some(Ok((_, rollout::Standing::Counts))))
}
