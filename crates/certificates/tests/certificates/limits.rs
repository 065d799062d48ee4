//! Folders and chains that were made to keep us busy.

use std::fs;

use certificates::{Chain, ExaminedCertificate, Request, Validity, generate};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use testkit::Sandbox;

use crate::examine::{authority, leaf, look_at};
use crate::{filled, noon};

/// What is said of a certificate of this name; an authority, with as many below it as there are, or none.
fn params(name: &str, is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

fn reason(certificate: &ExaminedCertificate) -> &str {
    match &certificate.chain {
        Chain::Broken(reason) => reason,
        _ => "",
    }
}

/// A key of ours never has a megabyte: such a file is somebody else's, and is left alone.
#[test]
fn a_file_that_is_too_large_to_be_ours_is_left_alone() {
    let sandbox = Sandbox::new();
    filled(&sandbox, &Request::default(), noon());
    // Through the link, so that nothing but its length is foreign.
    let path = sandbox.path("certs/collector/tls.crt");
    let long = |length: usize| {
        fs::write(&path, vec![b'x'; length]).unwrap();
        generate(&Request::default(), &sandbox.path("certs"), noon()).map(|_| fs::metadata(&path).unwrap().len())
    };
    assert!(long(1 << 20).unwrap() < 10_000, "what is no certificate is made anew");
    let error = long((1 << 20) + 1).unwrap_err();
    assert_eq!(error.to_string(), format!("`{path}` was not made by this program"));
    assert_eq!(fs::metadata(&path).unwrap().len(), (1 << 20) + 1);
}

#[test]
fn a_chain_has_a_longest_length() {
    let chain = |between: usize| {
        let key = KeyPair::generate().unwrap();
        let root = params("root", true);
        let sandbox = Sandbox::new();
        sandbox.write("ca.crt", root.self_signed(&key).unwrap().pem());
        let mut issuer = Issuer::new(root, key);
        let mut file = String::new();
        for number in 0..between {
            let (key, params) = (KeyPair::generate().unwrap(), params(&format!("between {number}"), true));
            file = params.signed_by(&key, &issuer).unwrap().pem() + &file;
            issuer = Issuer::new(params, key);
        }
        let leaf = params("leaf", false).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem();
        sandbox.write("tls.crt", leaf + &file);
        look_at(&sandbox, "", noon()).0.certificates[1].clone()
    };
    assert_eq!(chain(8).chain, Chain::Verified("root".to_owned()));
    assert_eq!(reason(&chain(9)), "more than 8 CAs lie between it and a trusted one");
}

#[test]
fn only_so_many_certificates_of_a_file_are_taken_for_authorities_between() {
    let (root_key, root) = (KeyPair::generate().unwrap(), params("root", true));
    let (key, between) = (KeyPair::generate().unwrap(), params("between", true));
    let sandbox = Sandbox::new();
    sandbox.write("ca.crt", root.self_signed(&root_key).unwrap().pem());
    let needed = between.signed_by(&key, &Issuer::new(root, root_key)).unwrap().pem();
    let leaf =
        params("leaf", false).signed_by(&KeyPair::generate().unwrap(), &Issuer::new(between, key)).unwrap().pem();
    let other = authority().certificate_pem().to_owned();
    let chain = |before: usize| {
        sandbox.write("tls.crt", leaf.clone() + &other.repeat(before) + &needed);
        look_at(&sandbox, "", noon()).0.certificates[1].clone()
    };
    assert_eq!(chain(15).chain, Chain::Verified("root".to_owned()));
    assert_eq!(
        reason(&chain(16)),
        "its issuer `between` is not among the trusted CAs (of the certificates behind the first one only 16 are looked at)"
    );
}

/// Certificates of one name and key that stand several times, or sign each other, have more chains than anybody can follow.
#[test]
fn chains_without_end_are_given_up() {
    let (key, params) = (KeyPair::generate().unwrap(), params("loop", true));
    let between = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let signed = self::params("leaf", false).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem();
    let sandbox = Sandbox::new();
    sandbox.write("ca.crt", authority().certificate_pem()).write("tls.crt", signed + &between.repeat(16));
    let (found, _) = look_at(&sandbox, "", noon());
    let expected = "its chain was not followed to its end: more than 100 signatures would have to be checked";
    assert_eq!(reason(&found.certificates[1]), expected);
}

#[test]
fn signatures_are_counted_in_all() {
    let sandbox = Sandbox::new();
    let root = authority();
    // Each of its own key, so that each has to be checked.
    let others: String = (0..17).map(|_| authority().certificate_pem().to_owned()).collect();
    let leaf = root.issue(&leaf(Validity::days(noon(), 90))).unwrap().certificate_pem;
    sandbox.write("ca.crt", others.clone() + root.certificate_pem()).write("tls.crt", &leaf);
    assert_eq!(look_at(&sandbox, "", noon()).0.certificates[18].chain, Chain::Verified("root".to_owned()));
    sandbox.write("ca.crt", &others);
    for file in 0..299 {
        sandbox.write(format!("{file}.crt"), &leaf);
    }
    let (found, _) = look_at(&sandbox, "", noon());
    let reasons: Vec<&str> = found.certificates.iter().map(reason).collect();
    assert!(reasons[0].starts_with("it is not signed with the key of `root`"), "{}", reasons[0]);
    let spent = "its chain was not followed to its end: more than 5000 signatures in all would have to be checked";
    assert_eq!(reasons.iter().filter(|reason| **reason == spent).count(), 17 + 300 - 294);
}

#[test]
fn files_are_read_up_to_a_limit() {
    let stopped = |name: &str, content: &str, files: usize| {
        let sandbox = Sandbox::new();
        sandbox.write("a/0", content);
        for file in 1..files {
            fs::hard_link(sandbox.path("a/0"), sandbox.path(format!("a/{file:05}{name}"))).unwrap();
        }
        let (_, lines) = look_at(&sandbox, "", noon());
        lines.into_iter().find(|line| line.starts_with("not-examined")).unwrap_or_default()
    };
    let said = |file: &str, reason: &str| {
        format!(
            "not-examined a/{file}: was not examined, nor what comes after it: {reason} | name the folders that hold certificates"
        )
    };
    let plain = "x".repeat(1 << 20);
    let pem = plain.replacen(&"x".repeat(20), "-----BEGIN X-----\n\n\n", 1);
    assert_eq!(stopped("", "", 20_001), said("20000", "20000 files come before it"));
    assert_eq!(stopped("", &plain, 64), "");
    assert_eq!(stopped("", &plain, 65), said("00064", "64 MiB of files come before it"));
    let kept = "4 MiB of certificates and keys come before it";
    assert_eq!(stopped(".pem", &plain, 5), "");
    assert_eq!(stopped(".pem", &plain, 6), said("00005.pem", kept));
    assert_eq!(stopped("", &pem, 5), said("00004", kept));
}
