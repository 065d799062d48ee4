//! Wrong and hostile input: each gives a message with place, reason and way out, and the documented exit code.

use crate::tree::{RELEASE, Tree};

/// Runs the program in a folder with these files and compares all that it prints.
#[track_caller]
fn check(files: &[(&str, &str)], arguments: &[&str], code: i32, stdout: &str, stderr: &str) {
    let (found, printed, said) = Tree::of(files).run_text(arguments);
    assert_eq!((printed.as_str(), said.as_str()), (stdout, stderr));
    assert_eq!(found, code);
}

const WORKSPACE: &str = "\
schema: 1
channels: {edge: {release: edge.yaml}}
profiles:
  compose/dev: {channel: edge, compose: [compose.yaml], env: [dev.env]}
";
const COMPOSE: &str = "services: {web: {image: nginx:1.27, hostname: \"${HOST}\"}}\n";

#[test]
fn a_rule_is_explained() {
    let (code, stdout, stderr) = Tree::of(&[]).run_text(&["check", "--explain", "dangling-reference"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("## `dangling-reference`\n\nSeverity: error; warning "), "{stdout}");
    assert!(!stdout[3..].contains("\n## "), "one section only: {stdout}");
    check(
        &[],
        &["check", "--explain", "dangling-referense"],
        2,
        "",
        "error: there is no rule `dangling-referense`\nhint: did you mean `dangling-reference`?\n",
    );
}

#[test]
fn a_workspace_that_is_not_there() {
    let tree = Tree::of(&[]);
    let (code, _, stderr) = tree.run_text(&["check", "--workspace", "none.yaml"]);
    let expected = "\
error: cannot read `[DIR]/none.yaml`
caused by: `none.yaml` does not exist
hint: `--workspace` names a `collimate.yaml`; `collimate init` makes one
";
    assert_eq!((code, stderr.as_str()), (3, expected));
}

/// Something else bears the name of the workspace's file: to make one is not the way out.
#[test]
fn a_workspace_file_that_is_none() {
    let expected = "\
error: `collimate.yaml` in `[DIR]` is a folder, not a file
hint: move it away; `collimate init` makes the file from the Compose files and charts that are here
";
    check(&[("collimate.yaml/a", "")], &["check"], 3, "", expected);
    let tree = Tree::of(&[("x", "")]);
    std::os::unix::fs::symlink("nowhere", tree.path("collimate.yaml")).unwrap();
    let (code, _, stderr) = tree.run_text(&["check"]);
    assert_eq!((code, stderr), (3, expected.replace("a folder", "a link that leads nowhere")));
}

/// It is there: to make one is not the way out.
#[test]
fn a_workspace_file_that_leads_elsewhere() {
    let elsewhere = Tree::of(&[("collimate.yaml", WORKSPACE)]);
    let tree = Tree::of(&[]);
    std::os::unix::fs::symlink(elsewhere.path("collimate.yaml"), tree.path("collimate.yaml")).unwrap();
    let (code, _, stderr) = tree.run_text(&["check"]);
    let expected = "\
error: cannot read `[DIR]/collimate.yaml`
caused by: `collimate.yaml` leads out of the workspace
hint: put the file itself in the place of the link, or name the one that it leads to with `--workspace`
";
    assert_eq!((code, stderr.as_str()), (3, expected));
}

/// Where nothing more can be written, the lock is not even begun.
#[test]
fn a_full_disk_leaves_no_lock() {
    let tree = Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("edge.yaml", RELEASE),
        ("compose.yaml", COMPOSE),
        ("dev.env", "HOST=web\n"),
    ]);
    // A file may have no byte; the signal that would say so is ignored, as the error is then that of a full disk but for its name.
    let limited = format!("trap '' XFSZ; ulimit -f 0; exec '{}' pin", env!("CARGO_BIN_EXE_collimate"));
    let output = std::process::Command::new("sh").args(["-c", &limited]).current_dir(tree.path("")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: cannot lock `"), "{said}");
    assert_eq!(output.status.code(), Some(4));
    assert!(!tree.path(".collimate-lock").exists());
}

/// A list without them would look like a whole one.
#[test]
fn releases_are_listed_with_what_is_missing() {
    let workspace = "schema: 1\nchannels: {edge: {release: edge.yaml}, next: {release: next.yaml}, last: {release: last.yaml}}\nprofiles: {p: {channel: edge, compose: [compose.yaml]}}\n";
    let files = [("collimate.yaml", workspace), ("edge.yaml", RELEASE), ("next.yaml", ""), ("compose.yaml", COMPOSE)];
    let tree = Tree::of(&files);
    let expected = "\
error: not everything could be looked at
caused by: release manifest `last.yaml` has a problem
caused by: release manifest `next.yaml` has a problem
hint: `collimate check` shows what is wrong
";
    for format in ["text", "json"] {
        let (code, stdout, stderr) = tree.run_text(&["release", "show", "--format", format]);
        assert!(stdout.contains("edge"), "{stdout}");
        assert_eq!((code, stderr.as_str()), (1, expected), "{format}");
    }
}

#[test]
fn a_workspace_file_in_another_encoding() {
    let tree = Tree::of(&[]);
    tree.write_bytes("collimate.yaml", b"schema: 1\n# \xc3\xbcber: \xff\n");
    let (code, stdout, stderr) = tree.run_text(&["check"]);
    let expected = "\
error: cannot read `[DIR]/collimate.yaml`
caused by: `collimate.yaml:2:9` is not UTF-8: the byte `ff`
hint: save the file as UTF-8; an editor shows its encoding, and `iconv -t UTF-8 -f ENCODING` changes it
";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (3, "", expected));
}

#[test]
fn a_manifest_in_another_encoding() {
    let tree = Tree::of(&[("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n")]);
    tree.write_bytes("edge.yaml", &[RELEASE.as_bytes(), b"# \xc3\xbcber caf\xe9 x\n"].concat());
    let expected = "\
error[release-schema]: cannot read release manifest `edge.yaml`: `edge.yaml:7:11` is not UTF-8: the byte `e9`
 --> edge.yaml:7:11
  |
7 | # \u{fc}ber caf\u{fffd} x
  |           ^
  |
  = help: save the file as UTF-8; an editor shows its encoding, and `iconv -t UTF-8 -f ENCODING` changes it

edge  compose/dev  1 image  NOT ALIGNED

1 profile: 1 error
";
    let (code, stdout, stderr) = tree.run_text(&["check"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, expected, ""));
    let (code, stdout, stderr) = tree.run_text(&["release", "show", "edge.yaml"]);
    let expected = "\
error: cannot read `edge.yaml`
caused by: `edge.yaml:7:11` is not UTF-8: the byte `e9`
hint: save the file as UTF-8; an editor shows its encoding, and `iconv -t UTF-8 -f ENCODING` changes it
";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (3, "", expected));
}

/// A check that looks at nothing says so; documents, mirrors and archived manifests are something.
#[test]
fn a_channel_that_no_profile_follows() {
    let workspace = "schema: 1\nchannels: {edge: {release: edge.yaml}, next: {release: edge.yaml}}\nprofiles:\n  p: {channel: edge, compose: [compose.yaml]}\n";
    let expected = "\
error: no profile follows channel `next`, so that nothing would be checked
hint: name another channel, or check without a name: all manifests are looked at then
";
    let files = [("collimate.yaml", workspace), ("edge.yaml", RELEASE), ("compose.yaml", COMPOSE)];
    for names in [&["next"][..], &["edge", "next"]] {
        check(&files, &[&["check"], names].concat(), 2, "", expected);
    }
}

#[test]
fn a_workspace_without_profiles() {
    let workspace = "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles: {}\n";
    let expected = "\
error[workspace]: there is no profile, so that nothing would be checked
 --> collimate.yaml:3:11
  |
3 | profiles: {}
  |           ^^
  |
  = help: add what is deployed, such as `web: {channel: …, compose: [compose.yaml]}`, or list documents under `docs`

error: `collimate.yaml` has 1 problem
hint: `collimate schema workspace` prints the JSON Schema of this file
";
    check(&[("collimate.yaml", workspace), ("edge.yaml", RELEASE)], &["check"], 3, "", expected);
    let with_docs = format!("{workspace}docs: [a.md]\n");
    let nothing = "0 profiles: no findings\n";
    check(&[("collimate.yaml", &with_docs), ("edge.yaml", RELEASE), ("a.md", "")], &["check"], 0, nothing, "");
    check(
        &[("collimate.yaml", workspace), ("edge.yaml", RELEASE), ("archive/1.0.0.yaml", RELEASE)],
        &["check"],
        0,
        nothing,
        "",
    );
}

#[test]
fn a_profile_of_nothing() {
    let workspace = WORKSPACE.replace("[compose.yaml]", "[]");
    let expected = "\
error[workspace]: `profiles.compose/dev.compose` is empty: there is nothing to render
 --> collimate.yaml:4:41
  |
4 |   compose/dev: {channel: edge, compose: [], env: [dev.env]}
  |                                         ^^
  |
  = help: name Compose files, at least one

error: `collimate.yaml` has 1 problem
hint: `collimate schema workspace` prints the JSON Schema of this file
";
    check(&[("collimate.yaml", &workspace)], &["check"], 3, "", expected);
}

/// One misspelt key is one fault, not one for every image of every profile.
#[test]
fn a_manifest_with_a_problem_misses_nothing() {
    let release = RELEASE.replace("components:", "componets:");
    check(
        &[("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n"), ("edge.yaml", &release)],
        &["check"],
        1,
        "\
error[release-schema]: unknown key `componets`
 --> edge.yaml:5:1
  |
5 | componets:
  | ^^^^^^^^^
  |
  = help: did you mean `components`?

edge  compose/dev  1 image  NOT ALIGNED

1 profile: 1 error
",
        "",
    );
}

/// What is there but empty says what belongs there.
#[test]
fn empty_keys() {
    let workspace = "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n";
    let expected = "\
error[workspace]: `profiles` is empty
 --> collimate.yaml:3:10
  |
3 | profiles:
  |          ^
  |
  = help: add what is deployed, such as `web: {channel: …, compose: [compose.yaml]}`, or write `profiles: {}`

error: `collimate.yaml` has 1 problem
hint: `collimate schema workspace` prints the JSON Schema of this file
";
    check(&[("collimate.yaml", workspace)], &["check"], 3, "", expected);
    let release = RELEASE.split("components:").next().unwrap().to_owned() + "components:\n";
    let files =
        [("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n"), ("edge.yaml", &release)];
    let expected = "\
error[release-schema]: `components` is empty
 --> edge.yaml:5:12
  |
5 | components:
  |            ^
  |
  = help: list what the release is made of, such as `web: {image: …, tag: …, digest: unresolved}`

edge  compose/dev  1 image  NOT ALIGNED

1 profile: 1 error
";
    check(&files, &["check"], 1, expected, "");
}

#[test]
fn a_misspelt_key_of_the_workspace_is_one_problem() {
    let workspace = WORKSPACE.replace("channels:", "chanels:");
    let expected = "\
error[workspace]: unknown key `chanels`
 --> collimate.yaml:2:1
  |
2 | chanels: {edge: {release: edge.yaml}}
  | ^^^^^^^
  |
  = help: did you mean `channels`?

error: `collimate.yaml` has 1 problem
hint: `collimate schema workspace` prints the JSON Schema of this file
";
    check(&[("collimate.yaml", &workspace)], &["check"], 3, "", expected);
}

/// Whoever gives an option takes it to count.
#[test]
fn options_of_another_kind_are_refused() {
    let belong = "\
hint: `--compose` takes `--env-file`, `--project-name`, `--project-directory`, `--compose-profile`; `--chart` takes `--values`, `--set`, \
`--set-string`, `--set-json`, `--set-file`, `--set-literal`, `--release-name`, `--namespace`, `--kube-version`, `--api-versions`, `--include-crds`, `--skip-tests`, \
`--show-only`, `--helm`; a profile takes `--overlay`
";
    let of_profile = "a profile, which is rendered as `collimate.yaml` says";
    for (arguments, option, what) in [
        (&["compose/dev", "--set", "a=b"][..], "--set", of_profile),
        (&["compose/dev", "--env-file", "prod.env"], "--env-file", of_profile),
        (&["compose/dev", "--namespace", "default"], "--namespace", of_profile),
        (&["--chart", "chart", "--env-file", "prod.env"], "--env-file", "a chart"),
        (&["--chart", "chart", "--project-name", "a"], "--project-name", "a chart"),
        (&["--compose", "compose.yaml", "--values", "a.yaml"], "--values", "Compose files"),
        (&["--compose", "compose.yaml", "--release-name", "a"], "--release-name", "Compose files"),
        (&["--compose", "compose.yaml", "--helm", "3"], "--helm", "Compose files"),
    ] {
        let expected = format!("error: `{option}` means nothing for {what}\n{belong}");
        let files = [("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n")];
        check(&files, &[&["render"], arguments].concat(), 2, "", &expected);
    }
}

/// What was held against no release is not said to be in line with it.
#[test]
fn without_a_release_nothing_is_aligned() {
    check(
        &[("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n")],
        &["check"],
        1,
        "\
error[release-schema]: cannot read release manifest `edge.yaml`: `edge.yaml` does not exist
 --> collimate.yaml:2:28
  |
2 | channels: {edge: {release: edge.yaml}}
  |                            ^^^^^^^^^
  |
  = help: create the manifest, or correct the path

edge  compose/dev  1 image  NOT ALIGNED

1 profile: 1 error
",
        "",
    );
}

/// What is there but cannot be read need not be created.
#[test]
fn a_release_that_cannot_be_read_is_named() {
    check(
        &[("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("dev.env", "HOST=web\n"), ("edge.yaml/a", "")],
        &["check"],
        1,
        "\
error[release-schema]: cannot read release manifest `edge.yaml`: `edge.yaml` is a directory
 --> collimate.yaml:2:28
  |
2 | channels: {edge: {release: edge.yaml}}
  |                            ^^^^^^^^^
  |
  = help: put a manifest there that can be read, or correct the path

edge  compose/dev  1 image  NOT ALIGNED

1 profile: 1 error
",
        "",
    );
}

/// An answer that lacks what could not be looked at says so: whoever asks where an image runs must not take it for the whole one.
#[test]
fn what_cannot_be_looked_at_is_not_taken_for_unused() {
    let workspace = format!("{WORKSPACE}  compose/prod: {{channel: edge, compose: [prod.yaml]}}\n");
    let prod = "services: {web: {image: nginx:1.27, hostname: \"${NAME:?needed}\"}}\n";
    let files = [
        ("collimate.yaml", workspace.as_str()),
        ("compose.yaml", COMPOSE),
        ("prod.yaml", prod),
        ("dev.env", "HOST=web\n"),
    ];
    let hint = "hint: `collimate check` shows what is wrong\n";
    let unrendered =
        format!("error: not everything could be looked at\ncaused by: profile `compose/prod` does not render\n{hint}");

    let tree = Tree::of(&[&files[..], &[("edge.yaml", RELEASE)]].concat());
    let (code, stdout, stderr) = tree.run_text(&["show"]);
    let matrix = "\
release 1.0.0 (edge.yaml)
component  tag   digest               compose/dev             compose/prod
nginx      1.27  sha256:2d715950d830  DIFFERS compose.yaml:1  ?
";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, matrix, unrendered.as_str()));
    let (code, stdout, _) = tree.run_text(&["show", "--format", "json"]);
    assert!(code == 1 && stdout.contains("\"state\": \"unknown\""), "{stdout}");
    // What was not asked for is not missing.
    assert_eq!(tree.run_text(&["show", "compose/dev"]).0, 0);
    let (code, stdout, stderr) = tree.run_text(&["pin"]);
    let refused = unrendered.replace("hint: ", "hint: nothing was written; ");
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, "", refused.as_str()));
    assert_eq!(tree.read("compose.yaml"), COMPOSE);

    let (code, stdout, stderr) = tree.run_text(&["why", "nginx"]);
    assert_eq!((code, stderr.as_str()), (1, unrendered.as_str()));
    assert!(stdout.starts_with("compose/dev (edge): service `web`\n"), "{stdout}");
    let (code, stdout, stderr) = tree.run_text(&["why", "redis"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, "", unrendered.as_str()));

    let damaged = RELEASE.replace("tag:", "tgs:");
    for manifest in [Some(damaged.as_str()), None] {
        let manifest: Vec<_> = manifest.map(|text| ("edge.yaml", text)).into_iter().collect();
        let tree = Tree::of(&[&files[..], &manifest].concat());
        for command in [&["show", "compose/dev"][..], &["why", "nginx"]] {
            let (code, _, stderr) = tree.run_text(command);
            assert_eq!(code, 1, "{stderr}");
            assert!(stderr.contains("caused by: release manifest `edge.yaml` has a problem\n"), "{stderr}");
        }
    }
}

/// An env file quotes none of its values, and what is missing is shown where it is named, without where this folder lies.
#[test]
fn a_refused_env_file_is_shown() {
    let files = |env: Option<&'static str>| {
        let mut files = vec![("collimate.yaml", WORKSPACE), ("compose.yaml", COMPOSE), ("edge.yaml", RELEASE)];
        files.extend(env.map(|env| ("dev.env", env)));
        files
    };
    let rest = "  |
  = help: correct the file; `collimate render compose/dev` loads this profile alone

edge  compose/dev  0 images  NOT ALIGNED

1 profile: 1 error
";
    let unterminated = "\
error[compose-invalid]: profile `compose/dev` does not load: failed to read dev.env: line 2: unterminated quoted value •••
 --> dev.env:1:13
  |
1 | DB_PASSWORD=•••
  |             ^^^
";
    check(&files(Some("DB_PASSWORD=\"hunter2\n")), &["check"], 1, &format!("{unterminated}{rest}"), "");
    let missing = "\
error[compose-invalid]: profile `compose/dev` does not load: couldn't find env file: dev.env
 --> collimate.yaml:4:63
  |
4 |   compose/dev: {channel: edge, compose: [compose.yaml], env: [dev.env]}
  |                                                               ^^^^^^^
";
    check(&files(None), &["check"], 1, &format!("{missing}{rest}"), "");
}

#[test]
fn render_without_a_workspace_has_no_overlays() {
    let (code, stdout, stderr) =
        Tree::of(&[("compose.yaml", COMPOSE)]).run_text(&["render", "--compose", "compose.yaml", "--overlay", "none"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
}

/// A template that is a link to elsewhere is not left out: Helm would read it.
#[cfg(unix)]
#[test]
fn a_link_out_of_the_workspace_is_said() {
    let tree = Tree::of(&[
        ("w/c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("w/c/templates/a.yaml", "a: 1\n"),
        ("w/edge.yaml", RELEASE),
        (
            "w/collimate.yaml",
            "schema: 1\nchannels: {edge: {release: edge.yaml}}\nprofiles:\n  helm/c: {channel: edge, chart: c}\n",
        ),
        ("elsewhere.yaml", "b: 1\n"),
    ]);
    std::os::unix::fs::symlink("../../../elsewhere.yaml", tree.path("w/c/templates/b.yaml")).unwrap();
    let (code, stdout, stderr) = tree.run_text(&["check", "--workspace", "w/collimate.yaml"]);
    let first = stdout.lines().next().unwrap_or_default();
    assert_eq!(
        first,
        "error[helm-render]: profile `helm/c` does not render: `c/templates/b.yaml` leads out of the workspace"
    );
    assert_eq!((code, stderr.as_str()), (1, ""));
}

/// `init` lists what charts need and do not render as made elsewhere, and says so.
#[test]
fn init_declares_what_is_made_elsewhere() {
    let pod = "\
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  serviceAccountName: runner
  volumes:
    - name: data
      persistentVolumeClaim: {claimName: app-data}
  containers:
    - name: app
      image: registry.example.org/app:1@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1
      envFrom:
        - secretRef: {name: db}
        - secretRef: {name: api}
        - configMapRef: {name: settings}
        - secretRef: {name: perhaps, optional: true}
";
    let tree = Tree::of(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 0.1.0\nappVersion: \"1\"\n"),
        ("chart/templates/pod.yaml", pod),
    ]);
    let (code, stdout, stderr) = tree.run_text(&["init"]);
    assert_eq!(
        stdout,
        "\
wrote `collimate.yaml`: 1 profile
wrote `releases/current.yaml`: 1 component

current  helm/app  1 image  aligned

1 profile: 2 notes (`--notes` shows the notes)

next:
  no profile renders 5 objects that a chart needs: `collimate.yaml` lists them under `external`, as made elsewhere; take out what is not
"
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
    let profile = "  helm/app:
    channel: current
    chart: chart
    release_name: app
    external: {config_maps: [settings], secrets: [api, db], service_accounts: [runner], volume_claims: [app-data]}
";
    let written = tree.read("collimate.yaml");
    assert!(written.ends_with(profile), "{written}");
}
