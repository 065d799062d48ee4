//! What was sent against what the collector says it got.

use super::counters::Counters;
use super::exports::Export;
use super::signal::row_name;
use super::{Signal, Transport};
use crate::report::{Cell, Row, Verdict};
use crate::wire::{Fault, Kind};

/// What one signal over one transport came to on our side.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) signal: Signal,
    pub(crate) transport: Transport,
    /// Items that we tried to send.
    pub(crate) tried: u64,
    /// Items that were answered with yes.
    pub(crate) acknowledged: u64,
    /// Items in calls that broke: taken or not, nobody knows.
    pub(crate) unknown: u64,
    /// Items that were refused for the moment and sent again.
    pub(crate) again: u64,
    /// Items that a partial success did not take.
    pub(crate) rejected: u64,
    /// What the calls met, each kind once.
    pub(crate) faults: Vec<Fault>,
}

impl Sent {
    pub(crate) fn new(signal: Signal, transport: Transport) -> Self {
        Self { signal, transport, tried: 0, acknowledged: 0, unknown: 0, again: 0, rejected: 0, faults: Vec::new() }
    }

    pub(crate) fn name(&self) -> String {
        row_name(self.signal, self.transport)
    }

    /// Takes a fault once for each kind: a million refused items are one finding.
    pub(crate) fn met(&mut self, fault: Fault) {
        if !self.faults.iter().any(|known| known.kind == fault.kind) {
            self.faults.push(fault);
        }
    }

    /// A partial success, in a finding of its own. A message without rejected items is a warning and no fault.
    pub(crate) fn partly_rejected(&mut self, rejected: u64, message: &str) {
        if rejected == 0 {
            return;
        }
        self.rejected += rejected;
        let what = format!("{rejected} of the {}s were rejected", self.signal.item());
        self.met(Fault::quoting(Kind::PartialSuccess, &what, message));
    }

    /// Both of one signal and transport, of two workers.
    pub(crate) fn join(&mut self, other: Self) {
        self.tried += other.tried;
        self.acknowledged += other.acknowledged;
        self.unknown += other.unknown;
        self.again += other.again;
        self.rejected += other.rejected;
        for fault in other.faults {
            self.met(fault);
        }
    }
}

/// How far the collector's receiver counters rose for one signal and transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rise {
    pub(crate) accepted: u64,
    /// Refused by a component behind the receiver, or failed within it.
    pub(crate) refused: u64,
}

impl Rise {
    pub(crate) fn of(before: &Counters, after: &Counters, signal: Signal, transport: Transport) -> Self {
        let rise =
            |what| after.receiver(what, signal, transport).saturating_sub(before.receiver(what, signal, transport));
        // A failed item is counted as failed since 0.14x and as refused before; never as both.
        Self { accepted: rise("accepted"), refused: rise("refused") + rise("failed") }
    }

    /// Whether there is nothing more to wait for.
    pub(crate) fn is_settled(self, sent: &Sent) -> bool {
        self.accepted >= sent.acknowledged
    }
}

/// What is wrong with a count.
pub(crate) fn faults(sent: &Sent, rise: Rise, shared: bool) -> Vec<Fault> {
    let items = format!("{}s", sent.signal.item());
    let most = sent.acknowledged + sent.unknown;
    let mut faults = Vec::new();
    if rise.accepted < sent.acknowledged {
        let message = format!("the collector counts {} of {} {items} that it took", rise.accepted, sent.acknowledged);
        faults.push(Fault::new(Kind::AcceptedFewer, message));
    } else if rise.accepted > most && !shared {
        let message = format!("the collector counts {} {items}; {most} were sent", rise.accepted);
        faults.push(Fault::new(Kind::AcceptedMore, message));
    }
    // What the answers said already is not said twice; what others were refused is theirs.
    if rise.refused > sent.again && sent.faults.is_empty() && !shared {
        let message = format!("the collector counts {} {items} as refused", rise.refused - sent.again);
        faults.push(Fault::new(Kind::RefusedCounted, message));
    }
    faults
}

/// The row of the table. `rise` and `exports` are `None` where the counters could not be read.
pub(crate) fn row(
    sent: &Sent,
    rise: Option<Rise>,
    exports: Option<&[Export]>,
    read_back: Option<u64>,
    failed: bool,
) -> Row {
    let exported = exports.and_then(|exports| {
        // The weakest exporter counts, and of what it sent no more than is ours can be shown.
        let of_signal = exports.iter().filter(|export| export.signal == sent.signal);
        let weakest = of_signal.min_by_key(|export| export.sent)?;
        Some(if weakest.is_done() { sent.acknowledged } else { weakest.sent.min(sent.acknowledged) })
    });
    Row {
        name: sent.name(),
        cells: vec![
            Cell::Text(sent.signal.as_str().to_owned()),
            Cell::Text(sent.transport.as_str().to_owned()),
            Cell::Number(sent.tried),
            rise.map(|rise| rise.accepted).into(),
            rise.map(|rise| rise.refused).into(),
            exported.into(),
            read_back.into(),
        ],
        verdict: if failed { Verdict::Failed } else { Verdict::Passed },
    }
}

/// The columns of [`row`].
pub(crate) const COLUMNS: &[&str] = &["signal", "transport", "sent", "accepted", "refused", "exported", "read back"];

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(acknowledged: u64, unknown: u64, accepted: u64, refused: u64, shared: bool) -> Vec<Kind> {
        let sent = Sent { tried: 10, acknowledged, unknown, ..Sent::new(Signal::Logs, Transport::Grpc) };
        faults(&sent, Rise { accepted, refused }, shared).into_iter().map(|fault| fault.kind).collect()
    }

    #[test]
    fn counts_must_match_exactly() {
        assert!(kinds(10, 0, 10, 0, false).is_empty());
        assert_eq!(kinds(10, 0, 9, 0, false), [Kind::AcceptedFewer]);
        assert_eq!(kinds(10, 0, 11, 0, false), [Kind::AcceptedMore]);
        assert_eq!(kinds(10, 0, 10, 1, false), [Kind::RefusedCounted]);
    }

    #[test]
    fn on_a_shared_collector_more_is_fine_and_fewer_is_not() {
        assert!(kinds(10, 0, 25, 3, true).is_empty());
        assert_eq!(kinds(10, 0, 9, 0, true), [Kind::AcceptedFewer]);
    }

    #[test]
    fn what_broke_may_have_been_taken_or_not() {
        assert!(kinds(5, 5, 5, 0, false).is_empty());
        assert!(kinds(5, 5, 10, 0, false).is_empty());
        assert_eq!(kinds(5, 5, 11, 0, false), [Kind::AcceptedMore]);
    }
}
