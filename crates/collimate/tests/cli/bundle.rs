//! `collimate bundle` and `collimate key`: what they print and write, and what they refuse.

mod shipped;
mod workspace;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use signing::PublicKey;
use testkit::Cli;

use self::workspace::{ARCHIVE, NATS, beside, bytes, signed, with_key, workspace, write};
use crate::tree::Tree;

#[test]
fn a_key_pair_is_new_and_private() {
    let tree = Tree::of(&[]);
    let printed = tree.program(&["key", "new", "release.key"]).any_stdout().run().stdout;
    let public: PublicKey = tree.read("release.key.pub").parse().unwrap();
    assert_eq!(
        printed,
        format!(
            "wrote `release.key`: the private key, unencrypted; whoever can read this file can sign\n\
             wrote `release.key.pub`: the public key\nkey id: {}\nminisign: {}\n",
            public.id(),
            public.to_minisign()
        )
    );
    let mode = |path: &str| tree.path(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("release.key"), mode("release.key.pub")), (0o600, 0o644));
    let shown = format!("key id: {}\nminisign: {}\n{}", public.id(), public.to_minisign(), public.to_pem());
    for file in ["release.key", "release.key.pub"] {
        tree.program(&["key", "show", file]).stdout(shown.clone()).run();
    }
    let private = tree.read("release.key");
    tree.program(&["key", "new", "release.key"])
        .stderr("error: `release.key.pub` exists already\nhint: a key is never overwritten; move it away or name another file\n")
        .exit(2)
        .run();
    std::fs::remove_file(tree.path("release.key.pub")).unwrap();
    tree.program(&["key", "new", "release.key"])
        .stderr("error: `release.key` exists already\nhint: a key is never overwritten; move it away or name another file\n")
        .exit(2)
        .run();
    assert_eq!(tree.read("release.key"), private);
    // A link that leads nowhere is in the way, too: what it names must not become a key.
    std::os::unix::fs::symlink("elsewhere", tree.path("link")).unwrap();
    tree.program(&["key", "new", "link"]).stderr_has("exists already").exit(2).run();
    assert!(!tree.path("elsewhere").exists() && !tree.path("link.pub").exists());
    tree.program(&["key", "new", "no/folder"])
        .stderr("error: cannot write `no/folder`\ncaused by: its folder does not exist\n")
        .exit(4)
        .run();
}

#[test]
fn a_bundle_needs_a_key() {
    let tree = workspace();
    tree.program(&["bundle", "telemetry"])
        .stderr("error: a bundle is signed: `--sign KEY` is missing\nhint: `collimate key new KEY` makes a key; `--unsigned` goes without\n")
        .exit(2)
        .run();
    with_key(&tree, "key");
    tree.program(&["bundle", "telemetry", "--sign", "key.pub"])
        .stderr(
            "error: cannot use the key `key.pub`\ncaused by: it holds a `PUBLIC KEY`, not a `PRIVATE KEY`\n\
             hint: `collimate key new FILE` makes a key pair; signing takes the file without `.pub`\n",
        )
        .exit(3)
        .run();
    tree.program(&["bundle", "telemetry", "--sign", "key", "--unsigned"]).any_stderr().exit(2).run();
    assert!(!tree.path(ARCHIVE).exists());
    std::fs::set_permissions(tree.path("key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    tree.program(&["bundle", "telemetry", "--sign", "key"])
        .stderr("warning: others can read the private key `key` (mode 0644)\n")
        .any_stdout()
        .run();
}

#[test]
fn what_is_in_a_bundle() {
    let tree = workspace();
    with_key(&tree, "key");
    let printed = tree.program(&["bundle", "telemetry", "--sign", "key", "--output", "out"]).any_stdout().run().stdout;
    let public: PublicKey = tree.read("key.pub").parse().unwrap();
    let archive = bytes(&tree, &format!("out/{ARCHIVE}"));
    let verified = bundle::verify(&archive, &beside(&tree.path(&format!("out/{ARCHIVE}"))), &public).unwrap();
    assert_eq!(
        printed,
        format!(
            "wrote `out/{ARCHIVE}`: 24 files of release 1.2.3, {} bytes\nsha256: {}\n\
             signed with key {}: `.sig`, `.minisig`, `.intoto.jsonl` beside it\n",
            archive.len(),
            verified.sha256,
            public.id()
        )
    );
    let manifest = &verified.contained.manifest;
    assert_eq!(manifest.source_date, 1_758_672_000, "the release's date");
    let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "INSTALL.md",
            "deploy/compose/docker-compose.airgap.yaml",
            "deploy/compose/docker-compose.telemetry-storage.yaml",
            "deploy/compose/docker-compose.telemetry.yaml",
            "deploy/compose/env/airgap.env.example",
            "deploy/helm/stellaops/Chart.yaml",
            "deploy/helm/stellaops/templates/pod.yaml",
            "deploy/helm/stellaops/values-airgap.yaml",
            "deploy/helm/stellaops/values.yaml",
            "deploy/releases/airgap.yaml",
            "deploy/telemetry/otel-collector-config.airgap.yaml",
            "deploy/telemetry/otel-collector-config.yaml",
            "deploy/telemetry/storage/loki.yaml",
            "deploy/telemetry/storage/prometheus.yaml",
            "deploy/telemetry/storage/rules/a.yaml",
            "deploy/telemetry/storage/tempo.yaml",
            "deploy/tools/collimate.sh",
            "docs/telemetry.md",
            "images.txt",
            "ops/devops/telemetry/generate_dev_tls.sh",
            "ops/devops/telemetry/smoke_otel_collector.py",
            "verify.sh",
        ][..]
    );
    let unpacked = Command::new("/usr/bin/tar").args(["-xzf", ARCHIVE]).current_dir(tree.path("out")).status().unwrap();
    assert!(unpacked.success());
    assert_eq!(
        tree.read("out/telemetry-offline-bundle/images.txt"),
        format!(
            "docker.io/library/{NATS}\n\
             docker.io/otel/collector:0.1.0@sha256:0d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e0\n\
             registry.example.org/app:1.2.3@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1\n"
        )
    );
    assert!(tree.read("out/telemetry-offline-bundle/INSTALL.md").contains("The digests of this release are samples"));
}

#[test]
fn what_is_missing_is_named() {
    let tree = workspace();
    for path in ["deploy/telemetry/storage/tempo.yaml", "docs/telemetry.md", "deploy/releases/airgap.yaml"] {
        std::fs::rename(tree.path(path), tree.path("away")).unwrap();
        let expected = if path.contains("releases") {
            format!("error: cannot read the release `{path}`\ncaused by: `{path}` does not exist\n")
        } else {
            format!(
                "error: the workspace does not have everything that the bundle needs\ncaused by: `{path}` is missing\n"
            )
        };
        tree.program(&["bundle", "telemetry", "--unsigned"]).stderr(expected).exit(3).run();
        std::fs::rename(tree.path("away"), tree.path(path)).unwrap();
    }
    tree.replace("collimate.yaml", "  airgap: {release", "  other: {release");
    tree.program(&["bundle", "telemetry", "--unsigned"]).any_stderr().exit(3).run();
    assert!(!tree.path(ARCHIVE).exists());
}

#[test]
fn links_are_refused_by_name() {
    let tree = workspace();
    tree.write("deploy/elsewhere.yaml", "server: {}\n");
    let path = "deploy/telemetry/storage/tempo.yaml";
    std::fs::remove_file(tree.path(path)).unwrap();
    std::os::unix::fs::symlink("../../elsewhere.yaml", tree.path(path)).unwrap();
    std::os::unix::fs::symlink("/etc", tree.path("deploy/telemetry/etc")).unwrap();
    tree.program(&["bundle", "telemetry", "--unsigned"])
        .stderr(format!(
            "error: a bundle holds regular files only\ncaused by: `deploy/telemetry/etc` is a link\ncaused by: `{path}` is a link\n\
             hint: replace each by a copy of what it leads to\n"
        ))
        .exit(3)
        .run();
    std::fs::remove_file(tree.path("deploy/telemetry/etc")).unwrap();
    std::fs::rename(tree.path("deploy/telemetry"), tree.path("moved")).unwrap();
    std::os::unix::fs::symlink("../moved", tree.path("deploy/telemetry")).unwrap();
    tree.program(&["bundle", "telemetry", "--unsigned"])
        .stderr_has("caused by: `deploy/telemetry` is a link\n")
        .exit(3)
        .run();
}

#[test]
fn secrets_are_named_and_nothing_is_written() {
    let tree = workspace();
    let body = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
    let kind = ["PRIVATE", "KEY"].join(" ");
    tree.write("deploy/telemetry/notes.txt", &format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n"));
    tree.write("deploy/telemetry/storage/web.yaml", "basic_auth: {}\npassword: hunter2\n");
    tree.write("deploy/telemetry/real.env", "A=1\n");
    tree.replace("deploy/compose/env/airgap.env.example", "change-me:redis-password", "hunter2");
    write(&tree, "deploy/helm/stellaops/icon.png", b"\x89PNG\0\0");
    tree.write(
        "deploy/helm/stellaops/templates/secret.yaml",
        "apiVersion: v1\nkind: Secret\ndata:\n  x: aHVudGVyMg==\n",
    );
    tree.program(&["bundle", "telemetry", "--unsigned", "--output", "out"])
        .stderr(
            "error: nothing was packed: 6 files must not leave the house\n\
             caused by: `deploy/compose/env/airgap.env.example` holds the value of `REDIS_PASSWORD`\n\
             caused by: `deploy/helm/stellaops/icon.png` holds binary data, which nobody can look into\n\
             caused by: `deploy/helm/stellaops/templates/secret.yaml` holds the value of `x` of a Secret\n\
             caused by: `deploy/telemetry/notes.txt` holds a private key\n\
             caused by: `deploy/telemetry/real.env` holds settings of a real deployment; only examples are packed\n\
             caused by: `deploy/telemetry/storage/web.yaml` holds the value of `password`\n\
             hint: remove the secret from the file; if it was ever published, replace it everywhere\n",
        )
        .exit(1)
        .run();
    assert!(!tree.path("out").exists());
}

/// Folders, time zones, clocks, umasks, locales, numbers of processors: nothing of it gets in.
#[test]
fn a_bundle_is_the_same_everywhere() {
    let (one, two) = (workspace(), workspace());
    with_key(&one, "key");
    std::fs::copy(one.path("key"), two.path("key")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let mut runs = 0;
    for tree in [&one, &two] {
        for umask in ["022", "077"] {
            for (locale, zone) in [("C", "UTC"), ("de_DE.UTF-8", "Pacific/Kiritimati")] {
                for cores in ["0", "0,1"] {
                    // Files as another checkout would have them: other times, other permissions.
                    let script = format!(
                        "umask {umask}; touch -d @{runs}00000 deploy/telemetry/storage/*.yaml; chmod u=rw,go= docs/telemetry.md; \
                         exec taskset -c {cores} \"$0\" bundle telemetry --sign key --output out"
                    );
                    let program = env!("CARGO_BIN_EXE_collimate");
                    let run = Cli::new("/bin/sh").folder(tree.path(".")).args(["-c", script.as_str(), program]);
                    let run = run.env("LC_ALL", locale).env("LANG", locale).env("TZ", zone);
                    run.env("SOURCE_DATE_EPOCH", "1700000000").any_stdout().run();
                    let files = ["", ".sha256", ".sig", ".minisig", ".intoto.jsonl"];
                    seen.insert(files.map(|suffix| bytes(tree, &format!("out/{ARCHIVE}{suffix}"))));
                    runs += 1;
                }
            }
        }
    }
    assert_eq!((runs, seen.len()), (16, 1));
    let archive = seen.first().unwrap()[0].clone();
    assert_eq!(bundle::read(&archive).unwrap().manifest.source_date, 1_700_000_000);
}

#[test]
fn the_time_is_checked() {
    let tree = workspace();
    for wrong in ["", "yesterday", "-1", "+1", "1.5", "8589934592", "99999999999999999999"] {
        tree.program(&["bundle", "telemetry", "--unsigned"])
            .env("SOURCE_DATE_EPOCH", wrong)
            .stderr(format!(
                "error: `SOURCE_DATE_EPOCH` is no time\ncaused by: it is `{wrong}`\n\
                 hint: it counts seconds since 1970, in digits, to 8589934591 at most, such as `git log -1 --format=%ct` prints\n"
            ))
            .exit(2)
            .run();
    }
    tree.replace("deploy/releases/airgap.yaml", "date: 2025-09-24T00:00:00Z\n", "");
    tree.program(&["bundle", "telemetry", "--unsigned"])
        .stderr(
            "error: release `1.2.3` has no `date`, which the files of the bundle get\n\
             hint: write one into its manifest, or set `SOURCE_DATE_EPOCH`\n",
        )
        .exit(3)
        .run();
}

#[test]
fn signatures_of_an_older_bundle_do_not_stay() {
    let tree = signed();
    tree.program(&["bundle", "telemetry", "--unsigned", "--output", "out"]).stdout_has("NOT SIGNED").run();
    let mut left: Vec<String> =
        tree.path("out").read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    left.sort();
    assert_eq!(left, [ARCHIVE.to_owned(), format!("{ARCHIVE}.sha256")]);
    tree.program(&["bundle", "verify", &format!("out/{ARCHIVE}"), "--key", "key.pub"])
        .stderr(format!(
            "error: `out/{ARCHIVE}` is not trusted\ncaused by: it is unsigned: there is no `.sig` beside it\n\
             hint: ask for a signed one; `--unverified` only looks whether the archive is whole\n"
        ))
        .exit(5)
        .run();
}

#[test]
fn verifying_needs_a_key_or_the_ugly_word() {
    let tree = signed();
    let archive = format!("out/{ARCHIVE}");
    tree.program(&["bundle", "verify", &archive])
        .stderr(
            "error: a bundle is verified against a key: `--key PUB` is missing\n\
             hint: `--unverified` only looks whether the archive is whole; anybody can have made it\n",
        )
        .exit(2)
        .run();
    let sha256 = tree.read(&format!("{archive}.sha256"))[..64].to_owned();
    let public: PublicKey = tree.read("key.pub").parse().unwrap();
    let trusted =
        format!("trusted: `{archive}`, 24 files of release 1.2.3, signed with key {}\nsha256: {sha256}\n", public.id());
    tree.program(&["bundle", "verify", &archive, "--key", "key.pub"]).stdout(trusted.clone()).run();
    tree.write("minisign.pub", &format!("untrusted comment: ours\n{}\n", public.to_minisign()));
    tree.program(&["bundle", "verify", &archive, "--key", "minisign.pub"]).stdout(trusted).run();
    tree.program(&["bundle", "verify", &archive, "--unverified"])
        .stdout(format!(
            "UNVERIFIED: `{archive}`, 24 files of release 1.2.3, is whole; nobody vouches for it, since no key was given\nsha256: {sha256}\n"
        ))
        .run();
    let json =
        tree.program(&["bundle", "verify", &archive, "--key", "key.pub", "--format", "json"]).any_stdout().run().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "schema": 1, "file": archive, "verdict": "trusted", "reasons": [], "sha256": sha256,
            "key": public.id().to_string(), "release": "1.2.3", "files": 24,
        })
    );
}

#[test]
fn a_pipe_is_not_waited_for() {
    let tree = signed();
    let made = std::process::Command::new("/usr/bin/mkfifo").arg(tree.path("pipe")).status().unwrap();
    assert!(made.success());
    let refused = "error: cannot read `pipe`\ncaused by: it is not a regular file\n";
    let archive = format!("out/{ARCHIVE}");
    for arguments in [
        &["bundle", "verify", "pipe", "--key", "key.pub"][..],
        &["bundle", "verify", &archive, "--key", "pipe"],
        &["bundle", "inspect", "pipe"],
        &["key", "show", "pipe"],
    ] {
        tree.program(arguments).stderr(refused).exit(3).run();
    }
}

#[test]
fn the_reason_is_that_of_the_half_that_a_file_holds() {
    let tree = Tree::of(&[]);
    let block = |edge: &str| format!("-----{edge} ENCRYPTED PRIVATE KEY-----\n");
    tree.write("key", &(block("BEGIN") + "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAk\n" + &block("END")));
    tree.program(&["key", "show", "key"])
        .stderr("error: cannot use the key `key`\ncaused by: it is encrypted, and only unencrypted PKCS#8 is read\n")
        .exit(3)
        .run();
}

#[test]
fn distrust_has_its_words_and_code() {
    let tree = signed();
    with_key(&tree, "other");
    let archive = format!("out/{ARCHIVE}");
    let good = bytes(&tree, &archive);
    let verify = |key: &str| tree.program(&["bundle", "verify", &archive, "--key", key]);
    let id = |file: &str| tree.read(file).parse::<PublicKey>().unwrap().id();
    verify("other.pub")
        .stderr(format!(
            "error: `{archive}` is not trusted\ncaused by: it was signed with key {}, not with the trusted key {}\n\
             hint: do not use it unless its maker tells you, by another way, that the key was changed\n",
            id("key.pub"),
            id("other.pub")
        ))
        .exit(5)
        .run();
    write(&tree, &archive, &good[..good.len() - 10]);
    verify("key.pub")
        .stderr(format!(
            "error: `{archive}` is not trusted\ncaused by: it was cut: {} bytes of the {} that were signed\n\
             hint: copy it again and compare `sha256sum`\n",
            good.len() - 10,
            good.len()
        ))
        .exit(5)
        .run();
    let unverified = tree.program(&["bundle", "verify", &archive, "--unverified"]);
    let cut = "it ends in the middle: the file was cut";
    unverified
        .clone()
        .stderr_has(format!("error: `{archive}` is no bundle\ncaused by: its contents are refused\ncaused by: {cut}\n"))
        .exit(3)
        .run();
    let inspect = tree.program(&["bundle", "inspect", &archive]);
    inspect.clone().stderr(format!("error: `{archive}` is no bundle\ncaused by: {cut}\n")).exit(3).run();
    let mut changed = good.clone();
    changed[good.len() / 2] ^= 4;
    write(&tree, &archive, &changed);
    verify("key.pub").stderr_has("it was changed after it was signed").exit(5).run();
    let output = verify("key.pub").arg("--format").arg("json").output();
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((output.exit, &json["verdict"]), (5, &serde_json::json!("untrusted")));
    write(&tree, &archive, &good);
    std::fs::remove_file(tree.path(&format!("{archive}.minisig"))).unwrap();
    verify("key.pub").stderr_has("caused by: there is no `.minisig` beside it\n").exit(5).run();
    verify("no-such-key").stderr("error: cannot read `no-such-key`\ncaused by: it does not exist\n").exit(3).run();
    verify("collimate.yaml").stderr_has("caused by: it is neither a PEM block nor a minisign key\n").exit(3).run();
    tree.program(&["bundle", "verify", "none", "--key", "key.pub"])
        .stderr("error: cannot read `none`\ncaused by: it does not exist\n")
        .exit(3)
        .run();
    tree.program(&["bundle", "verify", "/dev/zero", "--key", "key.pub"])
        .stderr_has("it is not a regular file")
        .exit(3)
        .run();
}

#[test]
fn inspecting_verifies_nothing_and_says_so() {
    let tree = signed();
    let archive = format!("out/{ARCHIVE}");
    let output = tree
        .program(&["bundle", "inspect", &archive])
        .any_stdout()
        .stderr("note: nothing was verified; `collimate bundle verify` does, with a key\n")
        .run();
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "telemetry-offline-bundle of release 1.2.3 (airgap), 22 files and their list");
    let line = lines.iter().find(|line| line.ends_with("docs/telemetry.md")).unwrap();
    let sha256 = "7f2508f9da39019bd6ea67f8d7e9dc0cd301818f05542238f83c99e00f5f0c06";
    assert_eq!(*line, format!("0644        12  {sha256}  docs/telemetry.md"));
    let json =
        tree.program(&["bundle", "inspect", &archive, "--format", "json"]).any_stdout().any_stderr().run().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["schema"].as_u64(), json["verdict"].as_str()), (Some(1), Some("unverified")));
    assert_eq!(json["files"][0]["path"], "INSTALL.md");
    // A key is not asked for, so that nobody takes the list for a verdict; what is beside the archive is not looked at.
    assert!(!output.stdout.contains("trusted"));
}
