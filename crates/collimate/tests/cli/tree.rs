//! A copy of the shipped deployment tree that a test may change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct Tree {
    folder: tempfile::TempDir,
}

/// The root of this repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
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
    /// `collimate.yaml` and `deploy/` in a temporary folder.
    pub(crate) fn copy() -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        let root = repository();
        fs::copy(root.join("collimate.yaml"), tree.path("collimate.yaml")).unwrap();
        copy_folder(&root.join("deploy"), &tree.path("deploy"));
        tree
    }

    /// A folder with these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        for (path, content) in files {
            tree.write(path, content);
        }
        tree
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Replaces the only occurrence of `from`.
    #[track_caller]
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let content = self.read(path);
        let place = find(&content, from);
        self.write(path, &format!("{}{to}{}", &content[..place], &content[place + from.len()..]));
    }

    /// Runs the program in the tree with an empty environment.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_collimate"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .output()
            .unwrap()
    }

    /// Exit code, stdout, stderr.
    pub(crate) fn run_text(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.run(arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// The report of `check --format json`.
    pub(crate) fn check_json(&self) -> serde_json::Value {
        let (code, stdout, stderr) = self.run_text(&["check", "--format", "json"]);
        assert!(code == 0 || code == 1, "exit {code}: {stderr}");
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
