//! Layers that are loaded together are what each of them is alone.

use composefile::{Error, Options, Project, load, load_layers};
use source::MemoryFiles;

const BASE: &str = "\
include: [shared.yaml]
services:
  web:
    extends: {file: base.yaml, service: web}
    image: ${IMAGE:-web}:1
    ports: [\"80:80\"]
    environment: {KEEP: a, DROP: b, ASKED: }
  job: {image: job, profiles: [tools]}
";

const FILES: [(&str, &str); 9] = [
    ("compose.yaml", BASE),
    ("shared.yaml", "services: {shared: {image: shared}}\nnetworks: {front: {}}\n"),
    ("base.yaml", "services: {web: {command: [run], labels: {from: base}}}\n"),
    (
        "over.yaml",
        "services:\n  web:\n    environment: {DROP: !reset null, UNSET: $NOWHERE}\n    ports: !override [\"81:80\"]\n",
    ),
    // Names what the first file includes: it is a file of the project before and after it is laid over.
    ("more.yaml", "services: {shared: {command: [more]}, extra: {image: extra, depends_on: [web]}}\n"),
    ("named.yaml", "name: other\nservices: {web: {container_name: $COMPOSE_PROJECT_NAME}}\n"),
    ("broken.yaml", "services: [\n"),
    ("wrong.yaml", "services: {web: {image: [1]}}\n"),
    (".env", "IMAGE=registry.example/web\nUNUSED=1\n"),
];

fn options(files: &[&str]) -> Options {
    let mut options = Options { files: files.iter().map(Into::into).collect(), ..Options::default() };
    options.environment.insert("ASKED".to_owned(), "told".to_owned());
    options
}

fn told(project: Result<Project, Error>) -> String {
    project.map_or_else(|error| format!("{error} {:?}", error.span()), |project| format!("{project:#?}"))
}

#[track_caller]
fn check(files: &[&str], depths: &[usize]) {
    let disk = MemoryFiles::new(FILES);
    let together: Vec<String> = load_layers(&options(files), depths, &disk).into_iter().map(told).collect();
    let alone: Vec<String> = depths.iter().map(|depth| told(load(&options(&files[..*depth]), &disk))).collect();
    assert!(together == alone, "{files:?} {depths:?}");
}

#[test]
fn together_and_alone() {
    check(&["compose.yaml", "over.yaml", "more.yaml"], &[1, 2, 3]);
    check(&["compose.yaml", "over.yaml", "more.yaml"], &[2, 2, 3]);
    check(&["compose.yaml", "shared.yaml", "more.yaml"], &[1, 2, 3]);
    check(&["compose.yaml", "over.yaml", "compose.yaml"], &[1, 3]);
}

#[test]
fn a_later_file_that_names_the_project() {
    check(&["compose.yaml", "over.yaml", "named.yaml"], &[1, 2, 3]);
    check(&["named.yaml", "compose.yaml", "over.yaml"], &[1, 2, 3]);
}

#[test]
fn a_layer_that_cannot_be_loaded() {
    check(&["compose.yaml", "over.yaml", "broken.yaml"], &[1, 2, 3]);
    check(&["compose.yaml", "wrong.yaml", "over.yaml"], &[1, 2, 3]);
    check(&["compose.yaml", "absent.yaml"], &[1, 2]);
    check(&["compose.yaml"], &[0, 1]);
}
