//! What a file says that is handed in as evidence.

mod bounded;

use bounded::{Said, Word};

/// The schema of our probes' reports that this program reads.
const REPORT_SCHEMA: u64 = 1;

/// What some editors write before a text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The verdict of a report that proves something.
const GREEN: &str = "passed";

/// What matters of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The probe and its verdict; absent on files that are no report of ours.
    pub probe: Option<String>,
    pub verdict: Option<String>,
    /// The release that was looked at, where the file says so: `release`, or `facts.release`.
    pub release: Option<String>,
}

/// Why a report cannot be evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("it is a report with another schema than {REPORT_SCHEMA}")]
    Schema,
    #[error("it is a report without a verdict")]
    NoVerdict,
    /// What a probe leaves that could not even start.
    #[error("it is empty")]
    Empty,
    /// A report that was written half may have been one that speaks against the release.
    #[error("it begins as JSON and is cut off")]
    Cut,
    #[error("it is a report with something behind it")]
    Trailing,
}

impl Report {
    /// Reads evidence. Whatever is no report of ours says nothing: only its hash counts.
    ///
    /// # Errors
    /// A report that this program cannot judge.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportError> {
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii();
        if bytes.is_empty() {
            return Err(ReportError::Empty);
        }
        if !bytes.starts_with(b"{") {
            return Ok(Self::default());
        }
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Said>();
        let report = match values.next() {
            Some(Ok(report)) => report,
            Some(Err(error)) if error.is_eof() => return Err(ReportError::Cut),
            _ => return Ok(Self::default()),
        };
        let is_alone = values.byte_offset() == bytes.len();
        let release = match report.release.or(report.fact) {
            // `2025.10` without its quotes.
            Some(Word::Number(number)) => Some(number.to_string()),
            other => other.and_then(Word::into_text),
        };
        let Some(probe) = report.probe.and_then(Word::into_text) else {
            // Lines of JSON are a log; what the first one names is not said of all.
            return Ok(Self { release: release.filter(|_| is_alone), ..Self::default() });
        };
        if !is_alone {
            return Err(ReportError::Trailing);
        }
        if !matches!(report.schema, Some(Word::Number(number)) if number.as_u64() == Some(REPORT_SCHEMA)) {
            return Err(ReportError::Schema);
        }
        let verdict = report.verdict.and_then(Word::into_text).ok_or(ReportError::NoVerdict)?;
        Ok(Self { probe: Some(probe), verdict: Some(verdict), release })
    }

    /// Whether nothing in it speaks against the release.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.verdict.as_ref().is_none_or(|verdict| verdict == GREEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_judged_and_other_files_only_kept() {
        let read = |text: &str| Report::read(text.as_bytes());
        let green =
            read(r#"{"schema": 1, "probe": "otel", "verdict": "passed", "facts": {"release": "1.2"}}"#).unwrap();
        assert!(green.is_green());
        assert_eq!(green.release.as_deref(), Some("1.2"));
        for verdict in ["wrong", "not-tried", "unreachable", ""] {
            let report = read(&format!(r#"{{"schema": 1, "probe": "otel", "verdict": "{verdict}"}}"#)).unwrap();
            assert!(!report.is_green(), "{verdict}");
        }
        assert_eq!(read(r#"{"schema": 2, "probe": "otel", "verdict": "passed"}"#), Err(ReportError::Schema));
        assert_eq!(read(r#"{"schema": 1, "probe": "otel"}"#), Err(ReportError::NoVerdict));
        for other in ["plain", "[1]", "{}", r#"{"probe": 1}"#, "{x", "{\"release\": \"1\"}\n{}\n"] {
            assert_eq!(read(other), Ok(Report::default()), "{other}");
        }
    }

    #[test]
    fn what_else_a_report_says_is_passed_over() {
        let read = |facts: &str| {
            let text =
                format!(r#"{{"schema": 1, "probe": "otel", "more": {facts}, "facts": {facts}, "verdict": "passed"}}"#);
            Report::read(text.as_bytes()).unwrap()
        };
        let lists = format!("[{}[]]", "[],".repeat(200_000));
        for other in ["1", "-1.5", "true", "null", "\"x\"", "{\"a\": {}}", &lists] {
            assert!(read(other).is_green() && read(other).release.is_none());
        }
        assert_eq!(read(&format!("{{\"a\": {lists}, \"release\": \"1\"}}")).release.as_deref(), Some("1"));
    }

    #[test]
    fn what_a_probe_did_not_finish_proves_nothing() {
        let read = |text: &str| Report::read(text.as_bytes());
        for nothing in ["", " \n", "\u{feff}"] {
            assert_eq!(read(nothing), Err(ReportError::Empty), "{nothing:?}");
        }
        let wrong = r#"{"schema": 1, "probe": "otel", "verdict": "wrong"}"#;
        for end in 1..wrong.len() {
            assert_eq!(read(&wrong[..end]), Err(ReportError::Cut), "{end}");
        }
        assert!(!read(&format!("\u{feff}{wrong}\n")).unwrap().is_green());
        assert_eq!(read(&format!("{wrong}\n{wrong}")), Err(ReportError::Trailing));
        assert_eq!(read(r#"{"facts": {"release": 2025.1}}"#).unwrap().release.as_deref(), Some("2025.1"));
    }
}
