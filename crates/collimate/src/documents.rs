//! Marked blocks of documents, written as the releases have it: the other side of the rule `docs-version-stale`.

use std::collections::{BTreeMap, BTreeSet};

use alignment::documents::{self, Block, Judged};
use camino::{Utf8Path, Utf8PathBuf};
use source::{FileId, Files as _, Span};
use yamlspan::edit::Splice;

use crate::session::Session;

/// One document with blocks to write.
pub(crate) struct Edited {
    pub(crate) path: Utf8PathBuf,
    /// As it shall be.
    pub(crate) text: String,
    pub(crate) blocks: Vec<Written>,
}

/// One block that is written.
pub(crate) struct Written {
    pub(crate) place: Span,
    /// `version`, `images`.
    pub(crate) kind: &'static str,
    /// `stable`, `stable/prod`.
    pub(crate) holder: String,
    pub(crate) version: String,
}

/// What `pin` writes: every block of these channels that is not as it must be.
pub(crate) fn of_channels(session: &Session, channels: &BTreeSet<&str>) -> Vec<Edited> {
    edits(session, &|_, block| channels.contains(block.channel))
}

/// What a move writes: the blocks that must say something else in `next` than in `session`. Others stay, right or wrong: they are not
/// about what moves.
pub(crate) fn of_move(session: &Session, next: &Session) -> BTreeMap<Utf8PathBuf, String> {
    let mut before: BTreeMap<&Utf8Path, BTreeMap<Span, String>> = BTreeMap::new();
    for path in &session.workspace.docs {
        let Some((file, text)) = text(session, path) else { continue };
        before.insert(path, blocks(session, &text, file).map(|block| (block.content, block.expected)).collect());
    }
    let edited = edits(next, &|path, block| {
        // Both read the same text, so a block is where it was; its file has another number there.
        let was = before.get(path).and_then(|blocks| {
            blocks.iter().find(|(span, _)| span.range() == block.content.range()).map(|(_, expected)| expected)
        });
        was != Some(&block.expected)
    });
    edited.into_iter().map(|document| (document.path, document.text)).collect()
}

fn edits(session: &Session, is_wanted: &dyn Fn(&Utf8Path, &Block<'_>) -> bool) -> Vec<Edited> {
    let mut out: Vec<Edited> = Vec::new();
    for path in &session.workspace.docs {
        // What cannot be read is a finding of the rule, and named twice is written once.
        let Some((file, text)) = text(session, path) else { continue };
        if out.iter().any(|edited| edited.path == path.value) {
            continue;
        }
        let wrong: Vec<Block<'_>> =
            blocks(session, &text, file).filter(|block| !block.is_right() && is_wanted(path, block)).collect();
        let splices: Vec<Splice> =
            wrong.iter().map(|block| Splice { span: block.content, replacement: block.expected.clone() }).collect();
        let written = wrong.into_iter().map(|block| Written {
            place: block.content,
            kind: block.kind.as_str(),
            holder: block.holder,
            version: block.release.version.value.clone(),
        });
        let blocks: Vec<Written> = written.collect();
        // Blocks are found one behind the other, so they cannot overlap.
        if let (false, Ok(text)) = (blocks.is_empty(), yamlspan::edit::apply(&text, &splices)) {
            out.push(Edited { path: path.value.clone(), text, blocks });
        }
    }
    out
}

fn blocks<'s>(session: &'s Session, text: &str, file: FileId) -> impl Iterator<Item = Block<'s>> + use<'s> {
    documents::judge(&session.workspace, &session.releases, text, file).into_iter().filter_map(|judged| match judged {
        Judged::Block(block) => Some(block),
        Judged::Fault(_) => None,
    })
}

fn text(session: &Session, path: &Utf8Path) -> Option<(FileId, String)> {
    session.files.read_text(path).ok().map(|(file, text)| (file, text.to_string()))
}
