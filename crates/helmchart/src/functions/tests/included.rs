//! A text from memory is the one that the template would print. With a trace nothing is remembered, so that the same templates say what is right.

use std::cell::Cell;

use camino::Utf8Path;
use gotemplate::{Exec, Limits, Map, MissingKey, Options, TemplateSet, Value};
use source::MemoryFiles;

use super::super::HelmFunctions;
use super::super::included::Included;
use super::Render;
use crate::context::RenderContext;
use crate::{Chart, HelmVersion, RenderOptions, render};

/// What is put in front of every template.
const HELPERS: &str = concat!(
    r#"{{- define "show" -}}<{{ printf "%v %T" . . }}>{{- end -}}"#,
    r#"{{- define "a" -}}{{ .Values.added | default "none" }}{{- end -}}"#,
    r#"{{- define "key" -}}{{ .k }}{{ include "show" .k }}{{- end -}}"#,
    r#"{{- define "random" -}}{{ randAlphaNum 12 }}{{- end -}}"#,
    r#"{{- define "counts" -}}{{ $_ := set .Values "counted" (add1 (.Values.counted | default 0)) }}{{ .Values.counted }}{{- end -}}"#,
    r#"{{- define "around" -}}{{ include "counts" . }}{{- end -}}"#,
    r#"{{- define "deep" -}}{{ if gt (int .) 0 }}{{ include "deep" (sub (int .) 1) }}{{ end }}.{{- end -}}"#,
    r#"{{- define "wanted" -}}{{ required "give it" .Values.nowhere }}{{- end -}}"#,
);

fn same_with_and_without_memory(template: &str) -> Result<String, String> {
    let template = format!("{HELPERS}{template}");
    let remembered = Render::new().outcome(&template);
    assert_eq!(remembered, Render { trace: true, ..Render::new() }.outcome(&template), "{template}");
    remembered
}

#[test]
fn what_was_changed_in_between_is_seen() {
    let cases = [
        (r#"{{ include "a" . }} {{ $_ := set .Values "added" 1 }}{{ include "a" . }}"#, "none 1"),
        (
            r#"{{ $_ := set .Values "added" 1 }}{{ include "a" . }} {{ $_ = unset .Values "added" }}{{ include "a" . }}"#,
            "1 none",
        ),
        (r#"{{ include "a" . }} {{ $_ := mergeOverwrite .Values (dict "added" 2) }}{{ include "a" . }}"#, "none 2"),
        (
            r#"{{ $d := dict "k" 1 }}{{ include "key" $d }} {{ $_ := set $d "k" 2 }}{{ include "key" $d }}"#,
            "1<1 int> 2<2 int>",
        ),
        (
            r#"{{ $d := dict "k" (dict "in" 1) }}{{ include "key" $d }} {{ $_ := set $d.k "in" 2 }}{{ include "key" $d }}"#,
            "map[in:1]<map[in:1] map[string]interface {}> map[in:2]<map[in:2] map[string]interface {}>",
        ),
        // One that changes something itself does it every time, whoever asks for it.
        (r#"{{ include "counts" . }}{{ include "counts" . }}{{ include "around" . }}{{ include "around" . }}"#, "1234"),
    ];
    for (template, expected) in cases {
        assert_eq!(same_with_and_without_memory(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn values_that_only_look_alike_are_told_apart() {
    let alike = [
        "1",
        "1.0",
        "\"1\"",
        "(int64 1)",
        "(list 1)",
        "(list 1.0)",
        "(list \"1\")",
        "(tuple)",
        "(dict)",
        "(dict \"k\" 1)",
        "(dict \"k\" \"1\")",
        "(list (list 1))",
        "(list (dict \"k\" 1))",
        "nil",
        "\"\"",
        "true",
        ".Values",
        "(merge (dict) .Values)",
        "(list .Values)",
        "(deepCopy .Values)",
        "(splitList \",\" \"1\")",
        "(\"1\" | b64dec)",
    ];
    let all: String = alike.iter().map(|value| format!("{{{{ include \"show\" {value} }}}}\n")).collect();
    let together = same_with_and_without_memory(&format!("{all}{all}")).unwrap();
    let one_by_one: String = alike
        .iter()
        .map(|value| Render::new().outcome(&format!("{HELPERS}{{{{ include \"show\" {value} }}}}\n")).unwrap())
        .collect();
    assert_eq!(together, format!("{one_by_one}{one_by_one}"));
}

#[test]
fn chance_and_reports_are_not_remembered() {
    let twice = same_with_and_without_memory(r#"{{ include "random" . }} {{ include "random" . }}"#).unwrap();
    let (first, second) = twice.split_once(' ').unwrap();
    assert_ne!(first, second);

    let context = RenderContext::new(true, HelmVersion::V3, None);
    let linted = Render { context, ..Render::new() };
    linted.text(&format!("{HELPERS}{}", r#"{{ include "wanted" . }}{{ include "wanted" . }}"#)).unwrap();
    assert_eq!(linted.context.take_warnings(), ["[INFO] Missing required value: give it"; 2]);
}

#[test]
fn within_tpl_names_may_mean_something_else() {
    let redefined = r#"{{ $t := "{{ define \"show\" }}new{{ end }}{{ include \"show\" 1 }}" -}}
        {{ include "show" 1 }} {{ tpl $t . }} {{ include "show" 1 }}"#;
    assert_eq!(same_with_and_without_memory(redefined).as_deref(), Ok("<1 int> new <1 int>"));
}

#[test]
fn what_a_template_knows_of_itself_is_never_that_of_another() {
    let template = r#"name: {{ include "me" . }} {{ include "through" . }} {{ include "any" . }} {{ include "whole" . }} {{ include "release" . }}"#;
    let files = MemoryFiles::new([
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        (
            "c/templates/_helpers.tpl",
            concat!(
                r#"{{- define "me" -}}{{ .Template.Name }}{{- end -}}"#,
                r#"{{- define "through" -}}{{ include "me" . }}{{- end -}}"#,
                r#"{{- define "any" -}}{{ range $key, $value := . }}{{ if eq $key "Template" }}{{ $value.Name }}{{ end }}{{ end }}{{- end -}}"#,
                r#"{{- define "whole" -}}{{ (omit . "Chart").Template.Name }}{{- end -}}"#,
                r#"{{- define "release" -}}{{ .Release.Name }}{{- end -}}"#,
            ),
        ),
        ("c/templates/a.yaml", template),
        ("c/templates/b.yaml", template),
    ]);
    let chart = Chart::load(Utf8Path::new("c"), &files).unwrap();
    let printed = |trace: bool| {
        let options = RenderOptions { trace, ..RenderOptions::default() };
        render(&chart, &options, &files).unwrap().output().as_str().to_owned()
    };
    let of = |name: &str| {
        let own = format!("c/templates/{name}");
        format!("---\n# Source: {own}\nname: {own} {own} {own} {own} release-name\n")
    };
    assert_eq!(printed(false), format!("{}{}", of("a.yaml"), of("b.yaml")));
    assert_eq!(printed(false), printed(true));
}

#[test]
fn limits_are_the_same() {
    gotemplate::on_large_stack(|| {
        // The second time some of it is remembered, which must not make room for more levels than Helm has.
        for (first, then) in [(5, 10), (900, 999), (900, 1000), (900, 1001), (999, 1100), (600, 1600)] {
            let ended = same_with_and_without_memory(&format!(
                "{{{{ include \"deep\" {first} | len }}}} {{{{ include \"deep\" {then} | len }}}}"
            ));
            assert_eq!(ended.is_ok(), then <= 1000, "{first} then {then}: {ended:?}");
        }
        let template = format!("{HELPERS}{}", r#"{{ range until 50 }}{{ include "deep" 20 }}{{ end }}"#);
        let ended_at = |steps: u64, trace: bool| {
            let limits = Limits { steps, ..Limits::default() };
            Render { limits, trace, ..Render::new() }.outcome(&template)
        };
        let most = (1..).map(|doubled| 1 << doubled).find(|steps| ended_at(*steps, true).is_ok()).unwrap();
        for steps in (most / 2..=most).step_by(usize::try_from(most / 64).unwrap()) {
            assert_eq!(ended_at(steps, false), ended_at(steps, true), "{steps} steps");
        }
    });
}

#[test]
fn a_template_is_run_once_for_the_same_values() {
    let context = RenderContext::new(false, HelmVersion::V3, None);
    let functions = HelmFunctions::new(&context);
    let mut set = TemplateSet::new();
    let template = set.parse("t", &"{{ . }}".into(), &functions).unwrap();
    let runs = |trace: bool, dots: &[Value]| {
        let options = Options { trace, missing_key: MissingKey::Zero, limits: Limits::default() };
        let mut exec = Exec::new(&set, &functions, options);
        let (included, runs) = (Included::default(), Cell::new(0));
        for dot in dots {
            let run = |exec: &mut Exec<'_>, dot| {
                runs.set(runs.get() + 1);
                Ok(exec.run_template(&template, dot)?)
            };
            included.print(&context, &mut exec, &template, dot.clone(), run).unwrap();
        }
        runs.get()
    };
    let root = Value::Map(Map::new());
    let about = |name: &str| Value::list(vec![root.clone(), name.into()]);
    assert_eq!(runs(false, &[about("a"), about("a"), about("b"), about("a")]), 2);
    assert_eq!(runs(true, &[about("a"), about("a"), about("b"), about("a")]), 4);
}
