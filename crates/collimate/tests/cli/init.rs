//! `collimate init` in folders of every kind: what it prints and what it writes, to the byte.

use crate::tree::Tree;

const COMPOSE: &str = "\
services:
  web:
    image: nginx:1.27
    networks: [front]
  app:
    build: .
networks:
  front: {external: true, name: shared_front}
";

const CHART: &[(&str, &str)] = &[
    ("charts/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 0.1.0\nappVersion: 1.2.3\n"),
    ("charts/app/values.yaml", "image: registry.example.org/app:1.2.3\n"),
    (
        "charts/app/values-prod.yaml",
        "image: registry.example.org/app:1.2.3@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1\n",
    ),
    (
        "charts/app/templates/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n    - name: app\n      image: {{ .Values.image }}\n",
    ),
];

/// A folder with these files, after `init`: exit code and what was printed.
fn init(files: &[(&str, &str)], arguments: &[&str]) -> (Tree, i32, String, String) {
    let tree = Tree::of(files);
    let (code, stdout, stderr) = tree.run_text(&[&["init"], arguments].concat());
    (tree, code, stdout, stderr)
}

/// Runs `init` and compares the exit code and all of stdout; nothing may be said on stderr.
#[track_caller]
fn check(files: &[(&str, &str)], code: i32, stdout: &str) -> Tree {
    let (tree, found, printed, said) = init(files, &[]);
    assert_eq!((printed.as_str(), said.as_str()), (stdout, ""));
    assert_eq!(found, code);
    tree
}

/// Runs `init` where it must write nothing.
#[track_caller]
fn refused(files: &[(&str, &str)], arguments: &[&str], code: i32, stderr: &str) {
    let (tree, found, stdout, said) = init(files, arguments);
    assert_eq!((said.as_str(), stdout.as_str()), (stderr, ""));
    assert_eq!(found, code);
    for path in ["collimate.yaml", "releases"] {
        let was_there = files.iter().any(|(file, _)| file.starts_with(path));
        assert_eq!(tree.path(path).exists(), was_there, "{path}");
    }
}

#[test]
fn an_empty_folder_is_refused() {
    let looked = "\
hint: looked for `compose.yaml`, `docker-compose.yml`, `docker-compose.NAME.yaml` and folders with a `Chart.yaml`, 8 folders deep; \
hidden folders, `node_modules`, `target` and `vendor` are passed over
";
    let nothing = format!("error: there is no Compose file and no chart in `.`\n{looked}");
    refused(&[], &[], 3, &nothing);
    let others = [
        (".github/compose.yaml", COMPOSE),
        ("a/node_modules/b/compose.yaml", COMPOSE),
        ("1/2/3/4/5/6/7/8/9/compose.yaml", COMPOSE),
        ("README.md", "nothing to deploy\n"),
    ];
    refused(&others, &[], 3, &nothing);
}

#[test]
fn a_folder_that_is_none_is_refused() {
    refused(&[], &["no/such"], 3, "error: cannot look into `no/such`\ncaused by: it does not exist\n");
    refused(&[("file", "")], &["file"], 3, "error: cannot look into `file`\ncaused by: it is not a folder\n");
}

#[test]
fn what_exists_is_kept() {
    refused(
        &[("compose.yaml", COMPOSE), ("collimate.yaml", "mine")],
        &[],
        2,
        "error: `collimate.yaml` exists already\nhint: run `collimate check`; to begin anew, move it away\n",
    );
    refused(
        &[("compose.yaml", COMPOSE), ("releases/current.yaml", "mine")],
        &[],
        2,
        "error: `releases/current.yaml` exists already\nhint: move it away, or write a `collimate.yaml` that names it\n",
    );
}

#[test]
fn a_compose_only_folder() {
    let tree = check(&[("docker-compose.yml", COMPOSE)], 0, "");
    assert_eq!(tree.read("collimate.yaml"), "");
    assert_eq!(tree.read("releases/current.yaml"), "");
}

#[test]
fn a_chart_only_folder() {
    let tree = check(CHART, 1, "");
    assert_eq!(tree.read("collimate.yaml"), "");
    assert_eq!(tree.read("releases/current.yaml"), "");
}

#[test]
fn a_mixed_folder_in_another_place() {
    let mut files = vec![
        ("shop/compose.yaml", COMPOSE),
        ("shop/charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"),
        (
            "shop/charts/dep/Chart.yaml",
            "apiVersion: v2\nname: dep\nversion: 1.0.0\ndependencies: [{name: redis, version: 1.0.0, repository: https://charts.example.org}]\n",
        ),
        ("shop/other/collimate.yaml", ""),
        ("shop/other/compose.yaml", COMPOSE),
    ];
    let moved: Vec<(String, &str)> = CHART.iter().map(|(path, content)| (format!("shop/{path}"), *content)).collect();
    files.extend(moved.iter().map(|(path, content)| (path.as_str(), *content)));
    let (tree, code, stdout, stderr) = init(&files, &["shop"]);
    let closing = stdout.find("\nin no profile:").map_or("", |at| &stdout[at..]);
    let opening: Vec<&str> = stdout.lines().take(2).collect();
    assert_eq!(stderr, "");
    assert_eq!(opening, [""]);
    assert_eq!(closing, "");
    assert_eq!(code, 1);
    assert_eq!(tree.read("shop/collimate.yaml"), "");
    assert_eq!(tree.read("shop/releases/current.yaml"), "");
}

#[test]
fn variants_are_loaded_alone_or_over_the_base() {
    let files = [
        ("docker-compose.yml", "services: {web: {image: nginx:1.27}}\n"),
        ("docker-compose.override.yml", "services: {web: {restart: always}}\n"),
        ("docker-compose.prod.yml", "services: {web: {restart: always}}\n"),
        ("docker-compose.alone.yml", "services: {web: {image: nginx:1.27}}\n"),
        ("docker-compose.whole.yml", "include: [docker-compose.part.yml]\n"),
        ("docker-compose.part.yml", "services: {part: {image: nginx:1.27}}\n"),
        ("docker-compose.broken.yml", "services: [\n"),
        ("deploy/docker-compose.prod.yml", "services: {web: {image: nginx:1.27}}\n"),
    ];
    let tree = check(&files, 0, "");
    assert_eq!(tree.read("collimate.yaml"), "");
}

#[test]
fn an_unreadable_compose_file_alone_is_refused() {
    refused(
        &[("compose.yaml", "services: [\n")],
        &[],
        3,
        "error: nothing that is in `.` can be rendered\ncaused by: `compose.yaml`: x\n",
    );
}

#[test]
fn two_tags_of_one_image() {
    let files = [
        ("a/compose.yaml", "services: {a: {image: nginx:1.26}}\n"),
        ("b/compose.yaml", "services: {b: {image: nginx:1.27}}\n"),
    ];
    let tree = check(&files, 1, "");
    assert_eq!(tree.read("releases/current.yaml"), "");
}

#[test]
fn required_variables_come_from_the_example() {
    let files = [
        ("compose.yaml", "services: {db: {image: \"postgres:${PG:?say which}\"}}\n"),
        (".env.example", "PG=16.3\n"),
        ("compose.prod.yaml", "services: {db: {image: \"postgres:${PG:?say which}\", hostname: \"${HOST}\"}}\n"),
        ("env/prod.env.example", "PG=16.3\nHOST=db\n"),
    ];
    let tree = check(&files, 0, "");
    assert_eq!(tree.read("collimate.yaml"), "");
}
