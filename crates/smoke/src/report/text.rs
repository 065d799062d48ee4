//! A report for people.

use std::fmt::Write as _;

use super::{Cell, Class, Report, Table, Verdict};

/// Subject and facts, the tables, the findings, and one line that sums up.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = format!("smoke {}: {}\n", report.probe, report.subject);
    for (name, value) in &report.facts {
        let _ = writeln!(out, "{name}: {value}");
    }
    for table in report.tables.iter().filter(|table| !table.rows.is_empty()) {
        out.push('\n');
        out.push_str(&grid(table));
    }
    for finding in &report.findings {
        let severity = if finding.class == Class::Doubtful { "warning" } else { "error" };
        let about = finding.about.join(", ");
        let _ = write!(out, "\n{severity}[{}]: {}\n  = at: {about}\n", finding.kind, finding.message);
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "  = help: {help}");
        }
    }
    let _ = writeln!(out, "\n{}", summary(report));
    if let Some(conclusion) = &report.conclusion {
        let _ = writeln!(out, "{conclusion}");
    }
    out
}

fn summary(report: &Report) -> String {
    let found = match report.findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    match report.not_tried() {
        0 => found,
        1 => format!("{found}, 1 check not tried"),
        count => format!("{found}, {count} checks not tried"),
    }
}

/// Cells padded to the widest of each column; numbers stand at the right, so that they can be compared at a glance.
fn grid(table: &Table) -> String {
    let header =
        table.columns.iter().map(|column| (false, (*column).to_owned())).chain([(false, "verdict".to_owned())]);
    let mut rows: Vec<Vec<(bool, String)>> = vec![header.collect()];
    for row in &table.rows {
        let verdict = match &row.verdict {
            Verdict::Passed => "ok".to_owned(),
            Verdict::Failed => "FAILED".to_owned(),
            Verdict::NotTried(reason) => format!("not tried: {reason}"),
        };
        let cells = row.cells.iter().map(|cell| (matches!(cell, Cell::Number(_)), cell.shown()));
        rows.push(cells.chain([(false, verdict)]).collect());
    }
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(_, cell)| cell.chars().count()).max();
    let widths: Vec<usize> = (0..).map_while(width).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|((right, cell), width)| if *right { format!("{cell:>width$}") } else { format!("{cell:width$}") });
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}
