//! Where a task talks (stderr) and reports (stdout).

use std::io::{self, Write as _};

/// Writes one line of talk. Whole lines only: peers are built while something else talks.
pub(crate) fn say(line: &str) {
    talk(&format!("{line}\n"));
}

/// Writes talk as it is.
pub(crate) fn talk(text: &str) {
    // If stderr is gone there is nobody to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a report.
pub(crate) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
