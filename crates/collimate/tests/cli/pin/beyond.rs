//! A digest changes references and nothing else: a template can look at what it is written into.

use testkit::Sandbox;

use super::world::{digest, program};

/// A chart of one image, `web:1.4.0`, and of `job:1.0` with a tag of its own.
fn workspace(pod: &str, values: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write(
            "collimate.yaml",
            "schema: 1\nchannels: {stable: {release: stable.yaml}}\nprofiles:\n  shop: {channel: stable, chart: chart}\n",
        )
        .write(
            "stable.yaml",
            format!(
                "schema: 1\nversion: 1.4.0\nchannel: stable\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  \
                 web: {{image: e/web, tag: 1.4.0, digest: \"{}\"}}\n  job: {{image: e/job, tag: \"1.0\", digest: \"{}\"}}\n",
                digest('1'),
                digest('2')
            ),
        )
        .write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.3.0\n")
        .write("chart/values.yaml", values)
        .write("chart/templates/shop.yaml", pod);
    sandbox
}

const VALUES: &str = "web: {repository: e/web, tag: 1.4.0}\njob: {repository: e/job, tag: '1.0'}\n";

/// `extra` stands in the first container, `after` at the end.
fn pod(extra: &str, after: &str) -> String {
    format!(
        "{{{{- $web := printf \"%s:%s\" .Values.web.repository .Values.web.tag }}}}\n\
         apiVersion: v1\nkind: Pod\nmetadata: {{name: shop}}\nspec:\n  containers:\n    - name: web\n      image: {{{{ $web }}}}\n{extra}    \
         - name: job\n      image: \"{{{{ .Values.job.repository }}}}:{{{{ .Values.job.tag }}}}{{{{ with .Values.job.digest }}}}@{{{{ . }}}}{{{{ end }}}}\"\n{after}"
    )
}

/// What decides by the tag would decide otherwise once a digest is in it. The other image is not to blame.
#[test]
fn what_looks_at_the_tag_keeps_a_digest_out() {
    for (extra, change, line) in [
        (
            "      imagePullPolicy: {{ if regexMatch \"^[0-9.]+$\" .Values.web.tag }}IfNotPresent{{ else }}Always{{ end }}\n",
            "in profile `shop` `spec.containers[0].imagePullPolicy` of Pod `shop` would be `Always` in place of `IfNotPresent`",
            "chart/templates/shop.yaml:9:71",
        ),
        (
            "      args: [{{ if ge (int (index (splitList \".\" .Values.web.tag) 2)) 0 }}--one{{ if contains \"@\" .Values.web.tag }}, --two{{ end }}{{ end }}]\n",
            "in profile `shop` `spec.containers[0].args` of Pod `shop` would have 2 items in place of 1",
            "chart/templates/shop.yaml:9:7",
        ),
        (
            "      env: [{name: DB_PASSWORD, value: {{ if contains \"@\" .Values.web.tag }}hunter2{{ else }}hunter3{{ end }}}]\n",
            "in profile `shop` `spec.containers[0].env[0].value` of Pod `shop` would be something else",
            "chart/templates/shop.yaml:9:",
        ),
        (
            "{{- if contains \"@\" .Values.web.tag }}\n      tty: true\n{{- end }}\n",
            "in profile `shop` `spec.containers[0].tty` of Pod `shop` would be added",
            "",
        ),
        ("      tty: {{ gt (int (semver .Values.web.tag).Major) 0 }}\n", "in profile `shop` it would not render: ", ""),
    ] {
        let sandbox = workspace(&pod(extra, ""), VALUES);
        let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
        let message =
            "error[pin-refused]: cannot write `web` for profile `shop`: its digest would change more than the image\n";
        assert!(output.exit == 1 && output.stdout.contains(message), "{output}");
        assert!(output.stdout.contains(change) && output.stdout.contains(line), "{output}");
        assert_eq!(output.stdout.matches("pin-refused").count(), 1, "{output}");
        let way_out = "joined in the template as `{{ .repository }}:{{ .tag }}@{{ .digest }}`\n";
        assert!(output.stdout.contains(way_out), "{output}");
        assert_eq!(sandbox.read("chart/values.yaml"), VALUES);
    }
}

/// The same holds for a value that is kept for a digest; there are other ways than that.
#[test]
fn what_looks_at_a_digest_keeps_it_out() {
    let extra = "      tty: {{ if .Values.job.digest }}true{{ else }}false{{ end }}\n";
    let values =
        VALUES.replace("1.4.0", &format!("1.4.0@{}", digest('1'))).replace("tag: '1.0'", "tag: '1.0', digest: \"\"");
    let sandbox = workspace(&pod(extra, ""), &values);
    let refused = program(&sandbox, &["pin"]).output();
    let change = "in profile `shop` `spec.containers[0].tty` of Pod `shop` would be `true` in place of `false`";
    assert!(refused.exit == 1 && refused.stdout.contains(change), "{refused}");
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(sandbox.read("chart/values.yaml").contains(&format!("'1.0@{}', digest: \"\"", digest('2'))), "{output}");
}

/// Who names the image as a whole gets it with its digest, and a hash of that is another one.
#[test]
fn what_names_the_whole_image_goes_with_it() {
    let after = "\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-{{ $web | sha256sum | trunc 10 }}
  annotations: {checksum/config: {{ $web | sha256sum }}}
data:
  shop.toml: |
    image = \"r.example/{{ .Values.job.repository }}:{{ .Values.job.tag }}{{ with .Values.job.digest }}@{{ . }}{{ end }}\"
";
    let values = VALUES.replace("1.4.0", "1.3.9").replace("tag: '1.0'", "tag: '1.0', digest: \"\"");
    let sandbox = workspace(&pod("", after), &values);
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    let expected =
        values.replace("1.3.9", &format!("1.4.0@{}", digest('1'))).replace("\"\"", &format!("\"{}\"", digest('2')));
    assert_eq!(sandbox.read("chart/values.yaml"), expected);
}

/// Another tag may lead to something else: the release means it.
#[test]
fn what_another_tag_changes_is_meant() {
    let extra = "      args: [{{ if semverCompare \">=1.4\" .Values.web.tag }}--new{{ else }}--old{{ end }}]\n";
    let values = VALUES.replace("1.4.0", "1.3.9").replace("tag: '1.0'", "tag: '1.0', digest: \"\"");
    let pod = pod(extra, "")
        .replace("$web := printf \"%s:%s\"", "$web := printf \"%s:%s@%s\"")
        .replace("repository .Values.web.tag }}", "repository .Values.web.tag .Values.web.digest }}");
    let sandbox = workspace(&pod, &values.replace("1.3.9", &format!("1.3.9, digest: \"{}\"", digest('3'))));
    let output = program(&sandbox, &["pin"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(sandbox.read("chart/values.yaml").contains("tag: 1.4.0, digest"), "{output}");
}
