use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use rollout::{Action, Draft, Intent, Kind, Plan};

use crate::consent::{Consent, ConsentArgs};
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};
use crate::gates::{self, Asked, GateArgs};
use crate::identity::IdentityArgs;
use crate::place::{self, Place};
use crate::records::{Purpose, Records};
use crate::signature::Signatures;
use crate::{archive, head, inputs, moving, steps};

/// Let the next ring of a channel take the channel's release
///
/// The ring before it must run that release, and it must be marked good there. The ring's profiles, the workspace file and the ledger change
/// together or not at all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The channel
    channel: String,

    /// The ring that takes its release; not the first one, which `promote` moves
    ring: String,

    /// Print gates and change, as a unified diff, and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    gates: GateArgs,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    identity: IdentityArgs,
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    let by = args.identity.resolve(ctx)?;
    let purpose = if args.dry_run { Purpose::DryRun } else { Purpose::Change };
    let label = place::label(&args.channel, Some(&args.ring));
    let records = Records::open(ctx, purpose, &format!("advance {} {}", args.channel, args.ring), &by)?;
    let session = &records.session;
    let place = Place::parse(session, &label)?;
    let (channel, Some(ring)) = (place.channel, place.ring.and_then(|ring| place.channel.ring(ring))) else {
        return Err(Failure::usage(format!("`{label}` is no ring")));
    };
    let current = place.manifest(session)?;
    let target = place::manifest(session, &channel.release.value)?;
    let (was, new) = (place::held(current.release), place::held(target.release));
    if ring.release.is_none() {
        ctx.print(&format!("`{label}` follows `{}` already and has `{}`; nothing to do\n", args.channel, new.version))?;
        return Ok(Exit::Fine);
    }
    let consent = Consent::read(ctx, &records, &args.consent)?;
    let (of_channel, own) = (consent.policy.of_channel(channel)?, [consent.policy.of_ring(channel, &args.ring)?]);
    let mut verdicts = vec![
        gates::ring_before(&records, channel, &args.ring, &new),
        gates::resolved_digests(&target, &args.gates),
        gates::hold(&records, &args.channel),
    ];
    verdicts.extend(gates::due(&records, &consent.policy, &args.channel));
    let freezing = [of_channel, own[0]];
    verdicts.extend(gates::freeze(ctx, &freezing, &args.gates));
    let signatures = Signatures::of_file(&session.files.absolute(target.path), ctx)?;
    verdicts.extend(gates::signature(&consent.policy, &own, (&args.channel, &target), &signatures, &records.now));
    if let (false, Some(refusal)) = (args.dry_run, gates::refusal(&label, &verdicts)) {
        return Err(refusal.hint("nothing was written"));
    }

    let mut texts = BTreeMap::new();
    // Both must be found again: what it has for `rollback`, what it gets because a version names one release for ever.
    archive::keep(session, channel, (&was, &current.text), &mut texts)?;
    archive::keep(session, channel, (&new, &target.text), &mut texts)?;
    moving::set_ring(session, channel, &args.ring, None, &mut texts)?;
    let of_ring = |profile: &&release::Profile| {
        profile.channel.value == channel.name.value && profile.ring.as_ref().is_some_and(|own| own.value == args.ring)
    };
    let profiles: BTreeSet<String> =
        session.workspace.profiles.iter().filter(of_ring).map(|profile| profile.name.value.clone()).collect();
    moving::prove(ctx, session, None, &mut texts, &profiles)?;

    let intent = Intent {
        action: Action::Advance,
        channel: args.channel.clone(),
        rings: vec![args.ring.clone()],
        base: was.clone(),
        source: None,
        keep: Vec::new(),
        take: Vec::new(),
    };
    let planned = Plan::new(intent, &target.release.manifest(), &texts);
    let is_emergency = args.gates.break_glass.is_some() && gates::is_frozen(ctx, &freezing);
    let asked = Asked { gates: &own, plan: &planned, by: records.by(), now: &records.now, is_emergency };
    let consented = gates::approvals(ctx, &consent, &asked)?;
    verdicts.extend(consented.verdicts);
    if !args.dry_run {
        if let Some(refusal) = gates::refusal(&label, &verdicts) {
            return Err(refusal.hint("nothing was written"));
        }
        verdicts.extend(gates::commands(ctx, session, &own, &args.gates)?);
        if let Some(refusal) = gates::refusal(&label, &verdicts) {
            return Err(refusal.hint("nothing was written"));
        }
    }

    steps::warn_ahead(ctx, &current.release.manifest(), &target.release.manifest());
    ctx.print(&format!("`{label}`: `{}` → `{}`\n", was.version, new.version))?;
    ctx.print(&gates::table(&verdicts))?;
    if args.dry_run {
        ctx.print(&moving::diff(session, &texts))?;
        consent.write_plan(ctx, &planned)?;
        return gates::refusal(&label, &verdicts).map_or(Ok(Exit::Fine), Err);
    }
    let gates = gates::recorded(verdicts, &records, &mut texts);
    let draft = Draft {
        from: Some(was),
        to: Some(new),
        gates,
        plan: Some(planned.hash()),
        approvals: consented.approvals,
        due: consented.due,
        emergency: args.gates.break_glass.clone(),
        commit: head::commit(session.files.root()),
        inputs: inputs::recorded(session, &profiles),
        ..Draft::new(Kind::Advance, records.by(), &args.channel, vec![args.ring.clone()])
    };
    let changed: Vec<Utf8PathBuf> = texts.keys().cloned().collect();
    let entries = records.commit_sealed(texts, vec![draft], consent.seal(None).as_ref())?;
    for path in changed.iter().chain(&entries) {
        ctx.print(&format!("wrote `{path}`\n"))?;
    }
    Ok(Exit::Fine)
}
