//! What the archive has to say to a step: what it is about, however it is written there, and nothing of what it is not about.

use testkit::Sandbox;

use super::fixture::{Fixture, manifest, release};

const OLD: &str = "releases/archive/0.7.0.yaml";
const OLDER: &str = "releases/archive/0.6.0.yaml";

/// Archived releases, each with a tag of its own.
fn archived(sandbox: &Sandbox) {
    sandbox
        .write(OLD, manifest("stable", &release("0.7.0", [7, 7])))
        .write(OLDER, manifest("stable", &release("0.6.0", [6, 6])));
}

#[test]
fn old_releases_that_contradict_each_other_hold_up_nobody() {
    let fixture = Fixture::new();
    archived(&fixture.sandbox);
    let older = fixture.sandbox.read(OLDER).replace("\"1.6\"", "\"1.7\"");
    fixture.sandbox.write(OLDER, older);
    let checked = fixture.run(&["check"], 1);
    assert!(checked.stdout.contains("error[release-tag-moved]"), "{checked}");
    fixture.run(&["promote", "edge", "stable"], 0);
    fixture.run(&["mark-good", "stable/stage", "--evidence", "smoke.json"], 0);
    fixture.run(&["advance", "stable", "prod"], 0);
    assert_eq!(fixture.version_in("prod"), "1.1.0");
}

#[test]
fn a_broken_manifest_of_the_archive_holds_up_nobody() {
    let fixture = Fixture::new();
    archived(&fixture.sandbox);
    fixture.sandbox.write(OLDER, "schema: [");
    fixture.run(&["check"], 1);
    fixture.run(&["promote", "edge", "stable"], 0);
}

#[test]
fn a_tag_that_an_archived_release_has_is_seen_however_it_is_written() {
    for (spelled, is_seen) in
        [("\"1.7\"", true), ("'1.7'", true), (r#""1.\x37""#, true), (r#""1\u002e\x37""#, true), ("\"1.77\"", false)]
    {
        let fixture = Fixture::new();
        archived(&fixture.sandbox);
        let old = fixture.sandbox.read(OLD).replace("\"1.7\"", spelled);
        fixture.sandbox.write(OLD, old);
        let built = format!("{}\n{}\n", reference_of("web", "1.7", 'a'), reference_of("worker", "1.1", 'b'));
        fixture.sandbox.write("built.txt", built);
        let arguments = ["release", "new", "1.2.0-edge", "--channel", "edge", "--from-file", "built.txt"];
        let output = fixture.program(&arguments).output();
        let is_refused = output.stderr.contains("`registry.example.org/web:1.7` is sha256:");
        assert_eq!(is_refused, is_seen, "{spelled}: {output}");
    }
}

fn reference_of(service: &str, tag: &str, digit: char) -> String {
    format!("registry.example.org/{service}:{tag}@sha256:{}", digit.to_string().repeat(64))
}

#[test]
fn a_release_is_found_in_the_archive_under_whatever_name() {
    let fixture = Fixture::new();
    fixture.run(&["promote", "edge", "stable"], 0);
    let archived = "releases/archive/1.0.0.yaml";
    let text = fixture.sandbox.read(archived);
    std::fs::remove_file(fixture.sandbox.path(archived)).unwrap();
    // What is named after it is another one.
    fixture.sandbox.write("releases/archive/first.yaml", text);
    fixture.sandbox.write(
        "collimate.yaml",
        fixture.sandbox.read("collimate.yaml").replace(archived, "releases/archive/first.yaml"),
    );
    fixture.run(&["rollback", "stable/stage", "--to", "1.0.0", "--reason", "it broke"], 0);
    assert_eq!(fixture.version_in("stage"), "1.0.0");
}
