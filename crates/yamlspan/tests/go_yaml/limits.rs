//! Hostile texts are refused with a reason, quickly and without overflowing the stack.

use source::{FileId, Text};
use yamlspan::{Data, Dialect, Document, Error, Limit, MOST_BYTES, MOST_NODES, decode, emit, parse, parse_first};

use crate::live::{Differences, ask, compare};

const DIALECTS: [Dialect; 3] = [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4];

fn value(text: &str, dialect: Dialect) -> Result<Data, Error> {
    let document = parse_first(text, FileId(0), dialect)?.unwrap();
    decode::value(&document, &Text::new(text))
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[test]
fn deep_values_work_up_to_the_limit() {
    for dialect in DIALECTS {
        let data = value(&nested(decode::MOST_DEPTH), dialect).unwrap();
        for written in [emit::go_yaml_v2(&data), emit::go_yaml_v3(&data, 2), emit::go_yaml_v4(&data, 2)] {
            assert!(written.ends_with("[]\n"));
        }
        let error = value(&nested(decode::MOST_DEPTH + 1), dialect).unwrap_err();
        assert_eq!(
            (error.limit(), error.to_string().as_str()),
            (Some(Limit::Depth), "yaml: values nest deeper than 1000 levels",)
        );
    }
}

#[test]
fn trees_nest_as_deep_as_go_yaml_lets_them() {
    for dialect in DIALECTS {
        assert!(parse(nested(10_000), FileId(0), dialect).is_ok());
        for text in ["[".repeat(10_001), "{".repeat(10_001), "- ".repeat(10_001), "? ".repeat(10_001)] {
            let error = parse(text, FileId(0), dialect).unwrap_err().to_string();
            assert!(error.ends_with("exceeded max depth of 10000"), "{error}");
        }
    }
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    for dialect in DIALECTS {
        assert!(value(&text, dialect).unwrap_err().to_string().ends_with("document contains excessive aliasing"));
    }
}

/// Looking a key up follows merges without decoding; what decoding refuses must not hang it.
#[test]
fn merges_are_followed_up_to_a_depth_and_a_number() {
    let found = |text: &str, key: &str, dialect: Dialect| {
        let document = parse_first(text, FileId(0), dialect).unwrap().unwrap();
        document.root().get("last").unwrap().get(key).map(|node| node.raw().to_owned())
    };
    // Mappings of which each merges the one before; the first has the key.
    let chain = |merges: usize| {
        let steps: String = (1..merges).map(|step| format!("m{step}: &m{step} {{<<: *m{}}}\n", step - 1)).collect();
        format!("m0: &m0 {{key: found}}\n{steps}last: {{<<: *m{}}}\n", merges - 1)
    };
    // A list of mappings of which the last has the key. The list itself counts as one.
    let list = |length: usize| {
        let others = "*a, ".repeat(length - 1);
        format!("a: &a {{other: x}}\nb: &b {{key: found}}\nlast: {{<<: [{others}*b]}}\n")
    };
    let mut bomb = "a0: &a0 {key: found}\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} {{<<: [{aliases}]}}\n"));
    }
    bomb.push_str("last: {<<: *a11}\n");
    for dialect in DIALECTS {
        assert_eq!(found(&chain(64), "key", dialect).as_deref(), Some("found"));
        assert_eq!(found(&chain(65), "key", dialect), None);
        assert_eq!(found(&list(9_999), "key", dialect).as_deref(), Some("found"));
        assert_eq!(found(&list(10_000), "key", dialect), None);
        assert_eq!(found(&bomb, "absent", dialect), None);
        assert_eq!(found("last: &a {<<: *a}\n", "absent", dialect), None);
    }
}

#[test]
fn an_anchor_that_contains_itself_is_refused() {
    for dialect in DIALECTS {
        let error = value("&a [*a]\n", dialect).unwrap_err().to_string();
        assert!(error.ends_with("anchor 'a' value contains itself"), "{error}");
    }
    // Looking up a key gives up as well.
    let document = parse_first("a: &a\n  <<: [*a, *a, *a]\n", FileId(0), Dialect::GoYamlV4).unwrap().unwrap();
    assert_eq!(document.root().at(&["a", "missing"]), None);
}

#[test]
fn many_equal_keys_are_reported_in_time() {
    let text: String = (0..50_000).map(|index| format!("k{}: 1\n", index % 100)).collect();
    let error = value(&text, Dialect::GoYamlV4).unwrap_err().to_string();
    // go-yaml would have twelve million of them.
    assert_eq!(error.matches(" already defined at line ").count(), 1_000);
    assert!(error.contains("line 101: mapping key \"k0\" already defined at line 1"), "{}", error.len());
}

#[test]
fn texts_have_a_largest_size() {
    // What comes after the first document is not read.
    let mut text = "a\n---\n".to_owned();
    text.extend(std::iter::repeat_n(' ', MOST_BYTES - text.len()));
    assert!(parse_first(text.as_str(), FileId(0), Dialect::GoYamlV3).is_ok());
    text.push(' ');
    for dialect in DIALECTS {
        let error = parse_first(text.as_str(), FileId(0), dialect).unwrap_err();
        let expected = "yaml: text has 67108865 bytes, more than the 67108864 that are read";
        assert_eq!((error.limit(), error.to_string().as_str()), (Some(Limit::Size), expected));
    }
}

#[test]
fn texts_have_a_largest_number_of_nodes() {
    // Two for the mapping and its key, one for the sequence.
    let text = |items: usize| format!("a: [{}]\n", "b,".repeat(items));
    assert!(parse(text(MOST_NODES - 3), FileId(0), Dialect::GoYamlV3).is_ok());
    for dialect in DIALECTS {
        let error = parse(text(MOST_NODES - 2), FileId(0), dialect).unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Nodes));
        assert!(error.to_string().ends_with("the text has more than the 500000 values that are read"), "{error}");
        assert_eq!(error.span().map(|span| span.start), Some(4 + 2 * (u32::try_from(MOST_NODES).unwrap() - 3)));
    }
}

/// Past the limit a scalar is read as before; only the place of what is behind it is less exact.
#[test]
fn places_within_scalars_are_exact_up_to_a_limit() {
    let text = format!("a: |\n{}b: 'x''y'\n", "  x\n".repeat(500_010));
    let document = parse_first(text.as_str(), FileId(0), Dialect::GoYamlV3).unwrap().unwrap();
    let root = document.root();
    let long = root.get("a").unwrap();
    let content = long.text(&Text::new(text.as_str()));
    assert_eq!(content.as_str(), "x\n".repeat(500_010));
    assert_eq!(long.source_range_of(2..3), Some(11..12), "the second line");
    assert_eq!(long.source_range_of(1_000_018..1_000_019), None, "the last line");
    let short = root.get("b").unwrap();
    assert_eq!(short.text(&Text::new(text.as_str())).as_str(), "x'y");
}

/// go-yaml's own limits, where they begin; it is asked where it is there.
#[test]
fn keys_and_versions_have_a_longest_length() {
    let key = |length: usize| format!("? x\n: y\n{}: b\n", "a".repeat(length));
    let version = |digits: &str| format!("%YAML 1.{digits}\n---\na\n");
    let texts = [key(1_024), key(1_025), version("01"), version("001")];
    let said = |dialect: Dialect| {
        texts.each_ref().map(|text| match value(text, dialect) {
            Ok(_) => "read".to_owned(),
            Err(error) => error.to_string(),
        })
    };
    let too_long = "yaml: line 3: could not find expected ':'";
    let extremely = "yaml: found extremely long version number";
    assert_eq!(said(Dialect::GoYamlV2), ["read", too_long, "read", extremely]);
    assert_eq!(said(Dialect::GoYamlV3), ["read", too_long, "read", extremely]);
    let extremely = "go-yaml load error in scanner (while scanning a %YAML directive) at L1.C1-C11: found extremely long version number";
    assert_eq!(said(Dialect::GoYamlV4), ["read", "read", "read", extremely]);
    assert_go_says_the_same(&texts);
}

fn assert_go_says_the_same(texts: &[String]) {
    let Some(oracle) = testkit::peer("yamloracle") else { return };
    let mut differences = Differences::default();
    for (text, answer) in texts.iter().zip(ask(oracle.as_std_path(), texts)) {
        compare(text, &answer, &mut differences);
    }
    differences.report();
}

/// On its way to YAML a value of a chart is JSON, in which a character may become six.
#[test]
fn keys_are_too_long_where_their_escapes_are() {
    let written = |letters: usize| {
        let map = Data::Map(vec![(Text::new("<".repeat(letters)), Data::Null)]);
        emit::try_go_yaml_v2(&map).map(|text| text.len()).map_err(|error| error.to_string())
    };
    assert!(written(170).is_ok());
    assert_eq!(written(171), Err("yaml: did not find expected ',' or '}'".to_owned()));
    assert_go_says_the_same(&[170, 171].map(|letters| format!("{}: a\n", "<".repeat(letters))));
}

#[test]
fn documents_can_be_shared() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Document>();
    shared::<Data>();
    shared::<Error>();
}

/// go-yaml reads by pieces of 512 bytes, and v3 three tokens ahead: it refuses what stands there, though nobody has asked for it.
#[test]
fn a_forbidden_character_is_met_where_go_yaml_has_read_ahead() {
    let filled = |before: &str| format!("{before}{}\u{1}", "y".repeat(530 - before.len()));
    let oracle = testkit::peer("yamloracle");
    for (before, [v2, v3]) in [
        ("\"a\"\n\"b\"\n!y ", [false, true]),
        ("a\n--- b\n!y\n", [false, true]),
        (">\n>\n>\n", [false, true]),
        (">\n>\n[", [false, true]),
        (">\n>\n&", [false, true]),
        (">\n>\n!", [false, true]),
        (">\n!y\n", [true, true]),
        (">\n>\n!!y\n!x\n", [false, false]),
    ] {
        let refused = |dialect| parse_first(filled(before), FileId(0), dialect).is_err();
        assert_eq!([refused(Dialect::GoYamlV2), refused(Dialect::GoYamlV3)], [v2, v3], "{before:?}");
        if let Some(oracle) = &oracle {
            let mut differences = Differences::default();
            let text = filled(before);
            let answers = ask(oracle.as_std_path(), std::slice::from_ref(&text));
            answers.iter().for_each(|answer| compare(&text, answer, &mut differences));
            differences.report();
        }
    }
}
