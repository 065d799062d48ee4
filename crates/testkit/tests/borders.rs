//! Which crate may use which, held against what cargo really builds.
//!
//! Direction: program → {alignment, smoke} → {helmchart, composefile, findings, release} → {gotemplate, yamlspan} → source; never
//! sideways, never up. A crate that is not listed here fails the test: its place has to be said.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Crate → what of ours it may use, directly or not.
const MAY_USE: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("yamlspan", &["source"]),
    ("gotemplate", &["source"]),
    ("helmchart", &["source", "yamlspan", "gotemplate"]),
    ("composefile", &["source", "yamlspan"]),
    ("findings", &["source"]),
    ("release", &["source", "yamlspan"]),
    ("mirror", &["source", "yamlspan"]),
    ("alignment", &["source", "yamlspan", "gotemplate", "helmchart", "composefile", "findings", "release", "mirror"]),
    ("rollout", &["source", "yamlspan", "release", "signing"]),
    ("signing", &[]),
    ("gitobjects", &["source"]),
    ("certificates", &["source"]),
    ("bundle", &["signing"]),
    ("smoke", &["source", "yamlspan", "mirror", "tlsfault"]),
    ("verifier", &["source", "yamlspan", "mirror"]),
    ("replica", &["source", "yamlspan", "mirror", "signing", "tlsfault"]),
    ("registry", &["source", "yamlspan", "release", "tlsfault"]),
    ("tlsfault", &["source"]),
    ("musl", &[]),
    (
        "collimate",
        &[
            "source",
            "yamlspan",
            "gotemplate",
            "helmchart",
            "composefile",
            "findings",
            "release",
            "rollout",
            "alignment",
            "signing",
            "gitobjects",
            "certificates",
            "bundle",
            "smoke",
            "mirror",
            "verifier",
            "replica",
            "registry",
            "tlsfault",
            "musl",
        ],
    ),
    ("fuzzed", &["source", "yamlspan", "gotemplate", "helmchart", "composefile", "findings", "release"]),
    ("testkit", &[]),
    ("mutation", &["source", "yamlspan", "release", "testkit"]),
    ("xtask", &["source", "yamlspan", "release", "testkit", "mutation", "signing"]),
];

/// What only the program may bring in: terminal, arguments, temporary files.
const PROGRAM_ONLY: &[&str] =
    &["anstream", "clap", "clap_complete", "clap_mangen", "comfy_table", "indicatif", "tempfile", "fs_err"];

/// The crates that talk to a network and have a runtime, and what these share; through them the program has both.
const TALKS: &[&str] =
    &["collimate", "smoke", "verifier", "replica", "registry", "tlsfault", "testkit", "mutation", "xtask"];

/// What only those may bring in.
const NETWORK: &[&str] = &["tokio", "tokio_rustls", "reqwest", "hyper", "tonic", "rustls"];

/// Never, by anyone: deprecated, unsound or abandoned, or a second implementation of what is ours.
const NEVER: &[&str] =
    &["serde_yaml", "serde_yml", "serde_yaml_ng", "serde_norway", "yaml_rust", "openssl", "native_tls"];

#[test]
fn crates_use_only_what_lies_below_them() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        MAY_USE.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let members = members();
    let mut wrong = Vec::new();
    for member in &members {
        let Some(allowed) = allowed.get(member.as_str()) else {
            wrong.push(format!("`{member}` has no place in `MAY_USE`"));
            continue;
        };
        let uses = uses(member);
        for used in &uses {
            let used = used.as_str();
            if used != member && members.contains(used) && !allowed.contains(used) {
                wrong.push(format!("`{member}` uses `{used}`, which does not lie below it"));
            }
            if PROGRAM_ONLY.contains(&used)
                && !matches!(member.as_str(), "collimate" | "testkit" | "mutation" | "xtask")
            {
                wrong.push(format!("`{member}` uses `{used}`, which only the program may"));
            }
            if NETWORK.contains(&used) && !TALKS.contains(&member.as_str()) {
                wrong.push(format!("`{member}` uses `{used}`, which opens connections"));
            }
            if NEVER.contains(&used) {
                wrong.push(format!("`{member}` uses `{used}`"));
            }
        }
        if !matches!(member.as_str(), "xtask" | "testkit" | "mutation") && uses.contains("testkit") {
            wrong.push(format!("`{member}` uses `testkit` outside its tests"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn members() -> BTreeSet<String> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    packages.iter().map(|package| package["name"].as_str().expect("a package has a name").to_owned()).collect()
}

fn uses(member: &str) -> BTreeSet<String> {
    let tree = cargo(&["tree", "-p", member, "-e", "normal", "--prefix", "none", "--format", "{lib}"]);
    tree.lines().map(|line| line.trim_end_matches(" (*)").trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}
