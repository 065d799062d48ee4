//! The three services of OTLP over gRPC.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use certificates::Issued;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1 as logs;
use opentelemetry_proto::tonic::collector::metrics::v1 as metrics;
use opentelemetry_proto::tonic::collector::trace::v1 as traces;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tonic::{Request, Response, Status};
use tower_service::Service as _;

use super::{Behaviour, Taken, https};

pub(crate) struct Receiver {
    pub(crate) port: u16,
    /// Ends the server when it is dropped.
    _runtime: Runtime,
}

#[derive(Clone)]
struct Service {
    behaviour: Behaviour,
    taken: Arc<Taken>,
}

impl Service {
    fn take(&self, counter: &AtomicU64, count: usize, rejected: i64) -> Result<(), Status> {
        if let Some(status) = &self.behaviour.refuse {
            return Err(status.clone());
        }
        counter.fetch_add((count as u64).saturating_sub(rejected.unsigned_abs()), Ordering::SeqCst);
        Ok(())
    }
}

#[tonic::async_trait]
impl traces::trace_service_server::TraceService for Service {
    async fn export(
        &self,
        request: Request<traces::ExportTraceServiceRequest>,
    ) -> Result<Response<traces::ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.take(&self.taken.spans, spans.map(|scope| scope.spans.len()).sum(), self.behaviour.reject)?;
        let partial = traces::ExportTracePartialSuccess {
            rejected_spans: self.behaviour.reject,
            error_message: self.behaviour.message.to_owned(),
        };
        Ok(Response::new(traces::ExportTraceServiceResponse { partial_success: Some(partial) }))
    }
}

#[tonic::async_trait]
impl metrics::metrics_service_server::MetricsService for Service {
    async fn export(
        &self,
        request: Request<metrics::ExportMetricsServiceRequest>,
    ) -> Result<Response<metrics::ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        let points = scopes.flat_map(|scope| scope.metrics).map(|metric| match metric.data {
            Some(Data::Gauge(gauge)) => gauge.data_points.len(),
            _ => 0,
        });
        self.take(&self.taken.metric_points, points.sum(), 0)?;
        Ok(Response::new(metrics::ExportMetricsServiceResponse { partial_success: None }))
    }
}

#[tonic::async_trait]
impl logs::logs_service_server::LogsService for Service {
    async fn export(
        &self,
        request: Request<logs::ExportLogsServiceRequest>,
    ) -> Result<Response<logs::ExportLogsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        self.take(&self.taken.log_records, scopes.map(|scope| scope.log_records.len()).sum(), 0)?;
        Ok(Response::new(logs::ExportLogsServiceResponse { partial_success: None }))
    }
}

impl Receiver {
    pub(crate) fn start(server: &Issued, authority: &str, behaviour: Behaviour, taken: Arc<Taken>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut config = https::config(server, authority, behaviour.open);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let service = Service { behaviour, taken };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, service) = (acceptor.clone(), service.clone());
                // A client that is refused, or goes away, is its own affair.
                tokio::spawn(async move {
                    let stream = TokioIo::new(acceptor.accept(stream).await?);
                    let answer = service_fn(move |request| route(service.clone(), request));
                    let served = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, answer).await;
                    served.map_err(std::io::Error::other)
                });
            }
        });
        Self { port, _runtime: runtime }
    }
}

async fn route(service: Service, request: http::Request<Incoming>) -> Result<http::Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    if path.contains(".trace.") {
        traces::trace_service_server::TraceServiceServer::new(service).call(request).await
    } else if path.contains(".metrics.") {
        metrics::metrics_service_server::MetricsServiceServer::new(service).call(request).await
    } else {
        logs::logs_service_server::LogsServiceServer::new(service).call(request).await
    }
}
