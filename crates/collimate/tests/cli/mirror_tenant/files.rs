//! Owners, modes, links, locks, and what a kill leaves.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::process::{Command, Stdio};

use testkit::Sandbox;

use super::{PRIMARY, mode, program, tenant, workspace};

const FOLDER: &str = "deploy/compose/mirror-gateway/secrets";

fn set_mode(sandbox: &Sandbox, mode: u32) {
    fs::set_permissions(sandbox.path(PRIMARY), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_mode_gets_narrower_and_never_wider() {
    let sandbox = workspace();
    for (before, after) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o640), (0o666, 0o640), (0o400, 0o400)] {
        sandbox.write(PRIMARY, "acme:x\n");
        set_mode(&sandbox, before);
        let stderr = if before == after {
            String::new()
        } else {
            format!("warning: `{PRIMARY}` had mode {before:04o} and has 0640 now: hashes are for its owner and group\n")
        };
        tenant(&sandbox, &["remove", "primary", "acme"])
            .stderr(format!("{stderr}removed tenant `acme` from `{PRIMARY}`\n"))
            .run();
        assert_eq!(mode(&sandbox.path(PRIMARY)), after);
        fs::remove_file(sandbox.path(PRIMARY)).unwrap();
    }
}

#[test]
fn owner_and_group_stay_and_a_new_file_has_the_group_of_its_folder() {
    let sandbox = workspace();
    let folder = sandbox.path(FOLDER);
    if chown(&folder, None, Some(4711)).is_err() {
        testkit::skip("files are given to others only by root");
        return;
    }
    tenant(&sandbox, &["add", "primary", "acme"]).any_stdout().any_stderr().run();
    let own = folder.metadata().unwrap().uid();
    let owners = || {
        let metadata = sandbox.path(PRIMARY).metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(owners(), (own, 4711));
    chown(sandbox.path(PRIMARY), Some(1234), Some(5678)).unwrap();
    tenant(&sandbox, &["rotate", "primary", "acme"]).any_stdout().any_stderr().run();
    assert_eq!((owners(), mode(&sandbox.path(PRIMARY))), ((1234, 5678), 0o640));
}

#[test]
fn who_may_not_give_files_away_is_told() {
    let Some(setpriv) = testkit::tool("setpriv") else { return };
    let sandbox = workspace();
    sandbox.write(PRIMARY, "acme:x\nother:y\n");
    set_mode(&sandbox, 0o644);
    if chown(sandbox.path(FOLDER), Some(4711), Some(4711)).is_err() {
        testkit::skip("only root can become somebody else");
        return;
    }
    for folder in sandbox.path(FOLDER).ancestors().take_while(|folder| folder.starts_with(sandbox.root())) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let binary = env!("CARGO_BIN_EXE_collimate");
        testkit::Cli::new(&setpriv)
            .folder(sandbox.root())
            .args(["--reuid", "4711", "--regid", "4711", "--clear-groups", binary, "mirror", "tenant"])
            .args(arguments.iter().copied())
    };
    if run(&["--help"]).output().exit != 0 {
        testkit::skip("another user cannot run the program where it was built");
        return;
    }
    run(&["remove", "primary", "acme"])
        .stderr(format!(
            "warning: `{PRIMARY}` had mode 0644 and has 0640 now: hashes are for its owner and group\n\
             warning: `{PRIMARY}` belonged to user 0 and belongs to user 4711 now\n\
             warning: `{PRIMARY}` should have group 0 and has group 4711: check that the verifier can read it\n\
             removed tenant `acme` from `{PRIMARY}`\n"
        ))
        .run();
    assert_eq!(sandbox.read(PRIMARY), "other:y\n");
    // Where nothing may be written, nothing is.
    chown(sandbox.path(FOLDER), Some(0), Some(0)).unwrap();
    run(&["remove", "primary", "other"])
        .exit(4)
        .stderr(format!("error: cannot lock `[DIR]/{FOLDER}/.collimate-lock`\ncaused by: permission denied\n"))
        .run();
    assert_eq!(sandbox.read(PRIMARY), "other:y\n");
}

#[test]
fn in_a_folder_of_links_the_file_behind_the_link_is_replaced() {
    let sandbox = workspace();
    sandbox.write(format!("{FOLDER}/..2026/mirror-primary.htpasswd"), "acme:x\nother:y\n");
    symlink("..2026", sandbox.path(FOLDER).join("..data")).unwrap();
    symlink("..data/mirror-primary.htpasswd", sandbox.path(PRIMARY)).unwrap();
    tenant(&sandbox, &["remove", "primary", "acme"]).any_stderr().run();
    assert!(sandbox.path(PRIMARY).is_symlink() && sandbox.path(FOLDER).join("..data").is_symlink());
    assert_eq!(sandbox.read(PRIMARY), "other:y\n");
    assert_eq!(sandbox.read(format!("{FOLDER}/..2026/mirror-primary.htpasswd")), "other:y\n");
}

#[test]
fn of_two_at_once_one_is_refused_and_nobody_is_lost() {
    let sandbox = workspace();
    // The hashing before the lock takes longer than what is locked, so that many meet.
    let names: Vec<String> = (0..12).map(|number| format!("tenant-{number}")).collect();
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            Command::new(env!("CARGO_BIN_EXE_collimate"))
                .args(["mirror", "tenant", "add", "primary", name.as_str(), "--cost", "10"])
                .current_dir(sandbox.root())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut added = Vec::new();
    for (name, child) in names.iter().zip(children) {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => added.push(name.clone()),
            Some(4) => assert!(stderr.starts_with("error: another change is under way\n"), "{stderr}"),
            other => panic!("{other:?}: {stderr}"),
        }
    }
    assert!(!added.is_empty());
    let file = mirror::htpasswd::File::parse(sandbox.read(PRIMARY).as_bytes());
    let mut there: Vec<String> = file.entries().iter().map(|entry| entry.name().to_owned()).collect();
    there.sort();
    added.sort();
    assert_eq!(there, added, "who was told so is there, and nobody else");
}

#[test]
fn a_held_lock_and_what_a_killed_run_left() {
    let sandbox = workspace();
    sandbox.write(PRIMARY, "acme:x\n");
    let lock = sandbox.path(FOLDER).join(".collimate-lock");
    let held = fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    program(&sandbox, &["mirror", "tenant", "remove", "primary", "acme"])
        .exit(4)
        .stderr(
            "error: another change is under way\ncaused by: its owner has not written its name yet\n\
             hint: wait for it to end, then run the command again; nothing was changed by this one\n",
        )
        .run();
    assert_eq!(sandbox.read(PRIMARY), "acme:x\n");
    drop(held);
    // As if killed between writing and renaming.
    let owner = r#"{"process":7,"command":"mirror tenant add primary x","by":"me","since":"now"}"#;
    sandbox.write(format!("{FOLDER}/.collimate-lock"), owner);
    sandbox.write(format!("{FOLDER}/.collimate-mirror-primary.htpasswd-7"), "half");
    tenant(&sandbox, &["remove", "primary", "acme"]).any_stderr().run();
    assert_eq!(fs::read_dir(sandbox.path(FOLDER)).unwrap().count(), 2, "the file and the page beside it");
}

#[test]
fn killed_at_any_system_call_the_file_is_old_or_new() {
    let Some(strace) = testkit::tool("strace") else { return };
    let sandbox = workspace();
    let old = "acme:x\nother:y\n";
    let run = |sandbox: &Sandbox, inject: Option<&str>| {
        let mut command = Command::new(&strace);
        command.args(["-f", "-qq", "-o", "/dev/null"]);
        if let Some(inject) = inject {
            command.args(["-e", inject]);
        }
        command.args([env!("CARGO_BIN_EXE_collimate"), "mirror", "tenant", "remove", "primary", "acme"]);
        command.current_dir(sandbox.root()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    };
    sandbox.write(PRIMARY, old);
    if !run(&sandbox, None) {
        testkit::skip("`strace` may not trace here");
        return;
    }
    let mut seen = [0, 0];
    for call in ["openat", "write", "fsync", "fchmod", "rename", "unlink"] {
        for number in 1..=60 {
            // Another owner of the lock file of the run before would be a change under way.
            sandbox.write(PRIMARY, old);
            if run(&sandbox, Some(&format!("inject={call}:signal=SIGKILL:when={number}"))) {
                break;
            }
            let text = sandbox.read(PRIMARY);
            match text.as_str() {
                "acme:x\nother:y\n" => seen[0] += 1,
                "other:y\n" => seen[1] += 1,
                _ => panic!("after {call} {number}: {text}"),
            }
        }
    }
    assert!(seen[0] > 5 && seen[1] > 0, "{seen:?}");
    sandbox.write(PRIMARY, old);
    tenant(&sandbox, &["remove", "primary", "acme"]).any_stderr().run();
    assert_eq!(fs::read_dir(sandbox.path(FOLDER)).unwrap().count(), 2, "what killed runs left is gone");
}

#[test]
fn a_password_that_nobody_was_shown_is_a_failure() {
    let sandbox = workspace();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_collimate"))
        .args(["mirror", "tenant", "add", "primary", "acme", "--cost", "10"])
        .current_dir(sandbox.root())
        .stdout(writer)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.ends_with("hint: `collimate mirror tenant rotate primary acme` makes another one\n"), "{said}");
}

#[test]
fn a_file_that_the_verifier_would_not_read_is_not_made() {
    let sandbox = workspace();
    sandbox.write(PRIMARY, format!("{}\n", "#".repeat((4 << 20) - 10)));
    tenant(&sandbox, &["add", "primary", "acme"])
        .exit(3)
        .stderr(format!(
            "error: cannot write `{PRIMARY}`\n\
             caused by: it would have more than 4 MiB, which the verifier does not read\n"
        ))
        .run();
    assert_eq!(sandbox.read(PRIMARY).len(), (4 << 20) - 9);
}
