//! The guide for newcomers, typed word for word in a repository as it describes one, with the real Helm.

use camino::Utf8Path;
use testkit::Sandbox;

use crate::tree::repository;
use crate::typed::{Block, Terminal, blocks, program};

const GUIDE: &str = "docs/adopting.md";

#[test]
fn every_command_prints_what_the_guide_says() {
    let Some(helm) = testkit::peer("helm3") else { return };
    let Some(_) = testkit::tool("git") else { return };
    let sandbox = Sandbox::new();
    let fixture = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/adopting");
    // The subchart's repository lies outside of the workspace, as one on the network does.
    sandbox.copy(fixture.join("shop"), "tree").copy(fixture.join("upstream"), "upstream").write("home/.keep", "");
    for (name, path) in [("collimate", env!("CARGO_BIN_EXE_collimate")), ("helm", helm.as_str())] {
        program(&sandbox, name, &format!("#!/bin/sh\nexec '{path}' \"$@\"\n"));
    }
    // In place of an editor: appends to the workspace file what the guide showed last, and replaces any other.
    let text = sandbox.path("state/editor.txt");
    program(
        &sandbox,
        "editor",
        &format!("#!/bin/sh\ncase $1 in collimate.yaml) cat '{text}' >>\"$1\" ;; *) cat '{text}' >\"$1\" ;; esac\n"),
    );
    let terminal = Terminal::new(&sandbox, GUIDE);
    let setup =
        terminal.shell("git init --quiet --initial-branch main && git add --all && git commit --quiet --message begin");
    assert_eq!((setup.exit, setup.stdout.as_str()), (0, ""));
    let mut count = 0;
    for block in blocks(&std::fs::read_to_string(repository().join(GUIDE)).unwrap()) {
        match block {
            Block::Text(text) => drop(sandbox.write("state/editor.txt", text)),
            Block::Steps(steps) => {
                for step in &steps {
                    count += 1;
                    // Each stands on what the one before it did.
                    assert_eq!(terminal.run(step), None);
                }
            }
        }
    }
    assert!(count > 25, "only {count} commands were found");
}
