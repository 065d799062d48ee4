//! Through the gateway as it is shipped, the real nginx and the real verifier, from tenant to copy.

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Cli, Exports, Server};

use super::world::{BUNDLE, MANIFEST, PASSWORD, PROGRAM};
use crate::mirror_gateway::stage::{PRIMARY, Plan, Stage};

const SIZE: usize = 2_000_000;

/// The gateway with the tenant `acme`, and its verifier.
fn open() -> Option<(Stage, Server)> {
    let exports = Exports::start();
    exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(SIZE));
    let stage = Plan::new().short_lives().without_verifier().start_before(exports)?;
    let sandbox = &stage.sandbox;
    sandbox.write("password", PASSWORD).write("jws.pem", stage.exports.public_key());
    std::fs::create_dir(sandbox.path("secrets")).unwrap();
    Cli::new(PROGRAM)
        .folder(sandbox.root())
        .args(["mirror", "tenant", "add", "primary", "acme", "--file", "secrets/mirror-primary.htpasswd"])
        .args(["--password-file", "-", "--cost", "10"])
        .stdin(PASSWORD)
        .any_stdout()
        .any_stderr()
        .run();
    let mut command = Command::new(PROGRAM);
    command.args(["mirror", "auth", "--socket", "run/verifier.sock", "--secrets", "secrets", "--domain", "primary"]);
    let mut verifier = Server::start(command.current_dir(sandbox.root()), sandbox.path("verifier.log"));
    let socket = sandbox.path("run/verifier.sock");
    verifier.wait_until(Duration::from_secs(60), || UnixStream::connect(&socket).is_ok());
    Some((stage, verifier))
}

fn pull(stage: &Stage) -> Cli {
    let (url, connect) = (format!("https://{PRIMARY}"), format!("127.0.0.1:{}", stage.https));
    Cli::new(PROGRAM)
        .folder(stage.sandbox.root())
        .args(["mirror", "pull", "copy", "--url", &url, "--connect", &connect, "--domain", "primary", "--user", "acme"])
        .args(["--password-file", "password", "--key", "jws.pem", "--ca", CA])
}

const CA: &str = "certs/authority/ca.crt";

#[test]
fn a_tenant_keeps_a_copy_in_step() {
    let Some((stage, _verifier)) = open() else { return };
    let shown = || std::fs::read(stage.sandbox.path("copy/latest/mirror/primary/bundle.json")).unwrap();
    let output = pull(&stage).any_stdout().run();
    assert!(output.stdout.contains("signature: verified"), "{output}");
    assert!(shown() == *stage.exports.file(BUNDLE));
    let before = stage.log().len();
    let output = pull(&stage).any_stdout().run();
    assert!(output.stdout.contains("transferred: 0 bytes in 5 requests, 8 files reused\n"), "{output}");
    let asked: Vec<_> = stage.logged(before + 5).iter().skip(before).map(|line| line["status"].as_u64()).collect();
    assert_eq!(asked, [Some(304); 5]);

    // A part goes on through the gateway, whose cache has the whole.
    stage.exports.next_generation();
    let script = format!(
        "trap '' XFSZ; ulimit -f 2048; exec {PROGRAM} mirror pull copy --url https://{PRIMARY} --connect 127.0.0.1:{} \
         --domain primary --user acme --password-file password --key jws.pem --ca {CA}",
        stage.https
    );
    let begun = Instant::now();
    let output = loop {
        let output = Cli::new("/bin/sh").folder(stage.sandbox.root()).args(["-c", &script]).output();
        // Until the gateway's cache has seen it, nothing is new.
        if output.exit != 0 {
            break output;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{output}");
    };
    assert_eq!(output.exit, 4, "{output}");
    assert!(output.stderr.contains("caused by: file too large\n"), "{output}");
    pull(&stage).any_stdout().any_stderr().run();
    assert!(shown() == *stage.exports.file(BUNDLE));
    let rest = stage.line(BUNDLE, 206);
    assert_eq!(rest["tenant"], "acme");
    assert!(rest["bytes"].as_u64().is_some_and(|bytes| bytes < SIZE as u64 - 1_000_000), "{rest}");

    // The wrong password, and a tenant who was removed.
    stage.sandbox.write("password", "wrong-password-acme");
    pull(&stage)
        .stderr_has(format!(
            "error: `https://{PRIMARY}` refuses user or password for `/concelier/exports/index.json`\n"
        ))
        .exit(5)
        .run();
    assert_eq!(stage.log().iter().filter(|line| line["path"] == MANIFEST && line["status"] == 401).count(), 0);
}
