//! The judges are OpenSSL, and `testkit`'s stand-in, which signs with another library.

#![expect(clippy::disallowed_methods, reason = "a judge is a program, and takes files")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use testkit::{Cli, Exports, Recipe, Sandbox, Signature};

use super::*;

const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn shapes(eddsa: bool) -> [Signature; 3] {
    [Signature::Attached { eddsa }, Signature::Detached { eddsa, b64: true }, Signature::Detached { eddsa, b64: false }]
}

/// A signature, its bundle, its key.
fn signed(signature: &Signature) -> (Vec<u8>, Vec<u8>, PublicKey) {
    let exports = Exports::start_with(Recipe { signature: signature.clone(), ..Recipe::default() });
    let key = PublicKey::from_pem(&exports.public_key()).unwrap();
    let file = |path: &str| exports.file(path).to_vec();
    (file(&format!("{BUNDLE}.jws")), file(BUNDLE), key)
}

/// What [`Jws::parse`] and then [`Jws::verify`] say.
fn judge(jws: &[u8], bundle: &[u8], key: &PublicKey) -> Result<(), Error> {
    Jws::parse(jws)?.verify(bundle, key)
}

#[test]
fn every_shape_and_algorithm_is_verified() {
    for eddsa in [false, true] {
        for shape in shapes(eddsa) {
            let (jws, bundle, key) = signed(&shape);
            let parsed = Jws::parse(&jws).unwrap();
            parsed.verify(&bundle, &key).unwrap();
            assert_eq!(parsed.key_id(), Some("mirror-test"));
            assert_eq!(parsed.algorithm(), if eddsa { Algorithm::EdDsa } else { Algorithm::Es256 });
            let expected = match shape {
                Signature::Attached { .. } => Shape::Attached,
                Signature::Detached { b64: true, .. } => Shape::Detached,
                _ => Shape::DetachedUnencoded,
            };
            assert_eq!(parsed.shape(), expected);
            judge(&[&jws[..], b"\r\n"].concat(), &bundle, &key).unwrap();

            let mut other = bundle.clone();
            other[0] ^= 1;
            let refusal = if expected == Shape::Attached { Error::OtherPayload } else { Error::Mismatch };
            assert_eq!(parsed.verify(&other, &key), Err(refusal));
            assert_eq!(parsed.verify(&bundle, &signed(&shape).2), Err(Error::Mismatch));
            let (_, _, wrong_kind) = signed(&Signature::Attached { eddsa: !eddsa });
            assert!(matches!(parsed.verify(&bundle, &wrong_kind), Err(Error::OtherAlgorithm { .. })));
        }
    }
}

#[test]
fn no_bit_can_be_flipped() {
    for eddsa in [false, true] {
        for shape in shapes(eddsa) {
            let exports = Exports::start_with(Recipe { signature: shape, ..Recipe::default() });
            let key = PublicKey::from_pem(&exports.public_key()).unwrap();
            let bundle = b"{}";
            let jws = exports.sign(bundle);
            judge(&jws, bundle, &key).unwrap();
            for bit in 0..jws.len() * 8 {
                let mut flipped = jws.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(judge(&flipped, bundle, &key).is_err(), "bit {bit} of {}", String::from_utf8_lossy(&jws));
            }
            for end in 0..jws.len() {
                assert!(judge(&jws[..end], bundle, &key).is_err(), "cut after {end}");
            }
        }
    }
}

#[test]
fn openssl_s_signatures_are_ours() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    let openssl = || Cli::new(openssl.clone()).folder(sandbox.root()).any_stdout().any_stderr();
    openssl().args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ec.key"]).run();
    openssl().args(["genpkey", "-algorithm", "ED25519", "-out", "ed.key"]).run();
    let bundle = br#"{"advisories":[]}"#;
    for (name, algorithm) in [("ec", "ES256"), ("ed", "EdDSA")] {
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        openssl().args(["pkey", "-in", &private, "-pubout", "-out", &public]).run();
        let key = PublicKey::from_pem(&sandbox.read(&public)).unwrap();
        for (extra, payload) in [("", b64(bundle).into_bytes()), (r#","b64":false,"crit":["b64"]"#, bundle.to_vec())] {
            let header = b64(format!(r#"{{"alg":"{algorithm}"{extra}}}"#));
            std::fs::write(sandbox.path("input"), [header.as_bytes(), b".", &payload].concat()).unwrap();
            let signature = if name == "ec" {
                openssl().args(["dgst", "-sha256", "-sign", &private, "-out", "sig", "input"]).run();
                raw(&std::fs::read(sandbox.path("sig")).unwrap())
            } else {
                openssl().args(["pkeyutl", "-sign", "-inkey", &private, "-rawin", "-in", "input", "-out", "sig"]).run();
                std::fs::read(sandbox.path("sig")).unwrap()
            };
            let jws = format!("{header}..{}", b64(&signature));
            judge(jws.as_bytes(), bundle, &key).unwrap();
            if extra.is_empty() {
                judge(format!("{header}.{}.{}", b64(bundle), b64(&signature)).as_bytes(), bundle, &key).unwrap();
            }
            assert_eq!(judge(jws.as_bytes(), b"{}", &key), Err(Error::Mismatch));
        }
        openssl().args(["pkey", "-in", &private, "-pubout", "-outform", "DER", "-out", "der"]).run();
        let sum = Cli::new("/usr/bin/sha256sum").folder(sandbox.root()).arg("der").any_stdout().run().stdout;
        assert_eq!(sum.split(' ').next(), Some(key.fingerprint()));
    }
}

#[test]
fn openssl_takes_what_we_take() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let sandbox = Sandbox::new();
    let openssl = || Cli::new(openssl.clone()).folder(sandbox.root()).any_stdout().any_stderr();
    for eddsa in [false, true] {
        for shape in shapes(eddsa) {
            let exports = Exports::start_with(Recipe { signature: shape.clone(), ..Recipe::default() });
            let (jws, bundle) = (exports.file(&format!("{BUNDLE}.jws")), exports.file(BUNDLE));
            let key = PublicKey::from_pem(&exports.public_key()).unwrap();
            judge(&jws, &bundle, &key).unwrap();
            let parts: Vec<&str> = std::str::from_utf8(&jws).unwrap().split('.').collect();
            let payload = match shape {
                Signature::Detached { b64: false, .. } => bundle.to_vec(),
                _ => b64(&bundle).into_bytes(),
            };
            let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
            sandbox.write("key.pub", exports.public_key());
            std::fs::write(sandbox.path("input"), [parts[0].as_bytes(), b".", &payload].concat()).unwrap();
            if eddsa {
                std::fs::write(sandbox.path("sig"), signature).unwrap();
                let verify =
                    ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin", "-in", "input", "-sigfile", "sig"];
                openssl().args(verify).run();
            } else {
                std::fs::write(sandbox.path("sig"), der(&signature)).unwrap();
                openssl().args(["dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "input"]).run();
            }
        }
    }
}

/// The two numbers of an ECDSA signature, 32 bytes each, out of their DER.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        out.extend(std::iter::repeat_n(0, 32 - number.len()));
        out.extend_from_slice(number);
        rest = &rest[2 + length..];
    }
    out
}

/// The way back.
fn der(raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for number in raw.chunks(32) {
        let first = number.iter().position(|byte| *byte != 0).unwrap_or(31);
        let number = &number[first..];
        let sign = if number[0] >= 0x80 { vec![0] } else { vec![] };
        body.extend([0x02, u8::try_from(number.len() + sign.len()).unwrap()]);
        body.extend(sign);
        body.extend_from_slice(number);
    }
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}

/// A JWS with this header over `{}`, with a signature of the right length.
fn with_header(header: &str) -> String {
    format!("{}.{}.{}", b64(header), b64("{}"), b64([7; 64]))
}

#[test]
fn headers_that_mislead_are_refused() {
    let refused = |header: &str, expected: &str| {
        let text = with_header(header);
        let error = Jws::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, expected, "{header}");
    };
    for algorithm in ["none", "None", "HS256", "RS256", "ES384", "ES256K", "es256", ""] {
        let expected = format!("its header asks for the algorithm `{algorithm}`; only `ES256` and `EdDSA` are known");
        refused(&format!(r#"{{"alg":"{algorithm}"}}"#), &expected);
    }
    refused("{}", "its header names no algorithm");
    refused(r#"{"alg":7}"#, "the member `alg` of its header is of another type than it must be");
    refused(r#"{"alg":"ES256","kid":7}"#, "the member `kid` of its header is of another type than it must be");
    let once = "its header is not a JSON object with each member once";
    refused(r#"{"alg":"none","alg":"ES256"}"#, once);
    refused(r#"{"alg":"ES256","a\u006cg":"none"}"#, once);
    refused(r#"["ES256"]"#, once);
    refused(r#"{"alg":"ES256"} x"#, once);
    refused("", once);
    refused(r#"{"alg":"ES256","crit":["exp"],"exp":1}"#, "its header asks that `exp` is understood, and it is not");
    refused(
        r#"{"alg":"ES256","crit":["b64","x"],"b64":true,"x":1}"#,
        "its header asks that `x` is understood, and it is not",
    );
    let critical = "its `crit` names members that are not there, are there twice, or none at all";
    refused(r#"{"alg":"ES256","crit":[]}"#, critical);
    refused(r#"{"alg":"ES256","crit":["b64"]}"#, critical);
    refused(r#"{"alg":"ES256","crit":["b64","b64"],"b64":true}"#, critical);
    refused(
        r#"{"alg":"ES256","crit":"b64","b64":true}"#,
        "the member `crit` of its header is of another type than it must be",
    );
    refused(
        r#"{"alg":"ES256","crit":[7],"b64":true}"#,
        "the member `crit` of its header is of another type than it must be",
    );
    refused(r#"{"alg":"ES256","b64":false}"#, "its header has `b64` without naming it in `crit`");
    refused(
        r#"{"alg":"ES256","b64":0,"crit":["b64"]}"#,
        "the member `b64` of its header is of another type than it must be",
    );
    refused(
        r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#,
        "it has an unencoded bundle inside, which only works beside it",
    );
    let quoted = with_header("{\"alg\":\"a\u{1b}[31m\"}".replace('\u{1b}', "\\u001b").as_str());
    assert!(Jws::parse(quoted.as_bytes()).unwrap_err().to_string().contains("`a?[31m`"));
}

#[test]
fn sizes_have_a_limit() {
    let error = Jws::parse(&vec![0; (768 << 20) + 1]).unwrap_err().to_string();
    assert_eq!(error, "it has 805306369 bytes, and at most 805306368 are read");
    let header = |length: usize| with_header(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(length)));
    let said = |length: usize| Jws::parse(header(length).as_bytes()).map(|jws| jws.key_id().map(str::to_owned));
    assert_eq!(said(48_000).unwrap(), Some("k".repeat(100)), "an id is shown, and not all of a long one");
    assert_eq!(said(50_000).unwrap_err().to_string(), "its header has 66699 bytes, and at most 65536 are read");
}

#[test]
fn there_is_one_spelling() {
    let good = with_header(r#"{"alg":"ES256"}"#);
    assert!(Jws::parse(good.as_bytes()).is_ok());
    let refused = |text: &str, expected: Error| assert_eq!(Jws::parse(text.as_bytes()), Err(expected), "{text}");
    refused("", Error::Parts(1));
    refused("a.b", Error::Parts(2));
    refused(&format!("{good}.x"), Error::Parts(4));
    refused(&format!("{good}\n\n"), Error::Encoding("signature"));
    refused(&format!(" {good}"), Error::Encoding("header"));
    refused(&format!("{good}="), Error::Encoding("signature"));
    refused(&good.replace(&b64([7; 64]), &b64([7; 63])), Error::Length(63));
    // The last of 86 characters has four bits that are not used.
    let last = good.chars().last().unwrap();
    assert_eq!(last, 'w');
    refused(&format!("{}x", &good[..good.len() - 1]), Error::Encoding("signature"));
    let jws = format!("{}.{}=.{}", b64(r#"{"alg":"ES256"}"#), b64("{}"), b64([7; 64]));
    assert_eq!(Jws::parse(jws.as_bytes()).unwrap().is_of(b"{}"), Err(Error::Encoding("middle part")));
    assert_eq!(Jws::parse(b"\xff..x"), Err(Error::Encoding("text")));
}

#[test]
fn keys_are_public_whole_and_of_a_kind_that_is_known() {
    let refused = |text: &str, expected: KeyError| assert_eq!(PublicKey::from_pem(text), Err(expected), "{text}");
    let exports = Exports::start();
    let good = exports.public_key();
    assert!(PublicKey::from_pem(&format!("a comment\n{good}and more\n")).is_ok());
    assert!(PublicKey::from_pem(&good.replace('\n', "\r\n")).is_ok());
    refused("", KeyError::NotPem);
    refused("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", KeyError::Private);
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", KeyError::Certificate);
    refused(&format!("{good}{good}"), KeyError::Several);
    refused(&good.replace("-----END", ""), KeyError::Damaged);
    refused(&good.replacen("MFkw", "MF!w", 1), KeyError::Damaged);
    let pem = |der: &[u8]| {
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    };
    let ed25519 = hex("302a300506032b6570032100");
    refused(&pem(&[&ed25519[..], &[0; 31]].concat()), KeyError::Damaged);
    // A point of small order: one signature fits many messages.
    refused(&pem(&[&ed25519[..], &[1], &[0; 31]].concat()), KeyError::Weak);
    let p256 = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
    refused(&pem(&[&p256[..], &[4], &[1; 64]].concat()), KeyError::Weak);
    refused(&pem(&[&p256[..], &[2], &[1; 64]].concat()), KeyError::Damaged);
    refused(&pem(&hex("302a300506032b656e032100")), KeyError::OtherKind);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
