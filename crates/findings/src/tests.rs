mod junit;
mod markdown;

use super::*;
use source::{FileId, SourceMap, Span};

fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(
        "compose/dev.yaml",
        "services:\n  authority:\n    image: registry.example.org/authority@sha256:5bd0e1f3\n",
    );
    sources.add("releases/edge.yaml", "components:\n  authority:\n    image: x\n    digest: sha256:9f1c77aa\n");
    sources.add("a b%,:x.env", "DB_PASSWORD=hunter2\nNAME=x\n");
    sources
}

fn at(sources: &SourceMap, file: u32, needle: &str) -> Location {
    let start = sources.file(FileId(file)).unwrap().text().find(needle).unwrap();
    Location::Span(Span::new(FileId(file), start..start + needle.len()))
}

fn mismatch(sources: &SourceMap) -> Finding<Location> {
    Finding::new(
        "digest-mismatch",
        Severity::Error,
        at(sources, 0, "sha256:5bd0e1f3"),
        "profile pins a digest that the release does not list",
    )
    .label("profile `dev` pins this")
    .related(at(sources, 1, "sha256:9f1c77aa"), "release `2025.10.0-edge` lists this")
    .help("run `collimate pin dev`")
}

#[test]
fn text_shows_both_files() {
    let sources = sources();
    let expected = "\
error[digest-mismatch]: profile pins a digest that the release does not list
 --> compose/dev.yaml:3:43
  |
3 |     image: registry.example.org/authority@sha256:5bd0e1f3
  |                                           ^^^^^^^^^^^^^^^ profile `dev` pins this
  |
 ::: releases/edge.yaml:4:13
  |
4 |     digest: sha256:9f1c77aa
  |             --------------- release `2025.10.0-edge` lists this
  |
  = help: run `collimate pin dev`

";
    assert_eq!(text(&[mismatch(&sources)], &sources, TextOptions::default()), expected);
}

#[test]
fn no_writer_prints_a_secret() {
    let sources = sources();
    let finding = Finding::new(
        "secret-value-committed",
        Severity::Error,
        at(&sources, 2, "hunter2"),
        "a secret at redis://u:hunter2@h/0\u{1b}[31m",
    )
    .related(at(&sources, 2, "DB_PASSWORD"), "redis://u:hunter2@h")
    .help("password=hunter2");
    let findings = [finding];
    let tool = Tool { name: "collimate", version: "0", rules: &[], home: "w" };
    for out in [
        text(&findings, &sources, TextOptions::default()),
        json(&findings, &[], &sources),
        sarif(&findings, &sources, tool),
        github(&findings, &sources),
        junit(&findings, &[], &sources, Severity::Error),
        markdown(&findings, &[], &sources, Severity::Note),
    ] {
        assert!(!out.contains("hunter2"), "{out}");
        assert!(!out.contains('\u{1b}'), "{out}");
    }
}

#[test]
fn commands_cannot_be_smuggled() {
    let sources = sources();
    let message = "a%b\r\n::set-output name=x::y";
    let finding = Finding::new("r", Severity::Note, at(&sources, 2, "NAME"), message).help("do");
    assert_eq!(
        github(&[finding], &sources),
        "::notice file=a b%25%2C%3Ax.env,line=2,endLine=2,col=1,endColumn=5,title=r::a%25b\u{fffd}%0A%3A%3Aset-output \
         name=x%3A%3Ay%0Ahelp: do\n"
    );
}

#[test]
fn json_has_the_documented_shape() {
    let sources = sources();
    let profiles = [ProfileVerdict { name: "dev".into(), channel: "edge".into(), images: 3, verdict: Verdict::Failed }];
    let value: serde_json::Value = serde_json::from_str(&json(&[mismatch(&sources)], &profiles, &sources)).unwrap();
    let expected = serde_json::json!({
        "schema": 2,
        "findings": [{
            "rule": "digest-mismatch",
            "severity": "error",
            "message": "profile pins a digest that the release does not list",
            "label": "profile `dev` pins this",
            "place": {"file": "compose/dev.yaml", "line": 3, "column": 43, "end_line": 3, "end_column": 58},
            "related": [{
                "place": {"file": "releases/edge.yaml", "line": 4, "column": 13, "end_line": 4, "end_column": 28},
                "label": "release `2025.10.0-edge` lists this"
            }],
            "help": "run `collimate pin dev`"
        }],
        "profiles": [{"name": "dev", "channel": "edge", "images": 3, "verdict": "failed"}]
    });
    assert_eq!(value, expected);
}

#[test]
fn sarif_names_rule_and_region() {
    let sources = sources();
    let rules = [RuleInfo { id: "digest-mismatch", summary: "s" }];
    let tool = Tool { name: "collimate", version: "1", rules: &rules, home: "my collimate.yaml" };
    let log: serde_json::Value = serde_json::from_str(&sarif(&[mismatch(&sources)], &sources, tool)).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleIndex"], 0);
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startColumn"], 43);
    assert_eq!(result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"], "releases/edge.yaml");
    let odd = Finding::new("r", Severity::Note, at(&sources, 2, "NAME"), "m");
    let log: serde_json::Value = serde_json::from_str(&sarif(&[odd], &sources, tool)).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "a%20b%25,%3Ax.env");
    // Outside the workspace, and in no file at all: GitHub refuses a log in which one result has no place.
    let places = [Location::File("/etc/\u{fc} x".into()), Location::Nowhere];
    let findings = places.map(|place| Finding::new("r", Severity::Note, place, "m"));
    let log: serde_json::Value = serde_json::from_str(&sarif(&findings, &sources, tool)).unwrap();
    let uri =
        |index: usize| &log["runs"][0]["results"][index]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!((uri(0), uri(1)), (&"file:///etc/%C3%BC%20x".into(), &"my%20collimate.yaml".into()));
}

#[test]
fn what_is_accepted_is_said_apart_and_suppressed() {
    let sources = sources();
    let mut accepted = mismatch(&sources);
    accepted.accepted = Some("listed in `b.yaml`, password=hunter2".to_owned());
    let findings = [mismatch(&sources), accepted];
    let value: serde_json::Value = serde_json::from_str(&json(&findings, &[], &sources)).unwrap();
    let count = |key: &str| value[key].as_array().unwrap().len();
    assert_eq!((count("findings"), count("accepted")), (1, 1));
    assert_eq!(value["findings"][0].get("because"), None);
    assert_eq!(value["accepted"][0]["because"], "listed in `b.yaml`, password=•••");
    let tool = Tool { name: "collimate", version: "1", rules: &[], home: "collimate.yaml" };
    let log: serde_json::Value = serde_json::from_str(&sarif(&findings, &sources, tool)).unwrap();
    let results = &log["runs"][0]["results"];
    assert_eq!(results[0].get("suppressions"), None);
    assert_eq!(
        results[1]["suppressions"],
        serde_json::json!([{"kind": "external", "status": "accepted", "justification": "listed in `b.yaml`, password=•••"}])
    );
}

#[test]
fn a_fingerprint_survives_a_move_and_a_release() {
    let mut sources = sources();
    let moved = sources.add("compose/dev.yaml", "# moved\n\nimage: registry.example.org/authority@sha256:5bd0e1f3\n");
    let text = sources.file(moved).unwrap().text().to_owned();
    let start = text.find("sha256").unwrap();
    let at_moved = |end: usize| Location::Span(Span::new(moved, start..start + end));
    let finding = |place, message: &str| Finding::new("digest-mismatch", Severity::Error, place, message);
    let here = at(&sources, 0, "sha256:5bd0e1f3");
    let print = |place: &Location, message| fingerprint(&finding(place.clone(), message), &sources);
    let known = print(&here, "release `1.0` says `x`; release `1.1` does not");
    assert_eq!(known, print(&at_moved(15), "release `2.0` says `x`; release `2.1` does not"));
    assert_ne!(known, print(&at_moved(14), "release `1.0` says `x`; release `1.1` does not"));
    assert_ne!(known, print(&here, "release `1.0` says `y`; release `1.1` does not"));
    assert_ne!(
        known,
        print(&Location::File("compose/dev.yaml".into()), "release `1.0` says `x`; release `1.1` does not")
    );
    assert_eq!(print(&here, "release `cut"), print(&here, "release `cut"));
    let secret = |place: &Location| fingerprint(&finding(place.clone(), "m").secret(), &sources);
    assert_eq!(secret(&at_moved(15)), secret(&at_moved(3)));
}

#[test]
fn findings_are_sorted_and_said_once() {
    let sources = sources();
    let place = |file, needle| at(&sources, file, needle);
    let mut findings = vec![
        Finding::new("z", Severity::Note, Location::Nowhere, "last"),
        Finding::new("b", Severity::Note, place(0, "image"), "2"),
        Finding::new("a", Severity::Note, place(0, "image"), "2").related(place(0, "services"), "x"),
        Finding::new("a", Severity::Error, place(0, "image"), "2").related(place(1, "x"), "y"),
        Finding::new("c", Severity::Note, place(0, "authority"), "1"),
        Finding::new("c", Severity::Note, Location::File("a".into()), "0"),
    ];
    sort(&mut findings, &sources);
    let order: Vec<(&str, usize)> =
        findings.iter().map(|finding| (finding.message.as_str(), finding.related.len())).collect();
    assert_eq!(order, [("0", 0), ("1", 0), ("2", 2), ("2", 0), ("last", 0)]);
    assert_eq!(findings[2].severity, Severity::Error);
}

/// A value that a hundred objects share.
#[test]
fn of_what_is_said_once_few_related_places_are_kept() {
    let sources = sources();
    let mut findings: Vec<Finding<Location>> = (0..100)
        .map(|number| {
            let finding = Finding::new("a", Severity::Note, at(&sources, 0, "image"), "m");
            finding.related(at(&sources, 1, "x"), format!("object {number:02}"))
        })
        .collect();
    sort(&mut findings, &sources);
    let labels: Vec<&str> = findings[0].related.iter().map(|related| related.label.as_str()).collect();
    assert_eq!(labels, ["object 00", "object 01", "object 02", "object 03"]);
    assert_eq!(findings.len(), 1);
}

#[test]
fn long_texts_lose_their_middle_and_long_lines_what_is_far_from_the_place() {
    let text_of = |length: usize| Finding::new("r", Severity::Error, Location::Nowhere, "ü".repeat(length / 2)).message;
    assert_eq!(text_of(4000), "ü".repeat(2000));
    assert_eq!(text_of(4002), format!("{}… (2 bytes) …{}", "ü".repeat(1500), "ü".repeat(500)));
    let mut sources = SourceMap::default();
    let line = |length: usize| format!("{}place{}", "a".repeat(length), "b".repeat(length));
    let mut shown = |length: usize| {
        let file = sources.add("f", line(length));
        let finding = Finding::new("r", Severity::Error, Location::Span(Span::new(file, length..length + 5)), "m");
        let out = text(&[finding], &sources, TextOptions::default());
        out.lines().map(|line| line.chars().count()).max().unwrap()
    };
    // Of the four hundred columns four are the number of the line and its border.
    assert_eq!((shown(190), shown(1000)), (4 + 385, 400));
}

#[test]
fn counts_are_words() {
    for (counts, words) in [
        (Counts { errors: 1, warnings: 2, notes: 0 }, "1 error, 2 warnings"),
        (Counts { errors: 0, warnings: 0, notes: 1 }, "1 note"),
        (Counts::default(), "no findings"),
    ] {
        assert_eq!(counts.to_string(), words);
    }
}

#[test]
fn long_and_empty_places_are_drawn() {
    let mut sources = SourceMap::default();
    let file = sources.add("f", "a\n".repeat(40));
    for range in [0..80, 80..80, 3..3, 0..0, 500..600] {
        let finding = Finding::new("r", Severity::Error, Location::Span(Span::new(file, range)), "m");
        let out = text(&[finding], &sources, TextOptions { colour: false });
        assert!(out.lines().count() < 14, "{out}");
    }
    let finding = Finding::new("r", Severity::Error, Location::File("a/b.key".into()), "m").label("l").help("h");
    let out = text(&[finding], &sources, TextOptions { colour: false });
    assert_eq!(out, "error[r]: m\n--> a/b.key\n = note: l\n = help: h\n\n");
}

#[test]
fn the_column_is_that_of_the_file_where_a_line_is_masked() {
    let mut sources = SourceMap::default();
    let file = sources.add("f", "url: redis://user:password@host:1/0\n");
    let finding = Finding::new("r", Severity::Error, Location::Span(Span::new(file, 27..31)), "m");
    let out = text(&[finding], &sources, TextOptions { colour: false });
    assert_eq!(out, "error[r]: m\n --> f:1:28\n  |\n1 | url: redis://•••@host:1/0\n  |                  ^^^^\n\n");
}

#[test]
fn no_writer_prints_a_runners_command() {
    let mut sources = SourceMap::default();
    let file = sources.add("f", "::set-output name=a::b\n##[add-mask]x\n");
    let place = || Location::Span(Span::new(file, 0..30));
    let foreign = "m\n::set-output name=a::b\n  ::error::x\n##[add-mask]x";
    let finding =
        Finding::new("r", Severity::Error, place(), foreign).label(foreign).related(place(), foreign).help(foreign);
    let findings = [finding];
    let tool = Tool { name: "collimate", version: "0", rules: &[], home: "w" };
    for out in [
        text(&findings, &sources, TextOptions::default()),
        json(&findings, &[], &sources),
        sarif(&findings, &sources, tool),
        junit(&findings, &[], &sources, Severity::Error),
        markdown(&findings, &[], &sources, Severity::Note),
    ] {
        let begins = |line: &str| line.trim_start().starts_with("::") && !line.trim_start().starts_with(":::");
        assert!(!out.contains("##[") && !out.lines().any(begins), "{out}");
    }
    let value: serde_json::Value = serde_json::from_str(&json(&findings, &[], &sources)).unwrap();
    assert_eq!(value["findings"][0]["message"], foreign);
}
