//! The folder of a copy: what may be there, and who may work on it.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::Misbehaviour;

use super::world::{BUNDLE, PROGRAM, World};

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let world = World::new();
    world.sandbox.write("copy/precious", "1");
    world
        .pull()
        .stderr(
            "error: `[DIR]/copy` is not empty, and is no copy of a mirror\n\
             caused by: `precious` is in it\n\
             hint: name a folder of its own; what is in this one was not touched\n",
        )
        .exit(2)
        .run();
    assert_eq!(world.sandbox.files().iter().filter(|file| file.starts_with("copy")).count(), 1);
}

#[test]
fn a_file_or_nothing_to_make_a_folder_in() {
    let world = World::new();
    world.sandbox.write("copy", "1");
    world
        .pull()
        .stderr("error: `[DIR]/copy` is no folder\nhint: name a folder of its own for the copy\n")
        .exit(2)
        .run();
    let deep = World::new();
    let url = deep.exports.url();
    testkit::Cli::new(PROGRAM)
        .folder(deep.sandbox.root())
        .args(["mirror", "pull", "no/such/copy", "--url", &url, "--domain", "primary", "--user", "acme"])
        .args(["--password-file", "password"])
        .stderr(
            "error: cannot make the folder `[DIR]/no/such/copy`\n\
             caused by: its folder does not exist\n\
             hint: make the folder above it first\n",
        )
        .exit(4)
        .run();
}

#[test]
fn what_others_put_beside_it_stays() {
    let world = World::new();
    world.pull().any_stdout().run();
    world.sandbox.write("copy/notes.txt", "mine").write("copy/20250101T000000Z-0123456789abcdef/x", "y");
    world.exports.next_generation();
    world
        .pull()
        .args(["--keep", "1"])
        .any_stdout()
        .stderr(
            "note: `[DIR]/copy/20250101T000000Z-0123456789abcdef` is left alone: its `replica.json`: it does not exist\n",
        )
        .run();
    assert_eq!(world.sandbox.read("copy/notes.txt"), "mine");
    assert_eq!(world.sandbox.read("copy/20250101T000000Z-0123456789abcdef/x"), "y");
}

#[test]
fn links_that_nobody_of_us_made_are_not_followed() {
    let world = World::new();
    world.pull().any_stdout().run();
    let (name, latest) = (world.latest(), world.path("latest"));

    fs::remove_file(&latest).unwrap();
    world.sandbox.write("copy/latest/x", "1");
    world
        .pull()
        .stderr(
            "error: `[DIR]/copy/latest` cannot be used\n\
             caused by: it is no link\n\
             hint: this program did not make it; remove it, and look who put it there\n",
        )
        .exit(3)
        .run();
    fs::remove_dir_all(&latest).unwrap();

    symlink("../elsewhere", &latest).unwrap();
    world
        .pull()
        .stderr(
            "error: `[DIR]/copy/latest` cannot be used\n\
             caused by: it leads to `../elsewhere`, which is no generation\n\
             hint: this program did not make it; remove it, and look who put it there\n",
        )
        .exit(3)
        .run();
    fs::remove_file(&latest).unwrap();

    // A file of the generation that became a link is no file of it: it comes anew.
    let bundle = world.path(&name).join("mirror/primary/bundle.json");
    fs::rename(&bundle, world.sandbox.path("moved")).unwrap();
    symlink(world.sandbox.path("moved"), &bundle).unwrap();
    world.exports.forget();
    world.pull().any_stdout().run();
    assert!(bundle.symlink_metadata().unwrap().is_file());
    assert_eq!(world.exports.count(BUNDLE), 1);
    world.assert_in_step();

    let state = world.path(".collimate-replica");
    fs::remove_dir_all(&state).unwrap();
    symlink(world.sandbox.root(), &state).unwrap();
    world
        .pull()
        .stderr(
            "error: `[DIR]/copy` cannot be used\n\
             caused by: its `.collimate-replica` is a link or a file; this program makes a folder\n\
             hint: remove it, and look who put it there\n",
        )
        .exit(3)
        .run();
    assert!(!world.sandbox.path("lock").exists());
}

#[test]
fn the_folder_itself_may_be_a_link() {
    let world = World::new();
    fs::create_dir(world.sandbox.path("data")).unwrap();
    symlink("data", world.sandbox.path("copy")).unwrap();
    world.pull().any_stdout().run();
    world.assert_in_step();
    assert!(world.sandbox.path("data/latest").is_dir());
}

#[test]
fn a_folder_is_of_one_domain() {
    let world = World::new();
    world.pull().any_stdout().run();
    let url = world.exports.url();
    testkit::Cli::new(PROGRAM)
        .folder(world.sandbox.root())
        .args(["mirror", "pull", "copy", "--url", &url, "--domain", "community", "--user", "acme"])
        .args(["--password-file", "password"])
        .stderr(
            "error: `[DIR]/copy` is a copy of the domain `primary`, not of `community`\n\
             hint: each domain has a folder of its own\n",
        )
        .exit(2)
        .run();
}

#[test]
fn a_copy_in_a_git_repository_is_pointed_out() {
    let world = World::new();
    world.sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    world
        .pull()
        .any_stdout()
        .stderr("note: `[DIR]/copy` lies in the git repository `[DIR]`; keep it out of commits\n")
        .run();
}

#[test]
fn a_damaged_record_is_named() {
    let world = World::new();
    world.pull().any_stdout().run();
    let name = world.latest();
    world.sandbox.write(format!("copy/{name}/replica.json"), "{");
    world
        .pull()
        .replace(&name, "[NAME]")
        .stderr(
            "note: `[DIR]/copy/[NAME]` is left alone: its `replica.json`: it cannot be read: line 1, column 1\n\
             error: the generation `[NAME]` of `[DIR]/copy` cannot be used\n\
             caused by: its `replica.json`: it cannot be read: line 1, column 1\n\
             hint: point `latest` at another generation, or remove the link; then run this again\n",
        )
        .exit(3)
        .run();
    fs::remove_file(world.path("latest")).unwrap();
    world.pull().any_stdout().any_stderr().run();
    world.assert_in_step();
}

#[test]
fn two_at_once_wait_for_each_other_or_say_so() {
    let world = World::new();
    world.exports.misbehave_next(BUNDLE, 1, Misbehaviour::Hold);
    let start = |wait: &str| {
        Command::new(PROGRAM)
            .args(["mirror", "pull", "copy", "--url", &world.exports.url(), "--domain", "primary", "--user", "acme"])
            .args(["--password-file", "password", "--key", "jws.pem", "--timeout", "120", "--wait", wait])
            .current_dir(world.sandbox.root())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let first = start("0");
    let begun = Instant::now();
    while world.exports.count(BUNDLE) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the first run does not start");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let output = world.pull().args(["--wait", "0"]).any_stderr().exit(4).run();
    let expected =
        format!("error: another run is at work on this folder\ncaused by: `pull`, process {}, since 20", first.id());
    assert!(output.stderr.starts_with(&expected), "{output}");
    let second = start("600");
    world.exports.release();
    let outputs = [first, second].map(|child| child.wait_with_output().unwrap());
    assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
    assert!(outputs[0].stdout.starts_with(b"pulled: ") && outputs[1].stdout.starts_with(b"unchanged: "));
    world.assert_in_step();
    assert_eq!(world.exports.count(BUNDLE), 1, "nothing is transferred twice");
}

#[test]
fn a_file_that_cannot_grow_is_named_and_the_next_run_goes_on() {
    let world = World::new();
    world.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(100_000));
    let (url, part) = (world.exports.url(), "copy/.collimate-replica/downloads/");
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {PROGRAM} mirror pull copy --url {url} --domain primary --user acme \
         --password-file password --key jws.pem"
    );
    let output =
        testkit::Cli::new("/bin/sh").folder(world.sandbox.root()).args(["-c", &script]).any_stderr().exit(4).run();
    assert!(output.stderr.starts_with(&format!("error: cannot write `[DIR]/{part}")), "{output}");
    assert!(
        output.stderr.ends_with(
            "caused by: file too large\nhint: the shell's limit on the size of a file (`ulimit -f`) is too low\n"
        ),
        "{output}"
    );
    assert!(world.generations().is_empty());
    world.pull().any_stdout().run();
    world.assert_in_step();
    // 64 blocks of 512 bytes had arrived.
    assert_eq!(world.exports.asked().iter().rfind(|asked| asked.path == BUNDLE).unwrap().bytes, 100_000 - 64 * 512);
}
