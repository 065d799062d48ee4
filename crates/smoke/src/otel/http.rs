//! OTLP over HTTP: protobuf in, protobuf out.

use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::Signal;
use super::call::{Answer, Refusal, answer, refusal_kind};
use super::grpc::text_of;
use super::payload::Payload;
use crate::wire::{Dialer, Fault, Http1, Kind, Reply, Target};

const PROTOBUF: &str = "application/x-protobuf";

/// One open connection.
pub(crate) struct Http(Http1);

/// `google.rpc.Status`, the body of every refusal.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl Http {
    pub(crate) async fn open(dialer: &Dialer, target: &Target) -> Result<Self, Fault> {
        Ok(Self(Http1::open(dialer, target, true).await?))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) async fn send(&mut self, payload: Payload) -> Result<Answer, Refusal> {
        let signal = payload.signal();
        let headers = [("content-type", PROTOBUF)];
        let reply = self.0.call(Method::POST, signal.path(), &headers, payload.encoded().into()).await;
        let reply = reply.map_err(Refusal::broken)?;
        if reply.status == StatusCode::OK { accepted(signal, &reply) } else { Err(refused(&reply)) }
    }
}

fn accepted(signal: Signal, reply: &Reply) -> Result<Answer, Refusal> {
    let not_otlp =
        |message: String| Refusal { fault: Fault::new(Kind::NotOtlp, message), answered: true, again: false };
    if reply.content_type() != PROTOBUF {
        return Err(not_otlp(format!(
            "the port answers HTTP, but not OTLP: 200 with content type `{}`",
            crate::report::shown(&reply.content_type())
        )));
    }
    let body = reply.body.clone();
    let part = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(body)
            .map(|reply| reply.partial_success.map(|part| answer(part.rejected_spans, part.error_message))),
        Signal::Metrics => ExportMetricsServiceResponse::decode(body)
            .map(|reply| reply.partial_success.map(|part| answer(part.rejected_data_points, part.error_message))),
        Signal::Logs => ExportLogsServiceResponse::decode(body)
            .map(|reply| reply.partial_success.map(|part| answer(part.rejected_log_records, part.error_message))),
    };
    part.map(Option::unwrap_or_default).map_err(|_| not_otlp("the answer is no OTLP message".to_owned()))
}

fn refused(reply: &Reply) -> Refusal {
    let status = reply.status;
    let message = match RpcStatus::decode(reply.body.clone()) {
        Ok(status) if reply.content_type() == PROTOBUF => status.message,
        _ => reply.text(),
    };
    let (kind, text) = match (status, refusal_kind(&message)) {
        // Go's server says this where no handler has the path, which is what a receiver without a pipeline leaves.
        (StatusCode::NOT_FOUND, _) => (Kind::PipelineMissing, "the receiver does not know this signal".to_owned()),
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            (Kind::AccessDenied, format!("the receiver denies access ({status})"))
        }
        (StatusCode::PAYLOAD_TOO_LARGE, _) => (Kind::MessageTooLarge, text_of(Kind::MessageTooLarge).to_owned()),
        (_, Some(kind)) => (kind, text_of(kind).to_owned()),
        (StatusCode::TOO_MANY_REQUESTS, None) => (Kind::Throttled, "the receiver asks to send less".to_owned()),
        (StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE, None) => {
            (Kind::NotOtlp, format!("the port answers HTTP, but not OTLP ({status})"))
        }
        (status, None) if reply.content_type() == PROTOBUF => {
            (Kind::DataRefused, format!("the receiver refused the data ({status})"))
        }
        (status, None) if status.is_server_error() => {
            (Kind::DataRefused, format!("the receiver or a proxy before it refused the data ({status})"))
        }
        _ => (Kind::NotOtlp, format!("the port answers HTTP, but not OTLP ({status})")),
    };
    let again = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    Refusal { fault: Fault::quoting(kind, &text, &message), answered: true, again }
}
