//! Why something could not be done: a value with a place, a reason and a way out.

use std::fmt;

use camino::Utf8Path;
use source::system;

/// How the program ends for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What was asked for makes no sense.
    Usage,
    /// A file or folder that was named is unreadable or is something else.
    Input,
    /// The network, the mirror or the disk failed.
    Outside,
    /// A certificate, credential, digest, signature or age was refused.
    Untrusted,
}

/// One failure. Texts are lower-case fragments without full stop; texts of the other side are safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    class: Class,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    suspicion: Suspicion,
}

/// What else than the mirror itself may be behind a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    Nothing,
    /// The mirror switched generations between two answers, or something was changed on the way: what was transferred is not to be trusted.
    Transfer,
    /// A cache on the way is behind: what was transferred is good, but of another generation.
    Cache,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(class: Class, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts { class, message, causes: Vec::new(), hint: None, suspicion: Suspicion::Nothing }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Class::Usage, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Class::Input, message)
    }

    pub(crate) fn outside(message: impl Into<String>) -> Self {
        Self::new(Class::Outside, message)
    }

    pub(crate) fn untrusted(message: impl Into<String>) -> Self {
        Self::new(Class::Untrusted, message)
    }

    #[must_use]
    pub(crate) fn because(mut self, cause: impl ToString) -> Self {
        self.0.causes.push(cause.to_string());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Marks what also looks like this if the mirror switched generations between two answers, or if a bit fell over.
    #[must_use]
    pub(crate) fn or_switched(mut self) -> Self {
        self.0.suspicion = Suspicion::Transfer;
        self
    }

    /// Marks what looks like this if a cache is behind.
    #[must_use]
    pub(crate) fn or_behind(mut self) -> Self {
        self.0.suspicion = Suspicion::Cache;
        self
    }

    pub(crate) fn suspicion(&self) -> Suspicion {
        self.0.suspicion
    }

    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// From the outermost to the innermost.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    #[must_use]
    pub fn way_out(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        self.causes().iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for Error {}

/// A failure of the disk while `doing` something with a path.
pub(crate) fn disk(doing: &str, path: &Utf8Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Kind;
    let reason = match doing {
        "make" | "make the folder" | "write" => system::reason_unwritten(error),
        _ => system::reason(error),
    };
    let failed = Error::outside(format!("cannot {doing} `{path}`")).because(reason);
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => {
            failed.hint("make room; what has arrived is kept, and the next run goes on from there")
        }
        Kind::FileTooLarge => failed.hint("the shell's limit on the size of a file (`ulimit -f`) is too low"),
        Kind::ReadOnlyFilesystem | Kind::PermissionDenied => {
            failed.hint("run this as the user that the folder belongs to, on a file system that can be written")
        }
        _ => failed,
    }
}

/// Text that somebody else chose, so that it can be printed: one line, nothing that a terminal obeys, not too long.
pub(crate) fn printable(text: &str) -> String {
    const MOST: usize = 120;
    // It stands in backquotes.
    source::quoted(text, MOST).replace('`', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_shown_in_one_line_and_not_endlessly() {
        assert_eq!(printable("a\u{1b}[31m\n`\u{202e}b"), "a\u{fffd}[31m \u{fffd}\u{fffd}b");
        assert_eq!(printable(&"ä".repeat(120)), "ä".repeat(120));
        assert_eq!(printable(&"ä".repeat(121)), format!("{}…", "ä".repeat(120)));
    }
}
