//! Findings for programs.

use std::borrow::Cow;

use serde::Serialize;
use source::{SourceMap, redact};

use crate::disarm::disarmed_json;
use crate::{Finding, Location};

/// Version of the JSON shape. Raised when a field is added or changes.
pub const JSON_SCHEMA: u32 = 2;

/// What a check says of one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileVerdict {
    pub name: String,
    pub channel: String,
    /// Number of different images that the profile uses.
    pub images: usize,
    pub verdict: Verdict,
}

/// The worst that was found in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Aligned,
    Warnings,
    Failed,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    findings: Vec<Entry<'a>>,
    /// What does not count, for the reason that each gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<Entry<'a>>,
    profiles: &'a [ProfileVerdict],
}

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'a str,
    severity: &'a str,
    message: String,
    place: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    related: Vec<Related<'a>>,
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

#[derive(Serialize)]
struct Related<'a> {
    place: Option<Place<'a>>,
    label: String,
}

#[derive(Serialize)]
struct Place<'a> {
    file: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
}

fn place<'a>(location: &'a Location, sources: &'a SourceMap) -> Option<Place<'a>> {
    let range = location.range(sources);
    Some(Place {
        file: location.path(sources)?,
        line: range.map(|range| range.line),
        column: range.map(|range| range.column),
        end_line: range.map(|range| range.end_line),
        end_column: range.map(|range| range.end_column),
    })
}

/// The report of a check, indented, with a line end. `findings` are written in the order given, accepted ones apart from those that count.
#[must_use]
pub fn json(findings: &[Finding<Location>], profiles: &[ProfileVerdict], sources: &SourceMap) -> String {
    let (accepted, counting): (Vec<Entry<'_>>, Vec<Entry<'_>>) =
        findings.iter().map(|finding| entry(finding, sources)).partition(|entry| entry.because.is_some());
    let report = Report { schema: JSON_SCHEMA, findings: counting, accepted, profiles };
    // Structs of strings and numbers always serialise.
    let mut out = serde_json::to_string_pretty(&report).unwrap_or_default();
    out.push('\n');
    disarmed_json(out)
}

fn entry<'a>(finding: &'a Finding<Location>, sources: &'a SourceMap) -> Entry<'a> {
    Entry {
        rule: finding.rule,
        severity: finding.severity.as_str(),
        message: redact(&finding.message),
        place: place(&finding.place, sources),
        label: finding.label.as_deref().map(redact),
        related: finding
            .related
            .iter()
            .map(|related| Related { place: place(&related.place, sources), label: redact(&related.label) })
            .collect(),
        help: finding.help.as_deref().map(redact),
        because: finding.accepted.as_deref().map(redact),
    }
}
