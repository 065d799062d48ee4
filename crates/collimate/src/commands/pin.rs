use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use findings::{TextOptions, plural};
use rollout::Content;
use source::SourceMap;

use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::documents::{self, Edited};
use crate::exit::{Exit, Failure, Result};
use crate::pinning::Plan;
use crate::pinning::trial::{self, Tried};
use crate::records::{Purpose, Turn};
use crate::session::Session;
use crate::{message, place, proving, tracing};

/// Write the release's references into the profiles
///
/// Changes only the bytes of tags, digests and release labels, and the marked blocks of documents, and only where every profile that a place reaches agrees. A release manifest with a problem is not written from, nor anything while a profile of the channels does not render. The result is
/// checked before anything is written. What cannot be done with certainty is refused, with the lines to write by hand; then nothing is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Channels; all by default
    #[arg(value_name = "CHANNEL")]
    channels: Vec<String>,

    /// Print the change as a unified diff and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Where a chart has a value for the tag but none for the digest, write `tag@digest` into the tag
    #[arg(long)]
    tag_with_digest: bool,
}

/// Who holds the lock, where nobody is named: pinning is not recorded in the ledger.
const SOMEBODY: &str = "somebody who pins";

/// Components that are named; the manifest marks them all.
const MOST_NAMES: usize = 5;

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let command = std::iter::once("pin").chain(args.channels.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let turn = Turn::take(ctx, purpose, &command, SOMEBODY)?;
    let session = &turn.session;
    let selected = profiles(session, &args.channels)?;
    let channels = channels(session, &args.channels);
    for channel in session.workspace.channels.iter().filter(|channel| channels.contains(channel.name.value.as_str())) {
        // What was read of a manifest with a problem is not what it means to list.
        for path in
            std::iter::once(&channel.release).chain(channel.rings.iter().filter_map(|ring| ring.release.as_ref()))
        {
            place::manifest(session, path)?;
        }
    }
    let scope = Scope { profiles: session.workspace.profiles.iter().collect(), ..Scope::default() };
    let before = checking::check(ctx, session, &scope);
    // What is tried lies over the files of another session: this one keeps what was read.
    let next = session.with(ctx, &BTreeMap::new())?;
    let Tried { plan, sources, texts, .. } = trial::pin(ctx, &next, &selected, args.tag_with_digest)?;
    let documents = documents::of_channels(session, &channels);
    let mut edited = texts;
    for document in &documents {
        next.files.overlay(&document.path, &document.text);
        edited.insert(document.path.clone(), document.text.clone());
    }
    let after = checking::check(ctx, &next, &scope);
    let new = proving::new_findings(&before, &after);
    if !new.is_empty() {
        ctx.print(&findings::text(&new, &after.sources, TextOptions { colour: ctx.color() }))?;
        return Err(Failure::new(Exit::Findings, format!("pinning would cause {}", plural(new.len(), "new finding")))
            .hint("nothing was written; the findings above show what the change would break"));
    }
    ctx.say(&skipped(session, &plan.unresolved));
    if args.dry_run {
        ctx.print(&proving::diff(|path| sources.text_of(path).unwrap_or_default().to_owned(), &edited))?;
        return Ok(Exit::Fine);
    }
    if !edited.is_empty() {
        let contents = edited.into_iter().map(|(path, text)| (path, Content::Text(text)));
        turn.writer.commit(session, &turn.now, contents)?;
    }
    ctx.print(&summary(&plan.splices, &documents, &sources))?;
    if !plan.splices.is_empty() || !documents.is_empty() {
        ctx.print(&message(session, &plan, &documents, &sources))?;
    }
    Ok(Exit::Fine)
}

/// The profiles of the channels with these names; all if there are none.
fn profiles<'a>(session: &'a Session, names: &[String]) -> Result<BTreeSet<&'a str>> {
    let known: Vec<&str> = session.workspace.channels.iter().map(|channel| channel.name.value.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(
            Failure::usage(format!("there is no channel `{unknown}`")).hint(format!("there are: {}", known.join(", ")))
        );
    }
    let selected = |profile: &&release::Profile| names.is_empty() || names.contains(&profile.channel.value);
    Ok(session.workspace.profiles.iter().filter(selected).map(|profile| profile.name.value.as_str()).collect())
}

/// The channels with these names; all if there are none.
fn channels<'a>(session: &'a Session, names: &[String]) -> BTreeSet<&'a str> {
    let all = session.workspace.channels.iter().map(|channel| channel.name.value.as_str());
    all.filter(|name| names.is_empty() || names.iter().any(|named| named == name)).collect()
}

/// What to say of it to version control: the releases that were written, and where.
fn message(session: &Session, plan: &Plan, documents: &[Edited], sources: &SourceMap) -> String {
    let mut releases: Vec<(String, String)> = Vec::new();
    for profile in session.workspace.profiles.iter().filter(|profile| plan.profiles.contains(&profile.name.value)) {
        let index = session.release_index(profile);
        let release = index.and_then(|index| session.releases.get(index)?.release());
        let ring = profile.ring.as_ref().map(|ring| ring.value.as_str());
        let held = release.map(|release| (place::label(&profile.channel.value, ring), release.version.value.clone()));
        releases.extend(held.filter(|held| !releases.contains(held)));
    }
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for splice in &plan.splices {
        *files.entry(sources.path(splice.span.file).to_string()).or_default() += 1;
    }
    for document in documents {
        *files.entry(document.path.to_string()).or_default() += document.blocks.len();
    }
    // Where no profile changed, what documents were made to say is what there is to tell.
    if releases.is_empty() {
        for block in documents.iter().flat_map(|document| &document.blocks) {
            let held = (block.holder.clone(), block.version.clone());
            releases.extend(Some(held).filter(|held| !releases.contains(held)));
        }
    }
    message::pinned(&releases, &files.into_iter().collect::<Vec<_>>())
}

/// What nothing was written of, and what to do about it.
fn skipped(session: &Session, unresolved: &BTreeMap<Utf8PathBuf, BTreeSet<String>>) -> String {
    let mut out = String::new();
    for (manifest, components) in unresolved {
        let mut names: Vec<String> = components.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
        if components.len() > MOST_NAMES {
            names.push(format!("{} more", components.len() - MOST_NAMES));
        }
        let of_channel = session.workspace.channels.iter().find(|channel| channel.release.value == *manifest);
        let named = of_channel.map_or(manifest.as_str(), |channel| &channel.name.value);
        out.push_str(&format!(
            "note: skipped {}: `{manifest}` lists no digest yet; `collimate release resolve {named}` asks the registries and writes it \
             there, then pin again\n",
            names.join(", ")
        ));
    }
    out
}

fn summary(splices: &[yamlspan::edit::Splice], documents: &[Edited], sources: &SourceMap) -> String {
    let mut out = String::new();
    for splice in splices {
        let place = tracing::position(sources, splice.span);
        out.push_str(&format!("{place}: {}\n", splice.replacement));
    }
    let blocks: Vec<_> = documents.iter().flat_map(|document| &document.blocks).collect();
    for block in &blocks {
        let place = tracing::position(sources, block.place);
        out.push_str(&format!("{place}: {} of `{}`: {}\n", block.kind, block.holder, block.version));
    }
    out.push_str(&format!("{} written\n", plural(splices.len() + blocks.len(), "place")));
    out
}
