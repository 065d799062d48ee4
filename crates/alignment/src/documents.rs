//! What documents say of releases: marked blocks in Markdown, each with the text that belongs between its marks.
//!
//! ```markdown
//! Stable is <!-- collimate:version stable -->2025.09.2<!-- /collimate -->.
//!
//! <!-- collimate:images stable/prod -->
//! | component | image | digest |
//! …
//! <!-- /collimate -->
//! ```
//!
//! [`judge`] serves both sides: the rule `docs-version-stale` reports what it gives, and whoever moves a release writes it.

mod marks;

use release::{Component, Release, Workspace};
use source::{FileId, Span};

pub use marks::Fault;

use crate::inputs::ReleaseInput;
use marks::Marked;

/// What a block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// The version of the release.
    Version,
    /// A table of its components with image, tag and digest.
    Images,
}

impl BlockKind {
    pub(crate) const ALL: [(&'static str, Self); 2] = [("version", Self::Version), ("images", Self::Images)];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Images => "images",
        }
    }
}

/// One block, held against the release of its channel or ring.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    pub kind: BlockKind,
    /// `stable`, `stable/prod`.
    pub holder: String,
    pub channel: &'a str,
    pub release: &'a Release,
    /// Between the marks.
    pub content: Span,
    /// What must stand there.
    pub expected: String,
    /// What stands there.
    pub written: String,
}

impl Block<'_> {
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.written == self.expected
    }
}

/// What can be said of one block, in the order of the document.
#[derive(Clone, Debug)]
pub enum Judged<'a> {
    Block(Block<'a>),
    /// Its marks say nothing that could be held against a release. Boxed: it is rare and large.
    Fault(Box<Fault>),
}

/// Every block of a document. A block whose release has a problem is left out: the release has findings of its own, and what was read of it
/// is not what belongs into a document.
#[must_use]
pub fn judge<'a>(workspace: &'a Workspace, releases: &'a [ReleaseInput], text: &str, file: FileId) -> Vec<Judged<'a>> {
    let marked = marks::find(text, file).into_iter();
    marked
        .filter_map(|found| match found {
            Err(fault) => Some(Judged::Fault(fault)),
            Ok(marked) => judge_one(workspace, releases, text, marked),
        })
        .collect()
}

fn judge_one<'a>(
    workspace: &'a Workspace,
    releases: &'a [ReleaseInput],
    text: &str,
    marked: Marked,
) -> Option<Judged<'a>> {
    let (channel, path) = match holder(workspace, &marked) {
        Ok(found) => found,
        Err(fault) => return Some(Judged::Fault(fault)),
    };
    let release = releases.iter().find(|input| input.path == path)?.sound()?;
    let written = text.get(marked.content.range()).unwrap_or_default().to_owned();
    let expected = content(marked.kind, release, line_end(&written));
    Some(Judged::Block(Block {
        kind: marked.kind,
        holder: marked.holder,
        channel,
        release,
        content: marked.content,
        expected,
        written,
    }))
}

/// The channel that a block names, itself or by a ring, and the manifest that this holds.
fn holder<'a>(workspace: &'a Workspace, marked: &Marked) -> Result<(&'a str, &'a camino::Utf8Path), Box<Fault>> {
    let name = marked.holder.as_str();
    if let Some(channel) = workspace.channel(name) {
        return Ok((&channel.name.value, &channel.release.value));
    }
    let split = name.rsplit_once('/').and_then(|(channel, ring)| Some((workspace.channel(channel)?, ring)));
    if let Some((channel, ring)) = split.and_then(|(channel, ring)| Some((channel, channel.ring(ring)?))) {
        let own = ring.release.as_ref().unwrap_or(&channel.release);
        return Ok((&channel.name.value, &own.value));
    }
    let known: Vec<String> = workspace
        .channels
        .iter()
        .flat_map(|channel| {
            let rings = channel.rings.iter().map(|ring| format!("{}/{}", channel.name.value, ring.name.value));
            std::iter::once(channel.name.value.clone()).chain(rings)
        })
        .collect();
    let help = match release::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", marks::list(known.iter().map(String::as_str))),
    };
    let message = format!("a block is of a channel or ring that is not there: `{}`", source::redact(name));
    Err(Box::new(Fault { span: marked.name, message, label: "names this".to_owned(), related: None, help }))
}

/// What stands between the marks of a block of this release.
#[must_use]
pub fn content(kind: BlockKind, release: &Release, line_end: &str) -> String {
    match kind {
        BlockKind::Version => release.version.value.clone(),
        BlockKind::Images => {
            let head = ["", "| component | image | digest |", "|---|---|---|"].map(str::to_owned);
            let rows = release.components.iter().map(row);
            let mut out: String = head.into_iter().chain(rows).map(|line| line + line_end).collect();
            // The closing mark stands on a line of its own, at its start.
            if release.components.is_empty() {
                out.push_str(line_end);
            }
            out
        }
    }
}

/// Lines of a block of images before its first component: the rest of the opening mark's line, and the head of the table.
pub(crate) const HEAD_LINES: usize = 3;

fn row(component: &Component) -> String {
    let digest = match component.digest.get() {
        // A stand-in must not be taken for something that can be pulled.
        Some(digest) if component.is_sample() => format!("`{digest}` (sample)"),
        Some(digest) => format!("`{digest}`"),
        None => "–".to_owned(),
    };
    let cell = |text: &str| text.replace('|', "\\|");
    let image = format!("{}:{}", component.image.name(), component.tag.value);
    format!("| {} | `{}` | {digest} |", cell(&component.name.value), cell(&image))
}

/// The line ends of a block, as its first line has them.
fn line_end(written: &str) -> &'static str {
    if written.starts_with("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests;
