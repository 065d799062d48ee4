//! Inputs that are refused: each with its exit code and its words, and with nothing written.

use super::made::{NEW, built, digest};
use crate::rollout::fixture::Fixture;

type Prepare = fn(&Fixture);

fn nothing(_: &Fixture) {}

fn build(fixture: &Fixture) {
    fixture.sandbox.write("built.txt", built([3, 1]));
}

/// Name, preparation, command line, exit code, what stderr says.
const CASES: &[(&str, Prepare, &[&str], i32, &str)] = &[
    (
        "a version with a path",
        build,
        &["release", "new", "../x", "--from", "edge"],
        2,
        "error: `../x` cannot be a version: ",
    ),
    ("nothing to start from", build, &["release", "new", "2"], 2, "--from <RELEASE>"),
    (
        "an unknown channel",
        build,
        &["release", "new", "2", "--channel", "egde", "--from-file", "built.txt"],
        2,
        "error: there is no channel or ring `egde`\nhint: did you mean `edge`?\n",
    ),
    (
        "a ring",
        build,
        &["release", "new", "2", "--channel", "stable/prod", "--from-file", "built.txt"],
        2,
        "error: `stable/prod` is a ring; a channel is meant here\n",
    ),
    (
        "a channel that releases are promoted into",
        build,
        &["release", "new", "2", "--channel", "stable", "--from-file", "built.txt"],
        2,
        "error: `stable` takes its releases from `edge`\ncaused by: `promote` brings them, through the gates of the channel\n\
         hint: leave `--channel` out to make a manifest beside the channels' own\n",
    ),
    (
        "an unknown release to start from",
        nothing,
        &["release", "new", "2", "--from", "1.0"],
        2,
        "error: there is no release `1.0`\n\
         caused by: it is no channel, no ring of one, no version that is current or archived, and no file\n\
         hint: there are: edge, stable, stable/stage, stable/prod, 1.1.0-edge, 1.0.0\n",
    ),
    (
        "a version that another channel has",
        build,
        &["release", "new", "1.0.0", "--channel", "edge", "--from-file", "built.txt"],
        2,
        "error: there is another release `1.0.0`: `releases/stable.yaml`\n\
         caused by: a version names one release for ever\nhint: give the new one a version of its own\n",
    ),
    (
        "a version that the archive had",
        |fixture| {
            build(fixture);
            fixture.run(&["mark-good", "edge", "--evidence", "smoke.json"], 0);
            fixture.run(&NEW, 0);
            fixture.sandbox.remove("releases/archive/1.1.0-edge.yaml");
        },
        &["release", "new", "1.1.0-edge", "--channel", "edge", "--from-file", "built.txt"],
        2,
        "error: there is another release `1.1.0-edge`: the ledger knows it\n",
    ),
    (
        "a version that exists, beside",
        nothing,
        &["release", "new", "1.0.0", "--from", "stable"],
        2,
        "error: there is a release `1.0.0` already: `releases/stable.yaml`\n",
    ),
    ("no build", nothing, &NEW, 3, "error: cannot read `built.txt`\ncaused by: it does not exist\n"),
    (
        "a folder as a build",
        |fixture| {
            fixture.sandbox.write("built.txt/x", "");
        },
        &NEW,
        3,
        "error: cannot read `built.txt`\ncaused by: it is not a regular file\n",
    ),
    (
        "a build that failed",
        |fixture| {
            fixture.sandbox.write("built.txt", "");
        },
        &NEW,
        3,
        "error: `built.txt` does not say what was built\ncaused by: it names no image\n",
    ),
    (
        "a build without a digest",
        |fixture| {
            fixture.sandbox.write("built.txt", "# x\nregistry.example.org/web:1.3\n");
        },
        &NEW,
        3,
        "error: `built.txt` does not say what was built\ncaused by: line 2: `registry.example.org/web:1.3` has no digest\n\
         hint: write lines `image:tag@sha256:…`, or give the file of `docker buildx bake --metadata-file`\n",
    ),
    (
        "metadata that is cut off",
        |fixture| {
            fixture.sandbox.write("built.txt", "{\"web\": {");
        },
        &NEW,
        3,
        "caused by: it begins as JSON and is none: EOF while parsing an object at line 1 column 9\n",
    ),
    (
        "an unknown decision",
        build,
        &["release", "new", "2", "--channel", "edge", "--from-file", "built.txt", "--keep", "wbe"],
        1,
        "error: `built.txt` does not decide what is in `2`\n\
         caused by: there is no component `wbe` (did you mean `web`?)\nhint: nothing was written\n",
    ),
    (
        "a decision without a build",
        nothing,
        &["release", "new", "2", "--from", "edge", "--drop", "web"],
        2,
        "--from-file <FILE>",
    ),
    (
        "a new component with a tag",
        build,
        &["release", "new", "2", "--channel", "edge", "--from-file", "built.txt", "--add", "x=r.example/x:1"],
        2,
        "write `r.example/x`, without tag and digest",
    ),
    ("no tag", nothing, &["release", "new", "2", "--from", "edge", "--tag", "a b"], 2, "error: `a b` is no tag\n"),
    (
        "a tag that was moved",
        |fixture| {
            let text = built([2, 1]).replace(&digest("web", 2), &digest("web", 77));
            fixture.sandbox.write("built.txt", text);
        },
        &NEW,
        1,
        "error: a tag was moved: another release lists it with another digest\n\
         caused by: `registry.example.org/web:1.2` is sha256:",
    ),
    (
        "held",
        |fixture| {
            build(fixture);
            fixture.run(&["hold", "set", "edge", "--reason", "audit week"], 0);
        },
        &NEW,
        1,
        "error: `edge` may not take this release\ncaused by: `edge` is held: audit week (by alice since ",
    ),
    (
        "a folder that is not there",
        nothing,
        &["release", "new", "2", "--from", "edge", "--output", "none/x.yaml"],
        4,
        "error: cannot write `[DIR]/none/x.yaml`\n",
    ),
    (
        "a profile that cannot be pinned",
        |fixture| {
            build(fixture);
            let text = fixture.sandbox.read("compose/dev.yaml");
            let (before, after) = text.split_once("web:1.2@sha256:").unwrap();
            let (first, rest) = after.split_at(32);
            fixture.sandbox.write("compose/dev.yaml", format!("{before}web:1.2@sha256:${{HALF:-{first}}}{rest}"));
        },
        &NEW,
        1,
        "error: 1 place cannot be pinned\n",
    ),
    (
        "a component that a profile uses",
        |fixture| {
            fixture.sandbox.write("built.txt", built([3, 1]).lines().next().unwrap());
        },
        &["release", "new", "2", "--channel", "edge", "--from-file", "built.txt", "--drop", "worker"],
        1,
        "error: this would cause 1 new error\n",
    ),
    (
        "an archived release that was changed",
        |fixture| {
            build(fixture);
            let text = fixture.sandbox.read("releases/edge.yaml").replace("tag: \"1.1\"", "tag: \"1.0\"");
            fixture
                .sandbox
                .write("releases/archive/1.1.0-edge.yaml", text.replace(&digest("worker", 1), &digest("worker", 0)));
        },
        &NEW,
        1,
        "error: `releases/archive/1.1.0-edge.yaml` holds another release `1.1.0-edge`\n",
    ),
    (
        "an edit without a digest",
        nothing,
        &["release", "set", "web=1.3"],
        2,
        "error: cannot set `web=1.3`\ncaused by: it has no digest, so that nobody would know which image is meant\n\
         hint: write `COMPONENT=TAG@DIGEST`, `COMPONENT=@DIGEST` or `COMPONENT=IMAGE:TAG@DIGEST`\n",
    ),
    (
        "an edit of nothing",
        nothing,
        &["release", "set", "web"],
        2,
        "error: cannot set `web`\ncaused by: it has no `=`\n",
    ),
    (
        "an edit of an unknown component",
        nothing,
        &["release", "set", "wbe=@sha256:00"],
        2,
        "error: release `1.1.0-edge` lists no component `wbe`\nhint: did you mean `web`?\n",
    ),
    (
        "a short digest",
        nothing,
        &["release", "set", "web=@sha256:00"],
        2,
        "caused by: `sha256:00` is no digest: a sha256 digest has 64 hexadecimal digits; this has 2\n",
    ),
    (
        "another image",
        nothing,
        &[
            "release",
            "set",
            "web=registry.example.org/wep:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ],
        2,
        "caused by: `web` is `registry.example.org/web`; `registry.example.org/wep` is another image\n",
    ),
    (
        "twice",
        nothing,
        &[
            "release",
            "set",
            "web=@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "web=@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        ],
        2,
        "error: `web` is given twice\n",
    ),
    (
        "an edit that moves a tag",
        |fixture| {
            fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
        },
        &["release", "set", "worker=@sha256:0000000000000000000000000000000000000000000000000000000000000000"],
        1,
        "error: a tag was moved: another release lists it with another digest\n\
         caused by: `registry.example.org/worker:1.1` is sha256:",
    ),
    (
        "an edit in one of several channels",
        |fixture| {
            fixture.sandbox.replace("collimate.yaml", "    promote_from: edge\n", "");
        },
        &["release", "set", "web=@sha256:0000000000000000000000000000000000000000000000000000000000000000"],
        2,
        "error: which release is meant is not said\n\
         caused by: 2 channels take their releases from no other: edge, stable\nhint: name it with `--release CHANNEL`\n",
    ),
    (
        "an edit through an alias",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml");
            let (web, worker) = (digest("web", 2), digest("worker", 1));
            let text = text.replace(&web, &format!("&one {web}")).replace(&worker, "*one");
            fixture.sandbox.write("releases/edge.yaml", text);
        },
        &["release", "set", "worker=9@sha256:0000000000000000000000000000000000000000000000000000000000000000"],
        1,
        "error: cannot edit `releases/edge.yaml`\ncaused by: `worker` cannot be edited: ",
    ),
    (
        "no manifest",
        |fixture| {
            fixture.sandbox.write("x.yaml", "schema: 2\n");
        },
        &["release", "diff", "x.yaml", "edge"],
        3,
        "error: `x.yaml` is no release manifest\ncaused by: line 1: `schema` must be 1\n",
    ),
    (
        "a manifest with many faults",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml");
            fixture.sandbox.write("x.yaml", format!("{text}one: 1\ntwo: 2\nthree: 3\nfour: 4\n"));
        },
        &["release", "diff", "x.yaml", "edge"],
        3,
        "error: `x.yaml` is no release manifest\n\
         caused by: line 16: unknown key `one`\ncaused by: line 17: unknown key `two`\ncaused by: line 18: unknown key `three`\n\
         hint: ",
    ),
    (
        "a version that writes lines of its own",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml");
            fixture.sandbox.write("x.yaml", text.replace("1.1.0-edge", "\"1\\ntrusted: all\""));
        },
        &["release", "show", "x.yaml"],
        3,
        "error: `x.yaml` is no release manifest\n\
         caused by: a version, channel or component has control characters in its name\n",
    ),
    (
        "a file that is not there",
        nothing,
        &["release", "show", "x.yaml"],
        3,
        "error: cannot read `x.yaml`\ncaused by: it does not exist\n",
    ),
    (
        "a damaged current manifest",
        |fixture| {
            fixture.sandbox.replace("releases/edge.yaml", "channel: edge", "chanel: edge");
        },
        &["release", "show", "edge"],
        1,
        "error: the release manifest `releases/edge.yaml` cannot be used\ncaused by: unknown key `chanel`\n",
    ),
    (
        "two releases of one version",
        |fixture| {
            let text = fixture.sandbox.read("releases/edge.yaml").replace("tag: \"1.1\"", "tag: \"1.0\"");
            fixture.sandbox.write("releases/archive/1.1.0-edge.yaml", text);
        },
        &["release", "diff", "1.1.0-edge", "edge"],
        2,
        "error: there are two releases `1.1.0-edge`\n\
         caused by: `releases/edge.yaml` and `releases/archive/1.1.0-edge.yaml`\nhint: name one of the files\n",
    ),
    (
        "no key",
        nothing,
        &["release", "sign", "edge", "--key", "none"],
        3,
        "error: cannot read `none`\ncaused by: it does not exist\n",
    ),
    (
        "an interruption before a dry run",
        |fixture| {
            build(fixture);
            fixture.sandbox.write("releases/.collimate-journal", "{}");
        },
        &["release", "new", "2", "--channel", "edge", "--from-file", "built.txt", "--dry-run"],
        1,
        "error: a change that was interrupted waits to be finished\n",
    ),
];

#[test]
fn every_bad_input_is_refused_with_its_words_and_changes_nothing() {
    for (name, prepare, arguments, exit, said) in CASES {
        let fixture = Fixture::new();
        prepare(&fixture);
        let before = fixture.snapshot();
        let output = fixture.program(arguments).output();
        assert_eq!(output.exit, *exit, "{name}: {output}");
        assert!(output.stderr.contains(said), "{name}: {output}");
        assert_eq!(fixture.snapshot(), before, "{name}");
    }
}

#[test]
fn stand_ins_are_taken_only_if_somebody_says_so() {
    let fixture = Fixture::new();
    let sample = release::Digest::sample("registry.example.org/web", "1.3").to_string();
    fixture.sandbox.write("built.txt", built([3, 1]).replace(&digest("web", 3), &sample));
    let refused = fixture.run(&NEW, 1);
    assert!(refused.stderr.contains("the digests of `1.2.0-edge` are stand-ins ("), "{refused}");
    fixture.run(&[&NEW[..], &["--allow-sample-digests"]].concat(), 0);
    assert!(fixture.sandbox.read("releases/edge.yaml").contains("digests: sample\n"));
    fixture.is_sound();
    let resolved = format!("web=@{}", digest("web", 3));
    fixture.run(&["release", "set", &resolved], 0);
    assert!(fixture.sandbox.read("releases/edge.yaml").contains("digests: resolved\n"));
    let stand_in = fixture.run(&["release", "set", &format!("web=@{sample}")], 2);
    assert!(
        stand_in.stderr.contains("the digest is the stand-in of `registry.example.org/web:1.3`, which no registry has"),
        "{stand_in}"
    );
}

#[test]
fn a_freeze_stops_a_new_release_too() {
    let fixture = Fixture::new();
    build(&fixture);
    let gates = "edge:\n    release: releases/edge.yaml\n    gates: {freezes: [{from: 2000-01-01, until: 2999-01-01, reason: audit}]}";
    fixture.sandbox.replace("collimate.yaml", "edge: {release: releases/edge.yaml}", gates);
    let refused = fixture.run(&NEW, 1);
    assert!(refused.stderr.contains("nothing moves until 2999-01-01: audit"), "{refused}");
    fixture.run(&[&NEW[..], &["--break-glass", "a leak"]].concat(), 0);
    assert!(fixture.sandbox.read(&fixture.entries()[0]).contains("\"emergency\": \"a leak\""));
}
