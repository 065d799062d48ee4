//! What is refused before anything is connected to, and never quoted: there may be a password in it.

use testkit::{Cli, Sandbox};

#[test]
fn what_is_no_host_is_a_usage_error_and_not_shown() {
    let url = "a URL is not a host; give its host only, and ports with `--grpc-port` and its kin";
    let port = "give the host without a port; ports have options of their own, such as `--grpc-port`";
    let password = "it must not hold a user name or password";
    for (arguments, said) in [
        (["--host", ""], "it is empty"),
        (["--host", "https://localhost"], url),
        (["--host", "u:hunter2@localhost"], url),
        (["--host", "localhost:4317"], port),
        (["--host=localhost", "--server-name="], "it is empty"),
        (["--host=localhost", "--loki=https://u:hunter2@localhost"], password),
        (["--host=localhost", "--prometheus=https://u:hunter2@localhost"], password),
    ] {
        let sandbox = Sandbox::new();
        let cli = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root()).args(["smoke", "otel"]);
        let output = cli.args(arguments).stderr_has(format!("hint: {said}\n")).exit(2).run();
        assert!(!output.stderr.contains("hunter2"), "{output}");
    }
}

#[test]
fn a_tenant_has_to_fit_into_a_header() {
    let sandbox = Sandbox::new();
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.root())
        .args(["smoke", "otel", "--host", "localhost", "--tenant", "a\nb: c"])
        .stderr_has("a tenant is named with visible ASCII characters")
        .exit(2)
        .run();
}
