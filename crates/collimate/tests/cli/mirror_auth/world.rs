//! A folder of htpasswd files, a verifier, and a client that says exactly what it is told to.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use mirror::htpasswd::{Hash, Password, RANDOM_BYTES};
use testkit::{Sandbox, Server};

/// On a machine that has seven other tests to run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_collimate");

pub(crate) struct Verifier {
    pub(crate) server: Server,
    pub(crate) socket: Utf8PathBuf,
}

/// Waits until something is so, for as long as a busy machine may take.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) tenant: Option<String>,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The password of a number, different for each.
pub(crate) fn password(number: u8) -> String {
    Password::generated(&[number; RANDOM_BYTES]).reveal().to_owned()
}

/// A line of an htpasswd file.
pub(crate) fn line(name: &str, number: u8, cost: u32) -> String {
    let password = Password::generated(&[number; RANDOM_BYTES]);
    format!("{name}:{}\n", Hash::bcrypt(&password, cost, [number; 16]).reveal())
}

/// The value of `Authorization`.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{name}:{password}").as_bytes()))
}

/// Written out: the program's tests have no encoder, and one from the same crate would judge itself.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let padding = digit > group.len();
            text.push(if padding { '=' } else { char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]) });
        }
    }
    text
}

/// The program, not yet started. The folder of secrets is `secrets` of the sandbox.
pub(crate) fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["mirror", "auth", "--secrets", "secrets"]).args(arguments).current_dir(sandbox.root());
    command
}

impl Verifier {
    /// Starts one on the socket `verifier.sock`, and waits until it answers.
    #[track_caller]
    pub(crate) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::start_at(sandbox, "verifier.sock", arguments)
    }

    /// Starts one on this socket of the sandbox, and waits until it answers.
    #[track_caller]
    pub(crate) fn start_at(sandbox: &Sandbox, socket: &str, arguments: &[&str]) -> Self {
        let socket = sandbox.path(socket);
        let mut command = command(sandbox, &["--socket", socket.as_str()]);
        Self::run(sandbox, command.args(arguments), socket)
    }

    /// Starts the command, and waits until this socket answers.
    #[track_caller]
    pub(crate) fn run(sandbox: &Sandbox, command: &mut Command, socket: Utf8PathBuf) -> Self {
        let server = Server::start(command, sandbox.path("verifier.log"));
        let mut verifier = Self { server, socket };
        let socket = verifier.socket.clone();
        verifier.server.wait_until(PATIENCE, || UnixStream::connect(&socket).is_ok());
        verifier
    }

    #[track_caller]
    pub(crate) fn connect(&self) -> Connection {
        let stream = UnixStream::connect(&self.socket).unwrap_or_else(|error| panic!("{error}:\n{}", self.log()));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection { stream, read: Vec::new() }
    }

    /// One question on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, domain: &str, authorization: &str) -> Answer {
        self.connect().ask(domain, authorization)
    }

    /// Waits until the answer to a question is what it should be.
    #[track_caller]
    pub(crate) fn wait_for(&self, domain: &str, authorization: &str, status: u16) -> Duration {
        let start = Instant::now();
        loop {
            let answer = self.ask(domain, authorization);
            if answer.status == status {
                return start.elapsed();
            }
            assert!(start.elapsed() < PATIENCE, "{answer:?} instead of {status}:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().send(&format!("GET {path} HTTP/1.1\r\nHost: v\r\n\r\n"))
    }

    pub(crate) fn log(&self) -> String {
        self.server.log()
    }

    /// Waits until the log tells of something, which has been going on since `start`: once in ten seconds.
    #[track_caller]
    pub(crate) fn tells_seldom(&self, what: &str, start: Instant) {
        wait_until(what, || self.log().contains(what));
        let told = self.log().matches(what).count() as u64;
        assert!(told <= 1 + start.elapsed().as_secs() / 10, "{}", self.log());
    }

    /// Sends a signal by name.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let kill = ["-c", "kill -\"$0\" \"$1\"", name, &self.server.id().to_string()];
        assert!(Command::new("/bin/sh").args(kill).status().unwrap().success());
    }

    /// Nanoseconds of processor time, of all its threads.
    #[track_caller]
    pub(crate) fn processor_time(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.server.id())).unwrap();
        let times = tasks.map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
            text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default()
        });
        times.sum()
    }
}

pub(crate) struct Connection {
    pub(crate) stream: UnixStream,
    read: Vec<u8>,
}

impl Connection {
    #[track_caller]
    pub(crate) fn ask(&mut self, domain: &str, authorization: &str) -> Answer {
        let authorization = match authorization {
            "" => String::new(),
            value => format!("Authorization: {value}\r\n"),
        };
        self.send(&format!("GET /verify HTTP/1.1\r\nHost: v\r\nX-Mirror-Domain: {domain}\r\n{authorization}\r\n"))
    }

    #[track_caller]
    pub(crate) fn send(&mut self, request: &str) -> Answer {
        self.stream.write_all(request.as_bytes()).unwrap();
        self.receive().expect("an answer, not the end of the connection")
    }

    /// The next answer, or `None` at the end of the connection.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8(self.read[..end + 2].to_vec()).unwrap();
                let header = |name: &str| {
                    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.map(str::to_owned)
                };
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                let length: usize = header("Content-Length").map_or(0, |length| length.parse().unwrap());
                if self.read.len() >= end + 4 + length {
                    let body = self.read[end + 4..end + 4 + length].to_vec();
                    let tenant = header("X-Mirror-Tenant");
                    self.read.drain(..end + 4 + length);
                    return Some(Answer { status, tenant, head, body: String::from_utf8(body).unwrap() });
                }
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    assert!(self.read.is_empty(), "cut: {}", String::from_utf8_lossy(&self.read));
                    return None;
                }
                Ok(read) => self.read.extend_from_slice(&buffer[..read]),
                // The other side closed while something was on its way to it.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }
}

/// `acme` with password 1 in `primary` and `beta` with password 2 in `community`, of the lowest cost there is.
pub(crate) fn two_domains() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 4));
    sandbox.write("secrets/mirror-community.htpasswd", line("beta", 2, 4));
    sandbox
}
