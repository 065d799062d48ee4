//! A copy of the shipped deployment tree that a test may change, and the program run in it.

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Cli, Sandbox};

/// The manifest of a release with one component, for workspaces of one file or two.
pub(crate) const RELEASE: &str = "\
schema: 1
version: 1.0.0
channel: edge
digests: resolved
components:
  nginx: {image: docker.io/library/nginx, tag: \"1.27\", digest: \"sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1\"}
";

pub(crate) struct Tree {
    sandbox: Sandbox,
}

/// The root of this repository.
pub(crate) fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize_utf8().unwrap()
}

/// Where the only occurrence of `needle` starts.
#[track_caller]
pub(crate) fn find(text: &str, needle: &str) -> usize {
    let mut places = text.match_indices(needle);
    let (place, _) = places.next().unwrap_or_else(|| panic!("`{needle}` is not there"));
    assert!(places.next().is_none(), "`{needle}` is there more than once");
    place
}

impl Tree {
    /// `collimate.yaml`, `deploy/` and the documents whose blocks are checked, in a temporary folder.
    pub(crate) fn copy() -> Self {
        let sandbox = Sandbox::new();
        for name in ["collimate.yaml", "deploy", "docs/install-guide.md"] {
            sandbox.copy(repository().join(name), name);
        }
        Self { sandbox }
    }

    /// A folder with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new();
        for (path, content) in files {
            sandbox.write(path, content);
        }
        Self { sandbox }
    }

    pub(crate) fn path(&self, path: &str) -> Utf8PathBuf {
        self.sandbox.path(path)
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        self.sandbox.read(path)
    }

    #[track_caller]
    pub(crate) fn write(&self, path: &str, content: &str) {
        self.sandbox.write(path, content);
    }

    #[track_caller]
    pub(crate) fn write_bytes(&self, path: &str, content: &[u8]) {
        self.sandbox.write(path, content);
    }

    /// Replaces the only occurrence of `from`.
    #[track_caller]
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        self.sandbox.replace(path, from, to);
    }

    /// The program in this folder, with an empty environment.
    pub(crate) fn program(&self, arguments: &[&str]) -> Cli {
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(self.sandbox.root()).args(arguments.iter().copied())
    }

    /// Exit code, stdout, stderr.
    #[track_caller]
    pub(crate) fn run_text(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.program(arguments).output();
        (output.exit, output.stdout, output.stderr)
    }

    /// The report of `check --format json`.
    #[track_caller]
    pub(crate) fn check_json(&self) -> serde_json::Value {
        let (code, stdout, stderr) = self.run_text(&["check", "--format", "json"]);
        assert!(code == 0 || code == 1, "exit {code}: {stderr}");
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
    }
}
