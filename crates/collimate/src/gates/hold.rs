use super::Verdict;
use crate::commands::hold::shown;
use crate::records::Records;

const GATE: &str = "hold";

/// Nothing moves in a channel that somebody holds.
pub(crate) fn hold(records: &Records, channel: &str) -> Verdict {
    let holds = records.ledger.holds(channel);
    if holds.is_empty() {
        return Verdict::passed(GATE);
    }
    let reasons: Vec<String> = holds.into_iter().map(shown).collect();
    Verdict::failed(
        GATE,
        format!("`{channel}` is held: {}", reasons.join("; ")),
        format!("collimate hold lift {channel}"),
    )
}
