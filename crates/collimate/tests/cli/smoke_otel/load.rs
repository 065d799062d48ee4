//! Many of each signal, and a certificate that changes meanwhile.

use std::time::{Duration, Instant};

use testkit::Cli;

use super::collector::{Collector, DAY, PATIENCE, Setup, hours, issue, kinds, report};

/// Waits until so many more log records have come out of the collector.
#[track_caller]
fn wait_for_records(collector: &Collector, more: usize) {
    let path = collector.sandbox.path("export/logs.jsonl");
    let records = || std::fs::read_to_string(&path).unwrap_or_default().matches("\"body\"").count();
    let (before, start) = (records(), Instant::now());
    while records() < before + more {
        assert!(start.elapsed() < PATIENCE, "{}", collector.log());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn every_item_of_a_load_is_accounted_for() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    // Does not divide by two transports, nor by the size of a batch.
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--load", "20001"]);
    let (code, report) = report(&cli.args(["--format", "json"]));
    assert_eq!(code, 0, "{report:#}\n{}", collector.log());
    for signal in ["traces", "metrics", "logs"] {
        let rows = report["tables"]["signals"].as_array().unwrap().iter().filter(|row| row["signal"] == signal);
        let accepted: u64 = rows.map(|row| row["accepted"].as_u64().unwrap()).sum();
        assert_eq!(accepted, 20001, "{signal}");
    }
    assert!(report["facts"]["memory"].as_str().unwrap().ends_with("at most"));
}

#[test]
fn a_load_reads_its_certificate_anew() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let cli =
        collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--http", "--connections", "1"]);
    let cli = cli.args(["--for", "6", "--rate", "200", "--format", "json"]);
    let run = std::thread::spawn(move || report(&cli));
    // Once it sends, its certificate is replaced by one that the collector does not accept.
    let expired = issue(&collector.authority, "client", hours(-2 * DAY, -DAY));
    wait_for_records(&collector, 1);
    collector.sandbox.write("certs/client/tls.key", expired.key.reveal());
    collector.sandbox.write("certs/client/tls.crt", &expired.certificate_pem);
    let (code, report) = run.join().unwrap();
    let kinds = kinds(&report);
    assert!(kinds.contains(&"client-certificate-expired".to_owned()), "{report:#}");
    assert_eq!(code, 5, "{report:#}");
}

/// How fast the load of a rotation is, and how much of it passes between two phases: three seconds of it, in which every connection is
/// opened anew and the collector, at the interval below, has read its certificates again.
const RATE: usize = 200;
const BETWEEN: usize = 3 * RATE;

#[test]
fn a_rotation_of_the_authority_loses_nothing() {
    let layer = "\
receivers: {otlp: {protocols: {grpc: {tls: {reload_interval: 1s}}, http: {tls: {reload_interval: 1s}}}}}
exporters: {prometheus: {tls: {reload_interval: 1s}}}
extensions: {health_check: {tls: {reload_interval: 1s}}}
";
    let Some(collector) = Collector::start(&Setup { layer, generated: true, ..Setup::default() }) else { return };
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--format", "json"]);
    let cli = cli.args(["--for", "25", "--rate", &RATE.to_string(), "--connections", "1"]);
    let run = std::thread::spawn(move || report(&cli));
    for phase in ["trust", "leaf", "retire"] {
        wait_for_records(&collector, BETWEEN);
        let program = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(collector.sandbox.root());
        program.args(["tls", "rotate", "certs", "--phase", phase]).any_stdout().any_stderr().run();
    }
    assert!(!run.is_finished(), "the load ended before the rotation did, which proves nothing");
    let (code, report) = run.join().unwrap();
    assert_eq!((code, kinds(&report)), (0, vec![]), "{report:#}\n{}", collector.log());
    let signals = report["tables"]["signals"].as_array().unwrap();
    assert!(signals.iter().all(|row| row["sent"] == row["accepted"] && row["sent"] == row["exported"]), "{report:#}");
    let opened: u32 = report["facts"]["connections"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
    // Six lanes, a connection a second in each.
    assert!(opened > 6 * 10, "{opened} connections");
}
