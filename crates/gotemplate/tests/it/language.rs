//! Small templates with results recorded from Go 1.26. They run everywhere; `oracle` holds the recording to the real thing.

use gotemplate::{MissingKey, Options, TemplateSet, Value, execute, on_large_stack};
use serde_json::json;
use source::Text;

use crate::functions::{TestFunctions, from_json};
use crate::oracle::{self, Case};

/// Template, then output or error, over `data()` with `missingkey=zero`.
const RECORDED: &[(&str, &str)] = &[
    // Helm's values: every number is a float64.
    ("{{ .n }} {{ .big }} {{ printf \"%d\" .n }} {{ kindOf .n }}", "3 1e+06 %!d(float64=3) float64"),
    ("{{ int .big }} {{ print 1000000 }} {{ printf \"%v\" .map }}", "1000000 1000000 map[a:1 b:map[c:deep]]"),
    ("{{ .list }} {{ .nil }} {{ .map.nil }}", "[1 two <nil> true] <no value> <no value>"),
    ("{{ .missing.x }}", "error: t:1:11: executing \"t\" at <.missing.x>: nil pointer evaluating interface {}.x"),
    (
        "{{ eq .n 3 }}",
        "error: t:1:3: executing \"t\" at <eq .n 3>: error calling eq: incompatible types for comparison: float64 and int",
    ),
    ("{{ .s.x }}", "error: t:1:5: executing \"t\" at <.s.x>: can't evaluate field x in type interface {}"),
    ("{{ (.s).x }}", "error: t:1:4: executing \"t\" at <.s>: can't evaluate field x in type string"),
    (
        "{{ repeat .n \"x\" }}",
        "error: t:1:10: executing \"t\" at <.n>: wrong type for value; expected int; got float64",
    ),
    ("{{ .nil | upper }}", "error: t:1:10: executing \"t\" at <upper>: invalid value; expected string"),
    (
        "{{ upper .nil }}",
        "error: t:1:9: executing \"t\" at <.nil>: wrong type for value; expected string; got interface {}",
    ),
    ("{{ upper }}", "error: t:1:3: executing \"t\" at <upper>: wrong number of args for upper: want 1 got 0"),
    ("{{ repeat 2.0 \"ab\" }}{{ double 'a' }}", "abab194"),
    ("{{ fail \"no\" }}", "error: t:1:3: executing \"t\" at <fail \"no\">: error calling fail: no"),
    // Control structures.
    ("{{ if .f }}a{{ else if .n }}b{{ else }}c{{ end }}", "b"),
    ("{{ with .nil }}a{{ else with .map.b }}{{ .c }}{{ end }}", "deep"),
    ("{{ range $i, $e := .list }}{{ if $i }},{{ end }}{{ $i }}={{ $e }}{{ end }}", "0=1,1=two,2=<no value>,3=true"),
    ("{{ range $k, $v := .map }}{{ $k }}:{{ $v }};{{ end }}", "a:1;b:map[c:deep];"),
    ("{{ range 3 }}{{ . }}{{ end }}{{ range .none }}x{{ else }}none{{ end }}", "012none"),
    ("{{ range .list }}{{ if eq (kindOf .) \"string\" }}{{ break }}{{ end }}{{ . }}{{ end }}", "1"),
    ("{{ range 4 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "023"),
    ("{{ $x := 1 }}{{ range 3 }}{{ $x = . }}{{ end }}{{ $x }}", "2"),
    ("{{ $ := .map }}{{ $.a }}{{ with 2 }}{{ $ := . }}{{ $ }}{{ end }}{{ $.a }}{{ $ = 3 }}{{ $ }}", "1213"),
    (
        "{{ define \"x\" }}{{ $ }}{{ end }}{{ range $, $e := .list }}{{ $ }}{{ template \"x\" $e }} {{ end }}{{ $.n }}",
        "01 1two 2<no value> 3true 3",
    ),
    (
        "{{ range $i, $x := 3 }}{{ end }}",
        "error: t:1:19: executing \"t\" at <3>: can't use 3 to iterate over more than one variable",
    ),
    ("{{ range .s }}{{ end }}", "error: t:1:9: executing \"t\" at <.s>: range can't iterate over text"),
    (
        "{{ range 1 }}{{ range .none }}{{ else }}{{ break }}{{ end }}on{{ end }}",
        "error: t:1:22: executing \"t\" at <.none>: can't evaluate field none in type int",
    ),
    ("{{ range 1 }}{{ range $.none }}{{ else }}{{ break }}{{ end }}on{{ end }}", "on"),
    // Trims, comments, definitions.
    ("a \n {{- 1 -}} \n b", "a1b"),
    ("a {{- /* c */ -}} b", "ab"),
    ("{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" .n }}{{ template \"x\" }}", "[3][<no value>]"),
    ("{{ block \"x\" .map }}{{ .a }}{{ end }}", "1"),
    ("{{ template \"y\" }}", "error: t:1:12: executing \"t\" at <{{template \"y\"}}>: template \"y\" not defined"),
    (
        "{{ include \"y\" . }}",
        "error: t:1:3: executing \"t\" at <include \"y\" .>: error calling include: template: no template \"y\" associated with template \"gotpl\"",
    ),
    (
        "{{ define \"x\" }}{{ .a.b }}{{ end }}\n{{ include \"x\" . }}",
        "error: t:2:3: executing \"t\" at <include \"x\" .>: error calling include: template: t:1:21: executing \"x\" at <.a.b>: nil pointer evaluating interface {}.b",
    ),
    // Built-ins.
    ("{{ and 1 0 2 }}{{ or 0 \"\" \"x\" }}{{ not .nil }}{{ len .s }}", "0xtrue4"),
    ("{{ index .list 1 }}{{ index .map \"b\" \"c\" }}{{ index .map \"zz\" }}", "twodeep<no value>"),
    (
        "{{ index .list 4 }}",
        "error: t:1:3: executing \"t\" at <index .list 4>: error calling index: reflect: slice index out of range",
    ),
    (
        "{{ index .list 5 }}",
        "error: t:1:3: executing \"t\" at <index .list 5>: error calling index: index out of range: 5",
    ),
    ("{{ len .nil }}", "error: t:1:3: executing \"t\" at <len .nil>: error calling len: len of nil pointer"),
    (
        "{{ len nil }}",
        "error: t:1:3: executing \"t\" at <len nil>: error calling len: reflect: call of reflect.Value.Type on zero Value",
    ),
    ("{{ slice .s 1 3 }}{{ slice .list 1 2 }}", "ex[two]"),
    (
        "{{ html \"<a&'\\\"\" }} {{ js \"it's <x>\" }} {{ urlquery \"a b&c\" }}",
        "&lt;a&amp;&#39;&#34; it\\'s \\u003Cx\\u003E a+b%26c",
    ),
    ("{{ print 1 2 \"a\" 3 }} {{ println 1 \"b\" }}", "1 2a3 1 b\n"),
    (
        "{{ lt 1 2 }}{{ le 2 2 }}{{ gt 1.5 2.5 }}{{ ge \"b\" \"a\" }}{{ ne 1 2 }}{{ eq 1 2 3 1 }}",
        "truetruefalsetruetruetrue",
    ),
    (
        "{{ lt true false }}",
        "error: t:1:3: executing \"t\" at <lt true false>: error calling lt: invalid type for comparison",
    ),
    ("{{ call 1 }}", "error: t:1:3: executing \"t\" at <call 1>: error calling call: non-function 1 of type int"),
    ("{{ $x := dict }}{{ $_ := set $x \"a\" 1 }}{{ $x }}", "map[a:1]"),
    ("{{ (wait 5).Seconds }} {{ wait 5 }} {{ printf \"%d %T\" (wait 5) (wait 5) }}", "5e-09 5ns 5 time.Duration"),
    ("{{ nilmap }}{{ nillist }}{{ nothing }}", "map[][]<no value>"),
    // Numbers and strings.
    (
        "{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1e3 }} {{ 'a' }} {{ 0x1p-2 }} {{ -5 }}",
        "31 5 15 1000 1000 97 0.25 -5",
    ),
    ("{{ `raw\\n` }}{{ \"\\u00e9\\t\" }}", "raw\\né\t"),
    // What the parser refuses.
    ("{{ nofunc }}", "error: t:1: function \"nofunc\" not defined"),
    ("{{ .a", "error: t:1: unclosed action"),
    ("line\n{{ .a }", "error: t:2: unexpected \"}\" in operand"),
    ("{{ if }}{{ end }}", "error: t:1: missing value for if"),
    ("{{ end }}", "error: t:1: unexpected {{end}}"),
    ("{{ if 1 }}", "error: t:1: unexpected EOF"),
    ("{{ break }}", "error: t:1: {{break}} outside {{range}}"),
    ("{{ $x }}", "error: t:1: undefined variable \"$x\""),
    ("{{ 1 | 2 }}", "error: t:1: non executable command in pipeline stage 2"),
    ("{{ \"a\".b }}", "error: t:1: unexpected . after term \"\\\"a\\\"\""),
    ("{{/* never closed", "error: t:1: unclosed comment"),
    // Widths: in the format's text ten times as much passes, for Go looks before it takes the next digit.
    ("{{ printf \"%1000001d\" 1 | len }} {{ printf \"%10000010d\" 1 }}", "1000001 %!(NOVERB)%!(EXTRA int=1)"),
    ("{{ printf \"%*d\" 1000000 1 | len }} {{ printf \"%*d\" 1000001 1 }}", "1000000 %!(BADWIDTH)1"),
    ("{{ printf \"%.1100f\" 0.5 | len }} {{ printf \"%.70000f\" 0.5 | len }}", "1102 70002"),
    ("{{ 99999999999999999999 }}", "error: t:1: integer overflow: \"99999999999999999999\""),
    (
        "{{ define \"x\" }}a{{ end }}{{ define \"x\" }}b{{ end }}",
        "error: t:1: template: multiple definition of template \"x\"",
    ),
];

fn data() -> serde_json::Value {
    json!({
        "n": 3, "big": 1_000_000, "s": "text", "f": false, "nil": null, "none": [],
        "list": [1, "two", null, true], "map": {"a": 1, "b": {"c": "deep"}},
    })
}

fn cases() -> Vec<Case> {
    RECORDED
        .iter()
        .map(|(text, _)| Case {
            templates: vec![("t".to_owned(), (*text).to_owned())],
            run: "t".to_owned(),
            data: data(),
            missing_key: "zero",
        })
        .collect()
}

#[test]
fn recorded_results() {
    for (case, (text, expected)) in cases().iter().zip(RECORDED) {
        let outcome = oracle::run(case);
        let got = match outcome.error.as_str() {
            "" => outcome.output,
            error => error.replacen("template: ", "error: ", 1),
        };
        assert_eq!(got, *expected, "{text}");
    }
}

#[test]
fn the_recording_is_go_s() {
    oracle::compare("recorded templates", &cases());
}

#[test]
fn missing_keys_by_option() {
    let run = |missing_key| {
        on_large_stack(|| {
            let mut set = TemplateSet::new();
            set.parse("t", &Text::from("{{ .a }}|{{ .a.b }}|{{ (smap \"k\" \"v\").x }}"), &TestFunctions).unwrap();
            let options = Options { missing_key, ..Options::default() };
            match execute(&set, "t", from_json(&json!({})), &TestFunctions, options) {
                Ok(text) => text.to_string(),
                Err(error) => error.to_string(),
            }
        })
    };
    assert_eq!(run(MissingKey::NoValue), "<no value>|<no value>|<no value>");
    assert!(run(MissingKey::Zero).ends_with("nil pointer evaluating interface {}.b"));
    assert!(run(MissingKey::Error).ends_with("at <.a>: map has no entry for key \"a\""));
}

#[test]
fn later_definitions_win_unless_they_are_blank() {
    let mut set = TemplateSet::new();
    for (name, text) in [
        ("a", "{{ define \"x\" }}one{{ end }}"),
        ("b", "{{ define \"x\" }}two{{ end }}"),
        ("c", "{{ define \"x\" }} {{/* blank */}}\n{{ end }}"),
        ("d", "{{ template \"x\" }}"),
    ] {
        set.parse(name, &Text::from(text), &TestFunctions).unwrap();
    }
    let run =
        |set: &TemplateSet| execute(set, "d", Value::Nil, &TestFunctions, Options::default()).unwrap().to_string();
    assert_eq!(run(&set), "two");
    assert_eq!(set.names(), ["a", "b", "c", "d", "x"]);
    // A clone is independent.
    let mut clone = set.clone();
    clone.parse("e", &Text::from("{{ define \"x\" }}three{{ end }}"), &TestFunctions).unwrap();
    assert_eq!((run(&set).as_str(), run(&clone).as_str()), ("two", "three"));
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let mut set = TemplateSet::new();
    let template = set.parse("t", &Text::from("{{ . }}"), &TestFunctions).unwrap();
    shared(&set);
    shared(&template);
}
