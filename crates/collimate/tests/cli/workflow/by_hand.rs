//! The checks that docs/ci.md gives to people, copied and pasted.

use testkit::Cli;

use super::staging::{OLD, PLANTED, World, deploy};
use crate::tree::repository;

/// The blocks of commands below a heading.
fn blocks(heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("docs/ci.md")).unwrap();
    let (_, section) = text.split_once(&format!("### {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_check_that_people_copy_works() {
    let (Some(_), Some(_)) = (testkit::tool("curl"), testkit::tool("openssl")) else { return };
    let Some(mut world) = World::new() else { return };
    world.collimate("", &["key", "new", "signing.key"]);
    world.secrets.insert("BUNDLE_SIGNING_KEY".to_owned(), world.sandbox.read("signing.key"));
    deploy(&world, |world, step| {
        if step == "deploy" {
            world.traffic(true);
        }
    })
    .is_green();
    world.sandbox.remove("bin/curl");
    let checkout = world.check_out("people");
    let mut texts = Vec::new();
    for block in blocks("Check them by hand") {
        let mut cli =
            Cli::new("/usr/bin/timeout").args(["50", "bash", "-eo", "pipefail", "-c", &block]).folder(&checkout);
        for (name, value) in world.vars.iter().chain(&world.secrets) {
            cli = cli.env(name, value);
        }
        let path = format!("{}:/usr/bin:/bin", world.sandbox.path("bin"));
        let output = cli.env("PATH", path).env("NO_PROXY", "*").any_stdout().any_stderr().run();
        assert!(!output.to_string().contains(PLANTED), "{output}");
        texts.push(output.stdout);
    }
    let [checks, signing] = texts.as_slice() else { panic!("{texts:?}") };
    for expected in ["set, secret", "\n401\n", "\n200\n", "scanner.scan.completed", &format!("\"release\": \"{OLD}\"")]
    {
        assert!(checks.contains(expected), "`{expected}` is not in\n{checks}");
    }
    assert!(signing.contains("ED25519 Public-Key"), "{signing}");
}

#[test]
fn every_required_name_has_a_check() {
    let checks = blocks("Check them by hand").concat();
    let required = smoke::notify::VARIABLES.iter().filter(|variable| variable.need == smoke::notify::Need::Required);
    let staging =
        ["STAGING_METHOD", "STAGING_SSH_HOST", "STAGING_SSH_KEY", "STAGING_SSH_KNOWN_HOSTS", "STAGING_KUBECONFIG"];
    for name in required.map(|variable| variable.name).chain(staging) {
        assert!(checks.lines().any(|line| line.starts_with('#') && line.contains(name)), "`{name}` has no check");
    }
}
