//! Signatures of manifests: other tools verify them, every way to be wrong has its words, and they travel with what they belong to.

use testkit::{Cli, Output};

use super::made::{NEW, built};
use crate::rollout::fixture::Fixture;

const EDGE: &str = "releases/edge.yaml";

/// With a key, another one, and a signed edge.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.sandbox.write("built.txt", built([3, 1]));
    fixture.run(&["key", "new", "key"], 0);
    fixture.run(&["key", "new", "other"], 0);
    fixture.run(&["release", "sign", "edge", "--key", "key"], 0);
    fixture
}

#[track_caller]
fn verify(fixture: &Fixture, name: &str, exit: i32) -> Output {
    fixture.run(&["release", "verify", name, "--key", "key.pub"], exit)
}

/// The refusal without its first line and its hint.
#[track_caller]
fn why(fixture: &Fixture) -> String {
    let output = verify(fixture, "edge", 5);
    assert_eq!(output.stdout, "");
    let text = output.stderr.strip_prefix("error: `releases/edge.yaml` is not trusted\ncaused by: ").unwrap();
    text.split_once("\nhint: ").unwrap().0.to_owned()
}

fn bytes(fixture: &Fixture, path: &str) -> Vec<u8> {
    std::fs::read(fixture.sandbox.path(path)).unwrap()
}

#[test]
fn a_signed_manifest_is_trusted_and_signing_twice_is_once() {
    let fixture = fixture();
    let trusted = verify(&fixture, "edge", 0).stdout;
    assert!(
        trusted.starts_with("trusted: `releases/edge.yaml`, release `1.1.0-edge` of channel `edge`, signed with key "),
        "{trusted}"
    );
    for name in ["1.1.0-edge", "./releases/edge.yaml"] {
        verify(&fixture, name, 0);
    }
    let files = fixture.snapshot_of(&["releases/edge.yaml.minisig"]);
    let again = fixture.run(&["release", "sign", "edge", "--key", "key"], 0);
    assert!(again.stdout.starts_with("`releases/edge.yaml` is signed already with key "), "{again}");
    assert_eq!(fixture.snapshot_of(&["releases/edge.yaml.minisig"]), files);
    let other = fixture.run(&["release", "sign", "edge", "--key", "other"], 0);
    assert_eq!(other.stderr, "note: the signature of `releases/edge.yaml` that was there is replaced\n");
    fixture.is_sound();
}

#[test]
fn openssl_verifies_the_raw_signature() {
    let Some(openssl) = testkit::tool("openssl") else { return };
    let fixture = fixture();
    let run = || {
        Cli::new(&openssl).folder(fixture.sandbox.root()).args([
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "key.pub",
            "-rawin",
            "-in",
            EDGE,
            "-sigfile",
            "releases/edge.yaml.sig",
        ])
    };
    run().stdout("Signature Verified Successfully\n").run();
    fixture.sandbox.replace(EDGE, "# made by hand", "# made by foot");
    assert_ne!(run().output().exit, 0);
}

#[test]
fn minisign_verifies_the_other_one_and_shows_what_was_signed() {
    let Some(minisign) = testkit::tool("minisign") else { return };
    let fixture = fixture();
    let shown = fixture.run(&["key", "show", "key.pub"], 0).stdout;
    let public = shown.lines().find_map(|line| line.strip_prefix("minisign: ")).unwrap().to_owned();
    let run = || Cli::new(&minisign).folder(fixture.sandbox.root()).args(["-V", "-P", &public, "-m", EDGE]);
    run().stdout_has("Trusted comment: release 1.1.0-edge of channel edge, manifest sha256 ").run();
    fixture.sandbox.replace(EDGE, "# made by hand", "# made by foot");
    assert_ne!(run().output().exit, 0);
}

#[test]
fn unsigned_changed_other_key_and_damaged_are_told_apart() {
    let fixture = fixture();
    let (raw, minisig) = ("releases/edge.yaml.sig", "releases/edge.yaml.minisig");
    let (good_raw, good_minisig) = (bytes(&fixture, raw), bytes(&fixture, minisig));
    let reset = || {
        fixture.sandbox.write(raw, &good_raw).write(minisig, &good_minisig);
    };
    let text = fixture.sandbox.read(EDGE);

    fixture.sandbox.write(EDGE, text.replace("# made by hand", "# made by foot"));
    assert_eq!(why(&fixture), "it was changed since it was signed");
    fixture.sandbox.remove(minisig);
    assert_eq!(why(&fixture), "it was changed since it was signed, or signed with another key");
    fixture.sandbox.write(EDGE, &text);
    verify(&fixture, "edge", 0);
    fixture.sandbox.remove(raw);
    assert_eq!(why(&fixture), "it is not signed");

    reset();
    fixture.sandbox.write(raw, &good_raw[..63]);
    assert_eq!(why(&fixture), "its signature `.sig` is damaged: it has 63 bytes instead of 64");
    let mut flipped = good_raw.clone();
    flipped[10] ^= 1;
    fixture.sandbox.write(raw, &flipped);
    assert_eq!(why(&fixture), "its signature `.sig` is damaged: it does not belong to these bytes");
    reset();
    let signature = String::from_utf8(good_minisig.clone()).unwrap();
    fixture.sandbox.write(minisig, signature.replace("release 1.1.0-edge", "release 9.9.9-edge"));
    assert_eq!(
        why(&fixture),
        "its signature `.minisig` is damaged: it belongs to these bytes, but its comment was changed"
    );
    fixture.sandbox.write(minisig, signature.lines().take(2).collect::<Vec<_>>().join("\n"));
    assert_eq!(why(&fixture), "its signature `.minisig` is damaged: it has 2 lines instead of 4");

    reset();
    fixture.run(&["release", "sign", "edge", "--key", "other"], 0);
    let other = why(&fixture);
    assert!(other.starts_with("its signature is another one's: it was made with key "), "{other}");
    assert!(other.contains(", not with the trusted key "), "{other}");
}

/// Neither cut to what is allowed, nor copied beside another manifest.
#[test]
fn a_signature_that_is_too_large_is_refused_and_travels_nowhere() {
    for suffix in ["sig", "minisig"] {
        let fixture = fixture();
        let file = format!("releases/edge.yaml.{suffix}");
        let refuse = |arguments: &[&str], shown: &str| {
            let why = "caused by: it is larger than 4 KiB\nhint: copy the manifest and both of its signatures again\n";
            let refused = fixture.run(arguments, 3);
            assert_eq!(refused.stderr, format!("error: cannot read `{shown}`\n{why}"));
        };
        let absolute = format!("[DIR]/{file}");
        fixture.sandbox.write(&file, vec![b'a'; 4096]);
        assert!(why(&fixture).starts_with(&format!("its signature `.{suffix}` is damaged: it has ")));
        fixture.sandbox.write(&file, vec![b'a'; 4097]);
        refuse(&["release", "verify", "edge", "--key", "key.pub"], &absolute);
        refuse(&["release", "sign", "edge", "--key", "key"], &absolute);
        refuse(&["release", "show", "edge"], &absolute);
        refuse(&["promote", "edge", "stable"], &absolute);
        refuse(&["mark-good", "edge", "--evidence", "smoke.json"], &file);
        assert_eq!(bytes(&fixture, &file).len(), 4097);
        assert!(!fixture.sandbox.path("releases/archive").join(format!("1.1.0-edge.yaml.{suffix}")).exists());
    }
}

#[test]
fn a_signed_release_of_another_channel_is_not_taken_for_ours() {
    let fixture = fixture();
    for suffix in ["", ".sig", ".minisig"] {
        let content = bytes(&fixture, &format!("{EDGE}{suffix}"));
        fixture.sandbox.write(format!("releases/stable.yaml{suffix}"), content);
    }
    verify(&fixture, "edge", 0);
    let refused = verify(&fixture, "stable", 5);
    assert!(
        refused.stderr.contains("caused by: it is signed for channel `edge`, and `stable` holds it\n"),
        "{refused}"
    );
}

#[test]
fn signatures_go_where_their_manifests_go() {
    let fixture = fixture();
    fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0);
    assert_eq!(bytes(&fixture, "releases/archive/1.1.0-edge.yaml.sig"), bytes(&fixture, "releases/edge.yaml.sig"));
    let made = fixture.run(&NEW, 0);
    assert!(!fixture.sandbox.path("releases/edge.yaml.sig").exists(), "it belongs to what is in the archive now");
    assert!(!made.stdout.contains(".sig`"), "{made}");
    assert_eq!(why(&fixture), "it is not signed");
    verify(&fixture, "1.1.0-edge", 0);

    fixture.run(&["release", "sign", "edge", "--key", "key"], 0);
    let back = fixture.run(&["rollback", "edge", "--reason", "it broke"], 0);
    assert!(back.stdout.contains("wrote `releases/edge.yaml.sig`\n"), "{back}");
    assert!(back.stdout.contains("wrote `releases/archive/1.2.0-edge.yaml.minisig`\n"), "{back}");
    for name in ["edge", "1.1.0-edge", "1.2.0-edge"] {
        verify(&fixture, name, 0);
    }
    fixture.is_sound();
}

#[test]
fn copies_in_the_archive_are_signed_too_and_an_edit_takes_the_signature_away() {
    let fixture = fixture();
    fixture.run(&["promote", "edge", "stable"], 0);
    let signed = fixture.run(&["release", "sign", "stable", "--key", "key"], 0);
    assert!(signed.stdout.contains("wrote `releases/archive/1.1.0.yaml.sig`\n"), "{signed}");
    verify(&fixture, "stable", 0);
    verify(&fixture, "./releases/archive/1.1.0.yaml", 0);

    let fixture = self::fixture();
    fixture.run(&["release", "set", &format!("web=1.3@{}", super::made::digest("web", 3))], 0);
    assert_eq!(why(&fixture), "it is not signed");
    fixture.run(&["pin", "edge"], 0);
    fixture.is_sound();
}

#[test]
fn what_was_signed_before_a_channel_took_it_stays_signed() {
    let fixture = fixture();
    fixture.run(&["release", "new", "1.2.0-edge", "--from", "edge"], 0);
    let web = format!("web=1.3@{}", super::made::digest("web", 3));
    fixture.run(&["release", "set", "--release", "releases/1.2.0-edge.yaml", &web], 0);
    fixture.run(&["release", "sign", "releases/1.2.0-edge.yaml", "--key", "key"], 0);
    let take = ["release", "new", "1.2.0-edge", "--channel", "edge", "--from", "releases/1.2.0-edge.yaml"];
    let taken = fixture.run(&take, 0);
    assert!(taken.stdout.contains("wrote `releases/edge.yaml.sig`\n"), "{taken}");
    verify(&fixture, "edge", 0);
    verify(&fixture, "1.1.0-edge", 0);
    fixture.is_sound();
}

#[test]
fn no_key_is_in_any_output() {
    let fixture = fixture();
    let key = fixture.sandbox.read("key");
    let secret = key.lines().nth(1).unwrap();
    let others = ["releases/edge.yaml.minisig", "key.pub"].map(|path| fixture.sandbox.read(path));
    let refused = fixture.run(&["release", "verify", "edge", "--key", "key"], 3);
    let signed = fixture.run(&["release", "sign", "stable", "--key", "key"], 0);
    let public = fixture.run(&["release", "sign", "stable", "--key", "key.pub"], 3);
    let outputs = [refused, signed, public].map(|output| output.to_string());
    assert!(secret.len() > 40 && outputs.iter().chain(&others).all(|text| !text.contains(secret)));
}
