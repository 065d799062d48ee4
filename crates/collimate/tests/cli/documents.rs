//! Marked blocks of documents: `pin` and everything that moves a release keep them as the releases are.

use crate::rollout::fixture::{Fixture, GREEN, SERVICES, reference, release};

const DOCUMENT: &str = "install.md";

/// A workspace with a document whose blocks are right.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let workspace = fixture.sandbox.read("collimate.yaml");
    fixture.sandbox.write("collimate.yaml", format!("{workspace}docs: [{DOCUMENT}]\n"));
    write(&fixture, "1.1.0-edge", ("1.0.0", [1, 1]), ("1.0.0", [1, 1]));
    fixture.run(&["check", "--deny", "warnings"], 0);
    fixture
}

/// The document with the versions of edge, stage and prod, and their tags.
fn document(edge: &str, stage: (&str, [u32; 2]), prod: (&str, [u32; 2])) -> String {
    let table = |tags: [u32; 2]| -> String {
        let row = |(name, tag): (&&str, u32)| {
            let reference = reference(name, tag);
            let (image, digest) = reference.split_once('@').unwrap();
            format!("| {name} | `{image}` | `{digest}` |\n")
        };
        SERVICES.iter().zip(tags).map(row).collect()
    };
    format!(
        "# Installing\n\nEdge has <!-- collimate:version edge -->{edge}<!-- /collimate -->, stable \
         <!-- collimate:version stable -->{}<!-- /collimate -->, production <!-- collimate:version stable/prod -->{}<!-- /collimate -->.\n\n\
         <!-- collimate:images stable/stage -->\n| component | image | digest |\n|---|---|---|\n{}<!-- /collimate -->\n\n\
         <!-- collimate:images stable/prod -->\n| component | image | digest |\n|---|---|---|\n{}<!-- /collimate -->\n",
        stage.0,
        prod.0,
        table(stage.1),
        table(prod.1),
    )
}

fn write(fixture: &Fixture, edge: &str, stage: (&str, [u32; 2]), prod: (&str, [u32; 2])) {
    fixture.sandbox.write(DOCUMENT, document(edge, stage, prod));
}

#[track_caller]
fn says(fixture: &Fixture, edge: &str, stage: (&str, [u32; 2]), prod: (&str, [u32; 2])) {
    assert_eq!(fixture.sandbox.read(DOCUMENT), document(edge, stage, prod));
}

#[test]
fn moves_carry_the_blocks_along_and_back() {
    let fixture = fixture();
    let (old, new) = (("1.0.0", [1, 1]), ("1.1.0", [2, 1]));
    let begin = fixture.sandbox.read(DOCUMENT);
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);

    let dry = fixture.run(&["promote", "edge", "stable", "--dry-run"], 0);
    assert!(dry.stdout.contains("--- a/install.md\n+++ b/install.md\n"), "{dry}");
    says(&fixture, "1.1.0-edge", old, old);

    let output = fixture.run(&["promote", "edge", "stable"], 0);
    assert!(output.stdout.contains("wrote `install.md`\n"), "{output}");
    // Only the first ring has moved.
    says(&fixture, "1.1.0-edge", new, old);
    fixture.is_sound();

    fixture.sandbox.write("second.json", GREEN.replace("otel", "notify"));
    fixture.run(&["mark-good", "stable/stage", "--evidence", "second.json"], 0);
    fixture.run(&["advance", "stable", "prod"], 0);
    says(&fixture, "1.1.0-edge", new, new);
    fixture.is_sound();

    fixture.run(&["rollback", "stable/prod", "--reason", "it fails"], 0);
    says(&fixture, "1.1.0-edge", new, old);
    fixture.run(&["rollback", "stable/stage", "--reason", "it fails there too"], 0);
    assert_eq!(fixture.sandbox.read(DOCUMENT), begin);
    fixture.is_sound();
}

#[test]
fn pin_writes_what_somebody_edited_and_leaves_other_channels_alone() {
    let fixture = fixture();
    let right = fixture.sandbox.read(DOCUMENT);
    fixture.sandbox.replace(DOCUMENT, "-->1.1.0-edge<", "-->soon<");
    fixture.sandbox.replace(
        DOCUMENT,
        "<!-- collimate:version stable -->1.0.0",
        "<!-- collimate:version stable -->1.0.1",
    );
    let wrong = fixture.sandbox.read(DOCUMENT);

    // A block is of its channel: a check of the other one says nothing about it.
    let edge = fixture.run(&["check", "edge"], 1);
    assert!(edge.stdout.contains("the version of `edge` is `1.1.0-edge`, not `soon`"), "{edge}");
    assert!(!edge.stdout.contains("the version of `stable`"), "{edge}");

    let dry = fixture.run(&["pin", "stable", "--dry-run"], 0);
    assert!(dry.stdout.starts_with("--- a/install.md\n+++ b/install.md\n"), "{dry}");
    assert_eq!(fixture.sandbox.read(DOCUMENT), wrong);

    fixture
        .program(&["pin", "stable"])
        .stdout(
            "install.md:3:106: version of `stable`: 1.0.0\n1 place written\ncommit message:\n\n    pin: stable 1.0.0\n\n    install.md  1 place\n",
        )
        .run();
    assert!(fixture.sandbox.read(DOCUMENT).contains("-->soon<"));
    fixture.run(&["pin"], 0);
    assert_eq!(fixture.sandbox.read(DOCUMENT), right);
    fixture.program(&["pin"]).stdout("0 places written\n").run();
}

/// What was read of a manifest with a problem is not what it lists: neither is a block held against it, nor is anything written from it.
#[test]
fn from_a_damaged_manifest_nothing_is_written() {
    let fixture = fixture();
    let right = fixture.sandbox.read("releases/stable.yaml");
    let digest = right.split("digest: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let cases = [
        (
            right.replacen(digest, "sha256:abc", 1),
            "`components.web.digest` is no digest: a sha256 digest has 64 hexadecimal digits; this has 3",
        ),
        (right.replacen("tag:", "tgs:", 1), "unknown key `components.web.tgs`"),
    ];
    for (manifest, reason) in cases {
        fixture.sandbox.write("releases/stable.yaml", manifest);
        let files = fixture.sandbox.files();
        let check = fixture.run(&["check"], 1);
        assert!(check.stdout.contains("error[release-schema]: "), "{check}");
        assert!(!check.stdout.contains("docs-version-stale"), "{check}");
        for command in [&["pin"][..], &["pin", "stable", "--dry-run"]] {
            fixture
                .program(command)
                .exit(1)
                .stderr(format!(
                    "error: the release manifest `releases/stable.yaml` cannot be used\ncaused by: {reason}\n\
                     hint: `collimate check` shows what is wrong with it\n"
                ))
                .run();
        }
        assert_eq!(fixture.sandbox.files(), files);
        assert_eq!(fixture.sandbox.read(DOCUMENT), document("1.1.0-edge", ("1.0.0", [1, 1]), ("1.0.0", [1, 1])));
        // Another channel has nothing to do with it.
        fixture.program(&["pin", "edge"]).stdout("0 places written\n").run();
    }
    std::fs::remove_file(fixture.sandbox.root().join("releases/stable.yaml")).unwrap();
    let missing = fixture.run(&["pin"], 1);
    assert!(missing.stderr.contains("caused by: `releases/stable.yaml` does not exist\n"), "{missing}");
}

#[test]
fn line_ends_stay_as_they_are() {
    let fixture = fixture();
    let text = fixture.sandbox.read(DOCUMENT).replace('\n', "\r\n");
    fixture.sandbox.write(DOCUMENT, &text);
    fixture.run(&["check", "--deny", "warnings"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    let expected = document("1.1.0-edge", ("1.1.0", [2, 1]), ("1.0.0", [1, 1])).replace('\n', "\r\n");
    assert_eq!(fixture.sandbox.read(DOCUMENT), expected);
}

/// A mark with a typing error is an error of `check`; it must not keep anybody from going back.
#[test]
fn a_damaged_mark_stops_no_rollback() {
    let fixture = fixture();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    let text = fixture.sandbox.read(DOCUMENT);
    fixture.sandbox.write(DOCUMENT, format!("{text}\n<!-- collimate:version stable -->\n"));
    fixture.run(&["check"], 1);
    fixture.run(&["rollback", "stable/stage", "--reason", "it fails"], 0);
    let begin = document("1.1.0-edge", ("1.0.0", [1, 1]), ("1.0.0", [1, 1]));
    assert_eq!(fixture.sandbox.read(DOCUMENT), format!("{begin}\n<!-- collimate:version stable -->\n"));
}

/// What a document cannot be read for is found where `collimate.yaml` names it, and stops no rollback either.
#[test]
fn a_document_that_is_away_is_named() {
    let fixture = fixture();
    fixture.run(&["mark-good", "stable", "--evidence", "smoke.json"], 0);
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.sandbox.remove(DOCUMENT);
    let output = fixture.run(&["check"], 1);
    assert!(
        output.stdout.contains("error[docs-version-stale]: `install.md` does not exist\n  --> collimate.yaml:13:8"),
        "{output}"
    );
    fixture.run(&["rollback", "stable/stage", "--reason", "it fails"], 0);
    assert_eq!(fixture.version_in("stage"), release("1.0.0", [1, 1]).version);
}
