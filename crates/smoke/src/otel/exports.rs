//! Whether what a collector accepted left it again.

use super::Signal;
use super::counters::Counters;
use crate::report::{Cell, Row, Table, Verdict};
use crate::wire::{Fault, Kind};

/// What one exporter did with one signal between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) signal: Signal,
    pub(crate) exporter: String,
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    /// Not even taken into its queue.
    pub(crate) not_queued: u64,
    /// Batches that are still there.
    pub(crate) waiting: u64,
    /// How many items it should have sent.
    pub(crate) expected: u64,
}

impl Export {
    pub(crate) fn name(&self) -> String {
        format!("{} by {}", self.signal.as_str(), self.exporter)
    }

    /// An exporter of another pipeline has nothing to do with ours.
    fn involved(&self) -> bool {
        self.sent + self.failed + self.not_queued + self.waiting > 0
    }

    /// All out. More is fine: other data passes through the same exporter.
    pub(crate) fn is_done(&self) -> bool {
        self.sent >= self.expected && self.failed == 0 && self.not_queued == 0
    }

    fn faults(&self) -> Vec<Fault> {
        let Self { exporter, sent, expected, waiting, failed, not_queued, signal } = self;
        let items = signal.item();
        let mut faults = Vec::new();
        if *failed > 0 {
            let message = format!("exporter `{exporter}` gave up on {failed} {items}s");
            faults.push(Fault::new(Kind::ExporterFailing, message));
        }
        if *not_queued > 0 {
            let message = format!("the queue of exporter `{exporter}` is full: {not_queued} {items}s were dropped");
            faults.push(Fault::new(Kind::QueueFull, message));
        }
        if faults.is_empty() && sent < expected && *waiting > 0 {
            let message = format!(
                "exporter `{exporter}` sent {sent} of {expected} {items}s in time; it holds {waiting} batches and tries again"
            );
            faults.push(Fault::new(Kind::ExporterFailing, message));
        } else if faults.is_empty() && sent < expected {
            let message = format!("exporter `{exporter}` sent {sent} of {expected} {items}s and holds nothing more");
            faults.push(Fault::new(Kind::NotExported, message));
        }
        faults
    }
}

/// The exporters that a signal went to. Empty if none is known.
pub(crate) fn exports(before: &Counters, after: &Counters, signal: Signal, expected: u64) -> Vec<Export> {
    let rise = |what: &str, exporter: &str| {
        after.exporter(what, signal, exporter).saturating_sub(before.exporter(what, signal, exporter))
    };
    let all = after.exporters(signal).into_iter().map(|exporter| Export {
        signal,
        sent: rise("sent", &exporter),
        failed: rise("send_failed", &exporter),
        not_queued: rise("enqueue_failed", &exporter),
        waiting: after.waiting(signal, &exporter),
        expected,
        exporter,
    });
    all.filter(Export::involved).collect()
}

/// Whether all of a signal has left by every exporter that it goes to.
pub(crate) fn is_done(exports: &[Export], expected: u64) -> bool {
    expected == 0 || (!exports.is_empty() && exports.iter().all(Export::is_done))
}

/// Rows, and what is wrong with each.
pub(crate) fn table(exports: &[Export]) -> (Table, Vec<(String, Fault)>) {
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for export in exports {
        let found = export.faults();
        let verdict = if found.is_empty() { Verdict::Passed } else { Verdict::Failed };
        faults.extend(found.into_iter().map(|fault| (export.name(), fault)));
        rows.push(Row {
            name: export.name(),
            cells: vec![
                Cell::Text(export.signal.as_str().to_owned()),
                Cell::Text(export.exporter.clone()),
                Cell::Number(export.expected),
                Cell::Number(export.sent),
                Cell::Number(export.failed),
                Cell::Number(export.not_queued),
                Cell::Number(export.waiting),
            ],
            verdict,
        });
    }
    let columns = &["signal", "exporter", "expected", "sent", "failed", "not queued", "waiting"];
    (Table { name: "exports", columns, rows }, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(text: &str) -> Counters {
        Counters::parse(text).unwrap()
    }

    fn faults(after: &str) -> Vec<Kind> {
        let exports = exports(&counters(""), &counters(after), Signal::Logs, 10);
        table(&exports).1.into_iter().map(|(_, fault)| fault.kind).collect()
    }

    #[test]
    fn each_way_of_not_leaving_has_its_name() {
        assert!(faults("otelcol_exporter_sent_log_records_total{exporter=\"a\"} 12\n").is_empty());
        let queue = "otelcol_exporter_queue_size{exporter=\"a\",data_type=\"logs\"} 1\n";
        assert_eq!(faults(queue), [Kind::ExporterFailing]);
        let failed = "otelcol_exporter_send_failed_log_records_total{exporter=\"a\"} 10\n";
        assert_eq!(faults(failed), [Kind::ExporterFailing]);
        let full = "otelcol_exporter_enqueue_failed_log_records_total{exporter=\"a\"} 10\n";
        assert_eq!(faults(full), [Kind::QueueFull]);
        assert_eq!(faults("otelcol_exporter_sent_log_records_total{exporter=\"a\"} 9\n"), [Kind::NotExported]);
    }

    #[test]
    fn an_exporter_that_got_nothing_is_not_judged() {
        let text = "otelcol_exporter_queue_size{exporter=\"idle\",data_type=\"logs\"} 0\n\
                    otelcol_exporter_sent_log_records_total{exporter=\"a\"} 10\n";
        let found = exports(&counters(""), &counters(text), Signal::Logs, 10);
        assert_eq!(found.len(), 1);
        assert!(is_done(&found, 10));
        assert!(!is_done(&[], 10));
    }
}
