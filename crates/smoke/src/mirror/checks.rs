//! The table of what was tried.

use crate::report::{Cell, Finding, Row, Table, Verdict};

/// Rows and the findings behind those that failed.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) rows: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
}

impl Checks {
    pub(crate) fn passed(&mut self, name: impl Into<String>, outcome: impl Into<String>) {
        self.row(name.into(), outcome.into(), Verdict::Passed);
    }

    /// What was found fails it, unless it is only worth knowing. Findings name the row that they are about.
    pub(crate) fn judged(&mut self, name: impl Into<String>, outcome: impl Into<String>, findings: Vec<Finding>) {
        let is_wrong = findings.iter().any(|finding| finding.class > crate::report::Class::Doubtful);
        let verdict = if is_wrong { Verdict::Failed } else { Verdict::Passed };
        self.row(name.into(), outcome.into(), verdict);
        self.findings.extend(findings);
    }

    pub(crate) fn failed(&mut self, name: impl Into<String>, outcome: impl Into<String>, finding: Finding) {
        self.judged(name, outcome, vec![finding]);
    }

    pub(crate) fn not_tried(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.row(name.into(), "-".to_owned(), Verdict::NotTried(reason.into()));
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.findings.extend(other.findings);
    }

    pub(crate) fn table(rows: Vec<Row>) -> Table {
        Table { name: "checks", columns: &["check", "outcome"], rows }
    }

    fn row(&mut self, name: String, outcome: String, verdict: Verdict) {
        let cells = vec![Cell::Text(name.clone()), Cell::Text(outcome)];
        self.rows.push(Row { name, cells, verdict });
    }
}
