//! The way across: what arrives, in what form, and when the run is killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use testkit::{Cli, Sandbox};

use super::world::Gap;
use crate::mirror_pull::world::PROGRAM;

#[test]
fn a_generation_arrives_whole() {
    let gap = Gap::new();
    let name = gap.world.latest();
    let output = gap.export("carried").any_stdout().run();
    let size = gap.world.sandbox.path("carried").metadata().unwrap().len();
    assert!(
        output.stdout.starts_with(&format!(
            "exported: `carried`, generation {name} of `primary`, 8 files, {size} bytes, signed with key "
        )),
        "{output}"
    );
    assert_eq!(gap.world.sandbox.path("carried").metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let output = gap.import("carried").any_stdout().any_stderr().run();
    let mut lines = output.stdout.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with(&format!("imported: generation {name} of `primary`, carried by key "))));
    assert_eq!(lines.next(), Some("created: 2025-10-01T06:00:00Z, 5 advisories, 2 VEX exports"));
    assert_eq!(lines.next(), Some("signature: NOT CHECKED"));
    assert_eq!(output.stderr, "note: the mirror's own signature is NOT CHECKED, since no `--jws-key` was given\n");
    assert_eq!(gap.inside(), name);
    assert_eq!(gap.files("inside", &name), gap.files("copy", &name));
    assert_eq!(gap.files("inside", &name).len(), 8);

    // Again, and with the mirror's key: nothing changes.
    let output = gap.import("carried").args(["--jws-key", "jws.pem"]).any_stdout().run();
    assert!(
        output.stdout.starts_with("unchanged: ") && output.stdout.contains("signature: verified, by a key"),
        "{output}"
    );
    let output = gap.export("carried").any_stdout().run();
    assert!(output.stdout.starts_with("unchanged: "), "{output}");
}

#[test]
fn the_same_bytes_whenever_and_wherever_it_is_exported() {
    let gap = Gap::new();
    gap.export("one").any_stdout().run();
    let script =
        format!("umask 0077; export TZ=Asia/Tokyo LC_ALL=C; exec {PROGRAM} mirror export copy other --key carrier");
    Cli::new("/bin/sh").folder(gap.world.sandbox.root()).args(["-c", &script]).any_stdout().run();
    // What came across is carried on with the same bytes.
    gap.import("one").any_stdout().any_stderr().run();
    gap.run(&["mirror", "export", "inside", "third", "--key", "carrier"]).any_stdout().run();
    let bytes = |file: &str| fs::read(gap.world.sandbox.path(file)).unwrap();
    assert!(bytes("one") == bytes("other") && bytes("one") == bytes("third"));
}

#[test]
fn an_older_generation_can_be_named_and_is_not_taken_silently() {
    let gap = Gap::new();
    let first = gap.world.latest();
    gap.world.exports.next_generation();
    gap.world.pull().any_stdout().run();
    gap.export("new").any_stdout().run();
    gap.export("old").args(["--generation", &first]).any_stdout().run();
    gap.import("new").any_stdout().any_stderr().run();
    let newer = gap.inside();
    gap.import("old")
        .stderr(
            "error: this generation is older than the one that is here\n\
             caused by: it was created at 2025-10-01T06:00:00Z, the one here at 2025-10-01T07:00:00Z\n\
             hint: somebody may replay what was valid once, or the mirror went back; if you know why, take it with `--accept-older`\n",
        )
        .exit(5)
        .run();
    assert_eq!(gap.inside(), newer);
    gap.import("old").args(["--accept-older", "--keep", "1"]).any_stdout().any_stderr().run();
    assert_eq!(gap.inside(), first);
}

#[test]
fn other_tools_read_and_verify_it() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let gap = Gap::new();
    gap.export("carried").any_stdout().run();
    let script = r#"
set -eu
mkdir opened inner
tar -tvf carried
tar -xf carried -C opened
tar -xzf opened/generation.tar.gz -C inner
"#;
    let output = Cli::new("/bin/sh").folder(gap.world.sandbox.root()).args(["-c", script]).any_stdout().run();
    assert_eq!(output.stdout.lines().count(), 2, "{output}");
    assert!(output.stdout.lines().all(|line| line.starts_with("-rw-r--r-- root/root")), "{output}");
    let name = gap.world.latest();
    assert_eq!(gap.files("inner", "mirror").len(), 4);
    assert_eq!(gap.files("inner", "mirror"), gap.files(&format!("copy/{name}"), "mirror"));

    // A DSSE envelope: what is signed is the pre-authentication encoding of type and payload.
    let envelope: serde_json::Value =
        serde_json::from_str(&gap.world.sandbox.read("opened/generation.dsse.json")).unwrap();
    gap.world.sandbox.write("payload.b64", envelope["payload"].as_str().unwrap());
    gap.world.sandbox.write("sig.b64", envelope["signatures"][0]["sig"].as_str().unwrap());
    for file in ["payload", "sig"] {
        let (from, to) = (format!("{file}.b64"), file);
        Cli::new(&openssl)
            .folder(gap.world.sandbox.root())
            .args(["base64", "-d", "-A", "-in", &from, "-out", to])
            .run();
    }
    let (kind, payload) =
        (envelope["payloadType"].as_str().unwrap(), fs::read(gap.world.sandbox.path("payload")).unwrap());
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    signed.extend(&payload);
    gap.world.sandbox.write("signed", signed);
    Cli::new(&openssl)
        .folder(gap.world.sandbox.root())
        .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "carrier.pub", "-sigfile", "sig", "-in", "signed"])
        .stdout("Signature Verified Successfully\n")
        .run();
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["generation"], name);
    assert_eq!(
        statement["archive"]["size"],
        gap.world.sandbox.path("opened/generation.tar.gz").metadata().unwrap().len()
    );
}

#[test]
fn an_import_killed_before_every_call_that_writes_leaves_old_or_new() {
    let Some(strace) = testkit::tool("strace") else { return };
    let gap = Gap::new();
    gap.export("old").any_stdout().run();
    gap.import("old").any_stdout().any_stderr().run();
    gap.world.exports.next_generation();
    gap.world.pull().any_stdout().run();
    gap.export("new").any_stdout().run();
    let (old, new) = (gap.inside(), gap.world.latest());
    let before = Sandbox::new();
    before.copy(gap.world.sandbox.path("inside"), "inside");
    let (mut kills, mut switched) = (0, 0);
    for call in ["rename", "symlink", "fsync", "unlink", "mkdir", "write"] {
        for nth in 1.. {
            gap.world.sandbox.remove("inside").copy(before.path("inside"), "inside");
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
            let output = Cli::new(&strace)
                .folder(gap.world.sandbox.root())
                .args(["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject, PROGRAM])
                .args(["mirror", "import", "new", "inside", "--key", "carrier.pub", "--keep", "1"])
                .output();
            let shown = gap.inside();
            assert!(shown == old || shown == new);
            assert_eq!(gap.files("inside", &shown), gap.files("copy", &shown));
            if output.exit == 0 {
                assert_eq!(shown, new);
                break;
            }
            kills += 1;
            switched += usize::from(shown == new);
            if nth % 8 == 1 {
                gap.import("new").any_stdout().any_stderr().run();
                assert_eq!(gap.inside(), new);
            }
        }
    }
    assert!(
        kills >= 40 && switched >= 1 && kills - switched >= 30,
        "{kills} kills, {switched} of them after the switch"
    );
}
