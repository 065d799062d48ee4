//! Labels of releases that charts print: what `pin` writes of them, and what it leaves.

use testkit::Sandbox;

use super::world::program;

const APPLICATION: &str = "app.kubernetes.io/version";

/// A chart that prints a value as this label, with one image that is not pinned yet.
fn workspace(key: &str, value: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let digest = |digit: char| format!("sha256:{}", digit.to_string().repeat(64));
    let chart =
        |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 0.3.0 # of the chart\nappVersion: \"9.9.9\"\n");
    let labels = format!("metadata: {{name: web, labels: {{{key}: {{{{ {value} | quote }}}}}}}}\n");
    sandbox
        .write(
            "collimate.yaml",
            format!(
                "schema: 1\nchannels: {{stable: {{release: stable.yaml}}}}\nprofiles:\n  web: {{channel: stable, chart: chart}}\n{more}"
            ),
        )
        .write(
            "stable.yaml",
            format!(
                "schema: 1\nversion: 1.4.0\nchannel: stable\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  \
                 web: {{image: example.org/web, tag: \"1.4\", digest: \"{}\"}}\n",
                digest('2')
            ),
        )
        .write("chart/Chart.yaml", format!("{}dependencies: [{{name: sub, version: 0.3.0}}]\n", chart("app")))
        .write("chart/values.yaml", format!("version: 1.3.0\nimage: example.org/web:1.3@{}\n", digest('1')))
        .write("chart/templates/web.yaml", format!(
            "apiVersion: v1\nkind: Pod\n{labels}spec: {{containers: [{{name: web, image: \"{{{{ .Values.image }}}}\"}}]}}\n"
        ))
        .write("chart/charts/sub/Chart.yaml", chart("sub"))
        .write("chart/charts/sub/templates/sub.yaml", "\
apiVersion: v1
kind: ConfigMap
metadata: {name: sub, labels: {app.kubernetes.io/version: {{ .Chart.AppVersion | replace \"+\" \"_\" | quote }}}}
");
    sandbox
}

#[track_caller]
fn pins(sandbox: &Sandbox, places: &str) {
    let output = program(sandbox, &["pin"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(output.stdout.contains(&format!("{places} written")), "{output}");
    let output = program(sandbox, &["check"]).output();
    for rule in ["digest-mismatch", "release-label-differs"] {
        assert!(!output.stdout.contains(rule), "{output}");
    }
    assert!(program(sandbox, &["pin"]).output().stdout.contains("0 places written"));
}

#[test]
fn what_a_chart_says_of_itself_is_none_of_a_release() {
    for value in [".Chart.Version", ".Chart.AppVersion"] {
        let sandbox = workspace(APPLICATION, value, "");
        pins(&sandbox, "2 places");
        assert!(sandbox.read("chart/Chart.yaml").contains("version: 0.3.0 # of the chart\nappVersion: \"9.9.9\"\n"));
    }
}

#[test]
fn where_the_release_is_meant_it_is_written() {
    let sandbox = workspace("example.org/release.version", ".Chart.AppVersion", "");
    pins(&sandbox, "3 places");
    assert!(sandbox.read("chart/Chart.yaml").contains("version: 0.3.0 # of the chart\nappVersion: \"1.4.0\"\n"));
    assert!(sandbox.read("chart/charts/sub/Chart.yaml").contains("appVersion: \"9.9.9\"\n"));
}

#[test]
fn what_the_workspace_accepts_stays_as_it_is() {
    let value = "printf \"%s-x\" .Values.version";
    let refused = program(&workspace(APPLICATION, value, ""), &["pin"]).output();
    assert_eq!(refused.exit, 1, "{refused}");
    assert!(refused.stdout.contains("its value is put together from several places"), "{refused}");
    let entry = |more: &str| format!("ignore: [{{rule: release-label-differs, reason: x{more}}}]\n");
    for accepted in
        ["rules: {release-label-differs: off}\n", &entry(""), &entry(", at: web"), &entry(", at: chart/values.yaml")]
    {
        pins(&workspace(APPLICATION, value, accepted), "2 places");
    }
    for other in ["rules: {release-label-differs: note}\n", &entry(", at: stable.yaml"), &entry(", until: 2020-01-01")]
    {
        assert_eq!(program(&workspace(APPLICATION, value, other), &["pin"]).output().exit, 1, "{other}");
    }
}
