//! The runbook, typed word for word: every command block is run in order, in a copy of the tree that is a git repository, and what it prints is
//! compared with what the document says.
//!
//! Compose and Helm are the real ones, without an engine and without a cluster: programs named `docker`, `helm` and `kubectl` stand before
//! them, and hand over what needs neither. What a probe of a running system would find is not found out here; that the probe understands its
//! arguments is. `$EDITOR` writes what the document shows before.

use std::collections::BTreeSet;

use camino::Utf8Path;
use testkit::{Cli, Sandbox};

use crate::tree::repository;
use crate::typed::{self, Block, Terminal, blocks};

const RUNBOOK: &str = "docs/ops/deployment-upgrade-runbook.md";
/// Programs that need a peer.
const NEEDY: [(&str, &[&str]); 4] = [
    ("docker", &["compose"]),
    ("helm", &["helm3", "helm4"]),
    ("kubectl", &["helm3", "helm4"]),
    ("deploy/tools/validate-profiles.sh", &["compose", "helm3"]),
];

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
            // Tools are run with an environment of their own: what these need is written into them.
            typed::program(
                &sandbox,
                name,
                &text.replacen("set -euo pipefail\n", &format!("set -euo pipefail\n{settings}"), 1),
            );
        }
        sandbox.write("home/built.txt", built(&sandbox));
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
    let terminal = Terminal::new(&world.sandbox, RUNBOOK);
    let setup =
        terminal.shell("git init --quiet --initial-branch main && git add --all && git commit --quiet --message begin");
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
                    wrong.extend(steps.iter().filter_map(|step| terminal.run(step)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left = terminal
        .shell("cd ~/../tree && collimate check --deny warnings >/dev/null && collimate history --verify >/dev/null");
    assert_eq!(left.exit, 0, "{}", left.stdout);
}

/// Every link of a guide leads to a file, and to a heading in it.
#[test]
fn links_lead_somewhere() {
    for (document, least) in [(RUNBOOK, 11), ("docs/install-guide.md", 11), ("docs/adopting.md", 1)] {
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
        assert!(count >= least, "{document}: {count} links");
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
