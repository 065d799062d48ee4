//! Paths of attributes (`services.web.ports.[]`) and tables of patterns over them.

use std::fmt;

/// The item of a sequence, whichever it is.
pub(crate) const ITEM: &str = "[]";

/// A path from the root to the node at hand. Lives on the stack of the function that walks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Self>,
    part: &'a str,
    len: usize,
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Self = Path { parent: None, part: "", len: 0 };

    pub(crate) fn next(&'a self, part: &'a str) -> Self {
        Path { parent: Some(self), part, len: self.len + 1 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether each part equals the pattern's or the pattern has `*` there.
    pub(crate) fn matches(&self, pattern: &[&str]) -> bool {
        if pattern.len() != self.len {
            return false;
        }
        let mut at = self;
        for part in pattern.iter().rev() {
            if *part != "*" && *part != at.part {
                return false;
            }
            let Some(parent) = at.parent else { return true };
            at = parent;
        }
        true
    }

    /// The parts from the root on.
    pub(crate) fn parts(&self) -> Vec<&'a str> {
        let mut parts = Vec::with_capacity(self.len);
        let mut at = self;
        while let Some(parent) = at.parent {
            parts.push(at.part);
            at = parent;
        }
        parts.reverse();
        parts
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            if parent.len > 0 {
                write!(formatter, "{parent}.")?;
            }
            formatter.write_str(self.part)?;
        }
        Ok(())
    }
}

/// Something per pattern. A pattern matches paths of its own length only.
#[derive(Debug)]
pub(crate) struct Table<T> {
    by_len: Vec<Vec<(Vec<&'static str>, T)>>,
}

impl<T: Copy> Table<T> {
    pub(crate) fn new() -> Self {
        Self { by_len: Vec::new() }
    }

    /// Adds `pattern`, in dotted form, after each of `prefixes`. What comes first wins.
    pub(crate) fn add(&mut self, prefixes: &[&'static str], pattern: &'static str, value: T) {
        for prefix in prefixes {
            let parts: Vec<&'static str> =
                prefix.split('.').chain(pattern.split('.')).filter(|part| !part.is_empty()).collect();
            if self.by_len.len() <= parts.len() {
                self.by_len.resize_with(parts.len() + 1, Vec::new);
            }
            if let Some(same_len) = self.by_len.get_mut(parts.len()) {
                same_len.push((parts, value));
            }
        }
    }

    pub(crate) fn find(&self, path: &Path<'_>) -> Option<T> {
        self.by_len.get(path.len())?.iter().find(|(pattern, _)| path.matches(pattern)).map(|(_, value)| *value)
    }

    /// Whether no pattern is longer than the path: nothing below it can match.
    pub(crate) fn ends_before(&self, path: &Path<'_>) -> bool {
        path.len() >= self.by_len.len()
    }
}
