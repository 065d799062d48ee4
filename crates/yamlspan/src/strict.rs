//! Reads our own YAML files strictly: every key is known, every value has a span, and all problems are collected.
//!
//! Threat: such files come from others. The tree comes from [`parse`], which limits size, depth and aliases; here nothing
//! recurses on input, and lists and mappings have a length, because rules hold entries against each other.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::{Dialect, Document, Kind, NodeRef, Scalar, parse};
use source::{FileId, Span, printable};

mod nearest;
mod spanned;

pub use nearest::{guessing, nearest};
pub use spanned::Spanned;

/// Entries of one list or mapping. A baseline of two hundred profiles that pin nothing has 12,000.
const MOST_ENTRIES: usize = 20_000;

/// What is wrong with one of our own files, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` only where the YAML reader names no place.
    pub span: Option<Span>,
    /// What is wrong, with the path of the value.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

/// Collects problems while reading.
#[derive(Debug, Default)]
pub struct Reader {
    pub problems: Vec<Problem>,
    belongs: Belongs,
}

/// What belongs where, for whoever left it empty or wrote something else: the way out, by key. A key of the whole file stands as it is (and
/// `""` is the file), one below others as `.key`, an entry under a name of the user's as `key.*` or `.key.*`.
pub type Belongs = &'static [(&'static str, &'static str)];

/// A mapping whose keys were checked.
#[derive(Clone)]
pub struct Fields<'d> {
    /// The whole mapping.
    pub span: Span,
    /// Where something that is missing is reported: the key that holds the mapping, or its first key.
    pub title: Span,
    /// Path for messages, such as `components.authority`; empty at the root.
    path: String,
    known: &'static [&'static str],
    values: Vec<(&'static str, NodeRef<'d>)>,
    /// What an unknown key was taken for.
    misspelt: Vec<&'static str>,
}

/// A mapping from names that the user chose.
pub struct Named<'d> {
    pub name: Spanned<String>,
    pub value: NodeRef<'d>,
    pub path: String,
}

impl Reader {
    pub fn new(belongs: Belongs) -> Self {
        Self { problems: Vec::new(), belongs }
    }

    /// Parses the one document of a file of ours; `None` if it has problems that leave nothing to read.
    pub fn document(&mut self, text: &str, file: FileId) -> Option<Document> {
        let documents = match parse(text, file, Dialect::GoYamlV4) {
            Ok(documents) => documents,
            Err(error) => {
                self.problems.push(Problem { span: error.span(), message: error.to_string(), help: None });
                return None;
            }
        };
        let mut documents = documents.into_iter();
        let Some(first) = documents.next() else {
            let help = self.way_out("").map(str::to_owned);
            self.problem(Span::new(file, 0..0), "the file is empty".to_owned(), help);
            return None;
        };
        if let Some(second) = documents.next() {
            let help = "remove it: only the first one would be read".to_owned();
            self.problem(second.span(), "the file has a second document".to_owned(), Some(help));
        }
        Some(first)
    }

    pub fn problem(&mut self, span: Span, message: String, help: Option<String>) {
        self.problems.push(Problem { span: Some(span), message, help });
    }

    /// The mapping under a name, its keys checked against `known`.
    pub fn fields_of<'d>(&mut self, entry: &Named<'d>, known: &'static [&'static str]) -> Option<Fields<'d>> {
        let fields = self.fields_at(entry.value, &entry.path, &entry.place(), known)?;
        Some(Fields { title: entry.name.span, ..fields })
    }

    /// The text under a name, see [`Reader::text`].
    pub fn text_of(&mut self, entry: &Named<'_>) -> Option<Spanned<String>> {
        self.text_at(entry.value, || entry.path.clone(), || entry.place())
    }

    /// The text or number under a name, see [`Reader::any_text`].
    pub fn any_text_of(&mut self, entry: &Named<'_>) -> Option<Spanned<String>> {
        self.any_text_at(entry.value, &entry.path, &entry.place())
    }

    /// The mapping at `node`, its keys checked against `known`.
    pub fn fields<'d>(&mut self, node: NodeRef<'d>, path: &str, known: &'static [&'static str]) -> Option<Fields<'d>> {
        self.fields_at(node, path, place(path), known)
    }

    fn fields_at<'d>(
        &mut self,
        node: NodeRef<'d>,
        path: &str,
        place: &str,
        known: &'static [&'static str],
    ) -> Option<Fields<'d>> {
        let mut values: Vec<(&'static str, NodeRef<'d>)> = Vec::with_capacity(known.len());
        // Manifests are read by the thousand: nothing is allocated for a key that is right.
        let mut unknown: BTreeSet<&str> = BTreeSet::new();
        let mut misspelt = Vec::new();
        for (key, value) in self.mapping(node, path, place)?.entries() {
            let found = known.iter().find(|name| key.kind() == Kind::Scalar && **name == key.raw());
            let Some(raw) = found.copied().or_else(|| self.name(key, path)) else { continue };
            let is_new = match found {
                Some(name) => !values.iter().any(|(known, _)| known == name),
                None => unknown.insert(raw),
            };
            if !is_new {
                self.twice(key, &below(path, raw));
            } else if let Some(name) = found {
                values.push((name, value));
            } else {
                let near = nearest(raw, known.iter().copied());
                misspelt.extend(near);
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", list(known)),
                };
                self.problem(key.content_span(), format!("unknown key `{}`", below(path, raw)), Some(help));
            }
        }
        let span = node.span();
        let title = node.target().entries().next().map_or(span, |(key, _)| key.span());
        Some(Fields { span, title, path: path.to_owned(), known, values, misspelt })
    }

    /// The entries of the mapping at `node`, in written order. A key that stands twice is a problem and its later entry
    /// is left out.
    pub fn entries<'d>(&mut self, node: NodeRef<'d>, path: &str) -> Option<Vec<Named<'d>>> {
        let mut out: Vec<Named<'d>> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (key, value) in self.mapping(node, path, place(path))?.entries() {
            let Some(name) = self.name(key, path) else { continue };
            if seen.insert(name) {
                out.push(Named::new(key, value, path));
            } else {
                self.twice(key, &below(path, name));
            }
        }
        Some(out)
    }

    /// As [`Reader::entries`], with keys that stand twice.
    pub fn all_entries<'d>(&mut self, node: NodeRef<'d>, path: &str) -> Option<Vec<Named<'d>>> {
        let mut out: Vec<Named<'d>> = Vec::new();
        for (key, value) in self.mapping(node, path, place(path))?.entries() {
            if self.name(key, path).is_some() {
                out.push(Named::new(key, value, path));
            }
        }
        Some(out)
    }

    fn mapping<'d>(&mut self, node: NodeRef<'d>, path: &str, place: &str) -> Option<NodeRef<'d>> {
        let target = node.target();
        if target.kind() != Kind::Mapping {
            self.wrong_kind(node, path, place, "a mapping");
            return None;
        }
        if self.is_too_long(node, path, target.entries().count()) {
            return None;
        }
        Some(target)
    }

    /// A key of the mapping at `path`, if it is a name.
    fn name<'d>(&mut self, key: NodeRef<'d>, path: &str) -> Option<&'d str> {
        if key.kind() != Kind::Scalar {
            self.problem(key.span(), format!("a key of {} is no name", named(path)), None);
            return None;
        }
        if !self.is_visible(key, || path.to_owned(), key.raw()) {
            return None;
        }
        Some(key.raw())
    }

    fn twice(&mut self, key: NodeRef<'_>, path: &str) {
        self.problem(key.content_span(), format!("`{path}` stands twice"), Some("keep one of them".to_owned()));
    }

    /// Says that a list or mapping is too long, if it is.
    fn is_too_long(&mut self, node: NodeRef<'_>, path: &str, length: usize) -> bool {
        let is = length > MOST_ENTRIES;
        if is {
            let what = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
            let message = format!("{what} has {length} entries; at most {MOST_ENTRIES} are read");
            self.problem(node.span(), message, None);
        }
        is
    }

    /// The items of the sequence at `node`.
    pub fn items<'d>(&mut self, node: NodeRef<'d>, path: &str) -> Vec<(String, NodeRef<'d>)> {
        let target = node.target();
        if target.kind() != Kind::Sequence {
            self.wrong_kind(node, path, place(path), "a list");
            return Vec::new();
        }
        if self.is_too_long(node, path, target.items().count()) {
            return Vec::new();
        }
        target.items().enumerate().map(|(index, item)| (format!("{path}[{index}]"), item)).collect()
    }

    /// The text of the scalar at `node`. Numbers, booleans and null are refused: quoting is the way out.
    pub fn text(&mut self, node: NodeRef<'_>, path: &str) -> Option<Spanned<String>> {
        self.text_at(node, || path.to_owned(), || place(path).to_owned())
    }

    /// As [`Reader::text`]; path and place are only made for a problem.
    fn text_at(
        &mut self,
        node: NodeRef<'_>,
        path: impl Fn() -> String,
        place: impl Fn() -> String,
    ) -> Option<Spanned<String>> {
        let scalar = node.target();
        if scalar.kind() != Kind::Scalar || is_null(node) {
            self.wrong_kind(node, &path(), &place(), "a text");
            return None;
        }
        // Reasons are prose, and end with a line end where they are folded.
        if !scalar.raw().split('\n').all(|line| self.is_visible(node, &path, line)) {
            return None;
        }
        match scalar.value() {
            Scalar::Str | Scalar::Timestamp(_) => Some(Spanned::new(scalar.raw().to_owned(), scalar.content_span())),
            _ => {
                let raw = scalar.raw();
                let help = format!("quote it: `\"{raw}\"`");
                self.problem(node.span(), format!("`{}` must be a text, not `{raw}`", path()), Some(help));
                None
            }
        }
    }

    /// The whole number at `node`, which must lie in `range`.
    pub fn number(&mut self, node: NodeRef<'_>, path: &str, range: RangeInclusive<u32>) -> Option<Spanned<u32>> {
        let scalar = node.target();
        if scalar.kind() != Kind::Scalar {
            self.wrong_kind(node, path, place(path), "a number");
            return None;
        }
        let number = match scalar.value() {
            Scalar::Int(number) => u32::try_from(number).ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            let help = format!("write a whole number from {} to {}, without quotes", range.start(), range.end());
            self.problem(node.span(), format!("`{path}` {}", refused(node)), Some(help));
        }
        Some(Spanned::new(number?, scalar.content_span()))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: NodeRef<'_>, path: &str) -> Option<Spanned<bool>> {
        let scalar = node.target();
        if scalar.kind() != Kind::Scalar {
            self.wrong_kind(node, path, place(path), "`true` or `false`");
            return None;
        }
        let Scalar::Bool(value) = scalar.value() else {
            let help = "write `true` or `false`, without quotes".to_owned();
            self.problem(node.span(), format!("`{path}` {}", refused(node)), Some(help));
            return None;
        };
        Some(Spanned::new(value, scalar.content_span()))
    }

    /// A text or a number, as written: for `set` and versions that look like numbers.
    pub fn any_text(&mut self, node: NodeRef<'_>, path: &str) -> Option<Spanned<String>> {
        self.any_text_at(node, path, place(path))
    }

    fn any_text_at(&mut self, node: NodeRef<'_>, path: &str, place: &str) -> Option<Spanned<String>> {
        let scalar = node.target();
        if scalar.kind() != Kind::Scalar || is_null(node) {
            self.wrong_kind(node, path, place, "a text");
            return None;
        }
        self.is_visible(node, || path.to_owned(), scalar.raw())
            .then(|| Spanned::new(scalar.raw().to_owned(), scalar.content_span()))
    }

    /// Names and texts of our own files are printed in tables, messages and other files. One that holds what a terminal obeys, or
    /// what nobody sees, was made to deceive; so was one that the runner of a pipeline takes for a command.
    fn is_visible(&mut self, node: NodeRef<'_>, path: impl Fn() -> String, text: &str) -> bool {
        let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let (what, help) = if !is_plain && printable(text) != text {
            (
                "a character that must not be printed",
                "write it without control characters and without marks that nobody sees",
            )
        } else if is_command(text) {
            (
                "what a pipeline's runner takes for a command",
                "write it without `##[`, and without `::` around its first word",
            )
        } else {
            return true;
        };
        let path = path();
        let place = if path.is_empty() { "a name".to_owned() } else { format!("`{path}`") };
        self.problem(node.span(), format!("{place} holds {what}"), Some(help.to_owned()));
        false
    }

    /// The `schema` of a file: 1 is the only one so far.
    pub fn schema(&mut self, fields: &Fields<'_>) {
        let Some(node) = self.required(fields, "schema") else { return };
        if !matches!(node.target().value(), Scalar::Int(1)) || node.target().kind() != Kind::Scalar {
            let help = "write `schema: 1`, the only version that this program reads".to_owned();
            self.problem(node.span(), "`schema` must be 1".to_owned(), Some(help));
        }
    }

    /// The value of a key that has to be there. One that is misspelt is a problem already.
    pub fn required<'d>(&mut self, fields: &Fields<'d>, key: &'static str) -> Option<NodeRef<'d>> {
        let node = fields.get(key);
        if node.is_none() && !fields.is_misspelt(key) {
            let whole = named(&fields.path);
            self.problem(fields.title, format!("{whole} has no `{key}`"), Some(format!("add `{key}`")));
        }
        node
    }

    pub fn required_text(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<String>> {
        let node = self.required(fields, key)?;
        self.text_at(node, || fields.path_of(key), || place(&fields.path_of(key)).to_owned())
    }

    pub fn optional_text(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<String>> {
        let node = fields.get(key)?;
        self.text_at(node, || fields.path_of(key), || place(&fields.path_of(key)).to_owned())
    }

    /// A list of texts; empty if the key is absent.
    pub fn texts(&mut self, fields: &Fields<'_>, key: &'static str) -> Vec<Spanned<String>> {
        let Some(node) = fields.get(key) else { return Vec::new() };
        let items = self.items(node, &fields.path_of(key));
        items.into_iter().filter_map(|(path, item)| self.text(item, &path)).collect()
    }

    fn wrong_kind(&mut self, node: NodeRef<'_>, path: &str, place: &str, expected: &str) {
        let way_out = self.way_out(place).map(str::to_owned);
        if is_null(node) {
            let help = way_out.unwrap_or_else(|| format!("write {expected}, or remove the key"));
            self.problem(node.span(), format!("{} is empty", named(path)), Some(help));
            return;
        }
        let found = match node.target().kind() {
            Kind::Scalar => "a single value",
            Kind::Sequence => "a list",
            Kind::Mapping => "a mapping",
            Kind::Alias => "an alias",
        };
        self.problem(node.span(), format!("{} must be {expected}, not {found}", named(path)), way_out);
    }

    fn way_out(&self, place: &str) -> Option<&'static str> {
        self.belongs.iter().find(|(known, _)| *known == place).map(|(_, help)| *help)
    }
}

/// Whether nothing stands at `node`, or what means nothing (`~`).
fn is_null(node: NodeRef<'_>) -> bool {
    let target = node.target();
    target.kind() == Kind::Scalar && matches!(target.value(), Scalar::Null)
}

/// Of a single value that is not what belongs there.
fn refused(node: NodeRef<'_>) -> String {
    if is_null(node) { "is empty".to_owned() } else { format!("cannot be `{}`", node.target().raw()) }
}

/// Where [`Belongs`] has a path: its last key, which is one of ours and holds no dot. An item stands where its list does.
fn place(path: &str) -> &str {
    let list = path.strip_suffix(']').and_then(|path| path.rsplit_once('[')).map_or(path, |(list, _)| list);
    list.rfind('.').map_or(list, |dot| &list[dot..])
}

impl<'d> Fields<'d> {
    /// The value of a key. Asking for a key that was not declared is our bug, which the drift test finds.
    pub fn get(&self, key: &'static str) -> Option<NodeRef<'d>> {
        debug_assert!(self.known.contains(&key), "`{key}` is not declared");
        self.values.iter().find(|(name, _)| *name == key).map(|(_, node)| *node)
    }

    /// Whether the key is absent and another one was said to be its misspelling.
    pub fn is_misspelt(&self, key: &'static str) -> bool {
        self.get(key).is_none() && self.misspelt.contains(&key)
    }

    pub fn path_of(&self, key: &str) -> String {
        below(&self.path, key)
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

impl<'d> Named<'d> {
    /// An entry of the mapping at `path`.
    fn new(key: NodeRef<'d>, value: NodeRef<'d>, path: &str) -> Self {
        let name = key.raw();
        Self { name: Spanned::new(name.to_owned(), key.content_span()), value, path: below(path, name) }
    }

    /// Where [`Belongs`] has it.
    fn place(&self) -> String {
        // The name may hold dots.
        let parent = self.path.strip_suffix(self.name.as_str()).unwrap_or_default().trim_end_matches('.');
        format!("{}.*", place(parent))
    }
}

/// The path of a key of the mapping at `path`.
fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `::add-mask::x`, as GitHub and Gitea have it now, and `##[error]x`, as before.
fn is_command(text: &str) -> bool {
    (text.contains('[') && text.contains("##["))
        || text.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"))
}

fn named(path: &str) -> String {
    if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") }
}

/// `a`, `b` and `c`, in backticks.
pub fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
