use super::*;
use source::{SourceMap, Span};

const EXAMPLE: &str = include_str!("example.yaml");

/// The problems of a manifest, each with the text at its place.
fn problems(text: &str) -> Vec<(String, String)> {
    let mut sources = SourceMap::default();
    let file = sources.add("release.yaml", text);
    let at = |span: Option<Span>| text[span.unwrap().range()].lines().next().unwrap_or_default().to_owned();
    Release::parse(text, file).1.into_iter().map(|problem| (at(problem.span), problem.message)).collect()
}

fn check(from: &str, to: &str, expected: &[(&str, &str)]) {
    let text = EXAMPLE.replacen(from, to, 1);
    assert_ne!(text, EXAMPLE, "{from}");
    let expected: Vec<(String, String)> =
        expected.iter().map(|(at, message)| ((*at).to_owned(), (*message).to_owned())).collect();
    assert_eq!(problems(&text), expected, "{to}");
}

#[test]
fn every_value_has_its_place() {
    let (release, problems) = Release::parse(EXAMPLE, FileId(0));
    assert_eq!(problems, []);
    let release = release.unwrap();
    let at = |span: Span| &EXAMPLE[span.range()];
    assert_eq!(at(release.version.span), "2025.09.2");
    assert_eq!(at(release.calendar.as_ref().unwrap().span), "2025.09");
    let authority = release.component("authority").unwrap();
    assert_eq!(at(authority.name.span), "authority");
    assert_eq!(at(authority.digest.span), authority.digest.get().unwrap().as_str());
    let mongo = release.component("mongo").unwrap();
    assert_eq!(mongo.group, Group::Infrastructure);
    assert_eq!(mongo.digest.value, ListedDigest::Unresolved);
    assert!(mongo.is_for(Kind::Helm, "helm/stage") && !mongo.is_for(Kind::Manifests, "rendered/legacy"));
    assert_eq!(mongo.image.name(), "docker.io/library/mongo");
}

#[test]
fn only_in_names_kinds_and_profiles() {
    let text = EXAMPLE.replacen("only_in: [compose, helm]", "only_in: [helm, compose/mirror]", 1);
    let (release, problems) = Release::parse(&text, FileId(0));
    assert_eq!(problems, []);
    let release = release.unwrap();
    let mongo = release.component("mongo").unwrap();
    for (kind, profile, expected) in [
        (Kind::Helm, "helm/stage", true),
        (Kind::Compose, "compose/mirror", true),
        (Kind::Compose, "compose/stage", false),
        (Kind::Manifests, "helm", false),
    ] {
        assert_eq!(mongo.is_for(kind, profile), expected, "{profile}");
    }
    check(
        "only_in: [compose, helm]",
        "only_in: [compose, \"\"]",
        &[("", "`infrastructure.mongo.only_in` has an empty name")],
    );
}

#[test]
fn the_canonical_form_reads_back_as_itself() {
    let release = Release::parse(EXAMPLE, FileId(0)).0.unwrap();
    let canonical = release.manifest().to_yaml();
    let (again, problems) = Release::parse(&canonical, FileId(0));
    assert_eq!(problems, []);
    let again = again.unwrap();
    assert_eq!(again.manifest().to_yaml(), canonical);
    assert_eq!(again.identity(), release.identity());
}

#[test]
fn problems_name_place_and_reason() {
    check("version: 2025.09.2\n", "versoin: 2025.09.2\n", &[("versoin", "unknown key `versoin`")]);
    check("schema: 1", "schema: 2", &[("2", "`schema` must be 1")]);
    check("version: 2025.09.2\n", "version: ''\n", &[("", "`version` is empty")]);
    check("channel: stable", "channel: \" \"", &[(" ", "`channel` is empty")]);
    check("calendar: \"2025.09\"", "calendar: 2025.09", &[("2025.09", "`calendar` must be a text, not `2025.09`")]);
    check("2025-09-20T00:00:00Z", "yesterday", &[("yesterday", "`date` is no moment: `yesterday`")]);
    check("digests: sample", "digests: some", &[("some", "`digests` cannot be `some`")]);
    check(
        "app/authority",
        "App/authority",
        &[(
            "registry.example.org/App/authority",
            "`components.authority.image` is no image: repository `App/authority` must be lower-case",
        )],
    );
    check(
        "library/mongo",
        "library/mongo:7",
        &[("docker.io/library/mongo:7", "`infrastructure.mongo.image` carries a tag or a digest")],
    );
    check("tag: 7.0.21", "tag: 7", &[("7", "`infrastructure.mongo.tag` must be a text, not `7`")]);
    check("tag: 7.0.21", "tag: ''", &[("", "`infrastructure.mongo.tag` is empty")]);
    check("tag: 7.0.21", "tag: ':7'", &[(":7", "`infrastructure.mongo.tag` is no tag: `:7`")]);
    check(
        "digest: unresolved",
        "digest: sha256:12",
        &[(
            "sha256:12",
            "`infrastructure.mongo.digest` is no digest: a sha256 digest has 64 hexadecimal digits; this has 2",
        )],
    );
    check(
        "  mongo:",
        "  mongo: {}\n  mongo:",
        &[
            ("mongo", "`infrastructure.mongo` has no `image`"),
            ("mongo", "`infrastructure.mongo` has no `tag`"),
            ("mongo", "`infrastructure.mongo` has no `digest`"),
        ],
    );
}

/// What is missing because it is misspelt has no fault of its own.
#[test]
fn a_misspelt_key_is_one_problem() {
    check("components:\n", "componets:\n", &[("componets", "unknown key `componets`")]);
    check("digests: sample", "digest: sample", &[("digest", "unknown key `digest`")]);
    check("tag: 7.0.21", "tga: 7.0.21", &[("tga", "unknown key `infrastructure.mongo.tga`")]);
    check(
        "{version: 2025.09.2-rc.1",
        "{versoin: 2025.09.2-rc.1",
        &[("versoin", "unknown key `promoted_from.versoin`")],
    );
    check("backup: pg_dump", "bakcup: pg_dump", &[("bakcup", "unknown key `migrations[1].bakcup`")]);
    // The right key is there too: the wrong one is one too many.
    check("tag: 7.0.21", "tag: 7.0.21\n    tga: 7.0.21", &[("tga", "unknown key `infrastructure.mongo.tga`")]);
}

#[test]
fn a_component_without_its_tag_is_left_out() {
    for tag in ["", "tag: 7", "tag: ''", "tag: ':7'"] {
        let (release, problems) = Release::parse(&EXAMPLE.replacen("tag: 7.0.21", tag, 1), FileId(0));
        assert_eq!((problems.len(), release.unwrap().component("mongo").is_none()), (1, true), "{tag}");
    }
}

#[test]
fn damaged_files_do_not_panic() {
    for text in ["", "[]", "a: [", "schema: 1\ncomponents: []\n", "components: {a: 1, b: {image: []}}", "--- 1\n--- 2"]
    {
        assert!(!Release::parse(text, FileId(0)).1.is_empty(), "{text}");
    }
    for cut in (0..EXAMPLE.len()).filter(|cut| EXAMPLE.is_char_boundary(*cut)) {
        let _ = Release::parse(&EXAMPLE[..cut], FileId(0));
    }
}

#[test]
fn the_order_of_a_set_makes_no_other_release() {
    let other = EXAMPLE.replace("only_in: [compose, helm]", "only_in: [helm, compose, helm]");
    assert_ne!(other, EXAMPLE);
    let read = |text: &str| Release::parse(text, FileId(0)).0.unwrap();
    assert_eq!(read(&other).manifest(), read(EXAMPLE).manifest());
    assert_eq!(read(&other).identity(), read(EXAMPLE).identity());
}

#[test]
fn texts_of_a_step_have_a_longest_length() {
    let said = |length: usize| problems(&EXAMPLE.replacen("drop the index", &"x".repeat(length), 1));
    assert_eq!(said(4_000), []);
    let expected = "`migrations[0].down` must have 1 to 4000 bytes and no control characters";
    assert_eq!(said(4_001).into_iter().map(|(_, message)| message).collect::<Vec<_>>(), [expected]);
}
