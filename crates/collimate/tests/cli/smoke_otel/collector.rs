//! A real collector with the shipped configuration, its certificates, and the program pointed at it.

use std::process::Command;
use std::str::FromStr as _;
use std::time::Duration;

use certificates::{Algorithm, Authority, Issued, Leaf, San, Usage, Validity};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::{Cli, Sandbox, Server, free_ports};

use crate::tree::repository;

pub(super) const DAY: i64 = 24;

/// Certificates of an authority, as `collimate tls generate` lays them out, and a collector that uses them.
pub(super) struct Collector {
    pub(super) sandbox: Sandbox,
    pub(super) authority: Authority,
    pub(super) ports: Ports,
    server: Server,
}

#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) grpc: u16,
    pub(super) http: u16,
    pub(super) metrics: u16,
    pub(super) health: u16,
}

/// What differs from one collector to the next.
#[derive(Default)]
pub(super) struct Setup<'a> {
    /// A further layer of configuration.
    pub(super) layer: &'a str,
    /// More variables of its environment.
    pub(super) environment: &'a [(&'a str, &'a str)],
    /// When the collector's own certificate is valid, hours from now.
    pub(super) server_valid: Option<(i64, i64)>,
    /// Certificates as `collimate tls generate` makes them; [`Collector::authority`] then knows nothing of them.
    pub(super) generated: bool,
}

/// From so many hours before now to so many after it.
pub(super) fn hours(from: i64, until: i64) -> Validity {
    let at = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    Validity { not_before: at(from), not_after: at(until) }
}

pub(super) fn new_authority() -> Authority {
    Authority::new(Algorithm::P256, hours(-DAY, 30 * DAY)).unwrap()
}

pub(super) fn issue(authority: &Authority, name: &str, validity: Validity) -> Issued {
    let sans = ["localhost", "127.0.0.1", "::1"].map(|san| San::from_str(san).unwrap());
    let leaf = Leaf {
        common_name: name.to_owned(),
        sans: sans.to_vec(),
        usages: vec![Usage::Server, Usage::Client],
        algorithm: Algorithm::P256,
        validity,
    };
    authority.issue(&leaf).unwrap()
}

/// A folder with `tls.crt`, `tls.key` and the authority that is trusted.
pub(super) fn write_folder(sandbox: &Sandbox, folder: &str, trusted: &Authority, issued: &Issued) {
    sandbox.write(format!("{folder}/tls.crt"), &issued.certificate_pem);
    sandbox.write(format!("{folder}/tls.key"), issued.key.reveal());
    sandbox.write(format!("{folder}/ca.crt"), trusted.certificate_pem());
}

impl Collector {
    /// `None` where there is no real collector to ask.
    pub(super) fn start(setup: &Setup<'_>) -> Option<Self> {
        let program = testkit::peer("otelcol")?;
        let (sandbox, authority) = (Sandbox::new(), new_authority());
        if setup.generated {
            let program = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root());
            program.args(["tls", "generate", "certs"]).any_stdout().any_stderr().run();
        } else {
            Self::write_certificates(setup, &sandbox, &authority);
        }
        sandbox.write("export/.keep", "").write("layer.yaml", setup.layer);

        let [grpc, http, metrics, health, pprof, own] = free_ports();
        let telemetry = repository().join("deploy/telemetry");
        let mut command = Command::new(program);
        for layer in ["otel-collector-config", "otel-collector-config.airgap", "tests/otel-collector-config.test"] {
            command.arg("--config").arg(telemetry.join(format!("{layer}.yaml")).as_std_path());
        }
        if !setup.layer.is_empty() {
            command.arg("--config").arg(sandbox.path("layer.yaml").as_std_path());
        }
        let at = |port: u16| format!("127.0.0.1:{port}");
        command
            .env("COLLECTOR_CERTS", sandbox.path("certs/collector"))
            .env("COLLECTOR_EXPORT", sandbox.path("export"))
            .env("COLLECTOR_GRPC", at(grpc))
            .env("COLLECTOR_HTTP", at(http))
            .env("COLLECTOR_METRICS", at(metrics))
            .env("COLLECTOR_HEALTH", at(health))
            .env("COLLECTOR_PPROF", at(pprof))
            .env("COLLECTOR_SELF_PORT", own.to_string())
            .env("TELEMETRY_DECISION_WAIT", "1s")
            .envs(setup.environment.iter().copied());
        let mut server = Server::start(&mut command, sandbox.path("collector.log"));
        // Its ports are open before its pipelines are.
        let log = sandbox.path("collector.log");
        server.wait_until(PATIENCE, || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains("Everything is ready"))
        });
        Some(Self { sandbox, authority, ports: Ports { grpc, http, metrics, health }, server })
    }

    fn write_certificates(setup: &Setup<'_>, sandbox: &Sandbox, authority: &Authority) {
        sandbox.write("certs/authority/ca.crt", authority.certificate_pem());
        sandbox.write("certs/authority/ca.key", authority.key().reveal());
        let (from, until) = setup.server_valid.unwrap_or((-1, DAY));
        write_folder(sandbox, "certs/collector", authority, &issue(authority, "collector", hours(from, until)));
        write_folder(sandbox, "certs/client", authority, &issue(authority, "client", hours(-1, DAY)));
    }

    /// The program with everything right; a test adds what is wrong.
    pub(super) fn smoke(&self) -> Cli {
        self.smoke_at(self.ports)
    }

    pub(super) fn smoke_at(&self, ports: Ports) -> Cli {
        Cli::new(env!("CARGO_BIN_EXE_collimate"))
            .folder(self.sandbox.root())
            .args(["smoke", "otel", "--grpc-port", &ports.grpc.to_string(), "--http-port", &ports.http.to_string()])
            .args(["--metrics-port", &ports.metrics.to_string(), "--health-port", &ports.health.to_string()])
    }

    /// What the collector wrote; for the message of a test that fails.
    pub(super) fn log(&self) -> String {
        self.server.log()
    }

    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Certificates in a folder of their own: those of the client but for what `change` does to them.
    pub(super) fn client_folder(&self, name: &str, change: impl FnOnce(&Sandbox)) {
        self.sandbox.copy(self.sandbox.path("certs/client"), name);
        change(&self.sandbox);
    }
}

/// Exit code, and the report as JSON.
#[track_caller]
pub(super) fn report(cli: &Cli) -> (i32, Value) {
    let output = cli.output();
    assert_eq!(output.stderr, "", "{output}");
    let report = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    (output.exit, report)
}

/// The kinds of all findings, sorted, each once.
pub(super) fn kinds(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let mut kinds: Vec<String> = findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Time for a collector under a full machine; nothing waits so long where all is well.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
