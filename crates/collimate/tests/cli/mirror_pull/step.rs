//! In step: what is copied, what is not asked for again, what is kept.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use testkit::{Cli, Recipe, Signature};

use super::world::{BUNDLE, INDEX, MANIFEST, PROGRAM, SIGNATURE, VEX_DOMAIN, VEX_EXPORT, VEX_INDEX, World, local};

#[test]
fn a_first_pull_brings_one_generation_that_concelier_could_serve() {
    let world = World::new();
    let output = world.pull().any_stdout().run();
    let (size, name) = (world.expected().values().map(Vec::len).sum::<usize>(), world.latest());
    let expected = format!(
        "pulled: generation {name} of `primary`\n\
         created: 2025-10-01T06:00:00Z, 5 advisories, 2 VEX exports\n\
         signature: verified, by a key that calls itself `mirror-test`\n\
         transferred: {size} bytes in 12 requests\n"
    );
    assert_eq!(output.stdout, expected);
    world.assert_in_step();
    assert!(name.starts_with("20251001T060000Z-"));
    assert_eq!(world.shown().len(), 8);
    for path in [INDEX, MANIFEST, BUNDLE, SIGNATURE, VEX_DOMAIN, VEX_INDEX, VEX_EXPORT] {
        assert!(world.shown().contains_key(&local(path).unwrap()), "{path}");
    }
}

#[test]
fn the_name_follows_from_the_content() {
    let form = Recipe { signature: Signature::Attached { eddsa: true }, ..Recipe::default() };
    let (one, other) = (World::with(form.clone()), World::with(form));
    one.pull_unkeyed().args(["--allow-unverified"]).any_stdout().any_stderr().run();
    // The two mirrors have keys of their own: only the signatures differ.
    other.exports.replace(SIGNATURE, one.exports.file(SIGNATURE).to_vec());
    other.pull_unkeyed().any_stdout().any_stderr().run();
    assert_eq!(one.latest(), other.latest());
    assert_eq!(one.shown(), other.shown());
}

#[test]
fn an_unchanged_mirror_is_asked_and_nothing_is_transferred() {
    let world = World::new();
    world.pull().any_stdout().run();
    let name = world.latest();
    world.exports.forget();
    let output = world.pull().any_stdout().run();
    assert!(output.stdout.starts_with("unchanged: "), "{output}");
    assert!(output.stdout.ends_with("transferred: 0 bytes in 5 requests, 8 files reused\n"), "{output}");
    let asked: Vec<(String, u16)> =
        world.exports.asked().iter().map(|asked| (asked.path.clone(), asked.status)).collect();
    let expected = [INDEX, MANIFEST, SIGNATURE, VEX_DOMAIN, VEX_INDEX].map(|path| (path.to_owned(), 304));
    assert_eq!(asked, expected);
    assert_eq!((world.latest(), world.generations().len()), (name, 1));
}

#[test]
fn only_what_changed_is_transferred() {
    let world = World::new();
    world.pull().any_stdout().run();
    let before = world.latest();
    world.exports.forget();
    world.exports.next_generation();
    let output = world.pull().any_stdout().run();
    assert!(output.stdout.contains("3 files reused"), "{output}");
    world.assert_in_step();
    for (path, requests) in [(BUNDLE, 1), (SIGNATURE, 1), (VEX_EXPORT, 0), (VEX_DOMAIN, 2)] {
        assert_eq!(world.exports.count(path), requests, "{path}");
    }
    assert_eq!(world.exports.bytes(VEX_DOMAIN), 0);
    assert_eq!(world.exports.bytes(BUNDLE), world.exports.file(BUNDLE).len());
    let inode = |generation: &str| world.path(generation).join(local(VEX_EXPORT).unwrap()).metadata().unwrap().ino();
    assert_eq!(inode(&before), inode(&world.latest()), "what did not change takes no room twice");
}

#[test]
fn permissions_do_not_depend_on_the_umask() {
    let world = World::new();
    for (umask, copy) in [("0000", "open"), ("0077", "closed")] {
        let url = world.exports.url();
        let script = format!(
            "umask {umask}; exec {PROGRAM} mirror pull {copy} --url {url} --domain primary --user acme --password-file password --key jws.pem"
        );
        Cli::new("/bin/sh").folder(world.sandbox.root()).args(["-c", &script]).any_stdout().run();
        let mode = |path: &str| world.sandbox.path(copy).join(path).metadata().unwrap().permissions().mode() & 0o7777;
        for (path, expected) in [
            ("", 0o755),
            (".collimate-replica", 0o700),
            ("latest/", 0o755),
            ("latest/mirror/primary", 0o755),
            ("latest/mirror/primary/bundle.json", 0o644),
            ("latest/replica.json", 0o644),
        ] {
            assert_eq!(mode(path), expected, "{copy}/{path}");
        }
    }
}

#[test]
fn old_generations_go_and_what_is_in_use_stays() {
    let world = World::new();
    world.pull().any_stdout().run();
    let first = world.latest();
    std::os::unix::fs::symlink(&first, world.path("pinned")).unwrap();
    for _ in 0..3 {
        world.exports.next_generation();
        world.pull().args(["--keep", "2"]).any_stdout().run();
    }
    assert_eq!(world.generations(), [first.clone(), world.generations()[1].clone(), world.latest()]);
    assert!(world.path("pinned/mirror/index.json").exists());

    // A reader holds the record, as `mirror export` does.
    fs::remove_file(world.path("pinned")).unwrap();
    let record = fs::File::open(world.path(&first).join("replica.json")).unwrap();
    record.lock_shared().unwrap();
    let output = world.pull().args(["--keep", "1"]).any_stdout().run();
    assert!(output.stdout.contains(&format!("kept: generation {first}, which is in use\n")), "{output}");
    drop(record);
    let output = world.pull().args(["--keep", "1"]).any_stdout().run();
    assert!(output.stdout.contains(&format!("removed: generation {first}\n")), "{output}");
    assert_eq!(world.generations(), [world.latest()]);
    world.assert_in_step();
}

#[test]
fn nothing_goes_back_silently() {
    let world = World::new();
    let old = world.exports.file(MANIFEST);
    assert!(!old.is_empty());
    world.exports.next_generation();
    world.pull().any_stdout().run();
    let newer = world.latest();
    world.exports.publish(|recipe| recipe.created = "2025-10-01T06:00:00Z".parse().unwrap());
    world
        .pull()
        .any_stderr()
        .stderr_has("error: this generation is older than the one that is here\ncaused by: it was created at 2025-10-01T06:00:00Z, the one here at 2025-10-01T07:00:00Z\n")
        .stderr_has("take it with `--accept-older`")
        .exit(5)
        .run();
    assert_eq!(world.latest(), newer);
    assert_eq!(world.exports.count(BUNDLE), 1, "nothing large is transferred for a generation that is refused");
    world.pull().args(["--accept-older", "--keep", "1"]).any_stdout().run();
    world.assert_in_step();
    assert_eq!(
        world.generations(),
        [world.latest(), newer],
        "what `latest` names is kept, though it is not the newest"
    );
    assert!(world.pull().any_stdout().run().stdout.starts_with("unchanged"));
}

#[test]
fn a_generation_from_the_future_is_refused() {
    let world = World::new();
    world.exports.publish(|recipe| recipe.created = "2199-01-01T00:00:00Z".parse().unwrap());
    world
        .pull()
        .any_stderr()
        .stderr_has("error: this generation is from the future\ncaused by: it was created at 2199-01-01T00:00:00Z; by this machine's clock it is 20")
        .stderr_has("take it with `--allow-future`")
        .exit(5)
        .run();
    assert!(world.generations().is_empty());
    world.pull().args(["--allow-future"]).any_stdout().run();
    world.assert_in_step();
}

#[test]
fn something_must_vouch_for_a_bundle() {
    let world = World::with(Recipe { references: false, ..Recipe::default() });
    world.exports.edit(MANIFEST, |manifest| drop(manifest.as_object_mut().unwrap().remove("bundle")));
    world
        .pull_unkeyed()
        .any_stderr()
        .stderr_has("error: nothing vouches for `mirror/primary/bundle.json`\n")
        .exit(5)
        .run();
    world.pull().any_stdout().run();
    world.assert_in_step();
    world.exports.next_generation();
    world
        .pull_unkeyed()
        .args(["--allow-unverified"])
        .any_stdout()
        .stderr("note: the signature is NOT CHECKED, since no `--key` was given\n")
        .run();
    world.assert_in_step();
}

#[test]
fn every_form_of_signature_is_verified_and_none_is_said() {
    for eddsa in [true, false] {
        for signature in [
            Signature::Attached { eddsa },
            Signature::Detached { eddsa, b64: true },
            Signature::Detached { eddsa, b64: false },
        ] {
            let world = World::with(Recipe { signature, ..Recipe::default() });
            assert!(world.pull().any_stdout().run().stdout.contains("signature: verified"));
        }
    }
    let world = World::with(Recipe { signature: Signature::Absent, ..Recipe::default() });
    assert!(world.pull_unkeyed().any_stdout().run().stdout.contains("signature: none\n"));
    world.pull().any_stderr().stderr_has("error: the bundle is not signed\n").exit(5).run();
}

#[test]
fn what_somebody_changed_on_disk_is_found_and_mended() {
    let world = World::new();
    world.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(100_000));
    world.pull().any_stdout().run();
    let (name, bundle) = (world.latest(), world.path("latest").join(local(BUNDLE).unwrap()));
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[50_000] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    world.exports.forget();
    world.pull().any_stdout().run();
    world.assert_in_step();
    assert_eq!(world.latest(), name);
    assert_eq!(world.exports.bytes(BUNDLE), 100_000);
    assert_eq!(world.exports.bytes(SIGNATURE), 0);
}

#[test]
fn a_lost_link_or_generation_is_brought_back() {
    let world = World::new();
    world.pull().any_stdout().run();
    let name = world.latest();
    fs::remove_file(world.path("latest")).unwrap();
    world.exports.forget();
    world.pull().any_stdout().run();
    assert_eq!((world.latest(), world.exports.bytes(BUNDLE)), (name.clone(), 0));
    fs::remove_dir_all(world.path(&name)).unwrap();
    world.pull().any_stdout().run();
    world.assert_in_step();
}

#[test]
fn advisories_alone_where_there_is_no_vex() {
    let world = World::new();
    world.exports.remove(VEX_DOMAIN);
    world
        .pull()
        .any_stderr()
        .stderr_has("error: `http://mirror` offers no VEX exports of `primary`\n")
        .stderr_has("`--no-vex`")
        .exit(4)
        .run();
    assert!(world.generations().is_empty());
    let output = world.pull().args(["--no-vex"]).any_stdout().run();
    assert!(output.stdout.contains("5 advisories, without VEX exports"), "{output}");
    assert_eq!(world.shown().len(), 4);
}

#[test]
fn the_result_as_json() {
    let world = World::new();
    let output = world.pull().args(["--json"]).any_stdout().run();
    let value: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((value["schema"].as_u64(), value["isNew"].as_bool()), (Some(1), Some(true)));
    assert_eq!(value["generation"], world.latest());
    assert_eq!((value["files"].as_u64(), value["reused"].as_u64()), (Some(8), Some(0)));
}

#[test]
fn a_list_that_only_tells_another_time_is_no_new_generation() {
    // Ed25519: an export that is made again has the same signature.
    let world = World::with(Recipe { signature: Signature::Attached { eddsa: true }, ..Recipe::default() });
    world.pull().any_stdout().run();
    let name = world.latest();
    world.exports.edit(VEX_INDEX, |index| index["generatedAt"] = "2025-10-01T06:30:00Z".into());
    let output = world.pull().any_stdout().run();
    assert!(output.stdout.starts_with("unchanged: "), "{output}");
    assert_eq!(world.latest(), name);
    // With something new, it is taken as it is.
    world.exports.edit(VEX_INDEX, |index| index["exports"][0]["format"] = "csaf".into());
    world.pull().any_stdout().run();
    world.assert_in_step();
    assert_eq!(world.generations().len(), 2);
}
