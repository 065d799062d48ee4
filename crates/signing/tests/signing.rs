//! Keys and signatures against OpenSSL and minisign, and against everything that can be changed in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "other tools are given files")]

use std::fmt::Write as _;

use signing::{Envelope, FormatError, KeyError, Minisig, PrivateKey, PublicKey, Signature, VerifyError};
use testkit::{Cli, Sandbox};

const MESSAGE: &[u8] = b"what is signed\n";

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[7; 32])
}

fn other() -> PrivateKey {
    PrivateKey::from_seed(&[8; 32])
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn signatures_are_those_of_rfc_8032() {
    // RFC 8032, section 7.1, test 2.
    let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let signature = hex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    let key = PrivateKey::from_seed(seed.as_slice().try_into().unwrap());
    assert_eq!(key.sign(&[0x72]).0.as_slice(), signature);
    key.public().verify(&[0x72], &Signature::from_slice(&signature).unwrap()).unwrap();
}

#[test]
fn every_spelling_of_a_key_is_read_back() {
    let (private, public) = (key(), key().public());
    assert_eq!(PrivateKey::from_pem(&private.to_pem()).unwrap().public(), public);
    let line = public.to_minisign();
    for text in [public.to_pem(), line.clone(), format!("{line}\n"), format!("untrusted comment: mine\n{line}\n")] {
        assert_eq!(text.parse::<PublicKey>().unwrap(), public, "{text}");
    }
    assert_eq!(public.id().to_string().parse::<signing::KeyId>().unwrap(), public.id());
    assert_ne!(PrivateKey::generate().unwrap().public(), PrivateKey::generate().unwrap().public());
}

#[test]
fn what_is_no_key_is_refused_with_the_reason() {
    let private = |text: &str| PrivateKey::from_pem(text).unwrap_err();
    let public = |text: &str| text.parse::<PublicKey>().unwrap_err();
    let other_label = |expected, found: &str| KeyError::OtherLabel { expected, found: found.to_owned() };
    assert_eq!(private(""), KeyError::Unknown);
    assert_eq!(private(&key().public().to_pem()), other_label("PRIVATE KEY", "PUBLIC KEY"));
    assert_eq!(public(&key().to_pem()), other_label("PUBLIC KEY", "PRIVATE KEY"));
    assert_eq!(private("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"), KeyError::Encrypted);
    assert_eq!(private("untrusted comment: minisign encrypted secret key\nAAAA\n"), KeyError::Encrypted);
    assert_eq!(private("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), KeyError::NotEd25519);
    assert_eq!(public("RWQ"), KeyError::Unknown);
    // A key whose id was changed, as minisign would refuse its signatures.
    let mut line = key().public().to_minisign().into_bytes();
    line[5] = if line[5] == b'A' { b'B' } else { b'A' };
    assert!(matches!(public(&String::from_utf8(line).unwrap()), KeyError::OtherId { .. }));
    // The point of order one: everybody can make signatures for it.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    assert_eq!(public(weak), KeyError::Weak);
}

#[test]
fn a_private_key_is_not_shown() {
    let seed = [0xab; 32];
    let key = PrivateKey::from_seed(&seed);
    assert_eq!(format!("{key:?}"), format!("PrivateKey({})", key.public().id()));
    assert!(!format!("{key:?}").to_lowercase().contains("abab"));
}

#[test]
fn openssl_reads_our_keys_and_verifies() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let folder = Sandbox::new();
    folder.write("key.pem", key().to_pem().as_bytes()).write("pub.pem", key().public().to_pem()).write("file", MESSAGE);
    folder.write("file.sig", key().sign(MESSAGE).0);
    let openssl = |arguments: &str| Cli::new(&openssl).folder(folder.root()).args(arguments.split(' '));
    openssl("pkey -in key.pem -pubout").stdout(key().public().to_pem()).run();
    let verify = "pkeyutl -verify -pubin -inkey pub.pem -rawin -in file -sigfile file.sig";
    openssl(verify).stdout("Signature Verified Successfully\n").run();
    // Ours is also byte for byte what OpenSSL makes of the same key.
    openssl("pkeyutl -sign -inkey key.pem -rawin -in file -out theirs").run();
    assert_eq!(std::fs::read(folder.path("theirs")).unwrap(), key().sign(MESSAGE).0);
    folder.write("file", b"what is singed\n");
    assert_ne!(openssl(verify).output().exit, 0);
}

#[test]
fn we_read_keys_that_openssl_makes() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let folder = Sandbox::new();
    let openssl = |arguments: &str| Cli::new(&openssl).folder(folder.root()).args(arguments.split(' '));
    openssl("genpkey -algorithm ed25519 -out key.pem").run();
    openssl("pkey -in key.pem -pubout -out pub.pem").run();
    let private = PrivateKey::from_pem(&folder.read("key.pem")).unwrap();
    assert_eq!(folder.read("pub.pem").parse::<PublicKey>().unwrap(), private.public());
    assert_eq!(*private.to_pem(), folder.read("key.pem"));
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem").run();
    assert_eq!(PrivateKey::from_pem(&folder.read("ec.pem")).unwrap_err(), KeyError::NotEd25519);
    openssl("pkcs8 -topk8 -in key.pem -passout pass:x -out locked.pem").run();
    assert_eq!(PrivateKey::from_pem(&folder.read("locked.pem")).unwrap_err(), KeyError::Encrypted);
}

#[test]
fn minisign_verifies_ours_and_refuses_what_we_refuse() {
    let Some(minisign) = testkit::tool("minisign") else { return };
    let folder = Sandbox::new();
    let signature = Minisig::sign(MESSAGE, "file:file", &key());
    folder.write("file", MESSAGE).write("file.minisig", signature.to_string());
    folder.write("key.pub", format!("untrusted comment: key\n{}\n", key().public().to_minisign()));
    let minisign = |arguments: &[&str]| Cli::new(&minisign).folder(folder.root()).args(arguments.iter().copied());
    let line = key().public().to_minisign();
    let good = "Signature and comment signature verified\nTrusted comment: file:file\n";
    minisign(&["-V", "-m", "file", "-P", &line]).stdout(good).run();
    minisign(&["-V", "-m", "file", "-p", "key.pub"]).stdout(good).run();
    let refused = |text: &str| {
        folder.write("file.minisig", text);
        minisign(&["-V", "-m", "file", "-P", &line]).output().exit != 0
    };
    let text = signature.to_string();
    assert!(refused(&text.replace("file:file", "file:evil")));
    assert!(refused(&Minisig::sign(MESSAGE, "file:file", &other()).to_string()));
    assert!(refused(&Minisig::sign(b"other", "file:file", &key()).to_string()));
    assert!(!refused(&text));
}

#[test]
fn each_fault_of_a_minisig_has_its_words() {
    let public = key().public();
    let verify = |text: &str, message: &[u8]| text.parse::<Minisig>().map(|read| read.verify(message, &public));
    let good = Minisig::sign(MESSAGE, "a comment", &key()).to_string();
    assert_eq!(verify(&good, MESSAGE), Ok(Ok(())));
    assert_eq!(verify(&good, b"other"), Ok(Err(VerifyError::Mismatch)));
    assert_eq!(verify(&good.replace("a comment", "b comment"), MESSAGE), Ok(Err(VerifyError::Comment)));
    let foreign = Minisig::sign(MESSAGE, "a comment", &other()).to_string();
    let found = other().public().id();
    assert_eq!(verify(&foreign, MESSAGE), Ok(Err(VerifyError::OtherKey { trusted: public.id(), found })));
    assert_eq!(verify(&good[..good.len() - 1], MESSAGE), Err(FormatError::Spelling));
    assert_eq!(verify(&good.replace('\n', "\r\n"), MESSAGE), Err(FormatError::Spelling));
    assert_eq!(verify("", MESSAGE), Err(FormatError::Lines { expected: 4, found: 0 }));
}

/// Flips every bit of a signature file: whatever is read must not verify.
#[track_caller]
fn every_bit_counts(text: &str, verifies: impl Fn(&str) -> bool) {
    assert!(verifies(text));
    let mut missed = String::new();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            if std::str::from_utf8(&bytes).is_ok_and(&verifies) {
                let _ = writeln!(missed, "byte {at}, bit {bit}");
            }
        }
    }
    assert_eq!(missed, "");
}

#[test]
fn every_bit_of_a_minisig_counts() {
    let public = key().public();
    let text = Minisig::sign(MESSAGE, "c", &key()).to_string();
    every_bit_counts(&text, |text| text.parse::<Minisig>().is_ok_and(|read| read.verify(MESSAGE, &public).is_ok()));
}

#[test]
fn every_bit_of_an_envelope_counts() {
    let public = key().public();
    let text = Envelope::sign("text/plain", MESSAGE.to_vec(), &key()).to_string();
    every_bit_counts(&text, |text| text.parse::<Envelope>().is_ok_and(|read| read.verify(&public).is_ok()));
}

#[test]
fn an_envelope_signs_what_dsse_says() {
    let envelope = Envelope::sign("http://example.com/HelloWorld", b"hello world".to_vec(), &key());
    // The encoding of the protocol's own example.
    let encoded = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    let value: serde_json::Value = serde_json::from_str(&envelope.to_string()).unwrap();
    let expected = base64(&key().sign(encoded).0);
    assert_eq!(value["signatures"][0]["sig"], expected.as_str());
    assert_eq!(value["payload"], "aGVsbG8gd29ybGQ=");
    let foreign = envelope.verify(&other().public());
    assert!(matches!(foreign, Err(VerifyError::OtherKey { .. })));
    let text = envelope.to_string();
    assert_eq!(text.replace(':', ": ").parse::<Envelope>(), Err(FormatError::Spelling));
    assert_eq!("[]".parse::<Envelope>(), Err(FormatError::NotEnvelope));
    let doubled = text.replace("}]", "},{}]");
    assert_eq!(doubled.parse::<Envelope>(), Err(FormatError::Signatures(2)));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
