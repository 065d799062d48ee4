use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use release::Channel;
use rollout::{Draft, Gate, Held, Kind, Recorded};

use super::history;
use crate::archive;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::identity::IdentityArgs;
use crate::moving;
use crate::place::{self, Manifest, Place};
use crate::records::{Purpose, Records};
use crate::session::Session;

/// Go back to the release that was last known good, and hold the channel
///
/// Known good is what `mark-good` recorded and nobody went back from since. Only references and release labels of the profiles change; other edits
/// stay. Nothing is promoted into the channel until `hold lift`. What runs changes only when the result is deployed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The channel, or one ring of it
    #[arg(value_name = "CHANNEL[/RING]")]
    place: String,

    /// Another archived release of the channel than the one last known good
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// Why; recorded, and shown to whoever tries to promote
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Print the change as a unified diff and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, &format!("rollback {}", args.place), &by)?;
    let session = &records.session;
    let place = Place::parse(session, &args.place)?;
    let (label, rings) = (place.label(), place.rings()?);
    let manifest = place.manifest(session)?;
    let from = place::held(manifest.release);
    let known = known_good(&records, &place, &rings);
    // A release that was named with `--to` and is not known good is none that the same command would have brought.
    if args.to.is_none()
        && known.iter().any(|recorded| recorded.entry.to.as_ref() == Some(&from))
        && let Some(recorded) = gone_back(&records, &place, &rings, &from)
    {
        ctx.print(&format!(
            "`{label}` went back to `{}` already, by {} at {}; nothing to do\n",
            from.version, recorded.entry.by, recorded.entry.at
        ))?;
        ctx.say("note: `--to VERSION` goes further back\n");
        return Ok(Exit::Fine);
    }
    let target = match &args.to {
        Some(version) => archive::recorded(session, &records.ledger, place.channel, version)?,
        None => last_good(session, &place, &known, &from)?,
    };
    let to = place::held(target.release);
    if to.sha256 == from.sha256 {
        ctx.print(&format!("`{label}` holds `{}` already; nothing to do\n", to.version))?;
        return Ok(Exit::Fine);
    }
    let mark = known.iter().rfind(|recorded| recorded.entry.to.as_ref() == Some(&to));
    let standing = match mark {
        Some(Recorded { entry, .. }) => format!("known good since {}: {}", entry.at, history::evidence(entry)),
        None => "NOT known to be good".to_owned(),
    };
    let mut texts = BTreeMap::new();
    let profiles = plan(ctx, session, &place, (&from, &manifest), &target, &mut texts)?;
    let before = moving::look(ctx, session);
    moving::prove(ctx, session, &before, &mut texts, &profiles)?;
    ctx.print(&format!("`{label}`: `{}` → `{}`, {standing}\n", from.version, to.version))?;
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        return Ok(Exit::Fine);
    }
    let channel = &place.channel.name.value;
    let reason = Some(args.reason.clone());
    let gates = vec![Gate { gate: "known-good".to_owned(), result: standing }];
    let drafts = vec![
        Draft {
            from: Some(from),
            to: Some(to),
            reason: reason.clone(),
            gates,
            ..Draft::new(Kind::Rollback, records.by(), channel, rings)
        },
        Draft { reason, ..Draft::new(Kind::Hold, records.by(), channel, Vec::new()) },
    ];
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let entries = records.commit(texts, drafts)?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    ctx.print(&format!("`{channel}` is held: nothing is promoted into it until `collimate hold lift {channel}`\n"))?;
    Ok(Exit::Fine)
}

/// The rollback that brought the present release, if nothing moved since and its hold still stands: the same command, run twice.
fn gone_back<'r>(records: &'r Records, place: &Place<'_>, rings: &[String], now: &Held) -> Option<&'r Recorded> {
    let channel = &place.channel.name.value;
    let mut moves = records.ledger.entries().iter().filter(|recorded| {
        matches!(recorded.entry.kind, Kind::Promotion | Kind::Rollback)
            && recorded.entry.is_about(channel, rings.first().map(String::as_str))
    });
    let last = moves.next_back()?;
    let stands = last.entry.kind == Kind::Rollback
        && last.entry.to.as_ref() == Some(now)
        && !records.ledger.holds(channel).is_empty();
    stands.then_some(last)
}

/// What is known good in one of the rings that go back, oldest first.
fn known_good<'r>(records: &'r Records, place: &Place<'_>, rings: &[String]) -> Vec<&'r Recorded> {
    let channel = &place.channel.name.value;
    if rings.is_empty() {
        return records.ledger.good(channel, None, None);
    }
    let known: BTreeSet<_> = rings
        .iter()
        .flat_map(|ring| records.ledger.good(channel, Some(ring), None))
        .map(|recorded| &recorded.hash)
        .collect();
    records.ledger.entries().iter().filter(|recorded| known.contains(&recorded.hash)).collect()
}

fn last_good<'s>(session: &'s Session, place: &Place<'_>, known: &[&Recorded], from: &Held) -> Result<Manifest<'s>> {
    let releases = || known.iter().rev().filter_map(|recorded| recorded.entry.to.as_ref());
    let Some(good) = releases().find(|held| held.sha256 != from.sha256) else {
        let label = place.label();
        let why = if releases().next().is_some() {
            format!("only `{}` is, which it holds now", from.version)
        } else {
            format!("nothing was marked with `collimate mark-good {label} --evidence FILE`")
        };
        return Err(Failure::new(Exit::Findings, format!("no release is known good that `{label}` could go back to"))
            .because(why)
            .hint("name an archived release with `--to VERSION`; nothing was changed"));
    };
    archive::by_identity(session, place.channel, good)
}

/// The manifests and the workspace file as they shall be, and the profiles that move.
fn plan(
    ctx: &Ctx,
    session: &Session,
    place: &Place<'_>,
    (from, manifest): (&Held, &Manifest<'_>),
    target: &Manifest<'_>,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<BTreeSet<String>> {
    let channel = place.channel;
    let follows = manifest.path == channel.release.value;
    let is_first = place.ring.is_none()
        || channel.rings.first().is_some_and(|first| Some(first.name.value.as_str()) == place.ring);
    let names = |rings: &[String], outside: bool| -> BTreeSet<String> {
        let moved =
            |profile: &&release::Profile| place::is_in(profile, channel, rings) && (outside || profile.ring.is_some());
        session.workspace.profiles.iter().filter(moved).map(|profile| profile.name.value.clone()).collect()
    };
    let rings = place.rings()?;
    if let Some(ring) = place.ring
        && !(follows && is_first)
    {
        moving::set_ring(session, channel, ring, Some(target.path), texts)?;
        return Ok(names(&rings, false));
    }
    // The rings that follow and do not go back keep what they have, under its own name.
    let staying: Vec<String> = place::following(channel).into_iter().filter(|ring| !rings.contains(ring)).collect();
    match archive::keep(session, channel, (from, &manifest.text), texts) {
        Ok(kept) => stay(session, channel, &staying, &kept, texts)?,
        Err(failure) if !staying.is_empty() => return Err(failure),
        // What is gone back from is in version control; that is no reason to stay with it.
        Err(failure) => ctx.say(&format!("warning: `{}` is not archived\n{}", from.version, failure.to_text())),
    }
    texts.insert(channel.release.value.clone(), target.text.clone());
    Ok(names(&rings, true))
}

fn stay(
    session: &Session,
    channel: &Channel,
    rings: &[String],
    archived: &Utf8Path,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<()> {
    rings.iter().try_for_each(|ring| moving::set_ring(session, channel, ring, Some(archived), texts))
}
