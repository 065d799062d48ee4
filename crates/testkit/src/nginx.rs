use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Server, tool};

/// How long it may take to start, stop or take in a new configuration on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ports that are chosen from: Linux gives connections those from 32768 on.
const FIRST_PORT: u16 = 10_240;
const PORTS: u32 = 20_000;

/// How many were chosen by this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A real nginx of one test, with a configuration that somebody wrote into a folder.
///
/// The folder holds `nginx.conf`, which must say `daemon off;`. It and its workers end with the test.
///
/// ```text
/// let Some(nginx) = Nginx::start(&sandbox.path("conf"), &sandbox.path("nginx.log"), &[8443]) else { return };
/// ```
#[derive(Debug)]
pub struct Nginx {
    server: Server,
    program: Utf8PathBuf,
    conf: Utf8PathBuf,
}

impl Nginx {
    /// Ports to listen on, all different. They lie below those that the system gives to connections: nginx gets its ports some time after
    /// they were chosen, and on a busy machine a connection would take one of them now and then.
    #[must_use]
    pub fn ports<const N: usize>() -> [u16; N] {
        std::array::from_fn(|_| {
            loop {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                // Other test programs run at the same time: each begins elsewhere.
                let place = std::process::id().wrapping_mul(521).wrapping_add(number) % PORTS;
                let port = FIRST_PORT + u16::try_from(place).unwrap_or_default();
                if TcpListener::bind(("0.0.0.0", port)).is_ok() {
                    return port;
                }
            }
        })
    }

    /// Starts it, and waits until it takes connections on these ports of 127.0.0.1. What it says of itself goes to the file `log`. `None`,
    /// said loudly, where this machine has no nginx.
    #[must_use]
    #[track_caller]
    pub fn start(conf: &Utf8Path, log: &Utf8Path, ports: &[u16]) -> Option<Self> {
        let program = tool("nginx")?;
        let mut command = Command::new(&program);
        command.args(arguments(conf));
        let server = Server::start(&mut command, log);
        let mut nginx = Self { server, program, conf: conf.to_owned() };
        // It has workers once it has its ports. Before that, whoever took one of them meanwhile would answer there.
        let id = nginx.server.id();
        nginx.server.wait_until(PATIENCE, || !children(id).is_empty());
        nginx.server.wait_for_ports(ports);
        Some(nginx)
    }

    /// Asks nginx whether it would start with a configuration; else what it says. `None` where this machine has no nginx.
    #[must_use]
    #[track_caller]
    pub fn judge(conf: &Utf8Path) -> Option<Result<(), String>> {
        let output = Command::new(tool("nginx")?).args(arguments(conf)).arg("-t").output().expect("nginx runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // A warning is a way in which a later version will fail.
        let is_fine = output.status.success() && !text.contains("[warn]");
        Some(if is_fine { Ok(()) } else { Err(text) })
    }

    /// Makes it read its configuration and certificates again, and waits until workers of before have no more to do.
    #[track_caller]
    pub fn reload(&mut self) {
        let before = self.workers();
        let done = Command::new(&self.program).args(arguments(&self.conf)).args(["-s", "reload"]).output();
        assert!(done.is_ok_and(|output| output.status.success()), "nginx does not reload:\n{}", self.server.log());
        let start = Instant::now();
        while self.workers().iter().any(|worker| before.contains(worker)) {
            assert!(start.elapsed() < PATIENCE, "old workers of nginx remain:\n{}", self.server.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What it said of itself up to now.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Its process.
    pub fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// The numbers of its worker processes, and of those that look after its cache.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        children(self.server.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind; asked to end, it ends them first.
        let _ = Command::new("/bin/sh").args(["-c", "kill -TERM \"$0\"", &self.server.id().to_string()]).status();
        let start = Instant::now();
        while self.server.is_running() && start.elapsed() < PATIENCE {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

/// The processes that a process started and that still run.
fn children(id: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// As root it would give its workers another user, who cannot reach the test's folder.
fn arguments(conf: &Utf8Path) -> Vec<String> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let user = if is_root { "user root;" } else { "" };
    let file = conf.join("nginx.conf");
    ["-c", file.as_str(), "-g", user].into_iter().take(if is_root { 4 } else { 2 }).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sandbox, free_ports};

    const CONFIGURATION: &str = "daemon off; pid PID; error_log stderr; events {} http { access_log off; \
        client_body_temp_path TEMP/1; proxy_temp_path TEMP/2; fastcgi_temp_path TEMP/3; uwsgi_temp_path TEMP/4; \
        scgi_temp_path TEMP/5; server { listen 127.0.0.1:PORT; return 200; } }";

    #[test]
    fn it_ends_with_its_workers() {
        let sandbox = Sandbox::new();
        let [port] = free_ports();
        let text = CONFIGURATION.replace("PID", sandbox.path("pid").as_str()).replace("TEMP", sandbox.root().as_str());
        sandbox.write("conf/nginx.conf", text.replace("PORT", &port.to_string()));
        let Some(mut nginx) = Nginx::start(&sandbox.path("conf"), &sandbox.path("log"), &[port]) else { return };
        let workers = nginx.workers();
        assert!(!workers.is_empty());
        nginx.reload();
        let workers = [workers, nginx.workers()].concat();
        drop(nginx);
        for worker in workers {
            assert!(!Utf8Path::new("/proc").join(worker.to_string()).exists(), "{worker}");
        }
    }

    #[test]
    fn a_bad_configuration_is_refused() {
        let sandbox = Sandbox::new();
        sandbox.write("conf/nginx.conf", "nonsense on;");
        let Some(verdict) = Nginx::judge(&sandbox.path("conf")) else { return };
        assert!(verdict.is_err_and(|text| text.contains("unknown directive \"nonsense\"")));
    }
}
