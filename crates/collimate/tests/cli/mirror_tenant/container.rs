//! On a real container: in a folder that is mounted, a new file is seen; a file that is mounted alone stays the old one.
//!
//! Needs a Docker engine, which `COLLIMATE_DOCKER_HOST` names (as `DOCKER_HOST` does). The image is made here, of our program and the
//! libraries that it was linked with: nothing is pulled.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use testkit::Sandbox;

use super::{GOOD, tenant};

/// How long anything may take on a machine that is busy.
const LONGEST: Duration = Duration::from_secs(60);

/// Longer than the verifier remembers here (1 s) and than it waits between two looks at its files (1 s), twice over.
const SETTLED: Duration = Duration::from_secs(4);

/// A Docker engine, with what a test made in it: removed when the test ends, however it ends.
struct Engine {
    docker: Utf8PathBuf,
    host: String,
    image: String,
    containers: Vec<String>,
}

impl Engine {
    fn found() -> Option<Self> {
        let Some(host) = std::env::var("COLLIMATE_DOCKER_HOST").ok().filter(|host| !host.is_empty()) else {
            testkit::skip("no Docker engine: COLLIMATE_DOCKER_HOST names none");
            return None;
        };
        let docker = testkit::tool("docker")?;
        let image = format!("collimate-test-tenants-{}", std::process::id());
        Some(Self { docker, host, image, containers: Vec::new() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.docker);
        command
            .args(arguments)
            .env("DOCKER_HOST", &self.host)
            .env("DOCKER_CONFIG", "/nonexistent")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// An image of our program and nothing else.
    fn import(&self, sandbox: &Sandbox) -> Option<()> {
        let (ldd, tar) = (testkit::tool("ldd")?, testkit::tool("tar")?);
        let program = Utf8Path::new(env!("CARGO_BIN_EXE_collimate"));
        let listed = Command::new(ldd).arg(program).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
        for file in libraries {
            let target = sandbox.path("image").join(file.trim_start_matches('/'));
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(file, target).unwrap();
        }
        fs::create_dir_all(sandbox.path("image/tmp")).unwrap();
        fs::copy(program, sandbox.path("image/collimate")).unwrap();
        let archive = sandbox.path("image.tar");
        let packed =
            Command::new(tar).args(["-C", sandbox.path("image").as_str(), "-cf", archive.as_str(), "."]).status();
        assert!(packed.unwrap().success());
        self.run(&["import", archive.as_str(), &self.image]);
        Some(())
    }

    /// A verifier that finds its files through this mount.
    fn verifier(&mut self, name: &str, mount: &str, run: &Utf8Path) {
        let container = format!("{}-{name}", self.image);
        self.containers.push(container.clone());
        let run = format!("{run}:/run/mirror-gateway");
        let socket = format!("/run/mirror-gateway/{name}.sock");
        let mut arguments =
            vec!["run", "-d", "--name", &container, "--network", "none", "-v", mount, "-v", &run, &self.image];
        arguments.extend([
            "/collimate",
            "mirror",
            "auth",
            "--secrets",
            "/secrets",
            "--socket",
            &socket,
            "--remember",
            "1s",
        ]);
        self.run(&arguments);
    }

    fn logs(&self) -> String {
        let logs = self.containers.iter().map(|container| self.command(&["logs", container]).output().unwrap());
        logs.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for container in &self.containers {
            let _ = self.command(&["rm", "-f", container]).output();
        }
        let _ = self.command(&["rmi", "-f", &self.image]).output();
    }
}

/// What the verifier behind a socket says of a tenant.
fn answer(socket: &Utf8Path, credentials: &str) -> Option<u16> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(LONGEST)).ok()?;
    let request = format!(
        "GET /verify HTTP/1.1\r\nHost: verifier\r\nX-Mirror-Domain: primary\r\nAuthorization: Basic {credentials}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[test]
fn a_revocation_is_seen_in_a_mounted_folder_and_not_in_a_file_mounted_alone() {
    let Some(mut engine) = Engine::found() else { return };
    let sandbox = Sandbox::new();
    let Some(()) = engine.import(&sandbox) else { return };
    sandbox.write("secrets/README", "").write("run/README", "").write("word", GOOD);
    let file = "secrets/mirror-primary.htpasswd";
    tenant(&sandbox, &["add", "primary", "acme", "--file", file, "--password-file", "word"]).any_stderr().run();

    let run = sandbox.path("run");
    engine.verifier("folder", &format!("{}:/secrets:ro", sandbox.path("secrets")), &run);
    engine.verifier("file", &format!("{}:/secrets/mirror-primary.htpasswd:ro", sandbox.path(file)), &run);
    let (folder, alone) = (run.join("folder.sock"), run.join("file.sock"));
    // `acme:a good long password`
    let acme = "YWNtZTphIGdvb2QgbG9uZyBwYXNzd29yZA==";
    let wait_for = |socket: &Utf8Path, expected: u16| {
        let start = Instant::now();
        while answer(socket, acme) != Some(expected) {
            let last = answer(socket, acme);
            assert!(start.elapsed() < LONGEST, "`{socket}` says {last:?}, not {expected}:\n{}", engine.logs());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    };
    wait_for(&folder, 204);
    wait_for(&alone, 204);

    tenant(&sandbox, &["remove", "primary", "acme", "--file", file]).any_stderr().run();
    let start = Instant::now();
    wait_for(&folder, 401);
    let seen = start.elapsed();
    while start.elapsed() < SETTLED.max(seen * 2) {
        assert_eq!(answer(&alone, acme), Some(204), "the file that is mounted alone is the old one for ever");
        std::thread::park_timeout(Duration::from_millis(200));
    }
    assert_eq!(answer(&folder, acme), Some(401));
    tenant(&sandbox, &["add", "primary", "acme", "--file", file, "--password-file", "word"]).any_stderr().run();
    wait_for(&folder, 204);
}
