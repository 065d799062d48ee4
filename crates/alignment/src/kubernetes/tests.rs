use super::*;
use release::Workspace;
use source::{FileId, Text};
use yamlspan::Dialect;

use crate::inputs::KubeDocument;

fn rendering(text: &str) -> KubernetesRendering {
    let documents = yamlspan::parse(text, FileId(0), Dialect::GoYamlV2).unwrap();
    let documents = documents.into_iter().map(|document| KubeDocument {
        template: "t.yaml".to_owned(),
        text: Text::new(text),
        document: Arc::new(document),
        hook: false,
    });
    KubernetesRendering::new(documents.collect(), "default")
}

fn images_at(text: &str) -> Vec<ImagesAt> {
    let head = "schema: 1\nchannels: {}\nprofiles: {}\nimages_at:\n";
    Workspace::parse(&format!("{head}{text}"), FileId(0)).unwrap().images_at
}

/// Path and text of every image.
fn check(text: &str, at: &[ImagesAt], expected: &[(&str, &str)]) {
    let found = images(&rendering(text), 0, at);
    let found: Vec<(String, String)> =
        found.iter().map(|image| (image.path.to_string(), image.text.to_string())).collect();
    let expected: Vec<(String, String)> =
        expected.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_kind_with_a_pod_is_known() {
    for (api, kind, at) in [
        ("v1", "Pod", ""),
        ("v1", "PodTemplate", "template"),
        ("v1", "ReplicationController", "spec.template"),
        ("apps/v1", "Deployment", "spec.template"),
        ("apps/v1", "StatefulSet", "spec.template"),
        ("apps/v1", "DaemonSet", "spec.template"),
        ("apps/v1", "ReplicaSet", "spec.template"),
        ("batch/v1", "Job", "spec.template"),
        ("batch/v1", "CronJob", "spec.jobTemplate.spec.template"),
    ] {
        let mut body = "{spec: {containers: [{name: c, image: a}]}}".to_owned();
        for key in at.split('.').rev().filter(|key| !key.is_empty()) {
            body = format!("{{{key}: {body}}}");
        }
        let inner = body.strip_prefix('{').unwrap();
        let text = format!("{{apiVersion: {api}, kind: {kind}, metadata: {{name: x}}, {inner}");
        let path = if at.is_empty() { String::new() } else { format!("{at}.") };
        check(&text, &[], &[(&format!("{path}spec.containers[0].image"), "a")]);
    }
    check("{apiVersion: example.org/v1, kind: Pod, spec: {containers: [{image: a}]}}", &[], &[]);
}

#[test]
fn all_parts_of_a_pod_count() {
    let text = "\
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: p}
    spec:
      containers:
        - name: c
          image: a
          args: [--reloader-image=b:1, --verbose]
          env:
            - {name: SIDECAR_IMAGE, value: example.org/c}
            - {name: LOGO_IMAGE, value: logo}
            - {name: OTHER, value: example.org/d}
      initContainers: [{name: i, image: e}]
      ephemeralContainers: [{name: x, image: f}]
      volumes:
        - {name: v, image: {reference: g}}
";
    check(
        text,
        &images_at("  - {args: \"--reloader-image=*\"}\n"),
        &[
            ("items[0].spec.containers[0].image", "a"),
            ("items[0].spec.containers[0].env[0].value", "example.org/c"),
            ("items[0].spec.containers[0].args[0]", "b:1"),
            ("items[0].spec.initContainers[0].image", "e"),
            ("items[0].spec.ephemeralContainers[0].image", "f"),
            ("items[0].spec.volumes[0].image.reference", "g"),
        ],
    );
    let argument = &images(&rendering(text), 0, &images_at("  - {args: \"--reloader-image=*\"}\n"))[2];
    assert_eq!(argument.place(None).range, Some(17..20));
}

#[test]
fn custom_resources_count_where_the_workspace_says() {
    let text = "{apiVersion: e/v1, kind: Widget, spec: {runtime: {image: a}, parts: [{image: b}, {image: c}]}}";
    let at = images_at("  - {kind: Widget, path: spec.runtime.image}\n  - {kind: Widget, path: spec.parts.*.image}\n");
    check(text, &at, &[("spec.runtime.image", "a"), ("spec.parts[0].image", "b"), ("spec.parts[1].image", "c")]);
    check(text, &[], &[]);
}

#[test]
fn odd_documents_do_no_harm() {
    for text in [
        "",
        "[]",
        "1",
        "kind: List\nitems: {a: b}",
        "kind: [Pod]\napiVersion: v1\nspec: {containers: {a: b}}",
        "apiVersion: v1\nkind: Pod\nspec: {containers: [1, [], {image: [a]}, {image: null, env: {a: b}, args: x}]}",
        "&a {kind: List, items: [{kind: List, items: [{kind: List, items: [{kind: List, items: [{kind: List, items: []}]}]}]}]}",
    ] {
        check(text, &images_at("  - {kind: Pod, path: \"spec.*.*.image.x\"}\n  - {args: \"*\"}\n"), &[]);
    }
}
