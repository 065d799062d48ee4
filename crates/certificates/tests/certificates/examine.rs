//! What is found in folders of certificates, ours and others'.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use certificates::{
    Algorithm, Authority, Chain, Examination, KeyMatch, Leaf, Phase, Question, Request, Rotation, Usage, Validity,
    examine, rotate,
};
use jiff::Timestamp;
use testkit::Sandbox;

use crate::{day, filled, noon};

/// Examines a folder as of a moment; what is said of it, the sandbox's path left out.
pub(crate) fn look_at(sandbox: &Sandbox, path: &str, now: Timestamp) -> (Examination, Vec<String>) {
    let paths = [sandbox.path(path)];
    let found = examine(&Question { paths: &paths, trusted: None, warn: 14, now }).unwrap();
    let root = format!("{}/", sandbox.root());
    let line = |finding: &certificates::Finding| {
        let note = if finding.is_note { "note " } else { "" };
        format!("{note}{} {}: {} | {}", finding.rule, finding.file, finding.message, finding.help).replace(&root, "")
    };
    let lines = found.findings.iter().map(line).collect();
    (found, lines)
}

#[track_caller]
fn check(sandbox: &Sandbox, now: Timestamp, expected: &[&str]) {
    let (_, lines) = look_at(sandbox, "", now);
    assert_eq!(lines, expected);
}

/// A server's certificate, for one name.
pub(crate) fn leaf(validity: Validity) -> Leaf {
    Leaf {
        common_name: "server".to_owned(),
        sans: vec!["localhost".parse().unwrap()],
        usages: vec![Usage::Server],
        algorithm: Algorithm::P256,
        validity,
    }
}

pub(crate) fn authority() -> Authority {
    Authority::named("root", Algorithm::P256, Validity::days(noon(), 365)).unwrap()
}

/// A folder with `ca.crt`, `tls.crt` and `tls.key`, private.
fn folder(authority: &Authority, leaf: &Leaf) -> Sandbox {
    let issued = authority.issue(leaf).unwrap();
    let sandbox = Sandbox::new();
    sandbox
        .write("ca.crt", authority.certificate_pem())
        .write("tls.crt", issued.certificate_pem)
        .write("tls.key", issued.key.reveal());
    private(&sandbox, "tls.key");
    sandbox
}

fn private(sandbox: &Sandbox, path: &str) {
    fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(0o600)).unwrap();
}

fn run(openssl: &Utf8Path, sandbox: &Sandbox, arguments: &[&str]) {
    let output = Command::new(openssl).args(arguments).current_dir(sandbox.root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_was_generated_is_good_on_every_day_of_its_life() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    for phase in Phase::ALL {
        let (found, lines) = look_at(&sandbox, "certs", day(75));
        assert!(lines.is_empty(), "{lines:?}");
        assert!(
            found
                .certificates
                .iter()
                .all(|certificate| matches!(certificate.chain, Chain::Verified(_) | Chain::SelfSigned))
        );
        assert!(found.keys.iter().all(|key| key.belongs_to.is_some() && key.mode == 0o600));
        let rotation = Rotation { phase, algorithm: None, days: 90, ca_days: 365 };
        rotate(&rotation, &sandbox.path("certs"), noon()).unwrap();
    }
}

#[test]
fn each_side_of_each_boundary_in_time() {
    let validity = Validity::days(noon(), 90);
    let sandbox = folder(&authority(), &leaf(validity));
    let second = jiff::SignedDuration::from_secs(1);
    let early =
        "not-yet-valid tls.crt: `server` is not valid before 2025-09-20T11:00:00Z | look at this machine's clock first";
    let ca =
        "not-yet-valid ca.crt: `root` is not valid before 2025-09-20T11:00:00Z | look at this machine's clock first";
    let chain = "wrong-ca tls.crt: `server` is not to be trusted: its issuer `root` is not valid yet | get a new one from where it came from";
    check(&sandbox, validity.not_before - second, &[ca, early, chain]);
    check(&sandbox, validity.not_before, &[]);
    check(&sandbox, day(76) - second, &[]);
    let soon = |when: &str| {
        format!("expires-soon tls.crt: `server` expires {when} (2025-12-19) | get a new one from where it came from")
    };
    check(&sandbox, day(76), &[&soon("in 14 days")]);
    check(&sandbox, day(90) - second, &[&soon("in less than a day")]);
    let over = |when: &str| {
        format!("expired tls.crt: `server` expired {when} (2025-12-19) | get a new one from where it came from")
    };
    check(&sandbox, day(90), &[&over("less than a day ago")]);
    check(&sandbox, day(93) + second, &[&over("3 days ago")]);
}

#[test]
fn ways_out_of_a_generated_folder_are_commands() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request { days: 360, ..Request::default() }, noon());
    let (found, lines) = look_at(&sandbox, "certs", day(353));
    let name = &found.certificates[0].subject;
    assert_eq!(
        lines[0],
        format!(
            "expires-soon certs/authority/ca.crt: `{name}` expires in 12 days (2026-09-20) (in 5 more files too) | run `collimate tls rotate certs --phase trust`"
        )
    );
    assert_eq!(
        lines[1],
        "expires-soon certs/client/tls.crt: `collimate-client` expires in 7 days (2026-09-15) | run `collimate tls generate certs`"
    );
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_key_of_another_certificate() {
    let sandbox = folder(&authority(), &leaf(Validity::days(noon(), 90)));
    let other = authority().issue(&leaf(Validity::days(noon(), 90))).unwrap();
    sandbox.write("tls.key", other.key.reveal());
    check(
        &sandbox,
        noon(),
        &[
            "key-mismatch tls.crt: the key in `tls.key` does not belong to it | get a new one from where it came from",
            "note key-unpaired tls.key: belongs to no certificate of its folder | remove it if nothing needs it",
        ],
    );
    assert_eq!(look_at(&sandbox, "tls.crt", noon()).0.certificates[0].key, KeyMatch::Absent);
    assert_eq!(look_at(&sandbox, "", noon()).0.certificates[1].key, KeyMatch::Differs);
}

#[test]
fn a_key_that_others_can_read() {
    let sandbox = folder(&authority(), &leaf(Validity::days(noon(), 90)));
    for (mode, who) in [(0o644, "everyone"), (0o604, "everyone"), (0o660, "its group, which may replace it")] {
        fs::set_permissions(sandbox.path("tls.key"), fs::Permissions::from_mode(mode)).unwrap();
        let expected = format!(
            "key-permissions tls.key: a private key is open to {who} (mode {mode:04o}) | run `chmod 600 tls.key`; if others may have read it, make a new one"
        );
        check(&sandbox, noon(), &[&expected]);
    }
    fs::set_permissions(sandbox.path("tls.key"), fs::Permissions::from_mode(0o640)).unwrap();
    check(&sandbox, noon(), &[]);
}

#[test]
fn a_certificate_of_another_authority() {
    let good = authority();
    let sandbox = folder(&good, &leaf(Validity::days(noon(), 90)));
    sandbox.write(
        "ca.crt",
        Authority::named("other", Algorithm::P256, Validity::days(noon(), 365)).unwrap().certificate_pem(),
    );
    let said = |reason: &str| {
        format!("wrong-ca tls.crt: `server` is not to be trusted: {reason} | get a new one from where it came from")
    };
    check(&sandbox, noon(), &[&said("its issuer `root` is not among the trusted CAs")]);
    // Of the same name, which only the signature tells.
    sandbox.write("ca.crt", authority().certificate_pem());
    check(&sandbox, noon(), &[&said("it is not signed with the key of `root`, though it names it as its issuer")]);
    // Both of the same name: the right one is found, in either order.
    sandbox.write("ca.crt", [authority().certificate_pem(), good.certificate_pem()].concat());
    check(&sandbox, noon(), &[]);
    // A trusted file that is named counts, and the one beside does not.
    sandbox.write("ca.crt", authority().certificate_pem()).write("trusted.crt", good.certificate_pem());
    let (paths, trusted) = ([sandbox.path("tls.crt")], sandbox.path("trusted.crt"));
    let found = examine(&Question { paths: &paths, trusted: Some(&trusted), warn: 14, now: noon() }).unwrap();
    assert_eq!(found.certificates[0].chain, Chain::Verified("root".to_owned()));
}

#[test]
fn a_chain_over_an_authority_between_and_what_is_wrong_with_it() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    let make = |sandbox: &Sandbox, constraints: &str| {
        sandbox.write("ca.ext", format!("basicConstraints=critical,{constraints}\nkeyUsage=critical,keyCertSign\n"));
        sandbox.write("leaf.ext", "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n");
        let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        run(
            &openssl,
            sandbox,
            &[&["req", "-x509", "-days", "365", "-subj", "/CN=top", "-keyout", "top.key", "-out", "ca.crt"], &ec[..]]
                .concat(),
        );
        for (name, issuer, extensions) in
            [("between", "ca.crt top.key", "ca.ext"), ("leaf", "between.crt between.key", "leaf.ext")]
        {
            let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.crt"));
            let subject = format!("/CN={name}");
            run(
                &openssl,
                sandbox,
                &[&["req", "-new", "-subj", &subject, "-keyout", &key, "-out", &request], &ec[..]].concat(),
            );
            let (ca, ca_key) = issuer.split_once(' ').unwrap();
            run(
                &openssl,
                sandbox,
                &[
                    "x509",
                    "-req",
                    "-in",
                    &request,
                    "-CA",
                    ca,
                    "-CAkey",
                    ca_key,
                    "-CAcreateserial",
                    "-days",
                    "90",
                    "-extfile",
                    extensions,
                    "-out",
                    &certificate,
                ],
            );
        }
        let chain = [sandbox.read("leaf.crt"), sandbox.read("between.crt")].concat();
        sandbox.write("served/fullchain.pem", chain).write("served/ca.crt", sandbox.read("ca.crt"));
    };
    let served = |sandbox: &Sandbox| {
        let (found, lines) = look_at(sandbox, "served", Timestamp::now());
        let leaf = found.certificates.iter().find(|certificate| certificate.subject == "leaf").unwrap();
        (leaf.chain.clone(), lines)
    };
    make(&sandbox, "CA:TRUE,pathlen:0");
    assert_eq!(served(&sandbox), (Chain::Verified("top".to_owned()), vec![]));
    // Without what lies between, the chain is broken.
    sandbox.write("served/fullchain.pem", sandbox.read("leaf.crt"));
    let broken = Chain::Broken("its issuer `between` is not among the trusted CAs".to_owned());
    assert_eq!(served(&sandbox).0, broken);
    make(&sandbox, "CA:FALSE");
    assert_eq!(served(&sandbox).0, Chain::Broken("its issuer `between` is not a CA".to_owned()));
}

#[test]
fn weak_keys_hashes_and_roles_of_certificates_made_by_openssl() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    let sans = ["-addext", "subjectAltName=DNS:localhost"];
    let rsa = ["-newkey", "rsa:1024", "-nodes"];
    run(
        &openssl,
        &sandbox,
        &[
            &["req", "-x509", "-days", "365", "-subj", "/CN=weak", "-keyout", "tls.key", "-out", "tls.crt"],
            &rsa[..],
            &sans,
        ]
        .concat(),
    );
    let (found, lines) = look_at(&sandbox, "", Timestamp::now());
    assert_eq!(
        lines,
        [
            "weak-key tls.crt: the RSA key of `weak` has 1024 bits; 2048 are the least that is accepted | get a new one from where it came from",
            "ca-as-leaf tls.crt: `weak` is a CA but is used as the certificate of a server or client | whoever has its key can issue certificates; use one that the CA issued",
        ]
    );
    assert_eq!((found.certificates[0].key, &*found.certificates[0].algorithm), (KeyMatch::Matches, "RSA 1024"));

    let sandbox = Sandbox::new();
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"];
    run(
        &openssl,
        &sandbox,
        &[&["req", "-x509", "-days", "365", "-subj", "/CN=top", "-keyout", "ca.key", "-out", "ca.crt"], &ec[..]]
            .concat(),
    );
    run(
        &openssl,
        &sandbox,
        &[&["req", "-new", "-subj", "/O=Example/CN=old server", "-keyout", "tls.key", "-out", "tls.csr"], &ec[..]]
            .concat(),
    );
    run(
        &openssl,
        &sandbox,
        &[
            "x509",
            "-req",
            "-sha1",
            "-in",
            "tls.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "90",
            "-out",
            "tls.crt",
        ],
    );
    let (found, lines) = look_at(&sandbox, "", Timestamp::now());
    assert_eq!(
        lines,
        [
            "weak-signature tls.crt: `O=Example, CN=old server` is signed with SHA-1, which is broken | get a new one from where it came from",
            "no-names tls.crt: `O=Example, CN=old server` has no alternative name, and clients do not look at the common name | get a new one from where it came from",
        ]
    );
    // SHA-1 with ECDSA cannot be checked here, and is not said to be right.
    assert_eq!(found.certificates[1].chain, Chain::Unchecked);
    sandbox.write("ca.crt", sandbox.read("tls.crt")).remove("tls.crt").remove("tls.csr");
    let (_, lines) = look_at(&sandbox, "", Timestamp::now());
    assert!(lines.contains(&"not-a-ca ca.crt: `O=Example, CN=old server` is not a CA, so nothing can be verified with it | put the CA's certificate into `ca.crt`".to_owned()), "{lines:?}");
}

#[test]
fn keys_in_every_wrapping_are_matched() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    for (kind, wrappings) in [
        ("rsa:2048", ["PRIVATE KEY", "RSA PRIVATE KEY"]),
        ("ec:P-256", ["PRIVATE KEY", "EC PRIVATE KEY"]),
        ("ec:P-521", ["PRIVATE KEY", "EC PRIVATE KEY"]),
        ("ed25519", ["PRIVATE KEY", "PRIVATE KEY"]),
    ] {
        let sandbox = Sandbox::new();
        let curve = kind.strip_prefix("ec:").map(|curve| format!("ec_paramgen_curve:{curve}"));
        let new: Vec<&str> = match &curve {
            Some(curve) => vec!["-newkey", "ec", "-pkeyopt", curve],
            None => vec!["-newkey", kind],
        };
        let request =
            ["req", "-x509", "-days", "9", "-subj", "/CN=a", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"];
        run(&openssl, &sandbox, &[&request[..], &new].concat());
        for wrapping in wrappings {
            let text = sandbox.read("key.pem");
            assert!(text.contains(&format!("-----BEGIN {wrapping}-----")), "{kind}: {wrapping}");
            let (found, lines) = look_at(&sandbox, "", Timestamp::now());
            assert_eq!(found.certificates[0].key, KeyMatch::Matches, "{kind}: {lines:?}");
            if !kind.starts_with("ed") {
                run(&openssl, &sandbox, &["pkey", "-in", "key.pem", "-traditional", "-out", "new.pem"]);
                fs::rename(sandbox.path("new.pem"), sandbox.path("key.pem")).unwrap();
            }
        }
        // One that is encrypted cannot be compared, and no secret is needed to say so.
        run(&openssl, &sandbox, &["pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:x", "-out", "new.pem"]);
        fs::rename(sandbox.path("new.pem"), sandbox.path("key.pem")).unwrap();
        let (_, lines) = look_at(&sandbox, "", Timestamp::now());
        let expected = "note key-unpaired key.pem: which certificate this key belongs to cannot be told: it is encrypted | compare what `openssl pkey -pubout` and `openssl x509 -pubkey` print";
        assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let sandbox = folder(&authority(), &leaf(Validity::days(noon(), 90)));
    let certificate = sandbox.read("tls.crt");
    sandbox
        .write("a.crt", certificate.replace("MII", "MI!"))
        .write("b.crt", certificate.split_once("-----END").unwrap().0)
        .write("c.crt", "not a certificate\n")
        .write("d.key", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n")
        .write("e.pem", vec![b'x'; 1024 * 1024 + 1])
        .write("notes.txt", "passed over\n")
        .write("g.crt", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    private(&sandbox, "d.key");
    symlink("nowhere", sandbox.path("f.crt")).unwrap();
    let copy = "copy it again from where it came from";
    check(
        &sandbox,
        noon(),
        &[
            &format!("unreadable a.crt: cannot be read: the block of line 1: it is not base64 | {copy}"),
            &format!("unreadable b.crt: cannot be read: the block of line 1: it has no end | {copy}"),
            &format!("unreadable c.crt: cannot be read: it holds no PEM block | {copy}"),
            &format!("unreadable d.key: cannot be read: it is not a private key | {copy}"),
            &format!("unreadable e.pem: cannot be read: it is larger than 1 MiB | {copy}"),
            &format!("unreadable f.crt: cannot be read: it does not exist | {copy}"),
            &format!("unreadable g.crt: cannot be read: the block of line 1: it is not a certificate | {copy}"),
        ],
    );
}

#[test]
fn duplicates_and_shared_keys() {
    let root = authority();
    let sandbox = folder(&root, &leaf(Validity::days(noon(), 90)));
    sandbox.write("ca.crt", [root.certificate_pem(), root.certificate_pem()].concat());
    sandbox.copy(sandbox.path("tls.key"), "other/tls.key").copy(sandbox.path("tls.crt"), "other/tls.crt");
    check(
        &sandbox,
        noon(),
        &[
            "duplicate ca.crt: holds the certificate `root` twice | remove one of them",
            "note shared-key tls.key: is the same key as `other/tls.key` | a key that is in one place only can be lost in one place only",
        ],
    );
}

#[test]
fn hostile_folders_come_to_an_end() {
    let sandbox = folder(&authority(), &leaf(Validity::days(noon(), 90)));
    // Links in circles and out of the folder, a pipe, and a folder that is deeper than anybody needs.
    symlink(".", sandbox.path("circle")).unwrap();
    symlink("/", sandbox.path("out")).unwrap();
    symlink("round.crt", sandbox.path("round.crt")).unwrap();
    assert!(Command::new("/usr/bin/mkfifo").arg(sandbox.path("pipe.pem")).status().unwrap().success());
    let deep = "d/".repeat(20);
    sandbox.write(format!("{deep}x.crt"), "x");
    let (found, lines) = look_at(&sandbox, "", noon());
    assert_eq!(found.certificates.len(), 2);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("unreadable round.crt: cannot be read: "), "{lines:?}");
    let stopped = format!(
        "not-examined {}: was not examined, nor what comes after it: it lies too deep | name the folders that hold certificates",
        "d/".repeat(17).trim_end_matches('/')
    );
    assert_eq!(lines[1], stopped);
    let pipe = [sandbox.path("pipe.pem")];
    let error = examine(&Question { paths: &pipe, trusted: None, warn: 14, now: noon() }).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read `{}`: it is neither a file nor a folder", pipe[0]));
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let paths = [Utf8PathBuf::from("/nonexistent/certs")];
    let error = examine(&Question { paths: &paths, trusted: None, warn: 14, now: noon() }).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `/nonexistent/certs`: it does not exist");
}

#[test]
fn a_thousand_certificates_in_a_second() {
    let root = authority();
    let sandbox = Sandbox::new();
    for folder in 0..250 {
        let issued = root.issue(&leaf(Validity::days(noon(), 90))).unwrap();
        for name in ["a", "b", "c", "tls"] {
            sandbox.write(format!("{folder}/{name}.crt"), &issued.certificate_pem);
        }
        sandbox
            .write(format!("{folder}/ca.crt"), root.certificate_pem())
            .write(format!("{folder}/tls.key"), issued.key.reveal());
        private(&sandbox, &format!("{folder}/tls.key"));
    }
    let started = Instant::now();
    let (found, lines) = look_at(&sandbox, "", noon());
    let took = started.elapsed();
    assert_eq!((found.certificates.len(), found.keys.len()), (1250, 250));
    assert!(lines.is_empty(), "{lines:?}");
    assert!(found.certificates.iter().all(|certificate| certificate.chain != Chain::Unchecked));
    // Measured in a release build: well below a second. This build is not optimised and the machine may be busy.
    assert!(took < Duration::from_secs(10), "{took:?}");
}
