//! Subcharts in archives: what their values say is set from the chart around them.

use testkit::Sandbox;

use super::world::{digest, program};
use crate::hostile::chart::tgz;

const SUB: &str = "\
image: {repository: e/sub, tag: \"3\", digest: \"\"}
side:
  image: {repository: docker.io/e/side, tag: \"3\"}
  other: {repository: docker.io/e/side, tag: \"4\"}
";

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: sub}
spec:
  containers:
    - name: a
      image: {{ .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
    - name: b
      image: {{ .Values.side.image.repository }}:{{ .Values.side.image.tag }}
";

/// A chart with these values around `sub`, which it calls `called`.
fn workspace(called: &str, values: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let alias = if called == "sub" { String::new() } else { format!(", alias: {called}") };
    let archive = tgz(&[
        ("sub/Chart.yaml", b'0', "", b"apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
        ("sub/values.yaml", b'0', "", SUB.as_bytes()),
        ("sub/templates/pod.yaml", b'0', "", POD.as_bytes()),
    ]);
    sandbox
        .write("collimate.yaml", "schema: 1\nchannels: {stable: {release: stable.yaml}}\nprofiles:\n  shop: {channel: stable, chart: chart}\n")
        .write(
            "stable.yaml",
            format!(
                "schema: 1\nversion: 1.4.0\nchannel: stable\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  \
                 sub: {{image: e/sub, tag: \"3\", digest: \"{}\"}}\n  side: {{image: e/side, tag: \"3\", digest: \"{}\"}}\n",
                digest('1'),
                digest('2')
            ),
        )
        .write("chart/Chart.yaml", format!("apiVersion: v2\nname: shop\nversion: 0.3.0\ndependencies: [{{name: sub, version: 1.0.0{alias}}}]\n"))
        .write("chart/values.yaml", values)
        .write("chart/charts/sub-1.0.0.tgz", archive);
    sandbox
}

#[test]
fn a_refusal_says_what_to_set_and_where() {
    let sandbox = workspace("sub", "some: value\n");
    let refused = program(&sandbox, &["pin"]).output();
    let expected = format!(
        "\
error[pin-refused]: cannot write `sub` for profile `shop`: the values of its chart `sub` lie in an archive
--> chart/values.yaml
 = note: its values can be set from here
 = help: write `sub: {{image: {{digest: \"{}\"}}}}` into `chart/values.yaml`, so that the profile renders `docker.io/e/sub:3@{}`

error[pin-refused]: cannot write `side` for profile `shop`: its chart `sub` lies in an archive and has no value for a digest; over a tag that is set outside of it, \
         `--tag-with-digest` writes one
--> chart/values.yaml
 = note: its values can be set from here
 = help: write `sub: {{side: {{image: {{tag: \"3\"}}}}}}` into `chart/values.yaml`, so that the profile renders `docker.io/e/side:3@{}`

",
        digest('1'),
        digest('1'),
        digest('2')
    );
    assert!(refused.exit == 1 && refused.stdout == expected, "{refused}");
    // What it says is right, and a values file of its own is named before that of the chart.
    sandbox.write(
        "chart/values.yaml",
        format!("sub: {{image: {{digest: \"{}\"}}, side: {{image: {{tag: \"3\"}}}}}}\n", digest('1')),
    );
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(sandbox.read("chart/values.yaml").contains(&format!("tag: \"3@{}\"", digest('2'))), "{output}");
    program(&sandbox, &["check"]).any_stdout().run();
    let sandbox = workspace("sub", "some: value\n");
    sandbox.write("own.yaml", "{}\n").replace("collimate.yaml", "chart: chart", "chart: chart, values: [own.yaml]");
    let refused = program(&sandbox, &["pin"]).output();
    assert!(refused.stdout.contains("--> own.yaml\n") && refused.stdout.contains("into `own.yaml`"), "{refused}");
}

#[test]
fn what_waits_around_it_is_filled() {
    let sandbox = workspace("db", "db: {image: {digest: \"\"}, side: {image: {tag: \"3\"}}}\n");
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    let expected =
        format!("db: {{image: {{digest: \"{}\"}}, side: {{image: {{tag: \"3@{}\"}}}}}}\n", digest('1'), digest('2'));
    assert_eq!(sandbox.read("chart/values.yaml"), expected);
}
