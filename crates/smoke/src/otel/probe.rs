//! The probe from beginning to end.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, StatusCode};
use source::system;
use tokio::time::{Instant, sleep};

use super::account::{self, Rise, Sent};
use super::call::Link;
use super::counters::{Counters, PAUSE, Scraper};
use super::exports::{self, Export};
use super::load;
use super::payload::{Batch, Payload, RunId};
use super::readback::ReadBack;
use super::{Request, Signal, Transport, strangers};
use crate::report::{Cell, Class, Report, Row, Table, Verdict, shown};
use crate::wire::{Dialer, Fault, Http1, Identity, Kind};

/// Runs the probe. What went wrong is in the report; the report is all there is.
#[must_use]
pub fn run(request: &Request) -> Report {
    let run = RunId::new();
    let mut report = Report {
        probe: "otel",
        subject: subject(request),
        facts: vec![("run", run.shown())],
        tables: Vec::new(),
        findings: Vec::new(),
        conclusion: None,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(probe(request, run, &mut report)),
        Err(error) => {
            let fault =
                Fault::new(Kind::HostUnreachable, format!("this machine gives no threads: {}", system::reason(&error)));
            report.find(fault.finding("this machine"));
        }
    }
    report
}

fn subject(request: &Request) -> String {
    let endpoints: Vec<String> = request.transports.iter().map(|transport| request.endpoint(*transport)).collect();
    endpoints.join(", ")
}

async fn probe(request: &Request, run: RunId, report: &mut Report) {
    let Some((identity, dialer)) = identity(request, report) else { return };
    let mut read_back = match ReadBack::new(request, run.shown()) {
        Ok(read_back) => read_back,
        Err(fault) => return report.find(fault.finding("backends")),
    };
    let links = open(request, &dialer, report).await;
    let mut scraper = Scraper::new(&dialer, request.target(request.ports.metrics));
    let before = baseline(request, &mut scraper, !links.is_empty()).await;

    let works: Vec<Transport>;
    let sent = match &request.load {
        Some(load) => {
            let loaded = tokio::select! {
                loaded = load::load(request, load, run) => loaded,
                never = read_back.follow() => match never {},
            };
            report.facts.extend(loaded.facts);
            works = links.iter().map(|(transport, _)| *transport).collect();
            loaded.sent
        }
        None => {
            let (sent, answered) = send(request, &dialer, links, run, report).await;
            works = answered;
            sent
        }
    };

    // Certificates may have been changed while a load was sent, and what follows must not judge the new ones by the old ones.
    let (identity, dialer) = match request.load {
        Some(_) => match self::identity(request, report) {
            Some(now) => now,
            None => return,
        },
        None => (identity, dialer),
    };
    let mut scraper = Scraper::new(&dialer, request.target(request.ports.metrics));

    // What follows happens behind the collector's yes and takes its time: from here on one deadline holds for all of it.
    let deadline = Instant::now() + request.wait;
    let counted = match before {
        Ok(before) => count(request, &mut scraper, before, &sent, deadline).await,
        Err(fault) => Err(fault),
    };
    let reached = sent.iter().any(|one| one.acknowledged > 0);
    let read_back = if reached { Some(read_back.look(&dialer, &sent, deadline).await) } else { None };

    let counted = match counted {
        Ok(counted) => Some(counted),
        Err(fault) => {
            report.find(
                counters_fault(fault).finding(format!("counters at {}", request.target(request.ports.metrics).shown())),
            );
            None
        }
    };
    judge(request, &sent, counted.as_ref(), read_back.as_ref(), report);
    let mut checks = Table { name: "checks", columns: &["check", "outcome"], rows: Vec::new() };
    let mut found = vec![health(request, &dialer).await];
    for transport in &request.transports {
        found.extend(strangers::rows(request, &identity, *transport, works.contains(transport)).await);
    }
    for (row, fault) in found {
        if let Some(fault) = fault {
            report.find(fault.finding(row.name.clone()));
        }
        checks.rows.push(row);
    }
    report.tables.push(checks);
    if let Some(read_back) = read_back.filter(|read_back| !read_back.table.rows.is_empty()) {
        for (name, fault) in read_back.faults {
            report.find(fault.finding(name));
        }
        report.tables.push(read_back.table);
    }
}

/// Who we are by the files as they are now.
fn identity(request: &Request, report: &mut Report) -> Option<(Identity, Dialer)> {
    let read = || -> Result<_, Fault> {
        let identity = Identity::read(&request.identity)?;
        let dialer = Dialer::new(&identity, request.timeout)?;
        Ok((identity, dialer))
    };
    read().map_err(|fault| report.find(fault.finding("client identity"))).ok()
}

/// Connections to the receivers that can be reached. A receiver that cannot is one finding, not one for each signal.
async fn open(request: &Request, dialer: &Dialer, report: &mut Report) -> Vec<(Transport, Link)> {
    let mut links = Vec::new();
    for transport in &request.transports {
        match Link::open(dialer, request, *transport).await {
            Ok(link) => links.push((*transport, link)),
            Err(fault) => report.find(fault.finding(request.endpoint(*transport))),
        }
    }
    links
}

/// Counters from before anything is sent. Where nothing can be sent there is nothing to wait for.
async fn baseline(request: &Request, scraper: &mut Scraper<'_>, reachable: bool) -> Result<Counters, Fault> {
    if reachable { scraper.fresh(Instant::now() + request.wait).await } else { scraper.read().await }
}

/// One call for each signal over each open connection.
async fn send(
    request: &Request,
    dialer: &Dialer,
    links: Vec<(Transport, Link)>,
    run: RunId,
    report: &mut Report,
) -> (Vec<Sent>, Vec<Transport>) {
    let mut all: Vec<Sent> = Vec::new();
    let mut answered = Vec::new();
    let mut links = links;
    for transport in &request.transports {
        let Some((_, link)) = links.iter_mut().find(|(of, _)| of == transport) else {
            all.extend(Signal::ALL.map(|signal| Sent::new(signal, *transport)));
            continue;
        };
        let mut group = Vec::new();
        let mut broken: Option<Fault> = None;
        for signal in Signal::ALL {
            let mut sent = Sent::new(signal, *transport);
            // A connection that broke stays broken, and another server stays another server: the other signals would only repeat it.
            if let Some(fault) = &broken {
                sent.met(fault.clone());
                group.push(sent);
                continue;
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let batch = Batch { run, transport: *transport, first: 0, count: request.count, now };
            sent.tried = request.count;
            match link.send(Payload::new(signal, &batch)).await {
                Ok(answer) => {
                    sent.acknowledged = request.count.saturating_sub(answer.rejected);
                    sent.partly_rejected(answer.rejected, &answer.message);
                    if answer.rejected == 0 && !answer.message.is_empty() {
                        report.facts.push(("receiver warns", shown(&answer.message)));
                    }
                    answered.push(*transport);
                }
                Err(refusal) => {
                    if refusal.answered {
                        answered.push(*transport);
                    } else {
                        sent.unknown = request.count;
                    }
                    if !refusal.answered || refusal.fault.kind == Kind::NotOtlp {
                        broken = Some(refusal.fault.clone());
                    } else {
                        // A server that did not read to the end of a refused call hangs up after its answer.
                        match Link::open(dialer, request, *transport).await {
                            Ok(opened) => *link = opened,
                            Err(fault) => broken = Some(fault),
                        }
                    }
                    sent.met(refusal.fault);
                }
            }
            group.push(sent);
        }
        not_otlp(&mut group);
        all.extend(group);
    }
    (all, answered)
}

/// A receiver that knows none of the signals is no receiver.
fn not_otlp(group: &mut [Sent]) {
    let unknown = |sent: &Sent| sent.faults.iter().any(|fault| fault.kind == Kind::PipelineMissing);
    if group.iter().all(unknown) {
        for sent in group {
            sent.faults = vec![Fault::new(Kind::NotOtlp, "the port answers, but takes none of the three signals")];
        }
    }
}

/// What the collector says about what was sent.
struct Counted {
    rises: Vec<Rise>,
    exports: Vec<Export>,
    /// Traces that the tail sampler forgot undecided.
    dropped_early: u64,
    after: Counters,
}

/// Looks until all is accepted and exported, or the time is over.
async fn count(
    request: &Request,
    scraper: &mut Scraper<'_>,
    before: Counters,
    sent: &[Sent],
    deadline: Instant,
) -> Result<Counted, Fault> {
    loop {
        let over = Instant::now() >= deadline;
        match scraper.read().await {
            Ok(after) if after.restarted_since(&before) => {
                return Err(Fault::new(Kind::CountersReset, "the collector restarted while it was watched"));
            }
            Ok(after) => {
                let counted = counted(&before, after, sent);
                if over || is_settled(request, sent, &counted) {
                    return Ok(counted);
                }
            }
            Err(fault) if over => return Err(fault),
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

fn counted(before: &Counters, after: Counters, sent: &[Sent]) -> Counted {
    let rises = sent.iter().map(|one| Rise::of(before, &after, one.signal, one.transport)).collect();
    let exports =
        Signal::ALL.into_iter().flat_map(|signal| exports::exports(before, &after, signal, total(sent, signal)));
    let dropped_early = after.traces_dropped_early().saturating_sub(before.traces_dropped_early());
    Counted { rises, exports: exports.collect(), dropped_early, after }
}

/// What was taken of a signal over all transports.
fn total(sent: &[Sent], signal: Signal) -> u64 {
    sent.iter().filter(|one| one.signal == signal).map(|one| one.acknowledged).sum()
}

fn is_settled(request: &Request, sent: &[Sent], counted: &Counted) -> bool {
    let accepted = sent.iter().zip(&counted.rises).all(|(sent, rise)| rise.is_settled(sent));
    let exported = Signal::ALL.into_iter().all(|signal| {
        let own: Vec<Export> = counted.exports.iter().filter(|export| export.signal == signal).cloned().collect();
        exports::is_done(&own, total(sent, signal))
    });
    // On a collector of our own more than we sent is a fault that later looks would show too.
    let surplus = !request.shared && sent.iter().zip(&counted.rises).any(|(sent, rise)| rise.accepted > sent.tried);
    (accepted && exported) || surplus
}

/// Counters that cannot be reached are their own fault; a certificate that is refused there is that fault.
fn counters_fault(fault: Fault) -> Fault {
    if fault.kind.class() == Class::Unreachable && fault.kind != Kind::DnsFailure {
        return Fault::new(
            Kind::CountersUnreachable,
            format!("the collector's counters cannot be read: {}", fault.message),
        );
    }
    fault
}

/// Findings and the two tables of counts.
fn judge(
    request: &Request,
    sent: &[Sent],
    counted: Option<&Counted>,
    read_back: Option<&super::readback::Outcome>,
    report: &mut Report,
) {
    let mut signals = Table { name: "signals", columns: account::COLUMNS, rows: Vec::new() };
    for (index, one) in sent.iter().enumerate() {
        let rise = counted.and_then(|counted| counted.rises.get(index)).copied();
        let mut faults = one.faults.clone();
        faults.extend(rise.map(|rise| account::faults(one, rise, request.shared)).unwrap_or_default());
        let exports: Option<Vec<Export>> = counted
            .map(|counted| counted.exports.iter().filter(|export| export.signal == one.signal).cloned().collect());
        let exported = exports.as_ref().is_none_or(|exports| exports::is_done(exports, one.acknowledged.min(1)));
        if let (Some(exports), true) = (&exports, one.acknowledged > 0)
            && exports.is_empty()
        {
            let message = format!("no exporter sent any of the {}s, and none holds them", one.signal.item());
            faults.push(Fault::new(Kind::NotExported, message));
        }
        let found = read_back.and_then(|outcome| outcome.least.get(&(one.signal, one.transport))).copied();
        let found = found.or_else(|| own_metric(report, one, counted));
        let lost = read_back.is_some_and(|outcome| {
            outcome.faults.iter().any(|(name, _)| name.starts_with(&format!("{} in ", one.name())))
        });
        let failed = !faults.is_empty() || one.acknowledged < one.tried || one.tried == 0 || !exported || lost;
        signals.rows.push(account::row(one, rise, exports.as_deref(), found, failed));
        for fault in faults {
            report.find(fault.finding(one.name()));
        }
    }
    report.tables.push(signals);
    let Some(counted) = counted else { return };
    let (table, faults) = exports::table(&counted.exports);
    for (name, fault) in faults {
        let fault = explained(fault, counted);
        report.find(fault.finding(name));
    }
    report.tables.push(table);
}

/// The collector's own metrics port shows our metric where its pipeline ends there: that is a read back too.
fn own_metric(report: &Report, sent: &Sent, counted: Option<&Counted>) -> Option<u64> {
    let run = &report.facts.iter().find(|(name, _)| *name == "run")?.1;
    (sent.signal == Signal::Metrics).then(|| counted?.after.own_metric(run, sent.transport)).flatten()
}

/// Spans that went missing without an error were forgotten by the tail sampler, if it says that it forgot some.
fn explained(fault: Fault, counted: &Counted) -> Fault {
    if fault.kind == Kind::NotExported && counted.dropped_early > 0 {
        let message = format!(
            "{}; the tail sampler forgot {} traces before it decided (`num_traces`)",
            fault.message, counted.dropped_early
        );
        return Fault::new(Kind::NotExported, message);
    }
    fault
}

/// Whether the collector says of itself that it is well.
async fn health(request: &Request, dialer: &Dialer) -> (Row, Option<Fault>) {
    let target = request.target(request.ports.health);
    let name = format!("health at {}", target.shown());
    let reply = async {
        let mut connection = Http1::open(dialer, &target, true).await?;
        connection.call(Method::GET, "/", &[], Bytes::new()).await
    };
    let (outcome, fault) = match reply.await {
        Err(fault) if fault.kind.class() == Class::Unreachable && fault.kind != Kind::DnsFailure => {
            let message = format!("the collector's health cannot be asked: {}", fault.message);
            (fault.message, Some(Fault::new(Kind::HealthUnreachable, message)))
        }
        Err(fault) => (fault.message.clone(), Some(fault)),
        Ok(reply) => {
            let body = serde_json::from_slice::<serde_json::Value>(&reply.body).ok();
            let status = body.as_ref().and_then(|body| body["status"].as_str()).map(shown);
            match (reply.status, status) {
                (StatusCode::OK, Some(status)) => (status, None),
                (StatusCode::SERVICE_UNAVAILABLE, status) => {
                    let status = status.unwrap_or_else(|| "no status".to_owned());
                    (
                        status.clone(),
                        Some(Fault::quoting(Kind::HealthDown, "the collector says that it is not well", &status)),
                    )
                }
                (code, _) => {
                    let message = format!("the port answers {code}, but not as a health check");
                    ("no health check".to_owned(), Some(Fault::new(Kind::HealthElsewhere, message)))
                }
            }
        }
    };
    let verdict = if fault.is_some() { Verdict::Failed } else { Verdict::Passed };
    (Row { name, cells: vec![Cell::Text("health".to_owned()), Cell::Text(outcome)], verdict }, fault)
}
