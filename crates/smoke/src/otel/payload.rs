//! The telemetry that is sent: recognisable, small, and as many items as were asked for.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span, status};
use prost::Message as _;

use super::{Signal, Transport};

/// The service that all of it is from.
pub(crate) const SERVICE: &str = "collimate-smoke";

/// The attribute that carries the run's id. The shipped tail sampler keeps every trace that has it.
pub(crate) const RUN_ID: &str = "collimate.run.id";

/// The attribute that says over which transport an item was sent.
pub(crate) const TRANSPORT: &str = "collimate.transport";

/// The metric; Prometheus shows it as `collimate_smoke`.
pub(crate) const METRIC: &str = "collimate.smoke";

/// A tail sampler holds every trace in memory until it decides, and has room for so many traces: a million spans must not be as many
/// traces.
const SPANS_PER_TRACE: u64 = 100;

/// The run's id: random, so that two runs never find each other's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunId([u8; 12]);

impl RunId {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 12];
        if getrandom::fill(&mut bytes).is_err() {
            // No system without randomness can do TLS; the clock keeps two runs apart until that is said.
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            for (byte, from) in bytes.iter_mut().zip(since.as_nanos().to_be_bytes().into_iter().rev()) {
                *byte = from;
            }
        }
        Self(bytes)
    }

    /// Hex.
    pub(crate) fn shown(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One request of OTLP.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

/// A part of all that is sent of one signal over one transport.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub(crate) run: RunId,
    pub(crate) transport: Transport,
    /// Number of the first item.
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Since 1970.
    pub(crate) now: Duration,
}

impl Payload {
    pub(crate) fn new(signal: Signal, batch: &Batch) -> Self {
        match signal {
            Signal::Traces => Self::Traces(traces(batch)),
            Signal::Metrics => Self::Metrics(metrics(batch)),
            Signal::Logs => Self::Logs(logs(batch)),
        }
    }

    /// A request with nothing in it: it is answered like any other and counted as nothing.
    pub(crate) fn empty() -> Self {
        Self::Traces(ExportTraceServiceRequest::default())
    }

    pub(crate) fn signal(&self) -> Signal {
        match self {
            Self::Traces(_) => Signal::Traces,
            Self::Metrics(_) => Signal::Metrics,
            Self::Logs(_) => Signal::Logs,
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Traces(request) => request.encode_to_vec(),
            Self::Metrics(request) => request.encode_to_vec(),
            Self::Logs(request) => request.encode_to_vec(),
        }
    }
}

fn traces(batch: &Batch) -> ExportTraceServiceRequest {
    let spans = (batch.first..batch.first + batch.count).map(|number| {
        let start = nanos(batch.now) + number;
        let root = number % SPANS_PER_TRACE == 0 || number == batch.first;
        let trace = number / SPANS_PER_TRACE;
        // The first span of a trace within this batch is what the others hang under.
        let parent = (trace * SPANS_PER_TRACE).max(batch.first);
        Span {
            trace_id: id(batch, &trace.to_be_bytes(), 16),
            span_id: span_id(number),
            parent_span_id: if root { Vec::new() } else { span_id(parent) },
            name: "smoke".to_owned(),
            kind: span::SpanKind::Internal as i32,
            start_time_unix_nano: start,
            end_time_unix_nano: start + 1_000_000,
            attributes: vec![text(TRANSPORT, batch.transport.label())],
            status: Some(Status { code: status::StatusCode::Ok as i32, message: String::new() }),
            ..Span::default()
        }
    });
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans: spans.collect(), ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(batch)),
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
}

/// All points belong to one series for each transport: a probe must not fill Prometheus. The last point's value is the number sent.
fn metrics(batch: &Batch) -> ExportMetricsServiceRequest {
    let points = (batch.first..batch.first + batch.count).map(|number| NumberDataPoint {
        attributes: vec![text(RUN_ID, &batch.run.shown()), text(TRANSPORT, batch.transport.label())],
        time_unix_nano: nanos(batch.now) + number,
        value: Some(number_data_point::Value::AsInt(i64::try_from(number + 1).unwrap_or(i64::MAX))),
        ..NumberDataPoint::default()
    });
    let metric = Metric {
        name: METRIC.to_owned(),
        description: "Number of points that a run of the smoke test sent.".to_owned(),
        data: Some(metric::Data::Gauge(Gauge { data_points: points.collect() })),
        ..Metric::default()
    };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics: vec![metric], ..ScopeMetrics::default() }];
    // Not with the run's id: Prometheus would make a `target_info` series of it for every run.
    let resource = Resource { attributes: vec![text("service.name", SERVICE)], ..Resource::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics,
            ..ResourceMetrics::default()
        }],
    }
}

fn logs(batch: &Batch) -> ExportLogsServiceRequest {
    let records = (batch.first..batch.first + batch.count).map(|number| LogRecord {
        time_unix_nano: nanos(batch.now) + number,
        observed_time_unix_nano: nanos(batch.now) + number,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(format!("smoke test, record {number}"))) }),
        attributes: vec![text(TRANSPORT, batch.transport.label())],
        ..LogRecord::default()
    });
    let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records: records.collect(), ..ScopeLogs::default() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource: Some(resource(batch)), scope_logs, ..ResourceLogs::default() }],
    }
}

fn resource(batch: &Batch) -> Resource {
    let attributes = vec![text("service.name", SERVICE), text(RUN_ID, &batch.run.shown())];
    Resource { attributes, ..Resource::default() }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "collimate".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    }
}

/// Unique in the run: the run's id, then the transport, then the number's low bytes.
fn id(batch: &Batch, number: &[u8], length: usize) -> Vec<u8> {
    let mut id = batch.run.0[..length - 9].to_vec();
    id.push(match batch.transport {
        Transport::Grpc => 1,
        Transport::Http => 2,
    });
    id.extend_from_slice(number);
    id
}

/// Unique in its trace; never all zero, which is not an id.
fn span_id(number: u64) -> Vec<u8> {
    (number + 1).to_be_bytes().to_vec()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn batch(first: u64, count: u64) -> Batch {
        Batch { run: RunId([7; 12]), transport: Transport::Http, first, count, now: Duration::from_secs(1_700_000_000) }
    }

    #[test]
    fn every_span_has_its_own_ids_and_a_parent_in_its_own_batch() {
        let Payload::Traces(request) = Payload::new(Signal::Traces, &batch(50, 260)) else { unreachable!() };
        let spans = &request.resource_spans[0].scope_spans[0].spans;
        assert_eq!(spans.len(), 260);
        let ids: BTreeSet<_> = spans.iter().map(|span| (&span.trace_id, &span.span_id)).collect();
        assert_eq!(ids.len(), 260);
        assert!(spans.iter().all(|span| span.trace_id.len() == 16 && span.span_id.len() == 8));
        for child in spans.iter().filter(|span| !span.parent_span_id.is_empty()) {
            assert!(ids.contains(&(&child.trace_id, &child.parent_span_id)));
        }
        let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
        assert_eq!(traces.len(), 4);
    }

    #[test]
    fn the_last_point_says_how_many_there_were() {
        let Payload::Metrics(request) = Payload::new(Signal::Metrics, &batch(0, 12)) else { unreachable!() };
        let Some(metric::Data::Gauge(gauge)) = &request.resource_metrics[0].scope_metrics[0].metrics[0].data else {
            unreachable!()
        };
        assert_eq!(gauge.data_points.len(), 12);
        assert_eq!(gauge.data_points[11].value, Some(number_data_point::Value::AsInt(12)));
    }
}
