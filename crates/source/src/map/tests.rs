use super::*;

fn excerpt(text: &str, needle: &str) -> (String, String) {
    let mut map = SourceMap::default();
    let file = map.add("f.yaml", text);
    let start = text.find(needle).unwrap();
    let excerpt = map.excerpt(Span::new(file, start..start + needle.len())).unwrap();
    (excerpt.text.clone(), excerpt.text[excerpt.highlight].to_owned())
}

#[test]
fn secrets_are_masked_and_the_highlight_moves_along() {
    let cases = [
        ("DB_PASSWORD=hunter2 # x", "DB_PASSWORD", "DB_PASSWORD=•••", "DB_PASSWORD"),
        ("  clientSecret: s3cr3t", "s3cr3t", "  clientSecret: •••", "•••"),
        ("url: redis://u:p@host:1/0", "host", "url: redis://•••@host:1/0", "host"),
        ("a\u{1b}[31mred: x", "x", "a\u{fffd}[31mred: x", "x"),
        ("PASSWORD_FILE=/run/secrets/db", "/run", "PASSWORD_FILE=/run/secrets/db", "/run"),
        ("a: {x: 1, password: hunter2, y: 2}", "y", "a: {x: 1, password: •••, y: 2}", "y"),
        ("c: Server=h;Password=hunter2;Port=1", "Port", "c: Server=h;Password=•••;Port=1", "Port"),
        ("j: '{\"token\": \"hunter2\"}'", "j", "j: '{\"token\": \"•••\"}'", "j"),
        ("j: \"{\\\"token\\\": \\\"hunter2\\\"}\"", "j", "j: \"{\\\"token\\\": \\\"•••\\\"}\"", "j"),
        ("ini: \"[db]\\npassword = hunter2\\n\"", "ini", "ini: \"[db]\\npassword = •••\\n\"", "ini"),
        ("        \"--password=hunter2\",", "--", "        \"--password=•••\",", "--"),
        ("c: [\"--password=hunter2\", \"-v\"]", "-v", "c: [\"--password=•••\", \"-v\"]", "-v"),
        (
            "`charts/external-secrets`: a dependency is missing",
            "a",
            "`charts/external-secrets`: a dependency is missing",
            "a",
        ),
        ("error: unexpected token: foo", "foo", "error: unexpected token: foo", "foo"),
        ("a: {password: \"${P:?}\", b: 1}", "b", "a: {password: \"${P:?}\", b: 1}", "b"),
        ("t:$2y$10$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq:x", "x", "t:•••:x", "x"),
        ("  - \"t:$$2y$$10$$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4\"", "t", "  - \"t:•••\"", "t"),
        ("t:$apr1$r31....$HqJZimcKQFAMYayBlzkrA/", "$apr1$r31....$HqJZimcKQFAMYayBlzkrA/", "t:•••", "•••"),
        ("t:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "t", "t:•••", "t"),
        ("a: s/$1$2/$1$/", "s", "a: s/$1$2/$1$/", "s"),
        ("mirror-a.htpasswd: \"t:hunter2\"", "mirror-a", "mirror-a.htpasswd: •••", "mirror-a"),
        ("write `${DB_PASSWORD:?}`, x", "x", "write `${DB_PASSWORD:?}`, x", "x"),
        ("AWS_ACCESS_KEY_ID: AKIA1", "AKIA1", "AWS_ACCESS_KEY_ID: AKIA1", "AKIA1"),
        ("SECRET_ID: x1", "x1", "SECRET_ID: •••", "•••"),
        ("POSTGRES_PASSWORD: ${PG}", "${PG}", "POSTGRES_PASSWORD: ${PG}", "${PG}"),
        ("password: {{ .Values.password }}", ".V", "password: {{ .Values.password }}", ".V"),
        (
            "password: {{ .a | default \"hun\\\"ter2\" | quote }}",
            "quote",
            "password: {{ .a | default \"•••\" | quote }}",
            "quote",
        ),
        ("password: \"{{ `hunter2` }}{{ \"x\" }}\"", "p", "password: \"{{ `•••` }}{{ \"•••\" }}\"", "p"),
        ("token: {{ include \"shop.token\" . }}", "shop", "token: {{ include \"shop.token\" . }}", "shop"),
        ("- at '/a/password': got number, want string", "at", "- at '/a/password': got number, want string", "at"),
        ("- at '/a/password': hunter2, want string", "at", "- at '/a/password': •••, want string", "at"),
        ("API_KEY_RATE_LIMIT=100/minute", "100", "API_KEY_RATE_LIMIT=100/minute", "100"),
        ("{{- $password := \"hunter2\" }}", "$", "{{- $password := \"•••\" }}", "$"),
        (
            "{{- $secret := lookup \"v1\" \"Secret\" $ns \"db\" }}",
            "v1",
            "{{- $secret := lookup \"v1\" \"Secret\" $ns \"db\" }}",
            "v1",
        ),
        (
            "{{ $secret := (lookup \"v1\" \"Secret\" \"\" \"db\") | default (dict \"a\" \"hunter2\") }}",
            "v1",
            "{{ $secret := (lookup \"v1\" \"Secret\" \"\" \"db\") | default (dict \"•••\" \"•••\") }}",
            "v1",
        ),
        (
            "{{ $password := .Values.p | default \"hunter2\" }}",
            "p |",
            "{{ $password := .Values.p | default \"•••\" }}",
            "p |",
        ),
        ("{{ $password = print \"hunter\" 2 }}", "print", "{{ $password = print \"•••\" 2 }}", "print"),
        (
            "command: redis-server --requirepass hunter2 --port 1",
            "port",
            "command: redis-server --requirepass ••• --port 1",
            "port",
        ),
        ("c: [\"--requirepass\", \"hunter2\"]", "c", "c: [\"--requirepass\", \"•••\"]", "c"),
        ("c: [--requirepass, $(P)]", "c", "c: [--requirepass, $(P)]", "c"),
        ("PASSWORD := hunter2", "P", "PASSWORD :•••", "P"),
        ("a: {{ dict \"password\" \"hunter2\" | toYaml }}", "a", "a: {{ dict \"password\" \"•••\" | toYaml }}", "a"),
        ("image_pull_secrets: []", "[]", "image_pull_secrets: []", "[]"),
        ("  \"secretSync\": {},", "{}", "  \"secretSync\": {},", "{}"),
        (
            "secrets: {pw: {file: ./pw.txt}, api: {environment: T}}",
            "./",
            "secrets: {pw: {file: ./pw.txt}, api: {environment: T}}",
            "./",
        ),
        ("secret: {value: hunter2}", "secret", "secret: •••", "secret"),
        ("secrets: {pw: {file: a}, b: hunter2}", "secrets", "secrets: •••", "secrets"),
        ("- --secret-field-selector=type!=x", "type", "- --secret-field-selector=type!=x", "type"),
        ("CLICKHOUSE_DSN: tcp://clickhouse:9000", "tcp", "CLICKHOUSE_DSN: tcp://clickhouse:9000", "tcp"),
        ("SENTRY_DSN: https://hunter2@sentry.example.org/1", "S", "SENTRY_DSN: •••", "S"),
        ("DB_DSN=postgres://db/?password=hunter2", "D", "DB_DSN=•••", "D"),
        ("API_TOKEN: https://hunter2", "A", "API_TOKEN: •••", "A"),
    ];
    for (text, needle, masked, highlighted) in cases {
        assert_eq!(excerpt(text, needle), (masked.to_owned(), highlighted.to_owned()), "{text}");
    }
}

#[test]
fn positions_count_characters() {
    let mut map = SourceMap::default();
    let file = map.add("f", "ä: x\r\nb: ü y\n");
    assert_eq!(map.position(file, 4), Position { line: 1, column: 4 });
    assert_eq!(map.position(file, 13), Position { line: 2, column: 6 });
    assert_eq!(map.position(file, 999), Position { line: 3, column: 1 });
}

#[test]
fn several_lines_are_one_excerpt() {
    let (text, highlighted) = excerpt("a: 1\nb: 2\nc: 3\n", "1\nb: 2");
    assert_eq!((text.as_str(), highlighted.as_str()), ("a: 1\nb: 2", "1\nb: 2"));
}

#[test]
fn the_place_of_a_secret_hides_what_stands_there() {
    let text = "a: 1\nt:hunter2:x\nu:p\n";
    let mut map = SourceMap::default();
    let file = map.add("f", text);
    let hidden = |needle: &str| {
        let start = text.find(needle).unwrap();
        let excerpt = map.excerpt_hiding(Span::new(file, start..start + needle.len())).unwrap();
        (excerpt.text.clone(), excerpt.text[excerpt.highlight].to_owned())
    };
    assert_eq!(hidden("hunter2"), ("t:•••:x".to_owned(), "•••".to_owned()));
    assert_eq!(hidden("hunter2:x\nu:p"), ("t:•••\n•••".to_owned(), "•••\n•••".to_owned()));
    // Two reasons to hide that overlap hide all of both.
    let text = "url: redis://u:p@host:1/0";
    let file = map.add("g", text);
    let excerpt = map.excerpt_hiding(Span::new(file, 15..20)).unwrap();
    assert_eq!(excerpt.text, "url: redis://•••t:1/0");
}

/// A minified file is one line: what is shown of it is what stands around the place, and what is masked stays so.
#[test]
fn of_a_long_line_a_part_is_shown() {
    let filler = "x: 1, ".repeat(2_000);
    let text = format!("{{{filler}password: hunter2, image: é, {filler}}}");
    let mut map = SourceMap::default();
    let file = map.add("f.json", text.as_str());
    let start = text.find('é').unwrap();
    for _ in 0..2 {
        let excerpt = map.excerpt(Span::new(file, start..start + 2)).unwrap();
        assert_eq!(&excerpt.text[excerpt.highlight.clone()], "é");
        assert!(excerpt.text.len() < 1_000 && excerpt.text.contains("password: •••, image: é"), "{}", excerpt.text);
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'), "{}", excerpt.text);
        let excerpt = map.excerpt_hiding(Span::new(file, start..start + 2)).unwrap();
        assert_eq!(&excerpt.text[excerpt.highlight.clone()], "•••");
        assert!(!excerpt.text.contains('é') && !excerpt.text.contains("hunter2"), "{}", excerpt.text);
    }
    // The place of a whole long line is not all of it either.
    let excerpt = map.excerpt(Span::new(file, 0..text.len())).unwrap();
    assert!(excerpt.text.len() < 6_000 && excerpt.highlight.end <= excerpt.text.len());
}

#[test]
fn of_many_lines_the_first_are_shown() {
    let text = "a: 1\n".repeat(1_000);
    let mut map = SourceMap::default();
    let file = map.add("f.yaml", text.as_str());
    let excerpt = map.excerpt(Span::new(file, 0..text.len())).unwrap();
    assert_eq!((excerpt.text.lines().count(), excerpt.highlight), (50, 0..249));
}

#[test]
fn words_of_others_are_one_short_line() {
    assert_eq!(quoted(" a\u{1b}[31m\r\n  b\u{202e} ", 20), "a\u{fffd}[31m b\u{fffd}");
    assert_eq!(quoted(&"ä".repeat(9), 9), "ä".repeat(9));
    assert_eq!(quoted(&"ä".repeat(10), 9), "ä".repeat(9) + "…");
}
