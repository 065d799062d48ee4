//! `smoke::otel` before a receiver that does what a real one does only on a bad day.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stand_in;

use smoke::report::{Class, Report, Verdict};
use stand_in::{Behaviour, StandIn};
use tonic::Status;

fn kinds(report: &Report) -> Vec<&'static str> {
    let mut kinds: Vec<&str> = report.findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[track_caller]
fn check(behaviour: Behaviour, expected: &[&str]) -> Report {
    let report = StandIn::start(behaviour).probe(|_| {});
    assert_eq!(kinds(&report), expected, "{}", smoke::report::text(&report));
    report
}

#[test]
fn a_receiver_that_does_its_work() {
    let report = check(Behaviour::default(), &[]);
    let tried = report.tables.iter().flat_map(|table| &table.rows).filter(|row| row.verdict == Verdict::Passed);
    // Three signals, three exports, health, two strangers; there is no authority's key for the third.
    assert_eq!(tried.count(), 9);
}

#[test]
fn a_partial_success_is_told_with_its_message() {
    let report = check(Behaviour { reject: 3, message: "over\nquota", ..Behaviour::default() }, &["partial-success"]);
    assert_eq!(report.class(), Some(Class::Wrong));
    assert_eq!(report.findings[0].message, "3 of the spans were rejected: over quota");
    // A message alone is a warning.
    let report = check(Behaviour { message: "old client", ..Behaviour::default() }, &[]);
    assert!(report.facts.contains(&("receiver warns", "old client".to_owned())), "{:?}", report.facts);
}

#[test]
fn refusals_are_told_apart() {
    let cases = [
        (Status::unavailable("sending queue is full"), "queue-full"),
        (Status::unavailable("data refused due to high memory usage"), "memory-limiter"),
        (Status::resource_exhausted("slow down"), "throttled"),
        (Status::unauthenticated("no token"), "access-denied"),
        (Status::internal("broken"), "data-refused"),
        (Status::unimplemented("unknown service"), "not-otlp"),
    ];
    for (status, kind) in cases {
        check(Behaviour { refuse: Some(status), ..Behaviour::default() }, &[kind]);
    }
}

#[test]
fn a_receiver_that_miscounts_is_found() {
    check(Behaviour { miscount: -1, ..Behaviour::default() }, &["accepted-fewer"]);
    check(Behaviour { miscount: 1, ..Behaviour::default() }, &["accepted-more"]);
    let shared =
        StandIn::start(Behaviour { miscount: 1, ..Behaviour::default() }).probe(|request| request.shared = true);
    assert_eq!(kinds(&shared), [""; 0], "others may have sent it");
}

#[test]
fn counters_that_prove_nothing_are_found() {
    check(Behaviour { stand_still: true, ..Behaviour::default() }, &["counters-stale"]);
    check(Behaviour { restart: true, ..Behaviour::default() }, &["counters-reset"]);
    check(Behaviour { metrics: Some("nothing 1\n"), ..Behaviour::default() }, &["counters-absent"]);
    check(Behaviour { metrics: Some("<html>\n"), ..Behaviour::default() }, &["counters-malformed"]);
}

#[test]
fn a_receiver_that_is_not_well_says_so() {
    let report = check(Behaviour { unwell: true, ..Behaviour::default() }, &["health-down"]);
    assert_eq!(report.findings[0].message, "the collector says that it is not well: Server not available");
}

#[test]
fn a_receiver_that_lets_anybody_in_is_found() {
    let report = check(Behaviour { open: true, ..Behaviour::default() }, &["stranger-accepted"]);
    assert_eq!(report.findings[0].class, Class::Wrong);
}

#[test]
fn logs_that_another_tenant_sees_are_a_leak() {
    for (leaky, expected) in [(true, vec!["tenant-leak"]), (false, vec![])] {
        let server = StandIn::start(Behaviour { leaky, ..Behaviour::default() });
        let report = server.probe(|request| request.loki = Some(server.backend()));
        assert_eq!(kinds(&report), expected, "{}", smoke::report::text(&report));
    }
}

#[test]
fn what_prometheus_has_is_compared() {
    let server = StandIn::start(Behaviour::default());
    let report = server.probe(|request| request.prometheus = Some(server.backend()));
    assert_eq!(kinds(&report), [""; 0], "{}", smoke::report::text(&report));
    let server = StandIn::start(Behaviour { forgetful: true, ..Behaviour::default() });
    let report = server.probe(|request| request.prometheus = Some(server.backend()));
    assert_eq!(kinds(&report), ["read-back-missing"]);
}
