//! `--as-secret`: the same files as Kubernetes takes them.

use testkit::Sandbox;

use super::{COMMUNITY, PRIMARY, opens, password, program, tenant, workspace};

#[test]
fn the_secret_has_the_files_of_all_domains_and_the_password_is_not_in_it() {
    let sandbox = workspace();
    sandbox.write(PRIMARY, "acme:x\n").write(COMMUNITY, "b:y\r\n");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"stellaops-mirror-passwords\"\ntype: Opaque\ndata:\n  \
                  mirror-community.htpasswd: Yjp5DQo=\n  mirror-primary.htpasswd: YWNtZTp4Cg==\n";
    tenant(&sandbox, &["list", "--as-secret"]).stdout(secret).run();
    tenant(&sandbox, &["list", "community", "--as-secret"]).stdout(secret).run();

    let output = tenant(&sandbox, &["rotate", "primary", "acme", "--as-secret", "--namespace", "2025", "--name", "m"])
        .any_stdout()
        .any_stderr()
        .run();
    let shown = output.stderr.lines().last().unwrap();
    assert_eq!(shown.len(), 32, "{output}");
    assert!(opens(&sandbox, PRIMARY, "acme", shown), "the file is written too");
    assert!(
        output.stdout.contains("\n  name: \"m\"\n  namespace: \"2025\"\n") && !output.stdout.contains(shown),
        "{output}"
    );
    // The bytes that are on disk, as the cluster will unpack them.
    tenant(&sandbox, &["list", "--as-secret", "--namespace", "2025", "--name", "m"]).stdout(output.stdout).run();
    tenant(&sandbox, &["remove", "primary", "acme", "--as-secret"])
        .stdout_has("  mirror-primary.htpasswd: \"\"\n")
        .stderr(format!("removed tenant `acme` from `{PRIMARY}`\n"))
        .run();
}

#[test]
fn what_the_secret_does_not_have_is_said() {
    let sandbox = workspace();
    let added = tenant(&sandbox, &["add", "primary", "acme"]).any_stdout().any_stderr().run();
    assert_eq!(password(&added).len(), 32);
    tenant(&sandbox, &["list", "--as-secret"])
        .any_stdout()
        .stderr(format!(
            "warning: `{COMMUNITY}` does not exist and is not in the Secret: the verifier lets nobody of domain \
             `community` in\n"
        ))
        .run();
    let alone = Sandbox::new();
    alone.write("f", "");
    tenant(&alone, &["list", "primary", "--file", "f", "--as-secret"])
        .stdout_has("data:\n  mirror-primary.htpasswd: \"\"\n")
        .stderr(
            "warning: the Secret has `mirror-primary.htpasswd` only; applied over one that has other domains, it removes them\n",
        )
        .run();
}

#[test]
fn names_that_kubernetes_does_not_take() {
    let sandbox = workspace();
    for (option, value, stderr) in [
        (
            "--namespace",
            "Mirror",
            "error: `--namespace Mirror` is not a name that Kubernetes takes\n\
             hint: lower-case letters, digits and `-`, with a letter or digit at both ends\n",
        ),
        (
            "--name",
            "a: b",
            "error: `--name a: b` is not a name that Kubernetes takes\n\
             hint: lower-case letters, digits, `-` and `.`, with a letter or digit at both ends\n",
        ),
    ] {
        let files = sandbox.files();
        program(&sandbox, &["mirror", "tenant", "add", "primary", "acme", "--as-secret", option, value])
            .exit(2)
            .stderr(stderr)
            .run();
        assert_eq!(sandbox.files(), files);
    }
}
