//! A report for programs.

use serde_json::{Map, Value, json};

use super::{Cell, Finding, Report, Row, Table, Verdict};

/// Version of the JSON shape. Raised when a field is added or changes.
pub const JSON_SCHEMA: u32 = 1;

/// `{schema, probe, subject, verdict, facts: {…}, tables: {name: [{name, column: …, verdict, reason?}]}, findings: […], conclusion}`, with a line end.
#[must_use]
pub fn json(report: &Report) -> String {
    let facts: Map<String, Value> =
        report.facts.iter().map(|(name, value)| (key(name), Value::from(value.as_str()))).collect();
    let tables: Map<String, Value> = report.tables.iter().map(|table| (key(table.name), rows(table))).collect();
    let whole = json!({
        "schema": JSON_SCHEMA,
        "probe": report.probe,
        "subject": report.subject,
        "verdict": report.verdict(),
        "facts": facts,
        "tables": tables,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "conclusion": report.conclusion,
    });
    format!("{whole:#}\n")
}

fn rows(table: &Table) -> Value {
    table.rows.iter().map(|row| entry(table, row)).collect()
}

fn entry(table: &Table, row: &Row) -> Value {
    let cells = table.columns.iter().zip(&row.cells).map(|(column, cell)| {
        let value = match cell {
            Cell::Number(number) => Value::from(*number),
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Nothing => Value::Null,
        };
        (key(column), value)
    });
    let mut entry: Map<String, Value> = cells.collect();
    let verdict = match &row.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::NotTried(reason) => {
            entry.insert("reason".to_owned(), Value::from(reason.as_str()));
            "not-tried"
        }
    };
    entry.insert("name".to_owned(), Value::from(row.name.as_str()));
    entry.insert("verdict".to_owned(), Value::from(verdict));
    Value::Object(entry)
}

fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind,
        "class": finding.class.as_str(),
        "about": finding.about,
        "message": finding.message,
        "help": finding.help,
    })
}

/// `read back` → `read_back`.
fn key(name: &str) -> String {
    name.replace([' ', '-'], "_")
}
