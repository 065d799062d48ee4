//! Values of a chart that are kept for a digest and are empty.

use testkit::Sandbox;

use super::world::{digest, program};

const VALUES: &str = "\
web:
  registry: registry.example.org
  repository: shop/web
  tag: \"\" # else that of the application
  digest: \"\"
job: {repository: registry.example.org/shop/job, tag: 1.0.0, digest: }
db:
  repository: registry.example.org/shop/db
  tag: '15'
  sha: null
";

const IMAGES: &str = "\
{{- define \"image\" -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}{{ with .sha }}@sha256:{{ . }}{{ end }}
{{- end }}
";

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - {name: web, image: \"{{ include \"image\" (merge (dict \"tag\" (.Values.web.tag | default .Chart.AppVersion)) .Values.web) }}\"}
    - {name: job, image: \"{{ include \"image\" .Values.job }}\"}
    - {name: db, image: \"{{ include \"image\" .Values.db }}\"}
";

/// A chart of three images, and what the profiles are.
fn workspace(images: &str, profiles: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let release = |channel: &str, digits: [char; 3]| {
        let component = |(name, tag, digit): (&str, &str, char)| {
            format!(
                "  {name}: {{image: registry.example.org/shop/{name}, tag: \"{tag}\", digest: \"{}\"}}\n",
                digest(digit)
            )
        };
        let listed = [("web", "1.4.0", digits[0]), ("job", "1.4.0", digits[1]), ("db", "15", digits[2])];
        format!(
            "schema: 1\nversion: 1.4.0\nchannel: {channel}\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n{}",
            listed.map(component).concat()
        )
    };
    sandbox
        .write(
            "collimate.yaml",
            format!("schema: 1\nchannels: {{edge: {{release: edge.yaml}}, stable: {{release: stable.yaml}}}}\nprofiles:\n{profiles}"),
        )
        .write("edge.yaml", release("edge", ['1', '2', '4']))
        .write("stable.yaml", release("stable", ['1', '2', '3']))
        .write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.3.0\nappVersion: 1.0.0\n")
        .write("chart/values.yaml", VALUES)
        .write("chart/templates/_images.tpl", images)
        .write("chart/templates/shop.yaml", POD);
    sandbox
}

const ONE: &str = "  shop: {channel: stable, chart: chart}\n";

#[test]
fn they_are_filled() {
    let sandbox = workspace(IMAGES, ONE);
    let output = program(&sandbox, &["pin"]).output();
    assert!(output.exit == 0 && output.stdout.contains("5 places written"), "{output}");
    let expected = VALUES
        .replace("tag: \"\"", "tag: \"1.4.0\"")
        .replace("digest: \"\"", &format!("digest: \"{}\"", digest('1')))
        .replace("tag: 1.0.0, digest: }", &format!("tag: 1.4.0, digest: {}}}", digest('2')))
        .replace("null", &format!("\"{}\"", "3".repeat(64)));
    assert_eq!(sandbox.read("chart/values.yaml"), expected);
    assert!(sandbox.read("chart/Chart.yaml").ends_with("appVersion: 1.0.0\n"));
    assert!(program(&sandbox, &["pin"]).output().stdout.starts_with("0 places written"));
}

/// Of what the chart does not print nothing is written, and other ways stay open.
#[test]
fn what_is_not_printed_is_not_filled() {
    let sandbox = workspace(&IMAGES.replace("{{ with .sha }}@sha256:{{ . }}{{ end }}", ""), ONE);
    let refused = program(&sandbox, &["pin"]).output();
    let reason =
        "cannot write `db` for profile `shop`: it has no digest, and its reference is put together from several values";
    assert!(refused.exit == 1 && refused.stdout.contains(reason), "{refused}");
    assert_eq!(refused.stdout.matches("pin-refused").count(), 1, "{refused}");
    assert_eq!(sandbox.read("chart/values.yaml"), VALUES);
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    let values = sandbox.read("chart/values.yaml");
    assert!(values.contains(&format!("tag: '15@{}'\n  sha: null\n", digest('3'))), "{values}");
    assert!(values.contains(&format!("digest: \"{}\"\n", digest('1'))), "{values}");
}

/// Some charts write `sha256:` before a value `digest`, and not before a value `sha`; some check how long it is. The others of a channel are not held up by that.
#[test]
fn a_digest_may_be_written_the_other_way_round() {
    let turned = IMAGES
        .replace("@{{ . }}", "@sha256:{{ . }}")
        .replace("@sha256:{{ . }}{{ end }}{{ with .sha }}@sha256:", "@sha256:{{ . }}{{ end }}{{ with .sha }}@");
    let sandbox = workspace(&turned, ONE);
    let output = program(&sandbox, &["pin"]).output();
    assert!(output.exit == 0 && output.stdout.contains("5 places written"), "{output}");
    let values = sandbox.read("chart/values.yaml");
    assert!(values.contains(&format!("digest: \"{}\"\n", "1".repeat(64))), "{values}");
    assert!(values.contains(&format!("digest: \"{}\"}}\n", "2".repeat(64))), "{values}");
    assert!(values.contains(&format!("sha: {}\n", digest('3'))), "{values}");
    assert!(program(&sandbox, &["pin"]).output().stdout.starts_with("0 places written"));
    // Where neither form makes a reference, there is the tag.
    let sandbox = workspace(&IMAGES.replace("@sha256:{{ . }}", "@sha256-{{ . }}"), ONE);
    let refused = program(&sandbox, &["pin"]).output();
    let reason = "cannot write `db` for profile `shop`: it has no digest, and its reference is put together from several values; `--tag-with-digest`";
    assert!(refused.exit == 1 && refused.stdout.contains(reason), "{refused}");
    assert_eq!(refused.stdout.matches("pin-refused").count(), 1, "{refused}");
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(
        sandbox.read("chart/values.yaml").contains(&format!("tag: '15@{}'\n  sha: null\n", digest('3'))),
        "{output}"
    );
}

/// What a chart says of its application is the default of a tag and a label as well: the tag has a place of its own.
#[test]
fn an_empty_tag_takes_a_digest() {
    let label = "labels: {app.kubernetes.io/version: {{ .Chart.AppVersion }}}";
    let images = IMAGES.replace("{{ with .digest }}@{{ . }}{{ end }}", "");
    let sandbox = workspace(&images, ONE);
    sandbox.write("chart/templates/shop.yaml", POD.replace("{name: shop}", &format!("{{name: shop, {label}}}")));
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    let values = sandbox.read("chart/values.yaml");
    assert!(values.contains(&format!("tag: \"1.4.0@{}\" #", digest('1'))), "{values}");
    assert!(sandbox.read("chart/Chart.yaml").ends_with("appVersion: 1.0.0\n"));
    // Without such a value there is the version of the application alone, if it is for the image alone.
    let sandbox = workspace(&images, ONE);
    sandbox.write("chart/values.yaml", VALUES.replace("  tag: \"\" # else that of the application\n", ""));
    let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(sandbox.read("chart/Chart.yaml").ends_with(&format!("appVersion: 1.4.0@{}\n", digest('1'))), "{output}");
}

/// A number leaves no trace in what is printed.
#[test]
fn a_tag_that_is_a_number_is_written_as_a_string() {
    for (number, expected) in [("15", "15"), ("1.10", "\"15\"")] {
        let values = VALUES.replace("'15'", number);
        let sandbox = workspace(IMAGES, ONE);
        sandbox.write("chart/values.yaml", &values);
        let output = program(&sandbox, &["pin"]).output();
        assert_eq!(output.exit, 0, "{output}");
        assert!(sandbox.read("chart/values.yaml").contains(&format!("tag: {expected}\n  sha: \"333")), "{output}");

        sandbox.write("chart/values.yaml", values.replace("  sha: null\n", ""));
        let refused = program(&sandbox, &["pin"]).output();
        assert_eq!(refused.exit, 1, "{refused}");
        let output = program(&sandbox, &["pin", "--tag-with-digest"]).output();
        assert_eq!(output.exit, 0, "{output}");
        assert!(sandbox.read("chart/values.yaml").ends_with(&format!("tag: 15@{}\n", digest('3'))), "{output}");
    }
}

#[test]
fn what_two_channels_share_is_theirs() {
    let two = format!("{ONE}  next: {{channel: edge, chart: chart}}\n");
    let sandbox = workspace(IMAGES, &two);
    let refused = program(&sandbox, &["pin"]).output();
    assert_eq!((refused.exit, refused.stdout.matches("pin-refused").count()), (1, 2), "{refused}");
    let own = format!(
        "a profile can have it of its own: `db: {{sha: \"{}\"}}` in a values file of `shop` alone",
        "3".repeat(64)
    );
    assert!(refused.stdout.contains(&own), "{refused}");
    assert_eq!(sandbox.read("chart/values.yaml"), VALUES);
    // What a values file of its own sets beside it goes there.
    let own = "  shop: {channel: stable, chart: chart, values: [own.yaml]}\n  next: {channel: edge, chart: chart}\n";
    let sandbox = workspace(IMAGES, own);
    sandbox.write("own.yaml", "db: {repository: registry.example.org/shop/db, sha: ~}\n");
    let output = program(&sandbox, &["pin"]).output();
    assert_eq!(output.exit, 0, "{output}");
    assert!(sandbox.read("own.yaml").contains(&"3".repeat(64)), "{output}");
    assert!(sandbox.read("chart/values.yaml").contains(&"4".repeat(64)), "{output}");
}

#[test]
fn a_chart_at_the_root_has_values_too() {
    let sandbox = workspace(IMAGES, "  shop: {channel: stable, chart: ., values: [./own.yaml]}\n");
    for path in ["Chart.yaml", "values.yaml", "templates/_images.tpl", "templates/shop.yaml"] {
        sandbox.write(path, sandbox.read(format!("chart/{path}")));
    }
    sandbox.write("own.yaml", "db: {sha: ~}\n").write(".helmignore", "chart\n");
    let output = program(&sandbox, &["pin"]).output();
    assert!(output.exit == 0 && output.stdout.contains("5 places written"), "{output}");
    assert_eq!(sandbox.read("own.yaml"), format!("db: {{sha: \"{}\"}}\n", "3".repeat(64)));
    assert!(sandbox.read("values.yaml").contains(&format!("digest: \"{}\"\n", digest('1'))), "{output}");
    // The way out of what two share.
    sandbox.write("values.yaml", VALUES).write("own.yaml", "{}\n").replace(
        "collimate.yaml",
        "own.yaml]}\n",
        "own.yaml]}\n  next: {channel: edge, chart: ./}\n",
    );
    let refused = program(&sandbox, &["pin"]).output();
    let own = format!("a profile can have it of its own: `db: {{sha: \"{}\"}}` in `own.yaml`", "3".repeat(64));
    assert!(refused.exit == 1 && refused.stdout.contains(&own), "{refused}");
}
