use super::*;

fn manifest() -> Manifest {
    let listed = |image: &str, tag: &str| Listed {
        image: image.to_owned(),
        tag: tag.to_owned(),
        digest: Digest::sample(image, tag).to_string(),
        only_in: Vec::new(),
        platforms: BTreeMap::new(),
        availability: None,
        reason: None,
    };
    let mongo = Listed {
        only_in: ["helm", "compose/mirror", "compose", "helm"].map(str::to_owned).to_vec(),
        platforms: BTreeMap::from([("linux/amd64".to_owned(), Digest::sha256(b"amd64").to_string())]),
        availability: Some(Availability::PrivateMirror),
        reason: Some("its registry: gone \"for good\"\n".to_owned()),
        ..listed("docker.io/library/mongo", "7.0")
    };
    Manifest {
        schema: 1,
        version: "2025.09.2".to_owned(),
        calendar: Some("2025.09".to_owned()),
        channel: "stable".to_owned(),
        support: Some(SupportLine { line: "lts".to_owned(), until: Some("2026-09-30".to_owned()) }),
        date: Some("2025-09-20T00:00:00Z".to_owned()),
        promoted_from: Some(Origin { version: "2025.09.2-rc.1".to_owned(), sha256: "0".repeat(64) }),
        digests: DigestKind::Sample,
        migrations: vec![Migration {
            id: "0042-split".to_owned(),
            reversible: true,
            backup: None,
            down: Some("psql -f down.sql\nrestart".to_owned()),
        }],
        components: BTreeMap::from([("authority".to_owned(), listed("registry.example.org/a/authority", "2025.09.2"))]),
        infrastructure: BTreeMap::from([("mongo".to_owned(), mongo)]),
    }
}

#[test]
fn there_is_one_spelling() {
    let expected = r#"schema: 1
version: 2025.09.2
calendar: "2025.09"
channel: stable
support:
  line: lts
  until: 2026-09-30
date: 2025-09-20T00:00:00Z
promoted_from:
  version: 2025.09.2-rc.1
  sha256: "0000000000000000000000000000000000000000000000000000000000000000"
digests: sample
migrations:
  - id: 0042-split
    reversible: true
    down: "psql -f down.sql\nrestart"
components:
  authority:
    image: registry.example.org/a/authority
    tag: 2025.09.2
    digest: sha256:d6b51d5b58ee6bb3ca52d2c4ac08fd8c2b7de7e2ca6f6c4ddac9ea4e9f4ae5d5
infrastructure:
  mongo:
    image: docker.io/library/mongo
    tag: "7.0"
    digest: sha256:DIGEST
    only_in: [compose, compose/mirror, helm]
    platforms:
      linux/amd64: sha256:PLATFORM
    availability: private-mirror
    reason: "its registry: gone \"for good\"\n"
"#;
    let manifest = manifest();
    let authority = &manifest.components["authority"].digest;
    let expected = expected
        .replace("sha256:DIGEST", &manifest.infrastructure["mongo"].digest)
        .replace("sha256:PLATFORM", &manifest.infrastructure["mongo"].platforms["linux/amd64"])
        .replace("sha256:d6b51d5b58ee6bb3ca52d2c4ac08fd8c2b7de7e2ca6f6c4ddac9ea4e9f4ae5d5", authority);
    assert_eq!(manifest.to_yaml(), expected);
}

#[test]
fn scalars_stay_texts() {
    for (text, written) in [
        ("2025.09.2", "2025.09.2"),
        ("2025.09", "\"2025.09\""),
        ("1e3", "\"1e3\""),
        ("0x1f", "\"0x1f\""),
        ("12:30", "\"12:30\""),
        ("1_000", "\"1_000\""),
        ("off", "\"off\""),
        ("v3.4.1", "v3.4.1"),
        ("sha256:ab", "sha256:ab"),
        ("", "\"\""),
        ("a: b", "\"a: b\""),
        ("-x", "\"-x\""),
        ("ü\u{1}", "\"ü\\u0001\""),
        ("2026-09-30", "2026-09-30"),
        ("RELEASE.2025-04-22T22-12-26Z", "RELEASE.2025-04-22T22-12-26Z"),
    ] {
        assert_eq!(scalar(text), written, "{text}");
    }
}
