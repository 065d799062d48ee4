//! Findings as a JUnit report, which every build server shows beside its other tests.

use std::fmt::Write as _;

use source::{SourceMap, redact};

use crate::disarm::disarmed;
use crate::{Finding, Location, ProfileVerdict, Severity, Verdict};

/// The suite of what is about no profile: releases, documents, the workspace's own file.
const WORKSPACE: &str = "workspace";

/// One suite per profile and one for the workspace. What is as bad as `bar` or worse is a failed case; where nothing is, the only case
/// has passed. What is less bad fails nothing and is among a suite's output.
#[must_use]
pub fn junit(
    findings: &[Finding<Location>],
    profiles: &[ProfileVerdict],
    sources: &SourceMap,
    bar: Severity,
) -> String {
    let is_shown = |finding: &Finding<Location>| profiles.iter().any(|p| finding.profiles.contains(p.name.as_str()));
    let mut suites: Vec<Suite> = profiles
        .iter()
        .map(|profile| {
            let own = findings.iter().filter(|finding| finding.profiles.contains(profile.name.as_str()));
            let mut suite = Suite::of(&profile.name, own, sources, bar);
            suite.channel = Some(profile.channel.clone());
            if profile.verdict == Verdict::Failed && suite.failed.is_empty() {
                suite.failed.push(Failed {
                    case: "aligned".to_owned(),
                    rule: "not-aligned",
                    message: "not aligned: see the suite of the workspace".to_owned(),
                    text: String::new(),
                });
            }
            suite
        })
        .collect();
    let elsewhere = findings.iter().filter(|finding| !is_shown(finding));
    suites.push(Suite::of(WORKSPACE, elsewhere, sources, bar));
    let (tests, failures) = suites
        .iter()
        .fold((0, 0), |(tests, failures), suite| (tests + suite.failed.len().max(1), failures + suite.failed.len()));
    let suites: String = suites.iter().map(Suite::xml).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"collimate check\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"0\">\n{suites}</testsuites>\n"
    )
}

struct Suite {
    name: String,
    channel: Option<String>,
    failed: Vec<Failed>,
    /// What fails nothing.
    remarks: Vec<String>,
}

/// A finding that fails.
struct Failed {
    /// Rule and file: what stays the same from run to run, so that a server can tell an old failure from a new one.
    case: String,
    rule: &'static str,
    message: String,
    text: String,
}

impl Suite {
    fn of<'f>(
        name: &str,
        findings: impl Iterator<Item = &'f Finding<Location>>,
        sources: &SourceMap,
        bar: Severity,
    ) -> Self {
        let (mut failed, mut remarks) = (Vec::new(), Vec::new());
        for finding in findings {
            if finding.severity >= bar {
                failed.push(Failed::of(finding, sources));
            } else {
                let place = place(&finding.place, sources).map_or_else(String::new, |place| format!("{place}: "));
                let message = redact(&finding.message);
                remarks.push(format!("{}[{}]: {place}{message}", finding.severity, finding.rule));
            }
        }
        Self { name: name.to_owned(), channel: None, failed, remarks }
    }

    fn xml(&self) -> String {
        let name = escaped(&self.name);
        let mut out = format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">\n",
            self.failed.len().max(1),
            self.failed.len()
        );
        if let Some(channel) = &self.channel {
            let channel = escaped(channel);
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                out,
                "    <properties>\n      <property name=\"channel\" value=\"{channel}\"/>\n    </properties>"
            );
        }
        if self.failed.is_empty() {
            let _ = writeln!(out, "    <testcase classname=\"{name}\" name=\"aligned\"/>");
        }
        for failed in &self.failed {
            let Failed { case, rule, message, text } = failed;
            let (case, rule, message, text) = (escaped(case), escaped(rule), escaped(message), escaped_text(text));
            let _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"{case}\">\n      \
                 <failure type=\"{rule}\" message=\"{message}\">{text}</failure>\n    </testcase>"
            );
        }
        if !self.remarks.is_empty() {
            let _ = writeln!(out, "    <system-out>{}</system-out>", escaped_text(&self.remarks.join("\n")));
        }
        out.push_str("  </testsuite>\n");
        out
    }
}

impl Failed {
    fn of(finding: &Finding<Location>, sources: &SourceMap) -> Self {
        let case = match finding.place.path(sources) {
            Some(path) => format!("{}: {path}", finding.rule),
            None => finding.rule.to_owned(),
        };
        let mut lines: Vec<String> = Vec::new();
        let primary = std::iter::once((&finding.place, finding.label.as_deref()));
        let related = finding.related.iter().map(|related| (&related.place, Some(related.label.as_str())));
        for (location, label) in primary.chain(related) {
            let parts = [place(location, sources), label.map(redact)];
            lines.extend(
                Some(parts.into_iter().flatten().collect::<Vec<_>>().join(": ")).filter(|line| !line.is_empty()),
            );
        }
        lines.extend(finding.help.as_deref().map(|help| format!("help: {}", redact(help))));
        Self { case, rule: finding.rule, message: redact(&finding.message), text: lines.join("\n") }
    }
}

fn place(location: &Location, sources: &SourceMap) -> Option<String> {
    let path = location.path(sources)?;
    Some(match location.range(sources) {
        Some(range) => format!("{path}:{}:{}", range.line, range.column),
        None => path.into_owned(),
    })
}

/// For an attribute, in which a reader takes a line end for a space unless it is written as a number.
fn escaped(text: &str) -> String {
    escaped_text(text).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}

/// XML 1.0 knows no way to write most control characters, so they are replaced.
fn escaped_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in disarmed(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(char),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}
