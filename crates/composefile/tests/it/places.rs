//! Every value of a loaded project knows where it was written.

use composefile::{Options, Project, VariableSource, load};
use source::{MemoryFiles, Span};

const COMPOSE: &str = "\
x-image: &image registry/app:${TAG}
services:
  web:
    image: *image
    environment: {A: '${A:-none}', B: }
  job:
    image: ${HOST_IMAGE:?which}
    env_file: job.env
";
const ENV: &str = "TAG=\"1.0@sha256:abc\"\nB=from file\nNEVER=1\n";
const JOB: &str = "X=${TAG}\n";

fn project(trace: bool) -> (MemoryFiles, Project) {
    let files = MemoryFiles::new([("compose.yaml", COMPOSE), (".env", ENV), ("job.env", JOB)]);
    let mut options = Options { files: vec!["compose.yaml".into()], trace, ..Options::default() };
    options.project_name = Some("places".to_owned());
    options.environment.insert("HOST_IMAGE".to_owned(), "host/image:2".to_owned());
    let project = load(&options, &files).unwrap();
    (files, project)
}

fn text(files: &MemoryFiles, span: Span) -> &str {
    &files.sources().file(span.file).unwrap().text()[span.range()]
}

#[test]
fn texts_lead_to_their_bytes() {
    let (files, project) = project(true);
    let image = project.service("web").unwrap().get("image").unwrap();
    let value = image.as_text().unwrap();
    assert_eq!(value.as_str(), "registry/app:1.0@sha256:abc");
    let literal = value.exact_span(0.."registry/app:".len()).unwrap();
    assert_eq!(text(&files, literal), "registry/app:");
    assert_eq!(files.sources().path(literal.file), "compose.yaml");
    let tag = value.exact_span("registry/app:".len()..value.len()).unwrap();
    assert_eq!(text(&files, tag), "1.0@sha256:abc");
    assert_eq!(files.sources().path(tag.file), ".env");
    // An alias leads to the anchor's scalar.
    assert_eq!(text(&files, image.span.unwrap()), "registry/app:${TAG}");
    let from_env_file = project.service("job").unwrap().at_path(["environment", "X"]).unwrap();
    let span = from_env_file.as_text().unwrap().exact_span(0..3).unwrap();
    assert_eq!((files.sources().path(span.file).as_str(), text(&files, span)), (".env", "1.0"));
}

#[test]
fn what_the_host_gives_stands_at_its_variable() {
    let (files, project) = project(true);
    let image = project.service("job").unwrap().get("image").unwrap().as_text().unwrap().clone();
    let origin = image.segments()[0].origin.spans()[0];
    assert_eq!((image.as_str(), text(&files, origin)), ("host/image:2", "${HOST_IMAGE:?which}"));
}

#[test]
fn uses_of_variables_are_recorded() {
    let (files, project) = project(true);
    let uses: Vec<(&str, &str, &str)> = project
        .variables
        .iter()
        .map(|variable| {
            let from = match variable.from {
                VariableSource::EnvFile(span) => text(&files, span),
                VariableSource::HostEnvironment => "host",
                VariableSource::Default => "default",
                VariableSource::Unset => "unset",
                VariableSource::Compose => "compose",
            };
            (variable.name.as_str(), text(&files, variable.span.unwrap()), from)
        })
        .collect();
    assert_eq!(
        uses,
        [
            ("TAG", "${TAG}", "\"1.0@sha256:abc\""),
            ("A", "${A:-none}", "default"),
            ("HOST_IMAGE", "${HOST_IMAGE:?which}", "host"),
            ("TAG", "${TAG}", "\"1.0@sha256:abc\""),
        ]
    );
    let unused: Vec<&str> =
        project.env_files[0].entries.iter().filter(|entry| !entry.used).map(|entry| entry.name.as_str()).collect();
    assert_eq!(unused, ["NEVER"]);
    assert_eq!(project.service_files[0].entries[0].name.as_str(), "X");
}

#[test]
fn an_untraced_load_carries_no_trace() {
    let (_, project) = project(false);
    let image = project.service("web").unwrap().get("image").unwrap();
    assert!(!image.as_text().unwrap().is_traced());
    assert!(image.span.is_some());
}

#[test]
fn errors_have_places() {
    for (compose, expected) in [
        ("services: {a: {image: '${X:?}'}}", "'${X:?}'"),
        ("services: {a: {image: x, nope: 1}}", "nope"),
        ("services: {a: {image: x, networks: [lost]}}", "lost"),
        ("services: {a: {image: x, mem_limit: 5 apples}}", "5 apples"),
        ("services: {a: {image: x, ports: ['a:b']}}", "'a:b'"),
        ("services: {a: {image: x, image: y}}", "image"),
        ("services: {a: {image: x, env_file: lost.env}}", "lost.env"),
    ] {
        let files = MemoryFiles::new([("compose.yaml", compose)]);
        let mut options = Options { files: vec!["compose.yaml".into()], ..Options::default() };
        options.project_name = Some("places".to_owned());
        let error = load(&options, &files).unwrap_err();
        let span = error.span().unwrap_or_else(|| panic!("{compose}: {error}: no place"));
        assert_eq!(text(&files, span), expected, "{compose}: {error}");
    }
}

/// Values of env files may hold any bytes, which YAML has as `!!binary` and JSON not at all.
#[test]
fn values_of_env_files_may_be_no_utf_8() {
    let compose = "services: {a: {image: 'x:1', command: ['${T:-0}'], env_file: a.env}}";
    for (env, yaml, json) in [
        (&b"# caf\xe9\nT=1 # caf\xe9\n"[..], "\"1\"", "\"1\""),
        (b"# caf\xe9\nT='#1' # it\n", "'#1'", "\"#1\""),
        (b"T=caf\xe9\n", "!!binary Y2Fm6Q==", "\"caf\\ufffd\""),
        (b"W=caf\xe9\nT=${W}x\n", "!!binary Y2Fm6Xg=", "\"caf\\ufffdx\""),
        (b"T=a\xe2\x82\xef\xbf\xbd\n", "!!binary YeKC77+9", "\"a\\ufffd\\ufffd\u{fffd}\""),
    ] {
        for trace in [false, true] {
            let mut files = MemoryFiles::new([("compose.yaml", compose), ("a.env", "")]);
            files.insert(".env".into(), env.to_vec());
            files.insert("a.env".into(), env.to_vec());
            let options = Options {
                files: vec!["compose.yaml".into()],
                project_name: Some("p".to_owned()),
                trace,
                ..Options::default()
            };
            let project = load(&options, &files).unwrap();
            let (printed, as_json) = (project.to_yaml(), project.to_json());
            assert!(printed.contains(&format!("- {yaml}\n")) && printed.contains(&format!("T: {yaml}\n")), "{printed}");
            assert!(as_json.contains(&format!("\"T\": {json}")), "{as_json}");
        }
    }
    let mut files = MemoryFiles::new([("compose.yaml", compose)]);
    files.insert("a.env".into(), b"\xe9=1\n".to_vec());
    let options =
        Options { files: vec!["compose.yaml".into()], project_name: Some("p".to_owned()), ..Options::default() };
    let error = load(&options, &files).unwrap_err();
    let reason = "line 1: unexpected character \"\u{fffd}\" in variable name \"\\xe9=1\"";
    assert!(error.to_string().contains(reason), "{error}");
}

/// go-yaml decodes UTF-16; places are in what it reads.
#[test]
fn compose_files_may_be_utf_16() {
    let compose = "services: {a: {image: 'é:1', nope: 1}}";
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let mut files = MemoryFiles::default();
        files.insert(
            "compose.yaml".into(),
            std::iter::once(0xfeff).chain(compose.encode_utf16()).flat_map(order).collect(),
        );
        let options =
            Options { files: vec!["compose.yaml".into()], project_name: Some("p".to_owned()), ..Options::default() };
        let error = load(&options, &files).unwrap_err();
        assert_eq!(text(&files, error.span().unwrap()), "nope", "{error}");
    }
}
