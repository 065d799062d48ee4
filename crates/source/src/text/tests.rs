use super::*;
use crate::FileId;

fn at(range: Range<usize>) -> Span {
    Span::new(FileId(0), range)
}

#[test]
fn a_slice_of_a_concatenation_keeps_exact_spans() {
    let mut buf = TextBuf::new();
    buf.push(&Text::exact("registry", at(10..18)));
    buf.push_str("/");
    buf.push(&Text::exact("service", at(30..37)));
    let joined = buf.finish();
    assert_eq!(joined.as_str(), "registry/service");
    assert_eq!(joined.exact_span(9..16), Some(at(30..37)));
    assert_eq!(joined.slice(10..13).exact_span(0..3), Some(at(31..34)));
    assert_eq!(joined.exact_span(0..16), None);
}

#[test]
fn neighbours_that_continue_each_other_merge() {
    let mut buf = TextBuf::new();
    buf.push_exact("ab", at(0..2));
    buf.push_exact("cd", at(2..4));
    let text = buf.finish();
    assert_eq!(text.segments().len(), 1);
    assert_eq!(text.exact_span(1..3), Some(at(1..3)));
}

#[test]
fn trimming_and_replacing_keep_what_stays() {
    let text = Text::exact("  a-b  ", at(0..7));
    let trimmed = text.trimmed(str::trim);
    assert_eq!((trimmed.as_str(), trimmed.exact_span(0..3)), ("a-b", Some(at(2..5))));
    let replaced = trimmed.replaced("-", &Text::new("_"));
    assert_eq!(replaced.as_str(), "a_b");
    assert_eq!(replaced.exact_span(2..3), Some(at(4..5)));
    assert_eq!(replaced.exact_span(1..2), None);
}

#[test]
fn carriers_stack_outermost_first() {
    let text = Text::exact("x", at(0..1)).carried_by(at(100..110)).carried_by(at(200..210));
    let via = text.segments()[0].via.clone().unwrap();
    assert_eq!(via.at, at(200..210));
    assert_eq!(via.inner.as_ref().unwrap().at, at(100..110));
}

#[test]
fn untraced_stays_untraced() {
    let text = Text::new("abc");
    assert!(!text.slice(0..1).is_traced());
    assert!(!Text::derived_from("x", [&text]).is_traced());
    assert!(!text.carried_by(at(0..1)).is_traced());
}

#[test]
fn an_empty_text_keeps_its_place() {
    let text = Text::exact("", at(5..5));
    assert_eq!(text.segments_in(0..0).count(), 1);
}

/// A value that is made from more places than anybody would look at names the first of them.
#[test]
fn origins_of_one_piece_have_a_limit() {
    let parts: Vec<Text> = (0..17_usize).map(|at| Text::exact("x", self::at(3 * at..3 * at + 1))).collect();
    let spans = |count: usize| match &Text::derived_from("made", &parts[..count]).segments()[0].origin {
        Origin::Union(spans) => spans.len(),
        Origin::Exact(_) => panic!("it is made"),
    };
    assert_eq!((spans(16), spans(17)), (16, 16));
}
