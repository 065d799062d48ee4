use source::FileId;

use super::*;
use crate::parse_first;

fn check(text: &str, path: &[&str], new: &str, expect: &str) {
    let document = parse_first(text, FileId(0), Dialect::GoYamlV4).unwrap().unwrap();
    let node = document.root().at(path).unwrap();
    let got = replace_scalars(&[(node, new)]).unwrap_or_else(|error| format!("refused: {error}"));
    assert_eq!(got, expect, "{text:?}");
}

#[test]
fn keeps_quotes_comments_and_line_ends() {
    check("# é\r\na: 'x' # y\r\nb: 1\r\n", &["a"], "it's", "# é\r\na: 'it''s' # y\r\nb: 1\r\n");
    check("a: \"x\"\n", &["a"], "q\"\n", "a: \"q\\\"\\n\"\n");
    check("a: b:1 #c\n", &["a"], "b:2@sha256:00", "a: b:2@sha256:00 #c\n");
    check("{image: \"redis:7\", command: [a, b]}", &["image"], "new", "{image: \"new\", command: [a, b]}");
    check("[a, b]", &["1"], "c,d", "[a, \"c,d\"]");
    check("a: &x !t b\n", &["a"], "c", "a: &x !t c\n");
}

#[test]
fn a_string_stays_a_string() {
    check("tag: v1\n", &["tag"], "1.0", "tag: \"1.0\"\n");
    check("tag: v1\n", &["tag"], "yes", "tag: \"yes\"\n");
    check("port: 80\n", &["port"], "81", "port: 81\n");
    check("a: 'x'\n", &["a"], "x\ny", "a: \"x\\ny\"\n");
}

#[test]
fn a_value_that_is_not_written_is_put_after_its_key() {
    check("a:\nb: 1\n", &["a"], "x", "a: x\nb: 1\n");
    check("a: # c\n", &["a"], "x", "a: x # c\n");
}

#[test]
fn refuses_what_is_not_one_value_on_one_place() {
    check("a: &x 1\nb: *x\n", &["b"], "2", "refused: cannot edit an alias: the value stands at its anchor");
    check("a: |\n  x\n", &["a"], "y", "refused: cannot edit a block scalar in place: its text spans lines");
    check("a: [b]\n", &["a"], "y", "refused: cannot edit a collection as if it were one value");
}

#[test]
fn splices_must_not_overlap() {
    let splice = |start, end| Splice { span: Span::new(FileId(0), start..end), replacement: "x".to_owned() };
    assert_eq!(apply("abcdef", &[splice(4, 5), splice(1, 2)]).unwrap(), "axcdxf");
    assert!(apply("abcdef", &[splice(1, 3), splice(2, 4)]).is_err());
    assert!(apply("abc", &[splice(2, 9)]).is_err());
    assert!(apply("é", &[splice(1, 2)]).is_err());
}
