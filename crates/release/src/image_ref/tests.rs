use super::*;

fn parts(text: &str) -> (String, Option<String>, bool) {
    let parsed: ImageRef = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    (parsed.name(), parsed.tag().map(str::to_owned), parsed.digest().is_some())
}

const DIGEST: &str = "sha256:3d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1";

#[test]
fn every_spelling_is_normalised() {
    for (text, name, tag) in [
        ("nats", "docker.io/library/nats", None),
        ("nats:2.10", "docker.io/library/nats", Some("2.10")),
        ("docker.io/nats", "docker.io/library/nats", None),
        ("index.docker.io/nats:x", "docker.io/library/nats", Some("x")),
        ("minio/minio:RELEASE.2025-04-22T22-12-26Z", "docker.io/minio/minio", Some("RELEASE.2025-04-22T22-12-26Z")),
        ("localhost/app", "localhost/app", None),
        ("localhost:5000", "docker.io/library/localhost", Some("5000")),
        ("localhost:5000/app:1", "localhost:5000/app", Some("1")),
        ("[::1]:5000/app", "[::1]:5000/app", None),
        ("Registry/app", "Registry/app", None),
        ("registry.example.org:443/a/b__c/d.e-f--g", "registry.example.org:443/a/b__c/d.e-f--g", None),
        ("my_host.example/app", "my_host.example/app", None),
    ] {
        assert_eq!(parts(text), (name.to_owned(), tag.map(str::to_owned), false), "{text}");
        assert_eq!(parts(&format!("{text}@{DIGEST}")), (name.to_owned(), tag.map(str::to_owned), true), "{text}");
    }
}

#[test]
fn ranges_are_those_of_the_text() {
    let text = format!("docker.io/nats:2.10@{DIGEST}");
    let parsed: ImageRef = text.parse().unwrap();
    let ranges = parsed.ranges();
    assert_eq!(&text[ranges.registry.clone().unwrap()], "docker.io");
    assert_eq!(&text[ranges.repository.clone()], "nats");
    assert_eq!(&text[ranges.tag.clone().unwrap()], "2.10");
    assert_eq!(&text[ranges.digest.clone().unwrap()], DIGEST);
}

#[test]
fn what_is_no_reference_is_refused() {
    let long = format!("docker.io/{}", "a/".repeat(130) + "a");
    for text in [
        "",
        "a b",
        "Nats",
        "a//b",
        "a/",
        "/a",
        "a:",
        "a@",
        "a:-x",
        "a@sha256:12",
        "a@md5:d41d8cd98f00b204e9800998ecf8427e",
        "a@sha256:3D715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1",
        "3d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1",
        "-a",
        "a___b",
        "a..b",
        "ex-.org/a",
        "example.org:x/a",
        "${IMAGE}",
        &long,
    ] {
        assert!(text.parse::<ImageRef>().is_err(), "{text}");
    }
}

#[test]
fn repositories_and_tags_have_a_longest_length() {
    let refused = |text: &str| text.parse::<ImageRef>().map_err(|error| error.to_string()).err();
    let repository = |length: usize| format!("r.example.org/{}", "a".repeat(length));
    assert_eq!(refused(&repository(255)), None);
    let said = refused(&repository(256)).unwrap();
    assert!(said.ends_with("` has 256 characters; registries take at most 255"), "{said}");
    let tag = |length: usize| format!("a:{}", "t".repeat(length));
    assert_eq!(refused(&tag(128)), None);
    let said = refused(&tag(129)).unwrap();
    assert!(said.contains("is no tag; it is up to 128 letters"), "{said}");
}

#[test]
fn a_sample_digest_is_the_hash_of_the_reference_text() {
    let sample = Digest::sample("registry.stella-ops.org/stellaops/authority", "2025.09.2");
    assert_eq!(sample, Digest::sha256(b"registry.stella-ops.org/stellaops/authority:2025.09.2"));
    assert_eq!(Digest::sha256(b"").as_str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
