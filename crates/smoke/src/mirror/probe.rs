//! The probe from beginning to end.

use ::mirror::exports::limits::LARGEST_INDEX;
use ::mirror::exports::{self, Index};
use http::StatusCode;
use source::system;
use tokio::time::Instant;

use super::checks::Checks;
use super::domain::{self, INDEX};
use super::fault::{Kind, connection};
use super::reader::Reader;
use super::{Request, caching, judge, manners, strangers, vex};
use crate::report::{Class, Report};
use crate::wire::{Dialer, Fault, Identity, Kind as Wire, Reply};

/// Runs the probe. What went wrong is in the report; the report is all there is.
#[must_use]
pub fn run(request: &Request) -> Report {
    let mut report = Report {
        probe: "mirror",
        subject: request.settings.url.clone(),
        facts: facts(request),
        tables: Vec::new(),
        findings: Vec::new(),
        conclusion: None,
    };
    let mut checks = Checks::default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(probe(request, &mut checks)),
        Err(error) => {
            let fault =
                Fault::new(Wire::HostUnreachable, format!("this machine gives no threads: {}", system::reason(&error)));
            report.find(connection(fault, "this machine"));
        }
    }
    for finding in checks.findings {
        report.find(finding);
    }
    report.tables.push(Checks::table(checks.rows));
    report.conclusion = conclusion(&report);
    request.sieve.report(&mut report);
    report
}

fn facts(request: &Request) -> Vec<(&'static str, String)> {
    let settings = &request.settings;
    let tenant = settings.credentials.as_ref().map_or("nobody", |credentials| credentials.user.as_str());
    let mut facts = vec![("tenant", tenant.to_owned())];
    if let Some(connect) = &settings.connect {
        facts.push(("connected to", format!("{}:{}", connect.host, connect.port)));
    }
    let key = settings.key.as_ref();
    facts.push(("key", key.map_or_else(|| "none".to_owned(), |key| format!("sha256:{}", key.fingerprint()))));
    facts
}

async fn probe(request: &Request, checks: &mut Checks) {
    let settings = &request.settings;
    let about = "connection";
    let trust = &settings.trust;
    let identity = match request.url.tls {
        true => Identity::trusting(trust.ca.as_deref(), trust.system.as_deref(), None),
        false => Ok(Identity::trusting_nobody()),
    };
    let dialer = match identity.and_then(|identity| Dialer::new(&identity, settings.timeout)) {
        Ok(dialer) => dialer.anonymous(),
        Err(fault) => return checks.failed(about, "not tried", connection(fault, about)),
    };
    let deadline = Instant::now() + settings.wait;
    let mut reader = Reader::new(request, &dialer, &request.url, deadline);
    if let Err(fault) = reader.connect().await {
        return checks.failed(about, "none", connection(fault, about));
    }
    let name = &request.url.host;
    checks.passed(
        about,
        if request.url.tls { format!("TLS, certificate for `{name}`") } else { "without TLS".to_owned() },
    );

    let Some((mut index, reply)) = index(&mut reader, checks).await else { return };
    let (ours, others) = domains(&mut reader, request, &index, checks).await;
    strangers::without_right(&mut reader, request, ours.first().map(String::as_str), checks).await;
    let mut other = request.other.as_ref().map(|url| Reader::new(request, &dialer, url, deadline));
    strangers::elsewhere(other.as_mut(), request, checks).await;
    for domain in &ours {
        let walked = domain::walk(&mut reader, request, &mut index, domain, checks).await;
        if let Some(walked) = walked {
            caching::look(&mut reader, domain, &walked, checks).await;
        }
    }
    for domain in &others {
        strangers::other_domain(&mut reader, domain, checks).await;
    }
    match settings.exports {
        None => checks.not_tried("VEX domains", "not wanted (`--no-vex`)"),
        Some(most) => {
            if let Some(listed) = vex::domains(&mut reader, checks).await {
                for domain in &ours {
                    vex::walk(&mut reader, &listed, domain, most, checks).await;
                }
            }
        }
    }
    manners::head(&mut reader, request, &reply, checks).await;
    manners::methods(&mut reader, request, checks).await;
    if let Some(domain) = ours.first().or(others.first()) {
        manners::paths(&mut reader, domain, checks).await;
    }
    strangers::unknown_name(request, &dialer, checks).await;
}

async fn index(reader: &mut Reader<'_>, checks: &mut Checks) -> Option<(Index, Reply)> {
    let about = "index";
    let reply = match reader.file(about, INDEX, LARGEST_INDEX).await {
        Ok(reply) => reply,
        Err(finding) => {
            checks.failed(about, "not read", finding);
            return None;
        }
    };
    match exports::index(&reply.body) {
        Ok(index) => {
            let ids: Vec<&str> = index.domains.iter().map(|domain| domain.id.as_str()).collect();
            checks.passed(about, if ids.is_empty() { "no domain".to_owned() } else { ids.join(", ") });
            Some((index, reply))
        }
        Err(error) => {
            checks.failed(about, "cannot be used", judge::unreadable(about, INDEX, Kind::IndexMalformed, &error));
            None
        }
    }
}

/// The domains that are ours to read, and those that must be kept from us. Where none is named, those that are served are ours.
async fn domains(
    reader: &mut Reader<'_>,
    request: &Request,
    index: &Index,
    checks: &mut Checks,
) -> (Vec<String>, Vec<String>) {
    let listed = || index.domains.iter().map(|domain| domain.id.clone());
    let named = &request.settings.domains;
    let mut ours = Vec::new();
    if named.is_empty() {
        for domain in listed() {
            // The manifest is small, and a part of it is enough to see whether it is ours.
            let at = domain::path(&domain, "manifest.json");
            let asked = reader.get("index", &at, &[("range", "bytes=0-0")], exports::limits::LARGEST_MANIFEST).await;
            let refused = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED];
            if !asked.is_ok_and(|reply| refused.contains(&reply.status)) {
                ours.push(domain);
            }
        }
        if ours.is_empty() {
            let (about, count) = ("domains", index.domains.len());
            let message = format!("none of the {count} domains of the index can be read here");
            checks.failed(about, "none", Kind::DomainUnreadable.find(about, message));
        }
    } else {
        for domain in named {
            if listed().any(|known| known == *domain) {
                ours.push(domain.clone());
            } else {
                let about = format!("{domain}: manifest");
                let message = format!("`{INDEX}` does not list `{domain}`");
                checks.failed(&about, "not listed", Kind::DomainNotListed.find(&about, message));
            }
        }
    }
    let others = listed().filter(|domain| !ours.contains(domain)).collect();
    (ours, others)
}

/// Where to look first.
fn conclusion(report: &Report) -> Option<String> {
    let worst =
        report.findings.iter().filter(|finding| finding.class > Class::Doubtful).max_by_key(|finding| finding.class);
    Some(match (worst, report.findings.is_empty()) {
        (Some(finding), _) => format!("the mirror is not as it should be: {}", finding.message),
        (None, false) => {
            "the mirror does what it is for; the warnings above say what was not looked at or is not usual".to_owned()
        }
        (None, true) => "the mirror does what it is for".to_owned(),
    })
}
