//! A cursor on one node of a document.

use std::ops::Range;

use source::{Span, Text, TextBuf};

use crate::document::{Content, Node, Prefix, Tree};
use crate::resolve::{self, BINARY, MERGE, STR};
use crate::scan::{Decoded, Made};
use crate::{Dialect, Error, Scalar};

/// How many merge keys [`NodeRef::get`] follows one inside the other. Anchors can be merged into themselves.
const MOST_MERGES: usize = 64;

/// How many mappings it merges in all. Merge lists of merge lists grow exponentially; real files have a handful.
const MOST_MERGED: usize = 10_000;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Scalar,
    Sequence,
    Mapping,
    Alias,
}

/// How a node is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
    /// A collection in brackets.
    Flow,
    /// A collection by indentation.
    Block,
}

/// One node of a document.
///
/// An alias can stand inside its own anchor, so a walk that follows aliases must guard against cycles;
/// [`decode`](crate::decode) does and refuses them.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'d> {
    pub(crate) tree: &'d Tree,
    pub(crate) id: u32,
}

/// The same node of the same document.
impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl Eq for NodeRef<'_> {}

/// Stands in for a node that does not exist. It is never reached: ids come from the tree itself.
static NOTHING: Node = Node {
    kind: Kind::Scalar,
    style: Style::Plain,
    line: 0,
    column: 0,
    start: 0,
    end: 0,
    content: Content::Text(Decoded::Range { start: 0, end: 0 }),
    prefix: None,
};

impl<'d> NodeRef<'d> {
    pub(crate) fn node(self) -> &'d Node {
        self.tree.nodes.get(self.id as usize).unwrap_or(&NOTHING)
    }

    fn other(self, id: u32) -> Self {
        NodeRef { id, ..self }
    }

    /// A number that names the node within its stream: two cursors with the same number stand on the same node.
    #[must_use]
    pub fn id(self) -> u32 {
        self.id
    }

    /// The dialect its document was read in.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        self.tree.dialect
    }

    /// The text of the whole stream that the node is part of.
    #[must_use]
    pub fn source(self) -> &'d str {
        &self.tree.text
    }

    /// Scalar, sequence, mapping or alias. An alias is not followed; see [`NodeRef::target`].
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The node with its quotes, block header or brackets, without its tag and anchor. Empty for a value that is not written.
    /// A block collection ends where its last item ends.
    #[must_use]
    pub fn span(self) -> Span {
        let node = self.node();
        self.tree.span(node.start, node.end)
    }

    /// The node with tag and anchor.
    #[must_use]
    pub fn full_span(self) -> Span {
        let node = self.node();
        let start = self.prefix().map_or(node.start, |prefix| prefix.start.min(node.start));
        self.tree.span(start, node.end)
    }

    /// What is inside quotes; the lines of a block scalar; else as [`NodeRef::span`].
    #[must_use]
    pub fn content_span(self) -> Span {
        let node = self.node();
        match node.content {
            Content::Text(Decoded::Range { start, end }) => self.tree.span(start, end),
            Content::Text(Decoded::Made(_)) => {
                let (start, end) = self.made().map_or((node.start, node.end), |made| made.content);
                self.tree.span(start, end)
            }
            _ => self.span(),
        }
    }

    /// Line and column (in characters), from one, as go-yaml v3 and v4 have them in `Node.Line` and `Node.Column`: of the tag or
    /// anchor if there is one.
    #[must_use]
    pub fn line_and_column(self) -> (u32, u32) {
        (self.node().line + 1, self.node().column + 1)
    }

    /// The written tag in its short form, such as `!!str` or `!reset`.
    #[must_use]
    pub fn tag(self) -> Option<&'d str> {
        let index = self.prefix()?.tag?;
        self.tree.tags.get(index as usize).map(String::as_str)
    }

    /// The anchor without `&`; for an alias, the name it refers to.
    #[must_use]
    pub fn anchor(self) -> Option<&'d str> {
        let (start, end) = *self.tree.anchors.get(self.prefix()?.anchor? as usize)?;
        self.tree.text.get(start as usize..end as usize)
    }

    /// How it is written. An alias is `Plain`.
    #[must_use]
    pub fn style(self) -> Style {
        self.node().style
    }

    fn prefix(self) -> Option<&'d Prefix> {
        self.tree.prefixes.get(self.node().prefix?.get() as usize - 1)
    }

    fn made(self) -> Option<&'d Made> {
        match self.node().content {
            Content::Text(Decoded::Made(index)) => self.tree.made.get(index as usize),
            _ => None,
        }
    }

    /// The decoded text of a scalar, empty for collections. Aliases are followed.
    #[must_use]
    pub fn raw(self) -> &'d str {
        match self.node().content {
            Content::Text(Decoded::Range { start, end }) => {
                self.tree.text.get(start as usize..end as usize).unwrap_or_default()
            }
            Content::Text(Decoded::Made(_)) => self.made().map_or("", |made| &made.text),
            Content::Alias(target) => match self.other(target).kind() {
                Kind::Scalar => self.other(target).raw(),
                _ => "",
            },
            Content::Children { .. } => "",
        }
    }

    /// Whether it is a scalar (perhaps by an alias) whose decoded text is `text`.
    #[inline]
    fn is_scalar_of(self, text: &str) -> bool {
        match self.node().content {
            // Two valid texts are equal if their bytes are; so nobody need look for character boundaries.
            Content::Text(Decoded::Range { start, end }) => {
                self.tree.text.as_bytes().get(start as usize..end as usize).unwrap_or_default() == text.as_bytes()
            }
            Content::Children { .. } => false,
            _ => self.target().kind() == Kind::Scalar && self.raw() == text,
        }
    }

    /// The decoded text of a scalar with its trace. `source` must be the text that was parsed; where it is traced, decoded
    /// bytes that stand in it as they are keep their exact origin, and others (escapes, folds) the place they came from.
    #[must_use]
    pub fn text(self, source: &Text) -> Text {
        if !source.is_traced() {
            return Text::new(self.raw());
        }
        let node = self.target();
        match node.made() {
            None => match node.node().content {
                Content::Text(Decoded::Range { start, end }) => source.slice(start as usize..end as usize),
                _ => Text::new(""),
            },
            Some(made) => {
                let mut text = TextBuf::new();
                for (decoded, piece) in made.ranges() {
                    let origin = piece.source.0 as usize..piece.source.1 as usize;
                    if piece.exact {
                        text.push_slice(source, origin);
                    } else {
                        let part = made.text.get(decoded).unwrap_or_default();
                        text.push(&Text::derived_from(part, [&source.slice(origin)]));
                    }
                }
                text.finish()
            }
        }
    }

    /// What the scalar means in the document's dialect. Aliases are followed; a collection is `Str`, and so is a scalar
    /// that contradicts its tag (see [`NodeRef::resolve`]).
    #[must_use]
    pub fn value(self) -> Scalar {
        self.resolve().unwrap_or(Scalar::Str)
    }

    /// As [`NodeRef::value`].
    ///
    /// # Errors
    /// A scalar that contradicts its tag: ``yaml: cannot decode !!str `x` as a !!int``.
    pub fn resolve(self) -> Result<Scalar, Error> {
        let node = self.target();
        if node.kind() != Kind::Scalar {
            return Ok(Scalar::Str);
        }
        if node.is_merge_key() {
            return Ok(Scalar::Merge);
        }
        match node.tag() {
            None | Some("!") if node.style() != Style::Plain => Ok(Scalar::Str),
            // v3 takes a lone `!` for no tag, v2 and v4 for a tag of its own.
            Some("!") if node.dialect() != Dialect::GoYamlV3 => Ok(Scalar::Str),
            Some(STR) => Ok(Scalar::Str),
            Some(BINARY) => Ok(Scalar::Binary),
            tag => resolve::resolve(tag.filter(|&tag| tag != "!").unwrap_or_default(), node.raw(), node.dialect())
                .map_err(|message| Error::new(message, Some(node.span()))),
        }
    }

    /// Whether this scalar, as a key, is a merge key.
    #[must_use]
    pub fn is_merge_key(self) -> bool {
        if !self.tree.may_merge || self.kind() != Kind::Scalar {
            return false;
        }
        let untagged = match self.tag() {
            Some(MERGE) => return self.dialect() == Dialect::GoYamlV4 || self.raw() == "<<",
            None => self.style() == Style::Plain,
            Some("!") => match self.dialect() {
                Dialect::GoYamlV2 => true,
                Dialect::GoYamlV3 => self.style() == Style::Plain,
                Dialect::GoYamlV4 => false,
            },
            Some(_) => false,
        };
        untagged && self.raw() == "<<"
    }

    /// The node an alias stands for; the node itself if it is none.
    #[must_use]
    pub fn target(self) -> Self {
        match self.node().content {
            Content::Alias(target) => self.other(target),
            _ => self,
        }
    }

    /// The value of `key` in a mapping, merge keys included, with go-yaml's precedence. Aliases are followed on the way in;
    /// the value itself may be an alias.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        if !self.tree.may_merge {
            let mut entries = self.target().entries();
            // The last of two equal keys counts.
            return entries.rfind(|(name, _)| name.is_scalar_of(key)).map(|(_, value)| value);
        }
        let mut left = MOST_MERGED;
        self.get_within(key, MOST_MERGES, &mut left)
    }

    fn get_within(self, key: &str, depth: usize, left: &mut usize) -> Option<Self> {
        let mapping = self.target();
        let (mut own, mut merged) = (None, None);
        for (name, value) in mapping.entries() {
            if name.is_merge_key() {
                let found = value.get_merged(key, depth.checked_sub(1)?, left);
                // v2 merges where the key stands, v3 and v4 at the end and only the last.
                if mapping.dialect() == Dialect::GoYamlV2 {
                    own = found.or(own);
                } else {
                    merged = found;
                }
            } else if name.is_scalar_of(key) {
                own = Some(value);
            }
        }
        own.or(merged)
    }

    fn get_merged(self, key: &str, depth: usize, left: &mut usize) -> Option<Self> {
        *left = left.checked_sub(1)?;
        let value = self.target();
        match value.kind() {
            Kind::Sequence => value.items().find_map(|item| {
                *left = left.checked_sub(1)?;
                item.get_within(key, depth, left)
            }),
            _ => value.get_within(key, depth, left),
        }
    }

    /// The node at a path of keys and decimal indices.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        let mut node = self;
        for step in path {
            let inner = node.target();
            node = match inner.kind() {
                Kind::Sequence => inner.items().nth(step.parse().ok()?)?,
                _ => inner.get(step)?,
            };
        }
        Some(node)
    }

    fn children(self) -> &'d [u32] {
        match self.node().content {
            Content::Children { from, to } => self.tree.children.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The items of a sequence; empty for other kinds. An alias is not followed.
    #[must_use]
    pub fn items(self) -> Items<'d> {
        let ids = if self.kind() == Kind::Sequence { self.children() } else { &[] };
        Items { tree: self.tree, ids: ids.iter() }
    }

    /// Keys and values of a mapping in written order, merge keys as they stand; empty for other kinds. An alias is not followed.
    #[must_use]
    pub fn entries(self) -> Entries<'d> {
        let ids = if self.kind() == Kind::Mapping { self.children() } else { &[] };
        Entries { tree: self.tree, ids: ids.iter() }
    }

    /// The contiguous source bytes whose text is exactly `decoded` (a byte range of [`NodeRef::raw`]), if there are such.
    #[must_use]
    pub fn source_range_of(self, decoded: Range<usize>) -> Option<Range<usize>> {
        let node = self.target();
        if decoded.start > decoded.end || decoded.end > node.raw().len() {
            return None;
        }
        let Some(made) = node.made() else {
            let content = node.content_span().range();
            return (node.kind() == Kind::Scalar).then(|| content.start + decoded.start..content.start + decoded.end);
        };
        made.ranges().find_map(|(range, piece)| {
            let inside = piece.exact && range.start <= decoded.start && decoded.end <= range.end;
            let start = piece.source.0 as usize + decoded.start.checked_sub(range.start)?;
            inside.then(|| start..start + decoded.len())
        })
    }
}

/// Items of a sequence.
#[derive(Clone, Debug)]
pub struct Items<'d> {
    tree: &'d Tree,
    ids: std::slice::Iter<'d, u32>,
}

impl<'d> Iterator for Items<'d> {
    type Item = NodeRef<'d>;

    fn next(&mut self) -> Option<NodeRef<'d>> {
        let tree = self.tree;
        self.ids.next().map(|&id| NodeRef { tree, id })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ids.size_hint()
    }
}

impl ExactSizeIterator for Items<'_> {}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let tree = self.tree;
        self.ids.next_back().map(|&id| NodeRef { tree, id })
    }
}

/// Keys and values of a mapping.
#[derive(Clone, Debug)]
pub struct Entries<'d> {
    tree: &'d Tree,
    ids: std::slice::Iter<'d, u32>,
}

impl<'d> Iterator for Entries<'d> {
    type Item = (NodeRef<'d>, NodeRef<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        let tree = self.tree;
        let key = *self.ids.next()?;
        let value = *self.ids.next()?;
        Some((NodeRef { tree, id: key }, NodeRef { tree, id: value }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ids.len() / 2, Some(self.ids.len() / 2))
    }
}

impl ExactSizeIterator for Entries<'_> {}

impl DoubleEndedIterator for Entries<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let tree = self.tree;
        let value = *self.ids.next_back()?;
        let key = *self.ids.next_back()?;
        Some((NodeRef { tree, id: key }, NodeRef { tree, id: value }))
    }
}
