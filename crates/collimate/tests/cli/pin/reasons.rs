//! Why something is refused is what is the case, and the way out works.

use testkit::Sandbox;

use super::world::{digest, program};

/// A workspace of one profile with a release of `web` and `api`, both of the tag `1.0`.
fn workspace(profile: &str, own: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    let release = format!(
        "schema: 1\nversion: 1.0.0\nchannel: stable\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n  \
         web: {{image: example.org/web, tag: 1.0-a, digest: \"{}\"}}\n  api: {{image: example.org/api, tag: 1.0-a, digest: \"{}\"}}\n",
        digest('1'),
        digest('2')
    );
    let profiles = format!("profiles:\n  shop: {{channel: stable, {profile}}}\n");
    sandbox
        .write("collimate.yaml", format!("schema: 1\nchannels: {{stable: {{release: stable.yaml}}}}\n{profiles}"))
        .write("stable.yaml", release);
    for (path, text) in own {
        sandbox.write(path, text);
    }
    sandbox
}

const COMPOSE: &str = "compose: [compose.yaml]";
const CHART: (&str, &str) = ("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0-a\n");

/// A workspace of a chart with one template.
fn chart(pod: &str, values: &str) -> Sandbox {
    workspace("chart: chart", &[CHART, ("chart/templates/web.yaml", pod), ("chart/values.yaml", values)])
}

/// Writes into `path` what `expected` has more than the text that stands there.
#[track_caller]
fn written(sandbox: &Sandbox, arguments: &[&str], path: &str, expected: &str) {
    let output = program(sandbox, arguments).output();
    assert_eq!(output.exit, 0, "{output}");
    let expected = expected.replace("WEB", &digest('1')).replace("API", &digest('2'));
    assert_eq!(sandbox.read(path), expected, "{output}");
    program(sandbox, &["check"]).any_stdout().run();
}

#[track_caller]
fn refused(sandbox: &Sandbox, arguments: &[&str], expected: &[&str]) {
    let output = program(sandbox, arguments).output();
    assert_eq!(output.exit, 1, "{output}");
    for expected in expected {
        assert!(output.stdout.contains(expected), "{output}\nlacks {expected}");
    }
}

/// A reference of several variables has no piece of a file for its tag, but an end.
#[test]
fn a_digest_stands_behind_what_a_compose_file_puts_together() {
    for (web, env) in [
        ("${NAME}:${VERSION}-a", "NAME=example.org/web\nVERSION=1.0\n"),
        ("example.org/web:1.0-$SUFFIX", "SUFFIX=a\n"),
        ("example.org/web:${VERSION}${SUFFIX:-a}", "VERSION=1.0-\n"),
        ("${REGISTRY:-example.org}/web:1.0-a", "# none\n"),
    ] {
        for quote in ["", "'", "\""] {
            let text = format!("services:\n  web:\n    image: {quote}{web}{quote} # kept\n");
            let sandbox = workspace(COMPOSE, &[("compose.yaml", &text), (".env", env)]);
            written(&sandbox, &["pin"], "compose.yaml", &text.replace(web, &format!("{web}@WEB")));
            assert_eq!(sandbox.read(".env"), env);
        }
    }
    // A value that is the tag alone may be shared, and is asked for.
    let text = "services:\n  web:\n    image: example.org/web:${TAG}\n";
    let sandbox = workspace(COMPOSE, &[("compose.yaml", text), (".env", "TAG=1.0-a\n")]);
    refused(&sandbox, &["pin"], &["`--tag-with-digest` writes it into the tag"]);
    written(&sandbox, &["pin", "--tag-with-digest"], ".env", "TAG=1.0-a@WEB\n");
}

#[test]
fn an_anchor_is_the_image_itself() {
    let text =
        "x-base: &base\n  image: example.org/web:${TAG:-1.0-a}\nservices:\n  one: {<<: *base}\n  two: {<<: *base}\n";
    let sandbox = workspace(COMPOSE, &[("compose.yaml", text)]);
    written(&sandbox, &["pin", "--tag-with-digest"], "compose.yaml", &text.replace("1.0-a", "1.0-a@WEB"));
    // What names the tag for itself is another use.
    let text = text.replace("  image:", "  labels: {version: \"${TAG:-1.0-a}\"}\n  image:");
    let sandbox = workspace(COMPOSE, &[("compose.yaml", &text), (".env", "TAG=1.0-a\n")]);
    refused(&sandbox, &["pin", "--tag-with-digest"], &["its tag is not for images alone"]);
}

#[test]
fn two_images_of_one_profile_use_one_value() {
    let text = "services:\n  web: {image: \"example.org/web:${TAG}\"}\n  api: {image: \"example.org/api:${TAG}\"}\n";
    for arguments in [&["pin"][..], &["pin", "--tag-with-digest"]] {
        let sandbox = workspace(COMPOSE, &[("compose.yaml", text), (".env", "TAG=0.9-a\n")]);
        let expected = text.replace("web:${TAG}", "web:${TAG}@WEB").replace("api:${TAG}", "api:${TAG}@API");
        written(&sandbox, arguments, "compose.yaml", &expected);
        assert_eq!(sandbox.read(".env"), "TAG=1.0-a\n");
    }
    let pod = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: web, image: \"example.org/web:{{ .Values.tag }}\"}
    - {name: api, image: \"example.org/api:{{ .Values.tag }}\"}
";
    let sandbox = chart(pod, "tag: 1.0-a\n");
    let reason = "for profile `shop`: the place is shared with another image of the profile that needs something else";
    let label = format!("`api` needs `@{}` there", digest('2'));
    refused(&sandbox, &["pin", "--tag-with-digest"], &[&format!("cannot write `web` {reason}"), &label]);
}

#[test]
fn an_argument_that_is_an_image_is_said_to_be_one() {
    let reference = "\"{{ .Values.web.repository }}:{{ .Values.web.tag }}\"";
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n    - name: web\n      image: {reference}\n      \
         command: [web, --image, {reference}]\n"
    );
    let values = "web: {repository: example.org/web, tag: 1.0-a}\n";
    let sandbox = chart(&pod, values);
    let entry = "images_at: [{kind: Pod, path: spec.containers.0.command.2}]";
    let help = format!("= help: say that these are images, and pin again: `{entry}` in `collimate.yaml`\n");
    let reason = "its tag is part of an argument or a value too that nobody says is an image";
    refused(&sandbox, &["pin", "--tag-with-digest"], &[reason, &help]);
    sandbox.write("collimate.yaml", format!("{}{entry}\n", sandbox.read("collimate.yaml")));
    written(&sandbox, &["pin", "--tag-with-digest"], "chart/values.yaml", &values.replace("1.0-a", "1.0-a@WEB"));

    let pod = pod.replace(&format!("--image, {reference}"), &format!("--image={}", reference.replace('"', "")));
    let sandbox = chart(&pod, values);
    refused(&sandbox, &["pin", "--tag-with-digest"], &["`images_at: [{args: \"--image=*\"}]` in `collimate.yaml`"]);
}

#[test]
fn the_version_of_a_chart_holds_no_digest() {
    let pod = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: \"example.org/web:{{ .Chart.Version }}\"
    - name: api
      image: \"example.org/api:{{ .Values.tag }}\"
";
    let sandbox = chart(pod, "tag: 1.0-a\n");
    sandbox.replace("chart/Chart.yaml", "1.0-a", "1.0.0-a").replace(
        "stable.yaml",
        "web, tag: 1.0-a",
        "web, tag: 1.0.0-a",
    );
    for arguments in [&["pin"][..], &["pin", "--tag-with-digest"]] {
        let reason = "cannot write `web` for profile `shop`: it has no digest, and its tag is the version of the chart, which cannot hold one";
        refused(&sandbox, arguments, &[reason, "chart/Chart.yaml:3:10"]);
    }
    // The other one is not held up any longer once that is mended.
    sandbox.replace("chart/templates/web.yaml", "{{ .Chart.Version }}", &format!("1.0.0-a@{}", digest('1')));
    written(&sandbox, &["pin", "--tag-with-digest"], "chart/values.yaml", "tag: 1.0-a@API\n");
}
