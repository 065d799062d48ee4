//! A receiver in this process: OTLP over gRPC, counters, health and two backends, all with mutual TLS.

mod https;
mod otlp;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use certificates::{Algorithm, Authority, Issued, Leaf, San, Usage, Validity};
use jiff::{SignedDuration, Timestamp};
use smoke::otel::{Ports, Request, Transport};
use smoke::report::Report;
use smoke::{IdentityFiles, LeafFiles};
use testkit::Sandbox;
use tonic::Status;

/// What it does wrong. By default nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Spans that it rejects, with a message.
    pub(crate) reject: i64,
    pub(crate) message: &'static str,
    /// Its answer to everything.
    pub(crate) refuse: Option<Status>,
    /// Counts so many more than it took.
    pub(crate) miscount: i64,
    /// Its counters never change.
    pub(crate) stand_still: bool,
    /// Starts anew once it has taken something.
    pub(crate) restart: bool,
    /// What it shows instead of its counters.
    pub(crate) metrics: Option<&'static str>,
    pub(crate) unwell: bool,
    /// Asks for no client certificate.
    pub(crate) open: bool,
    /// Shows logs to every tenant.
    pub(crate) leaky: bool,
    /// Its backends have nothing.
    pub(crate) forgetful: bool,
}

/// What it took, by signal.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) spans: AtomicU64,
    pub(crate) metric_points: AtomicU64,
    pub(crate) log_records: AtomicU64,
    pub(crate) looks: AtomicU64,
}

pub(crate) struct StandIn {
    sandbox: Sandbox,
    grpc: u16,
    https: u16,
    _receiver: otlp::Receiver,
    _pages: https::Pages,
}

impl StandIn {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let now = Timestamp::now();
        let hour = SignedDuration::from_hours(1);
        let validity = Validity { not_before: now - hour, not_after: now + hour };
        let authority = Authority::new(Algorithm::P256, validity).unwrap();
        let issue = |name: &str| {
            let leaf = Leaf {
                common_name: name.to_owned(),
                sans: vec!["localhost".parse::<San>().unwrap()],
                usages: vec![Usage::Server, Usage::Client],
                algorithm: Algorithm::P256,
                validity,
            };
            authority.issue(&leaf).unwrap()
        };
        let (server, client): (Issued, Issued) = (issue("server"), issue("client"));
        let sandbox = Sandbox::new();
        sandbox.write("ca.crt", authority.certificate_pem());
        sandbox.write("tls.crt", &client.certificate_pem).write("tls.key", client.key.reveal());
        let taken = Arc::new(Taken::default());
        let receiver =
            otlp::Receiver::start(&server, authority.certificate_pem(), behaviour.clone(), Arc::clone(&taken));
        let pages =
            https::Pages::start(&server, authority.certificate_pem(), move |head| page(&behaviour, &taken, head));
        Self { sandbox, grpc: receiver.port, https: pages.port, _receiver: receiver, _pages: pages }
    }

    /// The URL of its backends.
    pub(crate) fn backend(&self) -> String {
        format!("https://localhost:{}", self.https)
    }

    /// Probes it over gRPC, after `change` made the request a little different.
    pub(crate) fn probe(&self, change: impl FnOnce(&mut Request)) -> Report {
        let file = |name: &str| self.sandbox.path(name);
        let mut request = Request {
            host: "localhost".to_owned(),
            ports: Ports { grpc: self.grpc, http: self.https, metrics: self.https, health: self.https },
            server_name: None,
            transports: vec![Transport::Grpc],
            identity: IdentityFiles {
                ca: file("ca.crt"),
                leaf: Some(LeafFiles { certificate: file("tls.crt"), key: file("tls.key") }),
            },
            authority: None,
            count: 10,
            wait: Duration::from_secs(3),
            timeout: Duration::from_secs(5),
            shared: false,
            tenant: "ours".to_owned(),
            files: Vec::new(),
            loki: None,
            prometheus: None,
            load: None,
        };
        change(&mut request);
        smoke::otel::run(&request)
    }
}

/// Status, content type and body for a request's head.
fn page(behaviour: &Behaviour, taken: &Taken, head: &str) -> (u16, &'static str, String) {
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/metrics") {
        return (200, "text/plain", behaviour.metrics.map_or_else(|| counters(behaviour, taken), str::to_owned));
    }
    if path == "/" {
        let (code, status) = if behaviour.unwell { (503, "Server not available") } else { (200, "Server available") };
        return (code, "application/json", format!("{{\"status\":\"{status}\"}}"));
    }
    let ours = head.to_ascii_lowercase().contains("x-scope-orgid: ours\r\n") || behaviour.leaky;
    let count = if path.starts_with("/loki") { &taken.log_records } else { &taken.metric_points };
    let count = count.load(Ordering::SeqCst);
    let series = format!("{{\"metric\":{{\"collimate_transport\":\"grpc\"}},\"value\":[1,\"{count}\"]}}");
    let seen = !behaviour.forgetful && (path.starts_with("/api") || ours);
    let series = if seen { series } else { String::new() };
    (200, "application/json", format!("{{\"status\":\"success\",\"data\":{{\"result\":[{series}]}}}}"))
}

fn counters(behaviour: &Behaviour, taken: &Taken) -> String {
    let looks = taken.looks.fetch_add(1, Ordering::SeqCst);
    let all = [("spans", &taken.spans), ("metric_points", &taken.metric_points), ("log_records", &taken.log_records)];
    let mut text = String::new();
    let mut anything = false;
    for (name, count) in all {
        let count = count.load(Ordering::SeqCst);
        anything |= count > 0;
        let counted = if count == 0 { 0 } else { count.saturating_add_signed(behaviour.miscount) };
        text += &format!("otelcol_receiver_accepted_{name}_total{{receiver=\"otlp\",transport=\"grpc\"}} {counted}\n");
        text += &format!("otelcol_exporter_sent_{name}_total{{exporter=\"debug\"}} {count}\n");
    }
    let uptime = match (behaviour.stand_still, behaviour.restart && anything) {
        (true, _) => 5,
        (false, true) => 1,
        (false, false) => looks + 10,
    };
    text + &format!("otelcol_process_uptime_total {uptime}\n")
}
