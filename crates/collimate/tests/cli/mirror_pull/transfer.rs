//! On the way: what breaks, changes, stalls or is refused, and that nothing comes twice.

use testkit::Misbehaviour;

use super::world::{BUNDLE, INDEX, MANIFEST, SIGNATURE, VEX_DOMAIN, VEX_EXPORT, VEX_INDEX, World};

const SIZE: usize = 300_000;

const ALL: [&str; 7] = [INDEX, MANIFEST, BUNDLE, SIGNATURE, VEX_DOMAIN, VEX_INDEX, VEX_EXPORT];

fn large() -> World {
    let world = World::new();
    world.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(SIZE));
    world
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let world = large();
    // Twice within a run, and once so that the run ends.
    for (cut, pull, exit) in [(70_000, world.patient_pull(), 0), (50_000, world.pull_unkeyed(), 4)] {
        world.exports.forget();
        world.exports.misbehave_next(BUNDLE, 2, Misbehaviour::Cut(cut));
        pull.args(["--key", "jws.pem"]).any_stdout().any_stderr().exit(exit).run();
        if exit != 0 {
            world.exports.heal();
            world.pull().any_stdout().run();
        }
        world.assert_in_step();
        let asked: Vec<_> = world.exports.asked().into_iter().filter(|asked| asked.path == BUNDLE).collect();
        assert_eq!(asked.iter().map(|asked| asked.bytes).sum::<usize>(), SIZE, "nothing is transferred twice");
        let ranges: Vec<_> = asked.iter().map(|asked| (asked.header("range"), asked.header("if-range"))).collect();
        assert_eq!((ranges[0], asked[0].status), ((None, None), 200));
        assert_eq!(ranges[1].0, Some(format!("bytes={cut}-").as_str()));
        assert!(ranges[1].1.is_some_and(|etag| etag.starts_with('"')));
        world.exports.next_generation();
    }
}

#[test]
fn a_part_of_another_version_is_no_part() {
    let world = large();
    world.exports.misbehave_next(BUNDLE, 1, Misbehaviour::Cut(100_000));
    world
        .pull()
        .any_stderr()
        .stderr_has("error: `http://mirror` did not answer to the end\ncaused by: the connection broke\n")
        .exit(4)
        .run();
    assert!(world.generations().is_empty());
    world.exports.next_generation();
    world.pull().any_stdout().run();
    world.assert_in_step();
    let last = world.exports.asked().into_iter().rfind(|asked| asked.path == BUNDLE).unwrap();
    assert_eq!((last.header("range"), last.status), (Some("bytes=100000-"), 200));
}

#[test]
fn a_flipped_bit_is_found_and_the_file_comes_once_more() {
    for path in ALL {
        let world = World::new();
        world.exports.misbehave_next(path, 1, Misbehaviour::Flip(0));
        let output = world.pull().any_stdout().any_stderr().run();
        assert!(output.stderr.contains("transferring it once more"), "{path}: {output}");
        world.assert_in_step();
    }
}

#[test]
fn a_bit_that_is_always_flipped_is_not_taken() {
    for (path, exit) in [(BUNDLE, 5), (SIGNATURE, 5), (MANIFEST, 4), (VEX_EXPORT, 5)] {
        let world = World::new();
        world.exports.misbehave(path, Misbehaviour::Flip(0));
        world.pull().any_stderr().exit(exit).run();
        assert!(world.generations().is_empty(), "{path}");
        // What was wrong is not kept for right.
        world.exports.heal();
        world.pull().any_stdout().any_stderr().run();
        world.assert_in_step();
    }
    // In the middle of what still parses.
    let world = World::new();
    let at = String::from_utf8(world.exports.file(BUNDLE).to_vec()).unwrap().find("Advisory").unwrap();
    world.exports.misbehave(BUNDLE, Misbehaviour::Flip(8 * at));
    world
        .pull_unkeyed()
        .any_stderr()
        .stderr_has("error: `mirror/primary/bundle.json` is not what was announced\ncaused by: its sha256 is ")
        .exit(5)
        .run();
}

#[test]
fn a_switch_between_any_two_answers_is_seen() {
    for path in ALL {
        let world = World::new();
        world.pull().any_stdout().run();
        world.exports.next_generation();
        world.exports.misbehave_next(path, 1, Misbehaviour::Switch);
        world.pull().any_stdout().any_stderr().run();
        if path == VEX_EXPORT {
            // It did not change, so that nobody asked for it.
            assert_eq!(world.exports.count(path), 1);
        }
        world.assert_in_step();
    }
}

#[test]
fn a_mirror_that_switches_all_the_time_is_given_up() {
    let world = World::new();
    world.exports.misbehave(MANIFEST, Misbehaviour::Switch);
    let output = world.pull().any_stderr().exit(4).run();
    assert_eq!(
        output.stderr.matches("the mirror switched generations meanwhile; starting over").count(),
        5,
        "{output}"
    );
    assert!(output.stderr.contains("error: `http://mirror` switches generations faster than they can be copied\n"));
    assert!(world.generations().is_empty());
    world.exports.heal();
    world.pull().any_stdout().run();
    world.assert_in_step();
}

#[test]
fn what_passes_is_waited_for() {
    for how in [
        Misbehaviour::Status(500),
        Misbehaviour::Status(502),
        Misbehaviour::Status(503),
        Misbehaviour::Status(429),
        Misbehaviour::HangUp,
        Misbehaviour::ChunkedCut(100),
    ] {
        let world = World::new();
        world.exports.misbehave_next(BUNDLE, 2, how.clone());
        let output = world.patient_pull().args(["--key", "jws.pem"]).any_stdout().any_stderr().run();
        assert_eq!(output.stderr.matches("; asking again in ").count(), 2, "{how:?}: {output}");
        world.assert_in_step();
    }
    let world = World::new();
    world.exports.misbehave(BUNDLE, Misbehaviour::Chunked);
    world.pull().any_stdout().run();
    world.assert_in_step();
}

#[test]
fn a_mirror_that_asks_for_a_pause_gets_it_within_bounds() {
    let world = World::new();
    world.exports.header("retry-after", "1");
    world.exports.misbehave_next(BUNDLE, 1, Misbehaviour::Status(429));
    let output = world.patient_pull().args(["--key", "jws.pem"]).any_stdout().any_stderr().run();
    assert!(output.stderr.contains("asking again in 1 s\n"), "{output}");
    world.assert_in_step();

    let world = World::new();
    world.exports.header("retry-after", "3600");
    world.exports.misbehave(BUNDLE, Misbehaviour::Status(429));
    world
        .patient_pull()
        .stderr(
            "error: `http://mirror` cannot serve `/concelier/exports/mirror/primary/bundle.json` now\n\
             caused by: it answered with status 429\n\
             caused by: it asks to come back in 3600 s\n\
             hint: the budget of this tenant or address is used up: pull less often, or wait longer with `--patience`\n",
        )
        .exit(4)
        .run();
    assert_eq!(world.exports.count(BUNDLE), 1);
}

#[test]
fn a_mirror_that_falls_silent_is_not_waited_for_for_ever() {
    let world = World::new();
    world.exports.misbehave(BUNDLE, Misbehaviour::Hold);
    world
        .pull()
        .args(["--timeout", "1"])
        .stderr(
            "error: `http://mirror` did not answer to the end\n\
             caused by: nothing came for 1 s\n\
             hint: what has arrived is kept: run it again, or raise `--timeout`\n",
        )
        .exit(4)
        .run();
}

#[test]
fn an_answer_that_never_ends_is_ended() {
    for how in [None, Some(Misbehaviour::Chunked)] {
        let world = World::new();
        world.exports.replace(INDEX, vec![b' '; (4 << 20) + 1]);
        if let Some(how) = &how {
            world.exports.misbehave(INDEX, how.clone());
        }
        let size = if how.is_none() { "4194305" } else { "more than 4194304" };
        world
            .pull()
            .stderr(format!(
                "error: `/concelier/exports/index.json` of `http://mirror` is too large\n\
                 caused by: it has {size} bytes; at most 4194304 are taken\n\
                 hint: no export is that large; look what the mirror serves there\n"
            ))
            .exit(4)
            .run();
    }
}

#[test]
fn every_file_has_a_largest_size() {
    const MIB: u64 = 1 << 20;
    let world = World::new();
    let largest = [4, 64, 512, 768, 4, 4, 512].map(|most| most * MIB);
    for (address, most) in ALL.into_iter().zip(largest) {
        world.exports.misbehave(address, Misbehaviour::Announce(most + 1));
        let said = format!("caused by: it has {} bytes; at most {most} are taken\n", most + 1);
        let output = world.pull().output();
        assert!(output.exit == 4 && output.stderr.contains(&said), "{address}: {output}");
        world.exports.heal();
    }
}

#[test]
fn no_secret_travels_where_it_should_not() {
    let world = World::new();
    world.pull().any_stdout().run();
    for asked in world.exports.asked() {
        let authorization = asked.header("authorization").unwrap();
        assert_eq!(authorization, "Basic YWNtZTpnZWhlaW0tNDcxMS1hY21l");
        assert!(!asked.query.contains("geheim") && !asked.path.contains("geheim"));
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
    }
    let password = super::world::PASSWORD.as_bytes();
    for file in world.sandbox.files().iter().filter(|file| file.as_str() != "password") {
        let bytes = std::fs::read(world.sandbox.path(file)).unwrap_or_default();
        assert!(!bytes.windows(password.len()).any(|window| window == password), "{file}");
    }
}

#[test]
fn a_cache_that_is_behind_is_given_time() {
    for path in [BUNDLE, MANIFEST] {
        let world = large();
        let old = world.exports.file(path).to_vec();
        world.exports.next_generation();
        world.exports.replace(path, old);
        let output = world.pull().any_stderr().exit(4).run();
        assert!(output.stderr.starts_with("error: `mirror/primary/"), "{output}");
        assert!(output.stderr.contains(" is of another generation than `mirror/"), "{output}");
        assert!(output.stderr.contains("caused by: one was made at 2025-10-01T0"), "{output}");
        assert!(world.generations().is_empty());
        world.exports.forget();
        std::thread::scope(|scope| {
            let pull = world.patient_pull().args(["--key", "jws.pem"]);
            let run = scope.spawn(move || pull.any_stdout().any_stderr().run());
            // Asked for a second time, what was stale is not transferred again.
            while world.exports.count(path) < 2 && !run.is_finished() {
                std::thread::park_timeout(std::time::Duration::from_millis(5));
            }
            world.exports.heal();
            let output = run.join().unwrap();
            assert!(output.stderr.contains("; asking again in 2 s\n"), "{output}");
        });
        world.assert_in_step();
        assert!(world.exports.bytes(BUNDLE) <= 2 * SIZE, "{path}");
    }
}
