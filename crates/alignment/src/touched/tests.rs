use std::sync::Arc;

use source::FileId;

use super::*;

fn input(role: Role, text: &str) -> ReleaseInput {
    ReleaseInput::new("r.yaml".into(), role, Ok((FileId(0), Arc::from(text))))
}

fn manifest(version: &str, tag: &str, digest: char) -> String {
    let digest = digest.to_string().repeat(64);
    format!(
        "schema: 1\nversion: {version}\nchannel: c\ndigests: resolved\ncomponents:\n  a:\n    image: r.example/a\n    tag: {tag}\n    digest: sha256:{digest}\n"
    )
}

#[test]
fn a_version_a_tag_or_a_digest_in_common_is_enough() {
    let current = |text: &str| Words::of([&input(Role::Current { channel: "c".to_owned() }, text)].into_iter());
    let words = current(&manifest("v1", "t1", '1'));
    for (text, may) in [
        (manifest("v2", "t2", '2'), false),
        (manifest("v1", "t2", '2'), true),
        (manifest("v2", "t1", '2'), true),
        (manifest("v2", "t2", '1'), true),
        (manifest("v2", r#""t\x31""#, '2'), true),
    ] {
        assert_eq!(words.may_stand_in(&input(Role::Archive, &text)), may, "{text}");
    }
    // What is written in two lines is found in none.
    assert!(current(&manifest("v 1", "t1", '1')).may_stand_in(&input(Role::Archive, &manifest("v\n  1", "t2", '2'))));
    assert!(current(&manifest("v'1", "t1", '1')).may_stand_in(&input(Role::Archive, &manifest("'v''1'", "t2", '2'))));
    let archived = [input(Role::Archive, &manifest("v2", "t2", '2'))];
    assert!(!Words::of(archived.iter()).may_stand_in(&archived[0]), "what is not in use has no words");
}
