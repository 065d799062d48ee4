//! Reports for other programs, of whole checks, before judges of their formats.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::Cli;

use crate::tree::{Tree, repository};

/// Every kind of finding and place: all severities, spans with related ones, a whole file, none, names with spaces and letters beyond
/// ASCII, one finding of two profiles, and one that is accepted.
fn workspace() -> Tree {
    const RELEASE: &str = "\
schema: 1
version: 1.0.0
channel: edge
digests: sample
components:
  web: {image: docker.io/library/nginx, tag: \"1.27\", digest: \"sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1\"}
  lost: {image: docker.io/library/lost, tag: \"1\", digest: \"sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e2\"}
";
    const WORKSPACE: &str = "\
schema: 1
channels: {edge: {release: \"releases/é dge.yaml\"}}
profiles:
  compose/dev: {channel: edge, compose: [\"süd/com pose.yaml\"], env: [\"süd/d#v.env\"]}
  compose/two: {channel: edge, compose: [\"süd/com pose.yaml\"], env: [\"süd/d#v.env\"]}
ignore:
  - {rule: image-unlisted, reason: known}
";
    const COMPOSE: &str = "\
services:
  \"web\": {image: \"nginx:1.27@${DIGEST}\", hostname: \"<&\\\"|`@all`\"}
  other: {image: \"redis:7@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e3\", volumes: [\"./miss|ing`&<:/x\"]}
";
    Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("süd/com pose.yaml", COMPOSE),
        ("süd/d#v.env", "DIGEST=sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e9\nUNUSED=x\n"),
        ("releases/é dge.yaml", RELEASE),
    ])
}

#[track_caller]
fn report(tree: &Tree, format: &str) -> String {
    let (code, stdout, stderr) = tree.run_text(&["check", "--format", format]);
    assert!(stderr.is_empty() && (code == 0 || code == 1), "exit {code}: {stderr}");
    stdout
}

#[test]
fn sarif_holds_to_its_schema_and_to_what_github_takes() {
    let tree = workspace();
    let text = report(&tree, "sarif");
    let log: Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let levels: BTreeMap<&str, usize> = results.iter().fold(BTreeMap::new(), |mut levels, result| {
        *levels.entry(result["level"].as_str().unwrap()).or_default() += 1;
        levels
    });
    assert_eq!(levels.keys().copied().collect::<Vec<_>>(), ["error", "note", "warning"]);
    // What is accepted is left out: GitHub does not look at `suppressions` and would open an alert.
    assert!(!results.iter().any(|result| result["ruleId"] == "image-unlisted"), "{text}");
    assert!(results.iter().any(|result| result["relatedLocations"].is_array()), "{text}");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut uris = Vec::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["partialFingerprints"]["collimate/v2"].as_str().unwrap().len(), 16);
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
        let related = result["relatedLocations"].as_array().into_iter().flatten();
        for place in related.chain(result["locations"].as_array().unwrap()) {
            uris.push(place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned());
        }
    }
    let allowed = |uri: &str| uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte));
    assert!(uris.iter().all(|uri| allowed(uri)), "{uris:?}");
    for expected in ["s%C3%BCd/d%23v.env", "s%C3%BCd/com%20pose.yaml", "releases/%C3%A9%20dge.yaml"] {
        assert!(uris.iter().any(|uri| uri == expected), "no {expected} in {uris:?}");
    }
    let Some(judge) = testkit::peer("sarif") else { return };
    let fixed = |text: &str| Cli::new(&judge).stdin(text).run();
    fixed(&text);
    let own =
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(repository()).args(["check", "--format", "sarif"]).output();
    fixed(&own.stdout);
    // The judge does judge.
    for (right, wrong) in [("\"level\": \"note\"", "\"level\": \"notice\""), ("\"ruleIndex\"", "\"ruleindex\"")] {
        assert!(text.contains(right));
        Cli::new(&judge).stdin(text.replace(right, wrong)).stdout_has("validation failed").exit(1).run();
    }
}

#[test]
fn junit_holds_to_its_schema() {
    let tree = workspace();
    let xml = report(&tree, "junit");
    assert!(xml.contains("<testcase classname=\"compose/dev\" name=\"digest-mismatch: süd/d#v.env\">"), "{xml}");
    assert!(xml.contains("<testcase classname=\"compose/two\" name=\"digest-mismatch: süd/d#v.env\">"), "{xml}");
    let Some(xmllint) = testkit::tool("xmllint") else { return };
    let schema = repository().join("crates/collimate/tests/cli/reports/junit.xsd");
    let judge = |xml: &str| Cli::new(&xmllint).args(["--noout", "--schema", schema.as_str(), "-"]).stdin(xml);
    judge(&xml).stderr("- validates\n").run();
    let own =
        Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(repository()).args(["check", "--format", "junit"]).output();
    judge(&own.stdout).stderr("- validates\n").run();
    for (right, wrong) in [("failures=\"", "failures=\"x"), ("<failure ", "<fault "), ("&lt;", "<")] {
        assert!(xml.contains(right), "{xml}");
        let broken = judge(&xml.replace(right, wrong)).output();
        assert_ne!(broken.exit, 0, "{wrong}: {broken}");
    }
}

/// What `--notes` and `--deny warnings` do in the new formats.
#[test]
fn switches_count_in_every_format() {
    let tree = workspace();
    let heading = |arguments: &[&str]| {
        let (code, stdout, _) = tree.run_text(arguments);
        assert_eq!(code, 1);
        stdout
    };
    let quiet = heading(&["check", "--format", "markdown"]);
    let loud = heading(&["check", "--format", "markdown", "--notes"]);
    assert_eq!(quiet.lines().next(), loud.lines().next());
    assert!(!quiet.contains("release-sample-digests") && loud.contains("release-sample-digests"), "{loud}");
    let failures = |xml: &str| xml.matches("<failure ").count();
    let lax = failures(&heading(&["check", "--format", "junit"]));
    let strict = failures(&heading(&["check", "--format", "junit", "--deny", "warnings"]));
    assert!(lax < strict, "{lax} {strict}");
}
