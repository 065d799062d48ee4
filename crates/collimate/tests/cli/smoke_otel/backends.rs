//! Reading back from a real Prometheus and a real Loki that run their shipped configuration.

use std::process::Command;

use camino::Utf8Path;
use testkit::{Server, free_ports};

use super::collector::{Collector, DAY, Setup, hours, issue, report, write_folder};
use crate::tree::repository;

/// Its own certificate, and the collector as its target; everything else as shipped.
fn prometheus(program: &Utf8Path, collector: &Collector, port: u16) -> Server {
    let (sandbox, ours) = (&collector.sandbox, &collector.authority);
    sandbox.copy(repository().join("deploy/telemetry/storage"), "prometheus/config");
    write_folder(sandbox, "prometheus/certs", ours, &issue(ours, "prometheus", hours(-1, DAY)));
    let target = format!("- targets: [\"localhost:{}\"]\n", collector.ports.metrics);
    sandbox.remove("prometheus/config/targets").write("prometheus/config/targets/collector.yaml", target);
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", sandbox.path("prometheus/config/prometheus.yaml")))
        .arg(format!("--web.config.file={}", sandbox.path("prometheus/config/prometheus-web.yaml")))
        .arg(format!("--storage.tsdb.path={}", sandbox.path("prometheus/data")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--scrape.discovery-reload-interval=100ms");
    Server::start(&mut command, sandbox.path("prometheus.log"))
}

/// As shipped; only where it listens, keeps its data and finds its certificate is said here.
fn loki(program: &Utf8Path, folder: &testkit::Sandbox, port: u16, internal: u16) -> Server {
    let storage = repository().join("deploy/telemetry/storage");
    let mut command = Command::new(program);
    command
        .arg(format!("-config.file={}", storage.join("loki.yaml")))
        .arg("-config.expand-env=true")
        .arg("-server.http-listen-address=127.0.0.1")
        .arg(format!("-server.http-listen-port={port}"))
        .arg(format!("-server.grpc-listen-port={internal}"))
        .arg(format!("-querier.frontend-address=127.0.0.1:{internal}"))
        .env("TELEMETRY_CERTS", folder.path("certs/loki"))
        .env("TELEMETRY_DATA", folder.path("loki"))
        .env("TELEMETRY_CONFIG", &storage);
    Server::start(&mut command, folder.path("loki.log"))
}

#[test]
fn prometheus_and_loki_have_the_run_and_another_tenant_does_not() {
    let Some(prometheus_program) = testkit::peer("prometheus") else { return };
    let Some(loki_program) = testkit::peer("loki") else { return };
    let [prometheus_port, loki_port, internal] = free_ports();
    let endpoint = format!("https://localhost:{loki_port}/otlp");
    let setup = Setup {
        layer: "service: {pipelines: {logs: {exporters: [otlp_http/loki]}}}\n",
        environment: &[("TELEMETRY_LOKI_ENDPOINT", &endpoint)],
        ..Setup::default()
    };
    let Some(collector) = Collector::start(&setup) else { return };
    let (sandbox, ours) = (&collector.sandbox, &collector.authority);
    write_folder(sandbox, "certs/loki", ours, &issue(ours, "loki", hours(-1, DAY)));
    let mut loki = loki(&loki_program, sandbox, loki_port, internal);
    let mut prometheus = prometheus(&prometheus_program, &collector, prometheus_port);
    loki.wait_for_ports(&[loki_port]);
    prometheus.wait_for_ports(&[prometheus_port]);

    let cli = collector
        .smoke()
        .args(["--host", "localhost", "--certs", "certs/client", "--count", "6", "--wait", "90", "--format", "json"])
        .args(["--prometheus", &format!("https://localhost:{prometheus_port}")])
        .args(["--loki", &format!("https://localhost:{loki_port}")]);
    let (code, report) = report(&cli);
    let end = |log: String| log[log.floor_char_boundary(log.len().saturating_sub(1500))..].to_owned();
    let logs = [collector.log(), loki.log(), prometheus.log()].map(end);
    assert_eq!(code, 0, "{report:#}\n{}", logs.join("\n---\n"));
    let found: Vec<(String, u64)> = report["tables"]["backends"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap().to_owned(), row["found"].as_u64().unwrap()))
        .collect();
    let expected = [
        ("logs over gRPC in Loki", 6),
        ("logs over HTTP in Loki", 6),
        ("logs in Loki for another tenant", 0),
        ("metrics over gRPC in Prometheus", 6),
        ("metrics over HTTP in Prometheus", 6),
    ];
    assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)));
}
