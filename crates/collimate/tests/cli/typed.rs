//! Documents that a test types word for word: command blocks with what they print, and texts that an editor writes.

use std::os::unix::fs::PermissionsExt as _;

use testkit::{Cli, Sandbox};

/// One command with what it prints.
pub(crate) struct Step {
    line: usize,
    pub(crate) command: String,
    expected: Vec<String>,
    exit: i32,
}

/// What stands between three backticks.
pub(crate) enum Block {
    Steps(Vec<Step>),
    /// What is to be written into the file that the next block opens in an editor.
    Text(String),
}

/// Every block of a document.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.trim_start().strip_prefix("```") else { continue };
        let inner: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| line.trim() != "```").collect();
        match kind {
            "console" => blocks.push(Block::Steps(steps(&inner))),
            "yaml" => blocks.push(Block::Text(inner.iter().map(|(_, line)| format!("{line}\n")).collect())),
            other => panic!("line {}: nobody runs a block of `{other}`", number + 1),
        }
    }
    blocks
}

fn steps(lines: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, line) in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            let command = command.to_owned();
            steps.push(Step { line: number + 1, command, expected: Vec::new(), exit: 0 });
            continue;
        }
        let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: a block begins with a command", number + 1));
        match line.strip_prefix("[exit ").and_then(|rest| rest.strip_suffix(']')) {
            Some(code) => step.exit = code.parse().unwrap(),
            None => step.expected.push((*line).to_owned()),
        }
    }
    steps
}

/// Whether lines are as expected: `…` is any text in a line, and alone any number of lines.
fn fits(expected: &[String], actual: &[&str]) -> bool {
    let Some((first, rest)) = expected.split_first() else { return actual.is_empty() };
    if first == "…" {
        return (0..=actual.len()).any(|skipped| fits(rest, &actual[skipped..]));
    }
    actual.split_first().is_some_and(|(line, others)| fits_line(first, line) && fits(rest, others))
}

fn fits_line(expected: &str, actual: &str) -> bool {
    match expected.split_once('…') {
        None => expected == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|tail| {
            tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| fits_line(rest, &tail[at..]))
        }),
    }
}

/// A shell in the folder `tree` of a sandbox: the programs of `bin` come first, and the next command sees what the one before it left.
pub(crate) struct Terminal<'s> {
    sandbox: &'s Sandbox,
    document: &'static str,
}

/// A program of the terminal.
pub(crate) fn program(sandbox: &Sandbox, name: &str, text: &str) {
    let path = format!("bin/{name}");
    sandbox.write(&path, text);
    std::fs::set_permissions(sandbox.path(&path), std::fs::Permissions::from_mode(0o755)).unwrap();
}

impl<'s> Terminal<'s> {
    pub(crate) fn new(sandbox: &'s Sandbox, document: &'static str) -> Self {
        sandbox.write("state/shell", "");
        Self { sandbox, document }
    }

    /// Runs a command where the one before it left.
    pub(crate) fn shell(&self, command: &str) -> testkit::Output {
        let state = self.sandbox.path("state");
        // The next command sees the folder and the variables that this one left, as in a terminal.
        let script = format!(
            "exec 2>&1; . {state}/shell\n{command}\ncode=$?; {{ export -p; printf 'cd %q\\n' \"$PWD\"; }} >{state}/shell; exit $code"
        );
        let bin = self.sandbox.path("bin");
        Cli::new("/bin/bash")
            .args(["-c", script.as_str()])
            .folder(self.sandbox.path("tree"))
            .env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.sandbox.path("home").as_str())
            .env("EDITOR", bin.join("editor").as_str())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "alice")
            .env("GIT_AUTHOR_EMAIL", "alice@localhost")
            .env("GIT_COMMITTER_NAME", "alice")
            .env("GIT_COMMITTER_EMAIL", "alice@localhost")
            .output()
    }

    /// What differs from the document, if something does.
    pub(crate) fn run(&self, step: &Step) -> Option<String> {
        let output = self.shell(&step.command);
        let lines: Vec<&str> = output.stdout.lines().collect();
        let is_right = output.exit == step.exit && fits(&step.expected, &lines);
        (!is_right).then(|| {
            format!(
                "{}:{}: `{}` ends with {} instead of {} and prints\n{}\ninstead of\n{}\n",
                self.document,
                step.line,
                step.command,
                output.exit,
                step.exit,
                output.stdout,
                step.expected.join("\n")
            )
        })
    }
}

#[test]
fn an_ellipsis_is_no_licence() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, actual, is_right) in [
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
        ("a\n…\nc", "a\nc", true),
        ("a\n…\nc", "a\nb\nb\nc", true),
        ("a\n…\nc", "a\nb", false),
        ("…", "", true),
        ("a", "a\nb", false),
        ("…x…y", "x y y", true),
    ] {
        let actual: Vec<&str> = actual.lines().collect();
        assert_eq!(fits(&lines(expected), &actual), is_right, "{expected}");
    }
}
