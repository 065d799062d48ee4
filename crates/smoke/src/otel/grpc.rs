//! OTLP over gRPC, on a connection that we opened.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service;

use super::call::{Answer, Refusal, answer, refusal_kind};
use super::payload::Payload;
use crate::wire::{Dialer, Fault, Kind, Protocol, Sender, Target, Watch};

/// One open connection.
pub(crate) struct Grpc {
    connection: Connection,
    origin: Uri,
    watch: Watch,
    timeout: Duration,
}

impl Grpc {
    pub(crate) async fn open(dialer: &Dialer, target: &Target) -> Result<Self, Fault> {
        let stream = dialer.open(target, Protocol::Http2).await?;
        let watch = stream.watch();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.map_err(|_| watch.fault())?;
        let origin = format!("https://{}", target.shown())
            .parse()
            .map_err(|_| Fault::new(Kind::DnsFailure, format!("`{}` is no host", target.host)))?;
        Ok(Self {
            connection: Connection {
                sender: Sender::new(sender, connection),
                failed: Arc::default(),
                not_grpc: Arc::default(),
            },
            origin,
            watch,
            timeout: dialer.timeout,
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.connection.sender.with(|sender| sender.is_closed()).unwrap_or(true)
    }

    pub(crate) async fn send(&mut self, payload: Payload) -> Result<Answer, Refusal> {
        let (connection, origin) = (self.connection.clone(), self.origin.clone());
        let call = async move {
            match payload {
                Payload::Traces(request) => {
                    let reply = TraceServiceClient::with_origin(connection, origin).export(request).await?.into_inner();
                    Ok(reply.partial_success.map(|part| answer(part.rejected_spans, part.error_message)))
                }
                Payload::Metrics(request) => {
                    let reply =
                        MetricsServiceClient::with_origin(connection, origin).export(request).await?.into_inner();
                    Ok(reply.partial_success.map(|part| answer(part.rejected_data_points, part.error_message)))
                }
                Payload::Logs(request) => {
                    let reply = LogsServiceClient::with_origin(connection, origin).export(request).await?.into_inner();
                    Ok(reply.partial_success.map(|part| answer(part.rejected_log_records, part.error_message)))
                }
            }
        };
        match timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer.unwrap_or_default()),
            Ok(Err(status)) => Err(self.refusal(&status)),
            Err(_) => Err(Refusal::broken(Fault::new(Kind::NoAnswer, format!("no answer within {:?}", self.timeout)))),
        }
    }

    fn refusal(&self, status: &Status) -> Refusal {
        // A status that the client library made up of a broken connection has a source or came by way of it; one that was sent has none.
        if status.source().is_some() || self.connection.failed.load(Ordering::Relaxed) {
            return Refusal::broken(self.broken());
        }
        if let Some(code) = self.connection.not_grpc.get() {
            let fault = Fault::new(Kind::NotOtlp, format!("the port answers HTTP, but not gRPC ({code})"));
            return Refusal { fault, answered: true, again: false };
        }
        let message = status.message();
        let (kind, text) = match (status.code(), refusal_kind(message)) {
            (Code::Unimplemented, _) => (Kind::PipelineMissing, "the receiver does not know this signal"),
            (Code::Unauthenticated | Code::PermissionDenied, _) => (Kind::AccessDenied, "the receiver denies access"),
            (_, Some(kind)) => (kind, text_of(kind)),
            (Code::ResourceExhausted, None) => (Kind::Throttled, "the receiver asks to send less"),
            (_, None) => (Kind::DataRefused, "the receiver refused the data"),
        };
        let again = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Aborted)
            && kind != Kind::MessageTooLarge;
        Refusal { fault: Fault::quoting(kind, text, message), answered: true, again }
    }

    fn broken(&self) -> Fault {
        let fault = self.watch.fault();
        // What answers a request of HTTP/2 with something else is no gRPC server.
        if fault.kind == Kind::ConnectionClosed && self.watch.answered() && !self.watch.first_bytes_are_http2() {
            return Fault::new(Kind::NotOtlp, "the port answers over TLS, but not in HTTP/2");
        }
        fault
    }
}

/// In front of the other side's own words.
pub(crate) fn text_of(kind: Kind) -> &'static str {
    match kind {
        Kind::MemoryLimiter => "the collector is short of memory and refused the data",
        Kind::QueueFull => "an exporter's queue is full and the collector refused the data",
        Kind::ExporterFailing => "an exporter failed and the collector passed its error on",
        Kind::MessageTooLarge => "the message is larger than the receiver takes",
        _ => "the receiver refused the data",
    }
}

/// The connection as the generated clients want it.
#[derive(Clone)]
struct Connection {
    sender: Sender<SendRequest<Body>>,
    /// A call found it broken.
    failed: Arc<AtomicBool>,
    /// The status of an answer whose content type is not gRPC's. The client library makes a gRPC status of it that looks sent.
    not_grpc: Arc<OnceLock<http::StatusCode>>,
}

impl Service<http::Request<Body>> for Connection {
    type Response = http::Response<Incoming>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Calls share the connection; one that is over is found by the call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = self.sender.with(|sender| sender.send_request(request));
        let (failed, not_grpc) = (Arc::clone(&self.failed), Arc::clone(&self.not_grpc));
        Box::pin(async move {
            let answer: Result<_, Self::Error> = match call {
                Some(call) => call.await.map_err(Into::into),
                None => Err(io::Error::from(io::ErrorKind::NotConnected).into()),
            };
            let answer = answer.inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            let kind = answer.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            if !kind.is_some_and(|kind| kind.starts_with("application/grpc")) {
                not_grpc.get_or_init(|| answer.status());
            }
            Ok(answer)
        })
    }
}
