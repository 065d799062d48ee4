//! `collimate tls mirror`: the certificates of the domains.

use std::os::unix::fs::PermissionsExt as _;

use testkit::{Cli, Sandbox};

use super::stage::repository;

fn mirror(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    let cli = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root());
    cli.args(["tls", "mirror", "tls", "--file", "mirror.yaml", "--authority", "certs"]).args(arguments.iter().copied())
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy(repository().join("deploy/mirror.yaml"), "mirror.yaml");
    sandbox
}

#[test]
fn they_are_made_once_and_openssl_trusts_them() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = sandbox();
    let first = mirror(&sandbox, &[])
        .any_stdout()
        .stderr("written to `tls`; a running gateway reads it at a reload (SIGHUP)\nnote: clients trust `certs/authority/ca.crt`\n")
        .run();
    assert!(first.stdout.starts_with("made  mirror-primary    until "), "{}", first.stdout);
    let key = sandbox.read("tls/mirror-community.key");
    let second = mirror(&sandbox, &[]).any_stdout().run();
    assert_eq!(second.stdout, first.stdout.replace("made", "kept"));
    assert_eq!(sandbox.read("tls/mirror-community.key"), key);
    let mode = std::fs::metadata(sandbox.path("tls/mirror-community.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (id, host) in [("primary", "mirror-primary.stella-ops.org"), ("community", "mirror-community.stella-ops.org")] {
        let verify = |host: &str| {
            let certificate = format!("tls/mirror-{id}.crt");
            let arguments = [
                "verify",
                "-CAfile",
                "certs/authority/ca.crt",
                "-verify_hostname",
                host,
                "-purpose",
                "sslserver",
                &certificate,
            ];
            std::process::Command::new(&openssl)
                .args(arguments)
                .current_dir(sandbox.root())
                .output()
                .unwrap()
                .status
                .success()
        };
        assert!(verify(host) && !verify("www.stella-ops.org"), "{id}");
    }
}

#[test]
fn the_group_may_read_keys_where_that_is_asked_for() {
    let sandbox = sandbox();
    mirror(&sandbox, &[]).any_stdout().any_stderr().run();
    let output = mirror(&sandbox, &["--group-readable"]).any_stdout().any_stderr().run();
    assert!(output.stdout.contains("who may read its key was put right\n"), "{}", output.stdout);
    let mode = std::fs::metadata(sandbox.path("tls/mirror-primary.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_certificate_of_another_authority_stays() {
    let sandbox = sandbox();
    sandbox.write("tls/mirror-primary.crt", "theirs").write("tls/mirror-primary.key", "theirs");
    mirror(&sandbox, &[]).stderr_has("`tls/mirror-primary.crt` was not made by this program").exit(3).run();
    assert_eq!(sandbox.read("tls/mirror-primary.key"), "theirs");
    assert!(!sandbox.path("tls/mirror-community.crt").exists());
}

#[test]
fn without_a_workspace_a_folder_must_be_named() {
    let sandbox = sandbox();
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.root())
        .args(["tls", "mirror", "--file", "mirror.yaml", "--authority", "certs"])
        .stderr(
            "error: no folder is named, and there is no workspace\nhint: name the folder: `collimate tls mirror DIR`\n",
        )
        .exit(2)
        .run();
}
