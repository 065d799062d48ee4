//! Where things are: spans, decoded offsets and traces, on texts with CR LF, BOM and letters of several bytes.

use source::{FileId, Origin, Span, Text};
use yamlspan::{Data, Dialect, Kind, NodeRef, Scalar, Style, decode, emit, parse, parse_first};

use crate::mutations::{Random, json, mutate};
use crate::seeds::SEEDS;

const FILE: FileId = FileId(3);

fn slice(node: NodeRef<'_>, span: Span) -> &str {
    assert_eq!(span.file, FILE);
    &node.source()[span.range()]
}

/// `expect` is the node's text with tag and anchor, the node itself, and what is inside.
fn check(text: &str, path: &[&str], expect: [&str; 3]) {
    for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4] {
        let document = parse_first(text, FILE, dialect).unwrap().unwrap();
        let node = document.root().at(path).unwrap();
        let got = [slice(node, node.full_span()), slice(node, node.span()), slice(node, node.content_span())];
        assert_eq!(got, expect, "{text:?} {path:?}");
    }
}

#[test]
fn spans_are_exact() {
    check("\u{feff}ä: é # ü\r\nb: 'it''s' # x\r\n", &["b"], ["'it''s'", "'it''s'", "it''s"]);
    check("\u{feff}ä: é # ü\r\n", &["ä"], ["é", "é", "é"]);
    check("a: &x !!str \"q\" # c\n", &["a"], ["&x !!str \"q\"", "\"q\"", "q"]);
    check("a: {b: [c, d] , e: f}\n", &["a", "b"], ["[c, d]", "[c, d]", "[c, d]"]);
    check(
        "a:\n  b: c\n  d:\n  - e  # x\n\nf: g\n",
        &["a"],
        ["b: c\n  d:\n  - e", "b: c\n  d:\n  - e", "b: c\n  d:\n  - e"],
    );
    check("a: |+ # h\n  x\n\n  y\nb: c\n", &["a"], ["|+ # h\n  x\n\n  y\n", "|+ # h\n  x\n\n  y\n", "  x\n\n  y\n"]);
    check("a:\nb: c\n", &["a"], ["", "", ""]);
    check("a: x\n  y\nb: c\n", &["a"], ["x\n  y", "x\n  y", "x\n  y"]);
}

#[test]
fn an_empty_value_is_right_after_its_key() {
    let document = parse_first("a:\nb: c\n", FILE, Dialect::GoYamlV4).unwrap().unwrap();
    let node = document.root().get("a").unwrap();
    assert_eq!((node.span().range(), node.value()), (2..2, Scalar::Null));
}

#[test]
fn decoded_offsets_lead_to_bytes() {
    let text = "a: \"x\\ty \\\n   z\"\nb: one\n  two\nc: |\n  l1\n  l2\nd: 'p''q'\n";
    let document = parse_first(text, FILE, Dialect::GoYamlV2).unwrap().unwrap();
    let root = document.root();
    let place = |key: &str, part: &str| {
        let node = root.get(key).unwrap();
        let at = node.raw().find(part).unwrap();
        node.source_range_of(at..at + part.len()).map(|range| &text[range])
    };
    assert_eq!(root.get("a").unwrap().raw(), "x\ty z");
    assert_eq!(place("a", "z"), Some("z"));
    assert_eq!(place("a", "\t"), None);
    assert_eq!(place("b", "two"), Some("two"));
    assert_eq!(place("b", "e t"), None);
    assert_eq!(place("c", "l2\n"), Some("l2\n"));
    assert_eq!(place("d", "q"), Some("q"));
}

#[test]
fn aliases_merge_keys_and_documents() {
    let text = "base: &b {x: 1, y: 2}\nsvc:\n  <<: *b\n  y: 3\nalso: *b\n---\nsecond\n";
    let documents = parse(text, FILE, Dialect::GoYamlV4).unwrap();
    assert_eq!(documents.len(), 2);
    let root = documents[0].root();
    assert_eq!(root.at(&["svc", "x"]).unwrap().raw(), "1");
    assert_eq!(root.at(&["svc", "y"]).unwrap().raw(), "3");
    let alias = root.get("also").unwrap();
    assert_eq!((alias.kind(), alias.anchor()), (Kind::Alias, Some("b")));
    assert_eq!(alias.target(), root.get("base").unwrap());
    assert_eq!(documents[1].root().raw(), "second");
    assert_eq!(&text[documents[1].span().range()], "---\nsecond");
}

#[test]
fn the_last_of_equal_keys_is_found() {
    for text in ["a: 1\nb: 2\na: 3\n", "a: &x 1\nb: *x\na: 3\n", "<<: {a: 0}\na: 1\na: 3\n", "{a: 1, \"a\": 3}"] {
        for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4] {
            let documents = parse(text, FILE, dialect).unwrap();
            assert_eq!(documents[0].root().get("a").unwrap().raw(), "3", "{text:?}");
            assert_eq!(documents[0].root().get("c"), None);
        }
    }
}

/// Every scalar, read through its trace, says where each of its bytes came from: exact bytes are the source's.
#[test]
fn traces_are_true() {
    let mut random = Random::new(11);
    let texts = SEEDS.iter().map(|&seed| seed.to_owned()).chain((0..2_000).map(|_| mutate(SEEDS, &mut random)));
    let texts: Vec<String> = texts.collect();
    let mut scalars = 0;
    for text in &texts {
        let source = Text::exact(text.as_str(), Span::new(FILE, 0..text.len()));
        for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV4] {
            for document in parse(text.as_str(), FILE, dialect).unwrap_or_default() {
                walk(document.root(), &source, 0, &mut scalars);
            }
        }
    }
    assert!(scalars > 5_000, "{scalars}");
}

fn walk(node: NodeRef<'_>, source: &Text, depth: usize, scalars: &mut usize) {
    assert!(depth < 200);
    let (outer, inner) = (node.full_span(), node.content_span());
    assert!(outer.contains(node.span()) || node.span().is_empty());
    assert!(node.source().get(outer.range()).is_some() && node.source().get(inner.range()).is_some());
    if node.kind() == Kind::Scalar {
        *scalars += 1;
        let traced = node.text(source);
        assert_eq!(traced.as_str(), node.raw());
        assert_eq!(node.text(&Text::new(source.as_str())).as_str(), node.raw());
        for segment in traced.segments() {
            for span in segment.origin.spans() {
                assert!(inner.contains(*span) || node.style() == Style::Plain, "{span:?} in {inner:?}");
            }
        }
        for at in 0..traced.len() {
            let Some(decoded) = traced.get(at..).and_then(|rest| rest.chars().next()) else { continue };
            let range = at..at + decoded.len_utf8();
            let exact = traced.exact_span(range.clone()).map(Span::range);
            assert_eq!(exact, node.source_range_of(range), "{:?} at {at} of {:?}", node.raw(), node.source());
            if let Some(exact) = exact {
                assert_eq!(&node.source()[exact], decoded.encode_utf8(&mut [0; 4]));
            }
        }
    }
    for item in node.items() {
        walk(item, source, depth + 1, scalars);
    }
    for (key, value) in node.entries() {
        walk(key, source, depth + 1, scalars);
        walk(value, source, depth + 1, scalars);
    }
}

/// Writing traced values gives the bytes of untraced ones, and each exact piece is a copy of the source.
#[test]
fn written_text_keeps_its_trace() {
    let mut random = Random::new(13);
    let texts = SEEDS.iter().map(|&seed| seed.to_owned()).chain((0..1_000).map(|_| json(&mut random)));
    let mut exact = 0;
    for text in texts {
        let traced = Text::exact(text.as_str(), Span::new(FILE, 0..text.len()));
        let plain = Text::new(text.as_str());
        let options = decode::Options::default();
        let (Ok(data), Ok(same)) =
            (decode::json_value(&traced, FILE, options), decode::json_value(&plain, FILE, options))
        else {
            continue;
        };
        assert_eq!(data, same);
        for write in
            [emit::go_yaml_v2, |data: &Data| emit::go_yaml_v3(data, 2), |data: &Data| emit::go_yaml_v4(data, 2)]
        {
            let written = write(&data);
            assert_eq!(written, write(&same));
            assert!(!write(&same).is_traced());
            for segment in written.segments() {
                if let Origin::Exact(span) = segment.origin {
                    assert_eq!(&written[segment.range.clone()], &text[span.range()]);
                    exact += segment.range.len();
                }
            }
        }
    }
    assert!(exact > 20_000, "{exact}");
}

#[test]
fn a_digest_in_a_template_value_is_found_again() {
    let text = "image:\n  digest: \"sha256:00ff\"\n  tag: 'it''s'\n";
    let source = Text::exact(text, Span::new(FILE, 0..text.len()));
    let data = decode::json_value(&source, FILE, decode::Options::default()).unwrap();
    let written = emit::go_yaml_v2(&data);
    let at = written.find("sha256:00ff").unwrap();
    let found = written.exact_span(at..at + "sha256:00ff".len()).unwrap();
    assert_eq!(&text[found.range()], "sha256:00ff");
}
