//! Tenants that come, go and change while the verifier runs.

use std::time::{Duration, Instant};

use testkit::{Cli, Sandbox};

use super::world::{PATIENCE, PROGRAM, Verifier, basic, line, password, two_domains, wait_until};

/// As `mirror tenant` and Kubernetes do: the file is another one afterwards.
fn replace(sandbox: &Sandbox, text: &str) {
    sandbox.write("secrets/.new", text);
    std::fs::rename(sandbox.path("secrets/.new"), sandbox.path("secrets/mirror-primary.htpasswd")).unwrap();
}

#[test]
fn a_removed_tenant_is_out_at_the_next_look() {
    let sandbox = two_domains();
    replace(&sandbox, &(line("acme", 1, 4) + &line("other", 3, 4)));
    // A lifetime that this test does not live to see.
    let verifier = Verifier::start(&sandbox, &["--remember", "1h"]);
    let (acme, other) = (basic("acme", &password(1)), basic("other", &password(3)));
    assert_eq!(verifier.ask("primary", &acme).status, 204);
    assert_eq!(verifier.ask("primary", &other).status, 204);
    replace(&sandbox, &line("other", 3, 4));
    verifier.wait_for("primary", &acme, 401);
    assert_eq!(verifier.ask("primary", &other).status, 204);
    // And in again, although it was refused a moment ago.
    replace(&sandbox, &(line("other", 3, 4) + &line("acme", 1, 4)));
    verifier.wait_for("primary", &acme, 204);
}

#[test]
fn a_file_that_is_written_in_place_is_seen_too() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &["--remember", "1h"]);
    let before = std::fs::metadata(sandbox.path("secrets/mirror-primary.htpasswd")).unwrap();
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    // Of the same length and, as a copy keeps it, of the same time.
    sandbox.write("secrets/mirror-primary.htpasswd", line("acme", 5, 4));
    let file = std::fs::File::options().write(true).open(sandbox.path("secrets/mirror-primary.htpasswd")).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    verifier.wait_for("primary", &basic("acme", &password(1)), 401);
    verifier.wait_for("primary", &basic("acme", &password(5)), 204);
}

/// A Secret in a pod is a link to a link to a folder, and an update is a rename of the one in the middle.
#[test]
fn a_mounted_secret_is_seen() {
    let sandbox = Sandbox::new();
    let update = |folder: &str, text: &str| {
        sandbox.write(format!("secrets/{folder}/mirror-primary.htpasswd"), text);
        let _ = std::fs::remove_file(sandbox.path("secrets/..data_tmp"));
        std::os::unix::fs::symlink(folder, sandbox.path("secrets/..data_tmp")).unwrap();
        std::fs::rename(sandbox.path("secrets/..data_tmp"), sandbox.path("secrets/..data")).unwrap();
    };
    update("..1", &line("acme", 1, 4));
    let link = sandbox.path("secrets/mirror-primary.htpasswd");
    std::os::unix::fs::symlink("..data/mirror-primary.htpasswd", link).unwrap();
    let verifier = Verifier::start(&sandbox, &["--remember", "1h"]);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    update("..2", &line("acme", 2, 4));
    verifier.wait_for("primary", &basic("acme", &password(1)), 401);
    verifier.wait_for("primary", &basic("acme", &password(2)), 204);
}

/// What `mirror tenant` writes is what `mirror auth` reads.
#[test]
fn the_program_understands_itself() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    let tenant = |arguments: &[&str]| {
        let file = ["--file", "secrets/mirror-primary.htpasswd", "--cost", "10"];
        let files = if arguments[0] == "remove" { &file[..2] } else { &file[..] };
        let cli = Cli::new(PROGRAM).folder(sandbox.root()).args(["mirror", "tenant"]).args(arguments).args(files);
        cli.any_stdout().any_stderr().run().stdout.trim().to_owned()
    };
    let first = tenant(&["add", "primary", "gamma"]);
    verifier.wait_for("primary", &basic("gamma", &first), 204);
    let second = tenant(&["rotate", "primary", "gamma"]);
    verifier.wait_for("primary", &basic("gamma", &second), 204);
    assert_eq!(verifier.ask("primary", &basic("gamma", &first)).status, 401);
    tenant(&["remove", "primary", "gamma"]);
    verifier.wait_for("primary", &basic("gamma", &second), 401);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
}

#[test]
fn a_damaged_file_closes_its_domain_until_it_is_mended() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &["--remember", "1h"]);
    let acme = basic("acme", &password(1));
    assert_eq!(verifier.ask("primary", &acme).status, 204);
    let hash = line("acme", 1, 4).trim_end().trim_start_matches("acme:").to_owned();
    replace(&sandbox, &format!("# tenants\n{}acme:{}\n", line("other", 3, 4), &hash[..50]));
    verifier.wait_for("primary", &acme, 503);
    assert_eq!(verifier.ask("community", &basic("beta", &password(2))).status, 204, "the other domain is open");
    assert_eq!(verifier.get("/health").status, 503);
    let place = sandbox.path("secrets/mirror-primary.htpasswd:3");
    let expected = format!(
        "error closed primary: {place}: nobody is let in: the hash of tenant `acme` is not a whole bcrypt hash\n"
    );
    wait_until(&expected, || verifier.log().contains(&expected));
    assert!(!verifier.log().contains(&hash[7..30]));
    std::fs::remove_file(sandbox.path("secrets/mirror-primary.htpasswd")).unwrap();
    let start = Instant::now();
    while !verifier.log().contains("nobody is let in: it cannot be read: it does not exist") {
        assert_eq!(verifier.ask("primary", &acme).status, 503);
        assert!(start.elapsed() < PATIENCE, "{}", verifier.log());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    replace(&sandbox, &line("acme", 1, 4));
    verifier.wait_for("primary", &acme, 204);
    assert_eq!(verifier.get("/health").status, 200);
}

/// The folder goes, be it that a mount was lost: closed, not "as it was".
#[test]
fn a_folder_that_goes_closes_everything() {
    let sandbox = two_domains();
    let verifier = Verifier::start(&sandbox, &[]);
    assert_eq!(verifier.ask("primary", &basic("acme", &password(1))).status, 204);
    std::fs::rename(sandbox.path("secrets"), sandbox.path("gone")).unwrap();
    verifier.wait_for("primary", &basic("acme", &password(1)), 503);
    verifier.wait_for("community", &basic("beta", &password(2)), 503);
    std::fs::rename(sandbox.path("gone"), sandbox.path("secrets")).unwrap();
    verifier.wait_for("primary", &basic("acme", &password(1)), 204);
}
