//! The shipped telemetry configuration before the real collector, Prometheus' tools and Loki.
//!
//! Nothing in the files is replaced: what must differ in a test comes from the environment or from
//! `deploy/telemetry/tests/otel-collector-config.test.yaml`, which says what it changes.

use std::process::{Command, Output};
use std::time::Duration;

use camino::Utf8PathBuf;
use serde_json::Value;
use testkit::{Cli, Sandbox, Server, free_ports};

use crate::tree::{Tree, repository};

/// A cold start of a real server on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn telemetry(path: &str) -> Utf8PathBuf {
    repository().join("deploy/telemetry").join(path)
}

/// Runs a judge, which must accept.
#[track_caller]
fn accepts(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?} ended with {status}:\n{}{}", text(&stdout), text(&stderr));
}

/// A folder `certs` with certificates for every component.
fn certificates() -> Sandbox {
    let sandbox = Sandbox::new();
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.root())
        .args(["tls", "generate", sandbox.path("certs").as_str()])
        .any_stdout()
        .any_stderr()
        .run();
    sandbox
}

/// The collector's configuration as the chart gives it to the container. Revealed: its patterns look like secrets themselves.
fn rendered(profile: &str) -> String {
    let (code, stdout, stderr) = Tree::copy().run_text(&["render", "--reveal", profile]);
    assert_eq!(code, 0, "{stderr}");
    let (_, after) = stdout.split_once("  otel-collector-config.yaml: |\n").unwrap();
    let lines = after.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_collector_accepts_what_compose_and_the_chart_give_it() {
    let Some(collector) = testkit::peer("otelcol") else { return };
    let (base, airgap) = (telemetry("otel-collector-config.yaml"), telemetry("otel-collector-config.airgap.yaml"));
    accepts(Command::new(&collector).args(["validate", "--config", base.as_str()]));
    accepts(Command::new(&collector).args(["validate", "--config", base.as_str(), "--config", airgap.as_str()]));
    let sandbox = Sandbox::new();
    for profile in ["helm/dev", "helm/stage", "helm/prod", "helm/airgap"] {
        sandbox.write("chart.yaml", rendered(profile));
        accepts(Command::new(&collector).args(["validate", "--config", sandbox.path("chart.yaml").as_str()]));
    }
}

#[test]
fn prometheus_accepts_its_files_and_every_alert_fires_where_it_should() {
    let Some(promtool) = testkit::peer("promtool") else { return };
    let sandbox = certificates();
    // As the container has it: the configuration, and beside it the certificates of this one component.
    sandbox.copy(telemetry("storage"), "telemetry/config").copy(sandbox.path("certs/prometheus"), "telemetry/certs");
    let run = |folder: &str, arguments: &[&str]| {
        accepts(Command::new(&promtool).current_dir(sandbox.path(folder)).args(arguments));
    };
    run("telemetry/config", &["check", "config", "prometheus.yaml"]);
    run("telemetry/config", &["check", "web-config", "prometheus-web.yaml"]);
    run("telemetry/config/rules/tests", &["test", "rules", "telemetry.yaml"]);
}

#[test]
fn each_alert_has_a_test_that_it_fires_in() {
    let rules = std::fs::read_to_string(telemetry("storage/rules/telemetry.yaml")).unwrap();
    let tests = std::fs::read_to_string(telemetry("storage/rules/tests/telemetry.yaml")).unwrap();
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 5, "{alerts:?}");
    for alert in alerts {
        let fires = tests.contains(&format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels:"));
        assert!(fires, "no test expects `{alert}` to fire");
    }
}

#[test]
fn loki_accepts_its_file() {
    let Some(loki) = testkit::peer("loki") else { return };
    let sandbox = certificates();
    accepts(
        Command::new(loki)
            .current_dir(sandbox.root())
            .args(["-config.expand-env=true", "-verify-config"])
            .arg(format!("-config.file={}", telemetry("storage/loki.yaml")))
            .env("TELEMETRY_CERTS", sandbox.path("certs/loki"))
            .env("TELEMETRY_CONFIG", telemetry("storage"))
            .env("TELEMETRY_DATA", sandbox.path("data"))
            .env("TELEMETRY_RETENTION", "24h"),
    );
}

/// What a service might log by mistake, and the part of it that must not leave.
const SECRETS: &[(&str, &str, &str)] = &[
    ("db.password", "hunter2", "hunter2"),
    ("clientSecret", "s3cr3t-of-a-client", "s3cr3t-of-a-client"),
    ("http.request.header.set-cookie", "sid=9f8e7d6c5b", "9f8e7d6c5b"),
    ("vendor.apiKey", "k-0001-0002", "k-0001-0002"),
    ("note", "paid with 4111 1111 1111 1111 today", "1111 1111"),
    ("note.2", "5500-0000-0000-0004", "5500-0000"),
    ("note.3", "378282246310005", "378282246310005"),
    ("cloud", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("header", "Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ("header.2", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("jwt", "eyJhbGciOiJub25l.eyJzdWIiOiIxIn0.c2ln", "eyJzdWIiOiIxIn0"),
    ("dsn", "redis://default:topsecret@redis:6379/0", "topsecret"),
    ("query", "/login?password=opensesame&next=/", "opensesame"),
    ("pem", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n", "MHcCAQEE"),
    ("pem.cut", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "b3BlbnNzaC1rZXk"),
    ("enduser.id", "alice.example", "alice.example"),
    ("http.request.header.authorization", "Digest qop=auth-0815", "auth-0815"),
];

/// What looks a little like a secret and is none.
const HARMLESS: &[(&str, &str)] = &[
    ("gen_ai.usage.kind", "input_tokens"),
    ("trace.number", "12345678901234567890"),
    ("when", "2026-11-25T18:34:05.123456789Z"),
    ("image", "registry.example.org/a@sha256:710a44f90f6668911f94c3f64513e5207b178563c30fd79287c0ae3382df9a64"),
];

/// `{"key": …, "value": {"stringValue": …}}`, as OTLP's JSON has it.
fn attribute(key: &str, value: &str) -> Value {
    serde_json::json!({"key": key, "value": {"stringValue": value}})
}

fn attributes() -> Vec<Value> {
    let secrets = SECRETS.iter().map(|(key, value, _)| attribute(key, value));
    secrets.chain(HARMLESS.iter().map(|(key, value)| attribute(key, value))).collect()
}

fn spans(run: Option<&str>, count: u32, first: u32) -> Value {
    let spans: Vec<Value> = (first..first + count)
        .map(|number| {
            serde_json::json!({
                "traceId": format!("{:032x}", u128::from(number) << 64 | 1), "spanId": format!("{number:016x}"), "name": "span", "kind": 1,
                "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000001000", "attributes": attributes(),
            })
        })
        .collect();
    let resource: Vec<Value> = run.map(|run| attribute("collimate.run.id", run)).into_iter().collect();
    serde_json::json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": spans}]}]})
}

/// How many spans of an exported file have this text in the resource that they belong to.
fn count_spans(exported: &str, run: Option<&str>) -> usize {
    let mut count = 0;
    for line in exported.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for resource in line["resourceSpans"].as_array().unwrap() {
            let text = resource["resource"].to_string();
            if run.map_or(!text.contains("collimate.run.id"), |run| text.contains(run)) {
                count += resource["scopeSpans"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|scope| scope["spans"].as_array().unwrap().len())
                    .sum::<usize>();
            }
        }
    }
    count
}

#[test]
fn secrets_are_masked_and_the_smoke_tests_traces_are_kept() {
    let (Some(collector), Some(curl)) = (testkit::peer("otelcol"), testkit::tool("curl")) else { return };
    let sandbox = certificates();
    sandbox.write("export/.keep", "");
    let [grpc, http, metrics, health, pprof, own] = free_ports();
    let mut command = Command::new(collector);
    for layer in ["otel-collector-config", "otel-collector-config.airgap", "tests/otel-collector-config.test"] {
        command.arg("--config").arg(telemetry(&format!("{layer}.yaml")));
    }
    command
        .env("COLLECTOR_CERTS", sandbox.path("certs/collector"))
        .env("COLLECTOR_EXPORT", sandbox.path("export"))
        .env("COLLECTOR_SELF_PORT", own.to_string())
        .env("TELEMETRY_DECISION_WAIT", "1s");
    for (name, port) in [("GRPC", grpc), ("HTTP", http), ("METRICS", metrics), ("HEALTH", health), ("PPROF", pprof)] {
        command.env(format!("COLLECTOR_{name}"), format!("127.0.0.1:{port}"));
    }
    let log = sandbox.path("collector.log");
    let mut server = Server::start(&mut command, &log);
    server.wait_until(PATIENCE, || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("Everything is ready")));

    let send = |signal: &str, body: &Value| {
        sandbox.write("body.json", body.to_string());
        accepts(
            Command::new(&curl)
                .args([
                    "--silent",
                    "--show-error",
                    "--fail",
                    "--noproxy",
                    "*",
                    "--header",
                    "content-type: application/json",
                ])
                .arg("--data-binary")
                .arg(format!("@{}", sandbox.path("body.json")))
                .args(["--cacert", sandbox.path("certs/client/ca.crt").as_str()])
                .args(["--cert", sandbox.path("certs/client/tls.crt").as_str()])
                .args(["--key", sandbox.path("certs/client/tls.key").as_str()])
                .arg(format!("https://localhost:{http}/v1/{signal}")),
        );
    };
    let body: Vec<&str> = SECRETS.iter().map(|(_, value, _)| *value).collect();
    let body = format!("{} password=opensesame", body[4..body.len() - 2].join(" | "));
    let record = serde_json::json!({"body": {"stringValue": body}, "attributes": attributes()});
    send("logs", &serde_json::json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}));
    let gauge = serde_json::json!({"name": "collimate.smoke", "gauge": {"dataPoints": [{"asDouble": 1.0, "timeUnixNano": "1700000000000000000", "attributes": attributes()}]}});
    send("metrics", &serde_json::json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [gauge]}]}]}));
    // 1,000 ordinary traces, of which 10 % are kept, and 20 of a smoke test, which are all kept.
    send("traces", &spans(None, 1_000, 1));
    send("traces", &spans(Some("cafe0815"), 20, 5_000));

    let exported =
        |signal: &str| std::fs::read_to_string(sandbox.path(format!("export/{signal}.jsonl"))).unwrap_or_default();
    // Complete lines only: the last one may still be being written.
    let complete =
        |signal: &str| exported(signal).rsplit_once('\n').map(|(lines, _)| lines.to_owned()).unwrap_or_default();
    server.wait_until(PATIENCE, || {
        count_spans(&complete("traces"), Some("cafe0815")) == 20
            && !complete("logs").is_empty()
            && !complete("metrics").is_empty()
    });
    let ordinary = count_spans(&complete("traces"), None);
    // The chance to be outside of this is below 1 in 10^9.
    assert!((40..=170).contains(&ordinary), "{ordinary} of 1,000 ordinary traces were kept");
    for signal in ["traces", "metrics", "logs"] {
        let text = complete(signal);
        for (key, _, secret) in SECRETS {
            let escaped = serde_json::to_string(secret).unwrap();
            assert!(!text.contains(escaped.trim_matches('"')), "`{key}` left the collector among {signal}");
        }
        for (key, value) in HARMLESS {
            assert!(text.contains(&attribute(key, value).to_string()), "`{key}` was changed among {signal}");
        }
    }
}
