//! A collector with nothing wrong.

use serde_json::Value;

use testkit::Cli;

use super::collector::{Collector, Setup, report};
use crate::tree::repository;

fn rows<'a>(report: &'a Value, table: &str) -> &'a Vec<Value> {
    report["tables"][table].as_array().unwrap()
}

#[test]
fn a_green_run_proves_everything_it_says() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let files = ["traces", "metrics", "logs"].map(|signal| format!("--file={signal}=export/{signal}.jsonl"));
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client"]).args(files);
    let (code, report) = report(&cli.args(["--format", "json", "--count", "7"]));
    assert_eq!((code, &report["verdict"]), (0, &Value::from("passed")), "{report:#}\n{}", collector.log());
    let signals = rows(&report, "signals");
    assert_eq!(signals.len(), 6);
    for row in signals {
        for column in ["sent", "accepted", "exported", "read_back"] {
            assert_eq!(row[column], 7, "{column} of {row:#}");
        }
        assert_eq!(row["refused"], 0);
    }
    // What the file exporter wrote says it too, without our reader in between.
    let run = report["facts"]["run"].as_str().unwrap();
    for signal in ["traces", "metrics", "logs"] {
        assert!(collector.sandbox.read(format!("export/{signal}.jsonl")).contains(run), "{signal}");
    }
    let checks = rows(&report, "checks");
    assert_eq!(checks.len(), 7);
    assert!(checks.iter().all(|row| row["verdict"] == "passed"), "{checks:#?}");
    assert_eq!(rows(&report, "backends").len(), 6);
}

#[test]
fn one_transport_alone_touches_no_other() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    for (flag, transport) in [("--grpc", "gRPC"), ("--http", "HTTP")] {
        let cli = collector.smoke().args(["--host", "127.0.0.1", "--certs", "certs/client", flag, "--format", "json"]);
        let (code, report) = report(&cli);
        assert_eq!(code, 0, "{report:#}");
        assert!(rows(&report, "signals").iter().all(|row| row["transport"] == transport));
        assert_eq!(rows(&report, "checks").len(), 4);
    }
}

#[test]
fn what_was_not_tried_is_said_and_not_green() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    collector.sandbox.remove("certs/authority");
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--http"]);
    cli.clone()
        .stdout_has("expired client certificate over HTTP  -                 not tried: needs the authority's key (`--authority DIR`)\n")
        .stdout_has("\nno findings, 1 check not tried\n")
        .run();
    cli.args(["--format", "junit"])
        .stdout_has("<skipped message=\"needs the authority's key")
        .stdout_has("<testsuite name=\"smoke otel signals\" tests=\"3\" failures=\"0\"")
        .run();
}

#[test]
fn tls_1_2_alone_works_and_refuses_strangers_too() {
    let layer =
        "receivers: {otlp: {protocols: {grpc: {tls: {max_version: '1.2'}}, http: {tls: {max_version: '1.2'}}}}}\n";
    let Some(collector) = Collector::start(&Setup { layer, ..Setup::default() }) else { return };
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--format", "json"]);
    let (code, report) = report(&cli);
    assert_eq!(code, 0, "{report:#}");
    assert!(rows(&report, "checks").iter().all(|row| row["verdict"] == "passed"), "{report:#}");
}

#[test]
fn the_report_goes_to_a_file_where_one_is_named() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--grpc"]);
    cli.args(["--format", "json", "--output", "report.json"]).run();
    let report: Value = serde_json::from_str(&collector.sandbox.read("report.json")).unwrap();
    assert_eq!(report["schema"], 1);
}

#[test]
fn the_documented_entry_point_hands_over() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let ports = collector.ports;
    let script = Cli::new(repository().join("ops/devops/telemetry/smoke_otel_collector.py"))
        .folder(collector.sandbox.root())
        .env("COLLIMATE", env!("CARGO_BIN_EXE_collimate"))
        .args(["--certs", "certs/client", "--grpc-port", &ports.grpc.to_string()])
        .args(["--http-port", &ports.http.to_string(), "--metrics-port", &ports.metrics.to_string()]);
    script
        .clone()
        .args(["--health-port", &ports.health.to_string()])
        .stdout_has(&*format!("smoke otel: gRPC at localhost:{}", ports.grpc))
        .stdout_has("\nno findings\n")
        .run();
    // Its exit code is ours.
    script.args(["--health-port", &ports.metrics.to_string()]).any_stdout().exit(1).run();
}
