//! Keys and passwords under any name, in any wrapping; made by the tools that make them.

use bundle::{File, Mode, secret_in};
use testkit::{Cli, Sandbox};

use crate::fixture::contents;

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    assert_eq!(secret_in(bytes).as_deref(), Some(expected));
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[test]
fn binary_keys_are_known_by_their_structure() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let folder = Sandbox::new();
    let openssl = |arguments: &str| {
        Cli::new(&openssl).folder(folder.root()).args(arguments.split(' ')).any_stdout().any_stderr().run();
    };
    let binary = "binary data, which nobody can look into";
    openssl("genpkey -algorithm ed25519 -out ed.pem");
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa.pem");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    openssl("req -x509 -new -key ec.pem -subj /CN=x -days 1 -out ec.crt");
    for (command, expected) in [
        ("pkey -in ed.pem -outform DER -out x", "a PKCS#8 private key"),
        ("pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out x", "a PKCS#8 private key"),
        ("pkcs8 -topk8 -nocrypt -in ec.pem -outform DER -out x", "a PKCS#8 private key"),
        ("rsa -in rsa.pem -traditional -outform DER -out x", "an RSA or DSA private key"),
        ("ec -in ec.pem -outform DER -out x", "an EC private key"),
        ("pkcs8 -topk8 -in rsa.pem -passout pass:x -outform DER -out x", "an encrypted PKCS#8 private key"),
        ("pkcs12 -export -inkey ec.pem -in ec.crt -passout pass:x -out x", "a PKCS#12 file"),
    ] {
        openssl(command);
        let key = std::fs::read(folder.path("x")).unwrap();
        check(&key, expected);
        // In the middle of something, in base64, in base64 of base64, cut into lines, on one line with `\n`.
        check(&[b"\0\0picture", key.as_slice(), b"\xff"].concat(), expected);
        let text = base64(&key);
        check(format!("data: {text}\n").as_bytes(), expected);
        check(format!("data: {}\n", base64(format!("x: {text}").as_bytes())).as_bytes(), expected);
        let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        check(format!("key: |\n  {}\n", lines.join("\n  ")).as_bytes(), expected);
        check(format!("key: \"\\n{}\\n\"\n", lines.join("\\n")).as_bytes(), expected);
    }
    // A public key and a certificate are no keys of ours; but they are binary.
    openssl("pkey -in rsa.pem -pubout -outform DER -out x");
    check(&std::fs::read(folder.path("x")).unwrap(), binary);
    openssl("x509 -in ec.crt -outform DER -out x");
    check(&std::fs::read(folder.path("x")).unwrap(), binary);
    assert_eq!(secret_in(folder.read("ec.crt").as_bytes()), None, "a certificate is not secret");
    for name in ["ed.pem", "rsa.pem", "ec.pem"] {
        check(folder.read(name).as_bytes(), "a private key");
        check(format!("x: {}\n", base64(folder.read(name).as_bytes())).as_bytes(), "a private key");
    }
}

#[test]
fn passwords_and_tokens() {
    // Made up, in pieces, so that no scanner takes this file for what it tests.
    let bcrypt = format!("$2y$05${}", "abcdefghijklmnopqrstuvwxyz".repeat(2) + "A");
    check(format!("mirror:{bcrypt}\n").as_bytes(), "a bcrypt password hash");
    check(format!("basic_auth_users:\n  admin: {bcrypt}\n").as_bytes(), "a bcrypt password hash");
    check(format!("mirror:{}\n", "$apr1$abcdefgh$0123456789abcdefghijkl").as_bytes(), "a line of a password file");
    check(format!("mirror:{}{}\n", "{SHA}", "0123456789abcdefghijklmnop=").as_bytes(), "a line of a password file");
    check(format!("x {}{}\n", "ghp_", "a1".repeat(18)).as_bytes(), "a GitHub token");
    check(format!("x {}{}\n", "sk_live_", "a1".repeat(12)).as_bytes(), "a Stripe key");
    check(format!("x {}{}\n", "AGE-SECRET-KEY-1", "Q1".repeat(29)).as_bytes(), "an age private key");
    check(format!("key: {}{}\n", "AKIA", "A1B2".repeat(4)).as_bytes(), "an AWS access key");
    let token = ["eyJhbGciOiJFUzI1NiJ9", "eyJzdWIiOiJ4In0", "c2lnbmF0dXJlLW9mLXRoaXM"].join(".");
    check(format!("Authorization: Bearer {token}\n").as_bytes(), "a signed token");
    check(br#"{"kty": "OKP", "crv": "Ed25519", "x": "a", "d": "b"}"#, "a private JSON Web Key");
}

#[test]
fn what_is_packed_too_often_is_not_unpacked() {
    let token = format!("x {}{}\n", "ghp_", "a1".repeat(18));
    let mut text = token;
    for _ in 0..3 {
        check(text.as_bytes(), "a GitHub token");
        text = format!("x: {}\n", base64(text.as_bytes()));
    }
    assert_eq!(secret_in(text.as_bytes()), None);
}

#[test]
fn a_key_that_minisign_makes() {
    let Some(minisign) = testkit::tool("minisign") else { return };
    let folder = Sandbox::new();
    let new = Cli::new(minisign).args(["-G", "-W", "-f", "-p", "/dev/null", "-s"]).arg(folder.path("key").as_str());
    new.any_stdout().any_stderr().run();
    check(folder.read("key").as_bytes(), "a minisign secret key");
}

#[test]
fn text_about_secrets_is_none() {
    for text in [
        "look for -----BEGIN PRIVATE KEY----- in files\n",
        "image: registry/x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n",
        "path: /etc/otelcol/config/otel-collector-config.yaml\n",
        "blocked_values: ['AKIA[0-9A-Z]{16}', 'eyJ[A-Za-z0-9_-]+']\n",
        "password_file: /run/secrets/x\n",
        "cost: $2\n",
        "",
    ] {
        assert_eq!(secret_in(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn every_leak_is_named_and_nothing_is_packed() {
    let mut contents = contents();
    contents.add("deploy/logo.png", File { bytes: b"\x89PNG\0".to_vec(), mode: Mode::Plain }).unwrap();
    contents.add("deploy/x.yaml", File { bytes: b"mine".to_vec(), mode: Mode::Plain }).unwrap();
    let also = |path: &str, bytes: &[u8]| (bytes == b"mine").then(|| format!("what {path} says"));
    let leaks = contents.screened(also).unwrap_err();
    let leaks: Vec<(&str, &str)> = leaks.iter().map(|leak| (leak.path.as_str(), leak.what.as_str())).collect();
    let binary = "binary data, which nobody can look into";
    assert_eq!(leaks, [("deploy/logo.png", binary), ("deploy/x.yaml", "what deploy/x.yaml says")]);
}
