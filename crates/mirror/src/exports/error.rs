//! What can be wrong with a document: where, as a JSON pointer, and what.

use std::fmt;

/// A document that is not what it must be. It is shown as a fragment such as "`/domains/1/id` is missing".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// A JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    pub problem: Problem,
}

/// What is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// In bytes.
    TooLarge {
        size: usize,
        most: usize,
    },
    /// With what the parser says, its line and its column.
    NotJson(String),
    Missing,
    /// `a text`, `a number` …
    WrongType {
        expected: &'static str,
        found: &'static str,
    },
    /// What it must be.
    Invalid(&'static str),
    /// The same thing is listed twice; with its name.
    Twice(String),
    TooMany {
        count: usize,
        most: usize,
    },
    /// Another version than the one that is known.
    OtherSchema {
        found: u64,
        known: u64,
    },
}

impl Error {
    pub(super) fn new(pointer: impl Into<String>, problem: Problem) -> Self {
        Self { pointer: pointer.into(), problem }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str("it")?,
            pointer => write!(f, "`{pointer}`")?,
        }
        match &self.problem {
            Problem::TooLarge { size, most } => write!(f, " has {size} bytes, and at most {most} are read"),
            Problem::NotJson(why) => write!(f, " is not JSON that can be read: {why}"),
            Problem::Missing => f.write_str(" is missing"),
            Problem::WrongType { expected, found } => write!(f, " is {found}, not {expected}"),
            Problem::Invalid(expected) => write!(f, " must be {expected}"),
            Problem::Twice(name) => write!(f, " is a second `{name}`"),
            Problem::TooMany { count, most } => write!(f, " has {count} entries, and at most {most} are read"),
            Problem::OtherSchema { found, known } => write!(f, " is {found}; this program knows {known}"),
        }
    }
}

impl std::error::Error for Error {}
