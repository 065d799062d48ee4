//! Verbs against results recorded from Go 1.26.

use super::*;
use crate::{List, Map, Type, UintKind};

fn check(format: &str, args: &[Value], expected: &str) {
    assert_eq!(sprintf(&Text::from(format), args).as_str(), expected, "{format}");
}

#[test]
fn verbs() {
    let text = || Value::from("hi");
    check(
        "%s|%5s|%-5s|%.1s|%q|%x|% X",
        &[text(), text(), text(), text(), text(), text(), text()],
        "hi|   hi|hi   |h|\"hi\"|6869|68 69",
    );
    check(
        "%d|%5d|%-5d|%05d|%+d|%x|%#x|%o|%b|%c|%U",
        &vec![Value::int(65); 11],
        "65|   65|65   |00065|+65|41|0x41|101|1000001|A|U+0041",
    );
    check(
        "%v|%g|%f|%.2f|%e|%8.1f|%08.3f",
        &vec![Value::Float(1_234_567.5); 7],
        "1.2345675e+06|1.2345675e+06|1234567.500000|1234567.50|1.234568e+06|1234567.5|1234567.500",
    );
    check("%t|%v|%d", &vec![Value::Bool(true); 3], "true|true|%!d(bool=true)");
    check("%v|%s|%d|%T", &vec![Value::Nil; 4], "<nil>|%!s(<nil>)|%!d(<nil>)|<nil>");
}

#[test]
fn composites() {
    let map = Value::map([("b".into(), Value::Nil), ("a".into(), Value::strings(["x".into()]))]);
    check(
        "%v|%T|%s|%#v",
        &vec![map; 4],
        "map[a:[x] b:<nil>]|map[string]interface {}|map[a:[x] b:<nil>]|map[string]interface {}{\"a\":[]string{\"x\"}, \"b\":interface {}(nil)}",
    );
    let bytes = Value::Bytes((*b"hi").into());
    check("%v|%s|%x|%T|%d", &vec![bytes; 5], "[104 105]|hi|6869|[]uint8|[104 105]");
    check("%v %v", &[Value::List(List::nil(Type::LIST)), Value::Map(Map::nil(Type::MAP))], "[] map[]");
    check("%v %T", &[Value::Uint(UintKind::Uint8, 7), Value::int64(7)], "7 int64");
}

#[test]
fn wrong_patterns() {
    check("%d %s", &[Value::int(1)], "1 %!s(MISSING)");
    check("%d", &[Value::int(1), Value::from("x"), Value::Nil], "1%!(EXTRA string=x, <nil>)");
    check("%", &[], "%!(NOVERB)");
    check("%z %!", &[Value::int(1)], "%!z(int=1) %!!(MISSING)");
    check("%[2]d %[1]d %[3]d", &[Value::int(1), Value::int(2)], "2 1 %!d(BADINDEX)");
    check(
        "%*d|%-*d|%.*f",
        &[Value::int(3), Value::int(1), Value::int(3), Value::int(1), Value::int(1), Value::Float(2.0)],
        "  1|1  |2.0",
    );
    check("%*d", &[Value::from("x"), Value::int(1)], "%!(BADWIDTH)1");
    check("100%%", &[], "100%");
}

#[test]
fn spaces_between_operands() {
    let args = [Value::int(1), Value::int(2), Value::from("a"), Value::Nil, Value::Bool(true)];
    assert_eq!(sprint(&args).as_str(), "1 2a<nil> true");
    assert_eq!(sprintln(&args).as_str(), "1 2 a <nil> true\n");
}
