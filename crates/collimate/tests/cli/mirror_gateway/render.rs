//! `collimate mirror render`: what it writes, what it leaves alone, and what it says of settings that cannot be.

use testkit::{Cli, Sandbox};

use super::stage::repository;

/// A folder with the shipped settings as `mirror.yaml`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy(repository().join("deploy/mirror.yaml"), "mirror.yaml");
    sandbox
}

fn render(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    let cli = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root());
    cli.args(["mirror", "render", "--file", "mirror.yaml"]).args(arguments.iter().copied())
}

const CONF: &str = "deploy/compose/mirror-gateway/conf";

#[test]
fn the_second_run_has_nothing_to_do() {
    let sandbox = sandbox();
    let first = render(&sandbox, &[]).any_stdout().run();
    assert!(first.stdout.contains(&format!("wrote `{CONF}/nginx.conf`\n")), "{}", first.stdout);
    let files = sandbox.files();
    assert_eq!(files.len(), 1 + first.stdout.lines().count());
    render(&sandbox, &[]).stderr("nothing to do: 40 files are up to date\n").run();
    render(&sandbox, &["--check"]).run();
    assert_eq!(sandbox.files(), files);
}

#[test]
fn a_check_names_what_differs_and_writes_nothing() {
    let sandbox = sandbox();
    render(&sandbox, &[]).any_stdout().run();
    sandbox.replace(format!("{CONF}/tls.conf"), "TLSv1.2 TLSv1.3", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
    sandbox.remove(format!("{CONF}/limits.conf"));
    sandbox.write(format!("{CONF}/domain-old.conf"), "# Written by `collimate mirror render` from `mirror.yaml`\n");
    sandbox.write(format!("{CONF}/notes.txt"), "mine\n");
    let files = sandbox.files();
    render(&sandbox, &["--check"])
        .stdout(format!(
            "{CONF}/limits.conf: missing\n{CONF}/tls.conf: differs from line 4 on\n{CONF}/domain-old.conf: left over from other settings\n"
        ))
        .stderr("error: 3 files are not what follows from `mirror.yaml`\nhint: `collimate mirror render` writes them\n")
        .exit(1)
        .run();
    assert_eq!(sandbox.files(), files);
    render(&sandbox, &[])
        .stdout(format!("wrote `{CONF}/limits.conf`\nwrote `{CONF}/tls.conf`\nremoved `{CONF}/domain-old.conf`\n"))
        .run();
    render(&sandbox, &["--check"]).run();
    assert_eq!(sandbox.read(format!("{CONF}/notes.txt")), "mine\n");
}

#[test]
fn what_another_run_is_writing_stays_and_what_a_killed_one_left_goes() {
    let sandbox = sandbox();
    render(&sandbox, &[]).any_stdout().run();
    let (running, killed) = (std::process::id(), "4194305");
    for process in [running.to_string(), killed.to_owned()] {
        let path = format!("{CONF}/.collimate-tls.conf-{process}");
        sandbox.write(path, "# Written by `collimate mirror render` from `mirror.yaml`\n");
    }
    // No process has a number above 4194304.
    render(&sandbox, &[]).stdout(format!("removed `{CONF}/.collimate-tls.conf-{killed}`\n")).run();
    assert!(sandbox.path(format!("{CONF}/.collimate-tls.conf-{running}")).is_file());
}

#[test]
fn a_domain_that_is_gone_takes_its_file_along() {
    let sandbox = sandbox();
    render(&sandbox, &[]).any_stdout().run();
    sandbox.replace("mirror.yaml", "id: community", "id: partners");
    let output = render(&sandbox, &[]).any_stdout().run();
    assert!(output.stdout.contains(&format!("removed `{CONF}/domain-community.conf`\n")), "{}", output.stdout);
    assert!(sandbox.path(format!("{CONF}/domain-partners.conf")).is_file());
    assert!(sandbox.read(format!("{CONF}/nginx.conf")).contains("include domain-partners.conf;"));
}

#[test]
fn what_somebody_else_wrote_is_never_replaced() {
    let sandbox = sandbox();
    sandbox.write(format!("{CONF}/nginx.conf"), "# mine\n");
    render(&sandbox, &[])
        .stderr(format!(
            "error: `{CONF}/nginx.conf` was not written by `collimate mirror render`\n\
             caused by: its first line does not say so\n\
             hint: move it away, or name another folder in `mirror.yaml`; nothing was written\n"
        ))
        .exit(3)
        .run();
    assert_eq!(sandbox.files(), [format!("{CONF}/nginx.conf"), "mirror.yaml".to_owned()]);
}

#[test]
fn links_lead_nowhere() {
    let sandbox = sandbox();
    let outside = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("deploy/compose/mirror-gateway")).unwrap();
    std::os::unix::fs::symlink(outside.root(), sandbox.path(CONF)).unwrap();
    render(&sandbox, &[])
        .stderr(format!(
            "error: `{CONF}` leads out of the workspace\n\
             hint: replace the link by a folder, or name another one in `mirror.yaml`\n"
        ))
        .exit(3)
        .run();
    assert!(outside.files().is_empty());

    sandbox.remove(CONF);
    std::fs::create_dir(sandbox.path(CONF)).unwrap();
    outside.write("precious", "# Written by `collimate mirror render`\n");
    std::os::unix::fs::symlink(outside.path("precious"), sandbox.path(format!("{CONF}/tls.conf"))).unwrap();
    render(&sandbox, &[])
        .stderr(format!(
            "error: `{CONF}/tls.conf` is not a plain file\n\
             hint: remove it; a link could lead what is written here elsewhere\n"
        ))
        .exit(3)
        .run();
    assert_eq!(outside.read("precious"), "# Written by `collimate mirror render`\n");
}

#[test]
fn a_workspace_without_a_mirror_says_so() {
    let sandbox = Sandbox::new();
    sandbox
        .write("release.yaml", "")
        .write("collimate.yaml", "schema: 1\nchannels: {a: {release: release.yaml}}\nprofiles: {}\n");
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.root())
        .args(["mirror", "render"])
        .stderr("error: `collimate.yaml` names no mirror\nhint: write `mirror: deploy/mirror.yaml` into it\n")
        .exit(3)
        .run();
    sandbox.write(
        "collimate.yaml",
        "schema: 1\nchannels: {a: {release: release.yaml}}\nprofiles: {}\nmirror: none.yaml\n",
    );
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(sandbox.root())
        .args(["mirror", "render"])
        .stderr_has("error: cannot read `none.yaml`\n")
        .exit(3)
        .run();
}

/// Settings that cannot be: each is one message at its place, and nothing is written.
#[test]
fn bad_settings_are_shown_where_they_stand() {
    for (from, to, message, help) in [
        ("schema: 1", "schema: 2", "`schema` must be 1", "write `schema: 1`, the only version that this program reads"),
        ("tenants:", "tenant:", "unknown key `tenant`", "did you mean `tenants`?"),
        (
            "id: community",
            "id: Community",
            "`domains[1].id` cannot be `Community`",
            "use up to 40 lower-case letters, digits and `-`, such as `primary`",
        ),
        ("id: community", "id: primary", "two domains have the id `primary`", "give each domain its own"),
        (
            "id: community",
            "id: \"a; include x\"",
            "`domains[1].id` cannot be `a; include x`",
            "use up to 40 lower-case letters, digits and `-`, such as `primary`",
        ),
        (
            "host: mirror-community",
            "host: mirror-primary",
            "two domains have the host `mirror-primary.stella-ops.org`",
            "give each domain its own",
        ),
        (
            "host: mirror-community.stella-ops.org",
            "host: https://mirror",
            "`domains[1].host` cannot be `https://mirror`",
            "write one lower-case host name without scheme, port or `*`",
        ),
        (
            "host: mirror-community.stella-ops.org",
            "host: 10.0.0.1",
            "`domains[1].host` cannot be `10.0.0.1`",
            "write one lower-case host name without scheme, port or `*`",
        ),
        (
            "display_name: Community mirror",
            "display_name: \"a' $b\"",
            "`domains[1].display_name` cannot be `a' $b`",
            "use up to 100 letters, digits, blanks and `-.,_()/+&`, with none of the blanks at an end",
        ),
        (
            "downloads_per_hour: 240",
            "downloads_per_hour: 0",
            "`domains[1].downloads_per_hour` cannot be `0`",
            "write a whole number from 1 to 1000000, without quotes",
        ),
        (
            "downloads_per_hour: 240",
            "downloads_per_hour: 100",
            "`downloads_per_hour` of `community` is 100 an hour, and the gateway alone asks up to 120 times",
            "raise it, or let `lifetimes.index` and `lifetimes.bundle` be longer",
        ),
        ("index: 1m ", "index: 1 ", "`lifetimes.index` must be a text, not `1`", "quote it: `\"1\"`"),
        (
            "index: 1m ",
            "index: soon ",
            "`lifetimes.index` cannot be `soon`",
            "write a whole number with `s`, `m`, `h` or `d`, from `1s` to `31d`",
        ),
        (
            "verified: 30s",
            "verified: 2h",
            "`lifetimes.verified` cannot be `2h`",
            "write a whole number with `s`, `m`, `h` or `d`, from `1s` to `10m`",
        ),
        (
            "size: 10g",
            "size: 10t",
            "`cache.size` cannot be `10t`",
            "write a whole number with `k`, `m` or `g`, from `16m` to `16384g`",
        ),
        (
            "{concelier: \"concelier:8080\"",
            "{concelier: concelier",
            "`deployments.compose.upstreams.concelier` cannot be `concelier`",
            "write `host:port`, such as `concelier:8080`",
        ),
        (
            "resolver: 127.0.0.11",
            "resolver: dns.local",
            "`deployments.compose.resolver` cannot be `dns.local`",
            "write the address of a name server, such as `127.0.0.11` of Docker",
        ),
        (
            "gateway: deploy/compose/mirror-gateway/conf",
            "gateway: ../conf",
            "`deployments.compose.gateway` cannot be `../conf`",
            "name a folder below that of `collimate.yaml`",
        ),
        (
            "environment: deploy/compose/mirror-gateway/env",
            "environment: deploy/compose/mirror-gateway/conf/env",
            "`deploy/compose/mirror-gateway/conf/env` is in, around or the same as another folder that is written",
            "give each its own folder",
        ),
        (
            "replicas: 1",
            "replicas: none",
            "`replicas` cannot be `none`",
            "write a whole number from 1 to 100, without quotes",
        ),
        (
            "require_authentication: true\n    downloads_per_hour: 240",
            "downloads_per_hour: 240",
            "`domains[1]` has no `require_authentication`",
            "add `require_authentication`",
        ),
    ] {
        let sandbox = sandbox();
        sandbox.replace("mirror.yaml", from, to);
        let output = render(&sandbox, &[]).any_stderr().exit(3).run();
        assert!(output.stderr.starts_with(&format!("error[mirror]: {message}\n")), "{to}: {}", output.stderr);
        assert!(output.stderr.contains(&format!("= help: {help}\n")), "{to}: {}", output.stderr);
        assert!(output.stderr.ends_with("error: `mirror.yaml` has 1 problem\nhint: `collimate schema mirror` prints the JSON Schema of this file\n"), "{to}: {}", output.stderr);
        assert_eq!(sandbox.files(), ["mirror.yaml"]);
    }
}

#[test]
fn unreadable_settings_are_no_panic() {
    let sandbox = sandbox();
    sandbox.remove("mirror.yaml");
    let missing = "error: cannot read `mirror.yaml`\n";
    render(&sandbox, &[]).stderr_has(missing).exit(3).run();
    std::fs::create_dir(sandbox.path("mirror.yaml")).unwrap();
    render(&sandbox, &[]).stderr_has(missing).exit(3).run();
    sandbox.remove("mirror.yaml").write("mirror.yaml", "schema: [");
    render(&sandbox, &[]).any_stderr().exit(3).run();
    std::fs::write(sandbox.path("mirror.yaml"), [0xff, 0xfe]).unwrap();
    render(&sandbox, &[]).stderr_has(missing).exit(3).run();
}
