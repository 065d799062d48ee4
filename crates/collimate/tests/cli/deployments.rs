//! What goes with a release besides its images: the configuration that it ran with, the steps that its data went through, and what was seen to
//! run.

mod configuration;
mod data;
mod seen;

use serde_json::Value;

use crate::rollout::fixture::Fixture;

/// The newest entry of this kind.
#[track_caller]
fn newest(fixture: &Fixture, kind: &str) -> Value {
    let told = fixture.run(&["history", "--format", "json"], 0).stdout;
    let history: Value = serde_json::from_str(&told).unwrap();
    let entries = history["entries"].as_array().unwrap();
    entries.iter().rfind(|entry| entry["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {told}")).clone()
}

/// How a gate of an entry stood.
fn gate<'e>(entry: &'e Value, gate: &str) -> &'e str {
    let gates = entry["gates"].as_array().unwrap();
    let found = gates.iter().find(|found| found["gate"] == gate);
    found.map_or("no such gate", |found| found["result"].as_str().unwrap())
}
