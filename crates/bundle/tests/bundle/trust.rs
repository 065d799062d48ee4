//! Verifying: each kind of distrust has its own words.

use bundle::{Beside, Refusal, check_unverified, verify};
use signing::Minisig;

use crate::fixture::{archive, key, other_key, signed};

#[track_caller]
fn check(archive: &[u8], beside: &Beside, expected: &str) {
    let refusal = verify(archive, beside, &key().public()).unwrap_err();
    let cause = std::error::Error::source(&refusal).map(|cause| format!(": {cause}")).unwrap_or_default();
    assert_eq!(format!("{refusal}{cause}"), expected);
    assert!(!refusal.is_malformed(), "{refusal}");
}

#[test]
fn a_good_bundle_is_trusted() {
    let (archive, beside) = signed();
    let verified = verify(&archive.bytes, &beside, &key().public()).unwrap();
    assert_eq!(verified.sha256, archive.sha256);
    assert_eq!(verified.key, key().public().id());
    assert_eq!(verified.contained.manifest, archive.manifest);
}

/// Bundles are kept for years: one of every format lies in the repository and must open.
#[test]
fn bundles_of_every_format_are_trusted() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).unwrap();
    let mut opened = Vec::new();
    for folder in folders.map(|folder| folder.unwrap().path()) {
        let archive = folder.join("small-bundle.tar.gz");
        let mut beside = Beside::default();
        for file in bundle::BesideFile::ALL {
            beside.set(file, std::fs::read(format!("{}{}", archive.display(), file.suffix())).ok());
        }
        let key = std::fs::read_to_string(folder.join("key.pub")).unwrap().parse().unwrap();
        let verified = verify(&std::fs::read(&archive).unwrap(), &beside, &key).unwrap();
        opened.push((folder.file_name().unwrap().to_owned(), verified.contained.manifest.schema));
    }
    assert_eq!(opened, [("schema-1".into(), 1)]);
}

#[test]
fn unsigned_cut_changed_and_foreign_are_told_apart() {
    let (archive, beside) = signed();
    let bytes = &archive.bytes;
    check(bytes, &archive.unsigned(), "it is unsigned: there is no `.sig` beside it");
    check(bytes, &Beside { signature: None, ..beside.clone() }, "there is no `.sig` beside it");
    check(bytes, &Beside { minisig: None, ..beside.clone() }, "there is no `.minisig` beside it");
    check(bytes, &Beside { statement: None, ..beside.clone() }, "there is no `.intoto.jsonl` beside it");
    check(bytes, &Beside { checksum: None, ..beside.clone() }, "there is no `.sha256` beside it");

    let (ours, theirs) = (key().public().id(), other_key().public().id());
    let foreign = archive.sign(&other_key());
    check(bytes, &foreign, &format!("it was signed with key {theirs}, not with the trusted key {ours}"));

    let size = bytes.len();
    check(&bytes[..size - 9], &beside, &format!("it was cut: {} bytes of the {size} that were signed", size - 9));
    let longer = [bytes.as_slice(), b"\0"].concat();
    check(&longer, &beside, &format!("it was appended to: {} bytes instead of the {size} that were signed", size + 1));
    let mut changed = bytes.clone();
    changed[size / 2] ^= 1;
    check(&changed, &beside, "it was changed after it was signed, or it was signed with another key");
}

#[test]
fn what_lies_beside_must_agree() {
    let (archive, beside) = signed();
    let bytes = &archive.bytes;
    let mut signature = beside.signature.clone().unwrap();
    signature[0] ^= 1;
    check(
        bytes,
        &Beside { signature: Some(signature), ..beside.clone() },
        "its `.sig` was changed: the other signatures still fit",
    );
    let short = beside.signature.clone().map(|signature| signature[..63].to_vec());
    let words = "its `.sig` has 63 bytes instead of 64: it was cut, or is another kind of signature";
    check(bytes, &Beside { signature: short, ..beside.clone() }, words);

    // Everything else from the same key, but about another archive.
    let mut contents = crate::fixture::contents();
    contents.add("more", crate::fixture::plain("x")).unwrap();
    let another = contents.screened(|_, _| None).unwrap().pack(&crate::fixture::about()).unwrap().sign(&key());
    let words = "its `.minisig` is not trusted: it does not belong to these bytes";
    check(bytes, &Beside { minisig: another.minisig, ..beside.clone() }, words);
    let words = "its statement is about something else: its `predicate` is another one";
    check(bytes, &Beside { statement: another.statement, ..beside.clone() }, words);
    let words = "its `.sha256` is not that of the file: another digest";
    check(bytes, &Beside { checksum: another.checksum, ..beside.clone() }, words);
    let renamed = format!("{}  other.tar.gz\n", archive.sha256).into_bytes();
    let words = "its `.sha256` is not that of the file: the digest fits, the rest of the line does not";
    check(bytes, &Beside { checksum: Some(renamed), ..beside.clone() }, words);

    let comment =
        Minisig::sign(bytes, "timestamp:0\tfile:small-bundle.tar.gz\thashed", &key()).to_string().into_bytes();
    let words = "its comment in `.minisig` is about something else";
    check(bytes, &Beside { minisig: Some(comment), ..beside.clone() }, words);
    let statement = String::from_utf8(beside.statement.clone().unwrap()).unwrap().replace("\":\"", "\": \"");
    let words = "its `.intoto.jsonl` is damaged: it is not spelled as it is written: a byte was changed that no signature covers";
    check(bytes, &Beside { statement: Some(statement.into_bytes()), ..beside.clone() }, words);
    let words = "its `.minisig` is damaged: it has 0 lines instead of 4";
    check(bytes, &Beside { minisig: Some(Vec::new()), ..beside }, words);
}

#[test]
fn a_statement_names_every_byte() {
    let (archive, beside) = signed();
    let envelope: serde_json::Value = serde_json::from_slice(&beside.statement.unwrap()).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let payload =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, envelope["payload"].as_str().unwrap());
    let statement: serde_json::Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let digest = |name: &str| {
        let subjects = statement["subject"].as_array().unwrap();
        let subject = subjects.iter().find(|subject| subject["name"] == name).unwrap_or_else(|| panic!("{name}"));
        subject["digest"]["sha256"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest("small-bundle.tar.gz"), archive.sha256);
    assert_eq!(digest("small-bundle.tar"), archive.tar_sha256);
    for file in &archive.manifest.files {
        assert_eq!(digest(&format!("small-bundle/{}", file.path)), file.sha256);
    }
    assert_eq!(statement["subject"].as_array().unwrap().len(), archive.manifest.files.len() + 4);
}

#[test]
fn without_a_key_only_wholeness_is_seen() {
    let archive = archive();
    let beside = archive.unsigned();
    assert_eq!(check_unverified(&archive.bytes, &beside).unwrap().1, archive.sha256);
    assert_eq!(check_unverified(&archive.bytes, &Beside::default()), Err(Refusal::Missing(".sha256")));
    let cut = check_unverified(&archive.bytes[..50], &beside).unwrap_err();
    assert!(cut.is_malformed(), "{cut}");
}
