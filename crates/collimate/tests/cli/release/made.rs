//! What `release new` makes.

use camino::Utf8Path;

use crate::rollout::fixture::{Fixture, SERVICES, manifest, profile, reference, release};

/// What a build of these tags leaves behind.
pub(super) fn built(tags: [u32; 2]) -> String {
    SERVICES.iter().zip(tags).map(|(service, tag)| reference(service, tag) + "\n").collect()
}

/// The digest of a service, as a manifest lists it.
pub(super) fn digest(service: &str, tag: u32) -> String {
    reference(service, tag).split_once('@').unwrap().1.to_owned()
}

pub(super) const NEW: [&str; 7] = ["release", "new", "1.2.0-edge", "--channel", "edge", "--from-file", "built.txt"];

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.sandbox.write("built.txt", format!("# build 7\n{}", built([3, 1])));
    fixture
}

#[test]
fn a_build_becomes_the_release_of_its_channel() {
    let fixture = fixture();
    let before = fixture.sandbox.read("releases/edge.yaml");
    let made = fixture.run(&NEW, 0);
    assert!(
        made.stdout.starts_with(
            "`edge`: `1.1.0-edge` → `1.2.0-edge`\nchanged  web  1.2 → 1.3\n\
             gate resolved-digests  passed\ngate hold              passed\n\
             wrote `compose/dev.yaml`\nwrote `releases/archive/1.1.0-edge.yaml`\nwrote `releases/edge.yaml`\n\
             wrote `releases/history/"
        ),
        "{made}"
    );
    let message = made.stdout.split_once("commit message:\n\n").unwrap().1;
    assert!(
        message.starts_with(
            "    edge: release 1.2.0-edge\n\n    Takes the place of 1.1.0-edge, which is archived.\n\n    \
             changed  web  1.2 → 1.3\n\n    Release-Identity: sha256:"
        ),
        "{made}"
    );
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), profile("edge", &release("1.2.0-edge", [3, 1]), 0));
    assert_eq!(fixture.sandbox.read("releases/archive/1.1.0-edge.yaml"), before);
    let new = fixture.sandbox.read("releases/edge.yaml");
    assert!(
        new.contains("version: 1.2.0-edge\nchannel: edge\ndate: 20") && new.contains("digests: resolved\n"),
        "{new}"
    );
    fixture.is_sound();
    let entry = fixture.sandbox.read(&fixture.entries()[0]);
    assert!(entry.contains("\"kind\": \"release-new\"") && entry.contains("\"name\": \"built.txt\""), "{entry}");
    let told = fixture.run(&["history"], 0).stdout;
    assert!(told.contains("  release-new  edge  1.1.0-edge → 1.2.0-edge (built.txt)  by alice  "), "{told}");

    let files = fixture.snapshot();
    fixture.program(&NEW).stdout("`edge` has release `1.2.0-edge` already; nothing to do\n").run();
    assert_eq!(fixture.snapshot(), files);
}

#[test]
fn every_way_to_say_what_was_built_is_the_same() {
    let (web, worker) = (digest("web", 3), digest("worker", 1));
    let bake = format!(
        r#"{{"web": {{"image.name": "registry.example.org/web:1.3", "containerimage.digest": "{web}"}},
            "worker": {{"image.name": "registry.example.org/worker:1.1", "containerimage.digest": "{worker}"}}}}"#
    );
    let list = format!(
        r#"[{{"image": "registry.example.org/web", "tag": "1.3", "digest": "{web}"}},
            {{"image": "registry.example.org/worker", "tag": "1.1", "digest": "{worker}"}}]"#
    );
    let made: Vec<String> = [built([3, 1]), bake, list]
        .into_iter()
        .map(|text| {
            let fixture = Fixture::new();
            let mut arguments = NEW;
            arguments[6] = "-";
            fixture.program(&arguments).stdin(text).any_stdout().run();
            fixture.is_sound();
            let text = fixture.sandbox.read("releases/edge.yaml");
            text.lines().filter(|line| !line.starts_with("date: ")).collect()
        })
        .collect();
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]), "{made:?}");
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let fixture = fixture();
    let before = fixture.snapshot();
    let mut arguments = NEW.to_vec();
    arguments.push("--dry-run");
    let shown = fixture.run(&arguments, 0).stdout;
    for expected in [
        "+++ b/compose/dev.yaml\n",
        "+++ b/releases/archive/1.1.0-edge.yaml\n",
        "-version: 1.1.0-edge\n",
        "+      org.example.release.version: \"1.2.0-edge\"\n",
        "gate hold              passed\n",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn components_that_come_and_go_are_decided() {
    let fixture = Fixture::new();
    let late = format!("registry.example.org/late:1.1@sha256:{}", "5".repeat(64));
    let tools = format!("registry.example.org/tools:1.1@sha256:{}", "6".repeat(64));
    fixture.sandbox.write("built.txt", format!("{}\n{late}\n{tools}\n", reference("web", 3)));
    let refused = fixture.run(&NEW, 1);
    assert_eq!(
        refused.stderr,
        "error: `built.txt` does not decide what is in `1.2.0-edge`\n\
         caused by: `registry.example.org/late` (line 2) is the image of no component \
         (`--add COMPONENT=registry.example.org/late`, or `--skip registry.example.org/late`)\n\
         caused by: `registry.example.org/tools` (line 3) is the image of no component \
         (`--add COMPONENT=registry.example.org/tools`, or `--skip registry.example.org/tools`)\n\
         caused by: not among the images: worker (`--keep COMPONENT` or `--drop COMPONENT` for each)\n\
         hint: nothing was written\n"
    );
    // A profile uses the new service, and no longer the old one.
    let dev = fixture.sandbox.read("compose/dev.yaml");
    let (kept, _) = dev.split_once("  worker:").unwrap();
    fixture.sandbox.write("compose/dev.yaml", format!("{kept}  late: {{image: \"{late}\"}}\n"));
    let decided =
        ["--drop", "worker", "--add", "late=registry.example.org/late", "--skip", "registry.example.org/tools"];
    let made = fixture.run(&[&NEW[..], &decided].concat(), 0);
    assert!(made.stdout.contains("added    late    registry.example.org/late:1.1\nchanged  web     1.2 → 1.3\nremoved  worker  registry.example.org/worker:1.1\n"), "{made}");
    fixture.is_sound();
}

#[test]
fn what_was_edited_by_hand_stays_and_a_rollback_brings_everything_back() {
    let fixture = fixture();
    fixture.sandbox.write("compose/dev.yaml", profile("edge", &release("1.1.0-edge", [2, 1]), 9));
    fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0);
    let before = ["compose/dev.yaml", "releases/edge.yaml"].map(|path| fixture.sandbox.read(path));
    fixture.run(&NEW, 0);
    let new = fixture.sandbox.read("releases/edge.yaml");
    assert_eq!(fixture.sandbox.read("compose/dev.yaml"), profile("edge", &release("1.2.0-edge", [3, 1]), 9));
    fixture.run(&["rollback", "edge", "--reason", "it broke"], 0);
    assert_eq!(["compose/dev.yaml", "releases/edge.yaml"].map(|path| fixture.sandbox.read(path)), before);
    fixture.is_sound();
    let held = fixture.run(&NEW, 1);
    assert!(held.stderr.contains("`edge` is held: it broke (by alice since "), "{held}");
    fixture.run(&["hold", "lift", "edge"], 0);
    fixture.run(&NEW, 0);
    assert_eq!(fixture.sandbox.read("releases/edge.yaml"), new, "one version is one release, its date included");
    fixture.is_sound();
    let held = fixture.run(&["history", "--at", "2999-01-01"], 0).stdout;
    assert!(held.contains(": release-new by alice"), "{held}");
}

#[test]
fn in_a_channel_with_rings_the_first_one_moves() {
    let fixture = fixture();
    fixture
        .sandbox
        .replace(
            "collimate.yaml",
            "edge: {release: releases/edge.yaml}",
            "edge: {release: releases/edge.yaml, rings: [one, two]}",
        )
        .replace(
            "collimate.yaml",
            "dev: {channel: edge, ",
            "late: {channel: edge, ring: two, compose: [compose/late.yaml]}\n  dev: {channel: edge, ring: one, ",
        );
    let before = fixture.sandbox.read("compose/dev.yaml");
    fixture.sandbox.write("compose/late.yaml", &before);
    let made = fixture.run(&NEW, 0);
    assert!(made.stdout.starts_with("`edge/one`: `1.1.0-edge` → `1.2.0-edge`\n"), "{made}");
    assert_eq!(fixture.sandbox.read("compose/late.yaml"), before);
    assert_eq!(fixture.version_in("dev"), "1.2.0-edge");
    assert!(
        fixture
            .sandbox
            .read("collimate.yaml")
            .contains("rings: [one, {name: two, release: releases/archive/1.1.0-edge.yaml}]")
    );
    fixture.is_sound();
}

#[test]
fn a_manifest_beside_the_channels_is_made_edited_and_taken() {
    let fixture = fixture();
    let before = fixture.snapshot();
    let made = fixture.run(&["release", "new", "1.2.0-edge", "--from", "edge", "--tag", "1.3"], 0);
    assert_eq!(
        made.stdout,
        "changed  web     1.2 → 1.3\nchanged  worker  1.1 → 1.3\nwrote `releases/1.2.0-edge.yaml`\n\
         next: `collimate release resolve releases/1.2.0-edge.yaml`: 2 digests not known yet\n"
    );
    let draft = fixture.sandbox.read("releases/1.2.0-edge.yaml");
    assert!(draft.contains("digests: sample\n") && draft.matches("digest: unresolved\n").count() == 2, "{draft}");
    let again = fixture.run(&["release", "new", "1.2.0-edge", "--from", "edge", "--tag", "1.3"], 0);
    assert_eq!(again.stdout, "`releases/1.2.0-edge.yaml` holds release `1.2.0-edge` already; nothing to do\n");
    let other = fixture.run(&["release", "new", "1.2.0-edge", "--from", "edge", "--tag", "1.4"], 2);
    assert!(other.stderr.starts_with("error: `releases/1.2.0-edge.yaml` exists already\n"), "{other}");
    let take = ["release", "new", "1.2.0-edge", "--channel", "edge", "--from", "releases/1.2.0-edge.yaml"];
    let refused = fixture.run(&take, 1);
    assert!(
        refused
            .stderr
            .starts_with("error: release `1.2.0-edge` has components without a digest\ncaused by: web, worker\n"),
        "{refused}"
    );
    for (path, text) in &before {
        assert_eq!(fixture.sandbox.read(path), *text, "{path}");
    }

    let (web, worker) = (format!("web=@{}", digest("web", 3)), format!("worker=1.1@{}", digest("worker", 1)));
    let set = fixture.run(&["release", "set", "--release", "releases/1.2.0-edge.yaml", &web, &worker], 0);
    assert!(
        set.stdout.ends_with(
            "wrote `releases/1.2.0-edge.yaml`\n\
             next: `collimate release new 1.2.0-edge --from releases/1.2.0-edge.yaml --channel CHANNEL`\n"
        ),
        "{set}"
    );
    fixture.run(&take, 0);
    assert_eq!(
        fixture.sandbox.read("releases/edge.yaml"),
        fixture.sandbox.read("releases/1.2.0-edge.yaml"),
        "byte for byte what was looked at"
    );
    fixture.is_sound();
}

#[test]
fn a_hotfix_remembers_what_its_release_came_from() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.run(&["release", "new", "1.1.1", "--from", "stable", "--output", "fix.yaml"], 0);
    let fix = fixture.sandbox.read("fix.yaml");
    assert!(
        fix.contains("version: 1.1.1\nchannel: stable\n") && fix.contains("promoted_from:\n  version: 1.1.0-edge\n"),
        "{fix}"
    );
    let taken = fixture.run(&["release", "new", "1.1.1", "--from", "fix.yaml", "--channel", "stable"], 2);
    assert!(taken.stderr.starts_with("error: `stable` takes its releases from `edge`\n"), "{taken}");
}

#[test]
fn pin_says_what_to_tell_version_control() {
    let fixture = Fixture::new();
    fixture.sandbox.write("releases/edge.yaml", manifest("edge", &release("1.2.0-edge", [3, 1])));
    let pinned = fixture.run(&["pin"], 0).stdout;
    assert!(
        pinned.ends_with(
            "4 places written\ncommit message:\n\n    pin: edge 1.2.0-edge\n\n    compose/dev.yaml  4 places\n"
        ),
        "{pinned}"
    );
    assert_eq!(fixture.run(&["pin"], 0).stdout, "0 places written\n", "nothing to commit");
    let promoted = fixture.run(&["promote", "edge", "stable"], 0).stdout;
    let message = promoted.split_once("commit message:\n\n").unwrap().1;
    assert!(
        message.starts_with(
            "    stable/stage: release 1.2.0\n\n    Takes 1.2.0-edge of edge in place of 1.0.0.\n\n    \
             changed  web  1.1 → 1.3\n\n    Release-Identity: sha256:"
        ),
        "{promoted}"
    );
    let identity = message.trim_end().rsplit_once("sha256:").unwrap().1;
    let shown = fixture.run(&["release", "show", "stable/stage"], 0).stdout;
    assert!(shown.contains(identity), "{shown}");
    assert!(Utf8Path::new(fixture.entries()[0].as_str()).extension() == Some("json"));
}
