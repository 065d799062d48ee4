//! Real servers through a rotation: what `tls rotate` says that each of them needs is what each of them does.

use std::process::{Command, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use certificates::Component;
use testkit::{Sandbox, Server, free_ports};

use super::{generated, program, read};

/// For a server that reads its files again by itself: more than the second that the collector is told to wait between two readings.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with certificates of a folder, and clients that were given theirs before and after its authority changed.
struct Rotation {
    sandbox: Sandbox,
    component: Component,
    port: u16,
    curl: Utf8PathBuf,
    openssl: Utf8PathBuf,
}

impl Rotation {
    /// `certs` of this component; `None` where curl or OpenSSL is not there to ask.
    fn new(component: Component, port: u16) -> Option<Self> {
        let (curl, openssl) = (testkit::tool("curl")?, testkit::tool("openssl")?);
        let sandbox = generated();
        sandbox.copy(sandbox.path("certs/client"), "old");
        Some(Self { sandbox, component, port, curl, openssl })
    }

    fn phase(&self, phase: &str) {
        program(&self.sandbox, &["tls", "rotate", "certs", "--phase", phase]).any_stdout().run();
        if phase == "trust" {
            // Whom clients of this test trust: both, so that only the server decides.
            self.sandbox.write("both.crt", self.sandbox.read("certs/client/ca.crt"));
        }
    }

    fn certs(&self) -> Utf8PathBuf {
        self.sandbox.path("certs").join(self.component.folder())
    }

    /// Whether the server lets in who has the certificate of this folder.
    fn lets_in(&self, client: &str) -> bool {
        let trusted = if self.sandbox.path("both.crt").exists() { "both.crt" } else { "old/ca.crt" };
        Command::new(&self.curl)
            .args(["--silent", "--noproxy", "*", "--max-time", "20", "--cacert", trusted])
            .args(["--cert", &format!("{client}/tls.crt"), "--key", &format!("{client}/tls.key")])
            .arg(format!("https://127.0.0.1:{}/", self.port))
            .current_dir(self.sandbox.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    /// The common name of who issued the certificate that the server shows to who connects by name, or by address.
    fn issuer(&self, by_name: bool) -> String {
        let name = if by_name { ["-servername", "localhost"].as_slice() } else { &["-noservername"] };
        let output = Command::new(&self.openssl)
            .args(["s_client", "-connect", &format!("127.0.0.1:{}", self.port), "-nameopt", "multiline,-esc_msb"])
            .args(["-cert", "old/tls.crt", "-key", "old/tls.key"])
            .args(name)
            .current_dir(self.sandbox.root())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let issuer = text.split_once("issuer=").map_or("", |(_, rest)| rest);
        let line = issuer.lines().find(|line| line.contains("commonName"));
        line.and_then(|line| line.split_once('=')).map(|(_, name)| name.trim().to_owned()).unwrap_or_default()
    }

    /// The common name of the authority that signs in this phase.
    fn signer(&self, file: &str) -> String {
        read(&self.openssl, &self.sandbox, file).1
    }

    fn start(&self, command: &mut Command) -> Server {
        let mut server = Server::start(command, self.sandbox.path("log"));
        server.wait_until(PATIENCE, || self.lets_in("old") || self.lets_in("certs/client"));
        server
    }

    /// A whole rotation in which the server is never touched: what `tls rotate` calls "nothing".
    fn needs_nothing(&self, mut server: Server) {
        let old = self.signer("certs/authority/ca.crt");
        assert_eq!((self.issuer(true), self.issuer(false)), (old.clone(), old));
        self.phase("trust");
        let new = self.signer("certs/authority/next/ca.crt");
        self.phase("leaf");
        server.wait_until(PATIENCE, || {
            self.lets_in("certs/client") && self.issuer(true) == new && self.issuer(false) == new
        });
        assert!(self.lets_in("old"), "both are trusted");
        self.phase("retire");
        server.wait_until(PATIENCE, || !self.lets_in("old"));
        assert!(self.lets_in("certs/client"));
    }
}

#[test]
fn the_collectors_receivers_need_nothing() {
    let Some(collector) = testkit::peer("otelcol") else { return };
    let [port] = free_ports();
    let Some(rotation) = Rotation::new(Component::Collector, port) else { return };
    let certs = rotation.certs();
    let config = format!(
        "\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{port}
        tls:
          cert_file: {certs}/tls.crt
          key_file: {certs}/tls.key
          client_ca_file: {certs}/ca.crt
          reload_interval: 1s
          client_ca_file_reload: true
exporters:
  debug:
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [debug]}}
"
    );
    rotation.sandbox.write("config.yaml", config);
    let config = rotation.sandbox.path("config.yaml");
    let server = rotation.start(Command::new(collector).args(["--config", config.as_str()]));
    rotation.needs_nothing(server);
}

#[test]
fn prometheus_needs_nothing() {
    let Some(prometheus) = testkit::peer("prometheus") else { return };
    let [port] = free_ports();
    let Some(rotation) = Rotation::new(Component::Prometheus, port) else { return };
    let certs = rotation.certs();
    let web = format!(
        "\
tls_server_config:
  cert_file: {certs}/tls.crt
  key_file: {certs}/tls.key
  client_ca_file: {certs}/ca.crt
  client_auth_type: RequireAndVerifyClientCert
"
    );
    rotation.sandbox.write("web.yaml", web).write("prometheus.yaml", "global: {scrape_interval: 1m}\n");
    let path = |name: &str| rotation.sandbox.path(name).into_string();
    let mut command = Command::new(prometheus);
    command
        .arg(format!("--config.file={}", path("prometheus.yaml")))
        .arg(format!("--web.config.file={}", path("web.yaml")))
        .arg(format!("--storage.tsdb.path={}", path("data")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let server = rotation.start(&mut command);
    rotation.needs_nothing(server);
}

#[test]
fn loki_needs_a_restart_where_it_is_told_so_and_only_there() {
    let Some(loki) = testkit::peer("loki") else { return };
    let [port, grpc] = free_ports();
    let Some(rotation) = Rotation::new(Component::Loki, port) else { return };
    let (certs, data) = (rotation.certs(), rotation.sandbox.path("data"));
    let config = format!(
        "\
auth_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {port}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
  http_tls_config:
    cert_file: {certs}/tls.crt
    key_file: {certs}/tls.key
    client_ca_file: {certs}/ca.crt
    client_auth_type: RequireAndVerifyClientCert
common:
  instance_addr: 127.0.0.1
  ring: {{kvstore: {{store: inmemory}}}}
  replication_factor: 1
  path_prefix: {data}
  storage: {{filesystem: {{chunks_directory: {data}/chunks, rules_directory: {data}/rules}}}}
schema_config:
  configs:
    - {{from: '2025-01-01', store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: index_, period: 24h}}}}
frontend_worker: {{frontend_address: '127.0.0.1:{grpc}'}}
analytics: {{reporting_enabled: false}}
"
    );
    rotation.sandbox.write("loki.yaml", config);
    let file = format!("-config.file={}", rotation.sandbox.path("loki.yaml"));
    let mut command = Command::new(loki);
    command.arg(file);

    let mut server = rotation.start(&mut command);
    rotation.phase("trust");
    let new = rotation.signer("certs/authority/next/ca.crt");
    rotation.phase("leaf");
    // Its own certificate is read for each connection, but only where the client says a name; whom it lets in was read at its start.
    server.wait_until(PATIENCE, || rotation.issuer(true) == new);
    assert_ne!(rotation.issuer(false), new);
    assert!(rotation.lets_in("old") && !rotation.lets_in("certs/client"));
    server.kill();
    let mut server = rotation.start(&mut command);
    assert!(rotation.lets_in("old") && rotation.lets_in("certs/client"));
    assert_eq!(rotation.issuer(false), new);

    rotation.phase("retire");
    server.wait_until(PATIENCE, || rotation.lets_in("certs/client"));
    assert!(rotation.lets_in("old"), "the old CA is trusted until the restart");
    server.kill();
    let _server = rotation.start(&mut command);
    assert!(rotation.lets_in("certs/client") && !rotation.lets_in("old"));
}
