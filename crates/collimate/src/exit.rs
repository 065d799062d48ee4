//! How a run ends: exit codes, and the one printed form of a failure.

use std::fmt::Write as _;

/// The documented exit codes. If several apply, the higher line of this table wins: 70, 5, 4, 3, 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing wrong.
    Fine = 0,
    /// The workspace was looked at and something in it is wrong.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `collimate.yaml`, or a file named on the command line, is unreadable or malformed.
    Input = 3,
    /// Something outside failed: a missing tool, a full disk.
    Outside = 4,
    /// A certificate, digest or signature was refused.
    Untrusted = 5,
    /// Our bug.
    Bug = 70,
}

/// Why a command could not do its work. Not for findings: those are its result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    missing_workspace: bool,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// `message` is a lower-case fragment without full stop.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), hint: None, missing_workspace: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Exit::Input, message)
    }

    pub(crate) fn outside(message: impl Into<String>) -> Self {
        Self::new(Exit::Outside, message)
    }

    pub(crate) fn untrusted(message: impl Into<String>) -> Self {
        Self::new(Exit::Untrusted, message)
    }

    /// There is no workspace file: the one failure that some commands can do without.
    pub(crate) fn missing_workspace(message: impl Into<String>) -> Self {
        Self { missing_workspace: true, ..Self::input(message) }
    }

    pub(crate) fn is_missing_workspace(&self) -> bool {
        self.missing_workspace
    }

    #[must_use]
    pub(crate) fn because(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// As [`Self::hint`], where there is one.
    #[must_use]
    pub(crate) fn hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// What is printed to stderr: `error: …`, `caused by: …`, `hint: …`, secrets masked.
    pub(crate) fn to_text(&self) -> String {
        let shown = |text: &str| findings::disarmed(&findings::shortened(source::redact(text)));
        let mut text = format!("error: {}\n", shown(&self.message));
        for cause in &self.causes {
            let _ = writeln!(text, "caused by: {}", shown(cause));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {}", shown(hint));
        }
        text
    }
}
