use std::collections::BTreeSet;

use findings::{TextOptions, plural};
use source::SourceMap;

use crate::checking::{self, Scope};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::rendering::Charts;
use crate::session::Session;
use crate::tracing;
use crate::write::{self, NewFile};
use crate::{pinning, proving};

/// Write the release's references into the profiles
///
/// Changes only the bytes of tags, digests and release labels, and only where every profile that a place reaches agrees. The result is
/// checked before anything is written; what cannot be done with certainty is refused, with the lines to write by hand.
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

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let session = Session::open(ctx)?;
    let selected = profiles(&session, &args.channels)?;
    let scope = Scope { profiles: session.workspace.profiles.iter().collect(), ..Scope::default() };
    let before = checking::check(ctx, &session, &Charts::default(), &scope);
    let (plan, sources) = tracing::with_survey(ctx, &session, &Charts::default(), |survey, sources| {
        (pinning::plan(survey, sources, &selected, args.tag_with_digest), sources.clone())
    });
    let edited = pinning::apply(&plan.splices, &sources)
        .map_err(|reason| Failure::new(Exit::Bug, "the planned edits do not fit together").because(reason))?;
    for (path, text) in &edited {
        session.files.overlay(path, text);
    }
    let after = checking::check(ctx, &session, &Charts::default(), &scope);
    let new = proving::new_findings(&before, &after);
    if !new.is_empty() {
        ctx.print(&findings::text(&new, &after.sources, TextOptions { colour: ctx.color() }))?;
        return Err(Failure::new(Exit::Findings, format!("pinning would cause {}", plural(new.len(), "new finding")))
            .hint("nothing was written; the findings above show what the change would break"));
    }

    if args.dry_run {
        ctx.print(&proving::diff(|path| sources.text_of(path).unwrap_or_default().to_owned(), &edited))?;
    } else {
        let files: Vec<NewFile> = edited
            .iter()
            .map(|(path, text)| NewFile { path: session.files.absolute(path), content: text.clone().into_bytes() })
            .collect();
        write::replace_all(&files)?;
        ctx.print(&summary(&plan.splices, &sources))?;
    }
    if plan.refusals.is_empty() {
        return Ok(Exit::Fine);
    }
    ctx.print(&findings::text(&plan.refusals, &sources, TextOptions { colour: ctx.color() }))?;
    ctx.say(&format!("error: {} refused\n", plural(plan.refusals.len(), "place")));
    Ok(Exit::Findings)
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

fn summary(splices: &[yamlspan::edit::Splice], sources: &SourceMap) -> String {
    let mut out = String::new();
    for splice in splices {
        let place = tracing::position(sources, splice.span);
        out.push_str(&format!("{place}: {}\n", splice.replacement));
    }
    out.push_str(&format!("{} written\n", plural(splices.len(), "place")));
    out
}
