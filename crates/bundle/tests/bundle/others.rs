//! What other tools say of our bundles, and we of theirs.

use bundle::read;
use camino::Utf8Path;
use testkit::{Cli, Sandbox};

use crate::fixture::{NAME, key, signed};

fn folder() -> Sandbox {
    let folder = Sandbox::new();
    let (archive, beside) = signed();
    let name = archive.manifest.archive_name();
    folder.write(&name, &archive.bytes);
    for file in bundle::BesideFile::ALL {
        folder.write(format!("{name}{}", file.suffix()), beside.get(file).unwrap());
    }
    folder.write("key.pem", key().public().to_pem());
    folder
}

fn tool(folder: &Sandbox, program: impl AsRef<Utf8Path>, arguments: &str) -> Cli {
    Cli::new(program).folder(folder.root()).args(arguments.split(' '))
}

const OPENSSL: &str =
    "pkeyutl -verify -pubin -inkey key.pem -rawin -in small-bundle.tar.gz -sigfile small-bundle.tar.gz.sig";

#[test]
fn openssl_minisign_and_sha256sum_verify_ours() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let Some(minisign) = testkit::tool("minisign") else { return };
    let folder = folder();
    let verify = format!("-V -m small-bundle.tar.gz -P {}", key().public().to_minisign());
    let verified = "Signature and comment signature verified\nTrusted comment: timestamp:1758672000\tfile:small-bundle.tar.gz\thashed\n";
    tool(&folder, &openssl, OPENSSL).stdout("Signature Verified Successfully\n").run();
    tool(&folder, &minisign, &verify).stdout(verified).run();
    tool(&folder, "/usr/bin/sha256sum", "-c --strict small-bundle.tar.gz.sha256")
        .stdout("small-bundle.tar.gz: OK\n")
        .run();

    // What they refuse, we refuse: see `flips` for every bit of it.
    let mut bytes = std::fs::read(folder.path("small-bundle.tar.gz")).unwrap();
    bytes[20] ^= 1;
    folder.write("small-bundle.tar.gz", &bytes);
    assert_ne!(tool(&folder, &openssl, OPENSSL).output().exit, 0);
    assert_ne!(tool(&folder, &minisign, &verify).output().exit, 0);
    assert_ne!(tool(&folder, "/usr/bin/sha256sum", "-c --strict small-bundle.tar.gz.sha256").output().exit, 0);
}

#[test]
fn gzip_and_tar_unpack_ours() {
    let folder = folder();
    tool(&folder, "/usr/bin/gzip", "-t small-bundle.tar.gz").run();
    tool(&folder, "/usr/bin/tar", "-xzf small-bundle.tar.gz").run();
    tool(&folder, "/usr/bin/sha256sum", "-c --strict --quiet SHA256SUMS").folder(folder.path(NAME)).run();
    tool(&folder, "/bin/sh", "small-bundle/ops/run.sh").stdout("small\n").run();
    let listed =
        tool(&folder, "/usr/bin/tar", "--numeric-owner --utc -tvzf small-bundle.tar.gz").any_stdout().run().stdout;
    let line = listed.lines().find(|line| line.ends_with("run.sh")).unwrap();
    assert_eq!(line, "-rwxr-xr-x 0/0              21 2025-09-24 00:00 small-bundle/ops/run.sh");
}

#[test]
fn what_tar_makes_of_the_same_files_is_not_ours() {
    let folder = folder();
    tool(&folder, "/usr/bin/tar", "-xzf small-bundle.tar.gz").run();
    let made = |arguments: &str| {
        tool(&folder, "/usr/bin/tar", &format!("{arguments} -czf theirs.tar.gz small-bundle")).run();
        let mut bytes = std::fs::read(folder.path("theirs.tar.gz")).unwrap();
        // What gzip itself says of level and system is refused already.
        bytes[4..10].copy_from_slice(&[0, 0, 0, 0, 2, 255]);
        read(&bytes).unwrap_err().to_string()
    };
    assert_eq!(made("--format=ustar"), "`small-bundle/` is a folder; a bundle holds regular files only");
    let pax = "a tar header is a pax header, which could rename or resize what follows; a bundle has none";
    assert_eq!(made("--format=pax"), pax);
}
