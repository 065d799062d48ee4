//! What is asked of it wrongly, and `--check`.

use testkit::{Cli, Sandbox};

use super::world::{PROGRAM, Verifier, basic, line, password, two_domains};

fn auth(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    Cli::new(PROGRAM).folder(sandbox.root()).args(["mirror", "auth"]).args(arguments)
}

#[test]
fn bad_arguments_get_a_way_out() {
    let sandbox = two_domains();
    sandbox.write("empty/readme", "");
    sandbox.write("open.yaml", "schema: 1\n");
    let long = "x".repeat(120);
    for (arguments, exit, stderr) in [
        (&["--socket", "s"][..], 2, "--secrets <DIR>"),
        (&["--secrets", "secrets"], 2, "--socket <FILE>"),
        (&["--secrets", "secrets", "--socket", "s", "--listen", "127.0.0.1:1"], 2, "cannot be used with"),
        (&["--secrets", "secrets", "--listen", "here"], 2, "invalid socket address syntax"),
        (&["--secrets", "secrets", "--socket", "s", "--workers", "0"], 2, "0 is not in 1..=64"),
        (&["--secrets", "secrets", "--socket", "s", "--workers", "65"], 2, "65 is not in 1..=64"),
        (
            &["--secrets", "secrets", "--socket", "s", "--remember", "30"],
            2,
            "it must be a number and a unit, such as `30s` or `5m`",
        ),
        (&["--secrets", "secrets", "--socket", "s", "--remember", "2h"], 2, "it must be between 1s and 1h"),
        (&["--secrets", "secrets", "--socket", "s", "--domain", "../x"], 2, "a domain is 1 to 63 lower-case letters"),
        (
            &["--secrets", "none", "--socket", "s"],
            3,
            "error: cannot read the folder `[DIR]/none`: it does not exist\nhint: `--secrets` names the folder that is mounted with the \
             htpasswd files\n",
        ),
        (
            &["--secrets", "empty/readme", "--socket", "s"],
            3,
            "error: cannot read the folder `[DIR]/empty/readme`: a part of its path is no folder\n",
        ),
        (
            &["--secrets", "empty", "--socket", "s"],
            3,
            "error: no domain is named, and `[DIR]/empty` holds no `mirror-<domain>.htpasswd`\nhint: `collimate mirror tenant add DOMAIN NAME` makes one",
        ),
        (
            &["--secrets", "secrets", "--listen", "0.0.0.0:0"],
            2,
            "error: 0.0.0.0:0 is not an address of this machine alone\nhint: passwords are not encrypted here; listen on 127.0.0.1, [::1] or a socket\n",
        ),
        (&["--secrets", "secrets", "--socket", &long], 2, "bytes; the system allows 107\nhint: name a shorter path"),
        (
            &["--secrets", "secrets", "--socket", "none/s"],
            4,
            "error: cannot listen on `[DIR]/none/s`: its folder does not exist\n",
        ),
        (&["--secrets", "secrets", "--socket", "s", "--config", "none.yaml"], 3, "error: cannot read `none.yaml`"),
        (&["--secrets", "secrets", "--socket", "s", "--config", "open.yaml"], 3, "error: `open.yaml` has "),
    ] {
        auth(&sandbox, arguments).exit(exit).stderr_has(stderr).run();
    }
}

#[test]
fn check_looks_and_ends() {
    let sandbox = two_domains();
    let check = |arguments: &[&str]| auth(&sandbox, &["--secrets", "secrets", "--check"]).args(arguments);
    check(&[]).stdout("community: 1 tenant\nprimary: 1 tenant\n").run();
    check(&["--domain", "primary"]).stdout("primary: 1 tenant\n").run();
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 1, 10) + "old:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n");
    check(&[])
        .exit(1)
        .stdout(
            "community: 1 tenant\nprimary: 2 tenants\n\
             primary: [DIR]/secrets/mirror-primary.htpasswd:2: tenant `old` is never let in: the hash is sha1, not bcrypt\n",
        )
        .run();
    sandbox.write("secrets/mirror-community.htpasswd", "beta\n");
    check(&["--domain", "community", "--domain", "later"])
        .exit(3)
        .stdout(
            "community: closed; [DIR]/secrets/mirror-community.htpasswd:1: it has no `:` between a name and a hash\n\
             later: closed; [DIR]/secrets/mirror-later.htpasswd: it cannot be read: it does not exist\n",
        )
        .run();
}

/// Domains and lifetime come from the same file as the gateway's configuration.
#[test]
fn mirror_yaml_names_the_domains() {
    let sandbox = two_domains();
    let settings = include_str!("../../../../../deploy/mirror.yaml");
    sandbox.write("mirror.yaml", settings);
    let check = ["--secrets", "secrets", "--check", "--config", "mirror.yaml"];
    auth(&sandbox, &check).stdout("primary: 1 tenant\ncommunity: 1 tenant\n").run();
    sandbox.remove("secrets/mirror-community.htpasswd");
    let expected = "community: closed; [DIR]/secrets/mirror-community.htpasswd: it cannot be read: it does not exist\n";
    auth(&sandbox, &check).exit(3).stdout_has(expected).run();
    let verifier = Verifier::start(&sandbox, &["--config", "mirror.yaml"]);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    assert_eq!(verifier.get("/health").status, 503);
}
