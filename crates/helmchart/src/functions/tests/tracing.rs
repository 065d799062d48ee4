//! Origins survive the functions that keep bytes, and become a union in the others.

use source::{FileId, Origin, Span, Text};

use super::{RECORDED, Render};

/// A render whose value `image` stands at bytes 100 to 112 of file 1.
fn traced() -> Render {
    let render = Render { trace: true, ..Render::new() };
    render.values.insert("image", Text::exact("registry/app", Span::new(FileId(1), 100..112)).into());
    render
}

/// The template's output, and the bytes of file 1 that `part` of it exactly is.
fn exact(template: &str, part: &str) -> Option<(u32, u32)> {
    let text = traced().text(template).unwrap();
    let start = text.find(part).unwrap();
    let span = text.exact_span(start..start + part.len())?;
    assert_eq!(span.file, FileId(1));
    Some((span.start, span.end))
}

#[test]
fn functions_that_keep_bytes_keep_origins() {
    for call in [
        "quote .Values.image",
        "squote .Values.image",
        ".Values.image | indent 4",
        ".Values.image | nindent 4",
        "default \"x\" .Values.image",
        "coalesce \"\" .Values.image",
        "ternary .Values.image \"x\" true",
        "printf \"%s:%s\" .Values.image \"tag\"",
        "toYaml .Values.image",
        "toYaml (dict \"image\" .Values.image)",
        "toJson (list .Values.image)",
        "cat \"x\" .Values.image",
        "join \",\" (list \"a\" .Values.image)",
        "tpl .Values.image .",
        "tpl \"{{ .Values.image }}\" .",
        "required \"m\" .Values.image",
        "toString .Values.image",
        "lower .Values.image",
        "replace \"x\" \"y\" .Values.image",
        "get .Values \"image\"",
        "dig \"image\" \"\" (dict \"image\" .Values.image)",
        "trimSuffix \"x\" .Values.image",
        "first (list .Values.image)",
        "index (merge (dict) (dict \"i\" .Values.image)) \"i\"",
        "trunc 63 .Values.image",
        "regexReplaceAll \"z\" .Values.image \"\"",
        "fromYaml (toYaml (dict \"i\" .Values.image)) | toYaml",
        "index (fromJson (toJson (dict \"i\" .Values.image))) \"i\"",
    ] {
        assert_eq!(exact(&format!("{{{{ {call} }}}}"), "registry/app"), Some((100, 112)), "{call}");
    }
}

#[test]
fn parts_know_their_bytes() {
    for (call, part, from) in [
        ("trunc 8 .Values.image", "registry", 100),
        ("substr 9 12 .Values.image", "app", 109),
        ("trimPrefix \"registry/\" .Values.image", "app", 109),
        ("index (splitList \"/\" .Values.image) 1", "app", 109),
        ("(split \"/\" .Values.image)._1", "app", 109),
        ("base .Values.image", "app", 109),
        ("regexFind \"[a-z]+$\" .Values.image", "app", 109),
        ("regexReplaceAll \"^(.*)/(.*)$\" .Values.image \"${2}\"", "app", 109),
        ("replace \"/\" \"-\" .Values.image", "app", 109),
        ("trimAll \"rp\" .Values.image", "egistry/a", 101),
    ] {
        let until = from + u32::try_from(part.len()).unwrap();
        assert_eq!(exact(&format!("{{{{ {call} }}}}"), part), Some((from, until)), "{call}");
    }
}

#[test]
fn escaped_quotes_split_the_origin() {
    let render = traced();
    render.values.insert("image", Text::exact("a\"b\nc", Span::new(FileId(1), 10..15)).into());
    let text = render.text("{{ quote .Values.image }}").unwrap();
    assert_eq!(text.as_str(), "\"a\\\"b\\nc\"");
    let starts: Vec<Option<u32>> = ["a", "b", "c"]
        .iter()
        .map(|letter| {
            let at = text.find(letter).unwrap();
            text.exact_span(at..at + 1).map(|span| span.start)
        })
        .collect();
    assert_eq!(starts, [Some(10), Some(12), Some(14)]);
}

#[test]
fn opaque_functions_give_a_union() {
    for call in
        ["sha256sum .Values.image", "b64enc .Values.image", "upper .Values.image", "snakecase .Values.image | upper"]
    {
        let text = traced().text(&format!("{{{{ {call} }}}}")).unwrap();
        let origins: Vec<&Origin> = text.segments().iter().map(|segment| &segment.origin).collect();
        let [Origin::Union(spans)] = origins[..] else { panic!("{call}: {origins:?}") };
        assert_eq!(**spans, [Span::new(FileId(1), 100..112)], "{call}");
    }
}

#[test]
fn a_trace_changes_no_byte() {
    gotemplate::on_large_stack(|| {
        for line in RECORDED.lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let template = case["template"].as_str().unwrap();
            // Slow on purpose, and opaque.
            if ["derivePassword", "bcrypt", "htpasswd"].iter().any(|name| template.contains(name)) {
                continue;
            }
            let traced = Render { trace: true, ..Render::new() };
            assert_eq!(traced.outcome(template), Render::new().outcome(template), "{template}");
        }
    });
}
