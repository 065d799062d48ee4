use source::Span;

use super::*;

const FILE: &str = "a: one\nb: one\nc: two\n";

fn sources(text: &str) -> (SourceMap, FileId) {
    let mut sources = SourceMap::default();
    let file = sources.add("x.yaml", text);
    (sources, file)
}

fn finding(text: &str, file: FileId, needle: &str, message: &str) -> Finding<Location> {
    let start = text.find(needle).unwrap();
    let place = Location::Span(Span::new(file, start + 3..start + needle.len()));
    Finding::new("digest-mismatch", Severity::Error, place, message)
}

fn baseline(text: &str) -> Baseline {
    let entries = parse(text, FileId(9)).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    Baseline { name: "b.yaml".into(), path: "b.yaml".into(), counts: counts(&entries), entries }
}

/// How many are new when what is found in `text` is held against what was found in [`FILE`].
fn new(then: &[(&str, &str)], text: &str, now: &[(&str, &str)]) -> usize {
    let found = |text: &str, what: &[(&str, &str)]| {
        let (sources, file) = sources(text);
        let found: Vec<_> = what.iter().map(|(needle, message)| finding(text, file, needle, message)).collect();
        (sources, found)
    };
    let (then_sources, then) = found(FILE, then);
    let written = super::text(&then, &then_sources);
    let (sources, now) = found(text, now);
    baseline(&written).split(now, &sources).new.len()
}

#[test]
fn lines_and_releases_move_and_another_text_is_new() {
    let then = [("a: one", "release `1` differs")];
    assert_eq!(new(&then, FILE, &then), 0);
    assert_eq!(new(&then, "# more\n\na: one\n", &[("a: one", "release `2` differs")]), 0);
    assert_eq!(new(&then, "a: two\n", &[("a: two", "release `1` differs")]), 1);
    assert_eq!(new(&then, FILE, &[("a: one", "release `1` is damaged")]), 1);
}

#[test]
fn more_of_the_same_are_new_and_fewer_are_not() {
    let (one, two) = (("a: one", "m"), ("b: one", "m"));
    assert_eq!(new(&[one, two], FILE, &[one, two]), 0);
    assert_eq!(new(&[one, two], FILE, &[two]), 0);
    assert_eq!(new(&[one], FILE, &[one, two]), 2);
}

#[test]
fn a_merge_that_doubles_a_line_accepts_no_more() {
    let (sources, file) = sources(FILE);
    let written = super::text(&[finding(FILE, file, "a: one", "m")], &sources);
    let line = written.lines().last().unwrap();
    let merged = baseline(&format!("{written}{line}\n"));
    let twice = vec![finding(FILE, file, "a: one", "m"), finding(FILE, file, "b: one", "m")];
    assert_eq!(merged.split(twice, &sources).new.len(), 2);
}

#[test]
fn notes_and_secrets_are_not_written() {
    let (sources, file) = sources("a: hunter2\nb: hunter3\n");
    let text = "a: hunter2\nb: hunter3\n";
    let secret = |needle| finding(text, file, needle, "a secret").secret();
    let written = super::text(&[secret("a: hunter2")], &sources);
    assert!(!written.contains("hunter"), "{written}");
    // Not even its hash is known: another secret at the same place of the same file is the same finding.
    assert_eq!(super::text(&[secret("b: hunter3")], &sources), written);
    let mut note = finding(text, file, "a: hunter2", "m");
    note.severity = Severity::Note;
    assert!(super::text(&[note], &sources).ends_with("findings: []\n"));
}

#[test]
fn what_is_no_baseline_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "the file is empty"),
        ("{\"findings\": [{\"rule\": \"digest-mismatch\"}]}", "the file has no `schema`"),
        ("schema: 2\nfindings: []\n", "`schema` must be 1"),
        ("schema: 1\n", "the file has no `findings`"),
        ("schema: 1\nfindings: {}\n", "`findings` must be a list, not a mapping"),
        ("schema: 1\nfindings: [x]\n", "`findings[0]` must be a mapping, not a single value"),
        (
            "schema: 1\nfindings:\n- {id: \"12\", rule: digest-mismatch, message: m}\n",
            "`findings[0].id` is no fingerprint: `12`",
        ),
        ("schema: 1\nfindings:\n- {id: \"0123456789abcdef\", rule: digest, message: m}\n", "there is no rule `digest`"),
        (
            "schema: 1\nfindings:\n- {id: \"0123456789abcdef\", rule: digest-mismatch, message: m, count: 0}\n",
            "`findings[0].count` cannot be `0`",
        ),
        ("<<<<<<< HEAD\nschema: 1\nfindings: []\n", "mapping values are not allowed in this context"),
    ] {
        let problems = parse(text, FileId(0)).err().unwrap_or_default();
        let first = problems.first().unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(first.message.contains(expected) && first.span.is_some(), "{text}: {first:?}");
    }
}
