use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

/// How often a condition is asked again: short against every wait of a test, long against what asking costs.
const POLL: Duration = Duration::from_millis(20);

/// A real server that a test started: a collector, Redis, nginx. It is killed when the test ends, however it ends.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    log: Utf8PathBuf,
}

impl Server {
    /// Starts a command with an environment that holds only `PATH` and what the command itself sets. All that it writes goes to the file `log`.
    #[track_caller]
    pub fn start(command: &mut Command, log: impl AsRef<Utf8Path>) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let name = Utf8Path::new(&name).file_name().unwrap_or(&name).to_owned();
        let log = log.as_ref().to_owned();
        let file = File::create(&log).unwrap_or_else(|error| panic!("cannot create `{log}`: {error}"));
        let again = file.try_clone().expect("a file can be opened twice");
        let environment: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(environment);
        command.stdin(Stdio::null()).stdout(file).stderr(again);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run `{name}`: {error}"));
        Self { name, child, log }
    }

    /// Waits until `ready` holds, and panics with the server's log where it ends or takes longer than `limit`.
    #[track_caller]
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                panic!("`{}` ended with {status}:\n{}", self.name, self.log());
            }
            assert!(start.elapsed() < limit, "`{}` was not ready within {limit:?}:\n{}", self.name, self.log());
            std::thread::park_timeout(POLL);
        }
    }

    /// Waits until it takes connections on every one of these ports of 127.0.0.1.
    #[track_caller]
    pub fn wait_for_ports(&mut self, ports: &[u16]) {
        let open = |port: &u16| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok();
        self.wait_until(Duration::from_secs(30), || ports.iter().all(open));
    }

    /// What it wrote up to now.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports of 127.0.0.1 that nothing listened on a moment ago, all different.
#[must_use]
#[track_caller]
pub fn free_ports<const N: usize>() -> [u16; N] {
    // All are held until all are known.
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("a listener has an address").port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;

    #[test]
    fn a_server_ends_with_its_test() {
        let sandbox = Sandbox::new();
        let mut server =
            Server::start(Command::new("/bin/sh").args(["-c", "echo up; exec sleep 600"]), sandbox.path("log"));
        let log = sandbox.path("log");
        server.wait_until(Duration::from_secs(10), || std::fs::read_to_string(&log).is_ok_and(|text| text == "up\n"));
        assert!(server.is_running());
        let process = Utf8PathBuf::from(format!("/proc/{}", server.id()));
        assert!(process.exists());
        drop(server);
        assert!(!process.exists());
    }

    #[test]
    #[should_panic(expected = "ended with exit status: 3:\nno\n")]
    fn a_server_that_gives_up_is_shown() {
        let sandbox = Sandbox::new();
        let mut server = Server::start(Command::new("/bin/sh").args(["-c", "echo no; exit 3"]), sandbox.path("log"));
        server.wait_until(Duration::from_secs(10), || false);
    }

    #[test]
    fn ports_differ() {
        let [a, b, c] = free_ports();
        assert!(a != b && b != c && a != c);
    }
}
