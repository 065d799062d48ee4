//! Keys and passwords in files that git has: which files are looked at, and that nothing of them is shown.

use crate::tree::{RELEASE, Tree};

/// A private key of PEM, whose first line this file must not hold in one piece.
fn key() -> String {
    let body = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
    format!("-----BEGIN {} KEY-----\n{body}\n-----END {0} KEY-----\n", "PRIVATE")
}

fn workspace(profile: &str) -> String {
    format!("schema: 1\nchannels: {{edge: {{release: edge.yaml}}}}\nprofiles:\n  it: {{channel: edge, {profile}}}\n")
}

/// A repository with these files.
fn repository(files: &[(&str, &str)], profile: &str) -> Tree {
    let tree = Tree::of(files);
    tree.write("edge.yaml", RELEASE);
    tree.write("collimate.yaml", &workspace(profile));
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        let status = std::process::Command::new("git").args(arguments).current_dir(tree.path("")).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    }
    tree
}

/// Where the findings of a rule are, as `severity path`.
fn found(tree: &Tree, rule: &str) -> Vec<String> {
    let report = tree.check_json();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<String> =
        findings.map(|finding| format!("{} {}", text(&finding["severity"]), text(&finding["place"]["file"]))).collect();
    found.sort();
    found
}

/// Files, the profile, and where keys are found.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, &'c [&'c str]);

#[test]
fn keys_are_found_wherever_the_compose_file_lies() {
    let Some(_) = testkit::tool("git") else { return };
    let key = key();
    let service = |volumes: &str| format!("services: {{web: {{image: \"nginx:1.27\", volumes: [{volumes}]}}}}\n");
    let (plain, top, below) = (service(""), service("./tests/tls:/tls, ./certs:/certs"), service("../certs:/certs"));
    let file = |path: &'static str| (path, key.as_str());
    let chart =
        [("Chart.yaml", "apiVersion: v2\nname: app\nversion: 0.1.0\n"), file("files/signer"), file("tests/tls.key")];
    let cases: [Case<'_>; 4] = [
        // At the top: what lies beside the file, what is named as a key and what is mounted. Code and tests may have keys.
        (
            &[
                ("compose.yaml", top.as_str()),
                (".gitignore", "ignored.key\n"),
                file("ignored.key"),
                file("signer"),
                file("certs/server"),
                file("certs/README.md"),
                file("certs/library/test/server"),
                file("ssh/id_ed25519"),
                file("src/key.rs"),
                file("tests/other.key"),
                file("tests/tls/server.key"),
            ],
            "compose: [compose.yaml]",
            &[
                "error certs/server",
                "error signer",
                "error ssh/id_ed25519",
                "error tests/tls/server.key",
                "warning certs/library/test/server",
            ],
        ),
        (
            &[
                ("deploy/compose.yaml", below.as_str()),
                file("certs/server"),
                file("deploy/signer"),
                file("other/signer"),
            ],
            "compose: [deploy/compose.yaml]",
            &["error certs/server", "error deploy/signer"],
        ),
        (
            &[("deploy/compose.yaml", plain.as_str()), file("certs/server.key"), file("deploy/tests/server.key")],
            "compose: [deploy/compose.yaml]",
            &["error certs/server.key", "warning deploy/tests/server.key"],
        ),
        (&chart, "chart: .", &["error files/signer", "error tests/tls.key"]),
    ];
    for (files, profile, expected) in cases {
        assert_eq!(found(&repository(files, profile), "private-key-committed"), expected, "{profile}");
    }
}

/// What Compose says begins with a path, which is no name of a secret.
#[test]
fn a_refusal_of_compose_is_not_masked() {
    let tree = Tree::of(&[("compose.yaml", "services: {web: {image: nginx:1.27}}\nsecrets: {a: {}}\n")]);
    let (code, _, stderr) = tree.run_text(&["render", "--compose", "compose.yaml"]);
    let expected = "error: cannot render the Compose files\n\
                    caused by: it does not load: secrets.a: one of file|environment must be set\n";
    assert_eq!((code, stderr.as_str()), (3, expected));
}
