use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use release::Channel;
use rollout::{Action, Draft, Gate, Held, Intent, Kind, Plan, Recorded};

use super::history;
use crate::configuration::{Configuration, ConfigurationArgs};
use crate::consent::{Consent, ConsentArgs};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::gates::{self, Asked};
use crate::identity::IdentityArgs;
use crate::place::{self, Manifest, Place};
use crate::records::{Purpose, Records};
use crate::session::Session;
use crate::steps::{self, Back};
use crate::{archive, head, inputs, moving};

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
    configuration: ConfigurationArgs,

    /// Go back across a step of the data that cannot be taken back: what was written since is lost; recorded
    #[arg(long, value_name = "REASON")]
    accept_data_loss: Option<String>,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let records = Records::open(ctx, purpose, &format!("rollback {}", args.place), &by)?;
    let session = &records.session;
    let place = Place::parse(session, &args.place)?;
    let consent = Consent::read(ctx, &records, &args.consent)?;
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
    if let Err(failure) = moving::prove(ctx, session, None, &mut texts, &profiles) {
        let configuration = Configuration::compare(ctx, &records, &texts, &profiles, &to)?;
        return Err(explained(failure, &manifest, &target, place.channel, &configuration));
    }
    ctx.print(&format!("`{label}`: `{}` → `{}`, {standing}\n", from.version, to.version))?;
    let configuration = Configuration::compare(ctx, &records, &texts, &profiles, &to)?;
    let data = Back::find(&records, place.channel, &rings, (&from, &manifest), &target)?;
    steps::warn_ahead(ctx, &manifest.release.manifest(), &target.release.manifest());
    ctx.print(&format!("{}{}", configuration.told(), data.told()))?;
    let intent = Intent {
        action: Action::Rollback,
        channel: place.channel.name.value.clone(),
        rings: rings.clone(),
        base: from.clone(),
        source: None,
        keep: Vec::new(),
        take: Vec::new(),
    };
    let planned = Plan::new(intent, &target.release.manifest(), &texts);
    // Nobody has to approve the way back; whoever does is recorded.
    let asked = Asked { gates: &[], plan: &planned, by: records.by(), now: &records.now, is_emergency: false };
    let consented = gates::approvals(ctx, &consent, &asked)?;
    if let Some(refusal) = gates::refusal(&label, &consented.verdicts) {
        return Err(refusal.hint("nothing was written"));
    }
    let refusal = data.refusal(args.accept_data_loss.as_deref()).or_else(|| configuration.refusal(&args.configuration));
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        consent.write_plan(ctx, &planned)?;
    }
    match refusal {
        Some(refusal) => return Err(refusal),
        None if args.dry_run => return Ok(Exit::Fine),
        None => {}
    }
    let channel = &place.channel.name.value;
    let reason = Some(args.reason.clone());
    let known_good = Gate { gate: "known-good".to_owned(), result: standing, output: None };
    let gates = [known_good, configuration.gate()].into_iter().chain(data.gate()).collect();
    let drafts = vec![
        Draft {
            from: Some(from),
            to: Some(to),
            reason: reason.clone(),
            gates,
            plan: Some(planned.hash()),
            approvals: consented.approvals,
            data_loss: args.accept_data_loss.clone().filter(|_| data.loses()),
            commit: head::commit(session.files.root()),
            inputs: inputs::recorded(session, &profiles),
            ..Draft::new(Kind::Rollback, records.by(), channel, rings)
        },
        Draft { reason, ..Draft::new(Kind::Hold, records.by(), channel, Vec::new()) },
    ];
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let entries = records.commit_sealed(texts, drafts, consent.seal(None).as_ref())?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    ctx.print(&format!("`{channel}` is held: nothing is promoted into it until `collimate hold lift {channel}`\n"))?;
    Ok(Exit::Fine)
}

/// Says what to do where profiles use what the release to go back to does not have.
fn explained(
    failure: Failure,
    manifest: &Manifest<'_>,
    target: &Manifest<'_>,
    channel: &Channel,
    configuration: &Configuration,
) -> Failure {
    let held = manifest.release.components.iter();
    let new: Vec<&str> = held
        .filter(|component| target.release.components_of(&component.image).next().is_none())
        .map(|component| component.name.value.as_str())
        .collect();
    if new.is_empty() {
        return failure;
    }
    let (version, channel) = (&target.release.version.value, &channel.name.value);
    let failure = failure.because(format!("`{version}` does not list what came after it: {}", new.join(", ")));
    let failure = configuration.restoring().into_iter().fold(failure, |failure, command| {
        failure.because(format!("to take it out of the profiles: {command}, then this again with `--with-config`"))
    });
    failure
        .because(format!(
            "to keep it: `collimate release new VERSION --from {channel}`, `collimate release set COMPONENT=REF --release VERSION.yaml` \
             with the images of `{version}` for what is broken, then `collimate promote --release VERSION.yaml {channel}`"
        ))
        .hint("nothing was written; the findings above show where it is used")
}

/// The rollback that brought the present release, if nothing moved since and its hold still stands: the same command, run twice.
fn gone_back<'r>(records: &'r Records, place: &Place<'_>, rings: &[String], now: &Held) -> Option<&'r Recorded> {
    let channel = &place.channel.name.value;
    let mut moves = records.ledger.entries().iter().filter(|recorded| {
        recorded.entry.kind.moves() && recorded.entry.is_about(channel, rings.first().map(String::as_str))
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
