//! Killed at any moment, and with a disk that fails at any call: what `latest` shows is one whole generation, and the next run finishes.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Cli, Misbehaviour, Sandbox};

use super::world::{BUNDLE, PROGRAM, VEX_INDEX, World};

/// Calls that change what is on disk.
const CALLS: [&str; 7] = ["rename", "renameat2", "symlink", "linkat", "fsync", "unlink", "mkdir"];

const LIMIT: Duration = Duration::from_secs(60);

/// What the mirror ever had.
#[derive(Default)]
struct Known(Vec<BTreeMap<String, Vec<u8>>>);

impl Known {
    fn add(&mut self, world: &World) {
        self.0.push(world.expected());
    }

    /// What `latest` shows, if it is there, is one of the generations, byte for byte; which one.
    #[track_caller]
    fn shown(&self, world: &World) -> Option<usize> {
        world.path("latest").symlink_metadata().ok()?;
        let shown = world.shown();
        Some(self.0.iter().position(|known| *known == shown).expect("`latest` shows a wrong or half generation"))
    }
}

/// The same numbers in every run, and no pattern in them.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn start(world: &World) -> Child {
    Command::new(PROGRAM)
        .args(["mirror", "pull", "copy", "--url", &world.exports.url(), "--domain", "primary", "--user", "acme"])
        .args(["--password-file", "password", "--key", "jws.pem", "--patience", "0"])
        .current_dir(world.sandbox.root())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_fifty_random_moments() {
    let world = World::new();
    world.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(400_000));
    let (mut known, mut moments) = (Known::default(), Moments(4711));
    known.add(&world);
    let (mut kills, mut runs, mut last) = (0, 0, None);
    while kills < 50 {
        runs += 1;
        assert!(runs < 500, "runs end before they can be killed");
        // Half of them are killed around the end, where everything is decided; the others while the bundle drips in.
        let at_the_end = runs % 2 == 0;
        let answers = if at_the_end { 2 } else { 1 };
        world.exports.forget();
        world.exports.misbehave(BUNDLE, Misbehaviour::Slow(if at_the_end { 40_000_000 } else { 4_000_000 }));
        let mut child = start(&world);
        let begun = Instant::now();
        // The index of the VEX exports is asked for once in the middle and once at the end.
        let path = if at_the_end { VEX_INDEX } else { BUNDLE };
        while world.exports.count(path) < answers && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < LIMIT, "no run gets so far");
            std::thread::park_timeout(Duration::from_millis(1));
        }
        std::thread::park_timeout(Duration::from_micros(moments.below(if at_the_end { 60_000 } else { 120_000 })));
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
        let shown = known.shown(&world);
        assert!(shown >= last, "it went back");
        last = shown;
        if runs % 5 == 0 {
            world.exports.next_generation();
            known.add(&world);
        }
    }
    assert!(last.is_some(), "a run came through now and then");
    world.exports.heal();
    world.exports.forget();
    world.pull().any_stdout().run();
    world.assert_in_step();
    let state: Vec<String> = world
        .path(".collimate-replica")
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .collect();
    assert_eq!(state, ["lock"], "what killed runs left is gone");
}

/// A copy of one generation, and a mirror that has the next one.
fn prepared() -> (World, Known) {
    let world = World::new();
    world.pull().any_stdout().run();
    let mut known = Known::default();
    known.add(&world);
    world.exports.next_generation();
    known.add(&world);
    (world, known)
}

/// Puts the copy back as it was.
fn restore(world: &World, before: &Sandbox) {
    world.sandbox.remove("copy").copy(before.path("copy"), "copy");
}

fn traced(world: &World, strace: &str, call: &str, inject: &str, log: &str) -> testkit::Output {
    Cli::new(strace)
        .folder(world.sandbox.root())
        .args(["-f", "-o", log, "-e", &format!("trace={call}"), "-e", inject, PROGRAM])
        .args(["mirror", "pull", "copy", "--url", &world.exports.url(), "--domain", "primary", "--user", "acme"])
        .args(["--password-file", "password", "--key", "jws.pem", "--patience", "0", "--keep", "1"])
        .output()
}

#[test]
fn killed_before_every_call_that_writes() {
    let Some(strace) = testkit::tool("strace") else { return };
    let (world, known) = prepared();
    let before = Sandbox::new();
    before.copy(world.path(""), "copy");
    let (mut kills, mut new) = (0, 0);
    for call in CALLS {
        for nth in 1.. {
            restore(&world, &before);
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let output = traced(&world, strace.as_str(), call, &inject, "/dev/null");
            let shown = known.shown(&world).expect("there was a generation before");
            if output.exit == 0 {
                assert_eq!(shown, 1);
                break;
            }
            kills += 1;
            new += shown;
            if nth % 8 == 1 {
                world.pull().any_stdout().any_stderr().run();
                world.assert_in_step();
            }
        }
    }
    assert!(kills >= 50 && new >= 2 && kills - new >= 30, "{kills} kills, {new} of them left the new generation");
}

#[test]
fn a_disk_that_fails_at_any_call_leaves_old_or_new_and_is_named() {
    let Some(strace) = testkit::tool("strace") else { return };
    let (world, known) = prepared();
    let before = Sandbox::new();
    before.copy(world.path(""), "copy");
    let log = before.path("log");
    let (mut failures, mut full) = (0, 0);
    for (call, error) in
        [("fsync", "ENOSPC"), ("rename", "EROFS"), ("mkdir", "EACCES"), ("symlink", "EDQUOT"), ("unlink", "EIO")]
    {
        for nth in 1.. {
            restore(&world, &before);
            let inject = format!("inject={call}:error={error}:when={nth}");
            let output = traced(&world, strace.as_str(), call, &inject, log.as_str());
            let shown = known.shown(&world).expect("there was a generation before");
            if output.exit == 0 {
                assert_eq!(shown, 1, "{output}");
            } else {
                assert_eq!(output.exit, 4, "{output}");
                assert!(output.stderr.contains("error: cannot "), "{output}");
                failures += 1;
                full += usize::from(output.stderr.contains(
                    "caused by: no space is left on the disk\nhint: make room; what has arrived is kept, and the next run goes on from there\n",
                ));
            }
            if !before.read("log").contains("(INJECTED)") {
                break;
            }
        }
    }
    assert!(failures >= 30 && full >= 5, "{failures} failures, {full} of a full disk");
    world.pull().any_stdout().run();
    world.assert_in_step();
}
