//! A parsed document: an arena of nodes over its text.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use source::{FileId, Span};

use crate::events::{Event, Events, Properties};
use crate::lines;
use crate::scan::{Decoded, Made, Mark, Problem, Stage, narrow};
use crate::{Dialect, Error, Kind, Limit, MOST_BYTES, MOST_NODES, NodeRef, Style};

/// One document of a YAML stream. Cheap to clone and to share (`Send + Sync`), immutable.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) tree: Arc<Tree>,
    root: u32,
    range: (u32, u32),
}

impl Document {
    /// The top node. A document without content has an empty null scalar.
    #[must_use]
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef { tree: &self.tree, id: self.root }
    }

    /// The node of this [`NodeRef::id`].
    #[must_use]
    pub fn node(&self, id: u32) -> Option<NodeRef<'_>> {
        self.tree.nodes.get(id as usize).map(|_| NodeRef { tree: &self.tree, id })
    }

    /// Whether it is known to have no tag, anchor, alias or merge key, no key that is a collection, and no scalar but literal blocks that goes on over
    /// a line end: most documents are like this.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.tree.is_read_by_lines
    }

    /// From its first directive, marker or node to its end.
    #[must_use]
    pub fn span(&self) -> Span {
        self.tree.span(self.range.0, self.range.1)
    }

    /// The text of the whole stream that the document is part of.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.tree.text
    }

    /// The file that spans name.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.tree.file
    }

    /// The dialect it was read in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.tree.dialect
    }
}

/// All nodes of a stream. Documents share it, because in v3 and v4 an alias may name an anchor of an earlier document.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) text: Arc<str>,
    pub(crate) file: FileId,
    pub(crate) dialect: Dialect,
    pub(crate) nodes: Vec<Node>,
    pub(crate) children: Vec<u32>,
    pub(crate) made: Vec<Made>,
    /// Short forms.
    pub(crate) tags: Vec<String>,
    /// Ranges of names.
    pub(crate) anchors: Vec<(u32, u32)>,
    pub(crate) prefixes: Vec<Prefix>,
    /// Whether [`lines`] has read it.
    is_read_by_lines: bool,
    /// Whether a key may be a merge key. Most streams have none, and lookups need not ask key by key.
    pub(crate) may_merge: bool,
}

impl Tree {
    pub(crate) fn span(&self, start: u32, end: u32) -> Span {
        Span { file: self.file, start, end: end.max(start) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) style: Style,
    /// Its line and column from zero, of its tag or anchor if it has one.
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) content: Content,
    /// One more than the index of its [`Prefix`]. Few nodes have one, and many nodes are in memory at a time.
    pub(crate) prefix: Option<NonZeroU32>,
}

/// What stands before a node, or the name of an alias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix {
    /// Where it starts.
    pub(crate) start: u32,
    /// Index into [`Tree::tags`].
    pub(crate) tag: Option<u32>,
    /// Index into [`Tree::anchors`].
    pub(crate) anchor: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Text(Decoded),
    /// A range of [`Tree::children`]: items, or keys and values in turn.
    Children {
        from: u32,
        to: u32,
    },
    Alias(u32),
}

/// All documents of a stream. An empty stream has none.
///
/// # Errors
/// What go-yaml refuses, in its words.
pub fn parse(text: impl Into<Arc<str>>, file: FileId, dialect: Dialect) -> Result<Vec<Document>, Error> {
    parse_some(text.into(), file, dialect, usize::MAX)
}

/// The first document of a stream, which is all that Go's `yaml.Unmarshal` looks at; what follows is not read.
///
/// # Errors
/// What go-yaml refuses, in its words.
pub fn parse_first(text: impl Into<Arc<str>>, file: FileId, dialect: Dialect) -> Result<Option<Document>, Error> {
    parse_some(text.into(), file, dialect, 1).map(|documents| documents.into_iter().next())
}

fn parse_some(text: Arc<str>, file: FileId, dialect: Dialect, most: usize) -> Result<Vec<Document>, Error> {
    if text.len() > MOST_BYTES {
        let message = format!("yaml: text has {} bytes, more than the {MOST_BYTES} that are read", text.len());
        return Err(Error::over(Limit::Size, message, None));
    }
    let by_lines = lines::read(&text);
    let is_read_by_lines = by_lines.is_some();
    let (parts, roots) = match by_lines {
        Some((parts, root)) => (parts, vec![root]),
        None => compose(&text, dialect, most).map_err(|problem| problem.into_error(dialect, file, &text))?,
    };
    let Parts { nodes, children, made, tags, anchors, prefixes } = parts;
    let may_merge = !is_read_by_lines && (!tags.is_empty() || memchr::memmem::find(text.as_bytes(), b"<<").is_some());
    let tree = Arc::new(Tree {
        file,
        dialect,
        nodes,
        children,
        made,
        tags,
        anchors,
        prefixes,
        text,
        is_read_by_lines,
        may_merge,
    });
    let document = |(root, range)| Document { tree: Arc::clone(&tree), root, range };
    Ok(roots.into_iter().map(document).collect())
}

/// The nodes of up to `most` documents, by the whole grammar.
pub(crate) fn compose(text: &str, dialect: Dialect, most: usize) -> Result<(Parts, Vec<Root>), Problem> {
    let mut composer = Composer::new(text, dialect);
    let mut roots = Vec::new();
    while roots.len() < most {
        match composer.document()? {
            Some(document) => roots.push(document),
            None => break,
        }
    }
    let Composer { events, mut parts, .. } = composer;
    parts.made = events.scanner.made;
    parts.tags = events.tags.into_iter().map(short_tag).collect();
    Ok((parts, roots))
}

fn short_tag(tag: String) -> String {
    match tag.strip_prefix("tag:yaml.org,2002:") {
        Some(rest) => format!("!!{rest}"),
        None => tag,
    }
}

/// The root node of a document and its byte range.
pub(crate) type Root = (u32, (u32, u32));

/// What a tree is made of.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) nodes: Vec<Node>,
    pub(crate) children: Vec<u32>,
    pub(crate) made: Vec<Made>,
    tags: Vec<String>,
    anchors: Vec<(u32, u32)>,
    prefixes: Vec<Prefix>,
}

impl Parts {
    /// With room for what a text of so many bytes has mostly: objects are short lines, and what is longer holds blocks of text.
    pub(crate) fn with_room(bytes: usize) -> Self {
        const LONG: usize = 3 * 1024;
        let nodes = bytes.min(LONG) / 13 + bytes.saturating_sub(LONG) / 20;
        Self { nodes: Vec::with_capacity(nodes), children: Vec::with_capacity(nodes), ..Self::default() }
    }
}

/// Events to nodes.
struct Composer<'s> {
    source: &'s str,
    events: Events<'s>,
    dialect: Dialect,
    parts: Parts,
    /// Never iterated, so its order does not matter.
    known: HashMap<&'s str, u32>,
}

impl<'s> Composer<'s> {
    fn new(source: &'s str, dialect: Dialect) -> Self {
        Self {
            source,
            events: Events::new(source, dialect),
            dialect,
            parts: Parts::with_room(source.len()),
            known: HashMap::new(),
        }
    }

    /// The root and the range of the next document.
    fn document(&mut self) -> Result<Option<Root>, Problem> {
        let Event::DocumentStart { start } = self.events.next()? else { return Ok(None) };
        if self.dialect == Dialect::GoYamlV2 {
            self.known.clear();
        }
        // Collections that are open, with the place in `waiting` where their children start.
        let mut open: Vec<(u32, usize)> = Vec::new();
        let mut waiting: Vec<u32> = Vec::new();
        loop {
            if let Some(last) = self.parts.nodes.get(MOST_NODES) {
                let mark = Mark { at: last.start, line: last.line, column: last.column };
                let message = format!("the text has more than the {MOST_NODES} values that are read").into();
                return Err(Problem { stage: Stage::Limit, context: None, message, mark });
            }
            match self.events.next()? {
                Event::Alias { start, end } => waiting.push(self.alias(start, end)?),
                Event::Scalar { node, style, text, start, end } => {
                    let id = self.add(Kind::Scalar, style, node, start, Content::Text(text));
                    self.finish(id, end);
                    waiting.push(id);
                }
                Event::SequenceStart { node, style, start } => {
                    let id = self.add(Kind::Sequence, style, node, start, Content::Children { from: 0, to: 0 });
                    open.push((id, waiting.len()));
                }
                Event::MappingStart { node, style, start } => {
                    let id = self.add(Kind::Mapping, style, node, start, Content::Children { from: 0, to: 0 });
                    open.push((id, waiting.len()));
                }
                Event::SequenceEnd { end } | Event::MappingEnd { end } => {
                    let Some((id, first)) = open.pop() else { continue };
                    let from = narrow(self.parts.children.len());
                    self.parts.children.extend(waiting.drain(first..));
                    let to = narrow(self.parts.children.len());
                    if let Some(node) = self.parts.nodes.get_mut(id as usize) {
                        node.content = Content::Children { from, to };
                    }
                    self.finish(id, end);
                    waiting.push(id);
                }
                Event::DocumentEnd { end } => {
                    let root = waiting.first().copied().unwrap_or_default();
                    return Ok(Some((root, (start, end.max(start)))));
                }
                Event::DocumentStart { .. } | Event::StreamEnd => return Ok(None),
            }
        }
    }

    fn add(&mut self, kind: Kind, style: Style, properties: Properties, start: u32, content: Content) -> u32 {
        let id = narrow(self.parts.nodes.len());
        let Properties { anchor, tag, mark } = properties;
        let anchor = anchor.map(|token| {
            self.known.insert(name_in(self.source, token), id);
            self.add_name(token)
        });
        let is_bare = tag.is_none() && anchor.is_none() && mark.at == start;
        let prefix = if is_bare { None } else { self.add_prefix(Prefix { start: mark.at, tag, anchor }) };
        let (line, column) = (mark.line, mark.column);
        self.parts.nodes.push(Node { kind, style, line, column, start, end: start, content, prefix });
        id
    }

    fn add_prefix(&mut self, prefix: Prefix) -> Option<NonZeroU32> {
        self.parts.prefixes.push(prefix);
        NonZeroU32::new(narrow(self.parts.prefixes.len()))
    }

    fn add_name(&mut self, (start, end): (u32, u32)) -> u32 {
        let index = narrow(self.parts.anchors.len());
        self.parts.anchors.push((start + 1, end));
        index
    }

    fn finish(&mut self, id: u32, end: u32) {
        if let Some(node) = self.parts.nodes.get_mut(id as usize) {
            node.end = end.max(node.start);
        }
    }

    fn alias(&mut self, start: Mark, end: u32) -> Result<u32, Problem> {
        let token = (start.at, end);
        let name = name_in(self.source, token);
        let Some(&target) = self.known.get(name) else {
            let message = format!("unknown anchor '{name}' referenced").into();
            return Err(Problem { stage: Stage::Composer, context: None, message, mark: start });
        };
        let properties = Properties { anchor: None, tag: None, mark: start };
        let id = self.add(Kind::Alias, Style::Plain, properties, start.at, Content::Alias(target));
        let anchor = Some(self.add_name(token));
        let prefix = self.add_prefix(Prefix { start: start.at, tag: None, anchor });
        if let Some(node) = self.parts.nodes.get_mut(id as usize) {
            node.prefix = prefix;
        }
        self.finish(id, end);
        Ok(id)
    }
}

/// The name of an anchor or alias token.
fn name_in(source: &str, (start, end): (u32, u32)) -> &str {
    source.get(start as usize + 1..end as usize).unwrap_or_default()
}
