//! The file: its lines, what is wrong with them, and edits that leave every other byte as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::{DEFAULT_COST, Form, Hash, MOST_COST, hash};

/// Thirty thousand tenants. A larger file is a mistake, and the verifier would read it every second.
pub const MOST_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// An htpasswd file. Reading never fails: what cannot be used is a [`Problem`], and the rest can still be edited, because a damaged
/// line must not keep anyone from removing a tenant.
#[derive(Debug)]
pub struct File {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

/// One tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    name: String,
    hash: Hash,
    line: usize,
    /// Of the whole line with its end, of its name and of its hash, as bytes of the file.
    spans: [Range<usize>; 3],
}

impl Entry {
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Where the name stands, in bytes of the file.
    #[must_use]
    pub fn name_span(&self) -> Range<usize> {
        self.spans[1].clone()
    }

    /// Where the hash stands, in bytes of the file.
    #[must_use]
    pub fn hash_span(&self) -> Range<usize> {
        self.spans[2].clone()
    }
}

/// What is wrong with a line. Nothing of the line but a name that is in order is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// In bytes of the file; never the hash.
    pub span: Range<usize>,
    pub kind: ProblemKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    NotText,
    NoColon,
    Name(NameError),
    NoHash {
        name: String,
    },
    /// The name stands in an earlier line too. That one counts.
    Duplicate {
        name: String,
        first_line: usize,
    },
    /// It begins as a bcrypt hash and is none.
    DamagedHash {
        name: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ProblemKind::NotText => f.write_str("it is not UTF-8 text"),
            ProblemKind::NoColon => f.write_str("it has no `:` between a name and a hash"),
            ProblemKind::Name(error) => write!(f, "its name {error}"),
            ProblemKind::NoHash { name } => write!(f, "tenant `{name}` has no hash"),
            ProblemKind::Duplicate { name, first_line } => {
                write!(f, "tenant `{name}` stands in line {first_line} already")
            }
            ProblemKind::DamagedHash { name } => write!(f, "the hash of tenant `{name}` is not a whole bcrypt hash"),
        }
    }
}

/// Why a text cannot be a tenant's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    Empty,
    /// Basic authentication sends `name:password`.
    Colon,
    /// Or one that is not seen, or turns what stands beside it around: a log with such a name reads other than it is.
    Control,
    /// Nobody can see it, and readers of the file differ in whether it belongs to the name.
    OuterBlank,
    /// Such a line is a comment.
    Comment,
    TooLong,
}

/// A name goes into log lines, headers and shared memory of the gateway.
const MOST_NAME_BYTES: usize = 128;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Colon => "has a `:`, where Basic authentication ends the name",
            Self::Control => "has a control character",
            Self::OuterBlank => "begins or ends with a blank",
            Self::Comment => "begins with `#`, as a comment does",
            Self::TooLong => "has more than 128 bytes",
        })
    }
}

/// Whether a text can be a tenant's name.
///
/// # Errors
/// With the first reason why not.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.contains(':') {
        return Err(NameError::Colon);
    }
    if name.trim() != name {
        return Err(NameError::OuterBlank);
    }
    let is_unseen = |character| matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if name.contains(|character: char| character.is_control() || is_unseen(character)) {
        return Err(NameError::Control);
    }
    if name.starts_with('#') {
        return Err(NameError::Comment);
    }
    if name.len() > MOST_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    Ok(())
}

impl File {
    /// Reads a file: one `name:hash` a line; after a second `:` comes a comment, as nginx has it. Empty lines and lines that begin with
    /// `#` are kept and mean nothing; lines end with LF or CRLF.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut file = Self { bytes: bytes.to_vec(), entries: Vec::new(), problems: Vec::new() };
        let mut first_lines: BTreeMap<String, usize> = BTreeMap::new();
        let mut start = 0;
        for (index, whole) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let (line, end) = (index + 1, start + whole.len());
            let mut problem = |span: Range<usize>, kind| file.problems.push(Problem { line, span, kind });
            let content = whole.strip_suffix(b"\n").unwrap_or(whole);
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            let content_span = start..start + content.len();
            match std::str::from_utf8(content) {
                Err(_) => problem(start..start, ProblemKind::NotText),
                Ok(text) if text.trim().is_empty() || text.trim_start().starts_with('#') => {}
                Ok(text) => match text.split_once(':') {
                    // Not its span: whoever forgot the name may have written the password or the hash here.
                    None => problem(start..start, ProblemKind::NoColon),
                    Some((name, rest)) => {
                        let hash = rest.split(':').next().unwrap_or_default();
                        let name_span = start..start + name.len();
                        let hash_span = name_span.end + 1..name_span.end + 1 + hash.len();
                        let name_owned = name.to_owned();
                        match check_name(name) {
                            Err(error) => problem(name_span, ProblemKind::Name(error)),
                            Ok(()) if hash.trim().is_empty() => {
                                problem(name_span, ProblemKind::NoHash { name: name_owned });
                            }
                            Ok(()) => {
                                let hash = Hash::new(hash);
                                match first_lines.get(name) {
                                    Some(first) => problem(
                                        name_span.clone(),
                                        ProblemKind::Duplicate { name: name_owned.clone(), first_line: *first },
                                    ),
                                    None => drop(first_lines.insert(name_owned.clone(), line)),
                                }
                                if hash.form() == Form::BcryptDamaged {
                                    problem(name_span.clone(), ProblemKind::DamagedHash { name: name_owned.clone() });
                                }
                                let spans = [content_span.start..end, name_span, hash_span];
                                file.entries.push(Entry { name: name_owned, hash, line, spans });
                            }
                        }
                    }
                },
            }
            start = end;
        }
        file
    }

    /// All tenants in the order of the file, a name that stands twice twice.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is wrong, in the order of the lines.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The tenant of this name; of several lines the first, as nginx has it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The tenant, if name and password are right. When they are not, this takes the work of the file's highest cost, whether or not
    /// the name is known and whatever its own cost is.
    #[must_use]
    pub fn verify(&self, name: &str, password: &[u8]) -> Option<&Entry> {
        let highest = self.highest_cost();
        let found = self.entry(name);
        if let Some(entry) = found
            && entry.hash.verify(password)
        {
            return Some(entry);
        }
        let spent = found.filter(|entry| entry.hash.form() == Form::Bcrypt).and_then(|entry| entry.hash.cost());
        match spent.filter(|cost| *cost <= MOST_COST) {
            // 2^c + 2^c + 2^(c+1) + … + 2^(highest-1) = 2^highest: together as much as one check at the highest cost.
            Some(cost) => (cost..highest).for_each(|cost| hash::spend(cost, password)),
            None => hash::spend(highest, password),
        }
        None
    }

    /// The highest cost that is tried, or what new hashes get if there is none.
    #[must_use]
    pub fn highest_cost(&self) -> u32 {
        let costs = self.entries.iter().filter(|entry| entry.hash.form() == Form::Bcrypt);
        costs.filter_map(|entry| entry.hash.cost()).filter(|cost| *cost <= MOST_COST).max().unwrap_or(DEFAULT_COST)
    }

    /// The file with this hash for this name: in its first line if it has one (further lines of the name are left out), else in a new
    /// last line. Every other byte stays.
    ///
    /// # Errors
    /// If the name cannot be one.
    pub fn with(&self, name: &str, hash: &Hash) -> Result<Vec<u8>, NameError> {
        check_name(name)?;
        let mut bytes = Vec::with_capacity(self.bytes.len() + name.len() + hash.reveal().len() + 3);
        let mut lines = self.entries.iter().filter(|entry| entry.name == name);
        let Some(first) = lines.next() else {
            bytes.extend_from_slice(&self.bytes);
            let line_end: &[u8] = if self.ends_with_crlf() { b"\r\n" } else { b"\n" };
            if !bytes.is_empty() && !bytes.ends_with(b"\n") {
                bytes.extend_from_slice(line_end);
            }
            bytes.extend_from_slice(format!("{name}:{}", hash.reveal()).as_bytes());
            bytes.extend_from_slice(line_end);
            return Ok(bytes);
        };
        let span = first.hash_span();
        bytes.extend_from_slice(&self.bytes[..span.start]);
        bytes.extend_from_slice(hash.reveal().as_bytes());
        let mut at = span.end;
        for further in lines {
            bytes.extend_from_slice(&self.bytes[at..further.spans[0].start]);
            at = further.spans[0].end;
        }
        bytes.extend_from_slice(&self.bytes[at..]);
        Ok(bytes)
    }

    /// The file without any line of this name, also those that have no hash, and how many those were.
    #[must_use]
    pub fn without(&self, name: &str) -> (Vec<u8>, usize) {
        let mut removed = 0;
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            let before_colon = line.iter().position(|byte| *byte == b':').map(|colon| &line[..colon]);
            if !name.is_empty() && before_colon.is_some_and(|before| before.trim_ascii() == name.as_bytes()) {
                removed += 1;
            } else {
                bytes.extend_from_slice(line);
            }
        }
        (bytes, removed)
    }

    /// How the lines of this file end, to judge by its first.
    fn ends_with_crlf(&self) -> bool {
        self.bytes.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r\n"))
    }
}
