//! Faults made at a real collector: each must be named, and end the program with the right code.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use testkit::{Cli, free_ports};

use super::collector::{
    Collector, DAY, PATIENCE, Ports, Setup, hours, issue, kinds, new_authority, report, write_folder,
};

/// Runs the program and compares the kinds of all findings, so that a fault that drags a wrong one along fails too.
#[track_caller]
fn check(name: &str, collector: &Collector, cli: Cli, exit: i32, expected: &[&str]) {
    let (code, report) = report(&cli.args(["--format", "json"]));
    assert_eq!(kinds(&report), expected, "{name}: {report:#}\n{}", tail(&collector.log()));
    assert_eq!(code, exit, "{name}: {report:#}");
    for finding in report["findings"].as_array().unwrap() {
        assert!(finding["help"].as_str().is_some_and(|help| !help.is_empty()), "{name}: a finding without a way out");
    }
}

/// The end of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn smoke(collector: &Collector) -> Cli {
    smoke_as(collector, "certs/client")
}

fn smoke_as(collector: &Collector, certs: &str) -> Cli {
    collector.smoke().args(["--host", "localhost", "--certs", certs, "--wait", "12", "--timeout", "60"])
}

#[test]
fn faults_of_reach() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let [closed] = free_ports();
    // A collector shows its counters some seconds after its start; the short waits below begin after that.
    check("nothing", &collector, smoke(&collector), 0, &[]);
    // Where something is missing the whole wait passes, so that it is short; but a machine may stall for seconds, and what is there must
    // be seen all the same. Nothing but a port that never answers needs the time of a call.
    let within = |ports: Ports, timeout: &str| {
        let cli = collector.smoke_at(ports).args(["--host", "localhost", "--certs", "certs/client"]);
        cli.args(["--wait", "8", "--timeout", timeout])
    };
    let at = |ports: Ports| within(ports, "60");
    let ports = collector.ports;

    let nowhere = collector.smoke().args(["--host", "nowhere.invalid", "--certs", "certs/client"]);
    let nowhere = nowhere.args(["--wait", "2", "--timeout", "60"]);
    check("a host without address", &collector, nowhere, 4, &["dns-failure"]);
    let refused = at(Ports { grpc: closed, ..ports });
    check("a closed port", &collector, refused, 4, &["connection-refused"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let silence = within(Ports { http: silent_port, ..ports }, "10");
    check("a port that never answers", &collector, silence, 4, &["no-answer"]);
    let swapped = at(Ports { grpc: ports.http, http: ports.grpc, ..ports });
    check("gRPC and HTTP swapped", &collector, swapped, 4, &["not-otlp", "other-protocol"]);
    let not_otlp = at(Ports { http: ports.health, ..ports });
    check("another server on the port", &collector, not_otlp, 4, &["not-otlp"]);
    let blind = at(Ports { metrics: closed, ..ports });
    check("no metrics port", &collector, blind, 4, &["counters-unreachable"]);
    let malformed = at(Ports { metrics: ports.health, ..ports });
    check("no metrics on the metrics port", &collector, malformed, 1, &["counters-malformed"]);
    let unwell = at(Ports { health: closed, ..ports });
    check("no health port", &collector, unwell, 4, &["health-unreachable"]);
    let elsewhere = at(Ports { health: ports.metrics, ..ports });
    check("health on another port", &collector, elsewhere, 1, &["health-elsewhere"]);
    let backend = at(ports).args(["--loki", &format!("https://localhost:{closed}")]);
    check("a backend that is down", &collector, backend, 4, &["backend-unreachable"]);
    let plain = at(ports).args(["--prometheus", &format!("http://localhost:{}", ports.metrics)]);
    check("plain text to a TLS port", &collector, plain, 5, &["tls-port"]);
    let missing = at(ports).args(["--file", "export/other.jsonl"]);
    check("a file without the run", &collector, missing, 1, &["read-back-missing"]);
    // Some twenty megabytes; an unoptimised program takes its time to write them.
    let large = |transport| {
        let patient = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--timeout", "60"]);
        patient.args(["--wait", "12", "--count", "250000", transport])
    };
    check("a message that is too large for gRPC", &collector, large("--grpc"), 1, &["message-too-large"]);
    check("a message that is too large for HTTP", &collector, large("--http"), 1, &["message-too-large"]);
}

#[test]
fn faults_of_identity() {
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    let (sandbox, ours, foreign) = (&collector.sandbox, &collector.authority, new_authority());
    let with = |folder: &str| smoke_as(&collector, folder);
    let client =
        |name: &str, from, until| write_folder(sandbox, name, ours, &issue(ours, "client", hours(from, until)));

    collector.client_folder("wrong-ca", |sandbox| {
        sandbox.write("wrong-ca/ca.crt", foreign.certificate_pem());
    });
    check("an authority that did not sign the server's certificate", &collector, with("wrong-ca"), 5, &["wrong-ca"]);
    write_folder(sandbox, "foreign", ours, &issue(&foreign, "client", hours(-1, DAY)));
    check("a foreign client certificate", &collector, with("foreign"), 5, &["client-certificate-foreign"]);
    client("expired", -2 * DAY, -DAY);
    check("an expired client certificate", &collector, with("expired"), 5, &["client-certificate-expired"]);
    client("early", DAY, 2 * DAY);
    check("a client certificate of tomorrow", &collector, with("early"), 5, &["client-certificate-not-yet-valid"]);
    sandbox.write("nobody/ca.crt", ours.certificate_pem());
    check("no client certificate", &collector, with("nobody"), 5, &["client-certificate-missing"]);

    let named = smoke(&collector).args(["--server-name", "collector.test"]);
    let (code, report) = report(&named.clone().args(["--format", "json"]));
    assert_eq!((code, kinds(&report)), (5, vec!["name-not-in-certificate".to_owned()]));
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "the server's certificate is not for `collector.test`; it is for `localhost`, `127.0.0.1`, `::1`"
    );

    collector.client_folder("mismatch", |sandbox| {
        sandbox.write("mismatch/tls.key", issue(ours, "other", hours(-1, DAY)).key.reveal());
    });
    check("a key of another certificate", &collector, with("mismatch"), 3, &["key-mismatch"]);
    collector.client_folder("half", |sandbox| {
        sandbox.remove("half/tls.key");
    });
    check("a certificate without its key", &collector, with("half"), 3, &["file-unreadable"]);
    check("a folder that is not there", &collector, with("nothing"), 3, &["file-unreadable"]);
    collector.client_folder("damaged", |sandbox| {
        sandbox.write("damaged/tls.crt", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
    });
    check("a damaged certificate", &collector, with("damaged"), 3, &["file-malformed"]);
}

#[test]
fn an_encrypted_key_is_named_and_never_shown() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let Some(collector) = Collector::start(&Setup::default()) else { return };
    collector.client_folder("locked", |sandbox| {
        let (plain, locked) = (sandbox.path("certs/client/tls.key"), sandbox.path("locked/tls.key"));
        Cli::new(openssl)
            .args(["pkey", "-in", plain.as_str(), "-aes256", "-passout", "pass:x", "-out", locked.as_str()])
            .run();
    });
    let cli = smoke_as(&collector, "locked");
    check("an encrypted key", &collector, cli.clone(), 3, &["key-encrypted"]);
    let body = collector.sandbox.read("locked/tls.key");
    let line = body.lines().nth(1).unwrap();
    assert!(!cli.output().stdout.contains(line));
}

#[test]
fn faults_of_the_server_s_certificate() {
    for (name, valid, kind) in [
        ("expired", (-2 * DAY, -DAY), "server-certificate-expired"),
        ("of tomorrow", (DAY, 2 * DAY), "server-certificate-not-yet-valid"),
    ] {
        let setup = Setup { server_valid: Some(valid), ..Setup::default() };
        let Some(collector) = Collector::start(&setup) else { return };
        check(name, &collector, smoke(&collector), 5, &[kind]);
    }
}

#[test]
fn faults_of_listeners() {
    let plain = "receivers: {otlp: {protocols: {grpc: {tls: null}, http: {tls: null}}}}\n";
    let Some(collector) = Collector::start(&Setup { layer: plain, ..Setup::default() }) else { return };
    check("listeners without TLS", &collector, smoke(&collector), 5, &["plain-text-port"]);
    drop(collector);

    let open =
        "receivers: {otlp: {protocols: {grpc: {tls: {client_ca_file: ''}}, http: {tls: {client_ca_file: ''}}}}}\n";
    let Some(collector) = Collector::start(&Setup { layer: open, ..Setup::default() }) else { return };
    check("listeners that let strangers in", &collector, smoke(&collector), 1, &["stranger-accepted"]);
}

#[test]
fn faults_of_pipelines() {
    let missing = "\
receivers: {otlp/other: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
service: {pipelines: {logs: {receivers: [otlp/other]}}}
";
    let Some(collector) = Collector::start(&Setup { layer: missing, ..Setup::default() }) else { return };
    check("no pipeline for logs", &collector, smoke(&collector), 1, &["pipeline-missing"]);
    drop(collector);

    let dropping = "\
processors: {tail_sampling: {policies: [{name: none, type: probabilistic, probabilistic: {sampling_percentage: 0}}]}}
";
    let Some(collector) = Collector::start(&Setup { layer: dropping, ..Setup::default() }) else { return };
    check("a sampler that drops everything", &collector, smoke(&collector), 1, &["not-exported"]);
    drop(collector);

    let limited = "\
processors: {memory_limiter: {check_interval: 100ms, limit_percentage: 0, spike_limit_percentage: 0, limit_mib: 2, spike_limit_mib: 1}}
";
    let Some(collector) = Collector::start(&Setup { layer: limited, ..Setup::default() }) else { return };
    check("a collector short of memory", &collector, smoke(&collector), 1, &["memory-limiter"]);
    drop(collector);

    let uncounted = "service: {pipelines: {metrics/self: {exporters: [file/metrics]}}}\n";
    let Some(collector) = Collector::start(&Setup { layer: uncounted, ..Setup::default() }) else { return };
    check("counters that nobody shows", &collector, smoke(&collector), 1, &["counters-absent"]);
}

#[test]
fn faults_of_exporters() {
    let [closed] = free_ports();
    let (grpc, http) = (format!("127.0.0.1:{closed}"), format!("https://127.0.0.1:{closed}/otlp"));
    let environment = [("TELEMETRY_TEMPO_ENDPOINT", grpc.as_str()), ("TELEMETRY_LOKI_ENDPOINT", http.as_str())];
    let start = |layer| Collector::start(&Setup { layer, environment: &environment, ..Setup::default() });

    let dead = "service: {pipelines: {traces: {exporters: [otlp_grpc/tempo]}}}\n";
    let Some(collector) = start(dead) else { return };
    check("a backend that is down", &collector, smoke(&collector), 1, &["exporter-failing"]);
    drop(collector);

    let impatient = "\
exporters: {otlp_http/loki: {retry_on_failure: {enabled: false}}}
service: {pipelines: {logs: {exporters: [otlp_http/loki]}}}
";
    let Some(collector) = start(impatient) else { return };
    check("an exporter that gives up", &collector, smoke(&collector), 1, &["exporter-failing"]);
    drop(collector);

    // Without a queue and a batch in between the sender hears the exporter's own error.
    let direct = "\
exporters: {otlp_http/loki: {retry_on_failure: {enabled: false}, sending_queue: {enabled: false}}}
service: {pipelines: {logs: {processors: [memory_limiter], exporters: [otlp_http/loki]}}}
";
    let Some(collector) = start(direct) else { return };
    check("an exporter whose error reaches the sender", &collector, smoke(&collector), 1, &["exporter-failing"]);
    drop(collector);

    let full = "\
processors: {batch: {send_batch_size: 1, send_batch_max_size: 1}}
exporters: {otlp_http/loki: {sending_queue: {queue_size: 1, num_consumers: 1}}}
service: {pipelines: {logs: {exporters: [otlp_http/loki]}}}
";
    let Some(collector) = start(full) else { return };
    check("a queue that is full", &collector, smoke(&collector), 1, &["queue-full"]);
}

#[test]
fn a_collector_that_restarts_meanwhile() {
    let [closed] = free_ports();
    // Spans that cannot leave keep the program watching.
    let setup = Setup {
        layer: "service: {pipelines: {traces: {exporters: [otlp_grpc/tempo]}}}\n",
        environment: &[("TELEMETRY_TEMPO_ENDPOINT", &format!("127.0.0.1:{closed}"))],
        ..Setup::default()
    };
    let Some(collector) = Collector::start(&setup) else { return };
    let cli = collector.smoke().args(["--host", "localhost", "--certs", "certs/client", "--format", "json"]);
    let run = std::thread::spawn(move || report(&cli));
    let (logs, start) = (collector.sandbox.path("export/logs.jsonl"), Instant::now());
    while !std::fs::metadata(&logs).is_ok_and(|file| file.len() > 0) {
        assert!(start.elapsed() < PATIENCE, "{}", collector.log());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Cli::new("/bin/kill").args(["-HUP", &collector.id().to_string()]).run();
    let (code, report) = run.join().unwrap();
    assert_eq!((code, kinds(&report)), (1, vec!["counters-reset".to_owned()]), "{report:#}");
}
