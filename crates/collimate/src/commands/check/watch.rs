//! `check --watch`: the same check again whenever something changes that it looked at.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Args, looked_at, report};
use crate::context::Ctx;
use crate::disk::DiskFiles;
use crate::exit::{Exit, Failure, Result};
use crate::report::Format;
use crate::session::Session;
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
    let mut watcher = Watcher::new()?;
    let (mut files, name) = Session::door(ctx)?;
    let root = files.root().to_owned();
    // Watched before anything is read, so that a broken workspace can be seen to be mended.
    watcher.watch(&folders(&root, None))?;
    let mut before: Option<Seen> = None;
    let mut told: Option<String> = None;
    loop {
        let mut known = folders(&root, None);
        let seen = match Session::through(ctx, files, &name).and_then(|session| look(args, ctx, session)) {
            Ok((text, read)) => {
                known = folders(&root, Some(&read));
                files = read;
                Seen::Report(text)
            }
            // What is wrong from the start ends it, as it ends every check.
            Err(failure) if before.is_none() => return Err(failure),
            Err(_) if !root.is_dir() => {
                return Err(
                    Failure::outside(format!("`{root}` is gone")).hint("start again where the workspace is now")
                );
            }
            Err(failure) => {
                files = DiskFiles::new(root.clone());
                Seen::Failure(failure.to_text())
            }
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
        let fresh = watcher.watch(&known)?;
        let changes = if fresh.is_empty() {
            let Some(changes) = next(&mut watcher, &root)? else { return Ok(Exit::Fine) };
            told = Some(said(&root, &changes));
            changes
        } else {
            // What happened in them between reading and watching was not seen.
            Changes::below(fresh)
        };
        files = files.kept(&|path| !changes.touch(path));
    }
}

/// What a round showed.
#[derive(PartialEq, Eq)]
enum Seen {
    Report(String),
    Failure(String),
}

/// One round: its report, and the files as they were read.
fn look(args: &Args, ctx: &Ctx, session: Session) -> Result<(String, DiskFiles)> {
    let (checked, remarks) = looked_at(args, ctx, &session)?;
    let text = report(args, &checked, &remarks).text(ctx);
    Ok((text, session.files))
}

/// All folders in which a change can matter: those that were looked into, and those above them, through which they are reached.
fn folders(root: &Utf8Path, read: Option<&DiskFiles>) -> BTreeSet<Utf8PathBuf> {
    let mut folders = BTreeSet::from([root.to_owned()]);
    for folder in read.map(DiskFiles::folders).unwrap_or_default() {
        let reached = folder.ancestors().take_while(|above| above.starts_with(root) || *above == folder);
        folders.extend(reached.map(Utf8Path::to_owned));
    }
    // Which files are tracked is a fact that rules ask for.
    folders.extend(tracked::index(root).and_then(|index| index.parent().map(Utf8Path::to_owned)));
    folders
}

/// The next change that can matter: of git's folder only the index does. `None`: a signal says to end.
fn next(watcher: &mut Watcher, root: &Utf8Path) -> Result<Option<Changes>> {
    loop {
        let Some(mut changes) = watcher.wait()? else { return Ok(None) };
        let index = tracked::index(root);
        let git = index.as_deref().and_then(Utf8Path::parent);
        changes.paths.retain(|path| path.parent() != git || Some(path) == index.as_ref());
        if !changes.is_empty() {
            return Ok(Some(changes));
        }
    }
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
