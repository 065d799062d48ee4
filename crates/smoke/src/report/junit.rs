//! A report for build servers, in the dialect of JUnit that all of them read.

use std::fmt::Write as _;

use super::{Class, Finding, Report, Row, Verdict};

/// One suite per table, one case per row; findings that are about no row are cases of their own.
#[must_use]
pub fn junit(report: &Report) -> String {
    let suite_name = |table: &str| format!("smoke {} {table}", report.probe);
    let mut suites = Vec::new();
    let conclusion = report.conclusion.as_deref();
    for table in report.tables.iter().filter(|table| !table.rows.is_empty()) {
        let cases: Vec<Case> = table.rows.iter().map(|row| of_row(report, row)).collect();
        suites.push(suite(&suite_name(table.name), &cases, conclusion));
    }
    let elsewhere = |finding: &&Finding| !report.rows().any(|row| is_about(finding, row));
    let cases: Vec<Case> = report.findings.iter().filter(elsewhere).map(of_finding).collect();
    if !cases.is_empty() {
        suites.push(suite(&suite_name("reach"), &cases, conclusion));
    }
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{}</testsuites>\n", suites.concat())
}

struct Case {
    name: String,
    /// Kind and whole text of each fault.
    failures: Vec<(String, String)>,
    skipped: Option<String>,
    /// Whole texts of what is worth knowing and fails nothing.
    remarks: Vec<String>,
}

fn of_row(report: &Report, row: &Row) -> Case {
    let (mut failures, remarks) = parted(report.findings.iter().filter(|finding| is_about(finding, row)));
    if row.verdict == Verdict::Failed && failures.is_empty() {
        failures.push(("failed".to_owned(), "another finding of this report says why".to_owned()));
    }
    let skipped = match &row.verdict {
        Verdict::NotTried(reason) => Some(reason.clone()),
        Verdict::Passed | Verdict::Failed => None,
    };
    Case { name: row.name.clone(), failures, skipped, remarks }
}

fn of_finding(finding: &Finding) -> Case {
    let (failures, remarks) = parted(std::iter::once(finding));
    Case { name: finding.about.join(", "), failures, skipped: None, remarks }
}

/// What fails, and what is only worth knowing.
fn parted<'a>(findings: impl Iterator<Item = &'a Finding>) -> (Vec<(String, String)>, Vec<String>) {
    let (doubtful, wrong): (Vec<_>, Vec<_>) = findings.partition(|finding| finding.class == Class::Doubtful);
    let remark = |finding| {
        let (kind, text) = failure(finding);
        format!("{kind}: {text}")
    };
    (wrong.into_iter().map(failure).collect(), doubtful.into_iter().map(remark).collect())
}

fn failure(finding: &Finding) -> (String, String) {
    let help = finding.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
    (finding.kind.to_owned(), format!("{}{help}", finding.message))
}

fn is_about(finding: &Finding, row: &Row) -> bool {
    finding.about.contains(&row.name)
}

fn suite(name: &str, cases: &[Case], conclusion: Option<&str>) -> String {
    let failures = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let skipped = cases.iter().filter(|case| case.failures.is_empty() && case.skipped.is_some()).count();
    let mut out = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n",
        escaped(name),
        cases.len()
    );
    for case in cases {
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", escaped(name), escaped(&case.name));
        let mut inner = String::new();
        for (kind, message) in &case.failures {
            let _ = writeln!(inner, "      <failure type=\"{}\" message=\"{}\"/>", escaped(kind), escaped(message));
        }
        if let (true, Some(reason)) = (case.failures.is_empty(), &case.skipped) {
            let _ = writeln!(inner, "      <skipped message=\"{}\"/>", escaped(reason));
        }
        for remark in &case.remarks {
            let _ = writeln!(inner, "      <system-out>{}</system-out>", escaped(remark));
        }
        if inner.is_empty() {
            out.push_str("/>\n");
        } else {
            let _ = write!(out, ">\n{inner}    </testcase>\n");
        }
    }
    if let Some(conclusion) = conclusion {
        let _ = writeln!(out, "    <system-out>{}</system-out>", escaped(conclusion));
    }
    out.push_str("  </testsuite>\n");
    out
}

/// XML 1.0 knows no way to write most control characters, so they are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}
