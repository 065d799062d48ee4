//! A chart of one template and its values, with all of Helm's functions: a render ends, a trace changes nothing, and neither does it to print for `helm lint` too.

use camino::Utf8Path;
use helmchart::{Chart, Limits, RenderOptions, lint, lint_texts, render, render_to_lint};
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
    let options =
        |trace: bool| RenderOptions { trace, limits: LIMITS, seed: Some([7; 32]), ..RenderOptions::default() };
    let rendered = |trace: bool| {
        render(&chart, &options(trace), &files)
            .map(|rendered| rendered.output().as_str().to_owned())
            .map_err(|error| error.to_string())
    };
    let plain = rendered(false);
    assert_eq!(rendered(true), plain, "a trace changes what is rendered");
    let options = options(false);
    match render_to_lint(&chart, &options, &files) {
        Ok((rendered, texts)) => {
            assert_eq!(Ok(rendered.output().as_str()), plain.as_deref(), "printing for lint changes what is rendered");
            if let Some(texts) = texts {
                let linted = lint_texts(&chart, &options, &texts, &files);
                assert_eq!(linted.output(), lint(&chart, &options, &files).output(), "lint saw other texts");
            }
        }
        Err(error) => assert_eq!(Err(error.to_string()), plain, "printing for lint changes what fails"),
    }
}

/// Keys, certificates and password hashes are meant to take long, and have a limit of their own; a fuzzer that has
/// found them does nothing else.
fn is_slow(template: &str) -> bool {
    ["gen", "bcrypt", "htpasswd", "derivePassword"].iter().any(|name| template.contains(name))
}
