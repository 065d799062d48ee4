//! What is said of a text without reading it is what reading it says.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use source::FileId;

use crate::{Dialect, Document, parse_first};

const FILE: FileId = FileId(0);

fn document(text: &str, dialect: Dialect) -> Option<Document> {
    parse_first(text, FILE, dialect).ok()?
}

/// What two documents have in common if one is the other with other words: all but the texts of their scalars, and where they end.
fn shape(document: &Document) -> Vec<String> {
    let nodes = document.tree.nodes.iter();
    nodes.map(|node| format!("{:?} {:?} {}", node.kind, node.style, node.line)).collect()
}

/// Whether the other text is known for the first one with other words; if so, reading it says the same.
fn holds(text: &str, other: &str, dialect: Dialect) -> bool {
    let Some(known) = document(text, dialect) else { return false };
    let Some(found) = known.reworded(other) else { return false };
    let read = document(other, dialect).unwrap_or_else(|| panic!("{text:?} {other:?}"));
    assert_eq!(shape(&known), shape(&read), "{text:?} {other:?}");
    for id in 0..u32::try_from(known.tree.nodes.len()).unwrap() {
        let (old, new) = (known.node(id).unwrap(), read.node(id).unwrap());
        match found.iter().find(|reworded| reworded.id == id) {
            Some(reworded) => {
                assert_ne!(old.raw(), new.raw(), "{text:?} {other:?}");
                assert!(reworded.text.is_none_or(|text| text == new.raw()), "{text:?} {other:?} {reworded:?}");
                assert_eq!((old.value(), new.value()), (crate::Scalar::Str, crate::Scalar::Str), "{text:?} {other:?}");
            }
            None => assert_eq!(old.raw(), new.raw(), "{text:?} {other:?}"),
        }
    }
    true
}

#[test]
fn other_words_in_values_are_known() {
    for (text, other) in [
        ("a: stella-x\n", "a: test-x\n"),
        ("a: stella # c\nb: 1\n", "a: test # c\nb: 1\n"),
        ("a: \"stella\"\n", "a: \"test\"\n"),
        ("a: stella\n", "a: stella-x\n"),
        ("- b: http://stella-redis:6379/0\n  c: d\n", "- b: http://test-redis:6379/0\n  c: d\n"),
        ("a: [stella, b]\nc: {d: 'stella'}\n", "a: [test, b]\nc: {d: 'test'}\n"),
        ("a: |\n  b: stella\n  # stella\nc: stella\n", "a: |\n  b: test\n  # test\nc: test\n"),
        ("a: /x/stella.d/y\n", "a: /x/test.d/y\n"),
        ("a: stella.b.stella\n", "a: test.b.test\n"),
        ("a: stella", "a: test"),
        ("a: |\n  for x in stella:1 stella:2; do\n", "a: |\n  for x in test:1 # test:2; do\n"),
        ("a: b\n", "a: b\n"),
    ] {
        for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4] {
            assert!(holds(text, other, dialect), "{text:?} {other:?}");
        }
    }
}

#[test]
fn what_may_be_another_document_is_not_known() {
    for (text, other) in [
        ("stella: b\n", "test: b\n"),
        ("a: {stella: b}\n", "a: {test: b}\n"),
        ("a: stella\n", "a: 12\n"),
        ("a: 12\n", "a: stella\n"),
        ("a: stella\n", "a: -\n"),
        ("a: stella\n", "a: y\n"),
        ("a: stella\n", "a: 2001-01-01\n"),
        ("a: stella\n", "a: b c\n"),
        ("a: stella\n", "a: b: c\n"),
        ("a: stella\n", "a:\n"),
        ("a: stella\n", "a: \"test\"\n"),
        ("a: stella\n", "a: stella\nb: c\n"),
        ("a: stella\nb: c\n", "a: stella\n"),
        ("a: b # stella\n", "a: b # test\n"),
        ("a: [stella, stella]\n", "a: [test, test]\n"),
        ("a: |\n  stella\n", "a: |\n   stella\n"),
        ("a: |\n  stella\n", "a: |\n  \n"),
        ("a: |\n  stella x\n", "a: |\n  a\u{1}b x\n"),
        ("a: stella stella\n", "a: test test\n"),
        ("a: &b stella\n", "a: &b test\n"),
    ] {
        assert!(!holds(text, other, Dialect::GoYamlV2), "{text:?} {other:?}");
    }
}

#[test]
fn it_is_as_reading_says() {
    // Words that stand where others stand in the texts, and what is no word there.
    let (texts, others) =
        (crate::lines::tests::text(), proptest::string::string_regex("(z|a-z|z-1|[a-c1y:. -]{1,3})").unwrap());
    let mut runner = TestRunner::deterministic();
    let mut held = 0;
    for _ in 0..10_000 {
        let text = texts.new_tree(&mut runner).unwrap().current();
        let other = others.new_tree(&mut runner).unwrap().current();
        for dialect in [Dialect::GoYamlV2, Dialect::GoYamlV4] {
            for word in ["x", "b", "c", "d"] {
                let reworded = text.replace(word, &other);
                held += usize::from(reworded != text && holds(&text, &reworded, dialect));
            }
        }
    }
    assert!(held > 500, "{held}");
}
