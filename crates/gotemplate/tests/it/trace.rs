//! Where the bytes of an output come from.

use gotemplate::{Exec, MissingKey, Options, Template, TemplateSet, Value, execute};
use source::{FileId, Origin, Span, Text};

use crate::functions::TestFunctions;

const TEMPLATE: FileId = FileId(0);
const VALUES: FileId = FileId(1);
const VALUES_TEXT: &str = "name: web\nquote: 'a \"b\"'\nsource: '<{{ .name }}>'\n";

fn span(file: FileId, whole: &str, part: &str) -> Span {
    let start = whole.find(part).unwrap();
    Span::new(file, start..start + part.len())
}

fn value(part: &str) -> Value {
    Value::Str(Text::exact(part, span(VALUES, VALUES_TEXT, part)))
}

fn values() -> Value {
    Value::map([
        ("name".into(), value("web")),
        ("quote".into(), value("a \"b\"")),
        ("source".into(), value("<{{ .name }}>")),
        ("number".into(), Value::Float(3.0)),
        ("list".into(), Value::list(vec![value("web"), value("a \"b\"")])),
    ])
}

fn traced() -> Options {
    Options { trace: true, missing_key: MissingKey::Zero, ..Options::default() }
}

/// Runs a text and describes each piece: bytes, origin, actions that carried it from the outermost one on.
fn check(template: &str, expected: &[&str]) {
    let mut set = TemplateSet::new();
    set.parse("t", &Text::exact(template, Span::new(TEMPLATE, 0..template.len())), &TestFunctions).unwrap();
    let text = execute(&set, "t", values(), &TestFunctions, traced()).unwrap();
    let untraced = execute(&set, "t", values(), &TestFunctions, Options { trace: false, ..traced() }).unwrap();
    assert_eq!(text, untraced);
    assert_eq!(describe(&text, template), expected, "{template}");
}

fn describe(text: &Text, template: &str) -> Vec<String> {
    let at = |span: &Span| {
        let whole = if span.file == VALUES { VALUES_TEXT } else { template };
        format!("{}{}", if span.file == VALUES { "values:" } else { "" }, &whole[span.range()])
    };
    text.segments()
        .iter()
        .map(|segment| {
            let origin = match &segment.origin {
                Origin::Exact(span) => format!("= {}", at(span)),
                Origin::Union(spans) => format!("~ {}", spans.iter().map(at).collect::<Vec<_>>().join(" + ")),
            };
            let mut via = String::new();
            let mut next = segment.via.as_ref();
            while let Some(this) = next {
                via.push_str(&format!(" < {}", at(&this.at)));
                next = this.inner.as_ref();
            }
            format!("{} {origin}{via}", &text[segment.range.clone()])
        })
        .collect()
}

#[test]
fn literals_and_values_keep_their_place() {
    check("a{{ .name }}b", &["a = a", "web = values:web < {{ .name }}", "b = b"]);
    check("{{ .name -}}  b", &["web = values:web < {{ .name -}}", "b = b"]);
    check("{{ \"lit\" }}", &["lit = lit < {{ \"lit\" }}"]);
    check("{{ \"l\\tt\" }}", &["l\tt ~ l\\tt < {{ \"l\\tt\" }}"]);
    check("{{ range .list }}{{ . }}{{ end }}", &["web = values:web < {{ . }}", "a \"b\" = values:a \"b\" < {{ . }}"]);
    check("{{ with $x := .name }}{{ $x }}{{ end }}", &["web = values:web < {{ $x }}"]);
}

#[test]
fn printing_keeps_places() {
    check(
        "{{ printf \"<%s:%v>\" .name .quote }}",
        &[
            "< = < < {{ printf \"<%s:%v>\" .name .quote }}",
            "web = values:web < {{ printf \"<%s:%v>\" .name .quote }}",
            ": = : < {{ printf \"<%s:%v>\" .name .quote }}",
            "a \"b\" = values:a \"b\" < {{ printf \"<%s:%v>\" .name .quote }}",
            "> = > < {{ printf \"<%s:%v>\" .name .quote }}",
        ],
    );
    check("{{ printf \"%q\" .name }}", &["web = values:web < {{ printf \"%q\" .name }}"]);
    check("{{ printf \"%q\" .quote }}", &["\"a \\\"b\\\"\" ~ values:a \"b\" < {{ printf \"%q\" .quote }}"]);
    check("{{ printf \"%5.2s\" .name }}", &["we = values:we < {{ printf \"%5.2s\" .name }}"]);
    check(
        "{{ print .name \"-\" .name }}",
        &[
            "web = values:web < {{ print .name \"-\" .name }}",
            "- = - < {{ print .name \"-\" .name }}",
            "web = values:web < {{ print .name \"-\" .name }}",
        ],
    );
    check("{{ slice .quote 2 }}", &["\"b\" = values:\"b\" < {{ slice .quote 2 }}"]);
    check("{{ html .name }}", &["web = values:web < {{ html .name }}"]);
    check("{{ html .quote }}", &["a &#34;b&#34; ~ values:a \"b\" < {{ html .quote }}"]);
    check("{{ .list }}", &["web = values:web < {{ .list }}", "a \"b\" = values:a \"b\" < {{ .list }}"]);
}

#[test]
fn what_has_no_place_comes_from_its_action() {
    check("{{ .number }}", &["3 ~ {{ .number }}"]);
    check("{{ .missing }}", &["<no value> ~ {{ .missing }}"]);
}

#[test]
fn calls_are_kept_from_the_outermost_on() {
    check(
        "{{ define \"n\" }}[{{ .name }}]{{ end }}{{ include \"n\" . }}",
        &[
            "[ = [ < {{ include \"n\" . }}",
            "web = values:web < {{ include \"n\" . }} < {{ .name }}",
            "] = ] < {{ include \"n\" . }}",
        ],
    );
    check(
        "{{ define \"n\" }}{{ .name }}{{ end }}{{ template \"n\" . }}",
        &["web = values:web < {{ template \"n\" . }} < {{ .name }}"],
    );
}

#[test]
fn a_template_in_a_value_keeps_its_place() {
    let mut set = TemplateSet::new();
    let Value::Map(values) = values() else { panic!("no map") };
    let source = values.get("source").unwrap();
    let template: Template = set.parse("tpl", source.as_text().unwrap(), &TestFunctions).unwrap();
    let mut exec = Exec::new(&set, &TestFunctions, traced());
    let text = exec.run_template(&template, Value::Map(values)).unwrap().text;
    assert_eq!(describe(&text, ""), ["< = values:<", "web = values:web < values:{{ .name }}", "> = values:>"]);
}

#[test]
fn errors_carry_the_node_s_span() {
    let template = "a: {{ .name }}\nb: {{ .name.more.x | print }}\n";
    let mut set = TemplateSet::new();
    set.parse("t", &Text::exact(template, Span::new(TEMPLATE, 0..template.len())), &TestFunctions).unwrap();
    let error = execute(&set, "t", values(), &TestFunctions, Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: t:2:11: executing \"t\" at <.name.more.x>: can't evaluate field more in type interface {}"
    );
    assert_eq!((error.line(), error.column(), error.template()), (2, Some(11), "t"));
    assert_eq!(error.span(), Some(span(TEMPLATE, template, ".name.more.x")));
    let broken = "x\n{{ .a }\n";
    let error = TemplateSet::new()
        .parse("t", &Text::exact(broken, Span::new(TEMPLATE, 0..broken.len())), &TestFunctions)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.to_string(), "template: t:2: unexpected \"}\" in operand");
    assert_eq!(error.span(), Some(Span::new(TEMPLATE, 8..9)));
}
