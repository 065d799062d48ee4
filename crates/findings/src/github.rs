//! Findings as workflow commands, which GitHub and Gitea turn into annotations.
//!
//! Threat: a value that holds a line end and `::` could give the runner a command of its own. All data is escaped.

use std::fmt::Write as _;

use source::{SourceMap, redact};

use crate::disarm::{OLD_COMMAND, OLD_COMMAND_DISARMED};
use crate::{Finding, Location, Severity};

/// One command line per finding, in the order given.
#[must_use]
pub fn github(findings: &[Finding<Location>], sources: &SourceMap) -> String {
    let mut out = String::new();
    for finding in findings {
        out.push_str(match finding.severity {
            Severity::Error => "::error ",
            Severity::Warning => "::warning ",
            Severity::Note => "::notice ",
        });
        if let Some(path) = finding.place.path(sources) {
            // Writing to a string cannot fail, here and below.
            let _ = write!(out, "file={},", property(&path));
        }
        if let Some(range) = finding.place.range(sources) {
            let _ = write!(out, "line={},endLine={},", range.line, range.end_line);
            // Columns are shown only where the range is within one line.
            if range.line == range.end_line {
                let _ = write!(out, "col={},endColumn={},", range.column, range.end_column);
            }
        }
        let mut message = redact(&finding.message);
        for related in &finding.related {
            if let Some(path) = related.place.path(sources) {
                let line = related.place.range(sources).map_or(String::new(), |range| format!(":{}", range.line));
                let _ = write!(message, "\n{path}{line}: {}", redact(&related.label));
            }
        }
        if let Some(help) = &finding.help {
            let _ = write!(message, "\nhelp: {}", redact(help));
        }
        let _ = writeln!(out, "title={}::{}", property(finding.rule), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    // `::` is no command inside a message, but log viewers differ: a zero-risk spelling costs nothing.
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("::", "%3A%3A");
    text.replace(OLD_COMMAND, OLD_COMMAND_DISARMED)
}

fn property(text: &str) -> String {
    let text =
        text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace(':', "%3A").replace(',', "%2C");
    text.replace(OLD_COMMAND, OLD_COMMAND_DISARMED)
}
