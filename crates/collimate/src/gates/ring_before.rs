use release::Channel;
use rollout::Held;

use super::Verdict;
use crate::place;
use crate::records::Records;

const GATE: &str = "ring-before";

/// A ring takes only what the ring before it runs and what was marked good there.
pub(crate) fn ring_before(records: &Records, channel: &Channel, ring: &str, release: &Held) -> Verdict {
    let name = &channel.name.value;
    let index = channel.rings.iter().position(|known| known.name.value == ring);
    let Some(before) = index.and_then(|index| channel.rings.get(index.checked_sub(1)?)) else {
        return Verdict::failed(
            GATE,
            format!("`{ring}` is the first ring of `{name}`"),
            "`promote` moves the first ring",
        );
    };
    let label = place::label(name, Some(&before.name.value));
    let version = &release.version;
    if before.release.is_some() {
        return Verdict::failed(
            GATE,
            format!("`{label}` does not run `{version}` yet"),
            format!("collimate advance {name} {}", before.name.value),
        );
    }
    let good = records.ledger.good(name, Some(&before.name.value), None);
    match good.iter().find(|recorded| recorded.entry.to.as_ref() == Some(release)) {
        Some(recorded) => Verdict::passed_by(GATE, format!("passed: good in `{label}` since {}", recorded.entry.at)),
        None => Verdict::failed(
            GATE,
            format!("`{version}` is not marked good in `{label}`"),
            format!("collimate mark-good {label} --evidence FILE"),
        ),
    }
}
