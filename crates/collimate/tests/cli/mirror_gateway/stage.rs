//! A gateway as it is shipped, with the real nginx, in front of a stand-in for Concelier and Excititor.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Cli, Exports, Nginx, Sandbox};

use super::door::Door;
use super::request::Request;

pub(crate) const PRIMARY: &str = "mirror-primary.stella-ops.org";
pub(crate) const COMMUNITY: &str = "mirror-community.stella-ops.org";

/// Paths of both services that a tenant of `primary` may read.
pub(crate) const INDEX: &str = "/concelier/exports/index.json";
pub(crate) const MANIFEST: &str = "/concelier/exports/mirror/primary/manifest.json";
pub(crate) const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";
pub(crate) const SIGNATURE: &str = "/concelier/exports/mirror/primary/bundle.json.jws";
pub(crate) const VEX_DOMAINS: &str = "/excititor/mirror/domains";
pub(crate) const VEX_EXPORT: &str = "/excititor/mirror/domains/primary/exports/openvex-1";

/// Tenants: of `primary`, and one of `community`.
pub(crate) const ACME: &str = "acme:correct-horse-acme";
pub(crate) const BETA: &str = "beta:correct-horse-beta";
pub(crate) const DELTA: &str = "delta:correct-horse-delta";

/// What is changed before a gateway starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    settings: Vec<(String, String)>,
    removed: Vec<(String, String)>,
    gateway: String,
    without_verifier: bool,
}

/// A running gateway and all that is around it.
pub(crate) struct Stage {
    // Ends first: what it talks to is still there then.
    pub(crate) nginx: Nginx,
    pub(crate) door: Option<Door>,
    pub(crate) exports: Exports,
    pub(crate) sandbox: Sandbox,
    pub(crate) https: u16,
    pub(crate) inside: u16,
    pub(crate) curl: Utf8PathBuf,
}

impl Plan {
    /// The gateway of `deploy/mirror.yaml`.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Another text in `mirror.yaml`.
    pub(crate) fn set(mut self, from: &str, to: &str) -> Self {
        self.settings.push((from.to_owned(), to.to_owned()));
        self
    }

    /// One more entry of `gateway`, such as `inside: [10.0.0.0/8]`.
    pub(crate) fn gateway(mut self, entry: &str) -> Self {
        self.gateway.push_str(&format!("  {entry}\n"));
        self
    }

    /// Everything is good for a second only. Concelier's budgets must allow for that many questions.
    pub(crate) fn short_lives(self) -> Self {
        let plan = self.generous().set("index: 1m ", "index: 1s ");
        plan.set("bundle: 2m ", "bundle: 1s ").set("export: 24h ", "export: 1s ")
    }

    /// Nobody reaches a limit.
    pub(crate) fn generous(self) -> Self {
        self.set("downloads_per_hour: 600 ", "downloads_per_hour: 1000000 ")
            .set("downloads_per_hour: 240 ", "downloads_per_hour: 1000000 ")
            .set("index_requests_per_hour: 600 ", "index_requests_per_hour: 1000000 ")
            .set("minute: 600, burst: 100, connections: 64", "minute: 1000000, burst: 100000, connections: 4096")
            .set("tenants: {burst: 20}", "tenants: {burst: 100000}")
    }

    /// Takes a line out of a rendered file: what it does is missed then.
    pub(crate) fn without(mut self, file: &str, line: &str) -> Self {
        self.removed.push((file.to_owned(), line.to_owned()));
        self
    }

    /// Nobody listens on the verifier's socket: the test starts one.
    pub(crate) fn without_verifier(mut self) -> Self {
        self.without_verifier = true;
        self
    }

    /// Starts it. `None`, said loudly, where a tool is missing.
    #[track_caller]
    pub(crate) fn start(self) -> Option<Stage> {
        self.start_before(Exports::start())
    }

    /// Starts it in front of these exports.
    #[track_caller]
    pub(crate) fn start_before(self, exports: Exports) -> Option<Stage> {
        let address = exports.address();
        self.start_with(exports, &address)
    }

    /// Starts it in front of whatever is at this address. The sources are asked for by name there if it is one.
    #[track_caller]
    pub(crate) fn start_with(self, exports: Exports, address: &str) -> Option<Stage> {
        let curl = testkit::tool("curl")?;
        testkit::tool("nginx")?;
        let sandbox = Sandbox::new();
        let [https, inside] = Nginx::ports();
        self.write(&sandbox, address, https, inside);
        let program = |arguments: &[&str]| {
            let cli = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root());
            cli.args(arguments.iter().copied()).any_stdout().any_stderr().run();
        };
        program(&["mirror", "render", "--file", "mirror.yaml"]);
        program(&["tls", "mirror", "tls", "--file", "mirror.yaml", "--authority", "certs"]);
        for (file, line) in &self.removed {
            without_line(&sandbox, &format!("conf/{file}"), line);
        }
        for folder in ["cache", "run"] {
            std::fs::create_dir(sandbox.path(folder)).unwrap();
        }
        let door = (!self.without_verifier).then(|| Door::open(&sandbox.path("run/verifier.sock")));
        let nginx = Nginx::start(&sandbox.path("conf"), &sandbox.path("nginx.log"), &[https, inside])?;
        Some(Stage { nginx, door, exports, sandbox, https, inside, curl })
    }

    /// `mirror.yaml` as it is shipped: only paths, ports and addresses are this test's, and what the plan says.
    #[track_caller]
    fn write(&self, sandbox: &Sandbox, address: &str, https: u16, inside: u16) {
        let shipped = std::fs::read_to_string(repository().join("deploy/mirror.yaml")).unwrap();
        let (compose, _) = shipped.split_once("  helm:\n").expect("the shipped file has both deployments");
        let place = |name: &str| sandbox.path(name);
        let own = format!(
            "gateway:\n  tls: {}\n  cache: {}\n  run: {}\n  access_log: {}\n  https_port: {https}\n  inside_port: {inside}\n{}",
            place("tls"),
            place("cache"),
            place("run"),
            place("access.log"),
            self.gateway,
        );
        sandbox.write("mirror.yaml", format!("{compose}{own}"));
        sandbox.replace("mirror.yaml", "deploy/compose/mirror-gateway/conf", "conf");
        sandbox.replace("mirror.yaml", "deploy/compose/mirror-gateway/env", "env");
        sandbox.replace("mirror.yaml", "\"concelier:8080\"", &format!("\"{address}\""));
        sandbox.replace("mirror.yaml", "\"excititor:8080\"", &format!("\"{address}\""));
        for (from, to) in &self.settings {
            sandbox.replace("mirror.yaml", from, to);
        }
    }
}

impl Stage {
    /// A request of a tenant of `primary`.
    pub(crate) fn get(&self, path: &str) -> Request<'_> {
        self.anonymous(path).user(ACME)
    }

    /// A request without credentials.
    pub(crate) fn anonymous(&self, path: &str) -> Request<'_> {
        Request::new(self, PRIMARY, path)
    }

    /// The stand-in for the verifier.
    #[track_caller]
    pub(crate) fn door(&self) -> &Door {
        self.door.as_ref().expect("this gateway has a stand-in for the verifier")
    }

    /// The lines of the access log that there are now.
    pub(crate) fn log(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.sandbox.path("access.log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// The line about an answer: the last one with this path and status, once there is one.
    #[track_caller]
    pub(crate) fn line(&self, path: &str, status: u16) -> serde_json::Value {
        let find = || self.log().into_iter().rev().find(|line| line["path"] == path && line["status"] == status);
        super::wait_until("the access log tells of the answer", || find().is_some());
        find().unwrap_or_default()
    }

    /// The lines of the access log, once there are that many: nginx writes a line after the answer.
    #[track_caller]
    pub(crate) fn logged(&self, count: usize) -> Vec<serde_json::Value> {
        super::wait_until("the access log is written", || self.log().len() >= count);
        let lines = self.log();
        lines[lines.len() - count..].to_vec()
    }

    /// What `openssl s_client` says when it connects with these arguments and sends nothing.
    pub(crate) fn handshake(&self, arguments: &[&str]) -> String {
        let openssl = testkit::tool("openssl").expect("`openssl` made the certificates of other tests");
        let mut command = Command::new(openssl);
        command.args(["s_client", "-connect", &format!("127.0.0.1:{}", self.https)]).args(arguments);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// The root of this repository.
pub(crate) fn repository() -> Utf8PathBuf {
    Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize_utf8().unwrap()
}

/// Takes the one line out that is this one but for its indentation.
#[track_caller]
fn without_line(sandbox: &Sandbox, path: &str, line: &str) {
    let text = sandbox.read(path);
    let count = text.lines().filter(|known| known.trim() == line).count();
    assert!(count > 0, "`{line}` does not stand in `{path}`:\n{text}");
    let kept: Vec<&str> = text.lines().filter(|known| known.trim() != line).collect();
    sandbox.write(path, kept.join("\n") + "\n");
}
