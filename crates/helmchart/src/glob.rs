//! The patterns of `.Files.Glob`, with `/` as separator: `*` stays within a path element, `**` does not, `?` is one character
//! that is not `/`, `[a-c]`, `[!abc]`, `{a,b}` and `\` as one expects. This is the dialect of the gobwas/glob library.
//!
//! Threat: patterns and names come from a chart. Matching remembers the pairs of positions that failed, so its cost is at most
//! pattern × name; alternatives are bounded by [`DEEPEST`].

use std::collections::HashSet;

/// Nesting of `{…}` in one pattern; deeper ones count as malformed.
const DEEPEST: usize = 32;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    nodes: Vec<Node>,
}

/// The pattern is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadGlob;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Char(char),
    Any,
    Super,
    Single,
    Range {
        low: char,
        high: char,
        not: bool,
    },
    List {
        chars: Vec<char>,
        not: bool,
    },
    /// Alternatives as one graph: each `Split` is tried in turn, each alternative ends in a `Jump` behind the last.
    Split(Vec<usize>),
    Jump(usize),
}

impl Glob {
    /// Compiles a pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self, BadGlob> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0, nodes: Vec::new() };
        parser.sequence(0)?;
        Ok(Self { nodes: parser.nodes })
    }

    /// Whether the whole of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let mut tried = HashSet::new();
        let mut stack = vec![(0usize, 0usize)];
        while let Some((node, at)) = stack.pop() {
            if !tried.insert((node, at)) {
                continue;
            }
            let Some(step) = self.nodes.get(node) else {
                if at == name.len() {
                    return true;
                }
                continue;
            };
            let next = name.get(at).copied();
            let one = match step {
                Node::Char(expected) => next == Some(*expected),
                Node::Single => next.is_some_and(|c| c != '/'),
                Node::Range { low, high, not } => next.is_some_and(|c| (*low <= c && c <= *high) != *not),
                Node::List { chars, not } => next.is_some_and(|c| chars.contains(&c) != *not),
                Node::Any | Node::Super => {
                    stack.push((node + 1, at));
                    if next.is_some_and(|c| *step == Node::Super || c != '/') {
                        stack.push((node, at + 1));
                    }
                    false
                }
                Node::Split(targets) => {
                    stack.extend(targets.iter().map(|target| (*target, at)));
                    false
                }
                Node::Jump(target) => {
                    stack.push((*target, at));
                    false
                }
            };
            if one {
                stack.push((node + 1, at + 1));
            }
        }
        false
    }
}

struct Parser<'p> {
    chars: &'p [char],
    at: usize,
    nodes: Vec<Node>,
}

impl Parser<'_> {
    fn sequence(&mut self, depth: usize) -> Result<(), BadGlob> {
        while let Some(head) = self.chars.get(self.at).copied() {
            match head {
                ',' | '}' if depth > 0 => return Ok(()),
                '*' => {
                    self.at += 1;
                    if self.chars.get(self.at) == Some(&'*') {
                        self.at += 1;
                        self.nodes.push(Node::Super);
                    } else {
                        self.nodes.push(Node::Any);
                    }
                }
                '?' => {
                    self.at += 1;
                    self.nodes.push(Node::Single);
                }
                '[' => self.class()?,
                '{' => self.alternatives(depth + 1)?,
                '\\' => {
                    self.at += 1;
                    if let Some(escaped) = self.chars.get(self.at).copied() {
                        self.at += 1;
                        self.nodes.push(Node::Char(escaped));
                    }
                }
                other => {
                    self.at += 1;
                    self.nodes.push(Node::Char(other));
                }
            }
        }
        Ok(())
    }

    fn alternatives(&mut self, depth: usize) -> Result<(), BadGlob> {
        if depth > DEEPEST {
            return Err(BadGlob);
        }
        self.at += 1;
        let split = self.nodes.len();
        self.nodes.push(Node::Split(Vec::new()));
        let (mut starts, mut jumps) = (Vec::new(), Vec::new());
        loop {
            starts.push(self.nodes.len());
            self.sequence(depth)?;
            jumps.push(self.nodes.len());
            self.nodes.push(Node::Jump(0));
            let end = self.chars.get(self.at).copied();
            self.at += 1;
            // The library does not ask for the closing brace at the end of a pattern.
            if end != Some(',') {
                break;
            }
        }
        let behind = self.nodes.len();
        for jump in jumps {
            self.nodes[jump] = Node::Jump(behind);
        }
        self.nodes[split] = Node::Split(starts);
        Ok(())
    }

    /// `[abc]`, `[!abc]`, `[a-c]`: either a range or a list, never both.
    fn class(&mut self) -> Result<(), BadGlob> {
        self.at += 1;
        let not = self.chars.get(self.at) == Some(&'!');
        if not {
            self.at += 1;
        }
        let first = self.chars.get(self.at).copied().ok_or(BadGlob)?;
        if self.chars.get(self.at + 1) == Some(&'-') {
            let high = self.chars.get(self.at + 2).copied().ok_or(BadGlob)?;
            if self.chars.get(self.at + 3) != Some(&']') || high < first {
                return Err(BadGlob);
            }
            self.at += 4;
            self.nodes.push(Node::Range { low: first, high, not });
            return Ok(());
        }
        let mut chars = Vec::new();
        loop {
            match self.chars.get(self.at).copied().ok_or(BadGlob)? {
                ']' => break,
                '\\' => {
                    self.at += 1;
                    chars.push(self.chars.get(self.at).copied().ok_or(BadGlob)?);
                }
                other => chars.push(other),
            }
            self.at += 1;
        }
        self.at += 1;
        if chars.is_empty() {
            return Err(BadGlob);
        }
        self.nodes.push(Node::List { chars, not });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_the_library_does() {
        for (pattern, name, expected) in [
            ("files/*", "files/a.txt", true),
            ("files/*", "files/a/b.txt", false),
            ("files/**", "files/a/b.txt", true),
            ("files/**", "files", false),
            ("**.yaml", "a/b/c.yaml", true),
            ("**/x.yaml", "x.yaml", false),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("{a,b}/*.txt", "b/c.txt", true),
            ("{a,b}/*.txt", "c/c.txt", false),
            ("a{,b}c", "ac", true),
            ("{a,{b,c}d}e", "cde", true),
            ("?at", "/at", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a]x", "/x", true),
            ("a\\*", "a*", true),
            ("{a,b", "b", true),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(name), expected, "{pattern} {name}");
        }
        for pattern in ["[", "[]", "[c-a]", "[a-bc]", "[abc", &"{".repeat(33)] {
            assert_eq!(Glob::new(pattern), Err(BadGlob), "{pattern}");
        }
        assert!(Glob::new(&"{".repeat(32)).is_ok());
    }

    #[test]
    fn a_pattern_of_stars_ends() {
        let glob = Glob::new(&"*a".repeat(200)).unwrap();
        assert!(!glob.matches(&"a".repeat(5000)) || glob.matches(&"a".repeat(5000)));
    }
}
