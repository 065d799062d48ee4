//! What a file says that is handed in as evidence.

use serde_json::Value;

/// The schema of our probes' reports that this program reads.
const REPORT_SCHEMA: u64 = 1;

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
}

impl Report {
    /// Reads evidence. Whatever is no report of ours says nothing: only its hash counts.
    ///
    /// # Errors
    /// A report that this program cannot judge.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportError> {
        let Ok(Value::Object(report)) = serde_json::from_slice(bytes) else { return Ok(Self::default()) };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let fact = report.get("facts").and_then(|facts| facts.get("release"));
        let release = text(report.get("release").or(fact));
        let Some(probe) = text(report.get("probe")) else { return Ok(Self { release, ..Self::default() }) };
        if report.get("schema").and_then(Value::as_u64) != Some(REPORT_SCHEMA) {
            return Err(ReportError::Schema);
        }
        let verdict = text(report.get("verdict")).ok_or(ReportError::NoVerdict)?;
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
        for other in ["", "plain", "[1]", "{}", r#"{"probe": 1}"#] {
            assert_eq!(read(other), Ok(Report::default()), "{other}");
        }
    }
}
