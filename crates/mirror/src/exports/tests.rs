use super::*;

/// What a reader says of a text.
#[track_caller]
fn refused<T: std::fmt::Debug>(read: Result<T, Error>, expected: &str) {
    assert_eq!(read.map_err(|error| error.to_string()).unwrap_err(), expected);
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn what_is_documented_is_enough() {
    let read =
        index(br#"{"schemaVersion":1,"domains":[{"id":"primary","displayName":"P"},{"id":"community"}]}"#).unwrap();
    let names: Vec<(&str, Option<&str>)> =
        read.domains.iter().map(|domain| (domain.id.as_str(), domain.display_name.as_deref())).collect();
    assert_eq!(names, [("primary", Some("P")), ("community", None)]);
    assert_eq!(read.domains[0].manifest, None);

    let read = manifest(br#"{"domainId":"primary","created":"2025-10-01T06:00:00Z","schemaVersion":1,"advisories":3}"#)
        .unwrap();
    assert_eq!((read.domain.as_str(), read.advisories, read.bundle), ("primary", 3, None));
    assert_eq!(read.created.to_string(), "2025-10-01T06:00:00Z");

    let read = bundle(
        br#"{"schemaVersion":1,"domainId":"primary","generatedAt":"2025-10-01T06:00:00Z","advisories":[{},[1],null]}"#,
    );
    assert_eq!(read.unwrap().advisories, 3);
}

#[test]
fn what_is_ours_is_read_and_what_nobody_knows_is_passed_over() {
    let text = format!(
        r#"{{"schemaVersion":1,"x":{{"y":[1.5,-2,true,"\u0000"]}},"domains":[{{"id":"a","z":1,"manifest":{{"path":"mirror/a/manifest.json","sizeBytes":12,"digest":"{DIGEST}"}},"bundle":null}}]}}"#
    );
    let read = index(text.as_bytes()).unwrap();
    let reference = read.domains[0].manifest.clone().unwrap();
    assert_eq!((reference.size, reference.digest), (Some(12), Some(Digest::of(b""))));
    assert_eq!(read.domains[0].bundle, None);
    let listed = br#"{"schemaVersion":1,"domainId":"a","created":"2025-10-01T06:00:00Z","advisories":["x","y"]}"#;
    assert_eq!(manifest(listed).unwrap().advisories, 2);
    assert_eq!(Digest::of(b"").to_string(), DIGEST);
    assert_eq!(Digest::parse(&DIGEST.to_uppercase().replace("SHA256", "sha256")), Some(Digest::of(b"")));
    assert_eq!(Digest::parse(&DIGEST["sha256:".len()..]), None);
}

#[test]
fn excititor_s_lists_are_read() {
    let domains = vex_domains(br#"{"domains":[{"id":"primary","displayName":"P"},{"id":"b"}]}"#).unwrap();
    assert_eq!(domains.iter().map(|domain| domain.id.as_str()).collect::<Vec<_>>(), ["primary", "b"]);
    assert_eq!(vex_domains(br#"[{"id":"primary","displayName":"P"},{"id":"b"}]"#).unwrap(), domains);
    assert_eq!(vex_domain(br#"{"id":"primary","displayName":"P","exports":["x"]}"#).unwrap(), domains[0]);
    let text = format!(
        r#"{{"id":"primary","exports":[{{"exportKey":"openvex-1","sizeBytes":3,"digest":"{DIGEST}"}},{{"key":"b.c"}}]}}"#
    );
    let read = vex_index(text.as_bytes()).unwrap();
    assert_eq!(read.exports[0].reference.size, Some(3));
    assert!(read.exports[1].reference.is_empty());
    refused(vex_domains(br#"{"domains":[{"id":"a"},{"id":"a"}]}"#), "`/domains/1` is a second `a`");
    refused(
        vex_index(br#"{"id":"a","exports":[{"exportKey":"../x"}]}"#),
        "`/exports/0/exportKey` must be letters, digits and `-_.+:@`, with a letter or digit first and at most 200 bytes",
    );
    refused(vex_index(br#"{"id":"a","exports":[{"key":"x"},{"key":"x"}]}"#), "`/exports/1` is a second `x`");
    refused(vex_index(br#"{"id":"a"}"#), "`/exports` is missing");
    refused(vex_domains(b"7"), "it is a number, not an object");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    refused(index(b""), "it is not JSON that can be read: EOF while parsing a value at line 1 column 0");
    refused(index(b"{\"schemaVersion\":1,\n}"), "it is not JSON that can be read: trailing comma at line 2 column 1");
    refused(index(b"{} x"), "it is not JSON that can be read: trailing characters at line 1 column 4");
    refused(index(b"[]"), "it is a list, not an object");
    refused(index(b"{}"), "`/schemaVersion` is missing");
    refused(index(br#"{"schemaVersion":"1"}"#), "`/schemaVersion` is a text, not a number");
    refused(index(br#"{"schemaVersion":1.5}"#), "`/schemaVersion` must be a whole number that is not negative");
    refused(index(br#"{"schemaVersion":2,"domains":7}"#), "`/schemaVersion` is 2; this program knows 1");
    refused(index(br#"{"schemaVersion":1}"#), "`/domains` is missing");
    refused(index(br#"{"schemaVersion":1,"domains":{}}"#), "`/domains` is an object, not a list");
    refused(index(br#"{"schemaVersion":1,"domains":[7]}"#), "`/domains/0` is a number, not an object");
    refused(index(br#"{"schemaVersion":1,"domains":[{"id":null}]}"#), "`/domains/0/id` is missing");
    refused(
        index(br#"{"schemaVersion":1,"domains":[{"id":"a"},{"id":"../b"}]}"#),
        "`/domains/1/id` must be lower-case letters, digits, `-` and `_`, with a letter or digit first and at most 63 bytes",
    );
    refused(
        index(br#"{"schemaVersion":1,"domains":[{"id":"a","bundle":{"digest":"sha256:ab"}}]}"#),
        "`/domains/0/bundle/digest` must be `sha256:` and 64 hexadecimal digits",
    );
    refused(
        manifest(br#"{"schemaVersion":1,"domainId":"a","created":"yesterday","advisories":1}"#),
        "`/created` must be a moment such as `2026-01-31T12:00:00Z`",
    );
    refused(
        manifest(br#"{"schemaVersion":1,"domainId":"a","created":"2025-10-01T06:00:00Z","advisories":"3"}"#),
        "`/advisories` is a text, not a number or a list",
    );
    refused(bundle(br#"{"schemaVersion":1,"domainId":"a","advisories":3}"#), "`/advisories` is a number, not a list");
}

#[test]
fn a_member_that_is_there_twice_is_refused_where_it_would_count() {
    let twice = "it is not JSON that can be read: the member `id` is there twice at line 1 column 49";
    refused(index(br#"{"schemaVersion":1,"domains":[{"id":"a","id":"b"}]}"#), twice);
    let text = br#"{"schemaVersion":1,"schemaVersion":1,"domainId":"a","advisories":[]}"#;
    assert!(bundle(text).unwrap_err().to_string().contains("the member `schemaVersion` is there twice"));
    // The same name by another spelling is the same name.
    assert!(bundle(br#"{"schemaVersion":1,"domainId":"a","advisories":[],"advisori\u0065s":[]}"#).is_err());
}

#[test]
fn size_depth_and_counts_have_limits() {
    let large = vec![b' '; limits::LARGEST_INDEX + 1];
    refused(index(&large), "it has 4194305 bytes, and at most 4194304 are read");
    let nested = |depth: usize, name: &str| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"schemaVersion":1,"domainId":"a","advisories":[],"{name}":{value}}}"#)
    };
    // Kept, counted and passed over alike.
    for name in ["created", "x"] {
        assert!(!bundle(nested(60, name).as_bytes()).is_err_and(|error| error.to_string().contains("deeper")));
        let error = bundle(nested(70, name).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("values are nested deeper than 64"), "{error}");
    }
    let deep = format!(r#"{{"schemaVersion":1,"advisories":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(bundle(deep.as_bytes()).unwrap_err().to_string().contains("deeper than 64"));
    let entries = vec![r#"{"id":"a"}"#; limits::MOST_DOMAINS + 1].join(",");
    refused(
        index(format!(r#"{{"schemaVersion":1,"domains":[{entries}]}}"#).as_bytes()),
        "`/domains` has 1001 entries, and at most 1000 are read",
    );
}

#[test]
fn every_kind_of_file_has_its_largest_size() {
    let large = |most: usize| vec![0; most + 1];
    refused(manifest(&large(64 << 20)), "it has 67108865 bytes, and at most 67108864 are read");
    refused(bundle(&large(512 << 20)), "it has 536870913 bytes, and at most 536870912 are read");
    for said in
        [vex_domains(&large(16 << 20)).err(), vex_domain(&large(16 << 20)).err(), vex_index(&large(16 << 20)).err()]
    {
        assert_eq!(said.unwrap().to_string(), "it has 16777217 bytes, and at most 16777216 are read");
    }
}

#[test]
fn values_and_entries_are_counted() {
    let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    // Kept values: the list is one too, and the version and the domains.
    let kept = |count: usize| {
        index(format!(r#"{{"schemaVersion":1,"domains":[],"created":{}}}"#, list(count)).as_bytes()).unwrap_err()
    };
    assert_eq!(kept(limits::MOST_VALUES - 3).to_string(), "`/created` is a list, not a text");
    assert!(kept(limits::MOST_VALUES - 2).to_string().contains("there are more than 1000000 values"));
    // What is counted, and what is passed over.
    let exports: String = (0..=limits::MOST_EXPORTS).map(|key| format!(r#"{{"key":"k{key}"}},"#)).collect();
    refused(
        vex_index(format!(r#"{{"id":"a","exports":[{}]}}"#, exports.trim_end_matches(',')).as_bytes()),
        "`/exports` has 100001 entries, and at most 100000 are read",
    );
    let many = format!(r#"{{"schemaVersion":1,"domainId":"a","advisories":{}}}"#, list(limits::MOST_ENTRIES + 1));
    let said = bundle(many.as_bytes()).unwrap_err().to_string();
    assert!(said.contains("something has more than 2000000 entries"), "{said}");
}

#[test]
fn ids_and_keys_are_plain_names() {
    for id in ["primary", "a", "a-b_2", "0", &"a".repeat(63)] {
        assert!(is_domain_id(id), "{id}");
    }
    for id in ["", "-a", "_", "A", "a.b", "a/b", "..", "a b", "é", &"a".repeat(64)] {
        assert!(!is_domain_id(id), "{id}");
    }
    for key in ["openvex-1", "sha256:ab", "A.b", "a@b+c", &"a".repeat(200)] {
        assert!(is_export_key(key), "{key}");
    }
    for key in ["", ".a", "..", "a/b", "a\\b", "a b", "a%2fb", "-a", "a?b", "a#b", &"a".repeat(201)] {
        assert!(!is_export_key(key), "{key}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, ..Default::default() })]

    /// Whatever comes, a reader says something; what it takes has passed its checks.
    #[test]
    fn damaged_documents_are_read_or_refused(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
        let texts = [
            format!(r#"{{"schemaVersion":1,"created":"2025-10-01T06:00:00Z","domains":[{{"id":"a","bundle":{{"sizeBytes":1,"digest":"{DIGEST}"}}}}]}}"#),
            r#"{"schemaVersion":1,"domainId":"a","created":"2025-10-01T06:00:00Z","advisories":[{"x":[1]},"y"]}"#.to_owned(),
            format!(r#"{{"id":"a","exports":[{{"exportKey":"k","sizeBytes":1,"digest":"{DIGEST}"}}]}}"#),
        ];
        for text in texts {
            let mut bytes = text.into_bytes();
            let end = bytes.len();
            bytes[at % end] = byte;
            bytes.truncate(end - cut % 3);
            if let Ok(read) = index(&bytes) {
                proptest::prop_assert!(read.domains.iter().all(|domain| is_domain_id(&domain.id)));
            }
            if let Ok(read) = manifest(&bytes) {
                proptest::prop_assert!(is_domain_id(&read.domain));
            }
            if let Ok(read) = bundle(&bytes) {
                proptest::prop_assert!(is_domain_id(&read.domain) && read.advisories <= 2);
            }
            if let Ok(read) = vex_index(&bytes) {
                proptest::prop_assert!(read.exports.iter().all(|export| is_export_key(&export.key)));
            }
            let _ = vex_domains(&bytes);
            let _ = vex_domain(&bytes);
        }
    }
}
