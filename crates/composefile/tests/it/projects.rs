//! Small projects, one per folder of `projects/`, against the output that Docker Compose 5.6.0 gives for them.
//!
//! `args` holds the arguments where they are not `-f compose.yaml`. `expected.yaml` and `expected.json`, or
//! `expected.error`, hold the output, with the project's folder written as `/project`. `UPDATE_EXPECT=1` rewrites
//! them; where the peer `compose` is built, both are also compared with what it prints now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use composefile::{Options, Profiles, Project};
use source::MemoryFiles;

#[test]
fn projects_are_what_compose_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/projects");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let peer = testkit::peer("compose");
    for case in &cases {
        check(case, peer.as_deref().map(Utf8Path::as_std_path));
    }
    assert!(cases.len() > 15, "the projects are gone");
}

fn check(case: &Path, peer: Option<&Path>) {
    let root = Utf8PathBuf::from_path_buf(case.canonicalize().unwrap()).unwrap();
    let args = std::fs::read_to_string(case.join("args")).unwrap_or_else(|_| "-f compose.yaml".to_owned());
    let args: Vec<&str> = args.split_whitespace().collect();
    let files = folder_in_memory(&root);
    let mut outputs: BTreeMap<&str, String> = BTreeMap::new();
    match load(&root, &args, false, &files) {
        Ok(project) => {
            outputs.insert("expected.yaml", project.to_yaml());
            outputs.insert("expected.json", project.to_json());
            let traced = load(&root, &args, true, &files).unwrap();
            assert_eq!(traced.to_yaml(), project.to_yaml(), "{root}: a trace changed the output");
            assert_eq!(traced.to_json(), project.to_json(), "{root}: a trace changed the output");
        }
        Err(error) => {
            let traced = load(&root, &args, true, &files).unwrap_err();
            assert_eq!(traced.to_string(), error.to_string(), "{root}: a trace changed the error");
            outputs.insert("expected.error", format!("{error}\n"));
        }
    }
    for (name, output) in &outputs {
        let portable = output.replace(root.as_str(), "/project");
        let path = case.join(name);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &portable).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{root}: no {name}"));
        assert!(portable == expected, "{root}: {name}\n{}", difference(&expected, &portable));
        if let Some(peer) = peer {
            let failing = *name == "expected.error";
            let mut printed = run(peer, &root, &args, *name == "expected.json", failing);
            // Of several errors, Compose reports the one that a Go map happens to give first.
            for _ in 0..if failing { 20 } else { 0 } {
                if *output == printed {
                    break;
                }
                printed = run(peer, &root, &args, false, failing);
            }
            assert!(*output == printed, "{root}: Compose and {name}\n{}", difference(&printed, output));
        }
    }
}

fn load(root: &Utf8Path, args: &[&str], trace: bool, files: &MemoryFiles) -> Result<Project, composefile::Error> {
    let mut options = Options { current_dir: root.to_owned(), trace, ..Options::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "-f" => options.files.push(args.next().unwrap().into()),
            "--profile" => options.profiles = Profiles::Named(vec![(*args.next().unwrap()).to_owned()]),
            "--no-consistency" => options.consistency = false,
            other => panic!("unknown argument {other}"),
        }
    }
    composefile::load(&options, files)
}

fn run(peer: &Path, root: &Utf8Path, args: &[&str], json: bool, failing: bool) -> String {
    let (global, config): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| !arg.starts_with("--no-"));
    let mut command = Command::new(peer);
    command.env_clear().current_dir(root).args(global).arg("config").args(config);
    if json {
        command.args(["--format", "json"]);
    }
    let output = command.output().unwrap();
    assert_ne!(output.status.success(), failing, "{root}: Compose has another verdict");
    let stderr = String::from_utf8(output.stderr).unwrap();
    if failing {
        stderr.lines().filter(|line| !line.starts_with("time=")).map(|line| format!("{line}\n")).collect()
    } else {
        String::from_utf8(output.stdout).unwrap()
    }
}

/// All files of a folder by their paths relative to it.
fn folder_in_memory(root: &Utf8Path) -> MemoryFiles {
    let mut files = MemoryFiles::default();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                open.push(path);
            } else {
                let below = path.strip_prefix(root).unwrap().to_owned();
                files.insert(below, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn difference(expected: &str, found: &str) -> String {
    similar::TextDiff::from_lines(expected, found).unified_diff().to_string()
}
