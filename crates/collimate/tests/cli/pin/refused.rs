//! What is refused names every place, who needs what there, and the lines to write instead; exactly.

use testkit::Sandbox;

use super::world::{digest, files, program};

fn manifest(channel: &str, version: &str, tag: &str, digit: char) -> String {
    format!(
        "schema: 1\nversion: {version}\nchannel: {channel}\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  \
         web: {{image: example.org/web, tag: \"{tag}\", digest: \"{}\"}}\n",
        digest(digit)
    )
}

/// A workspace with a release of `edge` and one of `stable`, these profiles and files.
fn workspace(profiles: &str, own: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    let channels = "edge: {release: releases/edge.yaml}, stable: {release: releases/stable.yaml}";
    sandbox
        .write("collimate.yaml", format!("schema: 1\nchannels: {{{channels}}}\nprofiles:\n{profiles}"))
        .write("releases/edge.yaml", manifest("edge", "1.0.0-edge", "1.1", '1'))
        .write("releases/stable.yaml", manifest("stable", "1.0.0", "1.0", '2'));
    for (path, text) in own {
        sandbox.write(path, text.replace("DIGEST", &digest('2')));
    }
    sandbox
}

const CHART: (&str, &str) = ("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 0.1.0\n");

/// Digests are long: `1…` stands for one.
#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], expected: &str) {
    let old = files(sandbox);
    let output = program(sandbox, arguments).output();
    assert_eq!(output.exit, 1, "{output}");
    assert_eq!(files(sandbox), old);
    let mut shown = output.stdout;
    for digit in ['1', '2'] {
        shown = shown.replace(&digest(digit), &format!("{digit}…"));
        for (mark, short) in [("^", "^^"), ("-", "--")] {
            shown = shown.replace(&mark.repeat(digest(digit).len()), short);
        }
    }
    assert!(shown == expected, "{shown}\ninstead of\n{expected}");
    assert_eq!(
        output.stderr,
        "error: 1 place cannot be pinned\n\
         hint: nothing was written; write what the findings above say, then run the command again\n"
    );
}

#[test]
fn values_that_two_channels_share() {
    let template = "\
{{- define \"web.image\" -}}
{{ .Values.web.repository }}:{{ .Values.web.tag }}@{{ .Values.web.digest }}
{{- end }}
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: {{ include \"web.image\" . }}
";
    let values = "web:\n  repository: example.org/web\n  tag: \"1.0\"\n  digest: DIGEST\n";
    let sandbox = workspace(
        "  helm/edge: {channel: edge, chart: chart, values: [edge.yaml]}\n  helm/stable: {channel: stable, chart: chart}\n",
        &[CHART, ("chart/templates/web.yaml", template), ("chart/values.yaml", values), ("edge.yaml", "{}\n")],
    );
    check(&sandbox, &["pin"], include_str!("refused/values.txt"));
    // What it says to write is right.
    sandbox.write("edge.yaml", format!("web: {{tag: \"1.1\", digest: \"{}\"}}\n", digest('1')));
    program(&sandbox, &["pin"]).stdout("0 places written\n").run();
    program(&sandbox, &["check"]).any_stdout().run();
}

#[test]
fn an_env_file_that_two_channels_share() {
    let both = "compose: [compose.yaml], env: [both.env]";
    let sandbox = workspace(
        &format!("  c/edge: {{channel: edge, {both}}}\n  c/stable: {{channel: stable, {both}}}\n"),
        &[
            ("compose.yaml", "services:\n  web:\n    image: ${WEB:?}\n"),
            ("both.env", "# both\nWEB=example.org/web:1.0@DIGEST\n"),
        ],
    );
    check(&sandbox, &["pin", "edge"], include_str!("refused/env.txt"));
}

#[test]
fn a_tag_without_a_digest_of_its_own() {
    let template = "\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app.kubernetes.io/version: \"{{ .Values.web.tag }}\"}}
spec:
  containers:
    - name: web
      image: \"{{ .Values.web.repository }}:{{ .Values.web.tag }}\"
";
    let values = "web:\n  repository: example.org/web\n  tag: \"1.0\"\n";
    let sandbox = workspace(
        "  helm/edge: {channel: edge, chart: chart}\n",
        &[CHART, ("chart/templates/web.yaml", template), ("chart/values.yaml", values)],
    );
    check(&sandbox, &["pin"], include_str!("refused/split.txt"));
    // A label cannot hold a digest.
    check(&sandbox, &["pin", "--tag-with-digest"], include_str!("refused/label.txt"));
    let label = ", labels: {app.kubernetes.io/version: \"{{ .Values.web.tag }}\"}";
    // However many there are, each is named.
    let many: String = (0..12).map(|number| format!("\n  l{number}: \"{{{{ .Values.web.tag }}}}\",")).collect();
    sandbox.replace("chart/templates/web.yaml", label, &format!(", labels: {{{many}}}"));
    let refused = program(&sandbox, &["pin", "--tag-with-digest"]).exit(1).any_stdout().any_stderr().run();
    for number in 0..12 {
        let named = format!("profile `helm/edge` uses the tag for `metadata.labels.l{number}`");
        assert_eq!(refused.stdout.matches(&named).count(), 1, "{}", refused.stdout);
    }
    sandbox.replace("chart/templates/web.yaml", &format!(", labels: {{{many}}}"), "");
    program(&sandbox, &["pin", "--tag-with-digest"]).any_stdout().run();
    assert_eq!(sandbox.read("chart/values.yaml"), values.replace("1.0", &format!("1.1@{}", digest('1'))));
    program(&sandbox, &["check"]).any_stdout().run();
    // From now on it has one, and needs no flag.
    sandbox.write("releases/edge.yaml", manifest("edge", "1.0.0-edge", "1.2", '2'));
    program(&sandbox, &["pin"]).any_stdout().run();
    assert_eq!(sandbox.read("chart/values.yaml"), values.replace("1.0", &format!("1.2@{}", digest('2'))));
}

/// What templates decide by the tag leaves no trace: the result is rendered, and held against what was meant.
#[test]
fn a_template_that_decides_by_the_tag() {
    let template = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: \"example.org/web:{{ if eq .Values.tag \\\"1.0\\\" }}{{ .Values.tag }}{{ else }}0.9{{ end }}@DIGEST\"
"
    .replace("\\\"", "\"");
    let sandbox = workspace(
        "  helm/edge: {channel: edge, chart: chart}\n",
        &[CHART, ("chart/templates/web.yaml", &template), ("chart/values.yaml", "tag: \"1.0\"\n")],
    );
    check(&sandbox, &["pin"], include_str!("refused/decided.txt"));
}

/// `docker compose build` says `refusing to create a tag with a digest reference`.
#[test]
fn what_a_service_builds() {
    let compose = "services:\n  web:\n    build: .\n    image: example.org/web:1.0\n";
    let profile = "  c/stable: {channel: stable, compose: [compose.yaml]}\n";
    let sandbox = workspace(profile, &[("compose.yaml", compose), ("Dockerfile", "FROM scratch\n")]);
    check(&sandbox, &["pin"], include_str!("refused/built.txt"));
    // Its ways out are some.
    sandbox.replace("compose.yaml", "    build: .\n", "");
    program(&sandbox, &["pin"]).any_stdout().run();
    assert!(sandbox.read("compose.yaml").contains(&format!("image: example.org/web:1.0@{}", digest('2'))));
    sandbox.write("compose.yaml", compose);
    sandbox.write(
        "collimate.yaml",
        sandbox.read("collimate.yaml") + "unmanaged: [{image: example.org/web, reason: a service builds it}]\n",
    );
    let other =
        manifest("stable", "1.0.0", "1.0", '2').replace("web: {image: example.org/web", "db: {image: example.org/db");
    sandbox.write("releases/stable.yaml", other);
    program(&sandbox, &["pin"]).stdout("0 places written\n").run();
}
