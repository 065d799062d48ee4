//! What a probe reports: tables of rows, findings, and facts worth knowing. The same shape for every probe.

mod json;
mod junit;
mod text;

pub use json::{JSON_SCHEMA, json};
pub use junit::junit;
pub use text::text;

/// Texts of the other side are cut after this many characters: enough for every message that we know, too little to flood a log.
const LONGEST_FOREIGN_TEXT: usize = 300;

/// A probe's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `otel`.
    pub probe: &'static str,
    /// What was probed, in one line.
    pub subject: String,
    /// Name and value, such as the run's id.
    pub facts: Vec<(&'static str, String)>,
    pub tables: Vec<Table>,
    pub findings: Vec<Finding>,
    /// The last line for people: where to look.
    pub conclusion: Option<String>,
}

/// Rows under the same columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Key in JSON, suite in JUnit.
    pub name: &'static str,
    /// One per cell; the verdict is a column of its own.
    pub columns: &'static [&'static str],
    pub rows: Vec<Row>,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Unique within the report; findings point at it.
    pub name: String,
    pub cells: Vec<Cell>,
    pub verdict: Verdict,
}

/// What a row says in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Number(u64),
    Text(String),
    /// Not known.
    Nothing,
}

/// How a row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// With the reason. Never counts as passed.
    NotTried(String),
}

/// What kind of wrong a finding is. Ordered: the greatest one decides how the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Worth knowing; the program ends as if it were not there.
    Doubtful,
    /// It was reached and did something else than it should.
    Wrong,
    /// A file that was named is unreadable or malformed.
    Input,
    /// It could not be reached.
    Unreachable,
    /// A certificate was refused, ours or theirs.
    Untrusted,
}

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Kebab-case name of the fault; documented.
    pub kind: &'static str,
    pub class: Class,
    /// Names of rows, or of things such as `counters at host:9464`.
    pub about: Vec<String>,
    /// A lower-case fragment without full stop.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

impl Finding {
    /// A fault about one thing, by its line in a probe's table: name, class, way out.
    pub(crate) fn of(
        (kind, class, help): (&'static str, Class, &'static str),
        about: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, class, about: vec![about.into()], message: message.into(), help: Some(help.to_owned()) }
    }
}

impl Report {
    /// The worst that was found; `None` if nothing was.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.findings.iter().map(|finding| finding.class).max()
    }

    /// One word for programs. Where nothing was tried, nothing passed.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.class() {
            Some(class) if class > Class::Doubtful => class.as_str(),
            _ if self.rows().next().is_some() && self.rows().all(|row| matches!(row.verdict, Verdict::NotTried(_))) => {
                "not-tried"
            }
            _ => "passed",
        }
    }

    /// Adds a finding. One that says the same of another thing joins it: a host without address is one fault, not four.
    pub fn find(&mut self, finding: Finding) {
        let same =
            self.findings.iter_mut().find(|known| known.kind == finding.kind && known.message == finding.message);
        match same {
            Some(known) => {
                for about in finding.about {
                    if !known.about.contains(&about) {
                        known.about.push(about);
                    }
                }
            }
            None => self.findings.push(finding),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.tables.iter().flat_map(|table| &table.rows)
    }

    fn not_tried(&self) -> usize {
        self.rows().filter(|row| matches!(row.verdict, Verdict::NotTried(_))).count()
    }
}

impl Class {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Doubtful => "doubtful",
            Self::Wrong => "wrong",
            Self::Input => "input",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
        }
    }
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Nothing => "-".to_owned(),
        }
    }
}

impl From<Option<u64>> for Cell {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }
}

/// What was seen, and a text of the other side, made safe to print, where it said one.
pub(crate) fn quoting(message: &str, quoted: &str) -> String {
    let quoted = shown(quoted);
    if quoted.is_empty() { message.to_owned() } else { format!("{message}: {quoted}") }
}

/// A text of the other side, safe to print: on one line, without control characters, cut where it is long.
#[must_use]
pub fn shown(text: &str) -> String {
    source::quoted(text, LONGEST_FOREIGN_TEXT)
}

#[cfg(test)]
mod tests;
