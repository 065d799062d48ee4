//! What `collimate check` says of the files that `tenant` writes, and of those that it did not write.

use testkit::Sandbox;

use super::{GOOD, MIRROR, PRIMARY, program, tenant};

/// A workspace whose one profile mounts the folder of tenants.
fn mounted() -> Sandbox {
    let sandbox = Sandbox::new();
    let digest = "1a".repeat(32);
    sandbox
        .write(
            "collimate.yaml",
            "schema: 1\nchannels: {stable: {release: release.yaml}}\nmirror: mirror.yaml\n\
             profiles: {shop: {channel: stable, compose: [compose.yaml]}}\nrules: {mirror-domains-differ: off}\n",
        )
        .write("mirror.yaml", MIRROR)
        .write(
            "release.yaml",
            format!(
                "schema: 1\nversion: 1.4.0\nchannel: stable\ndigests: resolved\ncomponents:\n  web:\n    \
                 image: registry.example.org/shop/web\n    tag: 1.4.0\n    digest: sha256:{digest}\n"
            ),
        )
        .write(
            "compose.yaml",
            format!(
                "services:\n  web:\n    image: registry.example.org/shop/web:1.4.0@sha256:{digest}\n    \
                 volumes: [\"./deploy/compose/mirror-gateway/secrets:/secrets:ro\"]\n"
            ),
        )
        .write("deploy/compose/mirror-gateway/secrets/README.md", "");
    sandbox
}

#[test]
fn what_tenant_writes_is_fine_and_what_others_write_is_judged_where_it_stands() {
    let sandbox = mounted();
    sandbox.write("word", GOOD);
    tenant(&sandbox, &["add", "primary", "acme", "--password-file", "word"]).any_stderr().run();
    program(&sandbox, &["check"]).stdout_has("1 profile: no findings").run();

    sandbox.write(PRIMARY, sandbox.read(PRIMARY) + "old:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nopen:hunter2\n");
    let output = program(&sandbox, &["check"])
        .stdout_has(format!("{PRIMARY}:2:5\n"))
        .stdout_has(format!("{PRIMARY}:3:6\n"))
        .stdout_has("`collimate mirror tenant rotate primary open` gives it a new one")
        .exit(1)
        .run();
    for format in ["text", "json", "sarif", "github"] {
        let output = program(&sandbox, &["check", "--format", format]).any_stdout().any_stderr().exit(1).output();
        assert!(output.exit == 1 && output.stdout.contains("mirror-password-weak"), "{output}");
        assert!(!output.to_string().contains("hunter2") && !output.to_string().contains("W6ph5"), "{output}");
    }
    assert!(output.stdout.contains("open:•••"), "{output}");

    sandbox.write(PRIMARY, b"caf\xe9:x\n");
    program(&sandbox, &["check"])
        .stdout_has(format!(
            "warning[mirror-password-weak]: the passwords of `{PRIMARY}` cannot be judged: `{PRIMARY}:1:4` is not UTF-8: the byte `e9`\n"
        ))
        .run();
}
