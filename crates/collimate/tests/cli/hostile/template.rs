//! Templates: without end, much from little, values that contain themselves or one another, patterns.

use super::watch::{Case, most_slow_cases, refused, template};

const STEPS: &str = "the templates take more than 8000000 steps";
const BYTES: &str = "the templates make more than 67108864 bytes";
const SLOW: &str = "the templates make more keys, password hashes and large patterns than the limit allows";
const DEPTH: &str = "exceeded maximum template depth (100000)";

/// A value that is doubled sixty times before it is used.
fn doubled(name: &'static str, start: &str, step: &str, used: &str, says: &'static str) -> Case {
    template(
        name,
        format!("{{{{ $x := {start} }}}}{{{{ range until 60 }}}}{{{{ $x = {step} }}}}{{{{ end }}}}{{{{ {used} }}}}"),
        "",
        (says, ""),
    )
}

#[test]
fn recursion() {
    let inside = "rendering template has a nested reference name: a";
    refused(vec![
        template(
            "include",
            "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
            "",
            (inside, "c/templates/t.yaml:1:20"),
        ),
        template(
            "include of two",
            "{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ include \"a\" . }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
            "",
            ("a", ""),
        ),
        template(
            "template",
            "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
            "",
            (DEPTH, "c/templates/t.yaml:1:29"),
        ),
        template("tpl", "{{ tpl .Values.x . }}", "x: \"{{ tpl .Values.x . }}\"\n", (DEPTH, "c/values.yaml:1:8")),
        template(
            "tpl that grows",
            "{{ tpl .Values.x . }}",
            "x: \"{{ tpl (print .Values.x .Values.x) . }}\"\n",
            (DEPTH, ""),
        ),
        template(
            "parentheses",
            format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
            "",
            ("templates may be nested 1000 levels deep", "c/templates/t.yaml:1:1004"),
        ),
        template("conditions", "{{ if 1 }}".repeat(100_000), "", ("templates may be nested 1000 levels deep", "")),
    ]);
}

#[test]
fn much_from_little() {
    refused(vec![
        template("repeat", "x: {{ repeat 1000000000 \"abcdefgh\" }}", "", (BYTES, "c/templates/t.yaml:1:7")),
        template("repeat in repeat", "x: {{ repeat 10000 (repeat 10000 (repeat 10000 \"x\")) }}", "", (BYTES, "")),
        template(
            "until",
            "{{ until 2000000000 | len }}",
            "",
            ("a list of numbers may have at most 1000000 of them", "c/templates/t.yaml:1:4"),
        ),
        template(
            "many until",
            "{{ $x := list }}{{ range until 500 }}{{ $x = append $x (until 1000000) }}{{ end }}",
            "",
            (BYTES, ""),
        ),
        template("printf", "{{ range until 1000 }}{{ printf \"%999999d\" 1 | len }}{{ end }}", "", (BYTES, "")),
        template("indent", "{{ repeat 100000 \"a\\n\" | indent 100000 | len }}", "", (BYTES, "")),
        template("replace", "{{ $x := repeat 30000 \"a\" }}{{ $x | replace \"\" $x | len }}", "", (BYTES, "")),
        template(
            "random",
            "{{ randAlphaNum 2000000000 | len }}",
            "",
            ("a random text may have at most 1048576 characters", ""),
        ),
        template("deep JSON", "{{ fromJson (print (repeat 40000000 \"[\")) }}", "", (BYTES, "")),
        doubled("text", "\"ab\"", "print $x $x", "len $x", "the value is too deep or too large to print"),
        doubled("list", "list 1", "concat $x $x", "len $x", BYTES),
    ]);
}

/// Lists and maps that hold one another twice have a size that nobody made.
#[test]
fn values_in_values() {
    let twice = "list $x $x";
    let dict = "dict \"a\" $x \"b\" $x";
    let both = "{{ $x := dict \"a\" 1 }}{{ $y := dict \"a\" 1 }}{{ range until 60 }}{{ $x = dict \"a\" $x \"b\" $x }}{{ $y = dict \"a\" $y \"b\" $y }}{{ end }}";
    let own = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}";
    refused(vec![
        doubled("printed", "list 1", twice, "$x", "the value is too deep or too large to print"),
        doubled("toJson", "list 1", twice, "toJson $x", BYTES),
        doubled("toYaml", "list 1", twice, "toYaml $x", BYTES),
        doubled("toToml", "dict \"a\" 1", dict, "toToml $x", BYTES),
        doubled("deepCopy", "dict \"a\" 1", dict, "deepCopy $x | len", BYTES),
        template("merge", format!("{both}{{{{ merge $x $y | len }}}}"), "", (STEPS, "")),
        template("deepEqual", format!("{both}{{{{ deepEqual $x $y }}}}"), "", (BYTES, "")),
        template("itself, printed", format!("{own}{{{{ $d }}}}"), "", ("does it contain itself?", "")),
        template(
            "itself, copied",
            format!("{own}{{{{ deepCopy $d }}}}"),
            "",
            ("values are nested more than 200 deep", ""),
        ),
    ]);
}

#[test]
fn patterns() {
    refused(vec![
        template(
            "repetitions",
            "{{ regexMatch \"(((a{1000}){1000}){1000})\" \"a\" }}{{ fail \"end\" }}",
            "",
            ("end", ""),
        ),
        template(
            "must, repetitions",
            "{{ mustRegexMatch \"(((a{1000}){1000}){1000})\" \"a\" }}",
            "",
            ("error parsing regexp", ""),
        ),
        template(
            "backtracking",
            "{{ regexMatch \"(a+)+$\" (print (repeat 100000 \"a\") \"b\") }}{{ fail \"end\" }}",
            "",
            ("end", ""),
        ),
        template("many versions", "{{ semverCompare (repeat 100000 \">1 \") \"1.2.3\" }}", "", ("512", "")),
    ]);
}

/// Work that takes seconds where nothing is optimised: see `COLLIMATE_HOSTILE_PROGRAM`.
#[test]
fn work_without_end() {
    refused(most_slow_cases(vec![
        template("range", "{{ range 1000000000000 }}{{ end }}", "", (STEPS, "c/templates/t.yaml:1:10")),
        template(
            "range in range",
            "{{ range until 1000000 }}{{ range until 1000000 }}x{{ end }}{{ end }}",
            "",
            (BYTES, ""),
        ),
        template(
            "sums of a megabyte",
            "{{ $x := repeat 1000000 \"a\" }}{{ range until 10000 }}{{ $y := sha256sum $x }}{{ end }}",
            "",
            (STEPS, ""),
        ),
        template(
            "JSON of a list",
            "{{ $x := until 100000 }}{{ range until 1000 }}{{ $y := toJson $x }}{{ end }}",
            "",
            (STEPS, ""),
        ),
        template(
            "searches",
            "{{ $l := until 100000 }}{{ range $l }}{{ $x := has 5555555 $l }}{{ end }}",
            "",
            (STEPS, ""),
        ),
        template(
            "keys of certificates",
            "{{ range until 1000 }}{{ $x := genCA \"a\" 1 }}{{ end }}",
            "",
            (SLOW, "c/templates/t.yaml:1:32"),
        ),
        template("keys", "{{ range until 1000 }}{{ $x := genPrivateKey \"rsa\" }}{{ end }}", "", (SLOW, "")),
        template("keys of DSA", "{{ range until 1000 }}{{ $x := genPrivateKey \"dsa\" }}{{ end }}", "", (SLOW, "")),
        template("password hashes", "{{ range until 1000 }}{{ $x := bcrypt (print .) }}{{ end }}", "", (SLOW, "")),
        template(
            "derived passwords",
            "{{ range until 1000 }}{{ $x := derivePassword 1 \"long\" (print .) \"b\" \"c\" }}{{ end }}",
            "",
            (SLOW, ""),
        ),
        template(
            "large patterns",
            "{{ range until 3000 }}{{ $x := mustRegexMatch (printf \"\\\\pL{0,20}%d\" .) \"a\" }}{{ end }}",
            "",
            (SLOW, ""),
        ),
    ]));
}
