//! The hook for pre-commit, run by pre-commit itself.

use std::path::Path;
use std::process::{Command, Output};

use testkit::Sandbox;

use crate::tree::{RELEASE, repository};

const WORKSPACE: &str = "\
schema: 1
channels: {edge: {release: edge.yaml}}
profiles:
  compose/dev: {channel: edge, compose: [compose.yaml]}
";
const COMPOSE: &str =
    "services: {web: {image: nginx:1.27@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1}}\n";

/// Runs a program in a folder of the sandbox, with a home of its own and no network to need.
fn run(sandbox: &Sandbox, folder: &str, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(sandbox.path(folder)).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", sandbox.path("home").as_str());
    command.env("PRE_COMMIT_HOME", sandbox.path("home/pre-commit").as_str()).env("LC_ALL", "C.UTF-8");
    command.env("COLLIMATE", env!("CARGO_BIN_EXE_collimate")).env("https_proxy", "http://127.0.0.1:1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@localhost");
    }
    command.output().unwrap()
}

#[track_caller]
fn git(sandbox: &Sandbox, folder: &str, arguments: &[&str]) -> String {
    let output = run(sandbox, folder, "git", arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_commit_that_does_not_align_is_refused() {
    let Some(precommit) = testkit::tool("pre-commit") else { return };
    let sandbox = Sandbox::new();
    // What pre-commit clones: this repository as far as the hook needs it.
    for path in [".pre-commit-hooks.yaml", "deploy/tools/collimate.sh"] {
        sandbox.copy(repository().join(path), format!("hooks/{path}"));
    }
    sandbox.write("home/.keep", "");
    git(&sandbox, "hooks", &["init", "--quiet"]);
    git(&sandbox, "hooks", &["add", "."]);
    git(&sandbox, "hooks", &["commit", "--quiet", "--message", "hooks"]);
    let revision = git(&sandbox, "hooks", &["rev-parse", "HEAD"]);

    let hooks = sandbox.path("hooks");
    let configuration = format!("repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks: [{{id: collimate-check}}]\n");
    sandbox
        .write("project/collimate.yaml", WORKSPACE)
        .write("project/compose.yaml", COMPOSE)
        .write("project/edge.yaml", RELEASE)
        .write("project/.pre-commit-config.yaml", configuration);
    git(&sandbox, "project", &["init", "--quiet"]);
    git(&sandbox, "project", &["add", "."]);
    let installed = run(&sandbox, "project", &precommit, &["install"]);
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let commit = || {
        let output = run(&sandbox, "project", "git", &["commit", "--quiet", "--message", "change"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    };
    let (passed, text) = commit();
    assert!(passed && text.contains("collimate check"), "{text}");

    // What is committed is what is checked: the mended file is not staged.
    sandbox.write("project/compose.yaml", COMPOSE.replace("a2e1", "a2e2"));
    git(&sandbox, "project", &["add", "."]);
    sandbox.write("project/compose.yaml", COMPOSE);
    let (passed, text) = commit();
    assert!(!passed && text.contains("error[digest-mismatch]"), "{text}");
    assert_eq!(git(&sandbox, "project", &["rev-list", "--count", "HEAD"]), "1");
}
