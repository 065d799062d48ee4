//! What the run for `helm lint` prints that follows `helm template` is what a run of its own prints.

use camino::Utf8Path;
use gotemplate::{Type, UintKind};
use source::MemoryFiles;

use super::templates::own_texts;
use crate::functions::table::{Entry, FUNCTIONS};
use crate::{Chart, HelmVersion, Limits, Lint, RenderOptions, lint, lint_texts, render, render_to_lint};

const HELPERS: &str = concat!(
    r#"{{- define "fullname" -}}{{ if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 }}{{ else }}"#,
    r#"{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}{{- end -}}"#,
    r#"{{- define "labels" -}}app: {{ include "fullname" . }}{{ "\n" }}release: {{ .Release.Name | quote }}{{- end -}}"#,
    r#"{{- define "own" -}}{{ include "fullname" .root }}/{{ .name }}{{- end -}}"#,
    r#"{{- define "dot" -}}[{{ . }}]{{- end -}}"#,
    r#"{{- define "install" -}}{{ if .Release.IsInstall }}new{{ else }}old{{ end }}{{- end -}}"#,
    r#"{{- define "writes" -}}{{ $_ := set .Values "w" 1 }}{{ if .Release.IsInstall }}new{{ end }}{{- end -}}"#,
    r#"{{- define "deep" -}}{{ if gt (int .n) 0 }}{{ include "deep" (dict "n" (sub (int .n) 1) "r" .r) }}{{ end }}"#,
    r#"{{ if .r.Release.IsInstall }}{{ .n }}{{ end }}{{- end -}}"#,
);

/// What both runs come to.
#[derive(Debug, PartialEq)]
enum Outcome {
    Followed,
    Parted,
    Failed,
}

/// Renders a template for both at once, and holds it to runs of their own.
fn outcome(template: &str, values: &str, options: &RenderOptions) -> Outcome {
    let files = MemoryFiles::new([
        ("c/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n"),
        ("c/templates/_helpers.tpl", HELPERS),
        ("c/templates/t.yaml", template),
        ("c/values.yaml", values),
        ("c/files/a.txt", "one"),
    ]);
    let chart = Chart::load(Utf8Path::new("c"), &files).unwrap();
    let options = RenderOptions { seed: Some([7; 32]), ..options.clone() };
    let own = render(&chart, &options, &files);
    let (rendered, texts) = match (render_to_lint(&chart, &options, &files), own) {
        (Ok((rendered, texts)), Ok(own)) => {
            assert_eq!(rendered.output().as_str(), own.output().as_str(), "{template}");
            (rendered, texts)
        }
        (Err(error), Err(own)) => {
            assert_eq!(error.to_string(), own.to_string(), "{template}");
            return Outcome::Failed;
        }
        (both, own) => panic!("{template}: {both:?} but alone {own:?}"),
    };
    let Some(texts) = texts else { return Outcome::Parted };
    let own = own_texts(&chart, &options, &files).map(|own| own.texts);
    assert_eq!(Some(&texts.texts), own.as_ref(), "{template}\n{}", rendered.output());
    let messages = |lint: Lint| lint.messages;
    let of_texts = lint_texts(&chart, &options, &texts, &files);
    assert_eq!(messages(of_texts), messages(lint(&chart, &options, &files)), "{template}\n{}", rendered.output());
    Outcome::Followed
}

/// Of a template that need not print YAML.
fn of(template: &str) -> Outcome {
    let template = format!("{{{{ define \"t\" }}}}{template}{{{{ end }}}}a: {{{{ include \"t\" . | toJson }}}}");
    outcome(&template, "list: [a, b]\nmap: {k: v}\n", &RenderOptions::default())
}

#[test]
fn what_differs_is_followed() {
    for template in [
        "a: {{ .Release.Name }} {{ .Release.Revision }} {{ .Release.IsInstall }} {{ .Release.Service }}",
        "{{ include \"labels\" . }}",
        "{{ include \"labels\" . | nindent 4 }}{{ include \"labels\" . | sha256sum }}",
        "{{ template \"labels\" . }}",
        "{{ range .Values.list }}{{ . }}-{{ $.Release.Name }}\n{{ end }}",
        "{{ range $i, $x := .Values.list }}{{ include \"own\" (dict \"root\" $ \"name\" $x) }}{{ end }}",
        "{{ $n := .Release.Name }}{{ with $n }}{{ . | upper }}{{ end }}{{ $n = printf \"%s%d\" $n 1 }}{{ $n }}",
        "{{ if .Release.Name }}a: {{ .Release.Name | default \"x\" }}{{ end }}",
        "{{ include \"dot\" .Release.Name }}{{ include \"dot\" .Release.Name }}{{ include \"dot\" \"x\" }}",
        "{{ toYaml (dict \"n\" .Release.Name \"l\" (list 1 .Release.Name)) }}",
        "{{ $d := dict }}{{ $_ := set $d \"n\" .Release.Name }}{{ $d.n }}{{ get $d \"n\" }}{{ (first (list .Release.Name)) }}",
        "{{ index (list .Release.Name \"b\") 0 }}{{ len .Release.Name }}{{ eq .Release.Name \"x\" }}",
        "{{ and .Release.Name \"b\" }}{{ or .Release.Name \"b\" }}{{ not .Release.Name }}{{ print .Release.Name 1 }}",
        "{{ tpl \"{{ .Release.Name }}-x\" . }}{{ tpl \"plain\" . }}",
        "{{ ternary \"a\" \"b\" .Release.IsInstall }}{{ .Release.IsUpgrade | quote }}",
        "{{ required \"needed\" .Release.Name }}{{ lookup \"v1\" \"Secret\" \"ns\" .Release.Name }}",
        "{{ .Files.Get \"files/a.txt\" }}{{ .Release.Name }}{{ .Template.Name }}",
        "{{ randAlphaNum 5 }}{{ .Release.Name }}{{ now }}",
        // They part inside an included template or one of `tpl`, and meet again after it.
        "{{ include \"install\" . }}{{ include \"install\" . }}{{ .Release.Name }}",
        "{{ tpl \"{{ if .Release.IsInstall }}a{{ else }}b{{ .Release.Name }}{{ end }}\" . }}",
        "{{ include \"deep\" (dict \"n\" 5 \"r\" .) }}",
        "{{ $n := include \"fullname\" . }}{{ if contains \"test\" (include \"install\" .) }}{{ end }}{{ $n }}",
        "{{ range $i := until (int .Release.Revision) }}{{ $i }}{{ end }}",
        "{{ .Release }}{{ toJson .Release }}",
        "{{ index .Values (ternary \"list\" \"map\" .Release.IsInstall) }}",
        "{{ $s := splitList \"-\" .Release.Name }}{{ index $s 0 }}",
        "{{ $y := fromYaml (printf \"a: {b: [1]} # %s\" .Release.Name) }}{{ $_ := set $y.a \"c\" 2 }}{{ toJson $y }}{{ .Release.Name }}",
    ] {
        assert_eq!(of(template), Outcome::Followed, "{template}");
    }
    // They part in the file itself.
    let whole = "{{ if .Release.IsInstall }}a: 1{{ else }}b: {{ .Release.Name }}{{ end }}";
    assert_eq!(outcome(whole, "", &RenderOptions::default()), Outcome::Followed);
}

#[test]
fn what_is_printed_in_other_words_is_linted_in_these() {
    let object =
        |kind: &str, name: &str, more: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{more}");
    let named = object("Deployment", "{{ .Release.Name }}-a", "");
    for template in [
        named.clone(),
        format!(
            "---\n\n# c\n{named}\n\n---\n# only a comment\n---\n{named}\n---\n{}",
            object("StatefulSet", "\"{{ .Release.Name }}\"", "")
        ),
        format!("{}---\n{named}", object("Deployment", "x", "spec: {n: {{ len .Release.Name }}}\n")),
        object("Deployment", "{{ if .Release.IsInstall }}a{{ else }}12{{ end }}", ""),
        object("Deployment", "{{ if .Release.IsInstall }}A_b{{ else }}a-b{{ end }}", ""),
        object("Deployment", "{{ if .Release.IsInstall }}a-b{{ else }}A_b{{ end }}", ""),
        object("{{ if .Release.IsInstall }}Service{{ else }}Deployment{{ end }}", "a", ""),
        object("Deployment", "a", "{{ if .Release.IsInstall }}x: y{{ else }}x: y: z{{ end }}\n"),
        object("Deployment", "a", "{{ if .Release.IsInstall }}x{{ else }}kind{{ end }}: Service\n"),
        object("Deployment", "a", "data: |\n  {{ .Release.Name }}\n  b: {{ .Release.Name }}"),
    ] {
        assert_eq!(outcome(&template, "", &RenderOptions::default()), Outcome::Followed, "{template}");
    }
}

#[test]
fn what_cannot_be_followed_is_not() {
    for template in [
        // Each run would change another of two equal maps.
        "{{ $a := dict \"x\" 1 }}{{ $b := dict \"x\" 1 }}{{ $_ := set (ternary $a $b .Release.IsInstall) \"x\" 2 }}{{ $a.x }}{{ $b.x }}",
        // What the first run changes, the second one would find changed.
        "{{ include \"writes\" . }}",
        "{{ $_ := set .Values .Release.Name 1 }}{{ .Values }}",
        "{{ $_ := mergeOverwrite .Values (dict \"n\" .Release.Name) }}{{ .Values.n }}",
        "{{ if .Release.IsInstall }}{{ $_ := set .Values \"w\" 1 }}{{ end }}{{ .Values }}",
        "{{ $d := dict \"n\" .Release.Name }}{{ $e := deepCopy $d }}{{ $e.n }}",
        "{{ $d := dict \"n\" .Release.Name }}{{ $_ := set (default dict $d) \"m\" 1 }}{{ $d }}",
    ] {
        assert_eq!(of(template), Outcome::Parted, "{template}");
    }
    assert_eq!(of("{{ fail .Release.Name }}"), Outcome::Failed);
    assert_eq!(of("{{ .Release.Name.x }}"), Outcome::Failed);
}

#[test]
fn other_values_and_flags_of_lint_are_not_followed() {
    let template = "a: {{ .Release.Name }}";
    let plain = RenderOptions::default();
    assert_eq!(outcome(template, "a: 1\n", &plain), Outcome::Followed);
    // `helm lint` coalesces twice, and what a null took away is back.
    let null = RenderOptions { set: vec![crate::SetValue::Set("a=null".to_owned())], ..plain.clone() };
    assert_eq!(outcome(template, "a: 1\n", &null), Outcome::Parted);
    // It knows no `--api-versions`.
    let apis = RenderOptions { api_versions: vec!["x/v1".to_owned()], ..plain.clone() };
    assert_eq!(outcome(template, "a: 1\n", &apis), Outcome::Parted);
    let same = RenderOptions { release_name: "test-release".to_owned(), ..plain };
    assert_eq!(outcome(template, "a: 1\n", &same), Outcome::Followed);
}

/// A null takes a default away, and `helm lint`, which coalesces twice, has it again.
#[test]
fn values_that_come_back_are_followed() {
    let values = "m: {a: 1, b: {c: 2, d: [x, y]}}\nn: {k: v}\n";
    let without = |set: &str| {
        let set = set.split(' ').map(|set| crate::SetValue::Set(set.to_owned())).collect();
        RenderOptions { set, ..RenderOptions::default() }
    };
    for template in [
        "{{ range $k, $v := .Values.m }}{{ $k }}={{ $v }}\n{{ end }}",
        "{{ .Values.m.a }}{{ with .Values.m.b }}{{ .c }}{{ range .d }}{{ . }}{{ end }}{{ end }}",
        "{{ toYaml .Values | nindent 2 }}{{ toJson .Values.m }}{{ .Values.m }}{{ len .Values.m }}",
        "{{ if hasKey .Values.m \"a\" }}has{{ end }}{{ get .Values.m \"a\" }}{{ index .Values.m \"b\" }}",
        "{{ include \"dot\" .Values.m }}{{ include \"dot\" .Values.n }}{{ include \"dot\" .Values }}",
        "{{ $m := .Values.m }}{{ $m.a | default \"none\" }}{{ kindOf $m }}{{ keys $m | sortAlpha }}",
        "{{ range $k, $v := .Values.n }}{{ $k }}={{ $v }}{{ $.Release.Name }}{{ end }}",
        "{{ omit .Values.m \"a\" }}{{ dig \"b\" \"c\" \"none\" .Values.m }}",
    ] {
        let whole = format!("{{{{ define \"t\" }}}}{template}{{{{ end }}}}a: {{{{ include \"t\" . | toJson }}}}");
        for set in ["m.a=null", "m.b.c=null", "m.b.d=null", "m.b=null", "m.a=null m.b.d=null", "n.k=null"] {
            assert_eq!(outcome(&whole, values, &without(set)), Outcome::Followed, "{template} {set}");
        }
    }
}

#[test]
fn limits_are_those_of_one_run() {
    let template = "a: {{ range until 20 }}{{ include \"labels\" $ | sha256sum }}{{ include \"install\" $ }}{{ end }}";
    for steps in (100..3000).step_by(61) {
        let limits = Limits { steps, output: 3 * usize::try_from(steps).unwrap() };
        outcome(template, "a: 1\n", &RenderOptions { limits, ..RenderOptions::default() });
    }
}

/// What differs is looked for in so many values, so deep inside them: what has more is rendered twice.
#[test]
fn a_search_for_what_differs_ends() {
    let deep = |levels: usize| {
        of(&format!(
            "{{{{ $d := dict }}}}{{{{ range until {levels} }}}}{{{{ $d = dict \"d\" $d }}}}{{{{ end }}}}{{{{ kindOf $d }}}}"
        ))
    };
    assert_eq!([deep(190), deep(210)], [Outcome::Followed, Outcome::Parted]);
    let wide = |times: usize| {
        of(&format!("{{{{ $l := until 900000 }}}}{{{{ range until {times} }}}}{{{{ kindOf $l }}}}{{{{ end }}}}"))
    };
    assert_eq!([wide(4), wide(5)], [Outcome::Followed, Outcome::Parted]);
}

/// Each function, with what differs at each of its places.
#[test]
fn no_function_sees_the_other_run() {
    let plain = |kind: Type| match kind {
        Type::Bool => "true",
        Type::Float64 => "1.5",
        Type::Int(_) | Type::Uint(UintKind::Uint32) => "2",
        Type::String => "\"a-b\"",
        Type::Map(_) => "(dict \"a\" \"b\")",
        Type::Slice(_) => "(list \"a\" \"b\")",
        Type::Any => "(list \"a\" .)",
        _ => "nil",
    };
    let differing = |kind: Type| -> &[&str] {
        match kind {
            Type::Bool => &[".Release.IsInstall"],
            Type::Int(_) | Type::Uint(UintKind::Uint32) => &[".Release.Revision"],
            Type::String => &["(include \"fullname\" .)"],
            Type::Map(_) => &["(dict \"a\" .Release)"],
            Type::Slice(_) => &["(list .Release.Name)"],
            _ => &[
                "(include \"fullname\" .)",
                ".Release.Revision",
                ".Release.IsInstall",
                "(list .Release.Name)",
                "(dict \"a\" .Release)",
            ],
        }
    };
    let (mut followed, mut parted) = (0, 0);
    let is_slow = |name: &str| name.starts_with("gen") || name == "derivePassword";
    for Entry { name, signature, .. } in FUNCTIONS.iter().filter(|entry| !entry.only_v4 && !is_slow(entry.name)) {
        let count = signature.params.len() + usize::from(signature.variadic);
        let param = |at: usize| signature.params.get(at).or(signature.params.last()).copied().unwrap_or(Type::Any);
        for at in 0..count {
            for differs in differing(param(at)) {
                let args = (0..count).map(|other| if other == at { *differs } else { plain(param(other)) });
                let call = format!("{name} {}", args.collect::<Vec<_>>().join(" "));
                let template =
                    format!("{{{{ $x := {call} }}}}{{{{ $x }}}}{{{{ kindOf $x }}}}{{{{ toJson $x | trunc 400 }}}}");
                match of(&template) {
                    Outcome::Followed => followed += 1,
                    Outcome::Parted => parted += 1,
                    Outcome::Failed => {}
                }
            }
        }
    }
    assert!(followed > 400 && parted < followed / 2, "{followed} followed, {parted} parted");
}

#[test]
fn helm_4_is_followed_too() {
    let options = RenderOptions { helm: HelmVersion::V4, ..RenderOptions::default() };
    assert_eq!(outcome("a: {{ include \"fullname\" . }}", "a: 1\n", &options), Outcome::Followed);
}
