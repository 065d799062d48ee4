//! YAML in all dialects: spans lie in the text, traces tell the truth, and what reads a document never overflows.

use source::{FileId, Span, Text};
use yamlspan::{Dialect, Kind, NodeRef, decode, emit, parse};

const FILE: FileId = FileId(0);

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    let source = Text::exact(text.as_str(), Span::new(FILE, 0..text.len()));
    for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4] {
        let documents = match parse(text.as_str(), FILE, dialect) {
            Ok(documents) => documents,
            Err(error) => {
                assert!(error.span().is_none_or(|span| text.get(span.range()).is_some()), "{error}");
                continue;
            }
        };
        for document in &documents {
            walk(document.root(), &source, 0);
            let traced = decode::value(document, &source);
            let plain = decode::value(document, &Text::new(text.as_str()));
            match (traced, plain) {
                (Ok(traced), Ok(plain)) => {
                    assert_eq!(emit::go_yaml_v3(&traced, 2).as_str(), emit::go_yaml_v3(&plain, 2).as_str());
                    assert_eq!(emit::go_yaml_v4(&traced, 2).as_str(), emit::go_yaml_v4(&plain, 2).as_str());
                    // Keys too long for it make it refuse.
                    let _ = emit::try_go_yaml_v2(&plain);
                }
                (Err(traced), Err(plain)) => assert_eq!(traced.to_string(), plain.to_string()),
                _ => panic!("a trace changes the verdict"),
            }
        }
    }
    for strict in [false, true] {
        let options = decode::Options { strict, ..decode::Options::default() };
        // Its verdict is compared with that of the real one by the target `yaml_oracle`.
        let _ = decode::json_value(&source, FILE, options);
    }
}

fn walk(node: NodeRef<'_>, source: &Text, depth: usize) {
    // Recursion here has the stack of a test; the parser's own limit is ten times as deep.
    if depth > 500 {
        return;
    }
    for span in [node.full_span(), node.span(), node.content_span()] {
        assert!(source.get(span.range()).is_some(), "{span:?} does not lie in the text");
    }
    assert!(node.full_span().contains(node.span()) || node.span().is_empty());
    match node.kind() {
        Kind::Scalar => {
            let traced = node.text(source);
            assert_eq!(traced.as_str(), node.raw());
            for segment in traced.segments() {
                assert!(segment.origin.spans().iter().all(|span| source.get(span.range()).is_some()));
            }
        }
        Kind::Sequence => node.items().for_each(|item| walk(item, source, depth + 1)),
        Kind::Mapping => node.entries().for_each(|(key, value)| {
            walk(key, source, depth + 1);
            walk(value, source, depth + 1);
        }),
        // It may contain itself.
        Kind::Alias => {}
    }
}
