//! `tls status` before folders that other tools made.

use std::process::Command;

use testkit::Sandbox;

use super::program;

#[test]
fn certificates_of_minica() {
    let Some(minica) = testkit::tool("minica") else { return };
    let sandbox = Sandbox::new();
    let made = Command::new(minica).arg("a.example").current_dir(sandbox.root()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let row = |arguments: &[&str]| {
        let output = program(&sandbox, &[&["tls", "status"], arguments].concat()).any_stdout().run();
        let row = output.stdout.lines().find(|line| line.starts_with("a.example.crt")).unwrap();
        row.split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    let cells = row(&[".", "--ca", "cacert.crt"]);
    assert_eq!((&*cells[1], &*cells[3]), ("O=Example Organization, CN=a.example", "server+client"));
    assert_eq!(cells[5..], ["yes", "ok", "a.example"]);
    // It has no `ca.crt` beside it: without `--ca` nothing is said about whom to trust.
    assert_eq!(row(&["."])[5..], ["yes", "-", "a.example"]);
}

#[test]
fn certificates_of_mkcert() {
    let Some(mkcert) = testkit::tool("mkcert") else { return };
    let sandbox = Sandbox::new();
    let made = Command::new(mkcert)
        .args(["localhost", "127.0.0.1"])
        .current_dir(sandbox.root())
        .env("CAROOT", sandbox.path("root").as_str())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let output = program(&sandbox, &["tls", "status", ".", "--ca", "root/rootCA.pem"]).any_stdout().run();
    let row = output.stdout.lines().find(|line| line.starts_with("localhost+1.pem")).unwrap();
    assert!(row.contains("  yes  ok     localhost, 127.0.0.1"), "{output}");
}
