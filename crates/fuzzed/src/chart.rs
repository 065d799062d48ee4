//! A chart of one template and its values, with all of Helm's functions: a render ends, and a trace changes nothing.

use camino::Utf8Path;
use helmchart::{Chart, Limits, RenderOptions, render};
use source::MemoryFiles;

/// So little that an endless template ends within some milliseconds.
const LIMITS: Limits = Limits { steps: 20_000, output: 1 << 20 };

const HELPERS: &str = "{{- define \"one\" -}}{{ .Values | toYaml | nindent 2 }}{{- end -}}
{{- define \"self\" -}}{{ include \"self\" . }}{{- end -}}
{{- define \"text\" -}}{{ printf \"%s-%v\" .Chart.Name .Release }}{{- end -}}
";

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    let (template, values) = crate::split(&text);
    if is_slow(template) {
        return;
    }
    let files = MemoryFiles::new([
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: \"1\"\n"),
        ("c/templates/_helpers.tpl", HELPERS),
        ("c/templates/t.yaml", template),
        ("c/values.yaml", values),
        ("c/files/a.txt", "one\ntwo\n"),
    ]);
    let Ok(chart) = Chart::load(Utf8Path::new("c"), &files) else { return };
    let rendered = |trace: bool| {
        let options = RenderOptions { trace, limits: LIMITS, seed: Some([7; 32]), ..RenderOptions::default() };
        render(&chart, &options, &files)
            .map(|rendered| rendered.output().as_str().to_owned())
            .map_err(|error| error.to_string())
    };
    assert_eq!(rendered(true), rendered(false), "a trace changes what is rendered");
}

/// Keys, certificates and password hashes are meant to take long, and have a limit of their own; a fuzzer that has
/// found them does nothing else.
fn is_slow(template: &str) -> bool {
    ["gen", "bcrypt", "htpasswd", "derivePassword"].iter().any(|name| template.contains(name))
}
