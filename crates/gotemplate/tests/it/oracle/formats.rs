//! Generated format strings and operands.

use gotemplate::{IntKind, UintKind, Value, format};
use serde_json::json;
use source::{FileId, Span, Text};

use super::generated::{Random, count};
use super::{judge, peers};
use crate::functions::from_json;

/// An operand for the oracle, and the same for us.
fn operand(random: &mut Random) -> (serde_json::Value, Value) {
    let typed = |go_type: &str, value: serde_json::Value, ours: Value| (json!({"type": go_type, "value": value}), ours);
    match random.below(14) {
        0 => typed("nil", json!(null), Value::Nil),
        1 => typed("bool", json!(true), Value::Bool(true)),
        2 | 3 => {
            let number = [0, 1, -1, 42, -42, 255, 65, 0x1f600, 1_000_000, i64::MAX, i64::MIN, 0xd800, 0x11_0000];
            let number = number[random.below(number.len())];
            typed("int", json!(number), Value::int(number))
        }
        4 => typed("int64", json!(-7), Value::Int(IntKind::Int64, -7)),
        5 => typed("uint8", json!(200), Value::Uint(UintKind::Uint8, 200)),
        6 => typed("uint64", json!(u64::MAX), Value::Uint(UintKind::Uint64, u64::MAX)),
        7 | 8 => {
            let number = match random.below(3) {
                0 => {
                    let fixed = [
                        0.0,
                        -0.0,
                        1.0,
                        0.1,
                        1e6,
                        999_999.0,
                        1e21,
                        1e-5,
                        123_456_789.0,
                        2.5,
                        0.5,
                        1.5,
                        5e-324,
                        f64::MAX,
                    ];
                    fixed[random.below(fixed.len())]
                }
                1 => (random.below(1 << 40) as f64 - 5e11) / 1024.0,
                _ => {
                    let bits = f64::from_bits((random.below(1 << 30) as u64) << 33 | random.below(1 << 30) as u64);
                    if bits.is_finite() { bits } else { 3.25 }
                }
            };
            typed("float64text", json!(format!("{number:e}")), Value::Float(number))
        }
        9 | 10 => {
            let text = random.pick(&[
                "",
                "abc",
                "héllo wörld",
                "a\tb\n\"q\"`",
                "☃😀",
                "{{x}}",
                "%d",
                "\u{0}\u{7f}\u{200b}\u{feff}",
            ]);
            typed("string", json!(text), Value::from(text))
        }
        11 => typed("bytes", json!("hé\n"), Value::Bytes("hé\n".as_bytes().into())),
        12 => {
            let list = json!([1, "two", null, [true, 1e21], {"k": "v", "a": 0.5}]);
            typed("list", list.clone(), from_json(&list))
        }
        _ => {
            let map = json!({"b": 1, "a": null, "c": ["x"], "d": {"e": "f"}});
            typed("map", map.clone(), from_json(&map))
        }
    }
}

fn pattern(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(3) {
        out.push_str(random.pick(&["", "x", " ", "é", "%%", "="]));
        out.push('%');
        for _ in 0..random.below(3) {
            out.push_str(random.pick(&["", "#", "0", "+", "-", " "]));
        }
        out.push_str(random.pick(&["", "", "", "", "", "", "[1]", "[2]", "[9]", "[x]", "[0]", "["]));
        out.push_str(random.pick(&["", "", "", "", "3", "10", "*", "12345678"]));
        out.push_str(random.pick(&["", "", "", "", ".2", ".0", ".", ".*", ".[1]*", ".20"]));
        out.push_str(random.pick(&["", "", "", "", "", "[1]"]));
        out.push_str(random.pick(&[
            "v", "v", "v", "s", "s", "d", "d", "q", "x", "X", "T", "t", "f", "e", "E", "g", "G", "c", "U", "b", "o",
            "O", "z", "F", "é", "!", "", "w",
        ]));
    }
    out
}

#[test]
fn generated_formats_print_as_in_go() {
    let Some(oracle) = peers("gotemplateoracle") else { return };
    let mut random = Random(0xdead_beef_cafe_f00d);
    let cases: Vec<(String, Vec<(serde_json::Value, Value)>)> = (0..count(4000))
        .map(|_| {
            let operands = (0..random.below(4)).map(|_| operand(&mut random)).collect();
            (pattern(&mut random), operands)
        })
        .collect();
    let lines: Vec<_> = cases
        .iter()
        .map(|(pattern, operands)| json!({"format": pattern, "args": operands.iter().map(|(json, _)| json).collect::<Vec<_>>()}))
        .collect();
    let mut differ = 0;
    for ((pattern, operands), expected) in cases.iter().zip(judge(&oracle, &lines)) {
        let args: Vec<Value> = operands.iter().map(|(_, value)| value.clone()).collect();
        let ours = format::sprintf(&Text::from(pattern.as_str()), &args);
        // With a trace the bytes are the same.
        let traced: Vec<Value> = args
            .iter()
            .map(|arg| match arg {
                Value::Str(text) => Value::Str(Text::exact(text.to_arc(), Span::new(FileId(0), 0..text.len()))),
                arg => arg.clone(),
            })
            .collect();
        assert_eq!(format::sprintf(&Text::from(pattern.as_str()), &traced), ours);
        if ours.as_str() != expected.output {
            differ += 1;
            if differ < 20 {
                let args: Vec<_> = operands.iter().map(|(json, _)| json.to_string()).collect();
                eprintln!("--- {pattern:?} {args:?}\n  go   {:?}\n  ours {:?}", expected.output, ours.as_str());
            }
        }
    }
    eprintln!("generated formats: {} cases, {differ} differ", cases.len());
    assert_eq!(differ, 0);
}
