//! OpenSSL as the judge of what [`Authority`] issues: keys it can read, chains it accepts for what they are made for and for nothing
//! else, and the same verdict on each side of each boundary in time.

use std::process::Command;

use camino::Utf8Path;
use certificates::{Algorithm, Authority, Leaf, Usage, Validity};
use jiff::Timestamp;
use testkit::Sandbox;

fn now() -> Timestamp {
    Timestamp::now()
}

fn leaf(algorithm: Algorithm, usages: &[Usage], validity: Validity) -> Leaf {
    Leaf {
        common_name: "server".to_owned(),
        sans: ["localhost", "127.0.0.1", "::1", "*.svc.internal"].map(|name| name.parse().unwrap()).to_vec(),
        usages: usages.to_vec(),
        algorithm,
        validity,
    }
}

/// What OpenSSL says, of whatever it thinks of it.
fn said(openssl: &Utf8Path, sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = Command::new(openssl).args(arguments).current_dir(sandbox.root()).output().expect("openssl runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A folder with `ca.crt`, `tls.crt` and `tls.key`.
fn issued(ca: Algorithm, leaf: &Leaf) -> Sandbox {
    let authority = Authority::new(ca, Validity::days(now(), 365)).unwrap();
    let issued = authority.issue(leaf).unwrap();
    let sandbox = Sandbox::new();
    sandbox
        .write("ca.crt", authority.certificate_pem())
        .write("ca.key", authority.key().reveal())
        .write("tls.crt", &issued.certificate_pem)
        .write("tls.key", issued.key.reveal());
    sandbox
}

#[track_caller]
fn verify(openssl: &Utf8Path, sandbox: &Sandbox, more: &[&str], expected: &str) {
    let arguments = [&["verify", "-x509_strict", "-CAfile", "ca.crt"], more, &["tls.crt"]].concat();
    let said = said(openssl, sandbox, &arguments);
    assert!(said.contains(expected), "{}: {said}", arguments.join(" "));
}

#[test]
fn every_algorithm_is_accepted_for_its_purpose_and_for_no_other() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    // An authority of each kind, and leafs of another kind than their issuer's.
    let pairs = [
        (Algorithm::P256, Algorithm::P256),
        (Algorithm::Ed25519, Algorithm::Ed25519),
        (Algorithm::Rsa, Algorithm::P256),
        (Algorithm::P256, Algorithm::Rsa),
        (Algorithm::P256, Algorithm::Ed25519),
    ];
    for (ca, own) in pairs {
        let server = issued(ca, &leaf(own, &[Usage::Server], Validity::days(now(), 90)));
        verify(&openssl, &server, &["-purpose", "sslserver", "-verify_hostname", "localhost"], "tls.crt: OK");
        verify(&openssl, &server, &["-purpose", "sslserver", "-verify_hostname", "a.svc.internal"], "tls.crt: OK");
        verify(&openssl, &server, &["-purpose", "sslserver", "-verify_ip", "::1"], "tls.crt: OK");
        verify(&openssl, &server, &["-purpose", "sslserver", "-verify_hostname", "elsewhere"], "hostname mismatch");
        // 3.0 says "unsupported certificate purpose", 3.2 and later "unsuitable certificate purpose".
        verify(&openssl, &server, &["-purpose", "sslclient"], "certificate purpose");
        let client = issued(ca, &leaf(own, &[Usage::Client], Validity::days(now(), 90)));
        verify(&openssl, &client, &["-purpose", "sslclient"], "tls.crt: OK");
        verify(&openssl, &client, &["-purpose", "sslserver"], "certificate purpose");
        // The key can be read and belongs to the certificate.
        let of_key = said(&openssl, &server, &["pkey", "-in", "tls.key", "-pubout"]);
        let of_certificate = said(&openssl, &server, &["x509", "-in", "tls.crt", "-noout", "-pubkey"]);
        assert_eq!(of_key, of_certificate, "{own} from {ca}");
        assert!(said(&openssl, &server, &["pkey", "-in", "ca.key", "-check", "-noout"]).contains("valid"), "{ca}");
    }
}

#[test]
fn extensions_are_what_they_should_be() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let both = [Usage::Server, Usage::Client];
    let sandbox = issued(Algorithm::P256, &leaf(Algorithm::P256, &both, Validity::days(now(), 90)));
    let ca = said(&openssl, &sandbox, &["x509", "-in", "ca.crt", "-noout", "-text"]);
    for expected in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
        "X509v3 Subject Key Identifier",
    ] {
        assert!(ca.contains(expected), "{expected} in {ca}");
    }
    let leaf = said(&openssl, &sandbox, &["x509", "-in", "tls.crt", "-noout", "-text"]);
    for expected in [
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:*.svc.internal",
    ] {
        assert!(leaf.contains(expected), "{expected} in {leaf}");
    }
    let identifier = |text: &str, name: &str| {
        let after = text.split_once(&format!("X509v3 {name} Key Identifier:")).expect("it has one").1;
        after.split_whitespace().next().expect("it is not empty").trim_start_matches("keyid:").to_owned()
    };
    assert_eq!(identifier(&leaf, "Authority"), identifier(&ca, "Subject"));
}

#[test]
fn no_two_serial_numbers_are_alike() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let authority = Authority::new(Algorithm::P256, Validity::days(now(), 365)).unwrap();
    let sandbox = Sandbox::new();
    let mut serials = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let issued = authority.issue(&leaf(Algorithm::P256, &[Usage::Server], Validity::days(now(), 90))).unwrap();
        sandbox.write("tls.crt", issued.certificate_pem);
        let serial = said(&openssl, &sandbox, &["x509", "-in", "tls.crt", "-noout", "-serial"]);
        assert_eq!(serial.trim().len(), "serial=".len() + 32, "128 bits: {serial}");
        serials.insert(serial);
    }
    assert_eq!(serials.len(), 20);
}

#[test]
fn openssl_agrees_on_each_side_of_each_boundary_in_time() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let now: Timestamp = "2025-09-20T12:00:00Z".parse().unwrap();
    let validity = Validity::days(now, 90);
    let authority = Authority::new(Algorithm::P256, Validity::days(now, 365)).unwrap();
    let issued = authority.issue(&leaf(Algorithm::P256, &[Usage::Server], validity)).unwrap();
    let sandbox = Sandbox::new();
    sandbox.write("ca.crt", authority.certificate_pem()).write("tls.crt", issued.certificate_pem);
    let not_before = validity.not_before.as_second();
    let not_after = validity.not_after.as_second();
    for (moment, expected) in [
        (not_before - 1, "not yet valid"),
        (not_before, "tls.crt: OK"),
        (now.as_second(), "tls.crt: OK"),
        (not_after - 1, "tls.crt: OK"),
        (not_after, "has expired"),
        (not_after + 1, "has expired"),
        (authority.validity().not_after.as_second() + 1, "has expired"),
    ] {
        verify(&openssl, &sandbox, &["-attime", &moment.to_string()], expected);
        let at = Timestamp::from_second(moment).unwrap();
        let ours = if validity.is_ahead(at) {
            "not yet valid"
        } else if validity.is_over(at) {
            "has expired"
        } else {
            "tls.crt: OK"
        };
        assert_eq!(ours, expected, "at {at}");
    }
}

#[test]
fn a_foreign_authority_is_refused() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = issued(Algorithm::P256, &leaf(Algorithm::P256, &[Usage::Server], Validity::days(now(), 90)));
    let foreign = Authority::named("collimate development CA", Algorithm::P256, Validity::days(now(), 365)).unwrap();
    sandbox.write("ca.crt", foreign.certificate_pem());
    verify(&openssl, &sandbox, &[], "unable to get local issuer certificate");
}
