//! Findings as SARIF 2.1.0, the format of code scanners.

use serde_json::{Value, json};
use source::{SourceMap, redact};

use crate::disarm::disarmed_json;
use crate::{Finding, Location, Severity, fingerprint};

/// The program that found something.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// All rules, in a fixed order.
    pub rules: &'a [RuleInfo<'a>],
    /// Where a finding is shown that stands in no file: GitHub refuses the whole log if one result has no place.
    pub home: &'a str,
}

/// What a scanner shows of a rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo<'a> {
    pub id: &'a str,
    pub summary: &'a str,
}

/// The log, indented, with a line end. `findings` are written in the order given.
#[must_use]
pub fn sarif(findings: &[Finding<Location>], sources: &SourceMap, tool: Tool<'_>) -> String {
    let rules: Vec<Value> =
        tool.rules.iter().map(|rule| json!({"id": rule.id, "shortDescription": {"text": rule.summary}})).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, sources, tool)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": tool.name, "version": tool.version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    // Values always serialise.
    let mut out = serde_json::to_string_pretty(&log).unwrap_or_default();
    out.push('\n');
    disarmed_json(out)
}

fn result(finding: &Finding<Location>, sources: &SourceMap, tool: Tool<'_>) -> Value {
    let mut message = redact(&finding.message);
    if let Some(help) = &finding.help {
        message.push('\n');
        message.push_str(&redact(help));
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": message},
        "partialFingerprints": {"collimate/v2": fingerprint(finding, sources)},
    });
    if let Some(reason) = &finding.accepted {
        // Not `baselineState`: that compares with a run that has a GUID.
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": redact(reason)}]);
    }
    if let Some(index) = tool.rules.iter().position(|rule| rule.id == finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    let home = || json!({"artifactLocation": {"uri": uri(tool.home)}});
    let place = physical(&finding.place, sources).unwrap_or_else(home);
    result["locations"] = json!([{"physicalLocation": place}]);
    let related: Vec<Value> = finding
        .related
        .iter()
        .filter_map(|related| Some((physical(&related.place, sources)?, related)))
        .enumerate()
        .map(|(id, (place, related))| {
            json!({"id": id, "physicalLocation": place, "message": {"text": redact(&related.label)}})
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn physical(location: &Location, sources: &SourceMap) -> Option<Value> {
    let mut place = json!({"artifactLocation": {"uri": uri(&location.path(sources)?)}});
    if let Some(range) = location.range(sources) {
        place["region"] = json!({
            "startLine": range.line,
            "startColumn": range.column,
            "endLine": range.end_line,
            "endColumn": range.end_column,
        });
    }
    Some(place)
}

/// A path as a URI, relative as the path is: what RFC 3986 does not allow in a path is percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
