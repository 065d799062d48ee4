use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Sandbox, Server, free_ports, tool};

/// A real Redis of one test. Tests talk to it over a socket file, so that what is tried over the network may be anything.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: u16,
    tls_port: u16,
    client: Utf8PathBuf,
    socket: Utf8PathBuf,
    /// User and password of the test itself.
    login: Option<(String, String)>,
}

impl Redis {
    /// Starts one that keeps nothing on disk, with further options of its command line, such as `["--requirepass", "x"]`. `None`, said
    /// loudly, where this machine has no Redis.
    #[must_use]
    #[track_caller]
    pub fn start(sandbox: &Sandbox, options: &[&str]) -> Option<Self> {
        let [port] = free_ports();
        Self::with_ports(sandbox, options, port, 0)
    }

    /// The same with TLS alone: certificate, key and authority are files.
    #[must_use]
    #[track_caller]
    pub fn start_tls(
        sandbox: &Sandbox,
        certificate: &Utf8Path,
        key: &Utf8Path,
        authority: &Utf8Path,
        options: &[&str],
    ) -> Option<Self> {
        let [port] = free_ports();
        let tls = [
            "--tls-cert-file",
            certificate.as_str(),
            "--tls-key-file",
            key.as_str(),
            "--tls-ca-cert-file",
            authority.as_str(),
        ];
        Self::with_ports(sandbox, &[&tls, options].concat(), 0, port)
    }

    #[track_caller]
    fn with_ports(sandbox: &Sandbox, options: &[&str], port: u16, tls_port: u16) -> Option<Self> {
        let (server, client) = (tool("redis-server")?, tool("redis-cli")?);
        let open = port.max(tls_port);
        let folder = sandbox.path(format!("redis-{open}"));
        std::fs::create_dir_all(&folder).expect("a folder for Redis");
        let socket = folder.join("socket");
        let mut command = Command::new(server);
        command.args(["--port", &port.to_string(), "--tls-port", &tls_port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--unixsocket", socket.as_str(), "--unixsocketperm", "700", "--dir", folder.as_str()]);
        command.args(["--save", "", "--appendonly", "no"]).args(options);
        let mut server = Server::start(&mut command, folder.join("log"));
        server.wait_for_ports(&[open]);
        // It listens on its port first and on the socket, by which tests talk to it, a moment later.
        server.wait_until(Duration::from_secs(30), || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        Some(Self { server, port, tls_port, client, socket, login: None })
    }

    /// Its port, be it for TLS or not.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.max(self.tls_port)
    }

    /// From now on the test itself logs in with these.
    pub fn log_in(&mut self, user: &str, password: &str) {
        self.login = Some((user.to_owned(), password.to_owned()));
    }

    /// Runs a command and gives what `redis-cli` prints. Panics where Redis refuses it.
    #[track_caller]
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.client(&["-e"]).args(arguments).output().expect("redis-cli runs");
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        assert!(output.status.success(), "redis-cli: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Sends many commands at once, one array of arguments each.
    #[track_caller]
    pub fn pipe(&self, commands: impl Iterator<Item = Vec<String>>) {
        let mut child =
            self.client(&["--pipe"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("redis-cli runs");
        let mut stdin = std::io::BufWriter::new(child.stdin.take().expect("a pipe"));
        for command in commands {
            write!(stdin, "*{}\r\n", command.len()).expect("redis-cli reads");
            for argument in command {
                write!(stdin, "${}\r\n{argument}\r\n", argument.len()).expect("redis-cli reads");
            }
        }
        drop(stdin);
        let output = child.wait_with_output().expect("redis-cli ends");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("errors: 0"), "redis-cli --pipe: {text}");
    }

    /// Waits until a command prints something that `ready` accepts.
    #[track_caller]
    pub fn wait_until(&mut self, arguments: &[&str], ready: impl Fn(&str) -> bool) {
        let mut asked = self.client(&[]);
        asked.args(arguments);
        self.server.wait_until(Duration::from_secs(20), || {
            asked.output().is_ok_and(|output| ready(&String::from_utf8_lossy(&output.stdout)))
        });
    }

    /// Its process.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    fn client(&self, options: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.env_clear().args(["-s", self.socket.as_str()]).args(options);
        if let Some((user, password)) = &self.login {
            command.args(["--user", user, "--no-auth-warning"]).env("REDISCLI_AUTH", password);
        }
        command
    }
}
