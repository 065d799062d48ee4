//! `check --watch`: the same check again whenever something changes that it looked at.

#[cfg(test)]
mod laws;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Args, looked_at, report};
use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::report::Format;
use crate::session::{Known, Session};
use crate::tracked;
use crate::watcher::{Changes, Watcher};

/// So many changed paths are named.
const MOST_NAMED: usize = 3;

/// Checks, and checks again after every change, until a signal ends it. A report that says what the one before said is not repeated.
pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    if !matches!(args.format, Format::Text | Format::Json) {
        return Err(Failure::usage("`--watch` writes one report after another, as text or JSON")
            .hint("leave `--format` out, or give `--format json`"));
    }
    let mut watch = Watch::new(args, ctx)?;
    let mut before: Option<Seen> = None;
    let mut told: Option<String> = None;
    loop {
        let seen = match watch.look() {
            Ok(text) => Seen::Report(text),
            // What is wrong from the start ends it, as it ends every check.
            Err(failure) if before.is_none() => return Err(failure),
            Err(_) if !watch.root().is_dir() => {
                return Err(Failure::outside(format!("`{}` is gone", watch.root()))
                    .hint("start again where the workspace is now"));
            }
            Err(failure) => Seen::Failure(failure.to_text()),
        };
        let is_new = before.as_ref() != Some(&seen);
        if let Some(told) = told.take() {
            ctx.say(&format!("{told}{}\n", if is_new { "" } else { "; the report is the same" }));
        }
        if is_new {
            match &seen {
                Seen::Report(text) => ctx.print_once(text)?,
                Seen::Failure(text) => ctx.say(text),
            }
        }
        before = Some(seen);
        match watch.wait()? {
            Next::Ended => return Ok(Exit::Fine),
            Next::Unseen => {}
            Next::Changed(changes) => told = Some(said(watch.root(), &changes)),
        }
    }
}

/// What a round showed.
#[derive(PartialEq, Eq)]
enum Seen {
    Report(String),
    Failure(String),
}

/// Why to look again.
enum Next {
    /// Something has changed.
    Changed(Changes),
    /// Folders are watched only now, and what happened in them between reading and watching was not seen.
    Unseen,
    /// Not at all: a signal says to end.
    Ended,
}

/// A workspace that is looked at again and again, and what was seen of it.
struct Watch<'a> {
    args: &'a Args,
    ctx: &'a Ctx,
    watcher: Watcher,
    files: DiskFiles,
    /// The workspace's own file.
    name: Utf8PathBuf,
    known: Known,
}

impl<'a> Watch<'a> {
    fn new(args: &'a Args, ctx: &'a Ctx) -> Result<Self> {
        let mut watcher = Watcher::new()?;
        let (files, name) = Session::door(ctx)?;
        // Watched before anything is read, so that a broken workspace can be seen to be mended.
        watcher.watch(&folders(&files))?;
        Ok(Self { args, ctx, watcher, files, name, known: Known::default() })
    }

    fn root(&self) -> &Utf8Path {
        self.files.root()
    }

    /// One round: its report. Whatever comes of it, what was read and rendered is known to the next.
    fn look(&mut self) -> Result<String> {
        let workspace = Session::workspace(self.ctx, &self.files, &self.name)?;
        let nothing = DiskFiles::new(self.files.root().to_owned());
        let files = std::mem::replace(&mut self.files, nothing);
        let session = Session::after(self.ctx, files, workspace, std::mem::take(&mut self.known));
        let looked = looked_at(self.args, self.ctx, &session);
        let text = looked.map(|(checked, remarks)| report(self.args, &checked, &remarks).text(self.ctx));
        if text.is_ok() {
            session.forget_unused();
        }
        self.known = session.known();
        self.files = session.files;
        text
    }

    /// Waits until there is a reason to look again, and makes what may have changed be read again then.
    fn wait(&mut self) -> Result<Next> {
        let fresh = self.watcher.watch(&folders(&self.files))?;
        let (changes, next): (_, fn(Changes) -> Next) = if fresh.is_empty() {
            let Some(changes) = self.change()? else { return Ok(Next::Ended) };
            (changes, Next::Changed)
        } else {
            (Changes::below(fresh), |_| Next::Unseen)
        };
        self.files.look_again(&|path| !changes.touch(path));
        Ok(next(changes))
    }

    /// The next change that can matter: of git's folder only the index does. `None`: a signal says to end.
    fn change(&mut self) -> Result<Option<Changes>> {
        loop {
            let Some(mut changes) = self.watcher.wait()? else { return Ok(None) };
            let index = tracked::index(self.root());
            let git = index.as_deref().and_then(Utf8Path::parent);
            changes.paths.retain(|path| path.parent() != git || Some(path) == index.as_ref());
            if !changes.is_empty() {
                return Ok(Some(changes));
            }
        }
    }
}

/// All folders in which a change can matter: those that were looked into, and those above them, through which they are reached.
fn folders(files: &DiskFiles) -> BTreeSet<Utf8PathBuf> {
    let root = files.root();
    let mut folders = BTreeSet::from([root.to_owned()]);
    for folder in files.folders() {
        let reached = folder.ancestors().take_while(|above| above.starts_with(root) || *above == folder);
        folders.extend(reached.map(Utf8Path::to_owned));
    }
    // Which files are tracked is a fact that rules ask for.
    folders.extend(tracked::index(root).and_then(|index| index.parent().map(Utf8Path::to_owned)));
    folders
}

/// ``changed: `a`, `b` and 2 more``
fn said(root: &Utf8Path, changes: &Changes) -> String {
    if changes.everything {
        return "changed: more than can be followed".to_owned();
    }
    let below = |path: &Utf8PathBuf| format!("`{}`", path.strip_prefix(root).unwrap_or(path));
    let named: Vec<String> = changes.paths.iter().take(MOST_NAMED).map(below).collect();
    let mut text = format!("changed: {}", named.join(", "));
    let more = changes.paths.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " and {more} more");
    }
    source::redact(&text)
}
