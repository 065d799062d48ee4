//! The collector's own counters, read from its metrics port.
//!
//! They get there in steps (the collector scrapes itself every few seconds), so what is read may be some seconds old. A count is only
//! exact against a start that is known to be newer than the last thing that somebody else sent: [`Scraper::fresh`] waits for a scrape
//! that happened after it was asked.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::time::{Instant, sleep};

use super::exposition::{Sample, parse};
use super::{Signal, Transport};
use crate::wire::{Dialer, Fault, Http1, Kind, Target};

/// Between two looks at something that changes by itself. Short against every scrape interval, long against the cost of a look.
pub(crate) const PAUSE: Duration = Duration::from_millis(150);

/// Counters at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    samples: Vec<Sample>,
}

impl Counters {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let samples = parse(text, |name| name.starts_with("otelcol_") || name == "collimate_smoke");
        let samples = samples.map_err(|malformed| {
            let message = format!("the metrics port shows no metrics: line {}: {}", malformed.line, malformed.what);
            Fault::new(Kind::CountersMalformed, message)
        })?;
        Ok(Self { samples })
    }

    /// `what` is `accepted`, `refused` or `failed`. All OTLP receivers together; other receivers do not count.
    pub(crate) fn receiver(&self, what: &str, signal: Signal, transport: Transport) -> u64 {
        let name = format!("otelcol_receiver_{what}_{}", signal.counted());
        self.sum(&name, |sample| {
            let receiver = sample.label("receiver");
            receiver.split('/').next() == Some("otlp") && sample.label("transport") == transport.label()
        })
    }

    /// Names of exporters that are known to have something to do with a signal.
    pub(crate) fn exporters(&self, signal: Signal) -> BTreeSet<String> {
        let of_signal = |sample: &&Sample| {
            sample.name.starts_with("otelcol_exporter_")
                && (sample.label("data_type") == signal.as_str() || base(&sample.name).ends_with(signal.counted()))
        };
        let names = self.samples.iter().filter(of_signal).map(|sample| sample.label("exporter").to_owned());
        names.filter(|name| !name.is_empty()).collect()
    }

    /// `what` is `sent`, `send_failed` or `enqueue_failed`.
    pub(crate) fn exporter(&self, what: &str, signal: Signal, exporter: &str) -> u64 {
        let name = format!("otelcol_exporter_{what}_{}", signal.counted());
        self.sum(&name, |sample| sample.label("exporter") == exporter)
    }

    /// Batches that an exporter has not got rid of: those in its queue and those it is sending.
    pub(crate) fn waiting(&self, signal: Signal, exporter: &str) -> u64 {
        let own =
            |sample: &Sample| sample.label("exporter") == exporter && sample.label("data_type") == signal.as_str();
        self.sum("otelcol_exporter_queue_size", own) + self.sum("otelcol_exporter_in_flight_requests", own)
    }

    /// What the tail sampler forgot before it decided, because more traces came than it has room for.
    pub(crate) fn traces_dropped_early(&self) -> u64 {
        self.sum("otelcol_processor_tail_sampling_sampling_trace_dropped_too_early", |_| true)
    }

    /// The value of our own metric, where the collector shows it on the same port.
    pub(crate) fn own_metric(&self, run: &str, transport: Transport) -> Option<u64> {
        let own = |sample: &&Sample| {
            sample.name == "collimate_smoke"
                && sample.label("collimate_run_id") == run
                && sample.label("collimate_transport") == transport.label()
        };
        self.samples.iter().find(own).map(|sample| whole(sample.value))
    }

    /// Seconds since the collector started: another value with every scrape, and a smaller one after a restart.
    pub(crate) fn uptime(&self) -> Option<f64> {
        self.uptime_sample().map(|sample| sample.value)
    }

    fn uptime_sample(&self) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.name.starts_with("otelcol_process_uptime"))
    }

    /// A restarted collector counts from zero; differences over a restart are wrong without looking wrong.
    pub(crate) fn restarted_since(&self, before: &Self) -> bool {
        match (before.uptime_sample(), self.uptime_sample()) {
            // Each start of a collector has an id of its own, which the shipped configuration shows as `instance`.
            (Some(before), Some(after)) => {
                after.value < before.value || before.label("instance") != after.label("instance")
            }
            _ => false,
        }
    }

    /// Counters have the suffix `_total` or not, by the way they were made visible.
    fn sum(&self, name: &str, wanted: impl Fn(&Sample) -> bool) -> u64 {
        let own = self.samples.iter().filter(|sample| base(&sample.name) == name && wanted(sample));
        own.map(|sample| whole(sample.value)).sum()
    }
}

fn base(name: &str) -> &str {
    name.strip_suffix("_total").unwrap_or(name)
}

/// Counts are whole and never negative; what is not is no count.
fn whole(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded just before")]
    if value.is_finite() && (0.0..9.0e15).contains(&value) { value.round() as u64 } else { 0 }
}

/// Reads counters, over one connection as long as it lasts.
pub(crate) struct Scraper<'a> {
    dialer: &'a Dialer,
    target: Target,
    connection: Option<Http1>,
}

impl<'a> Scraper<'a> {
    pub(crate) fn new(dialer: &'a Dialer, target: Target) -> Self {
        Self { dialer, target, connection: None }
    }

    pub(crate) async fn read(&mut self) -> Result<Counters, Fault> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Http1::open(self.dialer, &self.target, true).await?,
        };
        let headers = [("accept", "text/plain;version=0.0.4")];
        let reply = match connection.call(Method::GET, "/metrics", &headers, Bytes::new()).await {
            Ok(reply) => reply,
            // An idle connection may be closed at any time; only a new one that fails says something.
            Err(_) => {
                connection = Http1::open(self.dialer, &self.target, true).await?;
                connection.call(Method::GET, "/metrics", &headers, Bytes::new()).await?
            }
        };
        if reply.status != StatusCode::OK {
            let message = format!("the metrics port answers {} to `/metrics`", reply.status);
            return Err(Fault::new(Kind::CountersMalformed, message));
        }
        self.connection = Some(connection);
        Counters::parse(&reply.text())
    }

    /// Counters of a scrape that began after this was called.
    pub(crate) async fn fresh(&mut self, deadline: Instant) -> Result<Counters, Fault> {
        let first = self.read().await?;
        loop {
            if Instant::now() >= deadline {
                return Err(stale(first.uptime().is_some()));
            }
            sleep(PAUSE).await;
            let next = self.read().await?;
            if next.uptime().is_some() && next.uptime() != first.uptime() {
                return Ok(next);
            }
        }
    }
}

fn stale(seen: bool) -> Fault {
    if seen {
        return Fault::new(Kind::CountersStale, "the collector's counters on the metrics port stand still");
    }
    let message = "the metrics port does not show the collector's own counters (`otelcol_process_uptime` is missing)";
    Fault::new(Kind::CountersAbsent, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
otelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"grpc\"} 10
otelcol_receiver_accepted_spans_total{receiver=\"otlp/second\",transport=\"grpc\"} 5
otelcol_receiver_accepted_spans_total{receiver=\"otlp\",transport=\"http\"} 7
otelcol_receiver_accepted_metric_points_total{receiver=\"prometheus/self\",transport=\"http\"} 205
otelcol_exporter_sent_spans_total{exporter=\"debug\"} 12
otelcol_exporter_queue_size{data_type=\"traces\",exporter=\"otlp_grpc/tempo\"} 2
otelcol_exporter_in_flight_requests{data_type=\"traces\",exporter=\"otlp_grpc/tempo\"} 1
otelcol_process_uptime_total{} 12.5
collimate_smoke{collimate_run_id=\"cafe\",collimate_transport=\"http\"} 10
";

    #[test]
    fn receivers_of_otlp_are_summed_by_transport_and_others_left_out() {
        let counters = Counters::parse(TEXT).unwrap();
        assert_eq!(counters.receiver("accepted", Signal::Traces, Transport::Grpc), 15);
        assert_eq!(counters.receiver("accepted", Signal::Traces, Transport::Http), 7);
        assert_eq!(counters.receiver("accepted", Signal::Metrics, Transport::Http), 0);
    }

    #[test]
    fn exporters_are_known_by_what_they_sent_or_have_to_send() {
        let counters = Counters::parse(TEXT).unwrap();
        let names: Vec<String> = counters.exporters(Signal::Traces).into_iter().collect();
        assert_eq!(names, ["debug", "otlp_grpc/tempo"]);
        assert!(counters.exporters(Signal::Logs).is_empty());
        assert_eq!(counters.waiting(Signal::Traces, "otlp_grpc/tempo"), 3);
        assert_eq!(counters.own_metric("cafe", Transport::Http), Some(10));
        assert_eq!(counters.own_metric("beef", Transport::Http), None);
    }

    #[test]
    fn a_restart_shows_in_the_uptime() {
        let before = Counters::parse(TEXT).unwrap();
        let after = Counters::parse("otelcol_process_uptime_total 3\n").unwrap();
        assert!(after.restarted_since(&before));
        assert!(!before.restarted_since(&after));
    }
}
