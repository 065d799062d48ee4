//! `collimate mirror tenant`: what it writes, what it prints, and what it refuses.

mod container;
mod files;
mod judged;
mod prompt;
mod refused;
mod secret;

use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use mirror::htpasswd::File;
use testkit::{Cli, Output, Sandbox};

/// Where a workspace keeps the tenants of its first domain.
pub(super) const PRIMARY: &str = "deploy/compose/mirror-gateway/secrets/mirror-primary.htpasswd";
pub(super) const COMMUNITY: &str = "deploy/compose/mirror-gateway/secrets/mirror-community.htpasswd";

/// Two domains, and budgets that a test can exceed.
pub(super) const MIRROR: &str = "schema: 1
domains:
  - {id: primary, host: primary.example.org, display_name: P, require_authentication: true, downloads_per_hour: 300}
  - {id: community, host: community.example.org, display_name: C, require_authentication: true, downloads_per_hour: 120}
index_requests_per_hour: 600
deployments:
  compose:
    gateway: gateway/conf
    environment: gateway/env
    upstreams: {concelier: \"concelier:8080\", excititor: \"excititor:8080\"}
";

/// A password that is fine.
const GOOD: &str = "a good long password";

pub(super) fn program(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root()).args(arguments.iter().copied())
}

/// `collimate mirror tenant`, at the lowest cost that is allowed.
fn tenant(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    let cost: &[&str] = if matches!(arguments.first(), Some(&"add" | &"rotate")) { &["--cost", "10"] } else { &[] };
    program(sandbox, &["mirror", "tenant"]).args(arguments.iter().copied()).args(cost.iter().copied())
}

/// A workspace with two domains and no tenants.
pub(super) fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write(
            "collimate.yaml",
            "schema: 1\nchannels: {stable: {release: release.yaml}}\nprofiles: {}\nmirror: mirror.yaml\n",
        )
        .write("mirror.yaml", MIRROR)
        .write("deploy/compose/mirror-gateway/secrets/README.md", "");
    sandbox
}

/// Whether the password opens the tenant's line.
#[track_caller]
fn opens(sandbox: &Sandbox, file: &str, name: &str, password: &str) -> bool {
    let file = File::parse(sandbox.read(file).as_bytes());
    assert_eq!(file.problems(), []);
    file.verify(name, password.as_bytes()).is_some()
}

/// The one line of stdout: a generated password.
#[track_caller]
fn password(output: &Output) -> String {
    let password = output.stdout.strip_suffix('\n').unwrap().to_owned();
    assert!(password.len() == 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{output}");
    password
}

fn mode(path: &Utf8Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_tenant_comes_changes_its_password_and_goes() {
    let sandbox = workspace();
    let added = tenant(&sandbox, &["add", "primary", "acme"])
        .any_stdout()
        .stderr(format!(
            "added tenant `acme` to `{PRIMARY}`: bcrypt of cost 10\n\
             the password is shown this once; give it to the tenant where only they can read it\n"
        ))
        .run();
    let first = password(&added);
    assert!(opens(&sandbox, PRIMARY, "acme", &first));
    assert!(sandbox.read(PRIMARY).starts_with("acme:$2y$10$"));
    assert_eq!(mode(&sandbox.path(PRIMARY)), 0o640);

    tenant(&sandbox, &["add", "primary", "other", "--password-file", "-"])
        .stdin(format!("{GOOD}\r\n"))
        .stderr(format!("added tenant `other` to `{PRIMARY}`: bcrypt of cost 10\n"))
        .run();
    assert!(opens(&sandbox, PRIMARY, "other", GOOD));

    let rotated = tenant(&sandbox, &["rotate", "primary", "acme"])
        .any_stdout()
        .stderr(format!(
            "tenant `acme` of `{PRIMARY}` has a new password: bcrypt of cost 10\n\
             the password is shown this once; give it to the tenant where only they can read it\n"
        ))
        .run();
    let second = password(&rotated);
    assert_ne!(first, second);
    assert!(opens(&sandbox, PRIMARY, "acme", &second) && !opens(&sandbox, PRIMARY, "acme", &first));
    assert!(opens(&sandbox, PRIMARY, "other", GOOD), "the other line stays");

    tenant(&sandbox, &["remove", "primary", "acme"]).stderr(format!("removed tenant `acme` from `{PRIMARY}`\n")).run();
    assert!(!opens(&sandbox, PRIMARY, "acme", &second) && opens(&sandbox, PRIMARY, "other", GOOD));
    assert!(!sandbox.path(COMMUNITY).exists(), "the other domain is not touched");
    assert_eq!(sandbox.files().len(), 4, "no lock and no temporary file is left: {:?}", sandbox.files());
}

#[test]
fn what_is_written_opens_for_the_systems_own_crypt() {
    let Some(python) = testkit::tool("python3") else { return };
    let sandbox = workspace();
    sandbox.write("word", format!("{GOOD}\n"));
    tenant(&sandbox, &["add", "primary", "acme", "--password-file", "word"]).any_stderr().run();
    let hash = sandbox.read(PRIMARY).trim().split_once(':').unwrap().1.to_owned();
    // libcrypt, by which nginx and Apache check: it answers with the hash itself, or something else.
    let script = "import ctypes,sys\nlib=ctypes.CDLL('libcrypt.so.1')\nlib.crypt.restype=ctypes.c_char_p\n\
                  print(lib.crypt(sys.argv[1].encode(),sys.argv[2].encode()).decode())";
    Cli::new(python).args(["-c", script, GOOD, hash.as_str()]).stdout(format!("{hash}\n")).run();
}

#[test]
fn tenants_are_listed_with_how_their_passwords_are_kept() {
    let sandbox = workspace();
    sandbox.write(
        PRIMARY,
        "# since May\nacme:$2y$12$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq\n\
         old:$apr1$r31....$HqJZimcKQFAMYayBlzkrA/\ncheap:$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq\n\
         plain:hunter2\nhunter2\nacme:x\n",
    );
    let list = tenant(&sandbox, &["list"])
        .stdout(format!(
            "domain   tenant  hash     cost  verdict\n\
             primary  acme    bcrypt   12    ok\n\
             primary  old     apr1     -     WEAK: apr1, not bcrypt\n\
             primary  cheap   bcrypt   5     WEAK: bcrypt of cost 5, below 10\n\
             primary  plain   unknown  -     WEAK: not a hash that is known, perhaps the password itself\n\
             primary  acme    unknown  -     WEAK: not a hash that is known, perhaps the password itself\n\
             `{PRIMARY}`, line 6: it has no `:` between a name and a hash\n\
             `{PRIMARY}`, line 7: tenant `acme` stands in line 2 already\n\
             `{COMMUNITY}` does not exist: nobody of domain `community` gets in\n"
        ))
        .exit(1)
        .run();
    assert!(!list.stdout.contains("hunter2") && !list.stdout.contains('$'));

    sandbox.write(COMMUNITY, "acme:$2y$12$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq\n");
    tenant(&sandbox, &["list", "community", "--format", "json"])
        .stdout(format!(
            "{{\n  \"schema\": 1,\n  \"domains\": [\n    {{\n      \"domain\": \"community\",\n      \"file\": \"{COMMUNITY}\",\n      \
             \"exists\": true,\n      \"tenants\": [\n        {{\n          \"name\": \"acme\",\n          \"line\": 1,\n          \
             \"form\": \"bcrypt\",\n          \"cost\": 12,\n          \"weak\": null\n        }}\n      ],\n      \
             \"problems\": []\n    }}\n  ]\n}}\n"
        ))
        .run();
    sandbox.write(COMMUNITY, "");
    tenant(&sandbox, &["list", "community"]).stdout(format!("`{COMMUNITY}` has no tenants\n")).run();
}

#[test]
fn a_file_is_edited_without_a_workspace() {
    let sandbox = Sandbox::new();
    sandbox.write("x/README", "");
    tenant(&sandbox, &["add", "primary", "acme", "--file", "x/mirror-primary.htpasswd"])
        .any_stdout()
        .stderr_has("added tenant `acme` to `x/mirror-primary.htpasswd`: bcrypt of cost 10\n")
        .run();
    tenant(&sandbox, &["list", "--file", "x/mirror-primary.htpasswd"])
        .stdout("domain   tenant  hash    cost  verdict\nprimary  acme    bcrypt  10    ok\n")
        .run();
    tenant(&sandbox, &["remove", "primary", "acme", "--file", "x/mirror-primary.htpasswd"])
        .stderr("removed tenant `acme` from `x/mirror-primary.htpasswd`\n")
        .run();
    assert_eq!(sandbox.read("x/mirror-primary.htpasswd"), "");
}

#[test]
fn a_name_that_stood_twice_stands_once_afterwards_and_is_removed_whole() {
    let sandbox = workspace();
    sandbox.write(PRIMARY, "# kept\r\nacme:1\r\nbroken\r\nacme:2\r\n");
    let rotated = tenant(&sandbox, &["rotate", "primary", "acme"])
        .any_stdout()
        .stderr(format!(
            "warning: `{PRIMARY}` had mode 0644 and has 0640 now: hashes are for its owner and group\n\
             warning: `{PRIMARY}`, line 3: it has no `:` between a name and a hash\n\
             tenant `acme` of `{PRIMARY}` has a new password: bcrypt of cost 10\n\
             1 further line of that name was removed\n\
             the password is shown this once; give it to the tenant where only they can read it\n"
        ))
        .run();
    assert_eq!(password(&rotated).len(), 32);
    let text = sandbox.read(PRIMARY);
    assert!(text.starts_with("# kept\r\nacme:$2y$10$") && text.ends_with("\r\nbroken\r\n"), "{text}");

    sandbox.write(PRIMARY, "acme:1\nacme:2\nother:3\nacme:\n");
    tenant(&sandbox, &["remove", "primary", "acme"])
        .stderr(format!("removed tenant `acme` from `{PRIMARY}`, 3 lines\n"))
        .run();
    assert_eq!(sandbox.read(PRIMARY), "other:3\n");
}
