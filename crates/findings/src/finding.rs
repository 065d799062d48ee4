//! One finding.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Texts longer than this, in bytes, are cut: they quote a value that somebody made a megabyte long, and stand in every report.
const LONGEST_TEXT: usize = 4000;

/// How bad a finding is. Only an error fails a check; notes never block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// Something wrong with what the workspace describes. `P` is a symbolic place in the rules and a
/// [`Location`](crate::Location) once resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<P> {
    /// The rule's id, such as `digest-mismatch`.
    pub rule: &'static str,
    pub severity: Severity,
    /// What is wrong: one sentence fragment, lower-case, without full stop.
    pub message: String,
    pub place: P,
    /// What stands at the place, such as "profile `dev` pins this".
    pub label: Option<String>,
    pub related: Vec<Related<P>>,
    /// The way out.
    pub help: Option<String>,
    /// The profiles that it is about; none if it is about the workspace. Known once places are resolved.
    pub profiles: BTreeSet<Arc<str>>,
    /// Why it does not count, where it is accepted from outside, such as by a baseline.
    pub accepted: Option<String>,
    /// Whether what stands at its places is a secret: excerpts then show that it is there, not what it is.
    pub is_secret: bool,
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related<P> {
    pub place: P,
    /// What stands there, such as "release `2025.10.0-edge` lists this".
    pub label: String,
}

impl<P> Finding<P> {
    /// A finding without label, related places and help.
    pub fn new(rule: &'static str, severity: Severity, place: P, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity,
            message: shortened(message.into()),
            place,
            label: None,
            related: Vec::new(),
            help: None,
            profiles: BTreeSet::new(),
            accepted: None,
            is_secret: false,
        }
    }

    /// Says what stands at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(shortened(label.into()));
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn related(mut self, place: P, label: impl Into<String>) -> Self {
        self.related.push(Related { place, label: shortened(label.into()) });
        self
    }

    /// Says that what stands at its places must not be printed.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shortened(help.into()));
        self
    }
}

/// A text that is too long without its middle: errors of templates end with their reason.
#[must_use]
pub fn shortened(text: String) -> String {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (head, tail) = (boundary(LONGEST_TEXT * 3 / 4), boundary(text.len() - LONGEST_TEXT / 4));
    format!("{}… ({} bytes) …{}", &text[..head], tail - head, &text[tail..])
}

impl Severity {
    /// The word that people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
