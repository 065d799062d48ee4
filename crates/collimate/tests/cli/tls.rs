//! `collimate tls`: what it prints, whom it lets read keys, and what is left when it is killed.

mod access;
mod killed;
mod others;
mod reload;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use camino::Utf8Path;
use certificates::Folder;
use testkit::{Cli, Sandbox};

fn program(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root()).args(arguments.iter().copied())
}

/// A folder with `certs`.
fn generated() -> Sandbox {
    let sandbox = Sandbox::new();
    program(&sandbox, &["tls", "generate", "certs"]).any_stdout().run();
    sandbox
}

/// What OpenSSL says of a certificate: its last day, and its common name.
#[track_caller]
fn read(openssl: &Utf8Path, sandbox: &Sandbox, certificate: &str) -> (String, String) {
    let output = Command::new(openssl)
        .args([
            "x509",
            "-in",
            certificate,
            "-noout",
            "-enddate",
            "-dateopt",
            "iso_8601",
            "-subject",
            "-nameopt",
            "multiline",
        ])
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value =
        |key: &str| text.lines().find(|line| line.contains(key)).unwrap().split_once('=').unwrap().1.trim().to_owned();
    (value("notAfter").get(..10).unwrap().to_owned(), value("commonName"))
}

#[test]
fn what_is_made_is_shown_and_the_second_run_has_nothing_to_do() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    let made = program(&sandbox, &["tls", "generate", "certs", "--san", "telemetry.example"]).any_stdout().run();
    let (until, _) = read(&openssl, &sandbox, "certs/loki/tls.crt");
    let (ca_until, ca) = read(&openssl, &sandbox, "certs/authority/ca.crt");
    let table = |verb: &str| {
        let names = "localhost, 127.0.0.1, ::1, telemetry.example";
        format!(
            "{verb}  authority   until {ca_until}  {ca}\n\
             {verb}  collector   until {until}  otel-collector, {names}\n\
             {verb}  client      until {until}  collimate-client\n\
             {verb}  prometheus  until {until}  prometheus, {names}\n\
             {verb}  tempo       until {until}  tempo, {names}\n\
             {verb}  loki        until {until}  loki, {names}\n"
        )
    };
    assert_eq!(made.stdout, table("made") + "5 of 5 certificates written to `certs`\n");
    program(&sandbox, &["tls", "generate", "certs"]).stdout(table("kept") + "nothing had to be done\n").run();
}

#[test]
fn what_is_renewed_has_its_reason() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = generated();
    sandbox.remove("certs/loki");
    let renewed = program(&sandbox, &["tls", "generate", "certs", "--days", "5", "--renew"]).any_stdout().run();
    let (until, _) = read(&openssl, &sandbox, "certs/tempo/tls.crt");
    assert!(renewed.stdout.contains(&format!("renewed  tempo       until {until}  you asked for it\n")), "{renewed}");
    assert!(
        renewed.stdout.contains(&format!("made     loki        until {until}  loki, localhost, 127.0.0.1, ::1\n")),
        "{renewed}"
    );
    assert!(renewed.stdout.starts_with("kept     authority "), "{renewed}");
}

#[test]
fn an_authority_that_ends_soon_is_named_with_the_way_out() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    program(&sandbox, &["tls", "generate", "my certs", "--ca-days", "20"]).any_stdout().any_stderr().run();
    let (until, _) = read(&openssl, &sandbox, "my certs/authority/ca.crt");
    program(&sandbox, &["tls", "generate", "my certs"])
        .stdout_has("nothing had to be done\n")
        .stderr(format!(
            "warning: the CA ends on {until}, and no certificate can outlive it\n\
             hint: `collimate tls rotate 'my certs' --phase trust` begins to replace it without an outage\n"
        ))
        .run();
}

#[test]
fn the_default_folder_is_the_workspaces() {
    let sandbox = Sandbox::new();
    sandbox.write("collimate.yaml", "not read\n").write("a/b/file", "");
    program(&sandbox, &["tls", "generate"]).stdout_has("written to `deploy/telemetry/certs`\n").run();
    let below = sandbox.path("a/b");
    Cli::new(env!("CARGO_BIN_EXE_collimate"))
        .folder(&below)
        .replace(sandbox.root().as_str(), "[ROOT]")
        .args(["tls", "status"])
        .stdout_has("[ROOT]/deploy/telemetry/certs/loki/tls.crt")
        .run();
    assert_eq!(sandbox.read("deploy/telemetry/certs/.gitignore").lines().last(), Some("*"));
}

#[test]
fn without_a_workspace_a_folder_has_to_be_named() {
    let sandbox = Sandbox::new();
    program(&sandbox, &["tls", "generate"])
        .stderr(
            "error: no `collimate.yaml` in `[DIR]` or above\nhint: name the folder of the certificates on the command line\n",
        )
        .exit(3)
        .run();
    assert!(sandbox.files().is_empty());
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let sandbox = Sandbox::new();
    program(&sandbox, &["tls", "generate", "certs", "--renew-before", "90"])
        .stderr(
            "error: `--renew-before 90` is not shorter than `--days 90`\n\
             hint: every run would renew every certificate; `--renew` does that\n",
        )
        .exit(2)
        .run();
    for (arguments, said) in [
        (["--san", "https://a.example"], "a URL is not a name; give its host only"),
        (["--san", "a:4317"], "neither a DNS name nor an IP address"),
        (["--algorithm", "dsa"], "the algorithms are p256, ed25519 and rsa"),
        (["--days", "0"], "0 is not in 1..=36500"),
        (["--owner", "otel"], "two numbers are needed, such as 10001:10001"),
    ] {
        program(&sandbox, &[&["tls", "generate", "certs"][..], &arguments].concat()).stderr_has(said).exit(2).run();
    }
    assert!(sandbox.files().is_empty());
}

#[test]
fn two_at_once_do_not_mix() {
    let sandbox = generated();
    let _held = Folder::open(&sandbox.path("certs")).unwrap();
    let said = format!(
        "error: another run (process {}) is at work in `certs`\nhint: wait until it is done, then run the command again\n",
        std::process::id()
    );
    program(&sandbox, &["tls", "generate", "certs", "--renew"]).stderr(&said).exit(4).run();
    program(&sandbox, &["tls", "rotate", "certs", "--phase", "trust"]).stderr(&said).exit(4).run();
    // Looking takes nothing away from anybody.
    program(&sandbox, &["tls", "status", "certs"]).any_stdout().run();
}

#[test]
fn every_phase_says_what_it_did_and_what_each_component_needs() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = generated();
    let (_, old) = read(&openssl, &sandbox, "certs/authority/ca.crt");
    program(&sandbox, &["tls", "rotate", "certs", "--phase", "leaf"])
        .stderr(
            "error: `leaf` is not what comes now: no rotation is under way\nhint: `--phase trust` begins a rotation\n",
        )
        .exit(2)
        .run();
    let trust = program(&sandbox, &["tls", "rotate", "certs", "--phase", "trust"]).any_stdout().run();
    let (_, new) = read(&openssl, &sandbox, "certs/authority/next/ca.crt");
    assert_ne!(old, new);
    assert_eq!(
        trust.stdout,
        format!(
            "\
every component trusts the new CA `{new}` beside `{old}`
changed: collector, client, prometheus, tempo, loki

what each component needs now:
  collector   reload (SIGHUP): its exporters read `ca.crt` at start only; its receivers have read it again already
  client      nothing: every run reads its files
  prometheus  nothing: it reads its files again for each connection and scrape
  tempo       restart: it reads the CA of its clients at start only
  loki        restart: it reads the CA of its clients at start only

next: `collimate tls rotate certs --phase leaf`, when all of that is done
"
        )
    );
    program(&sandbox, &["tls", "generate", "certs"])
        .stdout_has("nothing had to be done\n")
        .stderr("note: a rotation is under way; `collimate tls rotate certs --phase leaf` comes next\n")
        .run();
    program(&sandbox, &["tls", "rotate", "certs", "--phase", "leaf"])
        .stdout(format!(
            "\
every certificate is from the new CA `{new}`; `{old}` is still trusted
changed: collector, client, prometheus, tempo, loki

what each component needs now:
  collector   nothing: it reads certificate and key again within `reload_interval`
  client      nothing: every run reads its files
  prometheus  nothing: it reads its files again for each connection and scrape
  tempo       restart where clients connect by address; by name it reads certificate and key for each connection
  loki        restart where clients connect by address; by name it reads certificate and key for each connection

next: `collimate tls rotate certs --phase retire`, when all of that is done
"
        ))
        .run();
    program(&sandbox, &["tls", "status", "certs"]).stdout_has("17 certificates, 7 keys: no findings\n").run();
    program(&sandbox, &["tls", "rotate", "certs", "--phase", "retire"])
        .stdout(format!(
            "\
`{new}` is the CA; `{old}` is trusted no more, and its key is removed
changed: collector, client, prometheus, tempo, loki

what each component needs now:
  collector   reload (SIGHUP), or its exporters trust the old CA until the next start; its receivers do not any more
  client      nothing: every run reads its files
  prometheus  nothing: it reads its files again for each connection and scrape
  tempo       restart, or it lets in clients of the old CA until then
  loki        restart, or it lets in clients of the old CA until then

the rotation is done
"
        ))
        .run();
    program(&sandbox, &["tls", "status", "certs"]).stdout_has("11 certificates, 6 keys: no findings\n").run();
}

#[test]
fn status_shows_what_is_wrong_and_the_way_out() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = generated();
    for name in ["authority", "client", "prometheus", "tempo"] {
        sandbox.remove(format!("certs/{name}"));
    }
    let (_, ca) = read(&openssl, &sandbox, "certs/loki/ca.crt");
    sandbox.copy(sandbox.path("certs/collector/..data/tls.key"), "certs/loki/..data/tls.key");
    std::fs::set_permissions(sandbox.path("certs/collector/tls.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    // The moment at which they were made, whatever the clock says since: they begin an hour before it.
    let found = program(&sandbox, &["tls", "status", "certs", "--format", "json"]).any_stdout().exit(1).run();
    let found: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let begin: jiff::Timestamp = found["certificates"][1]["not_before"].as_str().unwrap().parse().unwrap();
    let made = (begin + jiff::SignedDuration::from_hours(1)).to_string();
    program(&sandbox, &["tls", "status", "certs", "--at", &made])
        .stdout(format!(
            "\
certificate              subject                            issuer                             use            days  key  chain  names
certs/collector/ca.crt   {ca}  {ca}  ca             365   -    self
certs/collector/tls.crt  otel-collector                     {ca}  server+client  90    yes  ok     otel-collector, localhost, 127.0.0.1, ::1
certs/loki/ca.crt        {ca}  {ca}  ca             365   -    self
certs/loki/tls.crt       loki                               {ca}  server+client  90    NO   ok     loki, localhost, 127.0.0.1, ::1

key                      kind   mode  belongs to
certs/collector/tls.key  P-256  0644  certs/collector/tls.crt
certs/loki/tls.key       P-256  0600  -

error[key-permissions]: a private key is open to everyone (mode 0644)
--> certs/collector/tls.key
 = help: run `chmod 600 certs/collector/tls.key`; if others may have read it, make a new one

error[key-mismatch]: the key in `certs/loki/tls.key` does not belong to it
--> certs/loki/tls.crt
 = help: get a new one from where it came from

note[key-unpaired]: belongs to no certificate of its folder
--> certs/loki/tls.key
 = help: remove it if nothing needs it

note[shared-key]: is the same key as `certs/collector/tls.key`
--> certs/loki/tls.key
 = help: a key that is in one place only can be lost in one place only

4 certificates, 2 keys: 2 errors, 2 notes
"
        ))
        .exit(1)
        .run();
}

#[test]
fn status_as_json_has_a_schema_number() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = generated();
    let later = "2999-01-01T00:00:00Z";
    let output = program(&sandbox, &["tls", "status", "certs/client", "--at", later, "--format", "json"])
        .any_stdout()
        .exit(1)
        .run();
    let (until, ca) = read(&openssl, &sandbox, "certs/client/tls.crt");
    assert_eq!(until.len(), 10, "{ca}");
    let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&answer["schema"], &answer["at"]), (&1.into(), &later.into()));
    let certificate = &answer["certificates"][1];
    assert_eq!(certificate["file"], "certs/client/tls.crt");
    assert_eq!(certificate["names"], serde_json::json!(["collimate-client"]));
    assert_eq!(certificate["usages"], serde_json::json!(["client"]));
    assert_eq!(certificate["chain"]["state"], "broken");
    assert_eq!(certificate["key"], "matches");
    let key = serde_json::json!({
        "file": "certs/client/tls.key", "algorithm": "P-256", "mode": "0600", "belongs_to": "certs/client/tls.crt",
    });
    assert_eq!(answer["keys"], serde_json::json!([key]));
    let rules: Vec<_> = answer["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["expired", "expired", "wrong-ca"]);
    program(&sandbox, &["tls", "status", "certs"]).stdout_has("11 certificates, 6 keys: no findings\n").run();
    program(&sandbox, &["tls", "status", "certs", "--warn", "90"]).stdout_has("5 errors\n").exit(1).run();
}

#[test]
fn a_path_that_is_not_there_is_no_finding() {
    program(&Sandbox::new(), &["tls", "status", "nowhere"])
        .stderr("error: cannot read `nowhere`: it does not exist\n")
        .exit(3)
        .run();
}

#[test]
fn what_is_no_folder_of_certificates_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "").write("huge.crt", "a".repeat(1024 * 1024 + 1)).write("some.crt", "");
    program(&sandbox, &["tls", "generate", "file"])
        .stderr("error: `file` is not a folder\nhint: name a folder; it is made if it is not there\n")
        .exit(3)
        .run();
    program(&sandbox, &["tls", "status", "some.crt", "--ca", "huge.crt"])
        .stderr("error: cannot read `huge.crt`: it is larger than 1 MiB\n")
        .exit(3)
        .run();
    program(&sandbox, &["tls", "status", "some.crt", "--at", "2026-01-31"])
        .stderr_has("a date, a time and a zone are needed, such as 2026-01-31T12:00:00Z")
        .exit(2)
        .run();
}

#[test]
fn an_authority_that_was_lost_is_an_outage_and_said_so() {
    let sandbox = generated();
    sandbox.remove("certs/authority");
    program(&sandbox, &["tls", "generate", "certs"])
        .stdout_has("it is from another CA")
        .stderr("warning: the CA is new, so every component has to be restarted\n")
        .run();
}

#[test]
fn the_script_hands_over() {
    let checkout = Sandbox::new();
    let script = "ops/devops/telemetry/generate_dev_tls.sh";
    for script in [script, "deploy/tools/collimate.sh"] {
        checkout.copy(crate::tree::repository().join(script), script);
    }
    checkout.write("collimate.yaml", "").write("crates/collimate/Cargo.toml", "");
    let elsewhere = Sandbox::new();
    let run = |arguments: &[&str]| {
        Cli::new("/bin/sh").folder(elsewhere.root()).arg(checkout.path(script).as_str()).args(arguments.iter().copied())
    };
    let with_program = |arguments: &[&str]| run(arguments).env("COLLIMATE", env!("CARGO_BIN_EXE_collimate"));
    with_program(&[]).any_stdout().run();
    assert!(checkout.path("deploy/telemetry/certs/loki/tls.key").exists(), "by default into its own checkout");
    with_program(&["here", "--algorithm", "ed25519"]).any_stdout().run();
    assert!(elsewhere.path("here/loki/tls.key").exists(), "a folder that is named is the caller's");
    with_program(&["--days", "x"]).any_stderr().exit(2).run();
    let install = format!(
        "collimate is not installed; run: cargo install --locked --path '{}/crates/collimate'\n",
        checkout.root()
    );
    run(&[]).stderr(install).exit(4).run();
    checkout.remove("crates");
    let unpacked = "collimate is not installed; put it on PATH, or name it with COLLIMATE=/path/to/collimate\n";
    run(&[]).stderr(unpacked).exit(4).run();
}

#[test]
fn a_folder_without_certificates_is_not_fine() {
    let sandbox = Sandbox::new();
    sandbox.write("certs/README.md", "none yet\n");
    let output = program(&sandbox, &["tls", "status", "certs"]).any_stdout().exit(1).run();
    assert!(output.stdout.contains("error[absent]: holds neither a certificate nor a key\n"), "{output}");
    program(&sandbox, &["tls", "generate", "certs"]).any_stdout().run();
    program(&sandbox, &["tls", "status", "certs"]).stdout_has("no findings\n").run();
}
