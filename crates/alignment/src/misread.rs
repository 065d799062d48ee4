//! Where YAML says something else than its lines look like.
//!
//! Lines are looked at first, because nearly all files have nothing of it; what looks like it is then held against what a parser reads.

use std::ops::Range;

use yamlspan::{Kind, NodeRef, Style};

use crate::place::{Path, Trail};

/// Nodes nest no deeper in what is looked for; what does is the engines' to refuse.
const DEEPEST: usize = 100;

/// Offsets of dashes that a reader takes for the next item of a list, though they are indented further than the item above.
pub(crate) fn deeper_dashes(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut item: Option<usize> = None;
    let mut start = 0;
    while start < text.len() {
        let end = memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |length| start + length + 1);
        let line = &text[start..end];
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        let at = start + indent;
        start = end;
        let content = &line[indent..];
        if content.starts_with(['#', '\n', '\r']) || content.trim_start().is_empty() {
            continue;
        }
        let Some(said) = content.strip_prefix("- ") else {
            if item.is_some_and(|above| indent <= above) {
                item = None;
            }
            continue;
        };
        match item {
            Some(above) if indent > above => found.push(at),
            _ => item = is_plain(said.trim()).then_some(indent),
        }
    }
    found
}

/// Whether an item begins a scalar without quotes; one with a key, a quote or a bracket ends elsewhere.
fn is_plain(said: &str) -> bool {
    !said.is_empty()
        && !said.starts_with(['"', '\'', '|', '>', '[', '{', '&', '*', '!', '#', '%', '@', '`'])
        && !said.starts_with("- ")
        && !said.ends_with(':')
        && !said.contains(": ")
}

/// An item of a list that goes on over lines which begin like items.
pub(crate) struct Swallowed<'d> {
    pub(crate) item: NodeRef<'d>,
    pub(crate) path: Path,
    /// The first such line, from its dash on.
    pub(crate) line: Range<usize>,
}

/// Which of [`deeper_dashes`] a parser takes for more of the item above: none in a block (`|`), all in a scalar without quotes.
pub(crate) fn swallowed<'d>(root: NodeRef<'d>, dashes: &[usize]) -> Vec<Swallowed<'d>> {
    let mut search = Search { dashes, found: Vec::new() };
    if !dashes.is_empty() {
        search.node(root, Trail::From(&Path::default()), 0, false);
    }
    search.found
}

struct Search<'d, 's> {
    dashes: &'s [usize],
    found: Vec<Swallowed<'d>>,
}

impl<'d> Search<'d, '_> {
    fn node(&mut self, node: NodeRef<'d>, trail: Trail<'_>, depth: usize, is_item: bool) {
        if depth > DEEPEST {
            return;
        }
        match node.kind() {
            Kind::Mapping => {
                for (key, value) in node.entries() {
                    self.node(value, trail.key(key.raw()), depth + 1, false);
                }
            }
            Kind::Sequence => {
                for (index, item) in node.items().enumerate() {
                    self.node(item, trail.index(index), depth + 1, true);
                }
            }
            Kind::Scalar if is_item && node.style() == Style::Plain => {
                let range = node.span().range();
                let first = self.dashes.partition_point(|at| *at < range.start);
                let Some(at) = self.dashes.get(first).copied().filter(|at| range.contains(at)) else { return };
                let rest = node.source().get(at..range.end).unwrap_or_default();
                let line = at..at + rest.lines().next().unwrap_or_default().trim_end().len();
                self.found.push(Swallowed { item: node, path: trail.path(), line });
            }
            Kind::Scalar | Kind::Alias => {}
        }
    }
}

/// Whether a file may end for a reader of one document before its last line: its first line is indented, or a marker stands between.
pub(crate) fn may_end_early(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let is_marker = |line: &str| line.starts_with("---") || line.starts_with("...");
    let first = lines.by_ref().find(|line| !line.starts_with("---") && !line.starts_with('%'));
    first.is_some_and(|first| first.starts_with(' ')) || lines.any(is_marker)
}

/// The first line behind the first document that says anything.
pub(crate) fn first_line_after(text: &str, end: usize) -> Option<Range<usize>> {
    let mut start = end;
    for line in text.get(end..)?.split_inclusive('\n') {
        let content = line.trim();
        let at = start + line.len() - line.trim_start().len();
        start += line.len();
        let said =
            ["---", "..."].iter().find_map(|marker| content.strip_prefix(marker)).unwrap_or(content).trim_start();
        let is_empty = said.is_empty() || said.starts_with('#');
        if !is_empty {
            return Some(at..at + content.len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{deeper_dashes, first_line_after, may_end_early};

    #[test]
    fn only_dashes_below_a_bare_item_are_looked_at() {
        assert_eq!(deeper_dashes("a:\n  - one\n   - two\n"), [14]);
        assert_eq!(deeper_dashes("a:\n  - one\n  - two\n"), [0usize; 0]);
        assert_eq!(deeper_dashes("a:\n  - one\n\n  # word\n    - two\n"), [25]);
        assert_eq!(deeper_dashes("a:\n  - b:\n    - two\n  - {c: 1}\n    - d\n"), [0usize; 0]);
        assert_eq!(deeper_dashes("a:\n  - one\nb:\n    - two\n"), [0usize; 0]);
    }

    #[test]
    fn a_file_of_one_document_does_not_end_early() {
        assert!(!may_end_early("# word\n---\na: 1\nb: 2\n"));
        assert!(may_end_early("# word\n a: 1\nb: 2\n"));
        assert!(may_end_early("a: 1\n---\nb: 2\n"));
        assert_eq!(first_line_after("a: 1\n---\n# word\n  b: 2 \n", 5), Some(18..22));
        assert_eq!(first_line_after("a: 1\n--- # word\n# word\n...\n", 5), None);
    }
}
