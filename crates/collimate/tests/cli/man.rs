//! The pages of the manual.

use std::collections::BTreeSet;

use testkit::{Cli, Sandbox};

fn program(sandbox: &Sandbox) -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root())
}

/// Every command that `--help` lists, with those below it: `release new`.
fn commands(sandbox: &Sandbox, words: &[String], all: &mut BTreeSet<String>) {
    let help = program(sandbox).args(words).args(["--help"]).output().stdout;
    let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap_or(""));
    for line in listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            let words = [words, &[name.to_owned()]].concat();
            all.insert(words.join("-"));
            commands(sandbox, &words, all);
        }
    }
}

#[test]
fn every_command_has_a_page_that_a_man_reader_accepts() {
    let sandbox = Sandbox::new();
    let output = program(&sandbox).args(["man", "--output", "share/man1"]).any_stdout().run();
    let mut expected = BTreeSet::new();
    commands(&sandbox, &[], &mut expected);
    assert!(expected.contains("release-new") && expected.contains("smoke-otel"), "{expected:?}");
    let mut pages: BTreeSet<String> = expected.iter().map(|name| format!("share/man1/collimate-{name}.1")).collect();
    pages.insert("share/man1/collimate.1".to_owned());
    let files: BTreeSet<String> = sandbox.files().into_iter().map(|file| file.as_str().to_owned()).collect();
    assert_eq!(files, pages);
    assert_eq!(output.stdout, format!("wrote {} pages to `share/man1`\n", pages.len()));
    // What is printed is what is written, and what is written again is the same.
    let new = sandbox.read("share/man1/collimate-release-new.1");
    program(&sandbox).args(["man", "release", "new"]).stdout(new.as_str()).run();
    program(&sandbox).args(["man", "--output", "share/man1"]).any_stdout().run();
    assert_eq!(sandbox.read("share/man1/collimate-release-new.1"), new);
    assert!(new.contains("collimate release new") && new.contains("\\-\\-workspace"), "{new}");

    let Some(mandoc) = testkit::tool("mandoc") else { return };
    let paths: Vec<&String> = pages.iter().collect();
    let lint = Cli::new(&mandoc).folder(sandbox.root()).args(["-T", "lint", "-W", "warning"]).args(paths).output();
    // A page has no date: it would be that of the build. A line break where a paragraph ends anyway is harmless.
    let meant = ["missing date", "skipping paragraph macro: br "];
    let said: Vec<&str> = lint.stdout.lines().filter(|line| !meant.iter().any(|meant| line.contains(meant))).collect();
    assert_eq!(said, Vec::<&str>::new());
}

#[test]
fn a_command_that_is_not_there() {
    program(&Sandbox::new())
        .args(["man", "release", "nwe"])
        .stderr("error: there is no command `nwe`\nhint: did you mean `new`?\n")
        .exit(2)
        .run();
}
