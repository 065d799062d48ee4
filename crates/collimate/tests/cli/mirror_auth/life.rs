//! Start, end, and the socket.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use testkit::{Cli, Sandbox, Server, free_ports};

use super::world::{PATIENCE, PROGRAM, Verifier, basic, command, line, password, two_domains};

fn cli(sandbox: &Sandbox) -> Cli {
    let arguments = ["mirror", "auth", "--secrets", "secrets", "--socket", "verifier.sock"];
    Cli::new(PROGRAM).folder(sandbox.root()).args(arguments)
}

/// Runs one to its end: until `end` has done what makes it end.
#[track_caller]
fn run_until(sandbox: &Sandbox, end: impl FnOnce(&Verifier)) -> (Option<i32>, String) {
    let socket = sandbox.path("verifier.sock");
    let mut child = command(sandbox, &["--socket", socket.as_str()])
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(sandbox.path("own.log")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(start.elapsed() < PATIENCE && child.try_wait().unwrap().is_none(), "{}", sandbox.read("own.log"));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    // A stand-in for what knows the process: it only asks and signals.
    let server =
        Server::start(std::process::Command::new("/bin/sh").args(["-c", "exec sleep 600"]), sandbox.path("none"));
    end(&Verifier { server, socket });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it does not end:\n{}", sandbox.read("own.log"));
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    (status.code(), sandbox.read("own.log"))
}

#[test]
fn the_socket_is_narrow_and_goes_with_it() {
    let sandbox = two_domains();
    let mut verifier = Verifier::start(&sandbox, &[]);
    let mode = verifier.socket.symlink_metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
    verifier.signal("TERM");
    let start = Instant::now();
    while verifier.server.is_running() {
        assert!(start.elapsed() < PATIENCE);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert!(!verifier.socket.exists());
    let log: Vec<String> = verifier.log().lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    let folder = sandbox.path("secrets");
    assert_eq!(
        log,
        [
            format!("info opened community: {folder}/mirror-community.htpasswd: 1 tenant"),
            format!("info opened primary: {folder}/mirror-primary.htpasswd: 1 tenant"),
            format!("info listening: on {}", verifier.socket),
            "info ending: what runs is answered".to_owned(),
        ]
    );
}

/// A request that bcrypt runs for when the signal comes is answered, and it ends with 0.
#[test]
fn what_runs_is_answered() {
    let sandbox = two_domains();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 12));
    let socket = sandbox.path("verifier.sock");
    let log = std::fs::File::create(sandbox.path("own.log")).unwrap();
    let mut child = command(&sandbox, &["--socket", socket.as_str()]).stderr(log).spawn().unwrap();
    let start = Instant::now();
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let request = |number| {
        let authorization = basic("acme", &password(number));
        format!("GET /verify HTTP/1.1\r\nX-Mirror-Domain: primary\r\nAuthorization: {authorization}\r\n\r\n")
    };
    // Two that are not known, so that one waits while the other runs.
    let mut second = UnixStream::connect(&socket).unwrap();
    stream.write_all(request(1).as_bytes()).unwrap();
    second.write_all(request(2).as_bytes()).unwrap();
    let kill = ["-c", "kill -TERM \"$0\"", &child.id().to_string()];
    assert!(std::process::Command::new("/bin/sh").args(kill).status().unwrap().success());
    let read = |mut stream: UnixStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
        text
    };
    assert_eq!(read(stream), "HTTP/1.1 204 No Content\r\nConnection: close\r\nX-Mirror-Tenant: acme\r\n\r\n");
    assert_eq!(read(second), "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn one_that_was_killed_leaves_no_obstacle() {
    let sandbox = two_domains();
    let mut verifier = Verifier::start(&sandbox, &[]);
    verifier.server.kill();
    assert!(verifier.socket.exists(), "nobody was left to remove it");
    let verifier = Verifier::start(&sandbox, &[]);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
}

#[test]
fn a_socket_in_use_is_left_alone() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    cli(&sandbox)
        .exit(4)
        .stderr_has("error: another process listens on `[DIR]/verifier.sock`\nhint: end the other process first")
        .run();
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    let other = sandbox.path("other");
    let _listener = UnixListener::bind(&other).unwrap();
    let arguments = ["mirror", "auth", "--secrets", "secrets", "--socket", "other"];
    let cli = Cli::new(PROGRAM).folder(sandbox.root()).args(arguments);
    cli.exit(4).stderr_has("error: another process listens on `[DIR]/other`").run();
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let sandbox = two_domains();
    sandbox.write("verifier.sock", "precious");
    cli(&sandbox).exit(4).stderr_has("error: `[DIR]/verifier.sock` is there and is not a socket\nhint: ").run();
    assert_eq!(sandbox.read("verifier.sock"), "precious");
    // A link to a socket is none either: who can write into the folder could make us remove something else.
    sandbox.remove("verifier.sock");
    drop(UnixListener::bind(sandbox.path("elsewhere")).unwrap());
    std::os::unix::fs::symlink("elsewhere", sandbox.path("verifier.sock")).unwrap();
    cli(&sandbox).exit(4).stderr_has("error: `[DIR]/verifier.sock` is there and is not a socket\nhint: ").run();
    assert!(sandbox.path("elsewhere").exists());
}

/// Whoever runs it starts it anew; an unreachable one would be a gateway that answers 503 for ever.
#[test]
fn it_ends_when_nobody_can_reach_it_any_more() {
    let sandbox = two_domains();
    let (code, log) = run_until(&sandbox, |verifier| std::fs::remove_file(&verifier.socket).unwrap());
    assert_eq!(code, Some(4), "{log}");
    let socket = sandbox.path("verifier.sock");
    assert!(
        log.ends_with(&format!("error: the socket `{socket}` was removed or replaced while it was served\n")),
        "{log}"
    );
    // Another one took its place: that one's socket stays.
    let (code, log) = run_until(&sandbox, |verifier| {
        std::fs::remove_file(&verifier.socket).unwrap();
        std::mem::forget(UnixListener::bind(&verifier.socket).unwrap());
    });
    assert_eq!(code, Some(4), "{log}");
    assert!(socket.exists());
}

#[test]
fn a_port_of_this_machine_does_too() {
    let sandbox = two_domains();
    let [port] = free_ports();
    let address = format!("127.0.0.1:{port}");
    let mut server =
        Server::start(&mut command(&sandbox, &["--listen", &address, "--log", "json"]), sandbox.path("log"));
    server.wait_for_ports(&[port]);
    let Some(curl) = testkit::tool("curl") else { return };
    let header = format!("Authorization: {}", basic("acme", &password(1)));
    let output = std::process::Command::new(curl)
        .args(["--silent", "--include", "--header", &header, "--header", "X-Mirror-Domain: primary"])
        .arg(format!("http://{address}/verify"))
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout).starts_with("HTTP/1.1 204 No Content\r\nX-Mirror-Tenant: acme\r\n")
    );
    let log = server.log();
    let last = log.lines().last().unwrap();
    assert!(last.starts_with(r#"{"event":"listening","level":"info","message":"on 127.0.0.1:"#), "{log}");
    assert!(log.lines().next().unwrap().contains(r#""domain":"community","event":"opened","file":"#), "{log}");
}

/// nginx keeps connections open; they must not keep it from ending, and a signal to look must not end it.
#[test]
fn idle_connections_do_not_hold_it() {
    let sandbox = two_domains();
    let mut verifier = Verifier::start(&sandbox, &["--remember", "1h"]);
    let mut idle: Vec<_> = (0..50).map(|_| verifier.connect()).collect();
    for connection in &mut idle {
        assert_eq!(connection.ask("primary", "").status, 401);
    }
    let mut half = verifier.connect();
    half.stream.write_all(b"GET /verify HTTP/1.1\r\n").unwrap();
    verifier.signal("HUP");
    assert_eq!(idle[0].ask("primary", &basic("acme", &password(1))).status, 204);
    verifier.signal("INT");
    let start = Instant::now();
    while verifier.server.is_running() {
        assert!(start.elapsed() < PATIENCE, "{}", verifier.log());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert!(idle.into_iter().all(|mut connection| connection.receive().is_none()));
}

/// A log that nobody reads must not stop the gateway.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let sandbox = two_domains();
    let socket = sandbox.path("verifier.sock");
    let mut child = command(&sandbox, &["--socket", socket.as_str()]).stderr(Stdio::piped()).spawn().unwrap();
    let server =
        Server::start(std::process::Command::new("/bin/sh").args(["-c", "exec sleep 600"]), sandbox.path("none"));
    let verifier = Verifier { server, socket: socket.clone() };
    let start = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(start.elapsed() < PATIENCE);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    // Each change is a line; a pipe holds a few hundred of them. All the while it must answer.
    for number in 0..40 {
        let tenants: String =
            (0..60).map(|tenant| format!("t{number}-{tenant}:$apr1$a$b{}\n", "x".repeat(80))).collect();
        sandbox.write("secrets/mirror-community.htpasswd", tenants);
        let kill = ["-c", "kill -HUP \"$0\"", &child.id().to_string()];
        assert!(std::process::Command::new("/bin/sh").args(kill).status().unwrap().success());
        assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
