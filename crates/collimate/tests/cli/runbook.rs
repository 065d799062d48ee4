//! The runbook, typed word for word: every command block is run in order, in a copy of the tree that is a git repository, and what it prints is
//! compared with what the document says.
//!
//! Compose and Helm are the real ones, without an engine and without a cluster: programs named `docker`, `helm` and `kubectl` stand before
//! them, and hand over what needs neither. What a probe of a running system would find is not found out here; that the probe understands its
//! arguments is. `$EDITOR` writes what the document shows before.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use testkit::{Cli, Sandbox};

use crate::tree::repository;

const RUNBOOK: &str = "docs/ops/deployment-upgrade-runbook.md";
/// Programs that need a peer.
const NEEDY: [(&str, &[&str]); 4] = [
    ("docker", &["compose"]),
    ("helm", &["helm3", "helm4"]),
    ("kubectl", &["helm3", "helm4"]),
    ("deploy/tools/validate-profiles.sh", &["compose", "helm3"]),
];

/// One command with what it prints.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
    exit: i32,
}

enum Block {
    Steps(Vec<Step>),
    /// What is to be written into the file that the next block opens in an editor.
    Text(String),
}

fn blocks(document: &str) -> Vec<Block> {
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

struct World {
    sandbox: Sandbox,
    /// The peers that are here.
    peers: BTreeSet<&'static str>,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for name in [".gitattributes", ".gitignore", "LICENSE", "collimate.yaml", "deploy", "docs", "ops"] {
            sandbox.copy(repository().join(name), format!("tree/{name}"));
        }
        for made in ["deploy/telemetry/certs", "deploy/compose/env/stage.env", "deploy/compose/env/prod.env"] {
            if sandbox.path("tree").join(made).exists() {
                sandbox.remove(format!("tree/{made}"));
            }
        }
        // One after the other, so that one line says what is not here.
        let find = |name: &str| testkit::peer(name).map(|path| path.to_string());
        let compose = find("compose");
        let helm3 = compose.as_ref().and_then(|_| find("helm3"));
        let helm4 = helm3.as_ref().and_then(|_| find("helm4"));
        let settings: String = [
            ("STATE", sandbox.path("state").as_str()),
            ("COLLIMATE", env!("CARGO_BIN_EXE_collimate")),
            ("COMPOSE", compose.as_deref().unwrap_or_default()),
            ("HELM3", helm3.as_deref().unwrap_or_default()),
            ("HELM", helm4.as_deref().unwrap_or_default()),
        ]
        .map(|(name, value)| format!("export RUNBOOK_{name}='{value}'\n"))
        .concat();
        for (name, text) in [
            ("collimate", include_str!("runbook/collimate.sh")),
            ("docker", include_str!("runbook/docker.sh")),
            ("docker-compose", include_str!("runbook/docker-compose.sh")),
            ("editor", include_str!("runbook/editor.sh")),
            ("helm", include_str!("runbook/helm.sh")),
            ("kubectl", include_str!("runbook/kubectl.sh")),
        ] {
            let path = sandbox.path(format!("bin/{name}"));
            // Tools are run with an environment of their own: what these need is written into them.
            sandbox.write(
                format!("bin/{name}"),
                text.replacen("set -euo pipefail\n", &format!("set -euo pipefail\n{settings}"), 1),
            );
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        sandbox.write("state/shell", "").write("home/built.txt", built(&sandbox));
        // As the install guide has them made.
        for profile in ["stage", "prod"] {
            let example = sandbox.read(format!("tree/deploy/compose/env/{profile}.env.example"));
            let own = example.lines().filter(|line| !line.contains("_IMAGE="));
            let own: String = own.map(|line| line.replace("change-me:", "own") + "\n").collect();
            sandbox.write(format!("tree/deploy/compose/env/{profile}.env"), own);
        }
        let peers = [("compose", compose), ("helm3", helm3), ("helm4", helm4)];
        let peers = peers.into_iter().filter_map(|(name, found)| found.map(|_| name)).collect();
        Self { sandbox, peers }
    }

    fn shell(&self, command: &str) -> testkit::Output {
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
    fn run(&self, step: &Step) -> Option<String> {
        let output = self.shell(&step.command);
        let lines: Vec<&str> = output.stdout.lines().collect();
        let is_right = output.exit == step.exit && fits(&step.expected, &lines);
        (!is_right).then(|| {
            format!(
                "{RUNBOOK}:{}: `{}` ends with {} instead of {} and prints\n{}\ninstead of\n{}\n",
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

/// What a build says of its images: every service of the edge release, with digests that are no stand-ins.
fn built(sandbox: &Sandbox) -> String {
    let manifest = sandbox.read("tree/deploy/releases/2025.10-edge.yaml");
    let services = manifest.split("infrastructure:").next().unwrap();
    let images = services.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    images
        .map(|image| format!("{image}:2025.11.0-edge@{}\n", release::Digest::sample(image, "built for the runbook")))
        .collect()
}

#[test]
fn every_command_prints_what_the_runbook_says() {
    let document = std::fs::read_to_string(repository().join(RUNBOOK)).unwrap();
    let blocks = blocks(&document);
    let count = blocks.iter().map(|block| if let Block::Steps(steps) = block { steps.len() } else { 0 }).sum::<usize>();
    assert!(count > 40, "only {count} commands were found");
    let world = World::new();
    let setup =
        world.shell("git init --quiet --initial-branch main && git add --all && git commit --quiet --message begin");
    assert_eq!((setup.exit, setup.stdout.as_str()), (0, ""));
    let mut wrong = Vec::new();
    for block in &blocks {
        match block {
            Block::Text(text) => drop(world.sandbox.write("state/editor.txt", text)),
            Block::Steps(steps) => {
                let words: BTreeSet<&str> = steps.iter().flat_map(|step| step.command.split_whitespace()).collect();
                let mut needs = NEEDY.iter().filter(|(name, _)| words.contains(name)).flat_map(|(_, peers)| *peers);
                // Peers that are not here were named when they were looked for.
                if needs.all(|peer| world.peers.contains(peer)) {
                    wrong.extend(steps.iter().filter_map(|step| world.run(step)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left = world
        .shell("cd ~/../tree && collimate check --deny warnings >/dev/null && collimate history --verify >/dev/null");
    assert_eq!(left.exit, 0, "{}", left.stdout);
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

/// Every link of the runbook and of the install guide leads to a file, and to a heading in it.
#[test]
fn links_lead_somewhere() {
    for document in [RUNBOOK, "docs/install-guide.md"] {
        let path = repository().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut count = 0;
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let found =
                std::fs::read_to_string(&target).unwrap_or_else(|error| panic!("{document}: `{link}`: {error}"));
            let headings: Vec<String> = found.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
            assert!(
                heading.is_empty() || headings.iter().any(|known| known == heading),
                "{document}: `{link}`: {headings:?}"
            );
        }
        assert!(count > 10, "{document}: {count} links");
    }
}

/// The anchor of a heading, as Gitea and GitHub make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// The document says which of its words are commands; a shell that only half understands them must not pass for a test.
#[test]
fn programs_in_place_of_the_real_ones_are_whole() {
    for name in ["collimate", "docker", "docker-compose", "editor", "helm", "kubectl"] {
        let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/runbook/{name}.sh"));
        Cli::new("/bin/bash").args(["-n", path.as_str()]).run();
    }
}
