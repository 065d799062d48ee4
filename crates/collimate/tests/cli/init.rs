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
    assert_eq!(printed, stdout);
    assert_eq!((found, said.as_str()), (code, ""));
    tree
}

/// Runs `init` and compares the exit code and what stands before and after the report of the check.
#[track_caller]
fn check_around(files: &[(&str, &str)], arguments: &[&str], code: i32, opening: &str, closing: &str) -> Tree {
    let (tree, found, printed, said) = init(files, arguments);
    assert!(printed.starts_with(opening), "{printed}");
    assert!(printed.ends_with(closing), "{printed}");
    let report = &printed[opening.len()..printed.len() - closing.len()];
    let summary = report.lines().next_back().unwrap_or_default();
    assert!(summary.contains(" profile"), "the summary of the check lies between: {summary}");
    assert_eq!((found, said.as_str()), (code, ""));
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

/// A workspace holds nothing that must not be printed: what is called so is in no profile, and what needs such a name is left to the check.
#[test]
fn names_that_no_workspace_can_hold_are_left_out() {
    let odd = "a\u{1b}[31m\u{202e}";
    let tree = Tree::of(&[("compose.yaml", COMPOSE), CHART[0], CHART[1], CHART[3]]);
    tree.write(&format!("{odd}/compose.yaml"), COMPOSE);
    tree.write(&format!("{odd}/Chart.yaml"), CHART[0].1);
    tree.write("charts/app/values-a\u{202e}.yaml", "image: registry.example.org/app:1.2.3\n");
    let needs = r#"services: {a: {image: "nginx:1.27", networks: [front]}}
networks: {front: {external: true, name: "\u001B["}}
"#;
    tree.write("b/compose.yaml", needs);
    let (code, stdout, stderr) = tree.run_text(&["init"]);
    assert!(matches!(code, 0 | 1), "{stdout}{stderr}");
    let (_, left_out) = stdout.split_once("in no profile:").unwrap();
    let reason =
        "its path holds a character that must not be printed, so that no workspace can name it\n    rename it\n";
    assert_eq!(left_out.matches(reason).count(), 3, "{stdout}");
    assert!(!stdout.contains(['\u{1b}', '\u{202e}']));
}

/// What a service builds no registry gives a digest; where another profile runs it, it comes from a registry.
#[test]
fn what_is_built_is_unmanaged() {
    let compose = "\
services:
  app: {build: ., image: \"example/app:1.0\"}
  worker: {image: \"example/app:1.0\"}
  tool: {build: ., image: \"registry.example.org/app:1.2.3\"}
  web: {image: \"nginx:1.27\"}
";
    let files = [&[("compose.yaml", compose)], CHART].concat();
    let closing = "
next:
  services build `docker.io/example/app`: `collimate.yaml` allows that under `unmanaged`; list in `releases/current.yaml` what is released, \
and take `build:` away where that is to run
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; \
`collimate pin` then carries them into the profiles
";
    let opening = "wrote `collimate.yaml`: 3 profiles\nwrote `releases/current.yaml`: 2 components, 1 of them without a digest\n\n";
    let tree = check_around(&files, &[], 1, opening, closing);
    let unmanaged = "
# Images that are built here: no registry gives them a digest.
unmanaged:
  - {image: docker.io/example/app, reason: a service builds it}
";
    assert!(tree.read("collimate.yaml").contains(unmanaged), "{}", tree.read("collimate.yaml"));
    let (_, stdout, _) = tree.run_text(&["check"]);
    let help = "a service builds it, so that it can have none: take `build:` away where the release's image is to run; else take `app` out of \
                `releases/current.yaml` and allow what is built: `unmanaged: [{image: registry.example.org/app, reason: a service builds it}]` in `collimate.yaml`";
    assert!(stdout.contains(help), "{stdout}");
}

#[test]
fn an_empty_folder_is_refused() {
    let looked = "\
hint: looked for `compose.yaml`, `docker-compose.yml`, `docker-compose.NAME.yaml` and folders with a `Chart.yaml`, 8 folders deep; \
hidden folders, `node_modules`, `target`, `testdata` and `vendor` are passed over; plain manifests are listed by hand, in a profile with `manifests: [FILE…]`
";
    let nothing = format!("error: there is no Compose file and no chart in `.`\n{looked}");
    refused(&[], &[], 3, &nothing);
    let others = [
        (".github/compose.yaml", COMPOSE),
        ("a/node_modules/b/compose.yaml", COMPOSE),
        ("a/testdata/chart/Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n"),
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
    refused(
        &[("compose.yaml", COMPOSE), ("releases", "mine")],
        &[],
        3,
        "error: `releases` is no folder\nhint: `init` writes `releases/current.yaml`; move away what is in its place\n",
    );
    refused(
        &[("compose.yaml", COMPOSE), ("collimate.yaml/mine", "")],
        &[],
        3,
        "error: `collimate.yaml` is a folder, not a file\nhint: move it away, and run `collimate init` again\n",
    );
}

/// The first lines of every workspace file that `init` writes.
const HEAD: &str = "\
# What `collimate check` looks at: which release each channel has, and which profiles follow it.
schema: 1

channels:
  current:
    release: releases/current.yaml

profiles:
";

/// The first lines of its manifest.
const MANIFEST: &str = "\
# What the profiles use today. Images that others make may move to `infrastructure:`.
schema: 1
version: VERSION
channel: current
digests: DIGESTS
components:
";

#[track_caller]
fn wrote(tree: &Tree, folder: &str, profiles: &str, version: &str, components: &str) {
    assert_eq!(tree.read(&format!("{folder}collimate.yaml")), format!("{HEAD}{profiles}"));
    let digests = if components.contains("unresolved") { "sample" } else { "resolved" };
    let manifest = MANIFEST.replace("VERSION", version).replace("DIGESTS", digests);
    assert_eq!(tree.read(&format!("{folder}releases/current.yaml")), format!("{manifest}{components}"));
}

const APP: &str = "  app:
    image: registry.example.org/app
    tag: 1.2.3
    digest: sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1
";
const NGINX: &str = "  nginx:
    image: docker.io/library/nginx
    tag: \"1.27\"
    digest: unresolved
";

#[test]
fn a_compose_only_folder() {
    let tree = check(
        &[("docker-compose.yml", COMPOSE)],
        0,
        "\
wrote `collimate.yaml`: 1 profile
wrote `releases/current.yaml`: 1 component, without digests

warning[image-unpinned]: release `current` does not know the digest of `nginx` yet
  --> releases/current.yaml:10:13
   |
10 |     digest: unresolved
   |             ^^^^^^^^^^
   |
   = help: write the digest of the index of `docker.io/library/nginx:1.27` here

current  compose/default  1 image  aligned

1 profile: 1 warning

next:
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/default:
    channel: current
    compose: [docker-compose.yml]
    external: {networks: [shared_front]}
";
    wrote(&tree, "", profiles, "current", NGINX);
    // A second run keeps what the first one wrote.
    let (code, _, stderr) = tree.run_text(&["init"]);
    assert_eq!((code, stderr.lines().next()), (2, Some("error: `collimate.yaml` exists already")));
}

const CHART_PROFILES: &str = "  helm/app:
    channel: current
    chart: charts/app
    release_name: app
  helm/prod:
    channel: current
    chart: charts/app
    values: [charts/app/values-prod.yaml]
    release_name: app
";

#[test]
fn a_chart_only_folder() {
    let tree = check(
        CHART,
        1,
        "\
wrote `collimate.yaml`: 2 profiles
wrote `releases/current.yaml`: 1 component

error[image-unpinned]: profile `helm/app` uses `app` without a digest
  --> charts/app/values.yaml:1:8
   |
 1 | image: registry.example.org/app:1.2.3
   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ used by container `app` of Pod `app`
   |
  ::: charts/app/templates/pod.yaml:7:14
   |
 7 |       image: {{ .Values.image }}
   |              ------------------- printed here
   |
  ::: releases/current.yaml:10:13
   |
10 |     digest: sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1
   |             ----------------------------------------------------------------------- release `1.2.3` lists this
   |
   = help: run `collimate pin current`, or write `registry.example.org/app:1.2.3@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1`

current  helm/app   1 image  NOT ALIGNED
current  helm/prod  1 image  aligned

2 profiles: 1 error, 1 note (`--notes` shows the notes)
",
    );
    wrote(&tree, "", CHART_PROFILES, "1.2.3", APP);
}

#[test]
fn a_mixed_folder_in_another_place() {
    let dependent = "apiVersion: v2\nname: dep\nversion: 1.0.0\n\
        dependencies: [{name: redis, version: 1.0.0, repository: https://charts.example.org}]\n";
    let mut files = vec![
        ("shop/compose.yaml", COMPOSE),
        ("shop/charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"),
        ("shop/charts/dep/Chart.yaml", dependent),
        ("shop/other/collimate.yaml", ""),
        ("shop/other/compose.yaml", COMPOSE),
    ];
    let moved: Vec<(String, &str)> = CHART.iter().map(|(path, content)| (format!("shop/{path}"), *content)).collect();
    files.extend(moved.iter().map(|(path, content)| (path.as_str(), *content)));
    let tree = check_around(
        &files,
        &["shop"],
        1,
        "\
wrote `shop/collimate.yaml`: 3 profiles
wrote `shop/releases/current.yaml`: 2 components, 1 of them without a digest

",
        "
in no profile:
  `charts/dep`: An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: redis
    run `helm dependency build shop/charts/dep`
  `charts/lib`: a library chart: other charts use it, it renders nothing itself
  `other`: a workspace of its own

next:
  write the digests of a registry for `unresolved` in `shop/releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/default:
    channel: current
    compose: [compose.yaml]
    external: {networks: [shared_front]}
";
    wrote(&tree, "shop/", &format!("{profiles}{CHART_PROFILES}"), "1.2.3", &format!("{APP}{NGINX}"));
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
    let tree = check_around(
        &files,
        &[],
        0,
        "\
wrote `collimate.yaml`: 5 profiles
wrote `releases/current.yaml`: 1 component, without digests

",
        "
in no profile:
  `docker-compose.broken.yml`: go-yaml load error in parser (while parsing a flow node) at L2.C1: did not find expected node content

next:
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/default:
    channel: current
    compose: [docker-compose.yml, docker-compose.override.yml]
  compose/alone:
    channel: current
    compose: [docker-compose.alone.yml]
  compose/prod:
    channel: current
    compose: [docker-compose.yml, docker-compose.prod.yml]
  compose/whole:
    channel: current
    compose: [docker-compose.whole.yml]
  compose/deploy-prod:
    channel: current
    compose: [deploy/docker-compose.prod.yml]
";
    wrote(&tree, "", profiles, "current", NGINX);
}

#[test]
fn unreadable_files_alone_are_refused() {
    refused(
        &[("compose.yaml", "services: [\n")],
        &[],
        3,
        "\
error: nothing that is in `.` can be rendered
caused by: `compose.yaml`: go-yaml load error in parser (while parsing a flow node) at L2.C1: did not find expected node content
hint: mend what one of them needs, then run `collimate init` again
",
    );
}

#[test]
fn two_tags_of_one_image() {
    let files = [
        ("a/compose.yaml", "services: {a: {image: nginx:1.26}}\n"),
        ("b/compose.yaml", "services: {b: {image: nginx:1.27}}\n"),
    ];
    let tree = check_around(
        &files,
        &[],
        0,
        "\
wrote `collimate.yaml`: 2 profiles
wrote `releases/current.yaml`: 2 components, without digests

",
        "
next:
  several tags are in use of `docker.io/library/nginx`: `releases/current.yaml` lists each; keep one, or give the profiles that differ a channel of their own, where they should move together
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/a:
    channel: current
    compose: [a/compose.yaml]
  compose/b:
    channel: current
    compose: [b/compose.yaml]
";
    let components = NGINX.replace("nginx:\n", "nginx-1.26:\n").replace("1.27", "1.26")
        + &NGINX.replace("nginx:\n", "nginx-1.27:\n");
    wrote(&tree, "", profiles, "current", &components);
}

#[test]
fn required_variables_come_from_the_example() {
    let files = [
        ("compose.yaml", "services: {db: {image: \"nginx:${TAG:?say which}\"}}\n"),
        (".env.example", "TAG=1.27\n"),
        ("compose.prod.yaml", "services: {db: {image: \"nginx:${TAG:?say which}\", hostname: \"${HOST}\"}}\n"),
        ("env/prod.env.example", "TAG=1.27\nHOST=db\n"),
    ];
    let tree = check_around(
        &files,
        &[],
        0,
        "\
wrote `collimate.yaml`: 2 profiles
wrote `releases/current.yaml`: 1 component, without digests

",
        "
next:
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/default:
    channel: current
    compose: [compose.yaml]
    env: [\".env.example\"]
  compose/prod:
    channel: current
    compose: [compose.prod.yaml]
    env: [env/prod.env.example]
";
    wrote(&tree, "", profiles, "current", NGINX);
}

/// An override in a folder of its own is no profile: nobody runs it without its base.
/// Repositories name the one that people copy as they like; without it nothing of the file would be in the workspace.
#[test]
fn a_file_that_does_not_load_takes_any_env_file_that_mends_it() {
    let files = [
        ("compose.yaml", "services: {web: {image: \"nginx:${TAG:?which one}\"}}\n"),
        ("deploy.env", "TAG=1.27\n"),
        ("other.env", "HOST=web\n"),
    ];
    let (tree, ..) = init(&files, &[]);
    let workspace = std::fs::read_to_string(tree.path("collimate.yaml")).unwrap();
    assert!(workspace.contains("    env: [deploy.env]\n"), "{workspace}");
    // It loads by itself: who knows whether the other one is meant for it.
    let files = [
        ("compose.yaml", "services: {web: {image: \"nginx:${TAG:-1}\", command: [$HOST]}}\n"),
        ("other.env", "HOST=web\n"),
    ];
    let (tree, ..) = init(&files, &[]);
    let workspace = std::fs::read_to_string(tree.path("collimate.yaml")).unwrap();
    assert!(!workspace.contains("env: ["), "{workspace}");
}

#[test]
fn an_override_of_another_folder_is_shown_with_its_base() {
    let files = [
        ("compose.yaml", "services: {web: {image: nginx:1.27}}\n"),
        ("prod/compose.override.yaml", "services: {web: {restart: always}}\n"),
        ("prod/compose.other.yaml", "services: {other: {restart: always}}\n"),
    ];
    let tree = check_around(
        &files,
        &[],
        0,
        "wrote `collimate.yaml`: 1 profile\n",
        "
in no profile:
  `prod/compose.other.yaml`: service \"other\" has neither an image nor a build context specified: invalid compose project
    add `image:` or `build:`
  `prod/compose.override.yaml`: service \"web\" has neither an image nor a build context specified: invalid compose project
    add `image:` or `build:`; if `prod/compose.override.yaml` is laid over `compose.yaml`, name both: `compose: [compose.yaml, prod/compose.override.yaml]`

next:
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    // `check` says the same of a profile that names it alone.
    tree.replace("collimate.yaml", "compose: [compose.yaml]", "compose: [prod/compose.override.yaml]");
    let (code, stdout, _) = tree.run_text(&["check"]);
    assert_eq!(code, 1, "{stdout}");
    let help = "  = help: add `image:` or `build:`; if `prod/compose.override.yaml` is laid over `compose.yaml`, name both: \
                `compose: [compose.yaml, prod/compose.override.yaml]`\n";
    assert!(stdout.contains(help), "{stdout}");
    let (code, _, stderr) = tree.run_text(&["render", "compose/default"]);
    assert_eq!((code, stderr.lines().last()), (3, Some(help.trim().replace("= help", "hint").as_str())));
}

/// A folder with these files, of which git has those that no pattern of `.gitignore` keeps out.
fn repository(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::of(files);
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        let status = std::process::Command::new("git").args(arguments).current_dir(tree.path("")).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    }
    tree
}

#[test]
fn what_git_does_not_have_is_not_taken_or_said() {
    let Some(_) = testkit::tool("git") else { return };
    let image = "services: {web: {image: \"nginx:${TAG}\"";
    let base = format!("{image}}}}}\n");
    let given = format!("{image}, env_file: [.env]}}}}\n");
    let more = format!("{image}, hostname: \"${{HOST}}\"}}}}\n");
    let files = [
        (".gitignore", ".env\nprod.env\ncompose.override.yaml\nvalues-mine.yaml\n"),
        (".env", "TAG=1.27\n"),
        (".env.example", "TAG=1.26\n"),
        ("prod.env", "TAG=1.27\nHOST=web\n"),
        ("compose.yaml", base.as_str()),
        ("compose.override.yaml", "services: {web: {restart: always}}\n"),
        ("compose.given.yaml", given.as_str()),
        ("compose.prod.yaml", more.as_str()),
        ("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 0.1.0\n"),
        ("chart/values-mine.yaml", "a: b\n"),
    ];
    let tree = repository(&files);
    let (code, stdout, stderr) = tree.run_text(&["init"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let told: Vec<&str> = stdout.lines().filter(|line| line.contains("git does not have")).collect();
    let expected = [
        "  git does not have `.env`, so that a clone lacks it: it is part of `compose/given`; make it there from a committed example before \
         anything is checked, or let `env_file` do without it (`required: false`)",
        "  git does not have `chart/values-mine.yaml`, so that a clone lacks it: it is part of `helm/mine`; commit it, or take it out of the \
         profile",
        "  git does not have `compose.override.yaml`, so that a clone lacks it: it is part of `compose/default`; commit it, or take it out of \
         the profile",
        "  git does not have `prod.env`, so that a clone lacks it: it is part of `compose/prod`; commit an example of it, such as \
         `.env.example`, and name that under `env`",
    ];
    assert_eq!(told, expected);
    let workspace = tree.read("collimate.yaml");
    let of_default = "  compose/default:\n    channel: current\n    compose: [compose.yaml, compose.override.yaml]\n    \
                      env: [\".env.example\"]\n";
    assert!(workspace.contains(of_default), "{workspace}");
    assert!(workspace.contains("    env: [prod.env]\n"), "{workspace}");
}

/// `releases/` is the name of a folder that build tools fill, and so many a `.gitignore` has it.
#[test]
fn a_manifest_that_git_ignores_is_said() {
    let Some(_) = testkit::tool("git") else { return };
    let files = [("compose.yaml", "services: {web: {image: nginx:1.27}}\n"), (".gitignore", "/target\nreleases/\n")];
    let (code, stdout, _) = repository(&files).run_text(&["init"]);
    let told = "\nnext:\n  git ignores `releases/current.yaml`, so that a clone lacks it: take `releases/` out of `.gitignore`, or force \
                it in with `git add --force`\n";
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains(told), "{stdout}");
}

/// Where git has nothing of what is deployed, all of it is new and about to be committed; without a repository nothing is known.
#[test]
fn of_new_files_nothing_is_said() {
    let Some(_) = testkit::tool("git") else { return };
    let files = [("compose.yaml", "services: {web: {image: \"nginx:${TAG}\"}}\n"), (".env", "TAG=1.27\n")];
    let tree = repository(&[("README.md", "")]);
    for (path, text) in files {
        tree.write(path, text);
    }
    for tree in [tree, Tree::of(&files)] {
        let (code, stdout, _) = tree.run_text(&["init"]);
        assert_eq!(code, 0, "{stdout}");
        assert!(!stdout.contains("git does not have"), "{stdout}");
    }
}

/// An image that is none without a variable cannot be held against a release, whoever sets it: it is not declared, but said.
#[test]
fn a_variable_that_an_image_needs_is_not_left_to_the_operator() {
    let files = [("compose.yaml", "services: {web: {image: \"nginx:${TAG}\", hostname: \"${HOST}\"}}\n")];
    let (tree, code, stdout, _) = init(&files, &[]);
    assert_eq!(code, 1, "{stdout}");
    let expected = "\
error[image-unlisted]: profile `compose/default` uses an image that variable `TAG` is part of, and nothing sets `TAG`
 --> compose.yaml:1:25
  |
1 | services: {web: {image: \"nginx:${TAG}\", hostname: \"${HOST}\"}}
";
    assert!(stdout.contains(expected), "{stdout}");
    assert!(stdout.contains("1 profile: 1 error\n"), "{stdout}");
    assert!(tree.read("collimate.yaml").contains("external: {variables: [HOST]}"));
}

#[test]
fn what_no_clone_has_is_declared() {
    let files = [
        (
            "compose.yaml",
            "\
services:
  web:
    image: nginx:1.27
    environment: [\"SITE=${SITE}\"]
    volumes: [\"./certs/web/tls.pem:/tls.pem:ro\", \"./data:/data\", \"./conf/shop.conf:/shop.conf\"]
    depends_on: {db: {condition: service_healthy}}
  db: {image: nginx:1.27}
",
        ),
        ("conf/other.conf", ""),
    ];
    let tree = check_around(
        &files,
        &[],
        0,
        "\
wrote `collimate.yaml`: 1 profile
wrote `releases/current.yaml`: 1 component, without digests

",
        "
next:
  no file sets 1 variable that Compose files use: `collimate.yaml` lists it under `external`, as set by the operator; `collimate check --env-file FILE PROFILE` looks at the operator's file
  services mount 3 paths that no clone has: `collimate.yaml` lists them under `generated`, as made by tooling or at run time; take out what should be committed
  others wait for the health of 1 service without a `healthcheck`: `collimate.yaml` lists it under `external`, as brought by the image; take out what brings none
  write the digests of a registry for `unresolved` in `releases/current.yaml`, as `collimate release resolve current` does; `collimate pin` then carries them into the profiles
",
    );
    let profiles = "  compose/default:
    channel: current
    compose: [compose.yaml]
    generated: [\"certs/**\", conf/shop.conf, data]
    external: {healthchecks: [db], variables: [SITE]}
";
    wrote(&tree, "", profiles, "current", NGINX);
    // With the operator's own file, what it leaves out is found.
    std::fs::write(tree.path("site.env"), "OTHER=1\n").unwrap();
    let (code, stdout, _) = tree.run_text(&["check", "--env-file", "site.env", "compose/default"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("error[env-undefined]: profile `compose/default` uses variable `SITE`"), "{stdout}");
}

#[test]
fn a_policy_that_nobody_kept_is_a_warning() {
    let files = [
        (
            "compose.yaml",
            "services: {collector: {image: \"otel/opentelemetry-collector:0.140.0\", command: [--config=/etc/c.yaml], \
             volumes: [\"./conf:/etc:ro\"]}}\n",
        ),
        (
            "conf/c.yaml",
            "receivers: {otlp: {protocols: {grpc: {endpoint: \"0.0.0.0:4317\"}}}}\nexporters: {debug: }\n\
             service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n",
        ),
    ];
    let (tree, code, stdout, _) = init(&files, &[]);
    assert_eq!(code, 0, "{stdout}");
    assert!(
        stdout.contains("warning[collector-tls-missing]: receiver `otlp` listens on `0.0.0.0:4317` without TLS"),
        "{stdout}"
    );
    assert!(
        stdout.contains("  `collector-tls-missing` is a matter of policy, and only a warning in `collimate.yaml`"),
        "{stdout}"
    );
    let rules = "\n# Matters of policy that today's deployment does not keep. Without its line here each is an error.\nrules:\n  \
                 collector-tls-missing: warning\n";
    let workspace = tree.read("collimate.yaml");
    assert!(workspace.ends_with(rules), "{workspace}");
    std::fs::write(tree.path("collimate.yaml"), workspace.replace(rules, "")).unwrap();
    assert_eq!(tree.run_text(&["check"]).0, 1);
}

/// One name that is not UTF-8 hides the folder that it lies in; it is said which.
#[test]
fn a_name_that_is_not_utf_8_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let tree = Tree::of(&[("compose.yaml", "services: {web: {image: nginx:1.27}}\n")]);
    std::fs::write(tree.path("").as_std_path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "").unwrap();
    let (code, _, stderr) = tree.run_text(&["init"]);
    let expected = "error: there is no Compose file and no chart in `.`\n\
                    caused by: `.`: cannot be read: the name of `caf\u{fffd}.txt` in it is not UTF-8\n";
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.starts_with(expected), "{stderr}");
}
