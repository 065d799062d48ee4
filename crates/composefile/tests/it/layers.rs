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

const STEADY: &str = "\
services:
  front: {image: front, ports: [\"80:80\"], dns: [1.1.1.1, \"\"], depends_on: [back], networks: {}, deploy: {resources: {limits: {pids: 9}}}}
  back: {build: {context: back, args: [ASKED, GIVEN=1]}, env_file: [.env], label_file: []}
  noisy: {image: noisy, tty: yes, environment: [ASKED, UNSET]}
  alone: {image: alone, network_mode: none, volumes: [\"./data:/data\"], scale: 2}
  absent:
    image: absent
    profiles: [other]
";

const FILES: [(&str, &str); 12] = [
    ("steady.yaml", STEADY),
    // Names services and changes nothing, but for the places of their keys.
    ("names.yaml", "services: {front: , alone: {}, added: {image: added, network_mode: none, links: [front]}}\n"),
    ("changes.yaml", "services: {front: {dns: [9.9.9.9]}, back: {labels: {a: b}}}\nnetworks: {default: {name: own}}\n"),
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
    let files = files.iter().map(Into::into).collect();
    let mut options = Options { files, current_dir: "/project".into(), ..Options::default() };
    options.environment.insert("ASKED".to_owned(), "told".to_owned());
    options
}

fn told(project: Result<Project, Error>) -> String {
    project.map_or_else(|error| format!("{error} {:?}", error.span()), |project| format!("{project:#?}"))
}

/// `loaded`: how many of the layers can be loaded.
#[track_caller]
fn check(files: &[&str], depths: &[usize], loaded: usize) {
    let disk = MemoryFiles::new(FILES);
    let together: Vec<String> = load_layers(&options(files), depths, &disk).into_iter().map(told).collect();
    let alone: Vec<String> = depths.iter().map(|depth| told(load(&options(&files[..*depth]), &disk))).collect();
    assert!(together == alone, "{files:?} {depths:?}");
    assert_eq!(
        alone.iter().filter(|told| told.starts_with("Project")).count(),
        loaded,
        "{:?}",
        alone.iter().map(|told| told.lines().next()).collect::<Vec<_>>()
    );
}

#[test]
fn together_and_alone() {
    check(&["compose.yaml", "over.yaml", "more.yaml"], &[1, 2, 3], 3);
    check(&["compose.yaml", "over.yaml", "more.yaml"], &[2, 2, 3], 3);
    check(&["compose.yaml", "shared.yaml", "more.yaml"], &[1, 2, 3], 3);
    check(&["compose.yaml", "over.yaml", "compose.yaml"], &[1, 3], 2);
}

#[test]
fn services_that_a_later_file_leaves_as_they_are() {
    check(&["steady.yaml", "names.yaml", "changes.yaml"], &[1, 2, 3], 3);
    check(&["steady.yaml", "changes.yaml", "names.yaml"], &[1, 2, 3], 3);
    check(&["steady.yaml", "names.yaml", "names.yaml", "changes.yaml", "steady.yaml"], &[1, 2, 3, 4, 5], 5);
    check(&["steady.yaml", "compose.yaml", "names.yaml"], &[1, 2, 3], 3);
}

#[test]
fn are_the_same_in_memory_where_nothing_looks_them_up() {
    let disk = MemoryFiles::new(FILES);
    let layers: Vec<Project> = load_layers(&options(&["steady.yaml", "names.yaml"]), &[1, 2], &disk)
        .into_iter()
        .map(|project| project.expect("loads"))
        .collect();
    let same = |name: &str| {
        let maps: Vec<_> = layers.iter().map(|layer| layer.service(name).and_then(|node| node.as_map())).collect();
        matches!(maps.as_slice(), [Some(one), Some(other)] if one.is_same(other))
    };
    assert!(same("front"));
    assert!(!same("noisy"));
}

#[test]
fn a_later_file_that_names_the_project() {
    check(&["compose.yaml", "over.yaml", "named.yaml"], &[1, 2, 3], 3);
    check(&["named.yaml", "compose.yaml", "over.yaml"], &[1, 2, 3], 2);
}

#[test]
fn a_layer_that_cannot_be_loaded() {
    check(&["compose.yaml", "over.yaml", "broken.yaml"], &[1, 2, 3], 2);
    check(&["compose.yaml", "wrong.yaml", "over.yaml"], &[1, 2, 3], 1);
    check(&["compose.yaml", "absent.yaml"], &[1, 2], 1);
    check(&["compose.yaml"], &[0, 1], 2);
}
