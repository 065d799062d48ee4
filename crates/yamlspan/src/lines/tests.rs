//! The line reader is held to the grammar: it makes the same nodes, or none.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::read;
use crate::document::{Content, Parts, compose};
use crate::{Dialect, Kind, Style};

const DIALECTS: [Dialect; 3] = [Dialect::GoYamlV2, Dialect::GoYamlV3, Dialect::GoYamlV4];

/// Whether the line reader took a text. If it did, every dialect's grammar makes the same of it.
fn is_read(text: &str) -> bool {
    let Some((parts, root)) = read(text) else { return false };
    assert!(!keys(&parts).any(|(style, start, end)| style == Style::Plain && &text[start..end] == "<<"), "{text:?}");
    let read = format!("{parts:?} {root:?}");
    for dialect in DIALECTS {
        let (parts, roots) = compose(text, dialect, usize::MAX).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
        assert_eq!(roots.len(), 1, "{text:?}");
        assert_eq!(read, format!("{parts:?} {:?}", roots[0]), "{text:?} in {dialect:?}");
    }
    true
}

/// Style and place of each key.
fn keys(parts: &Parts) -> impl Iterator<Item = (Style, usize, usize)> {
    let mappings = parts.nodes.iter().filter(|node| node.kind == Kind::Mapping);
    let ids = mappings.flat_map(|node| match node.content {
        Content::Children { from, to } => parts.children[from as usize..to as usize].iter().step_by(2),
        _ => unreachable!("{node:?}"),
    });
    ids.map(|&id| &parts.nodes[id as usize]).map(|key| (key.style, key.start as usize, key.end as usize))
}

#[test]
fn what_people_write_most_is_read() {
    for text in [
        "a: 1\n",
        "a: 1",
        "a:\nb:\n",
        "a:",
        "a:\n  b: x # why\n\n  # c\n  c: \"y z\"\nd: 'w'\n",
        "a:\n- b\n- c: d\n  e:\n  - f\n  g:\ng: {}\n",
        "- a: []\n  b: - c\n".replace("- c", "-c").as_str(),
        "list:\n  - one\n  - two: 2\n    three:\n      four: 4\n",
        "- k:\n- b: c\n",
        "image: a/b:1@sha256:0\nurl: http://x/#y\n",
        "a: b  c   # d\n",
        "a: |\n  b\n",
        "a: |-\n  b\n   c\n\n\n  d # e\nf: g\n",
        "a:\n- |\n  b: c\n- k: |\n    x\n\n# e\n",
        "a: |\n  b",
        "a: |\n  b\u{fc}\u{2013}\n  \tc\n# \u{fc}\nc: d\n",
        "a: {cpu: 10m, memory: 16Mi}\nb: [\"x\", 'y', z w, {}, [1, [2]]] # c\nd: { e: f }\n",
        "- {a: http://b/c}\n",
        "\"a b\": c\n'd': e\n",
        "- \"f\": g\n  'h': |\n    i\n",
    ] {
        assert!(is_read(text), "{text:?}");
    }
    assert!(is_read(&format!("{}: b\n", "a".repeat(1_000))));
    assert!(is_read(&nested(100)) && is_read(&in_brackets(9)));
}

/// So many mappings inside each other.
fn nested(levels: usize) -> String {
    (0..levels).map(|level| format!("{}a:\n", " ".repeat(level))).collect()
}

fn in_brackets(levels: usize) -> String {
    format!("a: {}b{}\n", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn what_needs_the_grammar_is_left_to_it() {
    for text in [
        "",
        "# only a comment\n",
        "a",
        "a: b: c\n",
        "a: b\n  c\n",
        "a: |\n\n  b\n",
        "a: |\n  b\n \n",
        "a: |\nb: c\n",
        "a: |2\n  b\n",
        "a: |+\n  b\n",
        "a: >\n  b\n",
        "a: |\n  b\n\tc\n",
        "a: |\n  \tb\n",
        "a: \u{fc}\n# \u{fc}\n",
        "a:\n  b: |\n  c\n",
        "a: |\n  b\u{85}c\n",
        "a: |\n  b\u{2028}c\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "? a\n: b\n",
        "a: \"b\\n\"\n",
        "a: 'b''c'\n",
        "a: \"b\n  c\"\n",
        "a: [b,]\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: {b: c\n  }\n",
        "a: {b:c}\n",
        "a: [b] c\n",
        "{a: b}: c\n",
        "a: {<<: {b: c}}\n",
        "\"a\" : b\n",
        "\"a\":b\n",
        "\"a\\n\": b\n",
        "---\na: b\n",
        "a: b\n...\n",
        "a:\tb\n",
        "a: ü\n",
        "a: b\r\n",
        "a : b\n",
        "a:\n  b: c\n d: e\n",
        "a: b\n- c\n",
        "- - a\n",
        "-\n  a: b\n",
        "a: \"b\"#c\n",
        "%YAML 1.1\n---\na: b\n",
    ] {
        assert!(!is_read(text), "{text:?}");
    }
    assert!(!is_read(&format!("{}: b\n", "a".repeat(1_001))));
    assert!(!is_read(&nested(101)) && !is_read(&in_brackets(10)));
}

/// Lines that are often right below each other, and now and then not.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let indent = prop_oneof![9 => Just(""), 9 => Just("  "), 3 => Just("    "), 1 => Just(" "), 1 => Just("      ")];
    let item = prop_oneof![30 => Just(""), 10 => Just("- "), 1 => Just("-   "), 1 => Just("- - "), 1 => Just("-")];
    let key = prop_oneof![
        40 => Just("a:"), 20 => Just("b-c:"), 1 => Just("a b:"), 1 => Just("a#b:"), 1 => Just("a #b:"), 1 => Just("a :"), 1 => Just("<<:"),
        2 => Just(""), 1 => Just("\"q\":"), 1 => Just("$x/y:"), 1 => Just("...:"), 1 => Just("a::"), 1 => Just("? a:")
    ];
    let value = prop_oneof![
        40 => Just(" x"), 20 => Just(""), 2 => Just(" 1 2"), 1 => Just(" \"a b\""), 1 => Just(" 'c'"), 1 => Just(" {}"), 1 => Just("  []"),
        1 => Just(" x:y"), 1 => Just(" x: y"), 1 => Just(" x:"), 1 => Just(" -x"), 1 => Just(" - x"), 1 => Just(" #x"), 1 => Just("#x"),
        6 => Just(" |"), 3 => Just(" |-"), 1 => Just(" |+"), 1 => Just(" | "), 1 => Just(" >"),
        3 => Just(" {a: b}"), 2 => Just(" [a, 'b' , c d ]"), 1 => Just(" {\"a\": [b, {c: d}]}"), 1 => Just(" [a: b]"), 1 => Just(" {a, b}"),
        1 => Just(" [a,b]"), 1 => Just(" {a: b, }"), 1 => Just(" {<<: {b: c}}"), 1 => Just(" {\"<<\": b}"), 1 => Just(" [[], {}]"), 1 => Just(" {a: b:c}"), 1 => Just(" {a: b, c:}"), 1 => Just(" {a: b #}"),
        1 => Just(" \u{fc}"), 1 => Just(" \u{2028}"), 1 => Just(" \\"), 1 => Just(" {}: "), 1 => Just(" [a]: b"), 1 => Just(" {a: -}"), 1 => Just(" [-, a]"),
        1 => Just(" \"a\\t\""), 1 => Just(" ''"), 1 => Just(" '''"), 1 => Just(" |"), 1 => Just(" *a"), 1 => Just(" ~"), 1 => Just(" [x"),
        1 => Just(" a [b], {c}"), 1 => Just(" \"a"), 1 => Just("---"), 1 => Just(" a# b"), 1 => Just(" .x"), 1 => Just(" ?x"), 1 => Just(" :x")
    ];
    let rest = prop_oneof![40 => Just(""), 2 => Just("  "), 2 => Just(" # c: d"), 1 => Just("# c"), 1 => Just(" \t"), 1 => Just("\r"), 1 => Just(" # \u{fc}"), 1 => Just("\tx")];
    let end = prop_oneof![30 => Just("\n"), 2 => Just("\n\n"), 1 => Just("\n\n\n"), 1 => Just("\n  \n"), 1 => Just("\n\t\n"), 1 => Just("\n  # e\n"), 1 => Just("\n#\n"), 1 => Just("")];
    let line = (indent, item, key, value, rest, end)
        .prop_map(|(indent, item, key, value, rest, end)| [indent, item, key, value, rest, end].concat());
    proptest::collection::vec(line, 0..7).prop_map(|lines| lines.concat())
}

fn holds(texts: &impl Strategy<Value = String>, cases: usize) -> usize {
    let mut runner = TestRunner::deterministic();
    (0..cases).filter(|_| is_read(&texts.new_tree(&mut runner).unwrap().current())).count()
}

#[test]
fn it_reads_as_the_grammar_does() {
    let read = holds(&text(), 8_000);
    assert!(read > 750, "{read}");
    let read = holds(&"[ab:# \\-\n\"'{}\\[\\]x]{0,16}", 20_000);
    assert!(read > 100, "{read}");
    let read = holds(&"a: [\\[{][ab:, \"'{}\\[\\]?#-]{0,8}[\\]}]\n", 20_000);
    assert!(read > 100, "{read}");
    let read = holds(&"( a:|a:|-) [|]-?\n( {0,3}[ab#\t\u{fc}:-]{0,3}\n){0,5}[ a]{0,2}", 20_000);
    assert!(read > 100, "{read}");
}
